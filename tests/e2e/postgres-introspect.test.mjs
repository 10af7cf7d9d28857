// postgres-introspect.test.mjs - PostgreSQL databases that others made: everything in them is in the contract or named beside it, and what is
// served is what is stored. Chinook from its own script answers as the SQLite file of it does, question by question; that test is skipped
// where there is no Chinook (CHINOOK_FOLDER says where it is).
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, root, run, startServer } from '../support/server.mjs';

let postgres;
const folder = makeFolder();
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); removeFolder(folder); });

function load(database, file) {
  const result = spawnSync(path.join(postgres.programs, 'psql'), ['-Xq', '-v', 'ON_ERROR_STOP=1', '-h', postgres.folder, '-p', String(postgres.port), '-U', 'caisson', '-d', database, '-f', file], { encoding: 'utf8', timeout: 120000 });
  assert.equal(result.status, 0, result.stderr);
}

function introspect(database, ...options) {
  const result = run(['introspect', postgres.url(database), ...options]);
  assert.equal(result.status, 0, result.stderr);
  const file = path.join(folder, `${database}.graphql`);
  fs.writeFileSync(file, result.stdout);
  const check = run(['check', file]);
  assert.equal(check.status, 0, `${check.stderr}\n${result.stdout}`);
  return result.stdout;
}

// What is read-only stays so.
const opened = (contract) => contract.split('\n\n').map((block) => block.replace('@access(read: "false", write: "false")', `@access(read: "true", write: "${!block.includes('# Read-only:')}")`)).join('\n\n');
const dump = (database) => spawnSync(path.join(postgres.programs, 'pg_dump'), ['-s', '-h', postgres.folder, '-p', String(postgres.port), '-U', 'caisson', database], { encoding: 'utf8' }).stdout.replace(/^\\(un)?restrict .*$/gm, '');

const script = `
CREATE TYPE mood AS ENUM ('happy', 'so-so', 'PG-13');
CREATE DOMAIN postcode AS varchar(10) CHECK (VALUE ~ '^[0-9]+$');
CREATE SCHEMA sales;
CREATE TABLE shops (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, zip postcode, mood mood NOT NULL DEFAULT 'happy', moods mood[]);
COMMENT ON TABLE shops IS 'Where things are sold';
COMMENT ON COLUMN shops.name IS 'As on the sign';
CREATE TABLE products (
  code varchar(20) PRIMARY KEY, price numeric(10,2) NOT NULL CHECK (price > 0), sale_price numeric(10,2) CHECK (sale_price < 100000), tags text[] NOT NULL DEFAULT '{}', data jsonb,
  weight real, made timestamp(3), day date, raw bytea, big bigint, open boolean NOT NULL DEFAULT true, address inet, span int4range, gross numeric GENERATED ALWAYS AS (price * 2) STORED,
  shop_id integer REFERENCES shops ON DELETE SET NULL, number serial, CONSTRAINT odd CHECK (code ~ '^[A-Z]'));
CREATE UNIQUE INDEX one_open ON products (shop_id) WHERE open;
CREATE INDEX by_tag ON products USING gin (tags);
CREATE TABLE sales.lines (shop integer NOT NULL REFERENCES public.shops, line smallint NOT NULL, product varchar(20) REFERENCES public.products, UNIQUE (product, shop), PRIMARY KEY (shop, line));
CREATE TABLE sales.notes (body text);
CREATE VIEW cheap AS SELECT code, price FROM products WHERE price < 10;
CREATE MATERIALIZED VIEW totals AS SELECT shop_id, count(*) AS n FROM products GROUP BY shop_id;
CREATE TABLE events (at date NOT NULL, what text, PRIMARY KEY (at, what)) PARTITION BY RANGE (at);
CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
ALTER TABLE events ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON events USING (true);
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watch BEFORE INSERT ON shops FOR EACH ROW EXECUTE FUNCTION nothing();
INSERT INTO shops (name, zip, mood, moods) VALUES ('Tea', '123', 'PG-13', '{happy,so-so}');
INSERT INTO products (code, price, tags, data, weight, made, day, raw, big, address, span, shop_id) VALUES ('A1', 9.5, '{a,b}', '{"k": 1}', 1.5, '2024-02-29 12:00:00.5', '2024-02-29', '\\x00ff', 9007199254740993, '10.0.0.1', '[1,5)', 1);
INSERT INTO sales.lines VALUES (1, 1, 'A1');
INSERT INTO events VALUES ('2026-05-01', 'opened');
REFRESH MATERIALIZED VIEW totals;`;

describe('a database with a bit of everything', () => {
  let contract;
  let database;
  before(() => {
    database = postgres.createDatabase();
    const file = path.join(folder, 'script.sql');
    fs.writeFileSync(file, script);
    load(database, file);
    contract = introspect(database, '--schema', 'public', '--schema', 'sales');
  });

  const has = (...lines) => lines.forEach((line) => assert.ok(contract.includes(line), `no <${line}> in\n${contract}`));

  test('types, comments, enums and domains are told', () => {
    has('"Where things are sold"', '"As on the sign"', 'enum Mood {\n  happy\n  so_so @value(name: "so-so")\n  PG_13 @value(name: "PG-13")\n}', '# of the domain postcode CHECK', 'moods: [String] @column(type: "mood[]")', 'mood: Mood!',
      'zip: String @column(type: "character varying(10)") @length(max: 10)', 'tags: [String]!', 'data: JSON @column(type: "jsonb")', 'big: BigInt', 'raw: Bytes', 'made: DateTime', 'day: Date', 'weight: Float');
  });

  test('keys, references, generated columns and checks are told', () => {
    has('id: Int! @id @default(database: true) @readonly', 'gross: Decimal @default(database: true) @readonly', '@check(expr: "(price > 0)", message: "must fit products_price_check")',
      '@check(expr: "(salePrice == null || salePrice < 100000)"', 'onDelete: SET_NULL', '@resource(table: "sales.lines")', 'shopShop: Shop! @id', 'line: Int! @id @column(type: "smallint")');
  });

  test('what can not be told is named, and every table and column is somewhere', () => {
    has('the constraint odd: CHECK', 'the unique index one_open, because it is partial', 'the index by_tag', 'row-level security', 'everyone', 'events_2026, a partition of events', 'the trigger watch', 'Read-only: it is a view.',
      'Read-only: it is a materialized view.', 'Read-only: the table has no primary key.');
    const rows = postgres.query("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema IN ('public', 'sales') UNION SELECT 'totals', 'n'", database);
    const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
    for (const [table, column] of rows) {
      assert.ok(contract.includes(table) || contract.toLowerCase().includes(`type ${table.replace(/s$/, '')} `), `${table} is nowhere`);
      if (table !== 'events_2026') assert.ok(contract.includes(column) || contract.includes(camel(column)), `${table}.${column} is nowhere`);
    }
  });

  test('without --schema, the one that a bare name means', () => {
    assert.ok(!run(['introspect', postgres.url(database)]).stdout.includes('sales.'));
  });

  test('an address in libpq\'s own form is named by its database, and no part of it is shown', () => {
    const database = postgres.createDatabase();
    const { status, stdout, stderr } = run(['introspect', `host=${postgres.folder} port=${postgres.port} user=caisson password='a/secret' dbname=${database}`]);
    assert.equal(status, 0, stderr);
    assert.ok(stdout.startsWith(`# Written by caisson introspect postgresql://…/${database}\n`), stdout);
    assert.ok(stdout.includes(`@service(name: "${database}")`), stdout);
    assert.ok(!stdout.includes('secret'), stdout);
  });

  test('opened, it serves what is stored, and the schema is as it was', async () => {
    const was = dump(database);
    const server = await startServer({ contract: opened(contract), store: postgres.url(database), options: ['--threads', '1'] });
    const client = server.client();
    try {
      const get = async (target) => { const response = await client.request('GET', target); assert.equal(response.status, 200, `${target}: ${response.text}`); return JSON.parse(response.text); };
      const shop = await get('/v1/shops/1');
      assert.deepEqual(shop, { id: 1, name: 'Tea', zip: '123', mood: 'PG_13', moods: ['happy', 'so-so'] });
      const product = await get('/v1/products/A1');
      assert.deepEqual(product, { code: 'A1', price: '9.50', salePrice: null, tags: ['a', 'b'], data: { k: 1 }, weight: 1.5, made: '2024-02-29T12:00:00.5Z', day: '2024-02-29', raw: 'AP8=', big: '9007199254740993', open: true, address: '10.0.0.1/32', span: '[1,5)',
        gross: '19', shopId: 1, number: 1 });
      assert.deepEqual((await get('/v1/lines?fields=line,shopShop(name),productProduct(code)')).items, [{ line: 1, shopShop: { name: 'Tea' }, productProduct: { code: 'A1' } }]);
      assert.equal((await get('/v1/events')).items.length, 1);
      const made = await client.request('POST', '/v1/shops', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ name: 'New', mood: 'so_so', moods: ['PG-13'] }) });
      assert.equal(made.status, 201, made.text);
      assert.deepEqual(JSON.parse(made.text), { id: 2, name: 'New', zip: null, mood: 'so_so', moods: ['PG-13'] });
      const refused = await client.request('PATCH', '/v1/products/A1', { headers: { 'Content-Type': 'application/merge-patch+json' }, body: '{"price": "-1"}' });
      assert.equal(refused.status, 422, refused.text);
      assert.equal((await get('/v1/shops?mood=PG_13')).items.length, 1);
      for (const target of ['/v1/cheaps', '/v1/totals', '/v1/notes']) await get(target);
    } finally { client.close(); await server.stop(); removeFolder(server.folder); }
    assert.equal(dump(database), was);
  });
});

describe('Chinook', () => {
  const sources = process.env.CHINOOK_FOLDER ?? path.join(root, '../shared/data/chinook');
  const skip = fs.existsSync(path.join(sources, 'Chinook_PostgreSql.sql')) && fs.existsSync(path.join(sources, 'Chinook_Sqlite.sqlite')) ? false : 'no Chinook here';
  test('introspected and served from PostgreSQL it answers as from SQLite, question by question', { skip, timeout: 300000 }, async () => {
    const database = postgres.createDatabase();
    const file = path.join(folder, 'chinook.sql');
    // Its own database is made by the test.
    fs.writeFileSync(file, fs.readFileSync(path.join(sources, 'Chinook_PostgreSql.sql'), 'utf8').replace(/^(DROP DATABASE|CREATE DATABASE|\\c) .*$/gm, ''));
    load(database, file);
    const sqlite = path.join(folder, 'chinook.db');
    fs.copyFileSync(path.join(sources, 'Chinook_Sqlite.sqlite'), sqlite);
    fs.chmodSync(sqlite, 0o644);
    // The two editions differ in the blanks at some texts' ends.
    const trimmed = spawnSync('sqlite3', [sqlite, 'UPDATE Customer SET City = trim(City), Address = trim(Address); UPDATE Invoice SET BillingCity = trim(BillingCity), BillingAddress = trim(BillingAddress);'], { encoding: 'utf8' });
    assert.equal(trimmed.status, 0, trimmed.stderr);
    const was = dump(database);
    const contracts = [run(['introspect', `sqlite:${sqlite}`]).stdout, introspect(database)];
    const servers = await Promise.all([`sqlite:${sqlite}`, postgres.url(database)].map((store, i) => startServer({ contract: opened(contracts[i]), store, options: ['--threads', '1'] })));
    const clients = servers.map((server) => server.client());
    try {
      const types = contracts.map((text) => [...text.matchAll(/^type (\w+)/gm)].map((match) => match[1]).sort());
      assert.deepEqual(types[1], types[0]);
      const both = async (target) => {
        const [left, right] = await Promise.all(clients.map((client) => client.request('GET', target)));
        assert.equal(left.status, 200, `${target}: ${left.text}`);
        const at = left.text.split('').findIndex((c, i) => c !== right.text[i]);
        assert.ok(left.text === right.text, `${target}:\n  sqlite:   ${left.text.slice(Math.max(0, at - 200), at + 200)}\n  postgres: ${right.text.slice(Math.max(0, at - 200), at + 200)}`);
        return JSON.parse(left.text);
      };
      const pages = async (target) => {
        for (let cursor = ''; cursor !== null;) {
          const { nextCursor } = await both(`${target}${target.includes('?') ? '&' : '?'}limit=100&count=exact${cursor}`);
          cursor = nextCursor === null ? null : `&after=${encodeURIComponent(nextCursor)}`;
        }
      };
      for (const name of ['albums', 'artists', 'customers', 'employees', 'genres', 'invoices', 'invoice-lines', 'media-types', 'playlists', 'playlist-tracks', 'tracks']) await pages(`/v1/${name}`);
      await pages('/v1/artists?fields=artistId,name,albums(albumId,title,tracks(trackId,name,unitPrice))&albums.tracks.limit=50');
      for (const question of ['tracks?unitPrice[gt]=1&sort=-milliseconds,name', 'tracks?composer[isNull]=true&sort=album.title', 'customers?country[in]=Brazil,Canada&sort=country,-lastName', 'invoices?invoiceDate[gte]=2010-01-01T00:00:00Z&sort=-total',
        'tracks?name[contains]=Love&fields=name,album(title,artist(name))', 'employees?fields=lastName,reportsToEmployee(lastName),employees(lastName)', `tracks?filter=${encodeURIComponent('album.artist.name.startsWith("A") && milliseconds > 300000')}`,
        'invoices:aggregate?by=billingCountry&metrics=count,sum(total),avg(total),max(total)', 'tracks:aggregate?metrics=count,sum(milliseconds),min(unitPrice)', 'playlist-tracks/1,1', 'invoice-lines/1?fields=quantity,track(name),invoice(customer(supportRep(lastName)))']) await both(`/v1/${question}`);
    } finally { clients.forEach((client) => client.close()); for (const server of servers) { await server.stop(); removeFolder(server.folder); } }
    assert.equal(dump(database), was);
  });
});
