// search.test.mjs - the life of a search index: made over rows that are there, made anew with other fields, followed by writes of others,
// dropped; and never put into a database that others made.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { makeFolder, removeFolder, run, startServer } from '../support/server.mjs';

const folder = makeFolder();
after(() => removeFolder(folder));

const contractWith = (directive) => `extend schema @service(name: "notes")
type Note @resource ${directive} @access(read: "true", write: "true") {
  code: String! @id
  part: Int! @id
  title: String!
  text: String
}`;

function sqlite(database, sql) {
  const result = spawnSync('sqlite3', [database, sql], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout.trim();
}

async function serving(contract, database, use) {
  const server = await startServer({ contract, store: `sqlite:${database}`, folder });
  const client = server.client();
  try {
    await use(async (method, target, body) => {
      const response = await client.request(method, target, body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
      return { status: response.status, body: response.text === '' ? null : JSON.parse(response.text) };
    });
  } finally {
    client.close();
    await server.stop();
  }
}

const found = async (ask, q) => (await ask('GET', `/v1/notes?fields=code,part&sort=code,part&q=${encodeURIComponent(q)}`)).body.items.map((item) => `${item.code}${item.part}`);

test('an index is made over the rows that are there, made anew with other fields, and dropped', { timeout: 120000 }, async () => {
  const database = path.join(folder, 'notes.db');
  await serving(contractWith(''), database, async (ask) => {
    assert.equal((await ask('POST', '/v1/notes', { code: 'a', part: 1, title: 'Green tea', text: 'leaves' })).status, 201);
    assert.equal((await ask('POST', '/v1/notes', { code: 'a', part: 2, title: 'Coffee', text: 'no tea' })).status, 201);
    assert.equal((await ask('GET', '/v1/notes?q=tea')).status, 400);
  });
  await serving(contractWith('@search(fields: ["title"])'), database, async (ask) => {
    assert.deepEqual(await found(ask, 'tea'), ['a1']);
    assert.equal((await ask('POST', '/v1/notes', { code: 'b', part: 1, title: 'Black tea' })).status, 201);
    assert.deepEqual(await found(ask, 'tea'), ['a1', 'b1']);
  });
  await serving(contractWith('@search(fields: ["title", "text"])'), database, async (ask) => {
    assert.deepEqual(await found(ask, 'tea'), ['a1', 'a2', 'b1']);
    // Whoever writes to the table writes to the index.
    sqlite(database, "INSERT INTO notes (code, part, title) VALUES ('c', 9, 'tea of others'); UPDATE notes SET part = 7, text = 'none' WHERE code = 'a' AND part = 2; DELETE FROM notes WHERE code = 'b'");
    assert.deepEqual(await found(ask, 'tea'), ['a1', 'c9']);
    assert.deepEqual(await found(ask, 'none'), ['a7']);
  });
  sqlite(database, `INSERT INTO "caisson_search_notes:text"("caisson_search_notes:text") VALUES ('integrity-check')`);
  await serving(contractWith(''), database, async (ask) => {
    assert.equal((await ask('GET', '/v1/notes?q=tea')).status, 400);
  });
  assert.equal(sqlite(database, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'caisson_search%'"), '0');
  assert.equal(sqlite(database, 'SELECT count(*) FROM notes'), '3');
});

// Mulberry32.
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let n = Math.imul(state ^ (state >>> 15), state | 1);
    n = (n + Math.imul(n ^ (n >>> 7), n | 61)) ^ n;
    return ((n ^ (n >>> 14)) >>> 0) / 4294967296;
  };
}

test('whatever is searched for is words: no text breaks out of a search', { timeout: 120000 }, async () => {
  const seed = Number(process.env.CAISSON_SEED ?? 20261125);
  const random = randomFrom(seed);
  const pieces = ['"', '""', "'", '*', ' ', ' ', '(', ')', '{', '}', ':', '^', '-', '+', ';', '\\', '?1', ',', ' AND ', ' OR ', ' NOT ', ' NEAR(', 'c0', 'c1', 'rank', 'tea', 'te', 'é', 'e\u0301', '—', '😀', '\u00a0', '茶', '\t', '%', '_'];
  await serving(contractWith('@search(fields: ["title", "text"])'), path.join(folder, 'hostile.db'), async (ask) => {
    assert.equal((await ask('POST', '/v1/notes', { code: 'a', part: 1, title: 'tea 茶 café', text: '😀' })).status, 201);
    for (let i = 0; i < 400; i++) {
      const q = Array.from({ length: 1 + Math.floor(random() * 12) }, () => pieces[Math.floor(random() * pieces.length)]).join('');
      const { status, body } = await ask('GET', `/v1/notes?q=${encodeURIComponent(q)}`);
      assert.ok(status === 200 || (status === 400 && body.code === 'BAD_REQUEST'), `seed ${seed}, q ${JSON.stringify(q)}: ${status} ${JSON.stringify(body)}`);
    }
    assert.deepEqual(await found(ask, '茶 CAFE'), ['a1']);
  });
});

test('a database that others made is not given an index: @search is refused there', { timeout: 60000 }, () => {
  const database = path.join(folder, 'foreign.db');
  sqlite(database, 'CREATE TABLE notes (code TEXT, part INTEGER, title TEXT, text TEXT, PRIMARY KEY (code, part))');
  const file = path.join(folder, 'foreign.graphql');
  fs.writeFileSync(file, contractWith('@search(fields: ["title"])'));
  const { status, stderr } = run(['serve', file, '--listen', '127.0.0.1:0', '--store', `sqlite:${database}`]);
  assert.equal(status, 1, stderr);
  assert.match(stderr, /Note has @search, and this database was not made by Caisson/);
  assert.equal(sqlite(database, 'SELECT count(*) FROM sqlite_schema WHERE name LIKE \'caisson%\''), '0');
});
