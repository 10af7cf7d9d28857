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

// What the federation-subgraph-compatibility suite of Apollo asks, of its "products" subgraph as a contract: its router and images can't be
// had here, so its other two subgraphs are answered by functions, and the gateway is the one in JavaScript.
describe('the compatibility suite', () => {
  const products = `
extend schema @service(name: "products")
type Product @resource @access(read: "true", write: "true") @unique(fields: ["sku", "package"]) @unique(fields: ["sku", "variationId"]) {
  id: ID! @id
  sku: String
  package: String
  variationId: ID
  dimensions: ProductDimension
  createdBy: User
  notes: String @tag(name: "internal")
  research: [ProductResearch!]! @tag(name: "internal") @tag(name: "study/cases")
}
type DeprecatedProduct @resource @access(read: "true", write: "true") @tag(name: "old") { sku: String! @id package: String! @id reason: String createdBy: User }
type ProductResearch @resource @access(read: "true", write: "true") { caseNumber: ID! @id outcome: String product: Product }
type ProductDimension { size: String @shareable weight: Float @shareable unit: String @inaccessible @shareable }
type User @resource @access(read: "true", write: "true") { email: ID! @id name: String @override(from: "users") }
type Inventory @resource @access(read: "true", write: "true") @interfaceObject { id: ID! @id shelf: String }
`;
  const users = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
type Query { anybody: User }
type User @key(fields: "email") { email: ID! name: String totalProductsCreated: Int }`;
  const inventory = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
type Query { stock: Inventory size: ProductDimension }
interface Inventory @key(fields: "id") { id: ID! }
type Store implements Inventory @key(fields: "id") { id: ID! city: String }
type ProductDimension @shareable { size: String weight: Float unit: String }`;
  let server;
  let sdl;
  before(async () => {
    server = await open(products);
    sdl = await sdlOf(server);
    const made = await server.ask(`mutation {
      createUser(input: {email: "ann@example.com", name: "Ann"}) { email }
      createProduct(input: {id: "apollo-federation", sku: "federation", package: "@apollo/federation", variationId: "OSS", dimensions: {size: "small", weight: 1, unit: "kg"}, createdByEmail: "ann@example.com"}) { id }
      createDeprecatedProduct(input: {sku: "apollo-v1", package: "@apollo/v1", reason: "old"}) { sku }
      createProductResearch(input: {caseNumber: "1234", outcome: "fine", productId: "apollo-federation"}) { caseNumber }
      createInventory(input: {id: "store-1", shelf: "north"}) { id } }`);
    assert.equal(made.errors, undefined, JSON.stringify(made.errors));
  }, { timeout });
  after(() => server?.close(), { timeout });

  const compose = () => composeServices([{ name: 'products', typeDefs: parse(sdl), url: `${server.addresses[0]}/graphql` }, { name: 'users', typeDefs: parse(users) }, { name: 'inventory', typeDefs: parse(inventory) }]);
  const bodyOf = (type) => new RegExp(`^type ${type}\\b[^{]*\\{[^}]*\\}`, 'm').exec(sdl)[0];
  async function entity(representation, fields) {
    const answer = await server.ask(`query($r: [_Any!]!) { _entities(representations: $r) { ${fields} } }`, { r: [representation] });
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    return answer.data._entities[0];
  }

  test('@link', { timeout }, () => {
    for (const name of ['@key', '@shareable', '@inaccessible', '@override', '@tag', '@interfaceObject']) {
      assert.match(sdl, new RegExp(`@link\\(url: "https://specs\\.apollo\\.dev/federation/v2\\.3", import: \\[[^\\]]*"${name}"`));
    }
  });
  test('@key of one field', { timeout }, async () => {
    assert.match(bodyOf('User'), /@key\(fields: "email"\)/);
    assert.deepEqual(await entity({ __typename: 'User', email: 'ann@example.com' }, '... on User { name }'), { name: 'Ann' });
  });
  test('@key of several fields', { timeout }, async () => {
    assert.match(bodyOf('DeprecatedProduct'), /@key\(fields: "sku package"\)/);
    assert.deepEqual(await entity({ __typename: 'DeprecatedProduct', sku: 'apollo-v1', package: '@apollo/v1' }, '... on DeprecatedProduct { reason }'), { reason: 'old' });
  });
  test('@key several times', { timeout }, async () => {
    assert.match(bodyOf('Product'), /@key\(fields: "id"\) @key\(fields: "sku package"\) @key\(fields: "sku variationId"\)/);
    for (const key of [{ id: 'apollo-federation' }, { sku: 'federation', package: '@apollo/federation' }, { sku: 'federation', variationId: 'OSS' }]) {
      assert.deepEqual(await entity({ __typename: 'Product', ...key }, '... on Product { id createdBy { name } }'), { id: 'apollo-federation', createdBy: { name: 'Ann' } });
    }
  });
  test('@shareable, @inaccessible, @tag, @override, @interfaceObject stand where the contract has them, and nowhere else', { timeout }, () => {
    assert.match(bodyOf('ProductDimension'), /size: String @shareable\n.*weight: Float @shareable\n.*unit: String @shareable @inaccessible\n/);
    assert.match(bodyOf('Product'), /notes: String @tag\(name: "internal"\)\n/);
    assert.match(bodyOf('Product'), /research\(.*\): ProductResearchConnection! @tag\(name: "internal"\) @tag\(name: "study\/cases"\)\n/);
    assert.match(bodyOf('DeprecatedProduct'), /@tag\(name: "old"\)/);
    assert.match(bodyOf('User'), /name: String @override\(from: "users"\)\n/);
    assert.match(bodyOf('Inventory'), /^type Inventory [^{]*@interfaceObject @key\(fields: "id"\)/);
    assert.equal(sdl.split('@interfaceObject').length, 2 + 2, 'the import, the definition, the type');
    assert.doesNotMatch(bodyOf('ProductConnection'), /@shareable|@tag/);
    assert.doesNotMatch(/^input ProductWhere \{[^}]*\}/m.exec(sdl)[0], /@tag/);
  });
  test('all of it composes, and the gateway goes by it', { timeout }, async () => {
    const { errors, supergraphSdl } = compose();
    assert.deepEqual(errors ?? [], []);
    assert.match(supergraphSdl, /name: String @join__field\([^)]*override: "users"/);
    assert.match(supergraphSdl, /notes: String .*@tag\(name: "internal"\)/);
    assert.match(supergraphSdl, /unit: String .*@inaccessible/);
    assert.match(supergraphSdl, /isInterfaceObject: true/);
    const asked = [];
    const answers = {
      users: ({ request }) => { asked.push(request.query); return { data: request.query.includes('_entities') ? { _entities: [{ totalProductsCreated: 7 }] } : { anybody: { __typename: 'User', email: 'ann@example.com' } } }; },
      inventory: ({ request }) => { asked.push(request.query); return { data: request.query.includes('_entities') ? { _entities: [{ __typename: 'Store' }] } : { stock: { __typename: 'Store', id: 'store-1', city: 'York' } } }; },
    };
    const gateway = new ApolloGateway({ supergraphSdl, buildService: ({ name, url }) => (name in answers ? { process: async (context) => answers[name](context) } : new RemoteGraphQLDataSource({ url })) });
    const { executor } = await gateway.load();
    const ask = async (text) => JSON.parse(JSON.stringify(await executor({ document: parse(text), request: { query: text, http: { headers: new Map() } }, queryHash: text, context: {}, cache: new Map(), schema: gateway.schema, metrics: {}, overallCachePolicy: {}, operationName: null, source: text })));
    assert.deepEqual(await ask('{ product(id: "apollo-federation") { dimensions { size } createdBy { email name totalProductsCreated } } }'),
      { data: { product: { dimensions: { size: 'small' }, createdBy: { email: 'ann@example.com', name: 'Ann', totalProductsCreated: 7 } } } });
    assert.deepEqual(await ask('{ anybody { name } }'), { data: { anybody: { name: 'Ann' } } });
    assert.ok(asked.every((query) => !/\bname\b/.test(query)), '"name" has moved here: the other is not asked for it');
    assert.deepEqual(await ask('{ stock { id shelf ... on Store { city } } }'), { data: { stock: { id: 'store-1', shelf: 'north', city: 'York' } } });
    await gateway.stop();
  });
});

describe('names that two of them have', () => {
  const open_ = '@access(read: "true", write: "true")';
  const composed = async (...contracts) => {
    const servers = [];
    try {
      for (const contract of contracts) servers.push(await open(contract));
      const list = [];
      for (const [i, server] of servers.entries()) list.push({ name: `service${i}`, typeDefs: parse(await sdlOf(server)), url: `${server.addresses[0]}/graphql` });
      const { errors, supergraphSdl } = composeServices(list);
      assert.deepEqual((errors ?? []).map(({ message }) => message), []);
      return { sdl: supergraphSdl, answer: async (i, query, variables) => servers[i].ask(query, variables) };
    } finally {
      for (const server of servers) await server.close();
    }
  };
  const users = (more = '') => `extend schema @service(name: "users")\ntype User @resource @shareable ${open_} { id: ID! @id name: String! age: Int ${more} }\n`;

  test('a type Order is no trap: the order of a list is called SortOrder in every subgraph', { timeout }, async () => {
    const orders = `extend schema @service(name: "shop")\ntype Order @resource ${open_} { id: ID! @id total: Int! }\n`;
    const { sdl } = await composed(orders, stock);
    assert.match(sdl, /^type Order\b/m);
    assert.match(sdl, /^enum SortOrder\b/m);
    assert.doesNotMatch(sdl, /^enum Order\b/m);
  });
  test('a gateway\'s variables may have that type; by themselves services call it as they did', { timeout }, async () => {
    const answer = await two.ask('query($direction: SortOrder!) { shelves(orderBy: [{ place: $direction }]) { totalCount } }', { direction: 'DESC' });
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    assert.equal((await two.ask('query($direction: Order!) { shelves(orderBy: [{ place: $direction }]) { totalCount } }', { direction: 'DESC' })).errors, undefined);
    const names = (await two.ask('{ __schema { types { name } } }')).data.__schema.types.map(({ name }) => name);
    assert.deepEqual([names.includes('Order'), names.includes('SortOrder')], [true, false]);
  });
  test('a shareable type is so with all that is made of it, but for its subscription, which no two may give', { timeout }, async () => {
    const { sdl } = await composed(users('pets: [Pet!]!') + `type Pet @resource ${open_} { id: ID! @id user: User! }\n`, users());
    assert.match(sdl, /^ +users\(.*\): UserConnection!(?! @join__field\(graph: SERVICE0\)$)/m);
    assert.match(sdl, /^ +createUser\(/m);
    assert.match(sdl, /^ +petChanged\(/m);
    assert.doesNotMatch(sdl, /^ +userChanged\(/m);
  });
  test('where nothing else is watched there is no Subscription', { timeout }, async () => {
    const { sdl } = await composed(users(), users());
    assert.doesNotMatch(sdl, /^type Subscription\b/m);
  });
});
