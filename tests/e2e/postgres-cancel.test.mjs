// postgres-cancel.test.mjs - a read whose caller is gone is cancelled in PostgreSQL, and no other with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import http2 from 'node:http2';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startPooler } from '../support/pooler.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const open = '@access(read: "true", write: "true")';
const contract = `extend schema @service(name: "shop", version: "v1")
type Slow @resource ${open} { id: Int! @id parts: [Part!]! }
type Part @resource ${open} { id: Int! @id slow: Slow! }
type Quick @resource ${open} { id: Int! @id }
`;

const timeout = 120000;
let postgres, folder;
before(async () => { postgres = await startPostgres(); folder = makeFolder(); });
after(async () => { await postgres?.remove(); removeFolder(folder); });

// Something in the database's own words, until it holds.
async function until(database, sql, expected, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = postgres.query(sql, database)[0][0];
    if (found === expected) return;
    assert.ok(Date.now() < end, `${sql}: ${found}, not ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'slows'::regclass";

// A server, and somebody who holds a table, so that every read of it stands still.
async function held(t, options, work, pooler = undefined) {
  const database = postgres.createDatabase();
  // Nothing but a cancellation ends what waits here; through a pooler, which takes no settings, the lock's time limit does too.
  const url = pooler ? pooler.url(database) : `host=${postgres.folder} port=${postgres.port} user=caisson dbname=${database} options='-c lock_timeout=0'`;
  const server = await startServer({ contract, store: url, folder, options: ['--migrate', '--threads', '1', '--statement-timeout', '60s', ...options] });
  t.after(() => server.stop());
  postgres.query('INSERT INTO slows VALUES (1); INSERT INTO quicks VALUES (1)', database);
  const holder = spawn(path.join(postgres.programs, 'psql'), ['-XAtq', '-h', postgres.folder, '-p', String(postgres.port), '-U', 'caisson', '-d', database], { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => holder.kill('SIGKILL'));
  await new Promise((resolve, reject) => {
    holder.once('error', reject);
    holder.stdout.once('data', resolve);
    holder.stdin.write('BEGIN; LOCK TABLE slows IN ACCESS EXCLUSIVE MODE; SELECT 1;\n');
  });
  const release = () => new Promise((resolve) => { holder.once('exit', resolve); holder.stdin.end('COMMIT;\n'); });
  await work({ database, server, release });
}

const get = (server, target, headers = {}) => {
  const request = http.get({ port: server.port, host: '127.0.0.1', path: target, headers, agent: false });
  const answer = new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => { let text = ''; response.on('data', (piece) => { text += piece; }); response.on('end', () => resolve({ status: response.statusCode, text })); response.on('error', reject); });
  });
  answer.catch(() => {});
  return { request, answer };
};
const call = (server, method, body, headers) => fetch(`http://127.0.0.1:${server.port}/shop.v1.${method}`, { method: 'POST', headers: { 'content-type': 'application/json', 'connect-protocol-version': '1', ...headers }, body: JSON.stringify(body) });

// Each way to go: a connection that is cut, and a stream that is closed on one that lives on.
const leave = {
  'HTTP/1.1': (server, target) => { const { request } = get(server, target); return () => request.socket.resetAndDestroy(); },
  'HTTP/2': (server, target) => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    const stream = session.request({ ':path': target });
    stream.on('error', () => {});
    return async () => { stream.close(http2.constants.NGHTTP2_CANCEL); await new Promise((resolve) => stream.once('close', resolve)); session.close(); };
  },
};
const reads = [['one statement', '/v1/slows/1'], ['several statements in one transaction', '/v1/slows?fields=id,parts(id)']];
for (const [protocol, begin] of Object.entries(leave)) {
  for (const [name, target] of reads) {
    test(`a client of ${protocol} that leaves ends its read in the database: ${name}`, { timeout }, async (t) => held(t, [], async ({ database, server, release }) => {
      const go = begin(server, target);
      await until(database, waiting, '1');
      await go();
      await until(database, waiting, '0');
      // The connection is as good as before.
      assert.equal((await get(server, '/v1/quicks').answer).status, 200);
      await release();
      assert.equal((await get(server, target).answer).status, 200);
    }));
  }
}

test('a deadline of gRPC ends the read in the database', { timeout }, async (t) => held(t, [], async ({ database, server, release }) => {
  const asked = call(server, 'SlowService/GetSlow', { id: 1 }, { 'connect-timeout-ms': '700' });
  await until(database, waiting, '1');
  const answer = await asked;
  assert.equal((await answer.json()).code, 'deadline_exceeded');
  await until(database, waiting, '0');
  assert.equal((await call(server, 'QuickService/GetQuick', { id: 1 }, {})).status, 200);
  await release();
  assert.equal((await call(server, 'SlowService/GetSlow', { id: 1 }, {})).status, 200);
}));

test('others of the same batch, in front of it and behind it, are answered', { timeout }, async (t) => held(t, ['--store-connections', '4'], async ({ database, server, release }) => {
  const gone = get(server, '/v1/slows/1');
  await until(database, waiting, '1');
  // One link is left to them all, and the first that stands still on it holds up those that come with it.
  const kept = get(server, '/v1/slows?sort=id');
  const others = Array.from({ length: 20 }, () => get(server, '/v1/quicks/1'));
  gone.request.socket.resetAndDestroy();
  await until(database, `SELECT (count(*) <= 1)::text FROM pg_locks WHERE NOT granted AND relation = 'slows'::regclass`, 'true');
  await release();
  for (const other of others) assert.equal((await other.answer).status, 200);
  const answer = await kept.answer;
  assert.equal(answer.status, 200, answer.text);
}));

const cancellations = () => postgres.log.split('canceling statement due to user request').length - 1;

async function comeAndGo(t, { database, server, release }) {
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  t.after(() => session.destroy());
  for (let round = 0; round < 15; round++) {
    const gone = Array.from({ length: 4 }, () => session.request({ ':path': `/v1/slows/${round}` }).on('error', () => {}));
    const quick = Array.from({ length: 4 }, () => get(server, '/v1/quicks/1'));
    await new Promise((resolve) => setTimeout(resolve, (round * 7) % 60));
    for (const stream of gone) stream.close(http2.constants.NGHTTP2_CANCEL);
    for (const { answer } of quick) { const { status, text } = await answer; assert.equal(status, 200, text); }
  }
  await until(database, waiting, '0');
  await release();
  for (let i = 0; i < 20; i++) assert.equal((await get(server, '/v1/slows/1').answer).status, 200);
}
test('many that come and go leave nothing behind, and no read that stays is ended with them', { timeout }, async (t) => held(t, [], (held) => comeAndGo(t, held)));

// What stood still goes back to the pooler, which may lend its connection to another: his statement is not the one that was meant.
test('through PgBouncer', { timeout }, async (t) => {
  const pooler = await startPooler(postgres, { default_pool_size: 6 });
  t.after(() => pooler.stop());
  for (const [name, target] of reads) {
    await t.test(`a client that leaves ends its read in the database: ${name}`, async (t) => held(t, [], async ({ database, server, release }) => {
      const before = cancellations();
      const go = leave['HTTP/2'](server, target);
      await until(database, waiting, '1');
      await go();
      await until(database, waiting, '0');
      for (let i = 0; cancellations() === before && i < 100; i++) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(cancellations(), before + 1);
      assert.equal((await get(server, '/v1/quicks').answer).status, 200);
      await release();
      assert.equal((await get(server, target).answer).status, 200);
    }, pooler));
  }
  await t.test('many that come and go leave nothing behind, and no read that stays is ended with them', async (t) => held(t, [], (held) => comeAndGo(t, held), pooler));
});
