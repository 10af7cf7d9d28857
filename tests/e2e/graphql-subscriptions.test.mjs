// graphql-subscriptions.test.mjs - subscriptions over graphql-transport-ws (npm graphql-ws) and server-sent events (npm graphql-sse), on both
// stores: what is committed is told, under the subscriber's access, and from a position on again.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const require = createRequire(path.join(root, 'tests/clients/package.json'));
const { createClient: createWsClient } = require('graphql-ws');
const { createClient: createSseClient } = require('graphql-sse');
const WebSocket = require('ws');

const contract = `
extend schema @service(name: "shop", version: "v1")
type Product @resource @access(read: "published || owner == auth.id", write: "true") {
  code: String! @id
  name: String!
  price: Decimal
  published: Boolean! @default(value: true)
  owner: String
  cost: Int @access(read: "'staff' in auth.roles")
  category: Category
}
type Category @resource @access(read: "true", write: "true") { id: ID! @id name: String! products: [Product!]! }
type Part @resource @access(read: "true", write: "true") { product: String! @id number: Int! @id label: String }
type Secret @resource @access(read: "'boss' in auth.roles", write: "true") { id: ID! @id word: String! }
`;
const limit = { timeout: 90000 };
const ann = makeToken({ sub: 'ann' }), staff = makeToken({ sub: 'sue', roles: ['staff'] });

const stores = {
  sqlite: async () => ({ stop: async () => {} }),
  postgres: async () => {
    const database = await startPostgres();
    return { store: database.url(), options: ['--migrate'], stop: async () => { await database.stop(); await database.remove(); } };
  },
};

// A subscription's results, as they come: `next()` waits for one, `ended` for the end (an error it ended with, or undefined).
function results(subscribe) {
  const waiting = [], queue = [];
  let isOver = false;
  const self = { error: undefined };
  const wake = () => { for (let reader; (reader = waiting.shift()); ) reader(); };
  self.ended = new Promise((resolve) => {
    self.stop = subscribe({
      next: (value) => { queue.push(value); wake(); },
      error: (error) => { self.error = error; isOver = true; wake(); resolve(error); },
      complete: () => { isOver = true; wake(); resolve(undefined); },
    });
  });
  self.next = async () => {
    const deadline = Date.now() + 30000;
    while (queue.length === 0) {
      if (isOver) throw new Error(`the subscription is over: ${JSON.stringify(self.error)}`);
      if (Date.now() > deadline) throw new Error('no result in 30 s');
      await new Promise((resolve) => { const timer = setTimeout(resolve, 500); waiting.push(() => { clearTimeout(timer); resolve(); }); });
    }
    return queue.shift();
  };
  return self;
}

for (const [storeName, open] of Object.entries(stores)) {
  describe(`subscriptions over ${storeName}`, () => {
    const folder = makeFolder();
    const open_ = [];
    let store, server;
    before(async () => {
      store = await open();
      server = await startServer({ contract, folder, store: store.store, options: [...(store.options ?? []), '--watch-heartbeat', '1s'] });
    });
    after(async () => {
      for (const client of open_) await client.dispose();
      if (server) await server.stop();
      await store?.stop();
      removeFolder(folder);
    });

    const clients = {
      'graphql-ws': (token) => createWsClient({ url: `ws://127.0.0.1:${server.port}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: token ? { Authorization: `Bearer ${token}` } : {} }),
      'graphql-sse': (token) => createSseClient({ url: `http://127.0.0.1:${server.port}/graphql`, retryAttempts: 0, headers: token ? { Authorization: `Bearer ${token}` } : {} }),
    };
    const subscribe = (kind, query, { token, variables } = {}) => {
      const client = clients[kind](token);
      open_.push(client);
      return results((sink) => client.subscribe({ query, variables }, sink));
    };
    const write = async (query, variables) => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query, variables }) });
      const body = await answer.json();
      assert.equal(body.errors, undefined, JSON.stringify(body.errors));
      return body.data;
    };
    // A subscription has begun once it hears of a row that is written until it does.
    let marks = 0;
    const begun = async (subscription, field = 'p') => {
      const code = `mark-${++marks}`;
      let isHeard = false;
      const first = subscription.next().then((value) => { isHeard = true; return value; });
      for (let i = 0; !isHeard && i < 200; i++) {
        await write('mutation($code: String!) { createProduct(input: { code: $code, name: "mark" }) { code } }', { code: `${code}-${i}` });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      let event = await first;
      // What came late of the marks is passed over by those who look for their own row.
      return event.data[field];
    };
    const until = async (subscription, isIt) => {
      for (;;) {
        const result = await subscription.next();
        if (isIt(result.data)) return result;
      }
    };

    for (const kind of ['graphql-ws', 'graphql-sse']) {
      test(`${kind}: created, updated, removed, deleted, each with the row as it is`, limit, async () => {
        const own = (data) => data.p.code === `${kind}-1`;
        const subscription = subscribe(kind, 'subscription { p: productChanged { kind position code __typename product { name price cost category { name } } } }');
        await begun(subscription);
        await write(`mutation { createCategory(input: { id: "${kind}", name: "Tea" }) { id } createProduct(input: { code: "${kind}-1", name: "one", price: "1.5", cost: 3, category: { connect: { id: "${kind}" } } }) { code } }`);
        const created = (await until(subscription, own)).data.p;
        assert.deepEqual({ ...created, position: '' }, { kind: 'CREATED', position: '', code: `${kind}-1`, __typename: 'ProductEvent', product: { name: 'one', price: '1.5', cost: null, category: { name: 'Tea' } } });
        assert.match(created.position, /^[\w-]+$/);
        await write(`mutation { updateProduct(code: "${kind}-1", input: { name: "two" }) { code } }`);
        assert.equal((await until(subscription, own)).data.p.product.name, 'two');
        await write(`mutation { updateProduct(code: "${kind}-1", input: { published: false, owner: "ann" }) { code } }`);
        const removed = (await until(subscription, own)).data.p;
        assert.deepEqual([removed.kind, removed.product], ['REMOVED', null]);
        await write(`mutation { a: createProduct(input: { code: "${kind}-2", name: "x" }) { code } }`);
        await write(`mutation { deleteProduct(code: "${kind}-2") { code } }`);
        const kinds = [];
        for (let event; kinds.at(-1) !== 'DELETED'; kinds.push(event.data.p.kind)) event = await until(subscription, (data) => data.p.code === `${kind}-2`);
        assert.equal(kinds.at(-1), 'DELETED');
        subscription.stop();
      });

      test(`${kind}: where and filter choose, aliases and fragments shape, one row is watched by its key`, limit, async () => {
        const chosen = subscribe(kind, 'subscription($min: Decimal!) { p: productChanged(where: { price: { gte: $min } }, filter: "name != \'no\'") { k: kind a: product { n: name ...Price } b: product { code } } } fragment Price on Product { price }', { variables: { min: '100' } });
        const single = subscribe(kind, `subscription { p: productChanged(code: "${kind}-live") { kind product { name } } }`);
        // Both have begun once they hear of their own rows.
        let i = 0;
        const heard = Promise.all([chosen.next(), single.next()]);
        let isHeard = false;
        heard.then(() => { isHeard = true; }, () => { isHeard = true; });
        while (!isHeard && i < 200) {
          await write(`mutation { a: createProduct(input: { code: "${kind}-c${i}", name: "yes", price: "150" }) { code } b: createProduct(input: { code: "${kind}-d${i}", name: "no", price: "150" }) { code } c: createProduct(input: { code: "${kind}-e${i}", name: "yes", price: "99" }) { code } }`);
          await write(i === 0 ? `mutation { createProduct(input: { code: "${kind}-live", name: "0" }) { code } }` : `mutation { updateProduct(code: "${kind}-live", input: { name: "${i}" }) { code } }`);
          i++;
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
        const [first, live] = await heard;
        assert.equal(first.data.p.k, 'CREATED');
        assert.deepEqual(first.data.p.a, { n: 'yes', price: '150' });
        assert.match(first.data.p.b.code, new RegExp(`^${kind}-c`));
        assert.match(live.data.p.product.name, /^\d+$/);
        chosen.stop();
        single.stop();
      });

      test(`${kind}: who comes back with a position misses nothing`, limit, async () => {
        const query = 'subscription($after: String) { p: productChanged(after: $after) { kind code position } }';
        const first = subscribe(kind, query);
        const { position } = await begun(first);
        first.stop();
        await write(`mutation { createProduct(input: { code: "${kind}-missed", name: "m" }) { code } }`);
        const second = subscribe(kind, query, { variables: { after: position } });
        await until(second, (data) => data.p.code === `${kind}-missed` && data.p.kind === 'CREATED');
        second.stop();
      });

      test(`${kind}: another's rows and fields are not told`, limit, async () => {
        const stranger = subscribe(kind, 'subscription { p: productChanged { code product { cost } } }');
        const sue = subscribe(kind, 'subscription { p: productChanged { code product { cost } } }', { token: staff });
        await begun(stranger);
        await begun(sue);
        await write(`mutation { createProduct(input: { code: "${kind}-hidden", name: "h", published: false, owner: "ann" }) { code } }`);
        await write(`mutation { createProduct(input: { code: "${kind}-shown", name: "s", cost: 7 }) { code } }`);
        const codes = [];
        const shown = await until(stranger, (data) => { codes.push(data.p.code); return data.p.code === `${kind}-shown`; });
        assert.ok(!codes.includes(`${kind}-hidden`));
        assert.deepEqual(shown.data.p.product, { cost: null });
        assert.deepEqual((await until(sue, (data) => data.p.code === `${kind}-shown`)).data.p.product, { cost: 7 });
        stranger.stop();
        sue.stop();
      });

      test(`${kind}: what is refused is told at once`, limit, async () => {
        const refused = await subscribe(kind, 'subscription { secretChanged { kind } }').ended;
        assert.ok(refused, 'must be refused');
        // Where the answer is a stream already, a document that is not valid is its only result.
        const double = subscribe(kind, 'subscription { a: productChanged { kind } b: productChanged { kind } }');
        const invalid = kind === 'graphql-sse' ? (await double.next()).errors : await double.ended;
        assert.match(invalid[0].message, /one field/);
        const old = await subscribe(kind, 'subscription { productChanged(after: "nonsense") { kind } }').ended;
        assert.ok(old, 'no such position');
      });
    }

    test('a query is answered as a stream of one result', limit, async () => {
      const client = clients['graphql-sse']();
      open_.push(client);
      const answers = [];
      await new Promise((resolve, reject) => client.subscribe({ query: '{ __typename }' }, { next: (value) => answers.push(value), error: reject, complete: resolve }));
      assert.deepEqual(answers, [{ data: { __typename: 'Query' } }]);
    });

    test('a stream tells what is wrong with a document as its only result, whatever it is; elsewhere the status says it', limit, async () => {
      const ask = (query, accept, variables) => fetch(`http://127.0.0.1:${server.port}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', accept }, body: JSON.stringify({ query, variables }) });
      const deep = `subscription { productChanged { product { category { ${'products { nodes { category { '.repeat(8)} id ${'} } }'.repeat(8)} } } } }`;
      const cases = [['subscription {', 'BAD_REQUEST'], ['subscription { a: productChanged { kind } b: productChanged { kind } }', 'BAD_REQUEST'], ['subscription { __typename }', 'BAD_REQUEST'],
        ['subscription { productChanged { nothing } }', 'BAD_REQUEST'], ['subscription($c: String!) { productChanged(code: $c) { kind } }', 'BAD_REQUEST'], ['subscription { productChanged @skip(if: true) { kind } }', 'BAD_REQUEST'],
        ['subscription($v: Boolean!) { productChanged @skip(if: $v) { kind } }', 'BAD_REQUEST'], [deep, 'TOO_LARGE'], ['{ products(first: 1000) { nodes { code } } }', 'BAD_REQUEST']];
      for (const [query, code] of cases) {
        const stream = await ask(query, 'text/event-stream');
        const text = await stream.text();
        assert.deepEqual([stream.status, stream.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8'], `${query}\n${text}`);
        const [, data] = /^event: next\ndata: (.*)\n\nevent: complete\ndata:\n\n$/.exec(text) ?? assert.fail(text);
        const { errors, ...rest } = JSON.parse(data);
        assert.deepEqual([errors.map(({ extensions }) => extensions.code)[0], rest], [code, {}], query);
        const plain = await ask(query, 'application/graphql-response+json, text/event-stream;q=0.5');
        assert.deepEqual([plain.status, (await plain.json()).errors[0].message], [400, errors[0].message], query);
      }
    });

    test('a composite key is told in its parts and as nodeId', limit, async () => {
      const subscription = subscribe('graphql-ws', 'subscription { partChanged { product number nodeId part { label } } }');
      let event;
      const first = subscription.next().then((value) => { event = value; });
      for (let i = 0; !event && i < 200; i++) {
        await write(`mutation { createPart(input: { product: "p", number: ${i}, label: "l" }) { label } }`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      await first;
      const { product, number, nodeId, part } = event.data.partChanged;
      assert.deepEqual([product, part], ['p', { label: 'l' }]);
      assert.equal(Buffer.from(nodeId, 'base64url').toString(), `Part:p,${number}`);
      subscription.stop();
    });

    test('over plain HTTP a subscription is 406, with what to ask for', limit, async () => {
      const answer = await fetch(`http://127.0.0.1:${server.port}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query: 'subscription { productChanged { kind } }' }) });
      assert.equal(answer.status, 406);
      assert.match(JSON.stringify(await answer.json()), /text\/event-stream/);
    });

    test('subscriptions count as watches, not as requests in flight', limit, async () => {
      const subscription = subscribe('graphql-ws', 'subscription { p: productChanged { kind } }', { token: ann });
      await begun(subscription);
      const metrics = await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text();
      assert.ok(Number(/^caisson_watches_open (\d+)$/m.exec(metrics)[1]) >= 1);
      assert.equal(Number(/^caisson_http_requests_in_flight (\d+)$/m.exec(metrics)[1]), 1, 'the one that asks');
      subscription.stop();
    });
  });
}
