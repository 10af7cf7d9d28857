// grpc.test.mjs - the gRPC face (INTERFACE §5) as @grpc/grpc-js calls it, with what `caisson proto --descriptor` says, on both stores.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { describe as describeContract, call, collect, detailsOf, fails, grpc, packageOf } from '../grpc/client.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, program, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") {
  id: ID! @id
  sku: String! @unique @pattern(regex: "^[A-Z0-9-]{3,32}$")
  displayName: String! @length(min: 1, max: 40)
  price: Decimal! @range(min: "0")
  stockLevel: Int! @default(value: 0)
  sold: BigInt
  cost: Decimal @access(read: "'staff' in auth.roles")
  status: Status! @default(value: ACTIVE)
  tags: [String!]
  size: Size
  extra: JSON
  picture: Bytes
  createdAt: DateTime @default(expr: "now()")
  category: Category
  reviews: [Review!]!
}
enum Status { ACTIVE GONE }
type Size { fullWidth: Int! height: Int }
type Category @resource @access(read: "true", write: "'staff' in auth.roles") {
  id: ID! @id
  name: String!
  products: [Product!]!
}
type Review @resource @access(read: "published || author == auth.id", create: "auth.id != null", update: "old.author == auth.id", delete: "author == auth.id") {
  id: ID!
  product: Product! @relation(onDelete: RESTRICT)
  author: String! @default(expr: "auth.id") @readonly
  stars: Int! @range(min: 1, max: 5)
  text: String
  published: Boolean! @default(value: true)
}
type Note @resource @access(read: "'boss' in auth.roles", create: "auth.id != null") {
  id: ID! @id
  text: String!
}
type Secret @resource @access(read: "'boss' in auth.roles", write: "'boss' in auth.roles") { id: ID! @id word: String! }
`;

const staff = makeToken({ sub: 'sam', roles: ['staff'] });
const ann = makeToken({ sub: 'ann' });
const { status: code } = grpc;
const timeout = 60000;
const place = makeFolder();
const contractPath = path.join(place, 'shop.graphql');
let shop;
let postgres;
before(() => {
  fs.writeFileSync(contractPath, contract);
  shop = packageOf(describeContract(program, contractPath)).shop.v1;
});
after(async () => {
  await postgres?.remove();
  removeFolder(place);
});

const stores = {
  sqlite: () => ({}),
  postgres: async () => {
    postgres ??= await startPostgres();
    return { store: postgres.url(postgres.createDatabase()), options: ['--migrate'] };
  },
};

for (const storeName of Object.keys(stores)) {
  describe(`gRPC on ${storeName}`, () => {
    let server;
    let products;
    let categories;
    let reviews;
    let notes;
    const clients = [];
    const clientOf = (Service) => {
      const client = new Service(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
      clients.push(client);
      return client;
    };
    const product = (id, more = {}) => ({ id, sku: `SKU-${id}`.toUpperCase(), display_name: `Product ${id}`, price: '9.5', ...more });
    before(async () => {
      const { options = [], ...where } = await stores[storeName]();
      server = await startServer({ contractPath, options: [...options, '--threads', '2', '--page-size', '10', '--page-size-max', '10', '--cors-origin', '*'], ...where });
      products = clientOf(shop.ProductService);
      categories = clientOf(shop.CategoryService);
      reviews = clientOf(shop.ReviewService);
      notes = clientOf(shop.NoteService);
      await call(categories, 'CreateCategory', { category: { id: 'tea', name: 'Tea' } }, { token: staff });
    });
    after(async () => {
      for (const client of clients) client.close();
      await server?.stop();
      removeFolder(server.folder);
    });

    test('a row is created, read, changed and deleted, and every type comes back as it went', { timeout }, async () => {
      const row = product('p1', {
        price: '12.345', stock_level: 3, sold: '9007199254740993', cost: '1.5', status: 'STATUS_GONE', tags: ['a', 'b'], size: { full_width: 2, height: 3 },
        extra: { list_value: { values: [{ number_value: 1 }, { bool_value: true }, { null_value: 'NULL_VALUE' }, { string_value: 'x' }] } },
        picture: Buffer.from([0, 255, 7]), created_at: { seconds: '1700000000', nanos: 123456000 }, category_id: 'tea',
      });
      const { answer, headers } = await call(products, 'CreateProduct', { product: row }, { token: staff });
      assert.equal(answer.id, 'p1');
      assert.equal(answer.price, '12.345');
      assert.equal(answer.sold, '9007199254740993');
      assert.equal(answer.status, 'STATUS_GONE');
      assert.deepEqual(answer.tags, ['a', 'b']);
      assert.deepEqual(answer.extra.list_value.values.map((value) => value[value.kind]), [1, true, 'NULL_VALUE', 'x']);
      assert.equal(answer.size.full_width, 2);
      assert.deepEqual([...answer.picture], [0, 255, 7]);
      assert.deepEqual(answer.created_at, { seconds: '1700000000', nanos: 123456000 });
      assert.equal(answer.category_id, 'tea');
      assert.match(headers.get('etag')[0], /^"[0-9a-f]+"$/);
      const read = await call(products, 'GetProduct', { id: 'p1' }, { token: staff });
      assert.deepEqual(read.answer, answer);
      assert.equal(read.headers.get('etag')[0], headers.get('etag')[0]);
      const changed = await call(products, 'UpdateProduct', { product: { id: 'p1', display_name: 'New', stock_level: 0 }, update_mask: { paths: ['display_name', 'stock_level', 'size'] } }, { token: staff });
      assert.equal(changed.answer.display_name, 'New');
      assert.equal(changed.answer.stock_level, 0);
      assert.equal(changed.answer.size, null);
      assert.equal(changed.answer.price, '12.345');
      await call(products, 'DeleteProduct', { id: 'p1' }, { token: staff });
      const gone = await fails(call(products, 'GetProduct', { id: 'p1' }, { token: staff }), code.NOT_FOUND);
      assert.equal(detailsOf(gone).ErrorInfo.reason, 'NOT_FOUND');
    });

    test('what is absent is not zero', { timeout }, async () => {
      await call(products, 'CreateProduct', { product: product('p2') }, { token: staff });
      const { answer } = await call(products, 'GetProduct', { id: 'p2' }, { token: staff });
      assert.equal(answer.status, 'STATUS_ACTIVE');
      assert.equal(answer.stock_level, 0);
      assert.ok(!Object.hasOwn(answer, 'sold'), JSON.stringify(answer));
      assert.ok(answer.created_at);
      const zero = await call(products, 'UpdateProduct', { product: { id: 'p2', sold: '0' } }, { token: staff });
      assert.equal(zero.answer.sold, '0');
      const none = await call(products, 'UpdateProduct', { product: { id: 'p2' }, update_mask: { paths: ['sold'] } }, { token: staff });
      assert.ok(!Object.hasOwn(none.answer, 'sold'));
    });

    test('mistakes come all at once, with their fields', { timeout }, async () => {
      const error = await fails(call(products, 'CreateProduct', { product: { id: 'bad', sku: 'x', display_name: 'n', price: '-1' } }, { token: staff }), code.INVALID_ARGUMENT);
      const { ErrorInfo, BadRequest, RequestInfo } = detailsOf(error);
      assert.equal(ErrorInfo.reason, 'VALIDATION_FAILED');
      assert.deepEqual(BadRequest.field_violations.map(({ field, reason }) => [field, reason]).sort(), [['/price', 'RANGE'], ['/sku', 'PATTERN']]);
      assert.equal(RequestInfo.request_id, error.metadata.get('x-request-id')[0]);
    });

    test('refusals have their canonical codes', { timeout }, async () => {
      await call(products, 'CreateProduct', { product: product('r1') }, { token: staff });
      const taken = await fails(call(products, 'CreateProduct', { product: product('r2', { sku: 'SKU-R1' }) }, { token: staff }), code.ALREADY_EXISTS);
      assert.deepEqual(detailsOf(taken).BadRequest.field_violations.map(({ field, reason }) => [field, reason]), [['/sku', 'NOT_UNIQUE']]);
      assert.equal(detailsOf(taken).ErrorInfo.reason, 'CONFLICT');
      await call(reviews, 'CreateReview', { review: { product_id: 'r1', stars: 5 } }, { token: ann });
      await fails(call(products, 'DeleteProduct', { id: 'r1' }, { token: staff }), code.FAILED_PRECONDITION);
      await fails(call(products, 'UpdateProduct', { product: { id: 'r1', display_name: 'x' }, etag: '"other"' }, { token: staff }), code.ABORTED);
      const refused = await fails(call(products, 'UpdateProduct', { product: { id: 'r1', display_name: 'x' } }, { token: ann }), code.PERMISSION_DENIED);
      assert.match(detailsOf(refused).ErrorInfo.metadata.rule, /Product/);
      await fails(call(products, 'UpdateProduct', { product: { id: 'r1', display_name: 'x' } }), code.UNAUTHENTICATED);
      await fails(call(products, 'GetProduct', { id: 'r1' }, { token: 'bad.token.here' }), code.UNAUTHENTICATED);
      await fails(call(products, 'UpdateProduct', { product: { id: 'nowhere', display_name: 'x' } }, { token: staff }), code.NOT_FOUND);
      const missing = await fails(call(products, 'GetProduct', {}, { token: staff }), code.INVALID_ARGUMENT);
      assert.equal(detailsOf(missing).BadRequest.field_violations[0].field, '/id');
      await fails(call(products, 'UpdateProduct', { product: { id: 'r1' }, update_mask: { paths: ['nothing'] } }, { token: staff }), code.INVALID_ARGUMENT);
    });

    test('an etag holds an update to what its writer has read', { timeout }, async () => {
      const { headers } = await call(products, 'CreateProduct', { product: product('e1') }, { token: staff });
      const etag = headers.get('etag')[0];
      await call(products, 'UpdateProduct', { product: { id: 'e1', display_name: 'second' }, etag }, { token: staff });
      await fails(call(products, 'UpdateProduct', { product: { id: 'e1', display_name: 'third' }, etag }, { token: staff }), code.ABORTED);
      await fails(call(products, 'DeleteProduct', { id: 'e1', etag }, { token: staff }), code.ABORTED);
      await call(products, 'DeleteProduct', { id: 'e1' }, { token: staff });
    });

    test('who may not see sees nothing, and who may write but not read gets the key alone', { timeout }, async () => {
      const { answer } = await call(notes, 'CreateNote', { note: { id: 'n1', text: 'hello' } }, { token: ann });
      assert.equal(answer.id, 'n1');
      assert.equal(answer.text, '');
      const batch = await call(notes, 'BatchCreateNotes', { requests: [{ note: { id: 'n2', text: 'a' } }, { note: { id: 'n3', text: 'b' } }] }, { token: ann });
      assert.deepEqual(batch.answer.notes.map(({ id, text }) => [id, text]), [['n2', ''], ['n3', '']]);
      await fails(call(notes, 'GetNote', { id: 'n1' }, { token: ann }), code.PERMISSION_DENIED);
      await call(products, 'CreateProduct', { product: product('c1', { cost: '3' }) }, { token: staff });
      assert.ok(!Object.hasOwn((await call(products, 'GetProduct', { id: 'c1' }, { token: ann })).answer, 'cost'));
      assert.equal((await call(products, 'GetProduct', { id: 'c1' }, { token: staff })).answer.cost, '3');
    });

    test('lists have pages, filters, orders, masks and totals', { timeout }, async () => {
      const rows = Array.from({ length: 25 }, (_, i) => ({ product: product(`l${String(i).padStart(2, '0')}`, { stock_level: i % 5, price: String(i), category_id: 'tea' }) }));
      await call(products, 'BatchCreateProducts', { requests: rows }, { token: staff });
      const filter = 'id.startsWith("l")';
      const seen = [];
      let token = '';
      do {
        const { answer } = await call(products, 'ListProducts', { filter, order_by: 'stock_level desc, id', page_size: 1000, page_token: token, show_total: true, read_mask: { paths: ['id', 'stock_level', 'category.name'] } });
        assert.equal(answer.total_size, 25);
        assert.ok(answer.products.length <= 10);
        for (const row of answer.products) assert.deepEqual([row.display_name, row.category.name], ['', 'Tea']);
        seen.push(...answer.products.map(({ id, stock_level: level }) => [level, id]));
        token = answer.next_page_token;
      } while (token !== '');
      assert.deepEqual(seen, rows.map(({ product: { id, stock_level: level } }) => [level, id]).sort((a, b) => b[0] - a[0] || (a[1] < b[1] ? -1 : 1)));
      const ids = async (request) => (await call(products, 'ListProducts', request)).answer.products.map(({ id }) => id);
      assert.deepEqual(await ids({ filter: `${filter} && stockLevel == 4 && displayName != "Product l04"`, order_by: 'id' }), ['l09', 'l14', 'l19', 'l24']);
      assert.deepEqual(await ids({ filter: `${filter} && stock_level == 4`, order_by: 'display_name DESC', page_size: 2 }), ['l24', 'l19']);
      assert.deepEqual(await ids({ filter: 'category.name == "Tea"', page_size: 1, order_by: 'created_at' }).then((list) => list.length), 1);
      for (const name of ['ACTIVE', 'STATUS_ACTIVE']) assert.deepEqual(await ids({ filter: `${filter} && status == "${name}" && status in ["${name}"]`, page_size: 1, order_by: 'id' }), ['l00'], name);
      for (const name of ['STATUS_UNSPECIFIED', 'STATUS_AKTIVE']) await fails(call(products, 'ListProducts', { filter: `status == "${name}"` }), code.INVALID_ARGUMENT);
      const { answer: first } = await call(products, 'ListProducts', { filter, page_size: 1 });
      assert.equal(first.products.length, 1);
      assert.ok(!Object.hasOwn(first, 'total_size'));
      await fails(call(products, 'ListProducts', { filter: 'nonsense >' }), code.INVALID_ARGUMENT);
      await fails(call(products, 'ListProducts', { order_by: 'nothing' }), code.INVALID_ARGUMENT);
      await fails(call(products, 'ListProducts', { order_by: 'id sideways' }), code.INVALID_ARGUMENT);
      await fails(call(products, 'ListProducts', { page_size: -1 }), code.INVALID_ARGUMENT);
      await fails(call(products, 'ListProducts', { page_token: 'tampered' }), code.INVALID_ARGUMENT);
      await fails(call(products, 'ListProducts', { read_mask: { paths: ['nothing'] } }), code.INVALID_ARGUMENT);
    });

    test('a batch is all or none', { timeout }, async () => {
      const error = await fails(call(products, 'BatchCreateProducts', { requests: [{ product: product('b1') }, { product: product('b2', { price: 'x' }) }] }, { token: staff }), code.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(error).BadRequest.field_violations.map(({ field }) => field), ['/1/price']);
      await fails(call(products, 'GetProduct', { id: 'b1' }), code.NOT_FOUND);
    });

    test('groups are counted and summed up', { timeout }, async () => {
      await call(products, 'BatchCreateProducts', { requests: ['1', '2', '4'].map((price, i) => ({ product: product(`g${i}`, { price, sold: '9007199254740993', stock_level: i, tags: [], category_id: i < 2 ? 'tea' : undefined }) })) }, { token: staff });
      const { answer } = await call(products, 'AggregateProducts', { filter: 'id.startsWith("g")', group_by: ['categoryId'], metrics: ['count', 'sum(price)', 'avg(stock_level)', 'sum(sold)', 'max(price)'] });
      // This loader does not know that a list of entries is a map.
      const valueOf = (map, name) => { const { value } = map.find(({ key }) => key === name); return value[value.kind]; };
      const plain = answer.groups.map(({ by, count, sum, avg, max }) => [valueOf(by, 'categoryId'), count, valueOf(sum, 'price'), valueOf(sum, 'sold'), valueOf(avg, 'stockLevel'), valueOf(max, 'price')]);
      assert.deepEqual(plain, [['tea', '2', '3', '18014398509481986', 0.5, '2'], ['NULL_VALUE', '1', '4', '9007199254740993', 2, '4']]);
      const { answer: all } = await call(products, 'AggregateProducts', { filter: 'id == "nowhere"', metrics: ['count'] });
      assert.deepEqual(all.groups.map(({ count }) => count), ['0']);
      await fails(call(products, 'AggregateProducts', { metrics: ['median(price)'] }), code.INVALID_ARGUMENT);
      // An aggregate of nothing ended the server; two names in one item were read from behind the list's end.
      for (const nothing of [{ metrics: [''] }, { group_by: [''] }, { group_by: [''], metrics: [''] }, { group_by: ['name,id'], metrics: ['count'] }, { metrics: ['count,sum(price)'] }])
        await fails(call(products, 'AggregateProducts', nothing), code.INVALID_ARGUMENT);
    });

    test('changes are watched as they are committed, and from a position on', { timeout }, async () => {
      // Takes `count` events and leaves; `started` resolves with the position that the head names.
      const watch = (request, count, token) => {
        const metadata = new grpc.Metadata();
        if (token) metadata.set('authorization', `Bearer ${token}`);
        const stream = products.WatchProducts(request, metadata);
        const events = [];
        const started = new Promise((resolve, reject) => stream.once('metadata', (headers) => resolve(headers.get('position')[0])).once('error', reject));
        const seen = new Promise((resolve, reject) => stream
          .on('data', (event) => {
            events.push(event);
            if (events.length === count) { resolve(events); stream.cancel(); }
          })
          .on('error', (error) => (error.code === code.CANCELLED ? resolve(events) : reject(error))));
        // A change is told as the row is by then: whoever wants to see each waits for it.
        const until = async (wanted) => { while (events.length < wanted) await new Promise((resolve) => setTimeout(resolve, 20)); };
        return { started, seen, until };
      };
      const filter = 'id.startsWith("w") && stock_level < 10';
      const { started, seen, until } = watch({ filter }, 4);
      const position = await started;
      await call(products, 'CreateProduct', { product: product('w1') }, { token: staff });
      await until(1);
      await call(products, 'UpdateProduct', { product: { id: 'w1', display_name: 'changed' } }, { token: staff });
      await until(2);
      await call(products, 'UpdateProduct', { product: { id: 'w1', stock_level: 50 } }, { token: staff });
      await until(3);
      await call(products, 'CreateProduct', { product: product('other') }, { token: staff });
      await call(products, 'UpdateProduct', { product: { id: 'w1', stock_level: 1 } }, { token: staff });
      const events = await seen;
      assert.deepEqual(events.map(({ kind, product: { id } }) => [kind, id]), [['KIND_CREATED', 'w1'], ['KIND_UPDATED', 'w1'], ['KIND_REMOVED', 'w1'], ['KIND_CREATED', 'w1']]);
      assert.equal(events[1].product.display_name, 'changed');
      assert.equal(events[2].product.display_name, '');
      // From before the first one, and from after the second one.
      await call(products, 'DeleteProduct', { id: 'w1' }, { token: staff });
      const again = watch({ filter, after: position }, 1);
      assert.equal((await again.seen)[0].product.id, 'w1');
      const later = watch({ filter, after: events[3].position }, 1);
      assert.deepEqual((await later.seen).map(({ kind, product: { id } }) => [kind, id]), [['KIND_DELETED', 'w1']]);
      await assert.rejects(collect(products.WatchProducts({ filter, after: 'no position' })), { code: code.INVALID_ARGUMENT });
      await assert.rejects(collect(products.WatchProducts({ filter: 'nonsense >' })), { code: code.INVALID_ARGUMENT });
      await assert.rejects(collect(clientOf(shop.SecretService).WatchSecrets({})), { code: code.UNAUTHENTICATED });
    });

    test('rows are exported and imported as streams', { timeout }, async () => {
      const import_ = (rows, token) => new Promise((resolve, reject) => {
        const metadata = new grpc.Metadata();
        if (token) metadata.set('authorization', `Bearer ${token}`);
        const stream = products.ImportProducts(metadata, { deadline: Date.now() + 50000 }, (error, answer) => (error ? reject(error) : resolve(answer)));
        for (const row of rows) stream.write({ product: row });
        stream.end();
      });
      const rows = Array.from({ length: 2500 }, (_, i) => product(`x${String(i).padStart(5, '0')}`, { price: String(i) }));
      assert.equal((await import_(rows, staff)).created_count, '2500');
      assert.equal((await import_([], staff)).created_count, '0');
      const exported = await collect(products.ExportProducts({ filter: 'id.startsWith("x")', order_by: 'id', read_mask: { paths: ['id', 'price'] } }));
      assert.deepEqual(exported.map(({ product: { id, price, sku } }) => [id, price, sku]), rows.map(({ id, price }) => [id, price, '']));
      const refused = await fails(import_([product('y1'), product('y2', { price: '-1' })], staff), code.INVALID_ARGUMENT);
      assert.deepEqual(detailsOf(refused).BadRequest.field_violations.map(({ field }) => field), ['/1/price']);
      assert.equal(detailsOf(refused).ErrorInfo.metadata.created, '0');
      await fails(import_([product('y3')], ann), code.PERMISSION_DENIED);
      await assert.rejects(collect(products.ExportProducts({ filter: 'nonsense >' })), { code: code.INVALID_ARGUMENT });
      await assert.rejects(collect(clientOf(shop.SecretService).ExportSecrets({})), { code: code.UNAUTHENTICATED });
    });
  });
}
