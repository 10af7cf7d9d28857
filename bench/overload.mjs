// overload.mjs - three times what the server can do, whatever the answers: an open loop from a pool of connections. Prints, for each case and
// size of the pool: the capacity (a closed loop), what was answered of it, refused and left unsent a second, the latency of the answered from
// when they were due, and how much dearer an answer has become with the refusals in it (which others on the machine hardly change).
//   node bench/overload.mjs [WORD...]      only the cases whose store or name has a word
import { startPostgres } from '../tests/support/postgres.mjs';
import { build, cases, cpuNs, file, fill, load, log, removeFiles, run, startOurs, stop } from './server.mjs';

const rows = 20000, seconds = 3, pools = [64, 1000, 8000];
const words = process.argv.slice(2);
const scan = { name: 'slow list', options: ['-u', '/v1/products?name[contains]=nowhere{i}&limit=20'] };
const wanted = ['GET by id', 'list of 20', 'nested list, 20 × 5', 'durable insert'];
const number = (value) => Math.round(value).toLocaleString('en-US').padStart(10);

function measure(server, { options }, pool) {
  const begin = cpuNs(server.pid);
  const closed = load(server, ['-t', String(seconds), ...options]);
  const capacity = closed.requests / closed.seconds, between = cpuNs(server.pid);
  const open = run(`${build}/bench/load`, ['-p', server.port, '-c', String(pool), '-R', String(Math.round(3 * capacity)), '-t', String(seconds), '-A', '503', '-G', '100', '-w', '60', ...options]);
  const good = open.requests - open.refused;
  return { capacity, ...open, good: good / open.seconds, dearness: (cpuNs(server.pid) - between) / good / ((between - begin) / closed.requests) };
}

async function measureStore(store, database) {
  await fill(rows, database);
  const server = await startOurs(database);
  for (const one of [...cases(rows).filter(({ name }) => wanted.includes(name)), scan]) {
    if (words.length > 0 && !words.some((word) => `${store} ${one.name}`.includes(word))) continue;
    for (const pool of pools) {
      const { capacity, good, refused, unsent, seconds: wall, p50_us: p50, p99_us: p99, dearness } = measure(server, one, pool);
      console.log(`${`${store}, ${one.name}`.padEnd(34)}${number(pool)}${number(capacity)}${`${Math.round((good / capacity) * 100)} %`.padStart(10)}${number(refused / wall)}${number(unsent / wall)}${number(p50 / 1000)}${number(p99 / 1000)}${`${dearness.toFixed(2)} ×`.padStart(9)}`);
    }
  }
  await stop(server);
}

let postgres;
try {
  log('connections, capacity (requests a second), goodput, refused and unsent a second, p50 and p99 in ms, the server\'s CPU for an answer to what it was');
  await measureStore('SQLite', 'bench.db');
  postgres = await startPostgres({ settings: { fsync: 'on', shared_buffers: '256MB', max_wal_size: '4GB' } });
  await measureStore('PostgreSQL', postgres.url());
} finally {
  await postgres?.remove();
  removeFiles();
}
process.exit(0);
