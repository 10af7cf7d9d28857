// run.mjs - measures the server against a bare epoll hello in one run, round by round in turns, and writes docs/bench.md and docs/bench.svg.
// The unit is the server's own CPU time per request, user and system, all threads: it hardly depends on how fast the client is.
//   node bench/run.mjs [full]        full: longer rounds, and five million requests for the memory's flatness
import fs from 'node:fs';
import os from 'node:os';
import { drawChart } from './chart.mjs';
import { replaceFigures } from './figures.mjs';
import { build, cases as casesOf, connections, file, fill, load, log, measure, median, removeFiles, run, start, startOurs, stop } from './server.mjs';

const isFull = process.argv.includes('full');
const rounds = isFull ? 15 : 9;
const seconds = isFull ? 2 : 0.5;
const rows = 100000;
const manyRequests = isFull ? 5000000 : 200000;
const cases = casesOf(rows);

const rssKb = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

async function main() {
  const results = {};
  await fill(rows);
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
    // Each case right behind a hello of its own: what else the machine does weighs on both.
    for (const { name, options, per = 1 } of cases) {
      const base = measure(hello, ['-u', '/'], round + 1, seconds);
      const sample = measure(ours, options, round + 1, seconds);
      if (round < 0) continue;
      samples.get('hello').push({ ...base, ratio: 1 });
      samples.get(name).push({ ...sample, us: sample.us / per, rate: sample.rate * per, ratio: sample.us / per / base.us });
    }
    const nested = run(`${build}/bench/sql`, ['nested', file('bench.db'), String(seconds)]);
    const commit = run(`${build}/bench/sql`, ['commit', file('commit.db'), String(seconds)]);
    if (round < 0) continue;
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
  results.cases = [...samples.keys()].map((name) => ({ name, us: figure(name, 'us'), ratio: figure(name, 'ratio'), rate: figure(name, 'rate'), p99: figure(name, 'p99'), goal: cases.find((one) => one.name === name)?.goal ?? null }));
  results.sql = { nestedUs: median(sql.nested), commitRate: median(sql.commit) };
  write(results);
}

const verdict = (value, limit, isAtLeast = false) => ((isAtLeast ? value >= limit : value <= limit) ? 'reached' : 'missed');

function table(results) {
  const of = (name) => results.cases.find((one) => one.name === name);
  const nestedToSql = of('nested list, 20 × 5').us / results.sql.nestedUs;
  const insertToCommit = of('durable insert').rate / results.sql.commitRate;
  const budget = JSON.parse(fs.readFileSync('bench/budget.json', 'utf8'));
  const lines = results.cases.map(({ name, us, ratio, rate, p99, goal }) =>
    `| ${name === 'hello' ? 'bare epoll hello' : name} | ${us.toFixed(2)} | ${ratio.toFixed(2)} | ${goal === null ? '' : `≤ ${goal}, ${verdict(ratio, goal)}`} | ${Math.round(rate).toLocaleString('en-US')} | ${p99} | ${budget[name]?.toLocaleString('en-US') ?? ''} |`);
  const rise = (results.flat.most / results.flat.early - 1) * 100;
  const others = [
    ['nested list to its SQL\'s own CPU', `${nestedToSql.toFixed(2)} × (${results.sql.nestedUs.toFixed(0)} µs)`, `≤ 2, ${verdict(nestedToSql, 2)}`],
    ['durable inserts to one transaction each', `${insertToCommit.toFixed(1)} × (${Math.round(results.sql.commitRate).toLocaleString('en-US')} a second)`, `≥ 5, ${verdict(insertToCommit, 5, true)}`],
    ['idle memory (RSS)', `${(results.idleKb / 1024).toFixed(1)} MB`, `≤ 12, ${verdict(results.idleKb / 1024, 12)}`],
    ['ready after', `${results.readyMs.toFixed(1)} ms`, `≤ 30, ${verdict(results.readyMs, 30)}`],
    ['program', `${(results.binaryBytes / 1048576).toFixed(2)} MB`, `≤ 8, ${verdict(results.binaryBytes / 1048576, 8)}`],
    [`memory over ${results.flat.requests.toLocaleString('en-US')} requests`, `${rise.toFixed(1)} % above the first tenth`, `± 5 %, ${verdict(rise, 5)}`],
  ];
  return `| request | CPU, µs | to hello | goal | requests a second | p99, µs | instructions |\n|---|--:|--:|---|--:|--:|--:|\n${lines.join('\n')}\n\n| figure | | goal |\n|---|--:|---|\n${others.map((line) => `| ${line.join(' | ')} |`).join('\n')}\n`;
}

function write(results) {
  const text = table(results);
  const machine = `${os.cpus().length} × ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}`;
  const figures = `\nFrom one run of \`make bench${isFull ? ' BENCH=full' : ''}\` on ${machine}, load average ${os.loadavg()[2].toFixed(1)}: ${rows.toLocaleString('en-US')} rows, ${connections} connections, one loop thread, ${rounds} rounds of ${seconds} s.\n\n${text}\n`;
  replaceFigures('docs/bench.md', 'make bench', figures);
  fs.writeFileSync('docs/bench.svg', drawChart(results.cases));
  console.log(text);
}

try { await main(); } finally { removeFiles(); }
process.exit(0);
