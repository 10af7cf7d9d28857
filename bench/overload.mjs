// overload.mjs - three times what the server can do, whatever the answers: an open loop from a pool of connections. Prints, for each case and
// size of the pool: the capacity (a closed loop of few connections, and one of as many as the pool has, where each costs more: a socket that was
// not looked at for long is in no cache), what was answered of either, refused and left unsent a second, the latency of the answered from
// when they were due, how much dearer an answer has become with the refusals in it (which others on the machine hardly change), and how much of
// its core the generator needed: where that is near 100 %, it is the generator that could do no more. Of all cases, the table of docs/bench.md.
//   node bench/overload.mjs [WORD...]      only the cases whose store or name has a word
import { replaceFigures } from './figures.mjs';
import { startPostgres } from '../tests/support/postgres.mjs';
import { build, cases, connections, fill, load, log, removeFiles, run, startOurs, stop } from './server.mjs';

const rows = 20000, seconds = 3, pools = [64, 1000, 8000];
const words = process.argv.slice(2);
const scan = { name: 'slow list', options: ['-u', '/v1/products?name[contains]=nowhere{i}&limit=20'] };
const wanted = ['GET by id', 'list of 20', 'nested list, 20 × 5', 'durable insert'];
const percent = (value) => `${Math.round(100 * value)} %`.padStart(8);
const number = (value) => Math.round(value).toLocaleString('en-US').padStart(10);
const rowsShown = [];

// Connections are made before the counting begins.
function measure(server, { options }, pool) {
  // Of slow requests some are refused here already.
  const loop = (size) => load(server, ['-c', String(size), '-t', String(seconds), '-C', String(server.pid), '-A', '503', '-w', '60', ...options]);
  const closed = loop(connections), crowd = loop(pool);
  const answered = closed.requests - closed.refused;
  const capacity = answered / closed.seconds, crowded = (crowd.requests - crowd.refused) / crowd.seconds;
  const open = run(`${build}/bench/load`, ['-p', server.port, '-c', String(pool), '-C', String(server.pid), '-R', String(Math.round(3 * capacity)), '-t', String(seconds), '-A', '503', '-G', '100', '-w', '60', ...options]);
  const good = open.requests - open.refused;
  return { capacity, crowded, ...open, good: good / open.seconds, dearness: open.cpu_ns / good / (closed.cpu_ns / answered), generator: open.own_cpu_ns / 1e9 / open.seconds };
}

async function measureStore(store, database) {
  await fill(rows, database);
  const server = await startOurs(database);
  for (const one of [...cases(rows).filter(({ name }) => wanted.includes(name)), scan]) {
    if (words.length > 0 && !words.some((word) => `${store} ${one.name}`.includes(word))) continue;
    for (const pool of pools) {
      const { capacity, crowded, good, refused, unsent, seconds: wall, p50_us: p50, p99_us: p99, dearness, generator } = measure(server, one, pool);
      rowsShown.push(`| ${store}, ${one.name} | ${[number(pool), number(capacity), number(crowded), percent(good / capacity), percent(good / crowded), number(p50 / 1000), number(p99 / 1000), `${dearness.toFixed(2)} ×`].map((cell) => cell.trim()).join(' | ')} |`);
      console.log(`${`${store}, ${one.name}`.padEnd(34)}${number(pool)}${number(capacity)}${number(crowded)}${percent(good / capacity)}${percent(good / crowded)}${number(refused / wall)}${number(unsent / wall)}${number(p50 / 1000)}${number(p99 / 1000)}${`${dearness.toFixed(2)} ×`.padStart(9)}${`${Math.round(100 * generator)} %`.padStart(7)}`);
    }
  }
  await stop(server);
}

let postgres;
try {
  log('connections, capacity of few and of as many connections (requests a second), goodput to each, refused and unsent a second, p50 and p99 in ms, the server\'s CPU for an answer to what it was, the generator\'s CPU');
  await measureStore('SQLite', 'bench.db');
  postgres = await startPostgres({ settings: { fsync: 'on', shared_buffers: '256MB', max_wal_size: '4GB' } });
  await measureStore('PostgreSQL', postgres.url());
  const head = '| | connections | 64 closed, a second | as many closed, a second | answered of the first | of the second | p50, ms | p99, ms | CPU of an answer |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|';
  if (words.length === 0) replaceFigures('docs/bench.md', 'make bench BENCH=overload', `\n${head}\n${rowsShown.join('\n')}\n\n`);
} finally {
  await postgres?.remove();
  removeFiles();
}
process.exit(0);
