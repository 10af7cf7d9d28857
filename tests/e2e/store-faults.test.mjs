// store-faults.test.mjs - a database that is locked, read-only, full, deleted, replaced or none: what is told of it, what goes on, and that
// the server finds back without a restart.
import assert from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "vault")
type Note @resource @access(read: "true", write: "true") {
  code: String! @id
  text: String!
}
`;
// The superuser may write everything unless it gives that up: what is read-only is to be so for the tests too.
const unprivileged = process.getuid() === 0 ? ['setpriv', '--inh-caps=-all', '--bounding-set=-all'] : [];

async function withServer(options, body) {
  const folder = options.folder ?? makeFolder();
  const server = await startServer({ contract, options: ['--threads', '1', '--statement-timeout', '400ms'], folder, ...options });
  const client = server.client();
  try {
    await body({
      server, client, folder, database: path.join(folder, 'test.db'),
      get: (code) => client.request('GET', `/v1/notes/${code}`),
      post: (code, text = 'x') => client.request('POST', '/v1/notes', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code, text }) }),
    });
  } finally {
    client.close();
    const exit = server.exit ?? await server.stop();
    if (options.folder === undefined) removeFolder(folder);
    assert.deepEqual(exit, { code: 0, signal: null });
  }
}

function assertUnavailable(answer, says) {
  assert.equal(answer.status, 503, answer.text);
  assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json');
  const problem = JSON.parse(answer.text);
  assert.equal(problem.code, 'UNAVAILABLE');
  assert.match(problem.detail, says);
  // Nothing of the place or of SQL is told to a caller (INTERFACE §3).
  assert.doesNotMatch(answer.text, /test\.db|\/tmp|INSERT|SELECT/);
}

const waitFor = async (what, isThere) => {
  for (let i = 0; i < 400; i++) {
    if (await isThere()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(`${what}: not in ten seconds`);
};

// Another program that has the database open.
async function otherProgram(database) {
  const child = spawn('sqlite3', [database], { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '', error = '';
  child.stdout.on('data', (data) => { out += data; });
  child.stderr.on('data', (data) => { error += data; });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  let asked = 0;
  return {
    // Runs commands and waits until they are done.
    async run(sql) {
      const mark = `done-${++asked}`;
      child.stdin.write(`${sql}\nSELECT '${mark}';\n`);
      await waitFor(sql, () => out.includes(mark) || error !== '');
      assert.equal(error, '');
    },
    async end() { child.stdin.end(); await exited; },
  };
}

async function refusesToStart(store, says, { folder, status = 3, ...options } = {}) {
  const inFolder = folder ?? makeFolder();
  try {
    await assert.rejects(startServer({ contract, store, folder: inFolder, options: ['--statement-timeout', '400ms'], ...options }), (error) => {
      assert.match(error.message, new RegExp(`exit status ${status}\\b`));
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /Sanitizer|runtime error/);
      return true;
    });
  } finally { if (folder === undefined) removeFolder(inFolder); }
}

// ---- locked ----

test('a database that another program writes to: reads go on, writes are 503, and then they work again', () => withServer({}, async ({ database, get, post }) => {
  assert.equal((await post('before')).status, 201);
  const other = await otherProgram(database);
  await other.run('BEGIN IMMEDIATE;');
  assertUnavailable(await post('meanwhile'), /locked/);
  assert.equal((await get('before')).status, 200);
  assert.equal((await get('meanwhile')).status, 404);
  await other.run('COMMIT;');
  assert.equal((await post('behind')).status, 201);
  assert.equal((await get('behind')).status, 200);
  await other.end();
}));

test('what another program writes is read, and a lock that is held shortly is waited for', () => withServer({ options: ['--threads', '1', '--statement-timeout', '5s'] }, async ({ database, get, post }) => {
  const other = await otherProgram(database);
  await other.run("BEGIN IMMEDIATE; INSERT INTO notes (code, text) VALUES ('theirs', 'y');");
  assert.equal((await get('theirs')).status, 404);
  const waiting = post('ours');
  await other.run('COMMIT;');
  assert.equal((await waiting).status, 201);
  assert.equal((await get('theirs')).status, 200);
  await other.end();
}));

test('a database that is locked at the start ends it with 3', async () => {
  const folder = makeFolder();
  const database = path.join(folder, 'locked.db');
  const other = await otherProgram(database);
  await other.run('CREATE TABLE notes (code TEXT PRIMARY KEY, text TEXT NOT NULL); BEGIN EXCLUSIVE;');
  await refusesToStart(`sqlite:${database}`, /locked/, { folder });
  await other.end();
  removeFolder(folder);
});

// Without a write-ahead log readers wait for writers, and a server that may only read can't make one.
test('reads of a database without a log that another program has for itself are 503, and then they work again', async () => {
  const folder = makeFolder();
  const database = path.join(folder, 'test.db');
  const other = await otherProgram(database);
  await other.run("CREATE TABLE notes (code TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL); INSERT INTO notes VALUES ('theirs', 'y');");
  fs.chmodSync(database, 0o444);
  await withServer({ folder, wrapper: unprivileged }, async ({ client, get, post }) => {
    assert.equal((await get('theirs')).status, 200);
    await other.run('BEGIN EXCLUSIVE;');
    assertUnavailable(await get('theirs'), /locked/);
    assertUnavailable(await client.request('GET', '/v1/notes'), /locked/);
    assert.equal((await client.request('GET', '/livez')).status, 200);
    assert.equal((await client.request('GET', '/readyz')).status, 503);
    await other.run("UPDATE notes SET text = 'z'; COMMIT;");
    assert.equal(JSON.parse((await get('theirs')).text).text, 'z');
    assertUnavailable(await post('ours'), /read-only/);
    await waitFor('ready', async () => (await client.request('GET', '/readyz')).status === 200);
  });
  await other.end();
  removeFolder(folder);
});

// ---- read-only ----

test('a database that may only be read is read; writes are 503', async () => {
  const folder = makeFolder();
  await withServer({ folder }, async ({ post }) => assert.equal((await post('kept')).status, 201));
  const database = path.join(folder, 'test.db');
  fs.chmodSync(database, 0o444);
  await withServer({ folder, wrapper: unprivileged }, async ({ client, get, post }) => {
    assert.equal((await get('kept')).status, 200);
    assertUnavailable(await post('new'), /read-only/);
    assertUnavailable(await client.request('DELETE', '/v1/notes/kept'), /read-only/);
    assert.equal((await get('kept')).status, 200);
    assert.equal((await client.request('GET', '/readyz')).status, 200);
  });
  // So is one in a folder that may not be written to, where there is no room for a log.
  fs.chmodSync(folder, 0o555);
  await withServer({ folder, contract: undefined, contractPath: path.join(folder, 'contract.graphql'), wrapper: unprivileged }, async ({ get, post }) => {
    assert.equal((await get('kept')).status, 200);
    assertUnavailable(await post('new'), /read-only/);
  });
  fs.chmodSync(folder, 0o755);
  removeFolder(folder);
});

test('a database that can not be made or opened ends the start with 3; one whose tables can not be made differs from its contract', async () => {
  const folder = makeFolder();
  const closed = path.join(folder, 'closed');
  fs.mkdirSync(closed, { mode: 0o555 });
  await refusesToStart(`sqlite:${path.join(closed, 'new.db')}`, /can't be made/, { folder, wrapper: unprivileged });
  const empty = path.join(folder, 'empty.db');
  fs.writeFileSync(empty, '', { mode: 0o444 });
  await refusesToStart(`sqlite:${empty}`, /table notes is missing/, { folder, wrapper: unprivileged, status: 1 });
  const secret = path.join(folder, 'secret.db');
  fs.writeFileSync(secret, '', { mode: 0o000 });
  await refusesToStart(`sqlite:${secret}`, /can't be opened|may not/, { folder, wrapper: unprivileged });
  removeFolder(folder);
});

// ---- full ----

// A process's files may grow to a size that can be changed while it runs: what a full disk is to it.
function limitFiles(server, bytes) {
  const result = spawnSync('prlimit', ['--pid', String(server.child.pid), `--fsize=${bytes}:`], { encoding: 'utf8' });
  assert.equal(result.status, 0, result.stderr);
}

test('a disk that is full: writes are 503, reads go on, all that was acknowledged is there, and room brings writes back', () => withServer({ options: ['--threads', '1'] }, async ({ server, database, client, get, post }) => {
  const text = 'a'.repeat(20000);
  const kept = [];
  for (let i = 0; i < 10; i++) {
    assert.equal((await post(`n${i}`, text)).status, 201);
    kept.push(`n${i}`);
  }
  limitFiles(server, fs.statSync(`${database}-wal`).size + 30000);
  let refused = 0;
  for (let i = 10; i < 40; i++) {
    const answer = await post(`n${i}`, text);
    if (answer.status === 201) kept.push(`n${i}`);
    else {
      refused++;
      assertUnavailable(answer, /full|can't be read or written/);
      assert.equal((await get(`n${i}`)).status, 404, 'nothing of it is stored');
    }
  }
  assert.ok(refused >= 20, `${refused} refused`);
  for (const code of kept) assert.equal(JSON.parse((await get(code)).text).text.length, text.length);
  assert.equal((await client.request('GET', '/livez')).status, 200);
  limitFiles(server, 'unlimited');
  assert.equal((await post('room', text)).status, 201);
  const list = JSON.parse((await client.request('GET', '/v1/notes?limit=100&fields=code')).text).items.map(({ code }) => code);
  assert.deepEqual(list.sort(), [...kept, 'room'].sort());
}));

test('many writes at once when the disk is full: each is answered, and none that was refused is there', () => withServer({ options: ['--threads', '1'] }, async ({ server, database, client }) => {
  const text = 'b'.repeat(5000);
  const write = async (writer) => {
    const own = server.client();
    const answers = [];
    for (let i = 0; i < 12; i++) {
      const code = `w${writer}-${i}`;
      const answer = await own.request('POST', '/v1/notes', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code, text }) });
      assert.ok([201, 503].includes(answer.status), answer.text);
      answers.push([code, answer.status]);
    }
    own.close();
    return answers;
  };
  await write('first');
  limitFiles(server, fs.statSync(`${database}-wal`).size + 100000);
  const answers = (await Promise.all(Array.from({ length: 8 }, (_, writer) => write(writer)))).flat();
  assert.ok(answers.some(([, status]) => status === 503));
  limitFiles(server, 'unlimited');
  for (const [code, status] of answers) {
    const found = await client.request('GET', `/v1/notes/${code}`);
    assert.equal(found.status, status === 201 ? 200 : 404, code);
  }
  assert.equal((await write('last')).every(([, status]) => status === 201), true);
}));

test('a start on a full disk ends with 3, and leaves nothing that keeps the next from working', async () => {
  const folder = makeFolder();
  const store = `sqlite:${path.join(folder, 'test.db')}`;
  // No room at all, for the first table, for the log's end.
  for (const bytes of [0, 4096, 20000]) {
    await refusesToStart(store, /full|can't be (read|made)/, { folder, wrapper: ['prlimit', `--fsize=${bytes}`] });
  }
  await withServer({ folder }, async ({ get, post }) => {
    assert.equal((await post('first')).status, 201);
    assert.equal((await get('first')).status, 200);
  });
  removeFolder(folder);
});

// ---- deleted, replaced, damaged, none ----

test('a database that is moved away: writes are 503, /readyz says so; moved back, all goes on', () => withServer({}, async ({ database, client, get, post }) => {
  assert.equal((await post('before')).status, 201);
  for (const end of ['', '-wal', '-shm']) fs.renameSync(`${database}${end}`, `${database}${end}.away`);
  assertUnavailable(await post('meanwhile'), /gone|deleted/);
  const ready = await client.request('GET', '/readyz');
  assert.equal(ready.status, 503);
  assert.equal(JSON.parse(ready.text).checks.store === undefined, false, ready.text);
  assert.equal((await get('before')).status, 200, 'the open file can still be read');
  assert.equal((await client.request('GET', '/livez')).status, 200);
  for (const end of ['', '-wal', '-shm']) fs.renameSync(`${database}${end}.away`, `${database}${end}`);
  assert.equal((await post('behind')).status, 201);
  await waitFor('ready', async () => (await client.request('GET', '/readyz')).status === 200);
  assert.equal((await get('meanwhile')).status, 404);
}));

test('a database that is deleted, and one that another takes the place of, are not written to', () => withServer({}, async ({ database, client, post }) => {
  assert.equal((await post('before')).status, 201);
  for (const end of ['', '-wal', '-shm']) fs.rmSync(`${database}${end}`);
  assertUnavailable(await post('deleted'), /gone|deleted/);
  fs.writeFileSync(database, '');
  assertUnavailable(await post('replaced'), /replaced/);
  assert.equal(fs.statSync(database).size, 0, 'the other file is left alone');
  assert.equal((await client.request('GET', '/readyz')).status, 503);
  assert.equal((await client.request('GET', '/livez')).status, 200);
}));

test('a database that is damaged under the server is an answer and never an end', () => withServer({}, async ({ server, database, client, post }) => {
  for (let i = 0; i < 50; i++) assert.equal((await post(`n${i}`, 'c'.repeat(2000))).status, 201);
  // Everything behind the header, in the database and in its log.
  for (const end of ['', '-wal']) {
    const size = fs.statSync(`${database}${end}`).size;
    const file = fs.openSync(`${database}${end}`, 'r+');
    if (size > 100) fs.writeSync(file, Buffer.alloc(size - 100, 0xa5), 0, size - 100, 100);
    fs.closeSync(file);
  }
  for (let i = 0; i < 50; i++) {
    for (const answer of [await client.request('GET', `/v1/notes/n${i}`), await client.request('GET', '/v1/notes?sort=text&limit=100'), await post(`m${i}`)]) {
      assert.ok([200, 201, 404, 503].includes(answer.status), `${answer.status} ${answer.text}`);
      if (answer.status === 503) assertUnavailable(answer, /./);
    }
  }
  assert.equal((await client.request('GET', '/livez')).status, 200);
  assert.equal(server.exit, null);
}));

test('what is no database ends the start with 3 and says so', async () => {
  const folder = makeFolder();
  const file = path.join(folder, 'text.db');
  fs.writeFileSync(file, 'This is not a database, whatever its name says. '.repeat(100));
  await refusesToStart(`sqlite:${file}`, /not a SQLite database/, { folder });
  assert.match(fs.readFileSync(file, 'utf8'), /^This is not a database/);
  fs.mkdirSync(path.join(folder, 'folder.db'));
  await refusesToStart(`sqlite:${path.join(folder, 'folder.db')}`, /not a file|can't be opened/, { folder });
  await refusesToStart(`sqlite:${path.join(folder, 'no/such/folder.db')}`, /can't be made/, { folder });
  // A header that is right, and nothing behind it that is.
  const damaged = path.join(folder, 'damaged.db');
  fs.writeFileSync(damaged, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(8176, 0xa5)]));
  await refusesToStart(`sqlite:${damaged}`, /not a SQLite database|damaged/, { folder });
  removeFolder(folder);
});

// ---- slow ----

test('a read that takes too long is a 503 that says so, and holds up nobody', async () => {
  const library = `extend schema @service(name: "library")
type Owner @resource @access(read: "true", write: "true") { code: String! @id things: [Thing!]! }
type Thing @resource @access(read: "true", write: "true") { code: String! @id text: String! owner: Owner! }
`;
  await withServer({ contract: library, options: ['--threads', '1', '--statement-timeout', '2s'] }, async ({ server, client }) => {
    const create = (name, body) => client.request('POST', `/v1/${name}`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    assert.equal((await create('owners', { code: 'o' })).status, 201);
    for (let n = 0; n < 20; n++) assert.equal((await create('things', Array.from({ length: 100 }, (_, i) => ({ code: `t${n}-${i}`, text: `text ${i}`, ownerCode: 'o' })))).status, 201);
    // Each thing with each thing with each thing: 8,000 million.
    const filter = encodeURIComponent("owner.things.exists(t, t.owner.things.exists(u, u.text.contains(t.code)))"); // which no index finds
    const slow = client.request('GET', `/v1/things?filter=${filter}`);
    const other = server.client();
    let isAnswered = false;
    slow.then(() => { isAnswered = true; });
    assert.equal((await other.request('GET', '/v1/things/t1-1')).status, 200);
    assert.equal(isAnswered, false, 'the quick one does not wait for the slow one');
    other.close();
    const answer = await slow;
    assert.equal(answer.status, 503, answer.text);
    assert.equal(JSON.parse(answer.text).code, 'TIMEOUT');
    assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
    assert.equal((await client.request('GET', '/v1/things?limit=1')).status, 200);
  });
});
