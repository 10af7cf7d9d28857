// run.mjs - measures the server against a bare epoll hello in one run, round by round in turns, and writes docs/bench.md and docs/bench.svg.
// The unit is the server's own CPU time per request, user and system, all threads: it hardly depends on how fast the client is.
//   node bench/run.mjs [full]        full: longer rounds, and five million requests for the memory's flatness
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { drawChart } from './chart.mjs';

const isFull = process.argv.includes('full');
const rounds = isFull ? 9 : 5;
const seconds = isFull ? 3 : 1;
const rows = 100000;
const manyRequests = isFull ? 5000000 : 500000;
const connections = 64;
const build = 'build';
const folder = fs.mkdtempSync(path.join(process.env.BENCH_DIR ?? path.resolve(build), 'bench-data-'));
const file = (name) => path.join(folder, name);

// Server and client each on a core of their own, where there are two.
const pinned = (core, command, args) => (os.cpus().length > 1 && fs.existsSync('/usr/bin/taskset') ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]);
const log = (text) => process.stderr.write(`${text}\n`);

// Nanoseconds on a CPU of all threads of a process; exact, unlike the ticks of /proc/PID/stat.
function cpuNs(pid) {
  let total = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) total += Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return total;
}
const rssKb = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

function start(command, args) {
  const [program, all] = pinned(0, command, args);
  const begin = process.hrtime.bigint();
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, CAISSON_JWT_SECRET: 'bench-secret-0123456789-bench-secret' } });
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    child.stdout.on('data', (data) => {
      text += data;
      const port = /^listening on http:\/\/[^\n]*:(\d+)$/m.exec(text)?.[1];
      if (port) resolve({ child, pid: child.pid, port, readyMs: Number(process.hrtime.bigint() - begin) / 1e6 });
    });
  });
}
const startOurs = () => start(`${build}/caisson`, ['serve', 'bench/bench.graphql', '--listen', '127.0.0.1:0', '--store', `sqlite:${file('bench.db')}`, '--threads', '1', '--log', 'off']);
const stop = ({ child }) => new Promise((resolve) => { child.removeAllListeners('exit'); child.once('exit', resolve); child.kill('SIGTERM'); });

function run(command, args) {
  const [program, all] = pinned(1, command, args);
  const result = spawnSync(program, all, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}${result.stdout}`);
  return JSON.parse(result.stdout);
}
const load = (server, options) => run(`${build}/bench/load`, ['-p', server.port, '-c', String(connections), ...options]);

// One round of one case: CPU per request, and requests per second.
function measure(server, options, round) {
  const before = cpuNs(server.pid);
  const { requests, seconds: wall, p99_us: p99 } = load(server, ['-t', String(seconds), '-S', String(round * 7919 + 1), ...options]);
  return { us: (cpuNs(server.pid) - before) / 1000 / requests, rate: requests / wall, p99 };
}

const median = (values) => { const sorted = [...values].sort((a, b) => a - b); return sorted[Math.floor(sorted.length / 2)]; };

async function fill() {
  const server = await startOurs();
  log(`filling ${rows} products and ${rows} reviews`);
  load(server, ['-n', String(rows), '-m', 'POST', '-u', '/v1/products', '-s', '201', '-o', file('ids'),
    '-b', '{"sku":"SKU-{i}","name":"Darjeeling first flush, lot {i}","price":"12.5","stock":{i},"number":{i}}']);
  const ids = fs.readFileSync(file('ids'), 'utf8').trim().split('\n').sort();
  if (ids.length !== rows) throw new Error(`${ids.length} rows were made, not ${rows}`);
  fs.writeFileSync(file('first'), ids.slice(0, 2000).join('\n'));
  load(server, ['-n', String(rows), '-m', 'POST', '-u', '/v1/reviews', '-s', '201', '-l', file('first'),
    '-b', '{"productId":"{line}","stars":5,"text":"The best I have had. Everyone asks where it is from, number {i}."}']);
  await stop(server);
}

const nestedPath = '/v1/products?fields=id,name,price,reviews(id,stars,text)&reviews.limit=5&limit=20';
const cases = [
  { name: 'GET by id', target: 1.25, options: ['-u', '/v1/products/{line}', '-l', file('ids')] },
  { name: 'list of 20', target: 4.5, options: ['-u', '/v1/products?limit=20'] },
  { name: 'filtered, sorted list of 20', target: null, options: ['-u', '/v1/products?number[gte]={i}&sort=number&limit=20', '-r', String(rows - 100)] },
  { name: 'nested list, 20 × 5', target: null, options: ['-u', nestedPath] },
  { name: 'durable insert', target: 2.5, options: ['-m', 'POST', '-u', '/v1/items', '-s', '201', '-b', '{"name":"Darjeeling first flush","price":"12.50","stock":{i}}'] },
];

async function main() {
  const results = {};
  await fill();
  const ready = [];
  for (let i = 0; i < 10; i++) { const server = await startOurs(); ready.push(server.readyMs); if (i === 0) { await new Promise((resolve) => setTimeout(resolve, 300)); results.idleKb = rssKb(server.pid); } await stop(server); }
  results.readyMs = median(ready);
  results.binaryBytes = fs.statSync(`${build}/caisson`).size;

  const hello = await start(`${build}/bench/hello`, []);
  const ours = await startOurs();
  const samples = new Map([['hello', []], ...cases.map(({ name }) => [name, []])]);
  const sql = { commit: [], nested: [] };
  for (let round = -1; round < rounds; round++) {
    log(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
    const base = measure(hello, ['-u', '/'], round + 1);
    const ofRound = cases.map(({ name, options }) => [name, measure(ours, options, round + 1)]);
    const nested = run(`${build}/bench/sql`, ['nested', file('bench.db'), String(seconds / 2)]);
    const commit = run(`${build}/bench/sql`, ['commit', file('commit.db'), String(seconds)]);
    if (round < 0) continue;
    samples.get('hello').push({ ...base, ratio: 1 });
    for (const [name, sample] of ofRound) samples.get(name).push({ ...sample, ratio: sample.us / base.us });
    sql.nested.push(nested.cpu_us);
    sql.commit.push(commit.inserts / commit.seconds);
  }
  await stop(ours);

  log(`${manyRequests} requests for the memory's flatness`);
  const long = await startOurs();
  const many = (count) => load(long, ['-n', String(count), '-u', '/v1/products/{line}', '-l', file('ids')]);
  many(manyRequests / 10);
  const early = rssKb(long.pid);
  let most = early;
  for (let i = 0; i < 9; i++) { many(manyRequests / 10); most = Math.max(most, rssKb(long.pid)); }
  results.flat = { early, most, requests: manyRequests };
  await stop(long);
  await stop(hello);

  const figure = (name, key) => median(samples.get(name).map((sample) => sample[key]));
  results.cases = [...samples.keys()].map((name) => ({ name, us: figure(name, 'us'), ratio: figure(name, 'ratio'), rate: figure(name, 'rate'), p99: figure(name, 'p99'), target: cases.find((one) => one.name === name)?.target ?? null }));
  results.sql = { nestedUs: median(sql.nested), commitRate: median(sql.commit) };
  write(results);
}

const verdict = (value, limit, isAtLeast = false) => ((isAtLeast ? value >= limit : value <= limit) ? 'reached' : 'missed');

function table(results) {
  const of = (name) => results.cases.find((one) => one.name === name);
  const nestedToSql = of('nested list, 20 × 5').us / results.sql.nestedUs;
  const insertToCommit = of('durable insert').rate / results.sql.commitRate;
  const lines = results.cases.map(({ name, us, ratio, rate, p99, target }) =>
    `| ${name === 'hello' ? 'bare epoll hello' : name} | ${us.toFixed(2)} | ${ratio.toFixed(2)} | ${target === null ? '' : `≤ ${target}, ${verdict(ratio, target)}`} | ${Math.round(rate).toLocaleString('en-US')} | ${p99} |`);
  const rise = (results.flat.most / results.flat.early - 1) * 100;
  const others = [
    ['nested list to its SQL\'s own CPU', `${nestedToSql.toFixed(2)} × (${results.sql.nestedUs.toFixed(0)} µs)`, `≤ 2, ${verdict(nestedToSql, 2)}`],
    ['durable inserts to one transaction each', `${insertToCommit.toFixed(1)} × (${Math.round(results.sql.commitRate).toLocaleString('en-US')} a second)`, `≥ 5, ${verdict(insertToCommit, 5, true)}`],
    ['idle memory (RSS)', `${(results.idleKb / 1024).toFixed(1)} MB`, `≤ 12, ${verdict(results.idleKb / 1024, 12)}`],
    ['ready after', `${results.readyMs.toFixed(1)} ms`, `≤ 30, ${verdict(results.readyMs, 30)}`],
    ['program', `${(results.binaryBytes / 1048576).toFixed(2)} MB`, `≤ 8, ${verdict(results.binaryBytes / 1048576, 8)}`],
    [`memory over ${results.flat.requests.toLocaleString('en-US')} requests`, `${rise.toFixed(1)} % above the first tenth`, `± 5 %, ${verdict(rise, 5)}`],
  ];
  return `| request | CPU, µs | to hello | goal | requests a second | p99, µs |\n|---|--:|--:|---|--:|--:|\n${lines.join('\n')}\n\n| figure | | goal |\n|---|--:|---|\n${others.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}

function write(results) {
  const text = table(results);
  const machine = `${os.cpus().length} × ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}`;
  fs.writeFileSync('docs/bench.md', `# Figures

From one run of \`make bench${isFull ? ' BENCH=full' : ''}\` on ${machine}: ${rows.toLocaleString('en-US')} rows, ${connections} connections, one loop thread; ${rounds} rounds of ${seconds} s in turns, medians.
The unit is the server's own CPU time per request (user and system, all threads), and its ratio to an HTTP server that does nothing (\`bench/hello.c\`) in the same round.

${text}
![CPU per request as a ratio to the bare hello](bench.svg)
`);
  fs.writeFileSync('docs/bench.svg', drawChart(results.cases));
  console.log(text);
}

try { await main(); } finally { fs.rmSync(folder, { recursive: true, force: true }); }
process.exit(0);
