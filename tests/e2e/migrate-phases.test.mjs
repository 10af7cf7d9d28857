// migrate-phases.test.mjs - a contract changes under load without a failed request: the database is expanded, the servers of the old and of
// the new contract run side by side, and then it is contracted. PostgreSQL.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, program, removeFolder, run, startServer } from '../support/server.mjs';

const service = (version) => `extend schema @service(name: "shop", version: "${version}")\n`;
const open = '@access(read: "true", write: "true")';
// Renamed: title. Another type: count, whose field keeps its name and gets a column of its own. Added and required: state. Dropped: note.
const before1 = `${service('v1')}enum Kind { A B }
type Thing @resource ${open} @index(fields: ["title"]) {
  code: String! @id
  title: String!
  count: Int!
  note: String!
  kind: Kind!
}
`;
const after2 = `${service('v2')}enum Kind { A B C }
enum State { NEW OLD }
type Thing @resource ${open} @index(fields: ["name"]) {
  code: String! @id
  name: String! @renamed(from: "title")
  count: BigInt! @column(name: "count_wide") @renamed(from: "count")
  state: State! @default(value: NEW)
  kind: Kind!
}
`;

let postgres;
before(async () => { postgres = await startPostgres({ settings: { deadlock_timeout: '50ms' } }); });
after(async () => { await postgres.remove(); });

const json = { 'Content-Type': 'application/json' };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function workplace() {
  const folder = makeFolder();
  const database = postgres.createDatabase();
  const url = postgres.url(database);
  const files = { old: path.join(folder, 'old.graphql'), new: path.join(folder, 'new.graphql') };
  fs.writeFileSync(files.old, before1);
  fs.writeFileSync(files.new, after2);
  const args = (action, which, ...options) => ['migrate', action, files[which] ?? which, '--store', url, '--lock-timeout', '500ms', ...options];
  const migrate = (...all) => run(args(...all), { cwd: folder, timeout: 120000 });
  const done = (...all) => {
    const result = migrate(...all);
    assert.equal(result.status, 0, `${all.join(' ')}: ${result.stdout}${result.stderr}`);
    return result.stdout;
  };
  // Beside what the test itself goes on doing.
  const doneMeanwhile = (...all) => new Promise((resolve, reject) => {
    const child = spawn(program, args(...all), { cwd: folder });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { text += chunk; });
    child.once('exit', (code) => (code === 0 ? resolve(text) : reject(new Error(`${all.join(' ')}: ${code} ${text}`))));
  });
  const serve = (which) => startServer({ contractPath: files[which], store: url, options: ['--threads', '1'] });
  return { folder, database, url, files, args, migrate, done, doneMeanwhile, serve };
}

async function ask(client, method, target, body) {
  const answer = await client.request(method, target, body === undefined ? {} : { headers: json, body: JSON.stringify(body) });
  return { status: answer.status, text: answer.text, body: answer.text === '' ? null : JSON.parse(answer.text) };
}

// Writers of one version: they create, change and read back, and no request may fail.
function startLoad(server, version, { writers = 3, name = version } = {}) {
  const load = { made: new Map(), count: 0, failed: [], isOver: false };
  const last = Date.now() + 180000;
  const make = version === 'v1'
    ? (i) => ({ title: `t${i}`, count: i, note: `n${i}`, kind: i % 2 === 0 ? 'A' : 'B' })
    : (i) => ({ name: `t${i}`, count: String(i), state: i % 2 === 0 ? 'NEW' : 'OLD', kind: i % 2 === 0 ? 'A' : 'B' });
  const one = async (writer) => {
    const client = server.client();
    for (let i = 0; !load.isOver && Date.now() < last; i++) {
      const code = `${name}-${writer}-${i}`;
      const wanted = make(i), changed = version === 'v1' ? { title: `u${i}` } : { name: `u${i}`, count: String(i + 1) };
      const steps = [await ask(client, 'POST', `/${version}/things`, { code, ...wanted }), await ask(client, 'PATCH', `/${version}/things/${code}`, changed),
        await ask(client, 'GET', `/${version}/things/${code}`), await ask(client, 'GET', `/${version}/things?limit=3&sort=-code`)];
      for (const step of steps) if (step.status >= 300) load.failed.push(`${version} ${step.status} ${step.text}`);
      const read = steps[2].body;
      for (const [field, value] of Object.entries({ ...wanted, ...changed })) if (read[field] !== value) load.failed.push(`${code}.${field} is ${read[field]}, not ${value}`);
      load.made.set(code, i);
      load.count += steps.length;
    }
    client.close();
  };
  const running = Array.from({ length: writers }, (_, i) => one(i).catch((error) => load.failed.push(String(error))));
  load.stop = async () => {
    load.isOver = true;
    await Promise.all(running);
    assert.deepEqual(load.failed.slice(0, 5), []);
    assert.ok(load.count > 0);
  };
  return load;
}

async function all(server, version) {
  const client = server.client();
  const rows = new Map();
  for (let target = `/${version}/things?limit=100`; target !== null;) {
    const page = await ask(client, 'GET', target);
    assert.equal(page.status, 200, page.text);
    for (const item of page.body.items) rows.set(item.code, item);
    target = page.body.nextCursor === null ? null : `/${version}/things?limit=100&after=${encodeURIComponent(page.body.nextCursor)}`;
  }
  client.close();
  return rows;
}

// The same rows, each in its contract's words.
async function assertEqual(older, newer) {
  const [rows, renamed] = [await all(older, 'v1'), await all(newer, 'v2')];
  assert.deepEqual([...rows.keys()], [...renamed.keys()]);
  for (const [code, row] of rows) {
    const other = renamed.get(code);
    assert.equal(row.title, other.name, code);
    assert.equal(String(row.count), other.count, code);
    assert.equal(row.kind, other.kind, code);
    assert.ok(['NEW', 'OLD'].includes(other.state), `${code} has the state ${other.state}`);
    assert.equal(typeof row.note, 'string', code);
  }
  return rows.size;
}

test('both contracts are served through the whole migration, under load, and no request fails', { timeout: 240000 }, async () => {
  const { folder, database, done, doneMeanwhile, serve } = workplace();
  const servers = [];
  try {
    done('apply', 'old');
    const older = await serve('old');
    servers.push(older);
    // Enough rows that bringing them along takes more than one transaction.
    postgres.query(`INSERT INTO things (code, title, count, note, kind) SELECT 'row' || i, 'title ' || i, i, 'note ' || i, 'A' FROM generate_series(1, 8000) i`, database);
    const first = startLoad(older, 'v1');
    await sleep(200);
    assert.match(await doneMeanwhile('apply', 'new', '--expand'), /^expanded contract$/m);
    assert.match(done('status', 'new'), /^expanded +contract/m);
    // Each of the two can be started anew while the database is expanded.
    const newer = await serve('new');
    const olderToo = await serve('old');
    servers.push(newer, olderToo);
    const second = startLoad(newer, 'v2');
    const third = startLoad(olderToo, 'v1', { writers: 1, name: 'third' });
    await sleep(600);
    // What one writes the other reads at once.
    const [oldClient, newClient] = [older.client(), newer.client()];
    for (let i = 0; i < 20; i++) {
      const code = `cross${i}`;
      assert.equal((await ask(oldClient, 'POST', '/v1/things', { code, title: 'old', count: i, note: 'n', kind: 'A' })).status, 201);
      const seen = await ask(newClient, 'GET', `/v2/things/${code}`);
      assert.deepEqual([seen.body.name, seen.body.count, seen.body.state], ['old', String(i), 'NEW']);
      assert.equal((await ask(newClient, 'PATCH', `/v2/things/${code}`, { name: 'new', count: String(i + 100), state: 'OLD' })).status, 200);
      const again = await ask(oldClient, 'GET', `/v1/things/${code}`);
      assert.deepEqual([again.body.title, again.body.count, again.body.note], ['new', i + 100, 'n']);
      assert.equal((await ask(oldClient, 'PATCH', `/v1/things/${code}`, { title: 'old again', count: 5 })).status, 200);
      const last = await ask(newClient, 'GET', `/v2/things/${code}`);
      assert.deepEqual([last.body.name, last.body.count, last.body.state], ['old again', '5', 'OLD']);
    }
    const made = await ask(newClient, 'PUT', '/v2/things/put', { name: 'put', count: '7', kind: 'B' });
    assert.equal(made.status, 201, made.text);
    assert.deepEqual((await ask(oldClient, 'GET', '/v1/things/put')).body, { code: 'put', title: 'put', count: 7, note: '', kind: 'B' });
    assert.equal((await ask(newClient, 'GET', '/v2/things?name=put')).body.items.length, 1);
    oldClient.close();
    newClient.close();
    for (const load of [first, second, third]) await load.stop();
    const size = await assertEqual(older, newer);
    assert.ok(size > 8000);
    // The old contract's clients have moved: its servers end, then its columns.
    await older.stop();
    await olderToo.stop();
    const fourth = startLoad(newer, 'v2', { name: 'fourth' });
    const refused = await doneMeanwhile('apply', 'new', '--contract').then(() => null, (error) => error);
    // The dropped field holds data: that is said, and needs leave. The renamed ones lose nothing.
    assert.match(refused?.message ?? 'it was not refused', /destructive/);
    assert.match(refused.message, /note/);
    assert.doesNotMatch(refused.message, /title/);
    assert.match(await doneMeanwhile('apply', 'new', '--contract', '--allow-destructive'), /^contracted contract$/m);
    await sleep(300);
    await fourth.stop();
    assert.equal((await all(newer, 'v2')).size >= size, true);
    assert.match(done('status', 'new'), /^applied +contract/m);
    assert.equal(done('plan', 'new').trim(), '-- nothing to do');
    assert.deepEqual(postgres.query(`SELECT proname FROM pg_proc WHERE proname LIKE 'caisson%'`, database), []);
    assert.deepEqual(postgres.query(`SELECT column_name FROM information_schema.columns WHERE table_name = 'things' ORDER BY 1`, database).flat(), ['code', 'count_wide', 'kind', 'name', 'state']);
  } finally {
    for (const server of servers) if (!server.exit) await server.stop();
    removeFolder(folder);
  }
});

test('a phase that is killed again and again can be repeated, and ends as it should', { timeout: 240000 }, async () => {
  const { folder, database, args, done, migrate, serve } = workplace();
  const servers = [];
  try {
    done('apply', 'old');
    postgres.query(`INSERT INTO things (code, title, count, note, kind) SELECT 'row' || i, 'title ' || i, i, 'note ' || i, 'A' FROM generate_series(1, 6000) i`, database);
    const killed = async (afterMs, ...all) => {
      const child = spawn(program, args(...all), { cwd: folder, stdio: 'ignore' });
      const exited = new Promise((resolve) => child.once('exit', resolve));
      await sleep(afterMs);
      child.kill('SIGKILL');
      await exited;
      // The statement that was under way ends by itself.
      for (let i = 0; i < 500 && postgres.query(`SELECT 1 FROM pg_stat_activity WHERE datname = '${database}' AND state <> 'idle' AND pid <> pg_backend_pid()`).length > 0; i++) await sleep(20);
    };
    const stateOf = () => /^(\w+) +contract/m.exec(done('status', 'new').trim().split('\n').at(-1))?.[1];
    for (let i = 0; i < 5; i++) {
      await killed(40 + i * 60, 'apply', 'new', '--expand');
      assert.ok(['applied', 'expanding', 'expanded'].includes(stateOf()), stateOf());
    }
    assert.match(done('apply', 'new', '--expand'), /expanded/);
    assert.match(done('apply', 'new', '--expand'), /already expanded/);
    // Nothing else comes in between.
    for (const action of ['apply', 'plan']) assert.match(migrate(action, 'new').stderr, /--contract ends that/);
    servers.push(await serve('old'), await serve('new'));
    assert.equal(await assertEqual(...servers), 6000);
    for (const server of servers) await server.stop();
    for (let i = 0; i < 3; i++) {
      await killed(40 + i * 60, 'apply', 'new', '--contract', '--allow-destructive');
      assert.ok(['expanded', 'contracting', 'applied'].includes(stateOf()), stateOf());
    }
    if (stateOf() !== 'applied') done('apply', 'new', '--contract', '--allow-destructive');
    assert.equal(stateOf(), 'applied');
    assert.equal(done('plan', 'new').trim(), '-- nothing to do');
    assert.deepEqual(postgres.query(`SELECT 1 FROM caisson_meta WHERE name = 'phase'`, database), []);
  } finally {
    for (const server of servers) if (!server.exit) await server.stop();
    removeFolder(folder);
  }
});

test('an expanded database goes back to the old contract', { timeout: 120000 }, async () => {
  const { folder, database, done, migrate, serve } = workplace();
  const servers = [];
  try {
    done('apply', 'old');
    postgres.query(`INSERT INTO things (code, title, count, note, kind) VALUES ('a', 'title', 1, 'note', 'A')`, database);
    assert.match(done('plan', 'new', '--expand'), /CREATE TRIGGER caisson_phase/);
    done('apply', 'new', '--expand');
    const newer = await serve('new');
    servers.push(newer);
    const client = newer.client();
    assert.equal((await ask(client, 'POST', '/v2/things', { code: 'b', name: 'by the new one', count: '2', state: 'OLD', kind: 'B' })).status, 201);
    client.close();
    await newer.stop();
    assert.match(done('plan', 'new', '--contract'), /DROP TRIGGER/);
    // What only the new contract has would be lost.
    assert.match(migrate('rollback', 'new').stderr, /state/);
    assert.match(done('rollback', 'new', '--allow-destructive'), /rolled back/);
    const older = await serve('old');
    servers.push(older);
    const rows = await all(older, 'v1');
    assert.deepEqual([...rows.values()].map(({ code, title, count, note }) => [code, title, count, note]), [['a', 'title', 1, 'note'], ['b', 'by the new one', 2, '']]);
    assert.match(done('status', 'old'), /^applied/m);
    assert.equal(done('plan', 'old').trim(), '-- nothing to do');
  } finally {
    for (const server of servers) if (!server.exit) await server.stop();
    removeFolder(folder);
  }
});

test('what phases can not do is refused, with what to do instead', { timeout: 120000 }, async () => {
  const { folder, files, done, migrate } = workplace();
  const refused = (pattern, contract) => {
    fs.writeFileSync(files.new, contract);
    const result = migrate('apply', 'new', '--expand');
    assert.equal(result.status, 1, result.stdout);
    assert.match(result.stderr, pattern);
    assert.match(done('status', 'old'), /^applied/m);
  };
  try {
    assert.match(migrate('apply', 'new', '--expand').stderr, /not noted|has no/);
    done('apply', 'old');
    refused(/@column\(name/, before1.replace('count: Int!', 'count: BigInt!'));
    refused(/constant default/, before1.replace('note: String!', 'note: String!\n  more: String!'));
    refused(/@resource\(table/, before1.replace('type Thing @resource', 'type Item @renamed(from: "Thing") @resource'));
    assert.equal(migrate('apply', 'old', '--contract').status, 1);
    assert.equal(migrate('status', 'old', '--expand').status, 2);
    assert.equal(migrate('apply', 'old', '--expand', '--contract').status, 2);
    const sqlite = run(['migrate', 'apply', files.old, '--store', `sqlite:${path.join(folder, 'x.db')}`, '--expand'], { cwd: folder });
    assert.equal(sqlite.status, 1);
    assert.match(sqlite.stderr, /PostgreSQL/);
  } finally {
    removeFolder(folder);
  }
});

test('phases of a folder of migrations', { timeout: 120000 }, async () => {
  const { folder, database, files, done } = workplace();
  try {
    const url = postgres.url(database);
    const make = (name, file) => {
      const result = run(['migrate', 'new', file, name, '--store', url], { cwd: folder });
      assert.equal(result.status, 0, result.stderr);
    };
    make('first', files.old);
    done('apply', 'old');
    make('second', files.new);
    assert.match(done('apply', 'new', '--expand'), /expanded 0002_second/);
    assert.match(done('status', 'new'), /^expanded +0002_second/m);
    assert.match(done('apply', 'new', '--contract', '--allow-destructive'), /contracted 0002_second/);
    const status = done('status', 'new');
    assert.match(status, /^applied +0001_first/m);
    assert.match(status, /^applied +0002_second/m);
    const verified = run(['migrate', 'verify', files.new, '--store', url], { cwd: folder, timeout: 60000 });
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  } finally {
    removeFolder(folder);
  }
});
