// scale.mjs - how cost grows: with rows (up to ten million, SQLite and PostgreSQL), with the resources of a contract, and with loops. Rows are
// made by SQL. Writes its section of docs/bench.md and docs/scale.svg. ROWS=1000,10000 and the like for less.
//   node bench/scale.mjs
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { startPostgres } from '../tests/support/postgres.mjs';
import { drawLines } from './chart.mjs';
import { replaceFigures } from './figures.mjs';
import { treeRssMb } from './process.mjs';
import { file, load, log, measure, median, removeFiles, startOurs, stop } from './server.mjs';

const sizes = (process.env.ROWS ?? '10000,100000,1000000,10000000').split(',').map(Number);
const resourceCounts = (process.env.RESOURCES ?? '1,10,50,200').split(',').map(Number);
const rounds = Number(process.env.ROUNDS ?? 3), seconds = Number(process.env.SECONDS ?? 0.5);
const idsKept = 100000;
const number = (value, digits = 0) => value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/* ---- rows ---- */

const hex = (value, length) => value.toString(16).padStart(length, '0');
// Keys in order, as UUIDv7 are.
const keyOf = (i) => `${hex(i, 8)}-0000-7000-8000-000000000000`;
const rowColumns = 'id, sku, name, price, stock, number, created_at';

function fillSqlite(from, to) {
  const sql = `PRAGMA synchronous = OFF;
WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to})
INSERT INTO products (${rowColumns}) SELECT printf('%08x-0000-7000-8000-000000000000', i), 'SKU-' || i, 'Darjeeling first flush, lot ' || i, '12.5', i % 1000, i, '2026-01-02T03:04:05.678Z' FROM n;
PRAGMA wal_checkpoint(TRUNCATE);`;
  const { status, stderr } = spawnSync('sqlite3', ['-bail', file('scale.db')], { input: sql, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

function fillPostgres(postgres, from, to) {
  postgres.query(`INSERT INTO products (${rowColumns}) SELECT (lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000')::uuid, 'SKU-' || i, 'Darjeeling first flush, lot ' || i, 12.5, i % 1000, i, '2026-01-02T03:04:05.678Z' FROM generate_series(${from}, ${to - 1}) AS i`);
  postgres.query('VACUUM ANALYZE products');
}

function writeIds(rows) {
  const step = Math.max(1, Math.floor(rows / idsKept));
  fs.writeFileSync(file('ids'), Array.from({ length: Math.min(rows, idsKept) }, (_, i) => keyOf(i * step)).join('\n'));
}

const cases = (rows) => ({
  'GET by id': ['-u', '/v1/products/{line}', '-l', file('ids')],
  'list of 20': ['-u', '/v1/products?limit=20'],
  'filtered, sorted list of 20': ['-u', '/v1/products?number[gte]={i}&sort=number&limit=20', '-r', String(rows - 100)],
  insert: ['-m', 'POST', '-u', '/v1/items', '-s', '201', '-b', '{"name":"Darjeeling first flush","price":"12.50","stock":{i}}'],
});

function measureCase(server, options) {
  measure(server, options, 0, seconds);
  const samples = Array.from({ length: rounds }, (_, i) => measure(server, options, i + 1, seconds));
  return { us: median(samples.map(({ us }) => us)), rate: median(samples.map(({ rate }) => rate)) };
}

// The same database grows from one size to the next.
async function measureRows(store, database, fill) {
  await stop(await startOurs(database));
  const results = [];
  for (const [i, rows] of sizes.entries()) {
    log(`${store}: ${number(rows)} rows`);
    fill(sizes[i - 1] ?? 0, rows);
    writeIds(rows);
    const server = await startOurs(database);
    const figures = Object.fromEntries(Object.entries(cases(rows)).map(([name, options]) => [name, measureCase(server, options)]));
    results.push({ store, rows, figures, rssMb: treeRssMb(server.pid) });
    await stop(server);
  }
  return results;
}

/* ---- resources ---- */

const contractOf = (count) => `extend schema @service(name: "many")
${Array.from({ length: count }, (_, i) => `
type Thing${i} @resource @access(read: "true", write: "true") @index(fields: ["number"]) {
  id: ID!
  name: String! @length(min: 1, max: 200)
  price: Decimal! @range(min: "0")
  number: Int!
  createdAt: DateTime! @default(expr: "now()") @readonly
${i > 0 ? `  before: Thing${i - 1}\n` : ''}${i + 1 < count ? `  after: [Thing${i + 1}!]!\n` : ''}}
`).join('')}`;

async function measureResources(count) {
  log(`${count} resources`);
  const contract = file(`many-${count}.graphql`), database = `many-${count}.db`;
  fs.writeFileSync(contract, contractOf(count));
  await stop(await startOurs(database, [], { contract })); /* the tables are made */
  const server = await startOurs(database, [], { contract });
  const path = `/v1/thing${count - 1}s`;
  load(server, ['-n', '1000', '-m', 'POST', '-u', path, '-s', '201', '-o', file('many-ids'), '-b', '{"name":"Darjeeling first flush","price":"12.5","number":{i}}']);
  const get = measureCase(server, ['-u', `${path}/{line}`, '-l', file('many-ids')]);
  const result = { count, readyMs: server.readyMs, rssMb: treeRssMb(server.pid), get };
  await stop(server);
  return result;
}

/* ---- loops ---- */

async function measureLoops(threads, rows) {
  log(`${threads} loops`);
  const server = await startOurs('scale.db', [], { threads });
  const figures = Object.fromEntries(['GET by id', 'list of 20'].map((name) => [name, measureCase(server, cases(rows)[name])]));
  await stop(server);
  return { threads, figures };
}

function write(rowResults, resourceResults, loopResults) {
  const names = Object.keys(cases(sizes[0]));
  const rowLines = rowResults.map(({ store, rows, figures, rssMb }) => `| ${store} | ${number(rows)} | ${names.map((name) => `${number(figures[name].us, 1)} (${number(figures[name].rate)})`).join(' | ')} | ${number(rssMb, 1)} |`);
  const resourceLines = resourceResults.map(({ count, readyMs, rssMb, get }) => `| ${count} | ${number(readyMs, 1)} | ${number(rssMb, 1)} | ${number(get.us, 1)} |`);
  const loopLines = loopResults.map(({ threads, figures }) => `| ${threads} | ${['GET by id', 'list of 20'].map((name) => `${number(figures[name].us, 1)} | ${number(figures[name].rate)}`).join(' | ')} |`);
  const machine = `${os.cpus().length} × ${os.cpus()[0].model.trim()}, Linux ${os.release().split('-')[0]}`;
  replaceFigures('docs/bench.md', 'make bench BENCH=scale', `
From one run on ${machine}, load average ${os.loadavg()[2].toFixed(1)}: the server's CPU in µs for a request (and requests a second), medians of ${rounds} rounds of ${seconds} s, one loop.

| store | rows | ${names.join(' | ')} | memory, MB |
|---|--:|${names.map(() => '--:').join('|')}|--:|
${rowLines.join('\n')}

| resources of the contract | ready after, ms | memory, MB | GET by id, µs |
|--:|--:|--:|--:|
${resourceLines.join('\n')}

| loops | GET by id, µs | a second | list of 20, µs | a second |
|--:|--:|--:|--:|--:|
${loopLines.join('\n')}

![the server's CPU for a request over rows, on both stores](scale.svg)

`);
  const panels = ['SQLite', 'PostgreSQL'].map((store) => ({
    title: `${store}: the server's CPU for a request, µs, over rows`,
    series: names.map((name) => ({ name, points: rowResults.filter((result) => result.store === store).map(({ rows, figures }) => [rows, figures[name].us]) })),
  }));
  fs.writeFileSync('docs/scale.svg', drawLines(panels, { isLog: true, unit: 'rows' }));
  console.log([...rowLines, ...resourceLines, ...loopLines].join('\n'));
}

let postgres;
try {
  const rowResults = await measureRows('SQLite', 'scale.db', fillSqlite);
  const loopResults = [];
  for (const threads of [1, 2]) loopResults.push(await measureLoops(threads, sizes.at(-1)));
  for (const end of ['', '-wal', '-shm']) fs.rmSync(file(`scale.db${end}`), { force: true });
  const resourceResults = [];
  for (const count of resourceCounts) resourceResults.push(await measureResources(count));
  postgres = await startPostgres({ settings: { fsync: 'on', shared_buffers: '512MB', max_wal_size: '8GB', maintenance_work_mem: '256MB' } });
  rowResults.push(...await measureRows('PostgreSQL', postgres.url(), (from, to) => fillPostgres(postgres, from, to)));
  write(rowResults, resourceResults, loopResults);
} finally {
  await postgres?.remove();
  removeFiles();
}
process.exit(0);
