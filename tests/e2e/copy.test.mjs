// caisson copy (issue 5): everything of one store into another, both ways, and after it the same answers; or nothing at all.
// CHINOOK: that database; its test is skipped where there is none.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, program, removeFolder, root, run, startServer } from '../support/server.mjs';

const timeout = 120000;
const chinook = process.env.CHINOOK ?? path.join(root, '../shared/data/chinook/Chinook_Sqlite.sqlite');
const folder = makeFolder();
let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); removeFolder(folder); });

let names = 0;
const write = (contract) => {
  const file = path.join(folder, `contract-${++names}.graphql`);
  fs.writeFileSync(file, contract);
  return file;
};
const newFile = () => `sqlite:${path.join(folder, `store-${++names}.db`)}`;
const tablesOf = (database) => postgres.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", database).map(([name]) => name);

// Serves, asks, and ends the server; an answer without what belongs to its request alone.
async function served(contract, store, talk, options = ['--no-migrate']) {
  const server = await startServer({ contractPath: contract, store, options: ['--threads', '1', ...options] });
  try {
    return await talk(async (method, target, body, type = 'application/json') => {
      const response = await fetch(`http://127.0.0.1:${server.port}/v1/${target}`,
        { method, headers: { authorization: `Bearer ${makeToken({ sub: 'a' })}`, 'content-type': type }, body: body && JSON.stringify(body), signal: AbortSignal.timeout(20000) });
      const text = await response.text();
      const parsed = text === '' ? null : JSON.parse(text);
      if (parsed?.requestId) delete parsed.requestId;
      return { status: response.status, etag: response.headers.get('etag'), body: parsed };
    });
  } finally { await server.stop(); removeFolder(server.folder); }
}
const answers = (contract, store, targets, options) => served(contract, store, async (ask) => {
  const all = {};
  for (const target of targets) {
    all[target] = await ask('GET', target);
    assert.equal(all[target].status, 200, `${target}: ${JSON.stringify(all[target].body)}`);
  }
  return all;
}, options);

const open = '@access(read: "true", write: "true")';
const everything = `extend schema @service(name: "all", version: "v1")
enum Mood { happy PG_13 @value(name: "PG-13") }
type Place { city: String! lat: Float note: JSON }
type Thing @resource ${open} @index(fields: ["n desc"]) {
  id: ID!
  name: String! @unique
  n: Int big: BigInt f: Float d: Decimal price: Decimal @decimal(precision: 10, scale: 2) b: Boolean
  at: DateTime day: Date u: UUID j: JSON bytes: Bytes mail: Email web: URL mood: Mood
  moods: [Mood!] tags: [String!] nums: [Int!] bigs: [BigInt!] floats: [Float!] decs: [Decimal!] flags: [Boolean!] times: [DateTime!] days: [Date!] uuids: [UUID!] blobs: [Bytes!]
  place: Place places: [Place!]
  parent: Thing @relation(inverse: "children")
  children: [Thing!]!
  lines: [Line!]!
}
type Line @resource ${open} { thing: Thing! @id  no: Int! @id  text: String }
type Author @resource ${open} { id: Int! @id  favourite: Book @relation(inverse: "fans")  books: [Book!]! }
type Book @resource ${open} { code: String! @id  author: Author! @relation(inverse: "books", onDelete: CASCADE)  fans: [Author!]! }
type Empty @resource ${open} { id: ID!  x: Int }
`;
const full = {
  name: 'tab\t new\nline \\ back "quote" \'one\' \\N \\. ☕ 𝄞', n: -2147483648, big: '-9223372036854775808', f: 1.7976931348623157e308, d: '-12345678901234567890123456789012345.678', price: '10.50', b: true,
  at: '2024-02-29T23:59:59.999999Z', day: '0001-01-01', u: '0190a6e4-0000-7000-8000-00000000abcd', j: { b: [1, 1.5, '1.50', null, { x: '\t\\' }], a: 'é', big: 12345678901234567890 }, bytes: 'AP8QXAoJ', mail: 'a@example.org', web: 'https://example.org/?q=1#x', mood: 'PG_13',
  moods: ['PG_13', 'happy'], tags: ['', 'a,b', '{"x"}', 'NULL', '\\', 'ü"'], nums: [], bigs: ['9223372036854775807', '-1'], floats: [0.1, -1e-300, 5e-324], decs: ['0.1', '12345678901234567890123456789012345678'], flags: [true, false],
  times: ['1969-12-31T23:59:59.000001Z', '9999-12-31T23:59:59.999999Z'], days: ['9999-12-31'], uuids: ['0190a6e4-0000-7000-8000-00000000abcd'], blobs: ['', 'AA=='],
  place: { city: 'Oslo', lat: 59.9, note: [1] }, places: [{ city: 'A', lat: null, note: null }, { city: 'B\n', lat: -0.5, note: { k: 'v' } }],
};
const everyTarget = ['things?sort=name&limit=100&fields=*,lines(no,text),children(name),parent(name)', 'things?filter=' + encodeURIComponent('has(parent) && d < 0'), 'things?d[lt]=0', 'things?at[gte]=2024-01-01T00:00:00Z&sort=-at', 'things?mood=PG_13',
  'things:aggregate?by=mood&metrics=count,sum(d),avg(f),min(at),max(day),sum(big)', 'lines?sort=-no', 'authors?fields=*,favourite(code),books(code)', 'books?fields=*,author(id)', 'empties?count=exact'];

async function fill(contract, store) {
  await served(contract, store, async (ask) => {
    const post = async (target, body) => { const answer = await ask('POST', target, body); assert.equal(answer.status, 201, JSON.stringify(answer.body)); return answer.body; };
    const first = await post('things', full);
    assert.equal(first.d, full.d);
    const second = await post('things', { name: 'second', parentId: first.id, f: -0.25, price: '0', at: '1970-01-01T00:00:00Z', d: '0', j: 'text', b: false });
    // The first refers to the second, which comes later by its key: no order of the rows is right.
    assert.equal((await ask('PATCH', `things/${first.id}`, { parentId: second.id }, 'application/merge-patch+json')).status, 200);
    await post('lines', [2, 1, 3].map((no) => ({ thingId: second.id, no, text: no === 2 ? null : `line ${no}` })));
    await post('authors', [{ id: 1 }, { id: 2 }]);
    await post('books', [{ code: 'b', authorId: 1 }, { code: 'a', authorId: 2 }]);
    assert.equal((await ask('PATCH', 'authors/1', { favouriteCode: 'a' }, 'application/merge-patch+json')).status, 200);
    assert.equal((await ask('PATCH', 'authors/2', { favouriteCode: 'b' }, 'application/merge-patch+json')).status, 200);
  }, []);
}

const copy = (contract, from, to, ...options) => run(['copy', contract, '--from', from, '--to', to, ...options]);
function copied(contract, from, to) {
  const result = copy(contract, from, to);
  assert.equal(result.status, 0, result.stderr);
  assert.equal(result.stderr, '', 'no progress bar where there is no terminal');
  return result.stdout;
}
// table → [rows, checksum], as it was printed.
const linesOf = (text) => Object.fromEntries([...text.matchAll(/^(\S+) +(\d+) rows +([0-9a-f]{32})$/gm)].map(([, table, rows, sum]) => [table, [Number(rows), sum]]));

test('every type goes to PostgreSQL and back, and both servers and the copy of the copy answer alike', { timeout }, async () => {
  const contract = write(everything);
  const here = newFile();
  const again = newFile();
  const there = postgres.url(postgres.createDatabase());
  await fill(contract, here);
  const was = await answers(contract, here, everyTarget);
  assert.deepEqual(was[everyTarget[0]].body.items.find((item) => item.name === full.name).decs, full.decs);
  const first = linesOf(copied(contract, here, there));
  assert.deepEqual(Object.entries(first).map(([table, [rows]]) => [table, rows]).sort(), [['authors', 2], ['books', 2], ['empties', 0], ['lines', 3], ['things', 2]]);
  assert.deepEqual(await answers(contract, there, everyTarget), was);
  const second = linesOf(copied(contract, there, again));
  assert.deepEqual(second, first, 'checksums are of the values, whatever the store');
  assert.deepEqual(await answers(contract, again, everyTarget, []), was);
  // The copy is a database like any other: its references and unique keys hold, and the migrations find nothing to do.
  await served(contract, there, async (ask) => {
    assert.equal((await ask('POST', 'things', { name: 'second' })).status, 409);
    assert.equal((await ask('POST', 'lines', { thingId: '0190a6e4-0000-7000-8000-000000000000', no: 1 })).status, 422);
  });
  for (const store of [there, again]) assert.match(run(['migrate', 'plan', contract, '--store', store], { cwd: folder }).stdout, /nothing to do/);
});

test('tables that are there already and hold no rows are filled', { timeout }, async () => {
  const contract = write(everything);
  const here = newFile();
  await fill(contract, here);
  for (const to of [newFile(), postgres.url(postgres.createDatabase())]) {
    assert.equal(run(['migrate', 'apply', contract, '--store', to], { cwd: folder }).status, 0);
    copied(contract, here, to);
    assert.deepEqual(await answers(contract, to, everyTarget, []), await answers(contract, here, everyTarget));
    assert.match(run(['migrate', 'plan', contract, '--store', to], { cwd: folder }).stdout, /nothing to do/, 'the references are there again');
  }
});

test('Chinook, with the contract that introspection wrote, goes to PostgreSQL and back', { timeout, skip: fs.existsSync(chinook) ? false : 'no Chinook database here' }, async () => {
  const file = path.join(folder, 'chinook.db');
  fs.copyFileSync(chinook, file);
  fs.chmodSync(file, 0o644);
  const here = `sqlite:${file}`;
  const again = newFile();
  const there = postgres.url(postgres.createDatabase());
  const contract = write(run(['introspect', here]).stdout.replaceAll('@access(read: "false", write: "false")', open));
  const shell = (sql) => spawnSync('sqlite3', [file, sql], { encoding: 'utf8' }).stdout.trim();
  const first = linesOf(copied(contract, here, there));
  assert.deepEqual(Object.keys(first).sort(), ['Album', 'Artist', 'Customer', 'Employee', 'Genre', 'Invoice', 'InvoiceLine', 'MediaType', 'Playlist', 'PlaylistTrack', 'Track']);
  for (const [table, [rows]] of Object.entries(first)) assert.equal(String(rows), shell(`SELECT count(*) FROM "${table}"`), table);
  assert.deepEqual(linesOf(copied(contract, there, again)), first);
  const targets = ['albums?limit=100&sort=title', 'artists?name[contains]=%C3%A3&fields=*,albums(title)', 'customers?sort=-country,lastName&limit=100&fields=*,supportRep(firstName),invoices(total)', 'employees?fields=*,reportsToEmployee(lastName),employees(lastName)', 'genres?fields=name,tracks(name)',
    'invoices?invoiceDate[gte]=2010-01-01T00:00:00Z&sort=invoiceDate&limit=100', 'invoices:aggregate?by=billingCountry&metrics=count,sum(total),avg(total)', 'invoice-lines?unitPrice[gt]=0.99&limit=100', 'playlists?fields=name,playlistTracks(track(name))&limit=20', 'tracks?composer[isNull]=true&sort=-milliseconds&limit=100',
    `tracks?filter=${encodeURIComponent('unitPrice > 1 && album.artist.name.startsWith("B")')}`, 'tracks/1'];
  const was = await answers(contract, here, targets);
  assert.deepEqual(await answers(contract, there, targets), was);
  assert.deepEqual(await answers(contract, again, targets, []), was);
  // Keys that the database numbers go on behind the largest.
  const next = Number(shell('SELECT max(ArtistId) + 1 FROM Artist'));
  for (const store of [there, again]) {
    await served(contract, store, async (ask) => {
      const made = await ask('POST', 'artists', { name: 'New' });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      assert.equal(made.body.artistId, next);
    });
  }
});

test('refused, with nothing changed: rows in the target, another schema, a source that is not the contract\'s, a database of others', { timeout }, async () => {
  const contract = write(everything);
  const here = newFile();
  await fill(contract, here);
  const database = postgres.createDatabase();
  const there = postgres.url(database);
  copied(contract, here, there);
  const rows = postgres.query('SELECT count(*) FROM things', database);
  const again = copy(contract, here, there);
  assert.equal(again.status, 1);
  assert.match(again.stderr, /the target holds rows already, in \w+: nothing was copied/);
  assert.deepEqual(postgres.query('SELECT count(*) FROM things', database), rows);

  const other = postgres.createDatabase();
  assert.equal(run(['migrate', 'apply', write(everything.replace('x: Int', 'x: String')), '--store', postgres.url(other)], { cwd: folder }).status, 0);
  const different = copy(contract, here, postgres.url(other));
  assert.equal(different.status, 1);
  assert.match(different.stderr, /column empties\.x is of the type text, the contract wants integer/);
  assert.deepEqual(postgres.query('SELECT count(*) FROM things', other), [['0']]);

  const more = copy(write(everything.replace('x: Int', 'x: Int y: Int')), here, newFile());
  assert.equal(more.status, 1);
  assert.match(more.stderr, /the source is not as the contract says[^]*empties\.y is missing/);

  const foreign = postgres.createDatabase();
  postgres.query('CREATE TABLE strange (id int)', foreign);
  const refused = copy(contract, here, postgres.url(foreign));
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /was not made by Caisson/);
  assert.deepEqual(tablesOf(foreign), ['strange']);
});

test('a value that does not fit, and a row that refers to nothing, are told and nothing is copied', { timeout }, async () => {
  const file = path.join(folder, 'loose.db');
  const sql = (text) => assert.equal(spawnSync('sqlite3', [file, text], { encoding: 'utf8' }).status, 0);
  // Types that PostgreSQL has not, as they are customary in SQLite.
  sql("CREATE TABLE things (id INTEGER PRIMARY KEY, n TINYINT, name NVARCHAR(10), at DATETIME, parent_id INTEGER); INSERT INTO things VALUES (1, 5, 'a', '2024-02-29 12:00:00', NULL), (7, 'many', NULL, NULL, NULL)");
  const contract = write(`extend schema @service(name: "loose")\ntype Thing @resource ${open} { id: Int! @id  n: Int @column(type: "TINYINT")  name: String @column(type: "NVARCHAR(10)")  at: DateTime @column(type: "DATETIME")  parent: Thing @relation(inverse: "children") children: [Thing!]! }\n`);
  const database = postgres.createDatabase();
  const misfit = copy(contract, `sqlite:${file}`, postgres.url(database));
  assert.equal(misfit.status, 1, misfit.stderr);
  assert.match(misfit.stderr, /things\.n .*key 7/);
  assert.deepEqual(tablesOf(database), []);
  sql('UPDATE things SET n = 1, parent_id = 99 WHERE id = 7');
  for (const to of [postgres.url(database), newFile()]) {
    const dangling = copy(contract, `sqlite:${file}`, to);
    assert.equal(dangling.status, 1, dangling.stderr);
    assert.match(dangling.stderr, /parent|refer/);
  }
  assert.deepEqual(tablesOf(database), []);
  sql('UPDATE things SET parent_id = 1 WHERE id = 7');
  copied(contract, `sqlite:${file}`, postgres.url(database));
  assert.deepEqual(postgres.query(`SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'things' AND column_name IN ('n', 'name', 'at') ORDER BY 1`, database), [['at', 'timestamp with time zone'], ['n', 'integer'], ['name', 'text']]);
  await served(contract, postgres.url(database), async (ask) => {
    assert.deepEqual((await ask('GET', 'things/1')).body, { id: 1, n: 5, name: 'a', at: '2024-02-29T12:00:00Z', parentId: null });
    assert.equal((await ask('PATCH', 'things/1', { at: '2025-01-01T00:00:00.5Z', name: 'b' }, 'application/merge-patch+json')).body.at, '2025-01-01T00:00:00.5Z');
  });
});

test('a table in a schema of its own goes there, and the schema is made where it is missing', { timeout }, async () => {
  const contract = write(`extend schema @service(name: "crm")\ntype Client @resource(table: "crm.clients") ${open} { id: Int! @id name: String! @unique deals: [Deal!]! }\ntype Deal @resource(table: "Sales Dept.deals") ${open} { id: Int! @id client: Client! }\n`);
  const here = postgres.url(postgres.createDatabase());
  await served(contract, here, async (ask) => {
    assert.equal((await ask('POST', 'clients', { id: 1, name: 'a' })).status, 201);
    assert.equal((await ask('POST', 'deals', { id: 1, clientId: 1 })).status, 201);
  }, ['--migrate']);
  const targets = ['clients?fields=*,deals(id)', 'deals?fields=*,client(name)'];
  const was = await answers(contract, here, targets);
  const database = postgres.createDatabase();
  const there = postgres.url(database);
  copied(contract, here, there);
  assert.deepEqual(postgres.query("SELECT schemaname, tablename FROM pg_tables WHERE tablename IN ('clients', 'deals') ORDER BY 1", database), [['Sales Dept', 'deals'], ['crm', 'clients']]);
  assert.deepEqual(await answers(contract, there, targets), was);
  const nowhere = copy(contract, there, newFile());
  assert.equal(nowhere.status, 1);
  assert.match(nowhere.stderr, /table crm\.clients: SQLite has no schemas: give it a name without a dot, @resource\(table: "clients"\)/);
  assert.equal(run(['migrate', 'apply', contract, '--store', postgres.url(postgres.createDatabase())], { cwd: folder }).status, 0);
  // Who may not make schemas finds that out only where one has to be made.
  const plain = postgres.createDatabase();
  postgres.query(`CREATE ROLE plain_${names} LOGIN; CREATE SCHEMA crm AUTHORIZATION plain_${names}; CREATE SCHEMA "Sales Dept" AUTHORIZATION plain_${names}; GRANT CREATE ON SCHEMA public TO plain_${names}`, plain);
  await served(contract, postgres.url(plain).replace('user=caisson', `user=plain_${names}`).replace('//caisson', `//plain_${names}`), async (ask) => assert.equal((await ask('GET', 'clients')).status, 200), ['--migrate']);
});

test('exit statuses: wrong usage 2, what is outside 3', { timeout }, () => {
  const contract = write(everything);
  const nowhere = 'postgresql://nobody@127.0.0.1:1/x';
  assert.equal(run(['copy', contract, '--from', newFile()]).status, 2);
  assert.equal(run(['copy', contract, '--from', newFile(), '--to', 'mysql://x']).status, 2);
  assert.equal(run(['copy', contract, '--from', nowhere, '--to', nowhere]).status, 2);
  assert.equal(run(['copy', contract, '--from', newFile(), '--to', newFile()]).status, 3, 'a source that is not there is not made');
  assert.equal(run(['copy', contract, '--from', nowhere, '--to', newFile()]).status, 3);
  assert.equal(run(['copy', path.join(folder, 'none.graphql'), '--from', nowhere, '--to', newFile()]).status, 3);
});

test('killed in its midst, the target is as it was, and the same command begins again', { timeout }, async () => {
  const contract = write(everything);
  const here = newFile();
  await fill(contract, here);
  const source = postgres.createDatabase();
  copied(contract, here, postgres.url(source));
  const database = postgres.createDatabase();
  const file = newFile();
  for (const to of [postgres.url(database), file]) {
    // It stands still in front of the last table, with all others copied, for as long as somebody else holds that one.
    const holder = spawn(path.join(postgres.programs, 'psql'), ['-XAtq', '-h', postgres.folder, '-p', String(postgres.port), '-U', 'caisson', '-d', source], { stdio: ['pipe', 'pipe', 'ignore'] });
    const child = await new Promise((resolve, reject) => {
      holder.once('error', reject);
      holder.stdout.once('data', () => resolve(spawn(program, ['copy', contract, '--from', postgres.url(source), '--to', to, '--lock-timeout', '100s'], { stdio: 'ignore' })));
      holder.stdin.write('BEGIN; LOCK TABLE books IN ACCESS EXCLUSIVE MODE; SELECT 1;\n');
    });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    try {
      for (let i = 0; ; i++) {
        if (Number(postgres.query(`SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'books'::regclass`, source)[0][0]) > 0) break;
        assert.ok(i < 600 && child.exitCode === null, 'the copy comes as far as the table that is held');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } finally {
      child.kill('SIGKILL');
      await ended;
      holder.stdin.end('ROLLBACK;\n');
      await new Promise((resolve) => holder.once('exit', resolve));
    }
  }
  for (let i = 0; i < 200 && Number(postgres.query(`SELECT count(*) FROM pg_stat_activity WHERE datname = '${database}'`)[0][0]) > 0; i++) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.deepEqual(tablesOf(database), []);
  assert.equal(spawnSync('sqlite3', [file.slice(7), 'SELECT count(*) FROM sqlite_schema'], { encoding: 'utf8' }).stdout.trim(), '0');
  for (const to of [postgres.url(database), file]) copied(contract, postgres.url(source), to);
});

test('a terminal sees how far it is', { timeout, skip: spawnSync('script', ['--version']).status === 0 ? false : 'no script(1) here' }, async () => {
  const contract = write(everything);
  const here = newFile();
  await fill(contract, here);
  const shell = [program, 'copy', contract, '--from', here, '--to', newFile()].map((word) => `'${word}'`).join(' ');
  const seen = spawnSync('script', ['-qec', shell, '/dev/null'], { encoding: 'utf8', timeout: 60000, env: { ...process.env, TERM: 'xterm' } });
  assert.equal(seen.status, 0, seen.stdout);
  assert.match(seen.stdout, /\[#* *\] +\d+% copying/);
  assert.match(seen.stdout, /\[#{30}\] 100% comparing|copied 9 rows/);
});
