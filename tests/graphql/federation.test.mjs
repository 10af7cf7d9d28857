// federation.test.mjs - two servers as subgraphs: composed by Apollo's composition, asked through Apollo's gateway, and each by itself as a
// gateway would ask it.
import assert from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { composeServices } from '@apollo/composition';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse } from 'graphql';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const timeout = 120000;
const shop = `
extend schema @service(name: "shop")
"""What is sold."""
type Product @resource @access(read: "public || 'staff' in auth.roles", write: "'staff' in auth.roles") @unique(fields: ["maker", "model"]) {
  id: ID! @id
  sku: String! @unique
  name: String!
  public: Boolean! @default(value: true)
  maker: String
  model: String
  kind: Kind! @default(value: BOOK)
  size: Size
  parts: [Part!]!
}
enum Kind { BOOK TOY }
type Size { width: Int! }
type Part @resource @access(read: "true", write: "'staff' in auth.roles") { product: Product! @id number: Int! @id name: String! }
type Secret @resource @access(read: "'boss' in auth.roles", write: "'boss' in auth.roles") { id: ID! @id }
`;
const stock = `
extend schema @service(name: "stock")
type Shelf @resource @access(read: "true", write: "'staff' in auth.roles") { id: ID! @id place: String! count: Int! }
`;
const token = makeToken({ sub: 'sam', roles: ['staff'] });

async function open(contract) {
  const server = await startServer({ contract, options: ['--threads', '1'] });
  const client = server.client();
  server.ask = async (query, variables, bearer = token) => JSON.parse((await client.request('POST', '/graphql', {
    headers: { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) }, body: JSON.stringify({ query, variables }),
  })).text);
  server.close = async () => { client.close(); await server.stop(); removeFolder(server.folder); };
  return server;
}

let one;
let two;
before(async () => {
  one = await open(shop);
  two = await open(stock);
  const inputs = Array.from({ length: 120 }, (_, i) => ({ id: `p${i}`, sku: `S-${i}`, name: `Product ${i}`, public: i !== 7, maker: 'M', model: `m${i}`, kind: i % 2 ? 'TOY' : 'BOOK', size: { width: i } }));
  for (let i = 0; i < 120; i += 60) assert.equal((await one.ask('mutation($inputs: [ProductCreate!]!) { createProducts(inputs: $inputs) { id } }', { inputs: inputs.slice(i, i + 60) })).errors, undefined);
  assert.equal((await one.ask('mutation { createPart(input: {productId: "p1", number: 1, name: "lid"}) { name } }')).errors, undefined);
  assert.equal((await two.ask('mutation { createShelf(input: {id: "s1", place: "north", count: 3}) { id } }')).errors, undefined);
}, { timeout });
after(async () => { await one?.close(); await two?.close(); }, { timeout });

const sdlOf = async (server) => (await server.ask('{ _service { sdl } }')).data._service.sdl;
const entities = (representations, fields, bearer) => one.ask(`query($r: [_Any!]!) { _entities(representations: $r) { __typename ${fields} } }`, { r: representations }, bearer);

describe('_service', () => {
  test('tells a subgraph of Federation 2, with a key for every way to find a row', { timeout }, async () => {
    const sdl = await sdlOf(one);
    assert.match(sdl, /@link\(url: "https:\/\/specs\.apollo\.dev\/federation\/v2\.\d+"/);
    assert.match(sdl, /type Product implements Node @key\(fields: "id"\) @key\(fields: "sku"\) @key\(fields: "maker model"\) \{/);
    assert.match(sdl, /type Part implements Node @key\(fields: "productId number"\)/);
    for (const name of ['link', 'key', 'shareable', 'inaccessible', 'oneOf']) assert.match(sdl, new RegExp(`^directive @${name}\\b`, 'm'));
    assert.doesNotMatch(sdl, /_entities|_Entity|_Any|_Service/);
  });
  test('composes, alone and with another one', { timeout }, async () => {
    const services = [{ name: 'shop', typeDefs: parse(await sdlOf(one)) }, { name: 'stock', typeDefs: parse(await sdlOf(two)) }];
    for (const list of [[services[0]], services]) {
      const { errors, supergraphSdl } = composeServices(list);
      assert.deepEqual(errors ?? [], []);
      assert.match(supergraphSdl, /type Product/);
    }
    assert.ok(buildSubgraphSchema(services[0]).getType('Product'));
  });
});

describe('_entities', () => {
  test('by each of the keys, in the order of the representations', { timeout }, async () => {
    const answer = await entities([{ __typename: 'Product', sku: 'S-2' }, { __typename: 'Product', id: 'p1', name: 'ignored' }, { __typename: 'Product', maker: 'M', model: 'm3' },
      { __typename: 'Part', productId: 'p1', number: 1 }, { __typename: 'Product', id: 'none' }, { __typename: 'Product', id: 'p1' }],
      '... on Product { id kind size { width } parts { totalCount } } ... on Part { name product { name } }');
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    const product = (n, parts) => ({ __typename: 'Product', id: `p${n}`, kind: n % 2 ? 'TOY' : 'BOOK', size: { width: n }, parts: { totalCount: parts } });
    assert.deepEqual(answer.data._entities, [product(2, 0), product(1, 1), product(3, 0), { __typename: 'Part', name: 'lid', product: { name: 'Product 1' } }, null, product(1, 1)]);
  });
  test('under the rules of who asks', { timeout }, async () => {
    const asked = [{ __typename: 'Product', id: 'p7' }, { __typename: 'Product', id: 'p8' }];
    assert.deepEqual((await entities(asked, '... on Product { id }', null)).data._entities, [null, { __typename: 'Product', id: 'p8' }]);
    assert.deepEqual((await entities(asked, '... on Product { id }')).data._entities.map(({ id }) => id), ['p7', 'p8']);
    const refused = await entities([{ __typename: 'Product', id: 'p8' }, { __typename: 'Secret', id: 'x' }], '... on Product { id }');
    assert.deepEqual(refused.data._entities, [{ __typename: 'Product', id: 'p8' }, null]);
    assert.deepEqual(refused.errors.map(({ path, extensions }) => [path, extensions.code]), [[['_entities', 1], 'FORBIDDEN']]);
  });
  test('more than a page of them', { timeout }, async () => {
    const asked = Array.from({ length: 120 }, (_, i) => ({ __typename: 'Product', id: `p${119 - i}` }));
    const answer = await entities(asked, '... on Product { id }');
    assert.deepEqual(answer.data._entities.map((entity) => entity?.id), asked.map(({ id }) => id));
  });
  test('what names no row of an entity is refused', { timeout }, async () => {
    for (const wrong of [{}, { __typename: 'Nothing', id: 'x' }, { __typename: 'Size', width: 1 }, { __typename: 'Product' }, { __typename: 'Product', name: 'x' }, { __typename: 'Product', maker: 'M' }, 'x', 5, []]) {
      const answer = await entities([wrong], '');
      assert.deepEqual([answer.data, answer.errors?.[0].extensions.code], [undefined, 'BAD_REQUEST'], JSON.stringify(wrong));
    }
    assert.deepEqual((await entities([], '')).data, { _entities: [] });
    assert.deepEqual((await entities([{ __typename: 'Part', productId: 'p1', number: 'x' }], '')).data, { _entities: [null] }, 'a key that can be no row\'s');
  });
});

test('Apollo\'s gateway answers from both', { timeout }, async () => {
  const addresses = { shop: one.addresses[0], stock: two.addresses[0] };
  const { supergraphSdl, errors } = composeServices([{ name: 'shop', typeDefs: parse(await sdlOf(one)), url: `${addresses.shop}/graphql` }, { name: 'stock', typeDefs: parse(await sdlOf(two)), url: `${addresses.stock}/graphql` },
    { name: 'reviews', typeDefs: parse('extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"]) type Query { best: Product } type Product @key(fields: "sku", resolvable: false) { sku: String! }') }]);
  assert.deepEqual(errors ?? [], []);
  class Source extends RemoteGraphQLDataSource {
    willSendRequest({ request }) { request.http.headers.set('authorization', `Bearer ${token}`); }
  }
  const reviews = { process: async () => ({ data: { best: { __typename: 'Product', sku: 'S-5' } } }) };
  const gateway = new ApolloGateway({ supergraphSdl, buildService: ({ name, url }) => (name === 'reviews' ? reviews : new Source({ url })) });
  const { executor } = await gateway.load();
  const ask = async (text) => executor({ document: parse(text), request: { query: text, http: { headers: new Map() } }, queryHash: text, context: {}, cache: new Map(), schema: gateway.schema, metrics: {}, overallCachePolicy: {}, operationName: null, source: text });
  const plain = await ask('{ product(id: "p1") { name size { width } } shelf(id: "s1") { place } }');
  assert.equal(plain.errors, undefined, JSON.stringify(plain.errors));
  assert.deepEqual(JSON.parse(JSON.stringify(plain.data)), { product: { name: 'Product 1', size: { width: 1 } }, shelf: { place: 'north' } });
  const joined = await ask('{ best { sku name parts { totalCount } } }');
  assert.equal(joined.errors, undefined, JSON.stringify(joined.errors));
  assert.deepEqual(JSON.parse(JSON.stringify(joined.data)), { best: { sku: 'S-5', name: 'Product 5', parts: { totalCount: 0 } } });
  await gateway.stop();
});
