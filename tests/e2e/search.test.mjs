// search.test.mjs - the life of a search index: made over rows that are there, made anew with other fields, followed by writes of others,
// dropped; and never put into a database that others made.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, run, startServer } from '../support/server.mjs';

const folder = makeFolder();
let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); removeFolder(folder); });

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

async function serving(contract, database, use, options = []) {
  const server = await startServer({ contract, store: database.includes('://') ? database : `sqlite:${database}`, folder, options });
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

for (const kind of ['sqlite', 'postgresql']) test(`whatever is searched for is words: no text breaks out of a search, ${kind}`, { timeout: 120000 }, async () => {
  const seed = Number(process.env.CAISSON_SEED ?? 20261125);
  const random = randomFrom(seed);
  const pieces = ['"', '""', "'", '*', ' ', ' ', '(', ')', '{', '}', ':', '^', '-', '+', ';', '\\', '?1', ',', ' AND ', ' OR ', ' NOT ', ' NEAR(', 'c0', 'c1', 'rank', 'tea', 'te', 'é', 'e\u0301', '—', '😀', '\u00a0', '茶', '\t', '%', '_'];
  await serving(contractWith('@search(fields: ["title", "text"])'), kind === 'sqlite' ? path.join(folder, 'hostile.db') : postgres.url(postgres.createDatabase()), async (ask) => {
    assert.equal((await ask('POST', '/v1/notes', { code: 'a', part: 1, title: 'tea 茶 café', text: '😀' })).status, 201);
    for (let i = 0; i < 400; i++) {
      const q = Array.from({ length: 1 + Math.floor(random() * 12) }, () => pieces[Math.floor(random() * pieces.length)]).join('');
      const { status, body } = await ask('GET', `/v1/notes?q=${encodeURIComponent(q)}`);
      assert.ok(status === 200 || (status === 400 && body.code === 'BAD_REQUEST'), `seed ${seed}, q ${JSON.stringify(q)}: ${status} ${JSON.stringify(body)}`);
    }
    assert.deepEqual(await found(ask, '茶 CAFE'), ['a1']);
  }, ['--migrate']);
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

// Words, phrases and the order of what is found: the same rows from both stores, over texts with all that splits and joins words.
test('both stores find the same, in the same order', { timeout: 120000 }, async () => {
  const seed = Number(process.env.CAISSON_SEED ?? 20261126);
  const random = randomFrom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const words = ['tea', 'TEA', 'Tee', 'teapot', 'thé', 'the', 'café', 'cafe\u0301', 'CAFÉ', 'straße', 'Ärger', 'naïve', '茶', '日本', 'чай', 'ЧАЙ', 'йод', 'иод', 'Ωmega', 'x1', '1x', '007', '1e5', '3.14', 'a.b.com', 'foo-bar', 'foo', 'bar', 'me@x.org', '/usr/bin', "it's", 'C++', 'a_b', '😀', 'हिन्दी', 'ø', 'ﬁ', 'İ'];
  const between = [' ', ' ', ' ', ', ', '-', '\n', ' — ', '"', '.', '; ', ''];
  const text = (most) => Array.from({ length: Math.floor(random() * most) }, () => pick(words) + pick(between)).join('');
  const rows = Array.from({ length: 60 }, (_, i) => ({ code: `c${i}`, part: 1, title: text(6), text: random() < 0.1 ? null : text(60) }));
  const queries = [...words, ...words.map((word) => `${word}*`), ...Array.from({ length: 40 }, () => `${pick(words)} ${pick(words)}`), ...Array.from({ length: 40 }, () => `"${pick(words)} ${pick(words)}"`), '"a b com"', '"foo bar"', '"usr bin" te*', 't*'];
  const contract = contractWith('@search(fields: ["title", "text"])');
  const all = [];
  for (const store of [path.join(folder, 'alike.db'), postgres.url(postgres.createDatabase())]) {
    await serving(contract, store, async (ask) => {
      for (let i = 0; i < rows.length; i += 30) assert.equal((await ask('POST', '/v1/notes', rows.slice(i, i + 30))).status, 201);
      const answers = {};
      for (const q of queries) {
        const { status, body } = await ask('GET', `/v1/notes?fields=code&limit=100&q=${encodeURIComponent(q)}`);
        answers[q] = status === 200 ? body.items.map((item) => item.code) : body.code;
      }
      all.push(answers);
    }, ['--migrate', '--threads', '1']);
  }
  for (const q of queries) assert.deepEqual(all[1][q], all[0][q], `seed ${seed}, q ${JSON.stringify(q)}`);
  assert.ok(queries.filter((q) => all[0][q].length > 0).length > 60, 'most of them find something');
});

test('PostgreSQL: the index serves, follows the contract by migrations, and is not needed', { timeout: 120000 }, async () => {
  const database = postgres.createDatabase();
  const url = postgres.url(database);
  const file = path.join(folder, 'migrated.graphql');
  const migrate = (directive, action = 'apply', ...options) => {
    fs.writeFileSync(file, contractWith(directive));
    const result = run(['migrate', action, file, '--store', url, ...options], { cwd: folder });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  const indexes = () => postgres.query("SELECT indexname FROM pg_indexes WHERE tablename = 'notes' AND indexdef LIKE '%gin%'", database).map(([name]) => name);
  migrate('');
  postgres.query("INSERT INTO notes (code, part, title, text) SELECT 'c' || i, 1, CASE WHEN i % 100 = 0 THEN 'green tea' ELSE 'coffee' END, repeat('more words ', 20) FROM generate_series(1, 3000) i", database);
  const before = migrate('@search(fields: ["title"])', 'plan');
  assert.match(before, /CREATE INDEX CONCURRENTLY "notes_search_[0-9a-f]{8}" ON "notes" USING gin/);
  migrate('@search(fields: ["title"])');
  const [first] = indexes();
  assert.match(migrate('@search(fields: ["title"])', 'plan'), /nothing to do/);
  migrate('@search(fields: ["title"])', 'verify');
  postgres.query('ANALYZE', database);
  const explained = JSON.parse(run(['explain', file, 'GET /v1/notes?q=tea', '--store', url, '--format', 'json']).stdout);
  assert.ok(explained.statements[0].plan.some((step) => step.kind === 'search' && step.index === first), JSON.stringify(explained.statements[0].plan));
  const contract = contractWith('@search(fields: ["title"])');
  await serving(contract, url, async (ask) => {
    assert.equal((await found(ask, 'tea')).length, 20);
    assert.equal((await ask('GET', '/v1/notes?q=tea&limit=0&count=exact')).body.count, 30);
    postgres.query("UPDATE notes SET title = 'black tea' WHERE code = 'c1'; DELETE FROM notes WHERE code = 'c100'", database);
    assert.deepEqual(await found(ask, 'black tea'), ['c11']);
    assert.equal((await ask('GET', '/v1/notes?q=tea&limit=0&count=exact')).body.count, 30);
  });
  migrate('@search(fields: ["title", "text"])');
  assert.equal(indexes().length, 1);
  assert.notEqual(indexes()[0], first);
  migrate('');
  assert.deepEqual(indexes(), []);
  // Others' database: nothing is made in it, the answers are the same.
  const foreign = postgres.createDatabase();
  postgres.query("CREATE TABLE notes (code varchar(20), part integer, title char(20) NOT NULL, text text, PRIMARY KEY (code, part)); INSERT INTO notes VALUES ('a', 1, 'Green Tea', NULL), ('b', 1, 'coffee', 'no tea')", foreign);
  await serving(contractWith('@search(fields: ["title", "text"])'), postgres.url(foreign), async (ask) => {
    assert.deepEqual(await found(ask, 'tea'), ['a1', 'b1']);
    assert.deepEqual(await found(ask, '"green tea"'), ['a1']);
  });
  assert.deepEqual(postgres.query("SELECT count(*) FROM pg_indexes WHERE tablename = 'notes'", foreign), [['1']]);
});
