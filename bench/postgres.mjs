// postgres.mjs - measures the server on PostgreSQL against a bare epoll hello and a raw libpq pipeline, in turns in one run, and writes its
// section of docs/bench.md. The database is this run's own.
//   node bench/postgres.mjs [full]
import fs from 'node:fs';
import os from 'node:os';
import { startPostgres } from '../tests/support/postgres.mjs';
import { replaceFigures } from './figures.mjs';
import { build, cases as casesOf, connections, file, fill, load, log, measure, median, removeFiles, start, startOurs, stop } from './server.mjs';

const isFull = process.argv.includes('full');
const rounds = Number(process.env.BENCH_ROUNDS ?? (isFull ? 15 : 9));
const seconds = Number(process.env.BENCH_SECONDS ?? (isFull ? 2 : 0.5));
const rows = Number(process.env.BENCH_ROWS ?? 100000);
const get = ['-u', '/v1/products/{line}', '-l', file('ids')];
const insert = { path: '/v1/items', body: '{"name":"Darjeeling first flush","price":"12.50","stock":{i}}' };
const wanted = new Map([['GET by id', 1.4], ['list of 20', null], ['nested list, 20 × 5', null], ['durable insert', null]]);
const cases = [
  ...casesOf(rows).filter(({ name }) => wanted.has(name)).map(({ name, options }) => ({ name, options, goal: wanted.get(name) })),
  { name: 'mixed: 90 % GET by id, 10 % insert', goal: null, options: [...get, '-W', '10', '-U', insert.path, '-B', insert.body] },
];

async function main(postgres) {
  const url = postgres.url();
  await fill(rows, url);
  postgres.query('VACUUM ANALYZE');
  const hello = await start(`${build}/bench/hello`, []);
  const raw = await start(`${build}/bench/pipeline`, [url]);
  const ours = await startOurs(url);
  const all = [
    { name: 'GET by id, raw libpq pipelining', options: get, goal: null, server: raw },
    ...cases.map((one) => ({ ...one, server: ours })),
  ];
  const samples = new Map([['bare epoll hello', []], ...all.map(({ name }) => [name, []])]);
  for (let round = -1; round < rounds; round++) {
    log(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
    // Each case right behind a hello of its own: what else the machine does weighs on both.
    for (const { name, options, server } of all) {
      const base = measure(hello, ['-u', '/'], round + 1, seconds);
      const sample = measure(server, options, round + 1, seconds);
      if (round < 0) continue;
      samples.get('bare epoll hello').push({ ...base, ratio: 1 });
      samples.get(name).push({ ...sample, ratio: sample.us / base.us });
    }
  }
  for (const { server } of [{ server: ours }, { server: raw }, { server: hello }]) await stop(server);
  const figure = (name, key) => median(samples.get(name).map((sample) => sample[key]));
  return [...samples.keys()].map((name) => ({ name, us: figure(name, 'us'), ratio: figure(name, 'ratio'), rate: figure(name, 'rate'), p99: figure(name, 'p99'), goal: all.find((one) => one.name === name)?.goal ?? null }));
}

function write(results) {
  const number = (value) => Math.round(value).toLocaleString('en-US');
  const lines = results.map(({ name, us, ratio, rate, p99, goal }) =>
    `| ${name} | ${us.toFixed(2)} | ${ratio.toFixed(2)} | ${goal === null ? '' : `≤ ${goal}, ${ratio <= goal ? 'reached' : 'missed'}`} | ${number(rate)} | ${p99} |`);
  const of = (name) => results.find((one) => one.name === name);
  const share = of('GET by id').rate / of('GET by id, raw libpq pipelining').rate;
  const machine = `${os.cpus().length} × ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}`;
  const text = `| request | CPU, µs | to hello | goal | requests a second | p99, µs |\n|---|--:|--:|---|--:|--:|\n${lines.join('\n')}\n\nGET by id has ${Math.round(share * 100)} % of the throughput of raw libpq pipelining (goal: ≥ 80 %, ${share >= 0.8 ? 'reached' : 'missed'}).\n`;
  replaceFigures('docs/bench.md', 'make bench BENCH=postgres', `\nFrom one run on ${machine}, load average ${os.loadavg()[2].toFixed(1)}: ${number(rows)} rows, ${connections} connections, one loop thread, ${rounds} rounds of ${seconds} s.\n\n${text}\n`);
  console.log(text);
}

let postgres;
try {
  postgres = await startPostgres({ settings: { fsync: 'on', shared_buffers: '256MB', max_wal_size: '4GB' } });
  write(await main(postgres));
} finally {
  await postgres?.remove();
  removeFiles();
}
process.exit(0);
