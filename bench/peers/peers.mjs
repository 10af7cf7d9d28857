// peers.mjs - Caisson beside what people would otherwise run: the same table, rows and requests, in turns in one run.
//   node bench/peers/peers.mjs [WORD…]      WORD: only the peers whose name has it
// CPU per request is that of the server's whole process tree, those that have ended included; a PostgreSQL server's own is told apart. Latencies come from an open loop
// (load -R): a request's time counts from when it was due. Writes docs/peers.md's figures and docs/peers.svg.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import { startPostgres } from '../../tests/support/postgres.mjs';
import { replaceFigures } from '../figures.mjs';
import { treeCpuNs, treeRssMb } from '../process.mjs';
import { build, file, log, removeFiles, run } from '../server.mjs';
import { drawPeers } from './chart.mjs';
import { fillPocketbase, fillPostgres, fillSqlite, keyOf } from './rows.mjs';

const rows = Number(process.env.ROWS ?? 100000);
const rounds = Number(process.env.ROUNDS ?? 5);
const seconds = Number(process.env.SECONDS ?? 1);
const openRate = Number(process.env.RATE ?? 300);
const python = process.env.BENCH_PYTHON ?? 'build/peers/python/bin';
const here = 'bench/peers';
const node = (script) => (place) => [process.execPath, [`${here}/${script}`, String(place.port), place.database]];
const body = '{"sku":"SKU-{i}","name":"Darjeeling first flush","price":"12.5","stock":3,"number":{i}}';

// What is asked of a server with paths of REST's kind below `base`.
const restCases = (base) => ({
  get: ['-u', `${base}/{line}`, '-l', file('ids')],
  list: ['-u', `${base}?limit=20`],
  insert: ['-m', 'POST', '-u', base, '-s', '201', '-b', body],
});
const ourCases = { ...restCases('/v1/products'), nested: ['-u', '/v1/products?fields=id,name,price,reviews(id,stars,text)&reviews.limit=5&limit=20'] };
const graphql = (query, variables = '{}') => ['-m', 'POST', '-u', '/graphql', '-b', `{"query":${JSON.stringify(query)},"variables":${variables}}`];
const fields = 'id sku name price stock number createdAt';
// Of our own schema; GraphQL Yoga's has the same words.
const graphqlCases = {
  get: [...graphql(`query($id: ID!){product(id:$id){${fields}}}`, '{"id":"{line}"}'), '-l', file('ids')],
  list: graphql(`{products(first:20){nodes{${fields}} pageInfo{endCursor hasNextPage}}}`),
  nested: graphql('{products(first:20){nodes{id name price reviews(first:5){nodes{id stars text}}}}}'),
  insert: graphql(`mutation($n: Int!, $s: String!){createProduct(input:{sku:$s,name:"Darjeeling first flush",price:"12.5",stock:3,number:$n}){${fields}}}`, '{"n":{i},"s":"SKU-{i}"}'),
};

const caisson = (store) => (place) => [`${build}/caisson`, ['serve', `bench/bench.graphql`, '--listen', `127.0.0.1:${place.port}`, '--threads', '1', '--log', 'off', '--store', store(place)]];
const version = (name) => JSON.parse(fs.readFileSync(`${here}/node_modules/${name}/package.json`, 'utf8')).version;
const output = (command, args) => spawnSync(command, args, { encoding: 'utf8' }).stdout.trim();

const peers = [
  { name: 'hello', what: () => 'bench/hello.c: epoll, read, write, one constant answer', store: 'none', command: () => [`${build}/bench/hello`, []], cases: { hello: ['-u', '/'] } },
  { name: 'Caisson, SQLite', what: () => `${output(`${build}/caisson`, ['--version'])}, synchronous=FULL`, store: 'sqlite', command: caisson((place) => `sqlite:${place.database}`), cases: ourCases },
  { name: 'Caisson, PostgreSQL', what: () => output(`${build}/caisson`, ['--version']), store: 'postgres', command: caisson((place) => place.database), cases: ourCases },
  { name: 'Caisson GraphQL, SQLite', what: () => `${output(`${build}/caisson`, ['--version'])}, synchronous=FULL`, store: 'sqlite', command: caisson((place) => `sqlite:${place.database}`), cases: graphqlCases },
  { name: 'Caisson GraphQL, PostgreSQL', what: () => output(`${build}/caisson`, ['--version']), store: 'postgres', command: caisson((place) => place.database), cases: graphqlCases },
  { name: 'Gin + mattn/go-sqlite3', what: () => `${/gin-gonic\/gin (\S+)/.exec(fs.readFileSync(`${here}/gin/go.mod`, 'utf8'))[1]}, synchronous=FULL`, store: 'sqlite', env: { GOMAXPROCS: '1' }, command: (place) => ['build/peers/gin', [String(place.port), place.database]], cases: restCases('/products') },
  { name: 'Fastify + better-sqlite3', what: () => `${version('fastify')} + ${version('better-sqlite3')}, synchronous=FULL`, store: 'sqlite', command: node('fastify-sqlite.mjs'), cases: restCases('/products') },
  { name: 'FastAPI', what: () => output(`${python}/pip`, ['list', '--format=freeze']).split('\n').filter((line) => /^(fastapi|uvicorn)==/.test(line)).join(' '), store: 'sqlite', command: (place) => [`${python}/python`, [`${here}/fastapi_server.py`, String(place.port), place.database]], cases: restCases('/products') },
  { name: 'PocketBase', what: () => `${output(`${python}/pocketbase`, ['--version']).replace('pocketbase version ', '')}, its own synchronous=NORMAL`, store: 'pocketbase', env: { GOMAXPROCS: '1' }, command: (place) => [`${python}/pocketbase`, ['serve', '--http', `127.0.0.1:${place.port}`, '--dir', place.database]],
    cases: { get: ['-u', '/api/collections/products/records/{line}', '-l', file('ids15')], list: ['-u', '/api/collections/products/records?perPage=20&skipTotal=1'], insert: ['-m', 'POST', '-u', '/api/collections/products/records', '-b', body] } },
  { name: 'GraphQL Yoga + DataLoader', what: () => `${version('graphql-yoga')} + ${version('dataloader')} + better-sqlite3 ${version('better-sqlite3')}, synchronous=FULL`, store: 'sqlite', command: node('graphql-yoga.mjs'), cases: graphqlCases },
  { name: 'Fastify + pg', what: () => `${version('fastify')} + ${version('pg')}`, store: 'postgres', command: node('fastify-pg.mjs'), cases: restCases('/products') },
  { name: 'PostGraphile', what: () => version('postgraphile'), store: 'postgres', command: node('postgraphile.mjs'),
    cases: {
      get: [...graphql(`query($id: UUID!){productById(id:$id){${fields}}}`, '{"id":"{line}"}'), '-l', file('ids')],
      list: graphql(`{allProducts(first:20){nodes{${fields}} pageInfo{endCursor hasNextPage}}}`),
      nested: graphql('{allProducts(first:20){nodes{id name price reviewsByProductId(first:5){nodes{id stars text}}}}}'),
      insert: graphql(`mutation($n: Int!, $s: String!){createProduct(input:{product:{sku:$s,name:"Darjeeling first flush",price:"12.5",stock:3,number:$n}}){product{${fields}}}}`, '{"n":{i},"s":"SKU-{i}"}'),
    } },
];

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function answers(port) {
  return await new Promise((resolve) => { const socket = net.connect(port, '127.0.0.1'); socket.once('connect', () => { socket.destroy(); resolve(true); }); socket.once('error', () => resolve(false)); });
}

// Starts a peer on its own copy of the rows; { pid, port, readyMs, stop }.
async function startPeer(peer, place) {
  const [command, args] = peer.command(place);
  const begin = process.hrtime.bigint();
  const child = spawn('taskset', ['-c', '0', command, ...args], { stdio: ['ignore', peer.name === 'hello' ? 'pipe' : 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'production', CAISSON_JWT_SECRET: 'bench-secret-0123456789-bench-secret', ...peer.env } });
  if (peer.name === 'hello') place.port = await new Promise((resolve) => child.stdout.on('data', (data) => resolve(Number(/:(\d+)\n/.exec(data)[1]))));
  while (!(await answers(place.port))) {
    if (child.exitCode !== null) throw new Error(`${peer.name} ended with ${child.exitCode}`);
    await sleep(2);
  }
  const readyMs = Number(process.hrtime.bigint() - begin) / 1e6;
  return { pid: child.pid, port: place.port, readyMs, stop: () => new Promise((resolve) => { child.once('exit', resolve); child.kill('SIGTERM'); }) };
}

let next = 1000000;
const load = (server, options) => { next += 1000000; return run(`${build}/bench/load`, ['-p', String(server.port), '-c', '32', '-f', String(next), ...options]); };

function measure(server, options, database) {
  const before = treeCpuNs(server.pid), databaseBefore = database === undefined ? 0 : treeCpuNs(database);
  const { requests, seconds: wall } = load(server, ['-t', String(seconds), ...options]);
  return { us: (treeCpuNs(server.pid) - before) / 1000 / requests, databaseUs: database === undefined ? 0 : (treeCpuNs(database) - databaseBefore) / 1000 / requests, rate: requests / wall };
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function placeFor(peer, postgres, index) {
  const place = { port: await freePort() };
  const isOurs = peer.name.startsWith('Caisson');
  if (peer.store === 'sqlite') fillSqlite(place.database = file(`peer-${index}.db`), rows, isOurs);
  if (peer.store === 'postgres') place.database = fillPostgres(postgres, `peer_${index}`, rows, isOurs);
  if (peer.store === 'pocketbase') await fillPocketbase(`${python}/pocketbase`, place.database = file('pocketbase'), rows, place.port);
  return place;
}

// The cases of these names: rounds in turns, then latencies.
function ask(running, names, postgres) {
  const asked = running.flatMap(({ peer, ...rest }) => names.filter((name) => name in peer.cases).map((name) => ({ name, options: peer.cases[name], peer, ...rest })));
  for (let round = -1; round < rounds; round++) {
    log(`${names.join(', ')}: ${round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`}`);
    for (const { name, options, peer, server, result } of asked) {
      const sample = measure(server, options, peer.store === 'postgres' ? postgres.child.pid : undefined);
      if (round >= 0) (result.samples[name] ??= []).push(sample);
    }
  }
  log(`latency at ${openRate} requests a second`);
  for (const { name, options, server, result } of asked) {
    const { p50_us: p50, p99_us: p99, p999_us: p999 } = load(server, ['-R', String(openRate), '-t', '4', ...options]);
    result.latency[name] = { p50, p99, p999 };
  }
}

async function main() {
  const words = process.argv.slice(2);
  const chosen = peers.filter(({ name }) => !name.startsWith('Gin') || fs.existsSync('build/peers/gin')).filter(({ name }) => name === 'hello' || words.length === 0 || words.some((word) => name.toLowerCase().includes(word.toLowerCase())));
  fs.writeFileSync(file('ids'), Array.from({ length: rows }, (_, i) => keyOf(i)).join('\n'));
  fs.writeFileSync(file('ids15'), Array.from({ length: rows }, (_, i) => keyOf(i, 15)).join('\n'));
  // Durable here too: what is acknowledged is on the disk.
  const postgres = chosen.some(({ store }) => store === 'postgres') ? await startPostgres({ settings: { fsync: 'on', synchronous_commit: 'on', max_connections: 200, shared_buffers: '256MB' } }) : null;
  const results = [];
  const running = [];
  try {
    for (const [index, peer] of chosen.entries()) {
      log(`filling ${peer.name}`);
      const place = await placeFor(peer, postgres, index);
      const server = await startPeer(peer, place);
      await sleep(500);
      const result = { name: peer.name, what: peer.what(), store: peer.store, readyMs: server.readyMs, idleMb: treeRssMb(server.pid), samples: {}, latency: {} };
      results.push(result);
      running.push({ peer, server, result });
    }
    // Inserts come last: the rows that they add have no reviews, and a list's first would be others for each.
    for (const names of [['hello', 'get', 'list', 'nested'], ['insert']]) ask(running, names, postgres);
    for (const { server, result } of running) result.busyMb = treeRssMb(server.pid);
  } finally {
    for (const { server } of running) await server.stop();
    if (postgres !== null) await postgres.remove();
  }
  write(results);
}

const cell = (value, digits = 1) => value.toFixed(digits);

function write(results) {
  const hello = median(results[0].samples.hello.map(({ us }) => us));
  const figure = (result, name, key) => median(result.samples[name].map((sample) => sample[key]));
  const labels = { get: 'GET by id', list: 'list of 20', nested: 'list of 20, each with five', insert: 'insert' };
  const lines = ['| server | request | CPU, µs | to hello | database\'s CPU, µs | requests a second | p50, µs | p99, µs | p99.9, µs |', '|---|---|--:|--:|--:|--:|--:|--:|--:|',
    `| bare hello | | ${cell(hello, 2)} | 1.0 | | | | | |`];
  for (const result of results.slice(1)) {
    for (const [name, label] of Object.entries(labels).filter(([name]) => name in result.samples)) {
      const us = figure(result, name, 'us'), latency = result.latency[name];
      lines.push(`| ${result.name} | ${label} | ${cell(us)} | ${cell(us / hello)} | ${result.store === 'postgres' ? cell(figure(result, name, 'databaseUs')) : ''} | ${Math.round(figure(result, name, 'rate')).toLocaleString('en-US')} | ${latency.p50} | ${latency.p99} | ${latency.p999} |`);
    }
  }
  lines.push('', '| server | version and settings | ready after, ms | idle, MB | after the load, MB |', '|---|---|--:|--:|--:|');
  for (const result of results.slice(1)) lines.push(`| ${result.name} | ${result.what} | ${cell(result.readyMs, 0)} | ${cell(result.idleMb)} | ${cell(result.busyMb)} |`);
  const machine = `${os.cpus().length} × ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}`;
  const text = `\nFrom one run on ${machine}: ${rows.toLocaleString('en-US')} rows, 32 connections, the server on one core and its load on another, ${rounds} rounds of ${seconds} s in turns; latencies from an open loop of ${openRate} requests a second.\n\n${lines.join('\n')}\n\n`;
  replaceFigures('docs/peers.md', 'make bench-peers', text);
  fs.writeFileSync('docs/peers.svg', drawPeers(results.slice(1).map((result) => ({ name: result.name, ...Object.fromEntries(Object.keys(result.samples).map((name) => [name, figure(result, name, 'us') / hello])) })), labels));
  console.log(text);
}

try { await main(); } finally { removeFiles(); }
process.exit(0);
