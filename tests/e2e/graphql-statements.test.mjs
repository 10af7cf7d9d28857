// graphql-statements.test.mjs - how many statements PostgreSQL is asked for a GraphQL document, as pg_stat_statements counts them: one for rows
// with their to-one relations, however many there are; one for a hundred entities.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const timeout = 120000;
const contract = `
extend schema @service(name: "shop")
type Shop @resource @access(read: "true", write: "true") { id: ID! @id name: String! shelves: [Shelf!]! }
type Shelf @resource @access(read: "true", write: "true") { id: ID! @id shop: Shop! items: [Item!]! }
type Item @resource @access(read: "true", write: "true") { id: ID! @id shelf: Shelf! maker: Maker }
type Maker @resource @access(read: "true", write: "true") { id: ID! @id name: String! }
`;
const token = makeToken({ sub: 'sam' });
let postgres;
let server;
let client;
let database;

async function ask(query, variables) {
  const response = await client.request('POST', '/graphql', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` }, body: JSON.stringify({ query, variables }) });
  const { data, errors } = JSON.parse(response.text);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

// Statements over the contract's tables, between two readings.
function count() {
  const [[calls]] = postgres.query(`SELECT coalesce(sum(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = '${database}' AND query ~ '(shops|shelves|items|makers)' AND query ~* '^\\s*(SELECT|WITH)'`);
  return Number(calls);
}
async function statements(query, variables) {
  await ask(query, variables);
  const first = count();
  await ask(query, variables);
  return count() - first;
}

before(async () => {
  postgres = await startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements', 'pg_stat_statements.track': 'all' } });
  postgres.query('CREATE EXTENSION pg_stat_statements');
  database = postgres.createDatabase();
  server = await startServer({ contract, store: postgres.url(database), options: ['--threads', '1', '--migrate', '--graphql-cost-max', '100000000'] });
  client = server.client();
}, { timeout });
after(async () => {
  client?.close();
  await server?.stop();
  if (server) removeFolder(server.folder);
  await postgres?.remove();
}, { timeout });

test('what the other tests ask for is there', { timeout }, async () => {
  await ask('mutation { createMaker(input: {id: "m", name: "M"}) { id } createShop(input: {id: "a", name: "A", shelves: {create: [{id: "a1", items: {create: [{id: "a11", makerId: "m"}]}}]}}) { id } }');
  for (let shop = 0; shop < 12; shop++) {
    const shelves = Array.from({ length: 4 }, (_, i) => ({ id: `s${shop}-${i}`, items: { create: Array.from({ length: 4 }, (_, k) => ({ id: `i${shop}-${i}-${k}`, makerId: 'm' })) } }));
    await ask('mutation($input: ShopCreate!) { createShop(input: $input) { id } }', { input: { id: `shop${shop}`, name: 'S', shelves: { create: shelves } } });
  }
  assert.equal((await ask('{ items(first: 0) { totalCount } }')).items.totalCount, 193);
});
test('a row with its to-one relation is one statement, as a list of them is', { timeout }, async () => {
  assert.equal(await statements('{ item(id: "a11") { id maker { name } shelf { shop { name } } } }'), 1);
  assert.equal(await statements('{ items(first: 50) { nodes { id maker { name } shelf { shop { name } } } } }'), 1);
});
test('a hundred entities of one type are one statement', { timeout }, async () => {
  const r = Array.from({ length: 100 }, (_, i) => ({ __typename: 'Item', id: `i${i % 12}-${i % 4}-${(i >> 2) % 4}` }));
  const query = 'query($r: [_Any!]!) { _entities(representations: $r) { ... on Item { id maker { name } } } }';
  assert.ok((await ask(query, { r }))._entities.every((entity) => entity !== null));
  assert.equal(await statements(query, { r }), 1);
});
// One at each level, whatever is in it; a count of a list is one more.
test('nested lists are a statement a level, however many rows hold them', { timeout }, async () => {
  const nested = (first) => `{ shops(first: ${first}) { nodes { id shelves(first: 10) { nodes { id items(first: 10) { nodes { id maker { name } } } } } } } }`;
  assert.equal((await ask(nested(50))).shops.nodes.flatMap((shop) => shop.shelves.nodes).flatMap((shelf) => shelf.items.nodes).length, 193);
  assert.equal(await statements(nested(1)), 3);
  assert.equal(await statements(nested(50)), 3);
  assert.equal(await statements('{ shops(first: 50) { nodes { shelves(first: 2) { totalCount nodes { id } } } } }'), 3);
});
