// watch.test.mjs - the change feed as REST gives it: server-sent events of what was committed, in order, under the watcher's access.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, startServer } from '../support/server.mjs';
import { openWatch } from '../support/watch.mjs';

const contract = `
extend schema @service(name: "shop", version: "v1")
enum State { DRAFT OPEN @value(name: "is-open") DONE }
type Shelf @resource @access(read: "true", write: "true") {
  id: ID!
  name: String!
  products: [Product!]!
}
type Product @resource @access(read: "published || owner == auth.id", write: "true") {
  code: String! @id
  name: String!
  price: Decimal
  big: BigInt
  state: State! @default(value: DRAFT)
  published: Boolean! @default(value: true)
  owner: String
  cost: Int @access(read: "'staff' in auth.roles")
  secret: String @hidden
  shelf: Shelf @relation(onDelete: CASCADE)
  notes: [Note!]!
}
type Note @resource @access(read: "true", write: "true") {
  id: ID!
  text: String!
  product: Product @relation(onDelete: SET_NULL)
}
type Task @resource @access(read: "project.members.exists(m, m.user == auth.id)", write: "true") {
  code: String! @id
  title: String!
  project: Project!
}
type Project @resource @access(read: "true", write: "true") {
  code: String! @id
  tasks: [Task!]!
  members: [Member!]!
}
type Member @resource @access(read: "true", write: "true") {
  project: Project! @id
  user: String! @id
  level: Int! @default(value: 1)
}`;

const limit = { timeout: 90000 };
const bearer = (claims) => ({ authorization: `Bearer ${makeToken(claims)}` });
const ann = bearer({ sub: 'ann' }), bob = bearer({ sub: 'bob' }), staff = bearer({ sub: 'sue', roles: ['staff'] });

const stores = {
  sqlite: async () => ({ store: undefined, stop: async () => {} }),
  postgres: async () => {
    const database = await startPostgres();
    return { store: database.url(), options: ['--migrate'], stop: async () => { await database.stop(); await database.remove(); } };
  },
};
const chosen = (process.env.WATCH_STORES ?? 'sqlite,postgres').split(',');

for (const name of chosen) {
  describe(`on ${name}`, () => {
    let place, server, client;
    const write = async (method, path, body, headers = {}, status = undefined) => {
      const answer = await client.request(method, path, { headers: { 'content-type': 'application/json', ...headers }, body: body === undefined ? undefined : JSON.stringify(body) });
      assert.ok(status === undefined ? answer.status < 300 : answer.status === status, `${method} ${path}: ${answer.status} ${answer.text}`);
      return answer.text === '' ? null : JSON.parse(answer.text);
    };
    const watch = (path, options) => openWatch(server, path, options);
    /* A row is told as it is when its change is read, so what a watcher shall see in between is waited for: by a row behind it that he sees. */
    const shown = (watcher) => watcher.events.map((event) => `${event.kind} ${(event.product ?? event.task ?? event.note ?? event.member).code ?? (event.product ?? event.task ?? event.note ?? event.member).id}`);

    before(async () => {
      place = await stores[name]();
      server = await startServer({ contract, store: place.store, options: ['--threads', '2', ...(place.options ?? [])] });
      client = server.client();
    });
    after(async () => {
      client?.close();
      try { await server?.stop(); } finally { await place?.stop(); if (server) removeFolder(server.folder); }
    });

    test('what is created, updated and deleted is told, each with its position', limit, async () => {
      const watcher = await watch('/v1/products:watch?code[startsWith]=a-');
      assert.equal(watcher.status, 200);
      assert.match(watcher.headers['content-type'], /^text\/event-stream/);
      assert.equal(watcher.headers['cache-control'], 'no-store');
      await write('POST', '/v1/products', { code: 'a-1', name: 'Tea', price: '1.50', big: '9007199254740993', state: 'OPEN' });
      await watcher.count(1);
      await write('PATCH', '/v1/products/a-1', { name: 'Green tea' });
      await watcher.count(2);
      await write('DELETE', '/v1/products/a-1');
      await watcher.count(3);
      const [created, updated, deleted] = watcher.events;
      assert.equal(created.event, 'created');
      assert.equal(created.kind, 'CREATED');
      assert.equal(created.id, created.position);
      assert.deepEqual(created.product, { code: 'a-1', name: 'Tea', price: '1.5', big: '9007199254740993', state: 'OPEN', published: true, owner: null, cost: null, shelfId: null });
      assert.deepEqual([updated.event, updated.kind, updated.product.name], ['updated', 'UPDATED', 'Green tea']);
      assert.deepEqual([deleted.event, deleted.kind, deleted.product], ['deleted', 'DELETED', { code: 'a-1' }]);
      assert.equal(new Set(watcher.events.map((event) => event.id)).size, 3);
      watcher.close();
    });

    test('a selection with relations, and a field that only some may see', limit, async () => {
      const shelf = await write('POST', '/v1/shelves', { name: 'Top' });
      const path = '/v1/products:watch?code=b-1&fields=name,cost,shelf(name),notes(text)';
      const strangers = await watch(path), staffs = await watch(path, { headers: staff });
      await write('POST', '/v1/products', { code: 'b-1', name: 'Cup', cost: 5, shelfId: shelf.id, notes: { create: [{ text: 'blue' }] } }, staff);
      await strangers.count(1);
      await staffs.count(1);
      assert.deepEqual(strangers.events[0].product, { name: 'Cup', cost: null, shelf: { name: 'Top' }, notes: { items: [{ text: 'blue' }], nextCursor: null } });
      assert.equal(staffs.events[0].product.cost, 5);
      strangers.close();
      staffs.close();
    });

    test('a row comes and goes with its visibility, and what was never visible tells nothing', limit, async () => {
      const strangers = await watch('/v1/products:watch?code[startsWith]=c-'), anns = await watch('/v1/products:watch?code[startsWith]=c-', { headers: ann });
      await write('POST', '/v1/products', { code: 'c-1', name: 'Hidden', published: false, owner: 'ann' }, ann);
      await write('PATCH', '/v1/products/c-1', { name: 'Still hidden' }, ann);
      await write('POST', '/v1/products', { code: 'c-0', name: 'First' });
      await strangers.count(1);
      await write('PATCH', '/v1/products/c-1', { published: true }, ann);
      await strangers.count(2);
      await write('PATCH', '/v1/products/c-1', { published: false }, ann);
      await strangers.count(3);
      await write('PATCH', '/v1/products/c-1', { name: 'Nobody knows' }, ann);
      await anns.count(6); /* of a row that is gone only its end would be told */
      await write('DELETE', '/v1/products/c-1', undefined, ann);
      await anns.count(7);
      await write('POST', '/v1/products', { code: 'c-2', name: 'Last' });
      await strangers.count(4);
      assert.deepEqual(shown(strangers), ['CREATED c-0', 'CREATED c-1', 'REMOVED c-1', 'CREATED c-2']);
      assert.deepEqual(strangers.events[2].product, { code: 'c-1' });
      const anns1 = shown(anns).filter((event) => event.endsWith(' c-1'));
      assert.deepEqual(anns1, ['CREATED c-1', 'UPDATED c-1', 'UPDATED c-1', 'UPDATED c-1', 'UPDATED c-1', 'DELETED c-1']);
      strangers.close();
      anns.close();
    });

    test('a filter is a membership too', limit, async () => {
      const watcher = await watch(`/v1/products:watch?filter=${encodeURIComponent('code.startsWith("d-") && price >= 10')}`);
      await write('POST', '/v1/products', { code: 'd-1', name: 'Cheap', price: '1' });
      await write('POST', '/v1/products', { code: 'd-2', name: 'Dear', price: '11' });
      await watcher.count(1);
      await write('PATCH', '/v1/products/d-1', { price: '10' });
      await watcher.count(2);
      await write('PATCH', '/v1/products/d-1', { price: '9.99' });
      await watcher.count(3);
      assert.deepEqual(shown(watcher), ['CREATED d-2', 'CREATED d-1', 'REMOVED d-1']);
      watcher.close();
    });

    test('a filter may name the caller: each gets their own', limit, async () => {
      const path = `/v1/products:watch?filter=${encodeURIComponent('code.startsWith("own-") && owner == auth.id')}`;
      const anns = await watch(path, { headers: ann }), strangers = await watch(path);
      await write('POST', '/v1/products', { code: 'own-1', name: 'Hers', owner: 'ann' });
      await write('POST', '/v1/products', { code: 'own-2', name: 'His', owner: 'bob' });
      await write('POST', '/v1/products', { code: 'own-3', name: 'Hers too', owner: 'ann' });
      await anns.count(2);
      assert.deepEqual(anns.events.map((event) => event.product.code), ['own-1', 'own-3']);
      assert.deepEqual(strangers.events, []);
      anns.close();
      strangers.close();
    });

    test('a filter over a field that is hidden from the watcher tells nothing of it', limit, async () => {
      const path = '/v1/products:watch?code=d-9&cost[gte]=3';
      const strangers = await watch(path), staffs = await watch(path, { headers: staff });
      await write('POST', '/v1/products', { code: 'd-9', name: 'Cup', cost: 5 }, staff);
      await staffs.count(1);
      await write('PATCH', '/v1/products/d-9', { cost: 1 }, staff);
      await staffs.count(2);
      assert.deepEqual(shown(staffs), ['CREATED d-9', 'REMOVED d-9']);
      assert.deepEqual(strangers.events, []);
      strangers.close();
      staffs.close();
    });

    test('a rule over other rows is asked anew for each event', limit, async () => {
      await write('POST', '/v1/projects', { code: 'p', members: { create: [{ user: 'ann' }] } });
      const anns = await watch('/v1/tasks:watch', { headers: ann }), bobs = await watch('/v1/tasks:watch', { headers: bob });
      await write('POST', '/v1/tasks', { code: 't-1', title: 'One', projectCode: 'p' });
      await anns.count(1);
      await write('POST', '/v1/projects', { code: 'b', members: { create: [{ user: 'bob' }] } });
      await write('POST', '/v1/tasks', { code: 't-0', title: 'Zero', projectCode: 'b' });
      await bobs.count(1);
      await write('POST', '/v1/members', { projectCode: 'p', user: 'bob' });
      await write('PATCH', '/v1/tasks/t-1', { title: 'Two' }, ann);
      await anns.count(2);
      await bobs.count(2);
      await write('DELETE', '/v1/members/p,ann');
      await write('PATCH', '/v1/tasks/t-1', { title: 'Three' }, bob);
      await bobs.count(3);
      await write('DELETE', '/v1/tasks/t-1', undefined, bob);
      await bobs.count(4);
      assert.deepEqual(shown(anns), ['CREATED t-1', 'UPDATED t-1']);
      assert.deepEqual(bobs.events.map((event) => event.task.title), ['Zero', 'Two', 'Three', undefined]);
      assert.equal(bobs.events.at(-1).kind, 'DELETED');
      anns.close();
      bobs.close();
    });

    test('a composite key, and keys that are enums or relations', limit, async () => {
      await write('POST', '/v1/projects', { code: 'q' });
      const watcher = await watch('/v1/members:watch?fields=level&projectCode=q');
      await write('POST', '/v1/members', [{ projectCode: 'q', user: 'ann' }, { projectCode: 'q', user: 'bob' }]);
      await watcher.count(2);
      await write('PATCH', '/v1/members/q,bob', { level: 7 });
      await write('DELETE', '/v1/members/q,ann');
      await watcher.count(4);
      assert.deepEqual(watcher.events.map((event) => event.member), [{ level: watcher.events[0].member.level }, { level: watcher.events[1].member.level }, { level: 7 }, { projectCode: 'q', user: 'ann' }]);
      watcher.close();
    });

    test('what a deletion takes along is told, and what loses its reference', limit, async () => {
      const shelf = await write('POST', '/v1/shelves', { name: 'Low' });
      await write('POST', '/v1/products', [{ code: 'e-1', name: 'A', shelfId: shelf.id }, { code: 'e-2', name: 'B', shelfId: shelf.id }]);
      const note = await write('POST', '/v1/notes', { text: 'mine', productCode: 'e-1' });
      const products = await watch('/v1/products:watch?code[startsWith]=e-'), notes = await watch(`/v1/notes:watch?id=${note.id}`);
      await write('DELETE', `/v1/shelves/${shelf.id}`);
      await products.count(2);
      await notes.count(1);
      assert.deepEqual(shown(products).sort(), ['DELETED e-1', 'DELETED e-2']);
      assert.deepEqual([notes.events[0].kind, notes.events[0].note.productCode], ['UPDATED', null]);
      products.close();
      notes.close();
    });

    test('what is refused, rolled back, tried out or no change is not told', limit, async () => {
      const watcher = await watch('/v1/products:watch?code[startsWith]=f-');
      await write('POST', '/v1/products', { code: 'f-1', name: 'A' }, { prefer: 'tx=rollback' });
      await write('POST', '/v1/products', [{ code: 'f-2', name: 'A' }, { code: 'f-2', name: 'B' }], {}, 409);
      await write('POST', '/v1/batch', { operations: [{ method: 'POST', path: '/v1/products', body: { code: 'f-3', name: 'A' } }, { method: 'DELETE', path: '/v1/products/none' }] }, {}, 404);
      await write('POST', '/v1/products', { code: 'f-4', name: 'A' });
      await write('PATCH', '/v1/products/f-4', { name: 'A' });
      await write('PATCH', '/v1/products/f-4', { name: 'B' });
      await watcher.count(2);
      assert.deepEqual(shown(watcher), ['CREATED f-4', 'UPDATED f-4']);
      watcher.close();
    });

    test('who comes back with a position misses nothing', limit, async () => {
      const first = await watch('/v1/products:watch?code[startsWith]=g-');
      const start = first.position;
      await write('POST', '/v1/products', { code: 'g-0', name: 'A' });
      await first.count(1);
      first.close();
      for (let i = 1; i < 600; i += 50) await write('POST', '/v1/products', Array.from({ length: 50 }, (_, k) => ({ code: `g-${i + k}`, name: 'A' })));
      await write('DELETE', '/v1/products/g-1');
      const again = await watch('/v1/products:watch?code[startsWith]=g-', { headers: { 'last-event-id': first.events[0].id } });
      await again.until(() => again.events.some((event) => event.kind === 'DELETED'), 'the deletion');
      const created = again.events.filter((event) => event.kind === 'CREATED').map((event) => event.product.code);
      assert.deepEqual(new Set(created), new Set(Array.from({ length: 599 }, (_, i) => `g-${i + 2}`).slice(0, created.length)));
      assert.equal(created.length, 599);
      const whole = await watch(`/v1/products:watch?code=g-0&after=${start}`);
      await whole.count(1);
      assert.equal(whole.events[0].product.code, 'g-0');
      again.close();
      whole.close();
    });

    test('what a watch can not take is refused', limit, async () => {
      for (const [path, status, code] of [['?limit=3', 400, 'BAD_REQUEST'], ['?sort=name', 400, 'BAD_REQUEST'], ['?nonsense=1', 400, 'BAD_REQUEST'], ['?after=nonsense', 400, 'BAD_REQUEST'], ['?secret=1', 400, 'BAD_REQUEST']]) {
        const refused = await watch(`/v1/products:watch${path}`);
        assert.deepEqual([refused.status, refused.problem.code], [status, code], path);
      }
      const notThere = await watch('/v1/nothing:watch');
      assert.equal(notThere.status, 404);
      const json = await watch('/v1/products:watch', { headers: { accept: 'application/json' } });
      assert.equal(json.status, 406);
      const posted = await client.request('POST', '/v1/products:watch');
      assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
      const head = await client.request('HEAD', '/v1/products:watch');
      assert.deepEqual([head.status, head.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8']);
      const badToken = await watch('/v1/products:watch', { headers: { authorization: 'Bearer x' } });
      assert.equal(badToken.status, 401);
    });

    test('a watch ends with its token', limit, async () => {
      const watcher = await watch('/v1/products:watch', { headers: bearer({ sub: 'ann', exp: Math.floor(Date.now() / 1000) + 2 }) });
      await watcher.closed();
      assert.equal(watcher.end.code, 'UNAUTHENTICATED');
      assert.equal(typeof watcher.end.position, 'string');
    });
  });
}
