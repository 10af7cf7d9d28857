// soak.mjs - a long run: a server on each store, all faces and watches asked at once, and in between new certificates, new contracts, columns
// that come and go, and a database that is stopped and started. Memory, descriptors, latencies and failures are sampled; they should be flat.
// Writes docs/soak.md's figures and docs/soak.svg. Ends with 1 where they are not flat, or something failed that should not have.
//   node bench/soak/soak.mjs SECONDS
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { grpc, describe, packageOf } from '../../tests/grpc/client.mjs';
import { makeAuthority, makeCertificate } from '../../tests/support/certificates.mjs';
import { startPostgres } from '../../tests/support/postgres.mjs';
import { makeFolder, program, removeFolder, run, startServer } from '../../tests/support/server.mjs';
import { drawLines } from '../chart.mjs';
import { descriptorCount, threadCount, treeRssMb } from '../process.mjs';
import { replaceFigures } from '../figures.mjs';
import { graphqlClient, grpcClient, grpcWatch, restClient, restWatch, Tally } from './clients.mjs';
import { contractOf } from './contract.mjs';

const seconds = Number(process.argv[2] ?? 3600);
// Each client waits so long between two requests: the run is long, not hard.
const pauseMs = Number(process.env.PAUSE_MS ?? 20);
const sampleMs = Math.max(1000, (seconds * 1000) / 360);
const eventMs = Math.max(4000, (seconds * 1000) / 120);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const percentile = (values, part) => { const sorted = [...values].sort((a, b) => a - b); return sorted.length === 0 ? null : sorted[Math.floor((sorted.length - 1) * part)]; };
const median = (values) => percentile(values, 0.5);

// A server and its clients; what is changed under it is in `settings`.
async function startSide(name, folder, authority, store, databaseMb) {
  const settings = { hasRemark: false, nameMax: 200 };
  const contractPath = path.join(folder, `${name}.graphql`);
  fs.writeFileSync(contractPath, contractOf(settings));
  makeCertificate(folder, authority, name, ['localhost', '127.0.0.1']);
  const server = await startServer({ contractPath, folder, store, options: ['--migrate', '--threads', '2', '--changes-max', '2000', '--idempotency-keys-max', '1000',
    '--tls-cert', path.join(folder, `${name}.pem`), '--tls-key', path.join(folder, `${name}.key`)] });
  const state = { name, server, databaseMb, settings, contractPath, store, port: server.port, ca: authority.pem, isOver: false, disturbedUntil: 0, watches: new Set(), tally: new Tally(), samples: [],
    package: packageOf(describe(program, contractPath)), credentials: grpc.credentials.createSsl(Buffer.from(authority.pem)),
    channel: { 'grpc.ssl_target_name_override': 'localhost', 'grpc.use_local_subchannel_pool': 1 } };
  state.work = [restClient, graphqlClient, grpcClient].flatMap((client) => [client(state, pauseMs), client(state, pauseMs)]);
  state.work.push(restWatch(state), restWatch(state), grpcWatch(state));
  return state;
}

async function endSide(state) {
  state.isOver = true;
  const timer = setInterval(() => { for (const watch of state.watches) watch.destroy(); }, 100);
  await Promise.all(state.work);
  clearInterval(timer);
  await state.server.stop();
}

/* ---- what happens to them ---- */

// Resolves once it is served.
async function changeContract(state, change) {
  const reads = () => [...state.server.stderr.matchAll(/the contract was read again/g)].length;
  const before = reads();
  Object.assign(state.settings, change);
  fs.writeFileSync(state.contractPath, contractOf(state.settings));
  state.server.child.kill('SIGHUP');
  for (let i = 0; i < 100 && reads() === before; i++) await sleep(50);
  if (reads() === before) state.tally.note('reload', 'the contract was not read again', 0);
}

function applyMigration(state, ...options) {
  const { status, stderr } = run(['migrate', 'apply', state.contractPath, '--store', state.store, '--dir', path.join(state.server.folder, 'none'), ...options]);
  if (status !== 0) state.tally.note('migrate', `status ${status}: ${stderr.slice(0, 200)}`, 0);
}

// On PostgreSQL a column comes and goes in two phases. On SQLite the server itself adds it; where it goes, the old contract is without it for a
// moment.
async function migrate(state, disturb) {
  const hasRemark = !state.settings.hasRemark;
  if (hasRemark && state.name === 'sqlite') return changeContract(state, { hasRemark });
  if (state.name === 'postgres' && !state.isNoted) applyMigration(state); // phases want to know from which contract
  state.isNoted = true;
  fs.writeFileSync(state.contractPath, contractOf({ ...state.settings, hasRemark }));
  if (state.name === 'postgres') {
    applyMigration(state, '--expand');
    await changeContract(state, { hasRemark });
    return applyMigration(state, '--contract', '--allow-destructive');
  }
  disturb(state);
  applyMigration(state, '--allow-destructive');
  return changeContract(state, { hasRemark });
}

const makeEvents = ({ folder, authority, postgres, disturb }) => [
  ['new certificates', async (states) => {
    for (const state of states) { makeCertificate(folder, authority, state.name, ['localhost', '127.0.0.1']); state.server.child.kill('SIGHUP'); }
  }],
  ['new contract', async (states) => { for (const state of states) await changeContract(state, { nameMax: state.settings.nameMax === 200 ? 300 : 200 }); }],
  ['migration', async (states) => { for (const state of states) await migrate(state, disturb); }],
  ['PostgreSQL stopped and started', async ([, state]) => { disturb(state); await postgres.stop('SIGINT'); await sleep(1000); await postgres.start(); disturb(state); }],
];

/* ---- what is seen ---- */

function sample(state, at) {
  const { tally, server } = state;
  state.samples.push({ at, isDisturbed: performance.now() < state.disturbedUntil + sampleMs, rssMb: treeRssMb(server.child.pid), descriptors: descriptorCount(server.child.pid), threads: threadCount(server.child.pid), databaseMb: state.databaseMb(),
    p50: median(tally.latencies), p99: percentile(tally.latencies, 0.99), requests: tally.requests, failures: [...tally.failures] });
  tally.begin();
}

// Of the middle of the run and of its end: what grows for ever has grown between them.
function flatness(samples, key) {
  const part = (from, to) => median(samples.slice(Math.floor(samples.length * from), Math.ceil(samples.length * to)).map((one) => one[key]));
  return { middle: part(0.4, 0.6), end: part(0.8, 1) };
}

function judge(state) {
  const memory = flatness(state.samples, 'rssMb'), descriptors = flatness(state.samples, 'descriptors');
  const unexpected = state.samples.filter(({ isDisturbed }) => !isDisturbed).flatMap(({ at, failures }) => failures.map(([what, count]) => `${Math.round(at)} s: ${count} × ${what}`));
  const problems = [];
  if (memory.end > memory.middle * 1.1) problems.push(`memory has grown from ${memory.middle.toFixed(1)} to ${memory.end.toFixed(1)} MB`);
  if (descriptors.end > descriptors.middle + 10) problems.push(`descriptors have grown from ${descriptors.middle} to ${descriptors.end}`);
  if (unexpected.length > 0) problems.push(`failures outside of the database's stops: ${unexpected.slice(0, 10).join('; ')}`);
  if (/ERROR|assert|Sanitizer/.test(state.server.stderr)) problems.push(state.server.stderr.slice(-1000));
  return { memory, descriptors, database: flatness(state.samples, 'databaseMb'), unexpected, problems };
}

const titles = { sqlite: 'SQLite', postgres: 'PostgreSQL' };
const number = (value, digits = 0) => value.toLocaleString('en-US', { maximumFractionDigits: digits, minimumFractionDigits: digits });

function write(states, verdicts, happened) {
  const lines = ['| | SQLite | PostgreSQL |', '|---|--:|--:|'];
  const row = (name, cell) => lines.push(`| ${name} | ${states.map((state, i) => cell(state, verdicts[i])).join(' | ')} |`);
  row('requests', ({ tally }) => number([...tally.totals.values()].reduce((sum, { requests }) => sum + requests, 0)));
  row('of them REST, GraphQL, gRPC', ({ tally }) => ['REST', 'GraphQL', 'gRPC'].map((face) => number(tally.totals.get(face)?.requests ?? 0)).join(', '));
  row('changes that watches were told', ({ tally }) => number(tally.events));
  row('memory in the middle and at the end, MB', (_, { memory }) => `${number(memory.middle, 1)}, ${number(memory.end, 1)}`);
  row('descriptors in the middle and at the end', (_, { descriptors }) => `${descriptors.middle}, ${descriptors.end}`);
  row('the database in the middle and at the end, MB', (_, { database }) => `${number(database.middle, 1)}, ${number(database.end, 1)}`);
  row('p50, ms (median of the samples)', ({ samples }) => number(median(samples.map(({ p50 }) => p50 ?? 0)), 1));
  row('p99, ms (median of the samples)', ({ samples }) => number(median(samples.map(({ p99 }) => p99 ?? 0)), 1));
  row('refused or failed while the database was away or a column went', ({ tally }, { unexpected }) => number([...tally.totals.values()].flatMap(({ failures }) => [...failures.values()]).reduce((a, b) => a + b, 0) - (unexpected.length > 0 ? unexpected.reduce((sum, text) => sum + Number(/: (\d+) ×/.exec(text)[1]), 0) : 0)));
  row('failed otherwise', (_, { unexpected }) => (unexpected.length === 0 ? '0' : unexpected.slice(0, 5).join('; ')));
  const count = (what) => happened.filter((one) => one.what === what).length;
  const machine = `${os.cpus().length} × ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}`;
  const events = [...new Set(happened.map(({ what }) => what))].map((what) => `${what}: ${count(what)}`).join(', ');
  replaceFigures('docs/soak.md', 'make soak', `\nFrom a run of ${number(seconds)} s on ${machine}; in it ${events}.\n\n${lines.join('\n')}\n\n`);
  const series = (key) => states.map((state) => ({ name: titles[state.name], points: state.samples.map((one) => [one.at, one[key] ?? 0]) }));
  fs.writeFileSync('docs/soak.svg', drawLines([
    { title: 'memory, MB', series: series('rssMb') }, { title: 'descriptors', series: series('descriptors') }, { title: 'p99 of the answered, ms', series: series('p99') },
    { title: 'refused or failed in a sample', series: states.map((state) => ({ name: titles[state.name], points: state.samples.map(({ at, failures }) => [at, failures.reduce((sum, [, n]) => sum + n, 0)]) })) },
  ], { marks: happened, unit: 's' }));
  console.log(lines.join('\n'));
}

// Not while it is stopped.
function sizeOf(postgres) {
  try { return Number(postgres.query('SELECT pg_database_size(current_database())')[0][0]) / 1e6; } catch { return 0; }
}

async function main() {
  const folder = makeFolder();
  const authority = makeAuthority(folder, 'authority');
  let postgres;
  const states = [];
  try {
    postgres = await startPostgres();
    states.push(await startSide('sqlite', folder, authority, `sqlite:${path.join(folder, 'soak.db')}`, () => fs.statSync(path.join(folder, 'soak.db')).size / 1e6),
      await startSide('postgres', folder, authority, postgres.url(), () => sizeOf(postgres)));
    const begin = performance.now(), happened = [];
    const disturb = (state) => { state.disturbedUntil = performance.now() + 5000; };
    const events = makeEvents({ folder, authority, postgres, disturb });
    const sampler = setInterval(() => { for (const state of states) sample(state, (performance.now() - begin) / 1000); }, sampleMs);
    // The last stretch is left in peace.
    for (let i = 0; performance.now() - begin < seconds * 1000 - eventMs; i++) {
      const [what, run] = events[i % events.length];
      await sleep(eventMs);
      happened.push({ at: (performance.now() - begin) / 1000, what });
      await run(states);
    }
    await sleep(Math.max(0, seconds * 1000 - (performance.now() - begin)));
    clearInterval(sampler);
    const verdicts = states.map(judge);
    write(states, verdicts, happened);
    const problems = verdicts.flatMap(({ problems }, i) => problems.map((problem) => `${titles[states[i].name]}: ${problem}`));
    for (const problem of problems) console.error(problem);
    return problems.length;
  } finally {
    for (const state of states) await endSide(state);
    await postgres?.remove();
    removeFolder(folder);
  }
}

process.exit((await main()) > 0 ? 1 : 0);
