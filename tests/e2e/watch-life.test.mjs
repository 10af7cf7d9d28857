// watch-life.test.mjs - watches over their server's life: limits, slow readers, ends of every kind, and what a reader finds who comes back.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { test } from 'node:test';
import { connect } from '../support/http.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, startServer } from '../support/server.mjs';
import { openWatch } from '../support/watch.mjs';

const contract = `
extend schema @service(name: "feed")
type Item @resource @access(read: "true", write: "true") {
  code: String! @id
  text: String
  n: Int! @default(value: 0)
}`;
const limit = { timeout: 120000 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A server that ends with its test, whatever becomes of that.
async function serving(options, run) {
  const server = await startServer({ contract, ...options, options: ['--threads', '2', ...(options.options ?? [])] });
  const client = server.client();
  try {
    await run(server, client);
  } finally {
    client.close();
    if (!server.exit) await server.stop();
    if (options.folder === undefined) removeFolder(server.folder);
  }
}
const write = async (client, method, target, body) => {
  const answer = await client.request(method, target, { headers: { 'content-type': 'application/json' }, body: body === undefined ? undefined : JSON.stringify(body) });
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${answer.text}`);
};
const create = (client, code, more = {}) => write(client, 'POST', '/v1/items', { code, ...more });
const metric = async (client, name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await client.request('GET', '/metrics')).text)[1]);
const codes = (watcher) => watcher.events.map((event) => event.item.code);
async function eventually(look, what) {
  for (const end = Date.now() + 30000; Date.now() < end; await sleep(25)) {
    const found = await look();
    if (found) return found;
  }
  throw new Error(`in vain: ${what}`);
}

test('a watch is no request in flight, and there are so many at most', limit, () => serving({ options: ['--requests-in-flight-max', '2', '--watches-max', '5'] }, async (server, client) => {
  const watchers = [];
  for (let i = 0; i < 5; i++) watchers.push(await openWatch(server, '/v1/items:watch'));
  const refused = await openWatch(server, '/v1/items:watch');
  assert.deepEqual([refused.status, refused.problem.code], [503, 'UNAVAILABLE']);
  assert.ok(refused.headers['retry-after']);
  await create(client, 'a');
  for (const watcher of watchers) await watcher.count(1);
  assert.equal(await metric(client, 'caisson_watches_open'), 5);
  assert.equal(await metric(client, 'caisson_watch_events_total'), 5);
  watchers[0].close();
  await eventually(async () => await metric(client, 'caisson_watches_open') === 4, 'one watch fewer');
  const again = await openWatch(server, '/v1/items:watch');
  assert.equal(again.status, 200);
}));

test('a sign of life carries the position', limit, () => serving({ options: ['--watch-heartbeat', '500ms'] }, async (server, client) => {
  const watcher = await openWatch(server, '/v1/items:watch?code=never');
  const start = watcher.position;
  await create(client, 'a');
  await watcher.until(() => watcher.beats >= 2 && watcher.position !== start, 'two beats and a later position');
  const again = await openWatch(server, '/v1/items:watch?code=never', { headers: { 'last-event-id': watcher.position } });
  assert.equal(again.status, 200);
}));

test('a server that stops, or reads another contract, says where to go on', limit, () => serving({}, async (server, client) => {
  const first = await openWatch(server, '/v1/items:watch');
  await create(client, 'a');
  await first.count(1);
  server.child.kill('SIGHUP');
  await first.closed();
  assert.deepEqual([first.end.code, first.end.position], ['UNAVAILABLE', first.events[0].position]);
  const second = await openWatch(server, `/v1/items:watch?after=${first.end.position}`);
  await create(client, 'b');
  await second.count(1);
  assert.deepEqual(codes(second), ['b']);
  client.close();
  const began = Date.now();
  await server.stop();
  assert.ok(Date.now() - began < 15000, 'the drain waited for a watch');
  assert.equal(second.end.code, 'UNAVAILABLE');
}));

test('without a record of changes there is nothing to watch', limit, async () => {
  await serving({ options: ['--changes', 'off'] }, async (server, client) => {
    await create(client, 'a');
    const refused = await openWatch(server, '/v1/items:watch');
    assert.deepEqual([refused.status, refused.problem.code], [404, 'NOT_FOUND']);
    assert.match(refused.problem.detail, /--changes off/);
  });
  const folder = makeFolder();
  try {
    const made = spawnSync('sqlite3', [path.join(folder, 'test.db'), "CREATE TABLE items (code TEXT PRIMARY KEY NOT NULL, text TEXT, n INTEGER NOT NULL DEFAULT 0); INSERT INTO items VALUES ('x', 'y', 1)"], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    await serving({ folder }, async (server, client) => {
      await create(client, 'a');
      const refused = await openWatch(server, '/v1/items:watch');
      assert.equal(refused.status, 404);
      assert.match(refused.problem.detail, /not made by Caisson/);
      const tables = spawnSync('sqlite3', [path.join(folder, 'test.db'), 'SELECT name FROM sqlite_master'], { encoding: 'utf8' }).stdout;
      assert.doesNotMatch(tables, /caisson_changes/);
    });
  } finally { removeFolder(folder); }
});

test('a position that is too old, or of another database, is told so', limit, () => serving({ options: ['--changes-max', '5'] }, async (server, client) => {
  const watcher = await openWatch(server, '/v1/items:watch');
  const start = watcher.position;
  for (let i = 0; i < 12; i++) await create(client, `i-${i}`);
  await watcher.count(12);
  const refused = await eventually(async () => {
    const again = await openWatch(server, `/v1/items:watch?after=${start}`);
    again.close();
    return again.status === 412 ? again : null;
  }, 'a refusal of what was pruned');
  assert.equal(refused.problem.code, 'PRECONDITION_FAILED');
  const kept = await openWatch(server, `/v1/items:watch?after=${watcher.events[9].position}`);
  await kept.count(2);
  assert.deepEqual(codes(kept), ['i-10', 'i-11']);
  await serving({}, async (other) => {
    const foreign = await openWatch(other, `/v1/items:watch?after=${watcher.events[9].position}`);
    assert.deepEqual([foreign.status, foreign.problem.code], [412, 'PRECONDITION_FAILED']);
  });
}));

// Rows that come together are recorded together: each is told all the same, in their order, under a position of its own.
async function importedRowsAreTold(server, client) {
  const count = 730;
  const code = (i) => `"]${i},[`;
  const watcher = await openWatch(server, '/v1/items:watch');
  const rows = Array.from({ length: count }, (_, i) => JSON.stringify({ code: code(i) })).join('\n');
  const answer = await client.request('POST', '/v1/items', { headers: { 'content-type': 'application/x-ndjson' }, body: rows });
  assert.equal(answer.text, `{"created":${count}}`);
  await write(client, 'DELETE', `/v1/items/${encodeURIComponent(code(7))}`);
  await create(client, 'last');
  const isLastTold = (one) => one.events.some((event) => event.item.code === 'last');
  await watcher.until(() => isLastTold(watcher), 'the last one');
  const expected = [...Array.from({ length: count }, (_, i) => code(i)).filter((_, i) => i !== 7), 'last'];
  const told = watcher.events.filter((event) => event.kind === 'CREATED').map((event) => event.item.code).filter((one) => one !== code(7));
  assert.deepEqual(told, expected);
  assert.equal(new Set(watcher.events.map((event) => event.position)).size, watcher.events.length);
  for (const from of [0, 98, 99, 100, 351, 728, 729]) {
    const position = watcher.events.find((event) => event.item.code === code(from)).position;
    const again = await openWatch(server, `/v1/items:watch?after=${position}`);
    await again.until(() => isLastTold(again), 'the last one');
    again.close();
    const behind = again.events.filter((event) => event.kind === 'CREATED').map((event) => event.item.code);
    assert.deepEqual(behind, expected.slice(expected.indexOf(code(from)) + 1), `behind ${from}`);
  }
}

test('rows that are imported together are told one by one, and each position goes on behind its row', limit, () => serving({}, importedRowsAreTold));

test('so they are on PostgreSQL', limit, async () => {
  const database = await startPostgres();
  try {
    await serving({ store: database.url(), options: ['--migrate'] }, importedRowsAreTold);
  } finally { await database.stop(); await database.remove(); }
});

test('of rows that were imported together the older ones are let go of, too', limit, () => serving({ options: ['--changes-max', '150'] }, async (server, client) => {
  const watcher = await openWatch(server, '/v1/items:watch');
  const start = watcher.position;
  const rows = Array.from({ length: 400 }, (_, i) => JSON.stringify({ code: `i-${i}` })).join('\n');
  await client.request('POST', '/v1/items', { headers: { 'content-type': 'application/x-ndjson' }, body: rows });
  await watcher.count(400);
  await eventually(async () => {
    const again = await openWatch(server, `/v1/items:watch?after=${start}`);
    again.close();
    return again.status === 412;
  }, 'a refusal of what was pruned');
  /* A record is kept whole, or not at all. */
  const kept = await openWatch(server, `/v1/items:watch?after=${watcher.events[219].position}`);
  await kept.count(180);
  assert.deepEqual(codes(kept), Array.from({ length: 180 }, (_, i) => `i-${220 + i}`));
}));

test('a reader that takes nothing is cut, and goes on from where it was told', limit, () => serving({ options: ['--watch-lag', '1s'] }, async (server, client) => {
  const socket = await connect(server.port);
  try {
    socket.pause();
    socket.write('GET /v1/items:watch HTTP/1.1\r\nHost: x\r\n\r\n');
    await eventually(async () => await metric(client, 'caisson_watches_open') === 1, 'the watch');
    const text = 'x'.repeat(200000);
    for (let i = 0; i < 60; i++) await create(client, `s-${i}`, { text });
    await eventually(async () => await metric(client, 'caisson_watches_cut_total') === 1, 'the cut');
    assert.equal(await metric(client, 'caisson_watches_open'), 0);
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece) => { received += piece; });
    socket.resume();
    await eventually(() => /event: end\r?\ndata: (\{.*\})/.test(received), 'the end');
    const end = JSON.parse(/event: end\r?\ndata: (\{.*\})/.exec(received)[1]);
    assert.equal(end.code, 'RATE_LIMITED');
    const seen = [...received.matchAll(/"code":"(s-\d+)"/g)].map((match) => match[1]);
    const again = await openWatch(server, `/v1/items:watch?after=${end.position}&fields=code`);
    await again.count(60 - seen.length);
    assert.deepEqual([...seen, ...codes(again)], Array.from({ length: 60 }, (_, i) => `s-${i}`));
  } finally { socket.destroy(); }
}));

test('a reader that is slow for a while misses nothing', limit, () => serving({}, async (server, client) => {
  const watcher = await openWatch(server, '/v1/items:watch');
  watcher.response.pause();
  const text = 'x'.repeat(100000);
  for (let i = 0; i < 120; i++) await create(client, `s-${i}`, { text });
  watcher.response.resume();
  await watcher.count(120);
  await create(client, 'last');
  await watcher.count(121);
  assert.deepEqual(codes(watcher), [...Array.from({ length: 120 }, (_, i) => `s-${i}`), 'last']);
}));

test('many watches on one HTTP/2 connection', limit, () => serving({}, async (server, client) => {
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  try {
    const streams = await Promise.all(Array.from({ length: 200 }, (_, i) => new Promise((resolve, reject) => {
      const stream = session.request({ ':path': `/v1/items:watch?n=${i % 4}` });
      const watcher = { stream, text: '', status: 0 };
      stream.setEncoding('utf8');
      stream.on('response', (headers) => { watcher.status = headers[':status']; });
      stream.on('data', (piece) => { watcher.text += piece; if (watcher.text.includes('id: ')) resolve(watcher); });
      stream.on('error', reject);
    })));
    assert.ok(streams.every((watcher) => watcher.status === 200));
    for (let i = 0; i < 4; i++) await create(client, `h-${i}`, { n: i });
    await eventually(() => streams.every((watcher) => watcher.text.includes('event: created')), 'an event on each stream');
    streams.forEach((watcher, i) => assert.deepEqual([...watcher.text.matchAll(/"code":"(h-\d)"/g)].map((match) => match[1]), [`h-${i % 4}`]));
    streams[0].stream.close();
    await eventually(async () => await metric(client, 'caisson_watches_open') === 199, 'one watch fewer');
  } finally { session.destroy(); }
}));

// `make bench BENCH=watch` has ten thousand, and figures.
test('one change is told to a thousand watches with ten filters', limit, () => serving({ options: ['--watches-max', '1000'] }, async (server, client) => {
  const sessions = Array.from({ length: 10 }, () => http2.connect(`http://127.0.0.1:${server.port}`));
  try {
    const texts = await Promise.all(Array.from({ length: 1000 }, (_, i) => new Promise((resolve, reject) => {
      const watcher = { text: '' };
      const stream = sessions[i % 10].request({ ':path': `/v1/items:watch?n[gte]=${-Math.floor(i / 100)}` });
      stream.setEncoding('utf8');
      stream.on('data', (piece) => { watcher.text += piece; if (watcher.text.includes('id: ')) resolve(watcher); });
      stream.on('error', reject);
    })));
    assert.equal(await metric(client, 'caisson_watches_open'), 1000);
    await create(client, 'told', { n: 1 });
    await create(client, 'to-some', { n: -4 });
    await eventually(() => texts.every((watcher) => watcher.text.includes('"code":"told"')), 'the change at each watch');
    await eventually(() => texts.filter((watcher) => watcher.text.includes('"code":"to-some"')).length === 600, 'the other one where it matches');
    assert.equal(await metric(client, 'caisson_watch_events_total'), 1600);
  } finally { for (const session of sessions) session.destroy(); }
}));

test('rows that come as a stream, and by GraphQL, are told as any others', limit, () => serving({}, async (server, client) => {
  const watcher = await openWatch(server, '/v1/items:watch?fields=code,n');
  const lines = Array.from({ length: 1500 }, (_, i) => JSON.stringify({ code: `b-${i}`, n: i })).join('\n');
  const imported = await client.request('POST', '/v1/items', { headers: { 'content-type': 'application/x-ndjson' }, body: lines });
  assert.equal(imported.status, 201, imported.text);
  await watcher.count(1500);
  assert.deepEqual(codes(watcher), Array.from({ length: 1500 }, (_, i) => `b-${i}`));
  const mutation = await client.request('POST', '/graphql', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: 'mutation { updateItem(code: "b-7", input: { n: 70000 }) { n } }' }) });
  assert.equal(JSON.parse(mutation.text).data?.updateItem?.n, 70000, mutation.text);
  await watcher.count(1501);
  assert.deepEqual([watcher.events.at(-1).kind, watcher.events.at(-1).item], ['UPDATED', { code: 'b-7', n: 70000 }]);
}));

// Each round ends in the midst of its writes. What was acknowledged must be told, in each row's order, across all rounds.
test('after kill -9 whoever comes back misses nothing that was acknowledged', limit, async () => {
  const folder = makeFolder();
  const acknowledged = [], events = [];
  let position = null;
  try {
    for (let round = 0; round < 6; round++) {
      const server = await startServer({ contract, folder, options: ['--threads', '2'] });
      const watcher = await openWatch(server, `/v1/items:watch${position === null ? '' : `?after=${position}`}`);
      assert.equal(watcher.status, 200);
      const writers = Array.from({ length: 4 }, async (_, w) => {
        const client = server.client();
        try {
          for (let i = 0; ; i++) {
            const code = `r${round}-${w}-${i}`;
            await create(client, code);
            acknowledged.push(code);
            if (acknowledged.length % 97 === 96) server.child.kill('SIGKILL');
          }
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
        } finally { client.close(); }
      });
      await Promise.all(writers);
      await server.exited;
      await watcher.closed();
      events.push(...watcher.events);
      position = watcher.position;
    }
    const server = await startServer({ contract, folder });
    const watcher = await openWatch(server, `/v1/items:watch?after=${position}`);
    const seen = () => new Set([...events, ...watcher.events].map((event) => event.item.code));
    await watcher.until(() => { const all = seen(); return acknowledged.every((code) => all.has(code)); }, 'all that was acknowledged');
    await server.stop();
  } finally { removeFolder(folder); }
});

test('many who write one row at once: its last event is what it is', limit, () => serving({}, async (server, client) => {
  await create(client, 'one');
  const watcher = await openWatch(server, '/v1/items:watch?fields=n');
  await Promise.all(Array.from({ length: 8 }, async (_, w) => {
    const own = server.client();
    try { for (let i = 0; i < 25; i++) await write(own, 'PATCH', '/v1/items/one', { n: 1 + w * 100 + i }); } finally { own.close(); }
  }));
  const now = JSON.parse((await client.request('GET', '/v1/items/one')).text).n;
  await watcher.count(200);
  assert.equal(watcher.events.length, 200);
  assert.equal(watcher.events.at(-1).item.n, now);
  assert.equal(new Set(watcher.events.map((event) => event.position)).size, 200);
}));

test('two instances on one PostgreSQL wake one another, and an older transaction is waited for', limit, async () => {
  const database = await startPostgres();
  const servers = [];
  try {
    const options = { contract, store: database.url(), options: ['--threads', '1', '--migrate'] };
    servers.push(await startServer(options), await startServer(options));
    const [a, b] = servers, client = a.client(), other = b.client();
    try {
      const watcher = await openWatch(b, '/v1/items:watch');
      await create(client, 'from-a');
      await watcher.count(1);
      await create(other, 'from-b');
      await watcher.count(2);
      assert.deepEqual(codes(watcher), ['from-a', 'from-b']);
      await eventually(() => database.query("SELECT count(*) FROM pg_stat_activity WHERE query = 'NOTIFY caisson_changes'")[0][0] === '2', 'both to have told of it');

      // A transaction that has written, and stays open: it might still commit something before what is committed meanwhile.
      const psql = spawn(path.join(database.programs, 'psql'), ['-XAtq', '-h', database.folder, '-p', String(database.port), '-U', 'caisson', '-d', 'postgres'], { stdio: ['pipe', 'pipe', 'inherit'] });
      let said = '';
      psql.stdout.on('data', (data) => { said += data; });
      psql.stdin.write("BEGIN; INSERT INTO caisson_meta VALUES ('test', 'open'); SELECT 'is open';\n");
      await eventually(() => said.includes('is open'), 'the open transaction');
      await create(client, 'later');
      await sleep(1500);
      assert.equal(watcher.events.length, 2);
      psql.stdin.end('ROLLBACK;\n');
      await watcher.count(3);
      assert.equal(watcher.events[2].item.code, 'later');

      // A position of one instance is good on the other.
      await create(other, 'last');
      const again = await openWatch(a, `/v1/items:watch?after=${watcher.events[0].position}`);
      await again.count(3);
      assert.deepEqual(codes(again), ['from-b', 'later', 'last']);
    } finally { client.close(); other.close(); }
  } finally {
    for (const server of servers) await server.stop().catch(() => {});
    await database.stop();
    await database.remove();
    for (const server of servers) removeFolder(server.folder);
  }
});

test('on PostgreSQL too what is pruned is told, and a row written at once by many ends as it is', limit, async () => {
  const database = await startPostgres();
  try {
    await serving({ store: database.url(), options: ['--migrate', '--changes-max', '5'] }, async (server, client) => {
      const watcher = await openWatch(server, '/v1/items:watch?fields=n');
      const start = watcher.position;
      await create(client, 'one');
      await Promise.all(Array.from({ length: 6 }, async (_, w) => {
        const own = server.client();
        try { for (let i = 0; i < 10; i++) await write(own, 'PATCH', '/v1/items/one', { n: 1 + w * 100 + i }); } finally { own.close(); }
      }));
      const now = JSON.parse((await client.request('GET', '/v1/items/one')).text).n;
      await watcher.count(61);
      assert.equal(watcher.events.at(-1).item.n, now);
      const refused = await eventually(async () => {
        const again = await openWatch(server, `/v1/items:watch?after=${start}`);
        again.close();
        return again.status === 412 ? again : null;
      }, 'a refusal of what was pruned');
      assert.equal(refused.problem.code, 'PRECONDITION_FAILED');
      const kept = await openWatch(server, `/v1/items:watch?after=${watcher.events[58].position}`);
      await kept.count(2);
    });
  } finally { await database.stop(); await database.remove(); }
});
