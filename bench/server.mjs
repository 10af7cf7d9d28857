// server.mjs - what every measurement needs: starting a server and knowing its port, loading it, filling a database.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export const build = process.env.BENCH_BUILD ?? 'build';
export const connections = 64;
export const log = (text) => process.stderr.write(`${text}\n`);

// A folder of its own on the disk that is measured: BENCH_DIR, or the build's.
const folder = fs.mkdtempSync(path.join(process.env.BENCH_DIR ?? path.resolve(build), 'bench-data-'));
export const file = (name) => path.join(folder, name);
export const removeFiles = () => fs.rmSync(folder, { recursive: true, force: true });

// Server and client each on a core of their own, where there are two.
const pinned = (core, command, args) => (os.cpus().length > 1 && fs.existsSync('/usr/bin/taskset') ? ['taskset', ['-c', String(core), command, ...args]] : [command, args]);

// What was started ends with the run, however that ends.
const started = new Set();
process.once('exit', () => { for (const child of started) child.kill('SIGKILL'); });
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => process.exit(1));

export function start(command, args, { isPinned = true } = {}) {
  const [program, all] = isPinned ? pinned(0, command, args) : [command, args];
  const begin = process.hrtime.bigint();
  const child = spawn(program, all, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, CAISSON_JWT_SECRET: 'bench-secret-0123456789-bench-secret' } });
  started.add(child);
  return new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`${command} ended with ${code}`)));
    child.stdout.on('data', (data) => {
      text += data;
      const port = /^listening on https?:\/\/[^\n]*:(\d+)$/m.exec(text)?.[1];
      if (port) resolve({ child, pid: child.pid, port, readyMs: Number(process.hrtime.bigint() - begin) / 1e6 });
    });
  });
}

// `database`: a file of the folder, or a store's URL.
const serveArgs = (database, contract, threads) => ['serve', contract, '--listen', '127.0.0.1:0', '--store', database.includes('://') ? database : `sqlite:${file(database)}`, '--migrate', '--threads', String(threads), '--log', 'off'];
// `wrapper`: a program and its arguments that runs the server, such as valgrind. Several loops have all cores.
export const startOurs = (database = 'bench.db', wrapper = [], { contract = 'bench/bench.graphql', threads = 1 } = {}) => {
  const [program, ...args] = [...wrapper, `${build}/caisson`, ...serveArgs(database, contract, threads)];
  return start(program, args, { isPinned: threads === 1 });
};

export const stop = ({ child }) => new Promise((resolve) => { child.removeAllListeners('exit'); child.once('exit', resolve); child.kill('SIGTERM'); });

// Runs a program to its end; its answer is a line of JSON.
export function run(command, args) {
  const [program, all] = pinned(1, command, args);
  const result = spawnSync(program, all, { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${result.stderr}${result.stdout}`);
  return JSON.parse(result.stdout);
}
export const load = (server, options) => run(`${build}/bench/load`, ['-p', server.port, '-c', String(connections), ...options]);

// Nanoseconds on a CPU of all threads of a process; exact, unlike the ticks of /proc/PID/stat.
export function cpuNs(pid) {
  let total = 0;
  for (const task of fs.readdirSync(`/proc/${pid}/task`)) total += Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return total;
}

// One round of one case: CPU per request, and requests per second.
export function measure(server, options, round, seconds) {
  const before = cpuNs(server.pid);
  const { requests, seconds: wall, p99_us: p99 } = load(server, ['-t', String(seconds), '-S', String(round * 7919 + 1), ...options]);
  return { us: (cpuNs(server.pid) - before) / 1000 / requests, rate: requests / wall, p99 };
}

export const median = (values) => { const sorted = [...values].sort((a, b) => a - b); return sorted[Math.floor(sorted.length / 2)]; };

// Products, as many reviews of the first 2000, and a note of any; the products' ids are in the file "ids".
export async function fill(rows, database = 'bench.db') {
  const server = await startOurs(database);
  log(`filling ${rows} products, reviews and notes`);
  load(server, ['-n', String(rows), '-m', 'POST', '-u', '/v1/products', '-s', '201', '-o', file('ids'),
    '-b', '{"sku":"SKU-{i}","name":"Darjeeling first flush, lot {i}","price":"12.5","stock":{i},"number":{i}}']);
  const ids = fs.readFileSync(file('ids'), 'utf8').trim().split('\n').sort();
  if (ids.length !== rows) throw new Error(`${ids.length} rows were made, not ${rows}`);
  fs.writeFileSync(file('first'), ids.slice(0, 2000).join('\n'));
  load(server, ['-n', String(rows), '-m', 'POST', '-u', '/v1/reviews', '-s', '201', '-l', file('first'),
    '-b', '{"productId":"{line}","stars":5,"text":"The best I have had. Everyone asks where it is from, number {i}."}']);
  load(server, ['-n', String(rows), '-m', 'POST', '-u', '/v1/notes', '-s', '201', '-l', file('ids'), '-b', '{"productId":"{line}","number":{i},"text":"Remember to order more of it."}']);
  await stop(server);
}

// What is asked for; `goal` is the most that it may cost, as a ratio to the bare hello; `per`: how many pieces of work one request holds.
const nestedPath = '/v1/products?fields=id,name,price,reviews(id,stars,text)&reviews.limit=5&limit=20';
const batchOf = (count, operation) => JSON.stringify({ operations: Array.from({ length: count }, () => operation) });
export const cases = (rows) => [
  { name: 'GET by id', goal: 1.25, options: ['-u', '/v1/products/{line}', '-l', file('ids')] },
  { name: 'list of 20', goal: 4.5, options: ['-u', '/v1/products?limit=20'] },
  { name: 'filtered, sorted list of 20', goal: null, options: ['-u', '/v1/products?number[gte]={i}&sort=number&limit=20', '-r', String(rows - 100)] },
  { name: 'the same, under a rule over a relation', goal: null, options: ['-u', '/v1/notes?number[gte]={i}&sort=number&limit=20', '-r', String(rows - 100)] },
  { name: 'nested list, 20 × 5', goal: null, options: ['-u', nestedPath] },
  { name: 'durable insert', goal: 2.5, options: ['-m', 'POST', '-u', '/v1/items', '-s', '201', '-b', '{"name":"Darjeeling first flush","price":"12.50","stock":{i}}'] },
  { name: 'each insert of a batch of 100', goal: 1.5, per: 100, options: ['-m', 'POST', '-u', '/v1/batch', '-b', batchOf(100, { method: 'POST', path: '/v1/items', headers: { Prefer: 'return=minimal' }, body: { name: 'Darjeeling first flush', price: '12.50', stock: 7 } })] },
];
