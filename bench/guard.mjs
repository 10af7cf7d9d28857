// guard.mjs - holds what a request costs to a budget, in instructions: the same on a busy machine as on a quiet one.
//   node bench/guard.mjs [record] [WORD]    record: what is measured becomes the budget; WORD: only the cases whose name has it
// Each case runs twice under callgrind, with few requests and with more; the difference is what those cost, start and end of the program left out.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { cases, connections, file, fill, load, log, removeFiles, startOurs, stop } from './server.mjs';

const isRecording = process.argv.includes('record');
const word = process.argv.slice(2).find((argument) => argument !== 'record') ?? '';
const budgetFile = 'bench/budget.json';
const rows = 20000;
const few = connections * 4;
const more = connections * 20;
// Which requests meet in one turn of the loop varies a little from run to run.
const tolerance = 0.03;

// Under valgrind everything takes fifty times as long, which is no overload.
const patient = ['env', 'CAISSON_QUEUE_WAIT_MAX=10m'];

// All instructions of a server's life, all threads, that answers `count` requests. Every run begins with the same rows.
async function instructions(options, count) {
  const out = file('callgrind.out');
  for (const end of ['', '-wal', '-shm']) fs.rmSync(file(`copy.db${end}`), { force: true });
  fs.copyFileSync(file('bench.db'), file('copy.db'));
  const server = await startOurs('copy.db', [...patient, 'valgrind', '--tool=callgrind', '-q', `--callgrind-out-file=${out}`]);
  load(server, ['-n', String(count), '-w', '120', ...options]);
  await stop(server);
  const total = /^(?:totals|summary): (\d+)$/m.exec(fs.readFileSync(out, 'utf8'))?.[1];
  if (total === undefined) throw new Error('callgrind said no total');
  return Number(total);
}

async function measure({ name, options, per = 1 }) {
  log(`counting the instructions of: ${name}`);
  const base = await instructions(options, few);
  return Math.round((await instructions(options, few + more) - base) / more / per);
}

// Prints a line a case; returns how many are over their budget.
function compare(found, budget) {
  let over = 0;
  for (const [name, count] of Object.entries(found)) {
    const change = budget[name] === undefined ? NaN : (count / budget[name] - 1) * 100;
    const isOver = !(change <= tolerance * 100);
    over += isOver;
    console.log(`${isOver ? 'OVER' : 'ok'}\t${name}: ${count} instructions a request, budget ${budget[name] ?? 'none'} (${change.toFixed(1)} %)`);
  }
  return over;
}

async function main() {
  if (spawnSync('valgrind', ['--version']).status !== 0) throw new Error('the guard needs valgrind');
  await fill(rows);
  const found = {};
  for (const one of cases(rows).filter(({ name }) => name.includes(word))) found[one.name] = await measure(one);
  const budget = fs.existsSync(budgetFile) ? JSON.parse(fs.readFileSync(budgetFile, 'utf8')) : {};
  if (!isRecording) return compare(found, budget);
  fs.writeFileSync(budgetFile, `${JSON.stringify({ ...budget, ...found }, null, 2)}\n`);
  return compare(found, { ...budget, ...found });
}

let over = 1;
try { over = await main(); } finally { removeFiles(); }
process.exit(over > 0 ? 1 : 0);
