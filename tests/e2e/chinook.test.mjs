// chinook.test.mjs - a database that others made: introspect it, open the contract, serve it, and find every row of every table, and what
// is nested three levels deep, equal to what the sqlite3 shell says. CHINOOK: the database; the test is skipped where there is none.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder, removeFolder, root, run, startServer } from '../support/server.mjs';

const source = process.env.CHINOOK ?? path.join(root, '../shared/data/chinook/Chinook_Sqlite.sqlite');
const skip = fs.existsSync(source) ? false : 'no Chinook database here (CHINOOK=FILE)';

const folder = makeFolder();
const database = path.join(folder, 'chinook.db');
let server;
let client;
let contract;

function sqlite(sql, ...options) {
  const result = spawnSync('sqlite3', [...options, database, sql], { encoding: 'utf8', maxBuffer: 256 * 1024 * 1024 });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout;
}
const rowsOf = (sql) => { const text = sqlite(sql, '-json').trim(); return text === '' ? [] : JSON.parse(text); };
const schemaOf = () => sqlite('SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name');

async function get(target) {
  const response = await client.request('GET', target);
  assert.equal(response.status, 200, `GET ${target}: ${response.text}`);
  return JSON.parse(response.text);
}

async function getAll(target) {
  const items = [];
  let cursor = null;
  do {
    const page = await get(`${target}${target.includes('?') ? '&' : '?'}limit=100${cursor === null ? '' : `&after=${encodeURIComponent(cursor)}`}`);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

// What the contract says of each type: its table, its path, its fields with their columns.
function readContract(text) {
  const kebab = (name) => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase();
  return [...text.matchAll(/^type (\w+) ([^{]*)\{\n([\s\S]*?)^\}/gm)].map(([, name, head, body]) => ({
    name,
    table: /table: "([^"]+)"/.exec(head)?.[1],
    path: /path: "([^"]+)"/.exec(head)?.[1] ?? `${kebab(name)}s`,
    fields: [...body.matchAll(/^ +(\w+): (\[?)(\w+)[!\]]*(.*)$/gm)].map(([, field, list, type, rest]) => ({
      name: field, type, isList: list !== '', column: /@column\(name: "([^"]+)"/.exec(rest)?.[1], columns: /columns: \[([^\]]*)\]/.exec(rest)?.[1],
    })),
  }));
}

const tables = ['Album', 'Artist', 'Customer', 'Employee', 'Genre', 'Invoice', 'InvoiceLine', 'MediaType', 'Playlist', 'PlaylistTrack', 'Track'];

before(async () => {
  if (skip) return;
  fs.copyFileSync(source, database);
  fs.chmodSync(database, 0o644);
});
after(async () => {
  client?.close();
  if (server && !server.exit) await server.stop('SIGKILL');
  removeFolder(folder);
});

test('introspection prints a contract that check accepts, closed to everyone', { skip }, () => {
  const result = run(['introspect', `sqlite:${database}`]);
  assert.equal(result.status, 0, result.stderr);
  contract = result.stdout;
  const file = path.join(folder, 'closed.graphql');
  fs.writeFileSync(file, contract);
  const check = run(['check', file]);
  assert.equal(check.status, 0, check.stderr + check.stdout);
  const types = [...contract.matchAll(/^type (\w+)[^\n]*@resource/gm)].map((match) => match[1]).sort();
  assert.deepEqual(types, tables);
  assert.equal(contract.match(/@access\(read: "false", write: "false"\)/g)?.length, tables.length, 'each resource is closed by one line');
});

test('the contract says types, keys and relations as people would', { skip }, () => {
  const types = new Map(readContract(contract).map((type) => [type.name, type]));
  const typeOf = (type, field) => types.get(type).fields.find(({ name }) => name === field)?.type;
  assert.equal(typeOf('Invoice', 'invoiceDate'), 'DateTime');
  assert.equal(typeOf('Invoice', 'total'), 'Decimal');
  assert.equal(typeOf('Track', 'milliseconds'), 'Int');
  assert.equal(typeOf('Track', 'album'), 'Album');
  assert.equal(typeOf('Album', 'tracks'), 'Track');
  assert.equal(typeOf('Employee', 'reportsTo') ?? typeOf('Employee', 'reportsToEmployee'), 'Employee');
  assert.match(contract, /@decimal\(precision: 10, scale: 2\)/);
});

test('opened, it serves every row of every table as the sqlite3 shell has it', { skip, timeout: 300000 }, async () => {
  const before_ = schemaOf();
  server = await startServer({
    contract: contract.replaceAll('@access(read: "false", write: "false")', '@access(read: "true", write: "true")'),
    folder, store: `sqlite:${database}`, options: ['--threads', '1'],
  });
  client = server.client();
  assert.equal(schemaOf(), before_, 'serving changes nothing of the schema');
  for (const type of readContract(contract)) {
    const table = type.table ?? type.name;
    const expected = rowsOf(`SELECT * FROM "${table}"`);
    const items = await getAll(`/v1/${type.path}`);
    assert.equal(items.length, expected.length, `${table}: the number of rows`);
    compareRows(table, expected, items);
  }
});

// Values in JSON's forms, whatever the store's: numbers and decimals by value, times by their moment.
function same(stored, served) {
  if (stored === null || served === null) return stored === served;
  if (typeof stored === 'number') return Number(served) === stored;
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(stored)) return served === `${stored.replace(' ', 'T')}Z`;
  return String(served) === String(stored);
}

// A row is found by the values themselves: each stored column's value must be in the served row, in the order of the columns.
function compareRows(table, expected, items) {
  const keyColumns = rowsOf(`SELECT name FROM pragma_table_info('${table}') WHERE pk > 0 ORDER BY pk`).map(({ name }) => name);
  const columns = Object.keys(expected[0]);
  const keyAt = keyColumns.map((name) => columns.indexOf(name));
  const byKey = new Map(expected.map((row) => [keyColumns.map((name) => row[name]).join(), row]));
  for (const item of items) {
    const values = Object.values(item);
    assert.equal(values.length, columns.length, `${table}: a row's fields ${Object.keys(item)} are its columns ${columns}`);
    const row = byKey.get(keyAt.map((index) => values[index]).join());
    assert.ok(row, `${table}: ${JSON.stringify(item)} is in no row`);
    columns.forEach((name, index) => assert.ok(same(row[name], values[index]), `${table}.${name}: ${JSON.stringify(row[name])} is served as ${JSON.stringify(values[index])}`));
  }
}

test('three levels deep, nested lists are what SQL joins', { skip, timeout: 300000 }, async () => {
  const artists = await getAll('/v1/artists?fields=artistId,name,albums(albumId,title,tracks(trackId,name))&albums.limit=100&albums.tracks.limit=100');
  const rows = rowsOf('SELECT a.ArtistId, a.Name AS artist, b.AlbumId, b.Title, t.TrackId, t.Name AS track FROM Artist a LEFT JOIN Album b USING (ArtistId) LEFT JOIN Track t USING (AlbumId) ORDER BY 1, 3, 5');
  const flat = [];
  for (const artist of artists) {
    if (artist.albums.items.length === 0) flat.push([artist.artistId, artist.name, null, null, null, null]);
    for (const album of artist.albums.items) {
      assert.equal(album.tracks.nextCursor, null);
      for (const track of album.tracks.items) flat.push([artist.artistId, artist.name, album.albumId, album.title, track.trackId, track.name]);
    }
  }
  assert.deepEqual(flat.map((values) => values.map((value) => (value === null ? null : String(value)))), rows.map((row) => Object.values(row).map((value) => (value === null ? null : String(value)))));
});

test('to-one relations, the circle of employees and composite keys', { skip }, async () => {
  const line = await get('/v1/invoice-lines/1?fields=quantity,track(name,album(title,artist(name))),invoice(customer(supportRep(lastName)))');
  const [row] = rowsOf('SELECT l.Quantity q, t.Name n, b.Title a, r.Name r, e.LastName e FROM InvoiceLine l JOIN Track t USING (TrackId) JOIN Album b USING (AlbumId) JOIN Artist r USING (ArtistId) JOIN Invoice i USING (InvoiceId) JOIN Customer c USING (CustomerId) JOIN Employee e ON e.EmployeeId = c.SupportRepId WHERE InvoiceLineId = 1');
  assert.deepEqual(line, { quantity: row.q, track: { name: row.n, album: { title: row.a, artist: { name: row.r } } }, invoice: { customer: { supportRep: { lastName: row.e } } } });
  const [pair] = rowsOf('SELECT * FROM PlaylistTrack LIMIT 1 OFFSET 100');
  assert.ok(await get(`/v1/playlist-tracks/${pair.PlaylistId},${pair.TrackId}`));
});

test('nothing of it was changed', { skip }, async () => {
  const count = sqlite('SELECT count(*) FROM Track').trim();
  await server.stop();
  assert.equal(schemaOf(), spawnSync('sqlite3', [source, 'SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name'], { encoding: 'utf8' }).stdout);
  assert.equal(sqlite('SELECT count(*) FROM Track').trim(), count);
});
