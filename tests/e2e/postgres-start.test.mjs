// postgres-start.test.mjs - starting on PostgreSQL: whose tables are changed and when, what is printed, and what never is.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { password, startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, run, secret, startServer } from '../support/server.mjs';

const shop = (more = '', inner = '') => `extend schema @service(name: "shop")
enum Kind { BLACK GREEN }
type Tea @resource @access(read: "true", write: "true") {
  id: ID!
  name: String! @unique
  kind: Kind! @default(value: GREEN)
  tags: [String!]! @default(value: ["new"])
  price: Decimal @decimal(scale: 2)
  ${inner}
}
${more}`;

let postgres;
let folder;
before(async () => { postgres = await startPostgres({ tcp: true }); folder = makeFolder(); });
after(async () => { await postgres?.remove(); if (folder) removeFolder(folder); });

const env = { ...process.env, CAISSON_JWT_SECRET: secret, CAISSON_LOG: 'off' };
const write = (contract) => { const file = path.join(folder, 'shop.graphql'); fs.writeFileSync(file, contract); return file; };
const refuse = (contract, url, ...options) => run(['serve', write(contract), '--listen', '127.0.0.1:0', '--store', url, ...options], { env });
const tables = (database) => postgres.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1", database).flat();

async function serve(contract, url, options = ['--migrate']) {
  const place = makeFolder();
  const server = await startServer({ contract, store: url, folder: place, options: ['--threads', '1', ...options] });
  const stop = server.stop;
  server.stop = async () => { await stop(); removeFolder(place); };
  return server;
}

async function ask(server, method, target, body) {
  const client = server.client();
  const answer = await client.request(method, target, body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  client.close();
  return { status: answer.status, body: answer.text === '' ? null : JSON.parse(answer.text) };
}

test('without --migrate an empty database stops the start: the plan and the command are printed, nothing is changed', () => {
  const database = postgres.createDatabase();
  const result = refuse(shop(), postgres.tcpUrl(database));
  assert.equal(result.status, 1, result.stderr);
  assert.match(result.stderr, /table teas is missing/);
  assert.match(result.stderr, /CREATE TABLE "teas"/);
  assert.match(result.stderr, /caisson serve CONTRACT --migrate/);
  assert.ok(!result.stderr.includes(password));
  assert.deepEqual(tables(database), []);
});

test('--migrate makes the tables with the types that are promised; then none is needed', { timeout: 60000 }, async () => {
  const database = postgres.createDatabase();
  const server = await serve(shop(), postgres.tcpUrl(database));
  assert.deepEqual(tables(database), ['caisson_changes', 'caisson_meta', 'teas']);
  const types = postgres.query("SELECT attname, format_type(atttypid, atttypmod), coalesce((SELECT collname FROM pg_collation c WHERE c.oid = attcollation AND collname = 'C'), '') FROM pg_attribute WHERE attrelid = 'teas'::regclass AND attnum > 0 ORDER BY attnum", database);
  assert.deepEqual(types, [['id', 'uuid', ''], ['name', 'text', 'C'], ['kind', 'text', 'C'], ['tags', 'text[]', ''], ['price', 'numeric', '']]);
  assert.throws(() => postgres.query("INSERT INTO teas (id, name, kind) VALUES (gen_random_uuid(), 'x', 'WHITE')", database), /check/);
  postgres.query("INSERT INTO teas (id, name) VALUES ('01234567-89ab-7def-8123-456789abcdef', 'by hand')", database);
  const read = await ask(server, 'GET', '/v1/teas');
  assert.deepEqual(read.body.items, [{ id: '01234567-89ab-7def-8123-456789abcdef', name: 'by hand', kind: 'GREEN', tags: ['new'], price: null }]);
  await server.stop();
  const again = await serve(shop(), postgres.tcpUrl(database), []);
  await again.stop();
});

// PostgreSQL keeps 63 bytes of a name.
const longField = 'harvestedByTheHandsOfTheGardenersOfTheUpperHillside', longType = 'LeafOfTheGardenersOfTheUpperHillsideAboveDarjeeling';
for (const [what, type, field] of [['a column', 'Leaf', longField], ['a table', longType, 'season'], ['both', longType, longField]]) {
  test(`names of indexes and constraints that would be longer than PostgreSQL keeps are found again at the next start: ${what} is long`, { timeout: 60000 }, async () => {
    const database = postgres.createDatabase();
    const contract = (indexes) => `extend schema @service(name: "shop")
enum Kind { BLACK GREEN }
type ${type} @resource @access(read: "true", write: "true") @search(fields: ["${field}"]) ${indexes} {
  id: ID!
  ${field}: String! @unique
  kindOfTheLeafAsTheGardenersSayIt: Kind!
  mother: ${type}
}`;
    const indexes = () => postgres.query("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND tablename LIKE 'lea%' ORDER BY 1", database).flat();
    const one = `@index(fields: ["${field}", "kindOfTheLeafAsTheGardenersSayIt"])`, both = `${one} @index(fields: ["kindOfTheLeafAsTheGardenersSayIt", "${field}"])`;
    await (await serve(contract(both), postgres.tcpUrl(database))).stop();
    const made = indexes();
    // The key, the unique field, two of @index, the relation's and the search's.
    assert.equal(made.length, 6, made.join(' '));
    assert.ok(made.some((name) => name.length >= 60), made.join(' '));
    await (await serve(contract(both), postgres.tcpUrl(database), [])).stop();
    const plan = run(['migrate', 'plan', write(contract(one)), '--dir', path.join(folder, 'nowhere'), '--store', postgres.tcpUrl(database)], { env });
    assert.deepEqual([...plan.stdout.matchAll(/^DROP INDEX .*"(\w+)";$/gm)].map(([, name]) => made.includes(name)), [true], plan.stdout + plan.stderr);
  });
}

test('a table or column of a name that PostgreSQL does not keep is refused with the directive that mends it', () => {
  const database = postgres.createDatabase();
  const said = (contract) => { const { status, stderr } = refuse(`extend schema @service(name: "shop")\n${contract}`, postgres.tcpUrl(database), '--migrate'); assert.equal(status, 1); return stderr; };
  assert.match(said(`type ${longType}s @resource @access(read: "true") { id: ID! }\ntype ${longType}andEverywhere @resource @access(read: "true") { id: ID! }`),
    /PostgreSQL keeps 63 bytes of a name: @resource\(table:\) gives another to LeafOf\w+'s table leaf_of_\w+\n$/);
  assert.match(said(`type Leaf @resource @access(read: "true") { id: ID! ${longField}AtDawn: Int }`),
    /PostgreSQL keeps 63 bytes of a name: @column\(name:\) gives another to Leaf's column harvested_\w+_at_dawn\n$/);
  assert.match(said(`type Leaf @resource @access(read: "true") { id: ID! ${longField}At: Leaf }`),
    /PostgreSQL keeps 63 bytes of a name: @relation\(columns:\) gives another to Leaf's column harvested_\w+_at_id\n$/);
  assert.deepEqual(tables(database), []);
});

test('what only adds is added; what would lose or guess is a difference', { timeout: 60000 }, async () => {
  const database = postgres.createDatabase();
  const first = await serve(shop(), postgres.tcpUrl(database));
  assert.equal((await ask(first, 'POST', '/v1/teas', { name: 'one' })).status, 201);
  await first.stop();
  const more = 'type Shop @resource @access(read: "true", write: "true") { id: ID! teas: [Tea!]! }';
  const second = await serve(shop(more, 'shop: Shop origin: String @default(value: "Assam")'), postgres.tcpUrl(database));
  const read = await ask(second, 'GET', '/v1/teas?fields=name,origin,shopId');
  assert.deepEqual(read.body.items, [{ name: 'one', origin: 'Assam', shopId: null }]);
  assert.deepEqual(postgres.query("SELECT conname FROM pg_constraint WHERE contype = 'f'", database), [['teas_shop_id_fkey']]);
  await second.stop();
  const required = refuse(shop(more, 'shop: Shop origin: String @default(value: "Assam") year: Int!'), postgres.tcpUrl(database), '--migrate');
  assert.equal(required.status, 1);
  assert.match(required.stderr, /column teas\.year is missing, and can't be added/);
  const fewer = refuse(shop(), postgres.tcpUrl(database), '--migrate');
  assert.equal(fewer.status, 1);
  assert.match(fewer.stderr, /column teas\.origin is not in the contract/);
  assert.match(fewer.stderr, /table shops is not in the contract/);
});

test('a unique index that the rows break is refused with its name, and nothing of the plan stays', { timeout: 60000 }, async () => {
  const database = postgres.createDatabase();
  const first = await serve(shop(), postgres.tcpUrl(database));
  for (const name of ['a', 'b']) await ask(first, 'POST', '/v1/teas', { name });
  await first.stop();
  const result = refuse(shop().replace('kind: Kind!', 'kind: Kind! @unique').replace('price:', 'origin: String price:'), postgres.tcpUrl(database), '--migrate');
  assert.equal(result.status, 1, result.stderr);
  assert.match(result.stderr, /index teas_kind_unique is made, which is unique: 2 rows do not fit, such as [-0-9a-f]{36}, [-0-9a-f]{36}\n/);
  assert.deepEqual(postgres.query("SELECT attname FROM pg_attribute WHERE attrelid = 'teas'::regclass AND attname = 'origin'", database), []);
});

test('a database that others made is served, and never changed', { timeout: 60000 }, async () => {
  const database = postgres.createDatabase();
  postgres.query(`CREATE TYPE mood AS ENUM ('calm', 'wild');
    CREATE TABLE cats (id serial PRIMARY KEY, name varchar(20) NOT NULL, mood mood, born timestamp, weight real, code char(6), extra jsonb, tags text[]);
    INSERT INTO cats (name, mood, born, weight, code, extra, tags) VALUES ('Tom', 'calm', '2020-01-02 03:04:05.5', 4.1, 'ab', '{"b": [1, 2], "a": null}', '{x,NULL,"y z"}')`, database);
  const contract = `extend schema @service(name: "cats")
type Cat @resource @access(read: "true", write: "true") {
  id: Int! @id @column(type: "integer")
  name: String! @column(type: "varchar(20)")
  mood: String @column(type: "mood")
  born: DateTime @column(type: "timestamp")
  weight: Float @column(type: "real")
  code: String @column(type: "char(6)")
  extra: JSON @column(type: "jsonb")
  tags: [String] @column(type: "text[]")
}
`;
  const server = await serve(contract, postgres.url(database));
  const tom = { id: 1, name: 'Tom', mood: 'calm', born: '2020-01-02T03:04:05.5Z', weight: 4.1, code: 'ab', extra: { a: null, b: [1, 2] }, tags: ['x', null, 'y z'] };
  assert.deepEqual((await ask(server, 'GET', '/v1/cats')).body.items, [tom]);
  assert.deepEqual((await ask(server, 'GET', '/v1/cats?mood=calm&code=ab&born[gte]=2020-01-02T03:04:05Z')).body.items, [tom]);
  const created = await ask(server, 'POST', '/v1/cats', { ...tom, id: 2, mood: 'wild', born: '2021-01-01T00:00:00+01:00' });
  assert.equal(created.status, 201, JSON.stringify(created.body));
  assert.deepEqual(created.body, { ...tom, id: 2, mood: 'wild', born: '2020-12-31T23:00:00Z' });
  assert.deepEqual(tables(database), ['cats']);
  await server.stop();
  const wider = refuse(contract.replace('name: String!', 'age: Int\n  name: String!'), postgres.url(database), '--migrate');
  assert.equal(wider.status, 1);
  assert.match(wider.stderr, /column cats\.age is missing, and this database was not made by Caisson/);
});

test('a database that cannot be reached: exit 3, and the password is not shown', () => {
  for (const url of [postgres.tcpUrl('nowhere'), postgres.tcpUrl('postgres').replace(password, `${password}x`), `postgresql://caisson:${password}@127.0.0.1:1/postgres`]) {
    const result = refuse(shop(), url);
    assert.equal(result.status, 3, result.stderr);
    assert.ok(!result.stderr.includes(password), result.stderr);
  }
  const malformed = refuse(shop(), `postgresql://caisson:${password}@127.0.0.1/postgres?${password}=1`);
  assert.equal(malformed.status, 2, malformed.stderr);
  assert.ok(!malformed.stderr.includes(password), malformed.stderr);
});

test("libpq's connection strings, its schemas by search_path, and statements that are not prepared", { timeout: 60000 }, async () => {
  const database = postgres.createDatabase();
  postgres.query('CREATE SCHEMA one; CREATE SCHEMA two', database);
  for (const schema of ['one', 'two']) {
    const url = `host=${postgres.folder} port=${postgres.port} user=caisson dbname=${database} options='-c search_path=${schema}'`;
    const server = await serve(shop(), url, ['--migrate', '--store-prepared', 'off', '--store-connections', '4']);
    assert.equal((await ask(server, 'POST', '/v1/teas', { name: schema })).status, 201);
    assert.deepEqual((await ask(server, 'GET', '/v1/teas?fields=name')).body.items, [{ name: schema }]);
    assert.deepEqual(postgres.query(`SELECT name FROM ${schema}.teas`, database), [[schema]]);
    await server.stop();
  }
});
