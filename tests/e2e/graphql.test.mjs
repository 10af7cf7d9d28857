// graphql.test.mjs - the GraphQL face over HTTP (INTERFACE §4) over both stores, on a contract with relations both ways, rules and a composite key.
import assert from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
"""What is sold."""
type Product @resource @access(read: "true", write: "'staff' in auth.roles") @unique(fields: ["category", "name"]) @search(fields: ["name", "sku"]) {
  id: ID! @id
  sku: String! @unique @pattern(regex: "^[A-Z0-9-]{3,32}$")
  "As customers see it."
  name: String! @length(min: 1, max: 40)
  price: Decimal! @range(min: "0")
  stock: Int! @default(value: 0)
  cost: Decimal @access(read: "'staff' in auth.roles")
  status: Status! @default(value: ACTIVE)
  tags: [String!]
  size: Size
  category: Category
  reviews: [Review!]!
}
enum Status { ACTIVE GONE }
type Size { width: Int! height: Int }
type Category @resource @access(read: "true", write: "'staff' in auth.roles") {
  id: ID! @id
  name: String!
  products: [Product!]!
}
type Review @resource @access(read: "published || author == auth.id", create: "auth.id != null", update: "old.author == auth.id", delete: "author == auth.id") {
  id: ID!
  product: Product! @relation(onDelete: CASCADE)
  author: String! @default(expr: "auth.id") @readonly
  stars: Int! @range(min: 1, max: 5)
  text: String
  published: Boolean! @default(value: true)
}
type Stock @resource @access(read: "true", write: "'staff' in auth.roles") {
  shop: String! @id
  product: Product! @id
  count: BigInt!
}
type Secret @resource @access(read: "'boss' in auth.roles", write: "'boss' in auth.roles") { id: ID! @id word: String! }
`;

const staff = makeToken({ sub: 'sam', roles: ['staff'] });
const ann = makeToken({ sub: 'ann' });
// One database server for the stores that need one.
let postgres;
const stores = {
  SQLite: async () => ({}),
  PostgreSQL: async () => {
    postgres ??= await startPostgres();
    return { store: postgres.url(postgres.createDatabase()), options: ['--migrate'] };
  },
};
after(() => postgres?.remove(), { timeout: 60000 });

for (const [storeName, openStore] of Object.entries(stores)) describe(storeName, () => {
  let server;
  let client;
  const folder = makeFolder();

  async function send(query, { variables, token = staff, headers = {}, operationName, ...more } = {}) {
    const response = await client.request('POST', '/graphql', {
      headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}), ...headers },
      body: JSON.stringify({ query, variables, operationName, ...more }),
    });
    return { status: response.status, headers: response.headers, ...JSON.parse(response.text) };
  }

  async function data(query, options) {
    const answer = await send(query, options);
    assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
    assert.equal(answer.status, 200);
    return answer.data;
  }

  before(async () => {
    const { store, options = [] } = await openStore();
    server = await startServer({ contract, folder, store, options: ['--threads', '2', ...options] });
    client = server.client();
    await data(`mutation {
      a: createCategory(input: {id: "tea", name: "Tea"}) { id }
      b: createCategory(input: {id: "mugs", name: "Mugs"}) { id }
      createProducts(inputs: [
        {id: "p1", sku: "TEA-1", name: "Green", price: "3.5", stock: 5, categoryId: "tea", tags: ["leaf", "green"], size: {width: 3}, cost: "1"},
        {id: "p2", sku: "TEA-2", name: "Black", price: 4, stock: 7, category: {connect: {id: "tea"}}},
        {id: "p3", sku: "MUG-1", name: "Mug", price: "9.90", categoryId: "mugs", status: GONE},
        {id: "p4", sku: "ODD-1", name: "Odd", price: "1"}]) { id }
      s: createStock(input: {shop: "north", productId: "p1", count: "12345678901"}) { shop }
    }`);
    await data(`mutation { createReview(input: {productId: "p1", stars: 5, text: "good"}) { id } x: createReview(input: {productId: "p1", stars: 2, published: false}) { id } }`, { token: ann });
  });
  after(async () => {
    client.close();
    await server.stop();
    removeFolder(folder);
  });

  describe('queries', () => {
    test('a row by its key, under the response names and in the order of the query', async () => {
      const answer = await send('{ it: product(id: "p1") { price title: name id category { name id } __typename } }');
      assert.equal(JSON.stringify(answer.data), '{"it":{"price":"3.5","title":"Green","id":"p1","category":{"name":"Tea","id":"tea"},"__typename":"Product"}}');
    });
    test('a row that is absent, or hidden, is null without an error', async () => {
      assert.deepEqual(await data('{ product(id: "none") { id } }'), { product: null });
    });
    test('a row by a unique field, and by a group of them', async () => {
      assert.deepEqual(await data('{ productBySku(sku: "MUG-1") { id } none: productBySku(sku: "X") { id } }'), { productBySku: { id: 'p3' }, none: null });
      assert.deepEqual(await data('{ productByCategoryIdAndName(categoryId: "tea", name: "Black") { id } }'), { productByCategoryIdAndName: { id: 'p2' } });
    });
    test('a composite key is an argument for each part', async () => {
      assert.deepEqual(await data('{ stock(shop: "north", productId: "p1") { count product { name } } }'), { stock: { count: '12345678901', product: { name: 'Green' } } });
    });
    test('a connection has nodes, edges, pageInfo and totalCount, and its cursors lead on both ways', async () => {
      const query = `query($first: Int, $after: String, $last: Int, $before: String) {
        products(orderBy: [{price: DESC}], first: $first, after: $after, last: $last, before: $before) {
          totalCount nodes { id } edges { cursor node { id name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
      const one = (await data(query, { variables: { first: 2 } })).products;
      assert.deepEqual(one.nodes, [{ id: 'p3' }, { id: 'p2' }]);
      assert.deepEqual(one.edges.map(({ node }) => node), [{ id: 'p3', name: 'Mug' }, { id: 'p2', name: 'Black' }]);
      assert.equal(one.totalCount, 4);
      assert.deepEqual(one.pageInfo, { hasNextPage: true, hasPreviousPage: false, startCursor: one.edges[0].cursor, endCursor: one.edges[1].cursor });
      const two = (await data(query, { variables: { first: 2, after: one.edges[0].cursor } })).products;
      assert.deepEqual(two.nodes, [{ id: 'p2' }, { id: 'p1' }]);
      assert.equal(two.pageInfo.hasPreviousPage, true);
      const last = (await data(query, { variables: { last: 2 } })).products;
      assert.deepEqual(last.nodes, [{ id: 'p1' }, { id: 'p4' }]);
      assert.equal(last.pageInfo.hasPreviousPage, true);
      assert.equal(last.pageInfo.hasNextPage, false);
      const before = (await data(query, { variables: { last: 1, before: last.edges[0].cursor } })).products;
      assert.deepEqual(before.nodes, [{ id: 'p2' }]);
    });
    test('to-many relations are connections with the same arguments, several of one row too', async () => {
      const answer = await data(`{ categories(orderBy: [{id: DESC}]) { nodes { id
        cheap: products(where: {price: {lt: "4"}}) { totalCount nodes { id } }
        dear: products(orderBy: [{price: DESC}], first: 1) { nodes { id category { id } } pageInfo { hasNextPage } } } } }`);
      assert.deepEqual(answer.categories.nodes, [
        { id: 'tea', cheap: { totalCount: 1, nodes: [{ id: 'p1' }] }, dear: { nodes: [{ id: 'p2', category: { id: 'tea' } }], pageInfo: { hasNextPage: true } } },
        { id: 'mugs', cheap: { totalCount: 0, nodes: [] }, dear: { nodes: [{ id: 'p3', category: { id: 'mugs' } }], pageInfo: { hasNextPage: false } } },
      ]);
    });
    test('where: operators, and, or, not, to-one, some, every, none', async () => {
      const ids = async (where) => (await data('query($w: ProductWhere) { products(where: $w, orderBy: [{id: ASC}]) { nodes { id } } }', { variables: { w: where } })).products.nodes.map(({ id }) => id).join();
      assert.equal(await ids({ price: { gte: '3.5', lt: 9 } }), 'p1,p2');
      assert.equal(await ids({ name: { in: ['Mug', 'Odd'] } }), 'p3,p4');
      assert.equal(await ids({ name: { startsWith: 'G' } }), 'p1');
      assert.equal(await ids({ categoryId: { eq: null } }), 'p4');
      assert.equal(await ids({ categoryId: { isNull: false } }), 'p1,p2,p3');
      assert.equal(await ids({ category: { name: { ne: 'Tea' } } }), 'p3,p4');
      assert.equal(await ids({ status: { eq: 'GONE' } }), 'p3');
      assert.equal(await ids({ tags: { contains: 'leaf' } }), 'p1');
      assert.equal(await ids({ size: { width: { eq: 3 } } }), 'p1');
      assert.equal(await ids({ or: [{ id: { eq: 'p1' } }, { and: [{ stock: { gt: 1 } }, { not: { id: { eq: 'p1' } } }] }] }), 'p1,p2');
      assert.equal(await ids({ or: [] }), '');
      assert.equal(await ids({ reviews: { some: { stars: { gte: 5 } } } }), 'p1');
      assert.equal(await ids({ reviews: { none: {} } }), 'p2,p3,p4');
      assert.equal(await ids({ reviews: { every: { stars: { gte: 5 } } } }), 'p1,p2,p3,p4');
      assert.equal(await ids({ category: { products: { some: { name: { eq: 'Black' } } } } }), 'p1,p2');
    });
    test('filter: the rule language, with its mistakes told', async () => {
      assert.deepEqual((await data('{ products(filter: "price > 5 && category.name == \\"Mugs\\"") { nodes { id } } }')).products.nodes, [{ id: 'p3' }]);
      const answer = await send('{ products(filter: "prise > 5") { nodes { id } } }');
      assert.equal(answer.errors[0].extensions.code, 'BAD_REQUEST');
    });
    test('what to do is said in extensions.hint, as REST says it', async () => {
      const hintOf = async (query, options) => (await send(query, options)).errors[0].extensions.hint;
      assert.equal(await hintOf('{ products(filter: "prise > 5") { nodes { id } } }'), 'did you mean "price"?');
      assert.equal(await hintOf('{ product(id: "p1") { nam } }'), 'did you mean "name"?');
      assert.equal(await hintOf('{ products(frist: 1) { nodes { id } } }'), 'did you mean "first"?');
      assert.equal(await hintOf('{ products(where: {nam: {eq: "x"}}) { nodes { id } } }'), 'did you mean "name"?');
      assert.equal(await hintOf('query($i: ProductInpt) { __typename @skip(if: $i) }'), undefined);
      assert.equal(await hintOf('query($i: ProductWher) { products(where: $i) { nodes { id } } }'), 'did you mean "ProductWhere"?');
      assert.equal(await hintOf('query($w: ProductWhere) { products(where: $w) { nodes { id } } }', { variables: { w: { pric: { eq: 1 } } } }), 'did you mean "price"?');
      assert.equal(await hintOf('{ products(first: 1000) { nodes { id } } }'), 'follow endCursor to read on');
      assert.equal(await hintOf('{ a: product(id: "p1") { id } a: product(id: "p2") { id } }'), 'give one of them an alias');
      assert.equal(await hintOf('subscription { productChanged { position } }'), 'Accept: text/event-stream, or the WebSocket at this address');
      const rest = await client.request('GET', '/v1/products?filter=prise > 5'.replaceAll(' ', '%20'), { headers: { Authorization: `Bearer ${staff}` } });
      assert.equal(JSON.parse(rest.text).hint, 'did you mean "price"?');
    });
    test('orderBy goes through to-one relations; null is the largest', async () => {
      assert.deepEqual((await data('{ products(orderBy: [{category: {name: ASC}}, {id: DESC}]) { nodes { id } } }')).products.nodes.map(({ id }) => id), ['p3', 'p2', 'p1', 'p4']);
    });
    test('search: words, at every level, in pages and in groups; only where there is something to search in', async () => {
      const answer = await data(`query($words: String) { products(search: $words) { totalCount nodes { id } }
        categories(orderBy: [{id: DESC}]) { nodes { id products(search: "bla*", first: 5) { totalCount nodes { id } pageInfo { endCursor } } } }
        productsAggregate(search: "tea", by: [stock]) { by { stock } count } }`, { variables: { words: 'TEA' } });
      assert.equal(answer.products.totalCount, 2);
      assert.deepEqual(answer.products.nodes.map(({ id }) => id).sort(), ['p1', 'p2']);
      assert.deepEqual(answer.categories.nodes.map(({ products }) => [products.totalCount, products.nodes]), [[1, [{ id: 'p2' }]], [0, []]]);
      assert.deepEqual(answer.productsAggregate, [{ by: { stock: 5 }, count: 1 }, { by: { stock: 7 }, count: 1 }]);
      const page = (after) => data('query($after: String) { products(search: "tea", first: 1, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }', { variables: { after } });
      const first = (await page(null)).products;
      const second = (await page(first.pageInfo.endCursor)).products;
      assert.deepEqual([first.pageInfo.hasNextPage, second.pageInfo.hasNextPage], [true, false]);
      assert.deepEqual([...first.nodes, ...second.nodes].map(({ id }) => id).sort(), ['p1', 'p2']);
      assert.equal((await data('{ products(search: null) { totalCount } }')).products.totalCount, 4);
      for (const words of ['', '*!']) {
        const refused = await send('query($w: String) { products(search: $w) { nodes { id } } }', { variables: { w: words } });
        assert.equal(refused.errors[0].extensions.code, 'BAD_REQUEST', words);
        assert.deepEqual(refused.errors[0].path, ['products']);
      }
      assert.match((await send('{ categories(search: "tea") { nodes { id } } }')).errors[0].message, /no argument "search"/);
    });
    test('distinct: rows that differ in what is asked of them, counted as such', async () => {
      const query = 'query($a: String) { products(distinct: true, orderBy: [{status: DESC}], first: 1, after: $a) { totalCount nodes { status } edges { cursor node { status } } pageInfo { hasNextPage endCursor } } }';
      const one = (await data(query)).products;
      assert.deepEqual([one.totalCount, one.nodes, one.pageInfo], [2, [{ status: 'GONE' }], { hasNextPage: true, endCursor: one.edges[0].cursor }]);
      const two = (await data(query, { variables: { a: one.pageInfo.endCursor } })).products;
      assert.deepEqual([two.totalCount, two.nodes, two.pageInfo.hasNextPage], [2, [{ status: 'ACTIVE' }], false]);
      const within = await data('{ categories(orderBy: [{id: DESC}]) { nodes { products(distinct: true) { totalCount nodes { status } } } } all: products(distinct: false) { totalCount } }');
      assert.deepEqual(within.categories.nodes.map(({ products }) => products), [{ totalCount: 1, nodes: [{ status: 'ACTIVE' }] }, { totalCount: 1, nodes: [{ status: 'GONE' }] }]);
      assert.equal(within.all.totalCount, 4);
      for (const refused of ['{ products(distinct: true) { nodes { tags } } }', '{ products(distinct: true) { nodes { category { id } } } }', '{ products(distinct: true, orderBy: [{name: ASC}]) { nodes { status } } }',
        '{ products(distinct: true) { totalCount } }', '{ products(distinct: true) { nodes { __typename } } }']) assert.equal((await send(refused)).errors[0].extensions.code, 'BAD_REQUEST', refused);
    });
    test('aggregates, grouped by fields and to-one paths', async () => {
      assert.deepEqual(await data('{ productsAggregate { count sum { stock price } avg { stock } min { name } max { price } } }'),
        { productsAggregate: [{ count: 4, sum: { stock: '12', price: '18.4' }, avg: { stock: 3 }, min: { name: 'Black' }, max: { price: '9.9' } }] });
      assert.deepEqual(await data('{ productsAggregate(by: [category_name], where: {categoryId: {isNull: false}}) { count by { category_name status } } }'),
        { productsAggregate: [{ count: 1, by: { category_name: 'Mugs', status: null } }, { count: 2, by: { category_name: 'Tea', status: null } }] });
    });
    test('aggregates: groups chosen by their metrics, sorted by keys and metrics, the first of them', async () => {
      const groups = async (args, fields = 'by { categoryId } count') => (await data(`{ productsAggregate(by: [categoryId], ${args}) { ${fields} } }`)).productsAggregate;
      const ids = async (args) => (await groups(args)).map(({ by }) => by.categoryId);
      assert.deepEqual(await ids('having: {count: {gte: 2}}'), ['tea']);
      assert.deepEqual(await ids('having: {sum: {price: {gt: "7.49", lt: 9.9}}}'), ['tea']);
      assert.deepEqual(await ids('having: {min: {name: {lt: "H"}}, max: {stock: {lte: 7}}, avg: {stock: {eq: 6}}}'), ['tea']);
      assert.deepEqual(await ids('having: {max: {status: {eq: GONE}}}'), ['mugs']);
      assert.deepEqual(await ids('having: {sum: {cost: {ne: null}}}'), ['tea']);
      assert.deepEqual(await ids('having: {sum: {cost: {eq: null}}}'), ['mugs', null]);
      assert.deepEqual(await ids('having: {sum: {cost: {ne: "2"}}}'), ['mugs', 'tea', null]);
      assert.deepEqual(await ids('having: null, orderBy: [{count: DESC}, {by: {categoryId: DESC}}]'), ['tea', null, 'mugs']);
      assert.deepEqual(await ids('orderBy: [{sum: {price: DESC}}], first: 2'), ['mugs', 'tea']);
      assert.deepEqual(await ids('orderBy: {max: {name: ASC}}'), ['tea', 'mugs', null]);
      assert.deepEqual(await groups('first: 0'), []);
      const variables = { having: { count: { gt: 1 } }, order: [{ avg: { price: 'ASC' } }] };
      assert.deepEqual((await data('query($having: ProductHaving, $order: [ProductAggregateOrder!]) { productsAggregate(by: [categoryId], having: $having, orderBy: $order) { count } }', { variables })).productsAggregate, [{ count: 2 }]);
      // What a caller may not read is null in a metric too.
      assert.deepEqual((await data('{ productsAggregate(by: [categoryId], having: {sum: {cost: {ne: null}}}) { count } }', { token: ann })).productsAggregate, []);
      for (const wrong of ['having: {sum: {price: {gt: null}}}', 'orderBy: [{by: {status: ASC}}]', 'first: -1', 'first: 1001', 'having: {sum: {price: {gt: "dear"}}}'])
        assert.equal((await send(`{ productsAggregate(by: [categoryId], ${wrong}) { count } }`)).errors[0].extensions.code, 'BAD_REQUEST', wrong);
      for (const wrong of ['having: {sum: {name: {gt: "a"}}}', 'having: {count: {gt: 1.5}}', 'orderBy: [{count: DESC, by: {categoryId: ASC}}]', 'having: {min: {tags: {eq: "a"}}}'])
        assert.ok((await send(`{ productsAggregate(by: [categoryId], ${wrong}) { count } }`)).errors[0].locations, wrong);
    });
    test('aggregates: groups through relations of any length and into embedded objects', async () => {
      assert.deepEqual(await data('{ productsAggregate(by: [size_width], orderBy: [{by: {size: {width: ASC}}}]) { count by { size_width size { width height } } } }'),
        { productsAggregate: [{ count: 1, by: { size_width: 3, size: { width: 3, height: null } } }, { count: 3, by: { size_width: null, size: { width: null, height: null } } }] });
      const query = `{ reviewsAggregate(by: [published], byPath: [{product: {category: {name: true}}}, {product: {size: {width: true}}}], orderBy: [{by: {product: {category: {name: DESC}}}}]) {
        count by { __typename published product { sku category { name id } size { w: width } } product_name } } }`;
      assert.deepEqual((await data(query)).reviewsAggregate, [{ count: 1, by: { __typename: 'ReviewGroup', published: true, product: { sku: null, category: { name: 'Tea', id: null }, size: { w: 3 } }, product_name: null } }]);
      for (const wrong of ['by: [category_name], byPath: [{category: {name: true}}]', 'by: [status, status]', 'byPath: [{status: false}]'])
        assert.equal((await send(`{ productsAggregate(${wrong}) { count } }`)).errors[0].extensions.code, 'BAD_REQUEST', wrong);
    });
    test('orderBy goes into embedded objects', async () => {
      assert.deepEqual((await data('{ products(orderBy: [{size: {width: ASC}}, {id: DESC}]) { nodes { id } } reviews(orderBy: [{product: {size: {height: DESC}}}]) { totalCount } }')).products.nodes.map(({ id }) => id), ['p1', 'p4', 'p3', 'p2']);
    });
    test('node(id:) takes the nodeId of any type', async () => {
      const ids = await data('{ product(id: "p1") { nodeId } stock(shop: "north", productId: "p1") { nodeId } }');
      const query = 'query($id: ID!) { node(id: $id) { __typename nodeId ... on Product { name } ... on Stock { count } } }';
      assert.deepEqual(await data(query, { variables: { id: ids.product.nodeId } }), { node: { __typename: 'Product', nodeId: ids.product.nodeId, name: 'Green' } });
      assert.deepEqual(await data(query, { variables: { id: ids.stock.nodeId } }), { node: { __typename: 'Stock', nodeId: ids.stock.nodeId, count: '12345678901' } });
      assert.deepEqual(await data(query, { variables: { id: 'nonsense' } }), { node: null });
    });
    test('fragments, @skip and @include, embedded objects', async () => {
      const answer = await data(`query($yes: Boolean!) { product(id: "p1") { ...f size { height w: width } id @skip(if: $yes) tags } } fragment f on Product { name @include(if: $yes) ... on Node { nodeId @include(if: false) } }`, { variables: { yes: true } });
      assert.deepEqual(answer, { product: { name: 'Green', size: { height: null, w: 3 }, tags: ['leaf', 'green'] } });
    });
    test('a field rule hides the value without an error', async () => {
      assert.deepEqual(await data('{ product(id: "p1") { cost } }', { token: ann }), { product: { cost: null } });
      assert.deepEqual(await data('{ product(id: "p1") { cost reviews { nodes { stars } } } }'), { product: { cost: '1', reviews: { nodes: [{ stars: 5 }] } } });
    });
    test('what is refused whatever the row is an error at its path, and the rest is answered', async () => {
      const answer = await send('{ secret(id: "x") { id } product(id: "p1") { id } }');
      assert.deepEqual(answer.data, { secret: null, product: { id: 'p1' } });
      assert.equal(answer.errors.length, 1);
      assert.deepEqual(answer.errors[0].path, ['secret']);
      assert.deepEqual(answer.errors[0].locations, [{ line: 1, column: 3 }]);
      assert.equal(answer.errors[0].extensions.code, 'FORBIDDEN');
      assert.match(answer.errors[0].extensions.rule, /Secret/);
      assert.ok(answer.errors[0].extensions.requestId);
      const stranger = await send('{ secrets { nodes { id } } }', { token: null });
      assert.equal(stranger.data, null);
      assert.equal(stranger.errors[0].extensions.code, 'UNAUTHENTICATED');
    });
  });

  describe('mutations', () => {
    test('create, update and delete give the row; delete as it was', async () => {
      assert.deepEqual(await data('mutation { createProduct(input: {id: "m1", sku: "NEW-1", name: "New", price: 1, reviews: {create: [{stars: 3}]}}) { id price stock reviews { totalCount } } }'),
        { createProduct: { id: 'm1', price: '1', stock: 0, reviews: { totalCount: 1 } } });
      assert.deepEqual(await data('mutation { updateProduct(id: "m1", input: {name: "Newer", category: {create: {id: "new", name: "New"}}}) { name category { name } } }'),
        { updateProduct: { name: 'Newer', category: { name: 'New' } } });
      assert.deepEqual(await data('mutation { deleteProduct(id: "m1") { name category { name } reviews { totalCount } } }'), { deleteProduct: { name: 'Newer', category: { name: 'New' }, reviews: { totalCount: 1 } } });
      assert.deepEqual(await data('{ product(id: "m1") { id } }'), { product: null });
    });
    test('mistakes have codes and pointers as in REST', async () => {
      const answer = await send('mutation { createProduct(input: {id: "m2", sku: "x", name: "", price: "-1"}) { id } }');
      assert.equal(answer.status, 200);
      assert.deepEqual(answer.data, { createProduct: null });
      const [error] = answer.errors;
      assert.deepEqual(error.path, ['createProduct']);
      assert.equal(error.extensions.code, 'VALIDATION_FAILED');
      assert.deepEqual(error.extensions.errors.map(({ pointer, code }) => `${pointer} ${code}`).sort(), ['/name LENGTH', '/price RANGE', '/sku PATTERN']);
    });
    test('all mutations of a request are one transaction', async () => {
      const answer = await send('mutation { a: createProduct(input: {id: "t1", sku: "TRX-1", name: "T", price: 1}) { id } b: createProduct(input: {id: "t2", sku: "TRX-1", name: "T2", price: 1}) { id } }');
      assert.deepEqual(answer.data, { a: null, b: null });
      assert.deepEqual(answer.errors[0].path, ['b']);
      assert.equal(answer.errors[0].extensions.code, 'CONFLICT');
      assert.equal(answer.errors[0].extensions.errors[0].code, 'NOT_UNIQUE');
      assert.deepEqual(await data('{ product(id: "t1") { id } }'), { product: null });
    });
    test('an update of what is not there is NOT_FOUND; a refused one FORBIDDEN', async () => {
      const absent = await send('mutation { updateProduct(id: "none", input: {name: "x"}) { id } }');
      assert.equal(absent.errors[0].extensions.code, 'NOT_FOUND');
      const refused = await send('mutation { updateProduct(id: "p1", input: {name: "x"}) { id } }', { token: ann });
      assert.deepEqual(refused.data, { updateProduct: null });
      assert.equal(refused.errors[0].extensions.code, 'FORBIDDEN');
      assert.match(refused.errors[0].extensions.rule, /Product/);
    });
    test('ifMatch is REST\'s entity tag', async () => {
      const rest = await client.request('GET', '/v1/products/p4', { headers: { Authorization: `Bearer ${staff}` } });
      const tag = rest.headers.get('etag');
      const query = 'mutation($tag: String) { updateProduct(id: "p4", input: {stock: 1}, ifMatch: $tag) { stock } }';
      assert.deepEqual(await data(query, { variables: { tag } }), { updateProduct: { stock: 1 } });
      assert.equal((await send(query, { variables: { tag } })).errors[0].extensions.code, 'PRECONDITION_FAILED');
    });
    test('what its writer may not read is null', async () => {
      const answer = await data('mutation { createReview(input: {productId: "p2", stars: 1}) { id } }', { token: ann });
      assert.ok(answer.createReview.id);
    });
  });

  describe('the document', () => {
    const code = (answer) => answer.errors.map(({ extensions }) => extensions.code);
    test('mistakes are told with their places, all at once, with hints', async () => {
      const answer = await send('{\n  product(id: "p1") { nam }\n  x\n}', { headers: { Accept: 'application/graphql-response+json' } });
      assert.equal(answer.status, 400);
      assert.equal(answer.data, undefined);
      assert.deepEqual(answer.errors.map(({ locations }) => locations), [[{ line: 2, column: 23 }], [{ line: 3, column: 3 }]]);
      assert.match(answer.errors[0].message, /name/);
      assert.equal((await send('{ product(id: "p1") { nam } }')).status, 200, 'application/json answers 200 to a well-formed request');
    });
    test('syntax', async () => {
      for (const query of ['{', '{ }', 'query {', '{ product(id: ) { id } }', '{ a(b: "\\x") }', 'fragment on on Product { id }', '{ ...on }', '']) {
        const answer = await send(query, { headers: { Accept: 'application/graphql-response+json' } });
        assert.deepEqual([answer.status, code(answer)], [400, ['BAD_REQUEST']], query);
      }
    });
    test('variables are coerced, and refused with their path', async () => {
      const query = 'query($id: ID!, $n: Int = 1) { product(id: $id) { id reviews(first: $n) { nodes { stars } } } }';
      assert.equal((await data(query, { variables: { id: 'p1' } })).product.reviews.nodes.length, 1);
      for (const variables of [{}, { id: null }, { id: true }, { id: 'p1', n: 1.5 }, { id: 'p1', n: '1' }, { id: 'p1', n: 3000000000 }]) {
        assert.deepEqual(code(await send(query, { variables })), ['BAD_REQUEST'], JSON.stringify(variables));
      }
    });
    test('operationName chooses', async () => {
      const query = 'query a { product(id: "p1") { id } } query b { product(id: "p2") { id } }';
      assert.deepEqual(await data(query, { operationName: 'b' }), { product: { id: 'p2' } });
      assert.deepEqual(code(await send(query)), ['BAD_REQUEST']);
      assert.deepEqual(code(await send(query, { operationName: 'c' })), ['BAD_REQUEST']);
    });
    test('limits: depth, cost, aliases, tokens, size: TOO_LARGE and 400', async () => {
      const nested = (n) => (n === 0 ? 'id' : `category { products { nodes { ${nested(n - 1)} } } }`);
      const cases = {
        depth: `{ product(id: "p1") { ${nested(5)} } }`,
        cost: '{ categories(first: 100) { nodes { products(first: 100) { nodes { id } } } } }',
        aliases: `{ product(id: "p1") { ${Array.from({ length: 51 }, (_, i) => `a${i}: id`).join(' ')} } }`,
        tokens: `{ product(id: "p1") { ${'id '.repeat(10001)} } }`,
        size: `{ product(id: "p1") { id } } #${'x'.repeat(65536)}`,
      };
      for (const [name, query] of Object.entries(cases)) {
        const answer = await send(query);
        assert.deepEqual([answer.status, code(answer)], [400, ['TOO_LARGE']], name);
      }
      assert.deepEqual(code(await send('{ products(first: 101) { nodes { id } } }')), ['BAD_REQUEST']);
      await data('{ categories(first: 99) { nodes { products(first: 100) { nodes { id } } } } }');
    });
  });

  describe('introspection', () => {
    test('tells types with descriptions, deprecation and @oneOf', async () => {
      const answer = await data(`{ __type(name: "Product") { kind name description interfaces { name } fields { name description type { kind name ofType { name } } } }
        order: __type(name: "ProductOrder") { isOneOf } none: __type(name: "Nothing") { name }
        __schema { queryType { name } mutationType { name } subscriptionType { name } directives { name args { name type { kind ofType { name } } } } } }`);
      assert.equal(answer.__type.description, 'What is sold.');
      assert.deepEqual(answer.__type.interfaces, [{ name: 'Node' }]);
      assert.deepEqual(answer.__type.fields.find(({ name }) => name === 'name'), { name: 'name', description: 'As customers see it.', type: { kind: 'NON_NULL', name: null, ofType: { name: 'String' } } });
      assert.equal(answer.__type.fields.find(({ name }) => name === 'cost').type.kind, 'SCALAR');
      assert.equal(answer.order.isOneOf, true);
      assert.equal(answer.none, null);
      assert.deepEqual(answer.__schema.queryType, { name: 'Query' });
      assert.deepEqual(answer.__schema.subscriptionType, { name: 'Subscription' });
    });
    test('can be switched off', async () => {
      const quiet = await startServer({ contract, options: ['--threads', '1', '--graphql-introspection', 'off'] });
      const own = quiet.client();
      const ask = async (query) => JSON.parse((await own.request('POST', '/graphql', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }) })).text);
      assert.equal((await ask('{ __schema { queryType { name } } }')).errors[0].extensions.code, 'BAD_REQUEST');
      assert.doesNotMatch((await ask('{ product(id: "p1") { nam } }')).errors[0].message, /did you mean/);
      assert.deepEqual((await ask('{ __typename }')).data, { __typename: 'Query' });
      own.close();
      await quiet.stop();
    });
  });

  describe('over HTTP', () => {
    test('GET asks, and only asks', async () => {
      const get = await client.request('GET', `/graphql?query=${encodeURIComponent('query($id: ID!) { product(id: $id) { id } }')}&variables=${encodeURIComponent('{"id":"p1"}')}`);
      assert.equal(get.status, 200);
      assert.equal(get.text, '{"data":{"product":{"id":"p1"}}}');
      const write = await client.request('GET', `/graphql?query=${encodeURIComponent('mutation { deleteProduct(id: "p1") { id } }')}`);
      assert.equal(write.status, 405);
      assert.equal(write.headers.get('allow'), 'POST');
    });
    test('media types', async () => {
      const type = async (accept) => (await send('{ __typename }', { headers: accept === undefined ? {} : { Accept: accept } })).headers.get('content-type');
      assert.match(await type(), /^application\/json/);
      assert.match(await type('*/*'), /^application\/json/);
      assert.match(await type('application/graphql-response+json, application/json;q=0.9'), /^application\/graphql-response\+json/);
      assert.match(await type('application/json'), /^application\/json/);
      assert.equal((await send('{ __typename }', { headers: { Accept: 'text/plain' } })).status, 406);
    });
    test('what is no GraphQL request is refused with a status', async () => {
      const status = async (body, type = 'application/json') => (await client.request('POST', '/graphql', { headers: { 'Content-Type': type }, body })).status;
      assert.equal(await status('{'), 400);
      assert.equal(await status('{"query": 1}'), 400);
      assert.equal(await status('{}'), 400);
      assert.equal(await status('[]'), 400);
      assert.equal(await status('{"query":"{__typename}","variables":[]}'), 400);
      assert.equal(await status('{"query":"{__typename}","variables":null,"operationName":null,"extensions":{}}'), 200);
      assert.equal(await status('query=x', 'text/plain'), 415);
      assert.equal((await client.request('PATCH', '/graphql', {})).status, 405);
      const bad = await client.request('POST', '/graphql', { headers: { 'Content-Type': 'application/json', Authorization: 'Bearer x' }, body: '{"query":"{__typename}"}' });
      assert.equal(bad.status, 401);
      assert.equal(JSON.parse(bad.text).errors[0].extensions.code, 'UNAUTHENTICATED');
      assert.ok(bad.headers.get('www-authenticate'));
    });
  });
});
