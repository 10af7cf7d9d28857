// graphql-single.test.mjs - graphql-sse's single connection mode, by its own client and by bare requests, on several loops: whichever loop a request
// comes to, its results come on the one stream; who may use a stream, and what bounds it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, root, startServer } from '../support/server.mjs';
import { openRaw } from '../support/websocket.mjs';

const require = createRequire(path.join(root, 'tests/clients/package.json'));
const { createClient } = require('graphql-sse');

const contract = `
extend schema @service(name: "shop", version: "v1")
type Product @resource @access(read: "published || owner == auth.id", write: "true") {
  code: String! @id
  name: String!
  text: String @length(max: 900000)
  published: Boolean! @default(value: true)
  owner: String
}
type Secret @resource @access(read: "'boss' in auth.roles", write: "true") { id: ID! @id word: String! }
`;
const limit = { timeout: 90000 };
const ann = makeToken({ sub: 'ann' }), annAgain = makeToken({ sub: 'ann', jti: '2' }), bob = makeToken({ sub: 'bob' });
const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});
const HEADER = 'x-graphql-event-stream-token';

const stores = {
  sqlite: async () => ({ stop: async () => {} }),
  postgres: async () => {
    const database = await startPostgres();
    return { store: database.url(), options: ['--migrate'], stop: async () => { await database.stop(); await database.remove(); } };
  },
};

const waitFor = async (isIt, what) => {
  const deadline = Date.now() + 30000;
  while (!(await isIt())) {
    if (Date.now() > deadline) throw new Error(`not in 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

// A request over a connection of its own, so that any loop may have it.
function ask(port, method, query, { headers = {}, body, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', path: `/graphql${query}`, method, agent: false, signal, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (data) => { text += data; });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text, json: () => JSON.parse(text) }));
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

// A stream that is read: its events by operation, as they come.
function read(port, token, { headers = {}, isPaused = false, query = '' } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port, host: '127.0.0.1', path: `/graphql${query}`, method: 'GET', agent: false, headers: { accept: 'text/event-stream', ...(query ? {} : { [HEADER]: token }), ...headers } }, (response) => {
      const stream = { status: response.statusCode, headers: response.headers, text: '', events: [], isEnded: false, isCut: false, response, stop: () => request.destroy() };
      const take = () => {
        for (let end; (end = stream.text.indexOf('\n\n')) >= 0; stream.text = stream.text.slice(end + 2)) {
          const lines = stream.text.slice(0, end).split('\n').filter((line) => !line.startsWith(':'));
          if (lines.length === 0) { stream.comments = (stream.comments ?? 0) + 1; continue; }
          stream.events.push({ event: lines[0].replace('event: ', ''), ...JSON.parse(lines[1].replace('data: ', '')) });
        }
      };
      stream.of = (id) => stream.events.filter((event) => event.id === id);
      stream.isOver = (id) => stream.of(id).at(-1)?.event === 'complete';
      stream.finished = new Promise((done) => {
        response.on('end', () => { stream.isEnded = true; done(); });
        response.on('close', () => { stream.isCut = !response.complete; done(); });
        response.on('error', () => done());
      });
      response.setEncoding('utf8');
      const listen = () => response.on('data', (data) => { stream.text += data; take(); });
      stream.resume = () => { listen(); response.resume(); };
      if (isPaused) response.pause(); else listen();
      resolve(stream);
    });
    request.on('error', reject);
    request.end();
  });
}

for (const [storeName, open] of Object.entries(stores)) {
  describe(`one stream for many operations over ${storeName}`, () => {
    const folder = makeFolder();
    let store, server, port;
    before(async () => {
      store = await open();
      server = await startServer({ contract, folder, store: store.store, options: [...(store.options ?? []), '--threads', '4', '--watch-heartbeat', '1s'] });
      port = server.port;
    });
    after(async () => {
      if (server) await server.stop();
      await store?.stop();
      removeFolder(folder);
    });

    const reserve = async (token) => {
      const answer = await ask(port, 'PUT', '', { headers: bearer(token) });
      assert.equal(answer.status, 201, answer.text);
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
      assert.match(answer.text, /^[\w-]{32}$/);
      return answer.text;
    };
    const execute = (stream, id, query, { token, variables, ...more } = {}) => ask(port, 'POST', '', { headers: { ...bearer(token), [HEADER]: stream }, body: { query, variables, extensions: { operationId: id }, ...more } });
    const write = async (query, variables) => {
      const answer = await ask(port, 'POST', '', { body: { query, variables } });
      assert.equal(answer.json().errors, undefined, answer.text);
      return answer.json().data;
    };
    const create = (code, more = '') => write(`mutation { createProduct(input: { code: "${code}", name: "n"${more} }) { code } }`);

    test('the client\'s own: queries, mutations and subscriptions over one connection', limit, async () => {
      const client = createClient({ url: `http://127.0.0.1:${port}/graphql`, singleConnection: true, retryAttempts: 0, headers: bearer(ann) });
      const once = (query, variables) => new Promise((resolve, reject) => { let result; client.subscribe({ query, variables }, { next: (value) => { result = value; }, error: reject, complete: () => resolve(result) }); });
      const heard = Array.from({ length: 8 }, () => []);
      const stops = heard.map((events, i) => client.subscribe({ query: 'subscription($f: String) { p: productChanged(filter: $f) { kind code product { name } } }', variables: { f: `code != "client-${i}"` } }, { next: (value) => events.push(value.data.p), error: (error) => events.push(error), complete: () => events.push('complete') }));
      assert.deepEqual(await once('{ __typename }'), { data: { __typename: 'Query' } });
      // Each has begun once it hears of a row that is written until it does.
      let marks = 0;
      await waitFor(async () => { await create(`mark-${marks++}`); return heard.every((events) => events.length > 0); }, 'all have begun');
      const codes = Array.from({ length: 8 }, (_, i) => `client-${i}`);
      await Promise.all(codes.map((code) => once('mutation($code: String!) { createProduct(input: { code: $code, name: "x" }) { code } }', { code })));
      await waitFor(() => heard.every((events) => events.filter(({ code }) => codes.includes(code)).length === 7), 'each hears of all but one');
      heard.forEach((events, i) => assert.deepEqual(events.filter(({ code }) => codes.includes(code)).map(({ code }) => code).sort(), codes.filter((_, k) => k !== i)));
      for (const stop of stops) stop();
      await waitFor(() => heard.every((events) => events.at(-1) === 'complete'), 'all are complete');
      client.dispose();
      await waitFor(async () => (await count('caisson_watches_open')) === 0 && (await count('caisson_graphql_event_streams')) === 0, 'nothing is left');
    });

    async function count(name) {
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)[1]);
    }

    test('whichever connection an operation comes by, its results come on the stream, each operation\'s in order', limit, async () => {
      const token = await reserve();
      const stream = await read(port, token);
      assert.deepEqual([stream.status, stream.headers['content-type'], stream.headers['cache-control']], [200, 'text/event-stream; charset=utf-8', 'no-store']);
      const ids = Array.from({ length: 40 }, (_, i) => `op-${i}`);
      const answers = await Promise.all(ids.map((id) => execute(token, id, 'query($id: String) { __typename products(where: { code: { eq: $id } }) { totalCount } }', { variables: { id } })));
      assert.deepEqual([...new Set(answers.map(({ status, text }) => `${status} ${text}`))], ['202 ']);
      await waitFor(() => ids.every((id) => stream.isOver(id)), 'all are answered');
      for (const id of ids) assert.deepEqual(stream.of(id), [{ event: 'next', id, payload: { data: { __typename: 'Query', products: { totalCount: 0 } } } }, { event: 'complete', id }]);
      // Subscriptions of several loops, one writer: each hears everything in order.
      const watchers = Array.from({ length: 12 }, (_, i) => `watch-${i}`);
      for (const id of watchers) assert.equal((await execute(token, id, 'subscription { p: productChanged(filter: "code.startsWith(\'o-\')") { code } }')).status, 202);
      let marks = 0;
      await waitFor(async () => { await create(`o-mark-${String(marks++).padStart(5, '0')}`); return watchers.every((id) => stream.of(id).length > 0); }, 'all have begun');
      const codes = Array.from({ length: 25 }, (_, i) => `o-${String(i).padStart(3, '0')}`);
      for (const code of codes) await create(code);
      const heard = (id) => stream.of(id).map(({ payload }) => payload.data.p.code).filter((code) => codes.includes(code));
      await waitFor(() => watchers.every((id) => heard(id).length >= codes.length), 'all is heard');
      for (const id of watchers) assert.deepEqual(heard(id), codes);
      // DELETE stops one; the others go on.
      const stopped = await ask(port, 'DELETE', `?operationId=${watchers[0]}`, { headers: { [HEADER]: token } });
      assert.deepEqual([stopped.status, stopped.text], [200, '']);
      await waitFor(() => stream.isOver(watchers[0]), 'it is complete');
      await create('o-behind');
      await waitFor(() => watchers.slice(1).every((id) => stream.of(id).at(-1).payload.data.p.code === 'o-behind'), 'the others heard it');
      assert.equal(stream.of(watchers[0]).filter(({ payload }) => payload?.data.p.code === 'o-behind').length, 0);
      assert.equal((await ask(port, 'DELETE', '?operationId=nothing', { headers: { [HEADER]: token } })).status, 200);
      assert.ok(stream.comments > 0);
      stream.stop();
      await waitFor(async () => (await count('caisson_watches_open')) === 0, 'the watches are gone with the stream');
      assert.equal((await execute(token, 'late', '{ __typename }')).status, 404);
    });

    test('results wait for the reader; a browser\'s EventSource comes with the token alone', limit, async () => {
      const token = await reserve(ann);
      await create(`mine-${storeName}`, ', published: false, owner: "ann"');
      assert.equal((await execute(token, 'q', `{ product(code: "mine-${storeName}") { code } }`, { token: annAgain })).status, 202);
      assert.equal((await execute(token, 's', 'subscription { productChanged { code } }', { token: ann })).status, 202);
      const stream = await read(port, token, { query: `?token=${token}` });
      await waitFor(() => stream.isOver('q'), 'what waited has come');
      assert.deepEqual(stream.of('q')[0].payload, { data: { product: { code: `mine-${storeName}` } } });
      assert.equal((await read(port, token, { headers: bearer(ann) })).status, 409);
      stream.stop();
    });

    test('a stream is its caller\'s', limit, async () => {
      const token = await reserve(ann);
      for (const other of [bob, undefined]) {
        assert.equal((await execute(token, 'x', '{ __typename }', { token: other })).status, 404);
        assert.equal((await ask(port, 'DELETE', '?operationId=x', { headers: { ...bearer(other), [HEADER]: token } })).status, 404);
      }
      assert.equal((await read(port, token, { headers: bearer(bob) })).status, 404);
      const stranger = await reserve();
      assert.equal((await execute(stranger, 'x', '{ __typename }', { token: ann })).status, 404);
      assert.equal((await execute('nonsense', 'x', '{ __typename }')).status, 404);
      assert.equal((await ask(port, 'PUT', '', { headers: { authorization: 'Bearer bad' } })).status, 401);
      assert.equal((await ask(port, 'PUT', '', { headers: { accept: 'application/json' } })).status, 406);
    });

    test('what is refused is answered as over plain HTTP, and never comes on the stream', limit, async () => {
      const token = await reserve(ann);
      const stream = await read(port, token, { headers: bearer(ann) });
      const cases = [[{ query: '{' }, 400, 'BAD_REQUEST'], [{ query: '{ nothing }' }, 400, 'BAD_REQUEST'], [{ query: 'subscription { a: productChanged { code } b: productChanged { code } }' }, 400, 'BAD_REQUEST'],
        [{ query: 'subscription { secretChanged { kind } }' }, 403, 'FORBIDDEN'], [{ query: 'subscription { productChanged(after: "nonsense") { kind } }' }, 400, 'BAD_REQUEST'],
        [{ query: '{ products(first: 1000) { nodes { code } } }' }, 400, 'BAD_REQUEST'], [{}, 400, 'BAD_REQUEST'], [[{ query: '{ __typename }' }], 400, 'BAD_REQUEST'], [{ query: '{ __typename }', extensions: {} }, 400, 'BAD_REQUEST'],
        [{ query: '{ __typename }', extensions: { operationId: 'x'.repeat(257) } }, 400, 'BAD_REQUEST']];
      for (const [body, status, code] of cases) {
        const sent = Array.isArray(body) ? body : { extensions: { operationId: 'refused' }, ...body };
        const answer = await ask(port, 'POST', '', { headers: { ...bearer(ann), [HEADER]: token }, body: sent });
        assert.deepEqual([answer.status, answer.json().errors[0].extensions.code], [status, code], `${JSON.stringify(body)}\n${answer.text}`);
      }
      assert.equal((await ask(port, 'POST', '', { headers: { ...bearer(ann), [HEADER]: token, 'content-type': 'text/plain' }, body: {} })).status, 415);
      // An operation that ran is accepted, whatever came of it.
      assert.equal((await execute(token, 'ran', '{ secrets { nodes { id } } }', { token: ann })).status, 202);
      await waitFor(() => stream.isOver('ran'), 'it is answered');
      assert.equal(stream.of('ran')[0].payload.errors[0].extensions.code, 'FORBIDDEN');
      assert.equal(stream.of('refused').length, 0);
      // Over GET too, but no mutation.
      const query = (text) => `?${new URLSearchParams({ query: text, extensions: JSON.stringify({ operationId: 'got' }) })}`;
      assert.equal((await ask(port, 'GET', query('{ __typename }'), { headers: { ...bearer(ann), [HEADER]: token } })).status, 202);
      await waitFor(() => stream.isOver('got'), 'it is answered');
      assert.equal((await ask(port, 'GET', query('mutation { deleteProduct(code: "x") { code } }'), { headers: { ...bearer(ann), [HEADER]: token } })).status, 405);
      // One id, one operation.
      assert.equal((await execute(token, 'twice', 'subscription { productChanged { code } }', { token: ann })).status, 202);
      assert.equal((await execute(token, 'twice', '{ __typename }', { token: ann })).status, 409);
      stream.stop();
    });

    test('other requests are what they were', limit, async () => {
      const options = await ask(port, 'OPTIONS', '');
      assert.deepEqual([options.status, options.headers.allow], [204, 'GET, HEAD, POST, PUT, DELETE, OPTIONS']);
      assert.equal((await ask(port, 'PATCH', '', { body: {} })).status, 405);
      assert.equal((await ask(port, 'DELETE', '?operationId=x')).status, 404);
      const plain = await ask(port, 'GET', `?token=${await reserve()}`, { headers: { accept: 'application/json' } });
      assert.equal(plain.status, 406);
    });
  });
}

describe('what bounds a stream', () => {
  const folder = makeFolder();
  let server, port;
  before(async () => {
    server = await startServer({ contract, folder, options: ['--threads', '3', '--graphql-sse-streams-max', '3', '--graphql-sse-operations-max', '4', '--graphql-sse-buffer-max', '64KiB', '--graphql-sse-reservation', '1s', '--watch-lag', '60s', '--body-max', '2MiB'] });
    port = server.port;
  });
  after(async () => {
    if (server) await server.stop();
    removeFolder(folder);
  });
  const reserve = async () => (await ask(port, 'PUT', '')).text;
  const execute = (stream, id, query, variables) => ask(port, 'POST', '', { headers: { [HEADER]: stream }, body: { query, variables, extensions: { operationId: id } } });
  const count = async (name) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())[1]);

  test('a reservation that nobody reads runs out, with its operations', limit, async () => {
    const token = await reserve();
    assert.equal((await execute(token, 's', 'subscription { productChanged { code } }')).status, 202);
    assert.equal(await count('caisson_watches_open'), 1);
    await waitFor(async () => (await count('caisson_watches_open')) === 0, 'its time is over');
    assert.equal((await read(port, token)).status, 404);
    assert.equal(await count('caisson_graphql_event_streams'), 0);
  });

  test('operations of one stream, streams of the server', limit, async () => {
    const stream = await read(port, await reserve());
    const token = stream.response.req.getHeader(HEADER);
    for (let i = 0; i < 4; i++) assert.equal((await execute(token, `s${i}`, 'subscription { productChanged { code } }')).status, 202);
    const fifth = await execute(token, 's5', '{ __typename }');
    assert.deepEqual([fifth.status, fifth.json().errors[0].extensions.code], [429, 'RATE_LIMITED']);
    await ask(port, 'DELETE', '?operationId=s0', { headers: { [HEADER]: token } });
    await waitFor(() => stream.isOver('s0'), 'one has ended');
    assert.equal((await execute(token, 's6', '{ __typename }')).status, 202);
    // Strangers have half: of what they don't read their own oldest goes, and what is read stays.
    const own = async () => (await ask(port, 'PUT', '', { headers: bearer(ann) })).text;
    const anns = await own();
    const a = await reserve(), b = await reserve();
    assert.equal((await execute(a, 'x', '{ __typename }')).status, 404);
    const second = await read(port, b);
    const strangers = await ask(port, 'PUT', '');
    assert.deepEqual([strangers.status, strangers.json().errors[0].extensions.code], [429, 'RATE_LIMITED']);
    const third = await read(port, anns, { headers: bearer(ann) });
    assert.deepEqual([second.status, third.status], [200, 200]);
    const full = await ask(port, 'PUT', '', { headers: bearer(bob) });
    assert.deepEqual([full.status, full.json().errors[0].extensions.code, full.headers['retry-after']], [503, 'UNAVAILABLE', '1']);
    for (const one of [stream, second, third]) one.stop();
    await waitFor(async () => (await count('caisson_graphql_event_streams')) === 0, 'they are gone');
  });

  test('for a reader who does not read no more operations are begun, until it reads on: nothing is lost', limit, async () => {
    for (let i = 0; i < 6; i++) await ask(port, 'POST', '', { body: { query: 'mutation($t: String) { createProduct(input: { code: "' + `big-${i}` + '", name: "n", text: $t }) { code } }', variables: { t: 'x'.repeat(400000) } } });
    const token = await reserve();
    const stream = await read(port, token, { isPaused: true });
    const all = '{ products(where: { code: { startsWith: "big-" } }) { nodes { text } } }';
    const statuses = [];
    // Sockets hold some of it.
    for (let i = 0; i < 100 && statuses.at(-1) !== 429; i++) statuses.push((await execute(token, `q${i}`, all)).status);
    assert.equal(statuses.at(-1), 429, `never refused: ${statuses.join()}`);
    assert.deepEqual([...new Set(statuses.slice(0, -1))], [202]);
    stream.resume();
    await waitFor(() => statuses.slice(0, -1).every((_, i) => stream.isOver(`q${i}`)), 'what waited has come');
    for (let i = 0; i < statuses.length - 1; i++) assert.deepEqual(stream.of(`q${i}`)[0].payload.data.products.nodes.map(({ text }) => text.length), Array(6).fill(400000));
    assert.equal((await execute(token, 'again', all)).status, 202);
    await waitFor(() => stream.isOver('again'), 'it goes on');
    stream.stop();
  });

  test('what waits for all readers together is bounded, and who takes it all keeps nobody else from anything', limit, async () => {
    const folder = makeFolder(), most = 2 * 1024 * 1024;
    const small = await startServer({ contract, folder, options: ['--threads', '3', '--graphql-sse-streams-max', '8', '--graphql-sse-memory-max', '2MiB', '--graphql-sse-reservation', '60s', '--body-max', '2MiB'] });
    try {
      const reserve = async (who) => (await ask(small.port, 'PUT', '', { headers: bearer(who) })).text;
      const run = (token, id, who) => ask(small.port, 'POST', '', { headers: { ...bearer(who), [HEADER]: token }, body: { query: '{ products { nodes { text } } }', extensions: { operationId: id } } });
      const waiting = async () => Number(/^caisson_graphql_event_streams_waiting_bytes (\d+)$/m.exec(await (await fetch(`http://127.0.0.1:${small.port}/metrics`)).text())[1]);
      await ask(small.port, 'POST', '', { body: { query: 'mutation($t: String) { createProduct(input: { code: "x", name: "n", text: $t }) { code } }', variables: { t: 'x'.repeat(400000) } } });
      const tokens = [];
      for (let i = 0; i < 4; i++) tokens.push(await reserve());
      // All at once, so that nobody knows yet how large the results are; nobody reads them.
      const answers = await Promise.all(tokens.flatMap((token) => Array.from({ length: 30 }, (_, i) => run(token, `op${i}`))));
      const statuses = [...new Set(answers.map(({ status }) => status))];
      assert.ok(statuses.includes(202) && statuses.every((status) => [202, 404, 429, 503].includes(status)), statuses.join());
      assert.ok((await waiting()) <= most);
      // Somebody else is answered, as often as one likes.
      const anns = await reserve(ann), stream = await read(small.port, anns, { headers: bearer(ann) });
      for (let i = 0; i < 5; i++) {
        const answer = await run(anns, `mine${i}`, ann);
        assert.equal(answer.status, 202, answer.text);
        await waitFor(() => stream.isOver(`mine${i}`), 'it is answered');
        assert.equal(stream.of(`mine${i}`)[0].payload.data.products.nodes[0].text.length, 400000);
        assert.ok((await waiting()) <= most);
      }
      stream.stop();
    } finally {
      await small.stop();
      removeFolder(folder);
    }
  });

  test('a slow reader gets everything that a subscription has to say', limit, async () => {
    const token = await reserve();
    const stream = await read(port, token, { isPaused: true });
    assert.equal((await execute(token, 's', 'subscription { productChanged { code product { text } } }')).status, 202);
    // More than sockets and the stream hold together.
    for (let i = 0; i < 40; i++) await ask(port, 'POST', '', { body: { query: 'mutation($t: String) { createProduct(input: { code: "' + `slow-${i}` + '", name: "n", text: $t }) { code } }', variables: { t: 'y'.repeat(300000) } } });
    await new Promise((resolve) => setTimeout(resolve, 500));
    stream.resume();
    await waitFor(() => stream.of('s').length >= 40, 'all has come');
    assert.deepEqual([...new Set(stream.of('s').map(({ payload }) => payload.data.productChanged.code))], Array.from({ length: 40 }, (_, i) => `slow-${i}`));
    stream.stop();
  });

  test('who leaves before an operation was answered stops it', limit, async () => {
    const stream = await read(port, await reserve());
    const token = stream.response.req.getHeader(HEADER);
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const control = new AbortController();
      const asked = ask(port, 'POST', '', { headers: { [HEADER]: token }, body: { query: '{ products { nodes { text } } }', extensions: { operationId: `gone-${i}` } }, signal: control.signal });
      setTimeout(() => control.abort(), i);
      await asked.catch(() => undefined);
    }));
    // Those that were answered in time have left results, which the reader takes.
    await waitFor(async () => (await execute(token, 'after', '{ __typename }')).status === 202, 'there is room');
    await waitFor(() => stream.isOver('after'), 'it goes on');
    stream.stop();
  });
});

describe('an operation is one request', () => {
  const isOne = async (options, check) => {
    const folder = makeFolder();
    const server = await startServer({ contract, folder, options });
    try {
      await check(server);
    } finally {
      await server.stop();
      removeFolder(folder);
    }
  };

  test('it takes one place among those in flight, and a batch too', limit, () => isOne(['--threads', '1', '--requests-in-flight-max', '1', '--graphql-batch-max', '3'], async ({ port }) => {
    const token = (await ask(port, 'PUT', '')).text;
    const stream = await read(port, token);
    const run = (id) => ask(port, 'POST', '', { headers: { [HEADER]: token }, body: { query: '{ products { totalCount } }', extensions: { operationId: id } } });
    for (const id of ['a', 'b']) {
      const answer = await run(id);
      assert.equal(answer.status, 202, answer.text);
    }
    await waitFor(() => stream.isOver('b'), 'both are answered');
    for (const id of ['a', 'b']) assert.deepEqual(stream.of(id)[0].payload, { data: { products: { totalCount: 0 } } });
    const batch = await ask(port, 'POST', '', { body: Array.from({ length: 3 }, () => ({ query: '{ products { totalCount } }' })) });
    assert.deepEqual(batch.json(), Array.from({ length: 3 }, () => ({ data: { products: { totalCount: 0 } } })));
    stream.stop();
  }));
});

test('who waits for an operation is told what ended it: DELETE, or the end of the stream', limit, async () => {
  const folder = makeFolder();
  const server = await startServer({ contract, folder, options: ['--threads', '2', '--statement-timeout', '60s', '--graphql-sse-reservation', '60s'] });
  // Another program holds the database: a write waits.
  const holder = spawn('sqlite3', [path.join(folder, 'test.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const released = new Promise((resolve) => holder.once('exit', resolve));
  try {
    holder.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n");
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const token = (await ask(server.port, 'PUT', '')).text, headers = { [HEADER]: token };
    const run = (id, query) => ask(server.port, 'POST', '', { headers, body: { query, extensions: { operationId: id } } });
    const stream = await read(server.port, token);
    const ended = ['stopped', 'left'].map((id) => run(id, `mutation { createProduct(input: { code: "${id}", name: "n" }) { code } }`));
    for (const id of ['stopped', 'left']) await waitFor(async () => (await run(id, '{ __typename }')).status === 409, 'it is under way');
    await ask(server.port, 'DELETE', '?operationId=stopped', { headers });
    const stopped = await ended[0];
    assert.deepEqual([stopped.status, stopped.text], [204, '']);
    await waitFor(() => stream.isOver('stopped'), 'it is complete');
    stream.stop();
    const left = await ended[1];
    assert.deepEqual([left.status, left.json().errors[0].extensions.code], [404, 'NOT_FOUND']);
  } finally {
    holder.stdin.end();
    await released;
    await server.stop();
    removeFolder(folder);
  }
});

test('a contract that is read again ends subscriptions, not the stream, which does not keep the old one; nor does a WebSocket', limit, async () => {
  const folder = makeFolder();
  const server = await startServer({ contract, folder, options: ['--threads', '3'] });
  try {
    const token = (await ask(server.port, 'PUT', '')).text;
    const stream = await read(server.port, token);
    const sockets = await Promise.all(Array.from({ length: 3 }, () => openRaw(server.port)));
    for (const socket of sockets) assert.equal((await socket.init()).type, 'connection_ack');
    const run = (id, query) => ask(server.port, 'POST', '', { headers: { [HEADER]: token }, body: { query, extensions: { operationId: id } } });
    for (let i = 0; i < 6; i++) assert.equal((await run(`s${i}`, 'subscription { productChanged { code } }')).status, 202);
    assert.equal((await run('early', '{ products { nodes { colour } } }')).status, 400);
    fs.writeFileSync(server.contractPath, contract.replace('name: String!', 'name: String! colour: String'));
    server.child.kill('SIGHUP');
    for (let i = 0; i < 6; i++) {
      await waitFor(() => stream.isOver(`s${i}`), 'it has ended');
      assert.equal(stream.of(`s${i}`)[0].payload.errors[0].extensions.code, 'UNAVAILABLE');
    }
    await waitFor(async () => /^caisson_contracts_retired 0$/m.test(await (await fetch(`http://127.0.0.1:${server.port}/metrics`)).text()), 'the old contract is gone');
    const asked = { query: '{ products { nodes { colour } } }' }, expected = { data: { products: { nodes: [] } } };
    for (let i = 0; i < 6; i++) {
      await waitFor(async () => (await run(`late${i}`, asked.query)).status === 202, 'its loop has read it, too');
      await waitFor(() => stream.isOver(`late${i}`), 'it is answered');
      assert.deepEqual(stream.of(`late${i}`)[0].payload, expected);
    }
    for (const socket of sockets) {
      let id = 0;
      await waitFor(async () => {
        socket.text({ id: `${id++}`, type: 'subscribe', payload: asked });
        const answer = await socket.message();
        if (answer.type === 'next') assert.equal((await socket.message()).type, 'complete');
        return answer.type === 'next' && isDeepStrictEqual(answer.payload, expected);
      }, 'its loop has read it, too');
      socket.destroy();
    }
    stream.stop();
  } finally {
    await server.stop();
    removeFolder(folder);
  }
});

describe('the end of the server', () => {
  test('a stream comes to its end with what its operations have to say', limit, async () => {
    const folder = makeFolder();
    const server = await startServer({ contract, folder, options: ['--threads', '4'] });
    const token = (await ask(server.port, 'PUT', '')).text;
    const stream = await read(server.port, token);
    for (let i = 0; i < 8; i++) assert.equal((await ask(server.port, 'POST', '', { headers: { [HEADER]: token }, body: { query: 'subscription { productChanged { code } }', extensions: { operationId: `s${i}` } } })).status, 202);
    const exit = await server.stop();
    assert.equal(exit.code, 0);
    await stream.finished;
    assert.ok(stream.isEnded && !stream.isCut);
    for (let i = 0; i < 8; i++) {
      const [last, complete] = stream.of(`s${i}`);
      assert.deepEqual([last.payload.errors[0].extensions.code, complete.event], ['UNAVAILABLE', 'complete']);
    }
    removeFolder(folder);
  });

  test('it can be switched off', limit, async () => {
    const folder = makeFolder();
    const server = await startServer({ contract, folder, options: ['--graphql-sse-streams-max', '0'] });
    const answer = await ask(server.port, 'PUT', '');
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'GET, HEAD, POST, OPTIONS']);
    await server.stop();
    removeFolder(folder);
  });
});
