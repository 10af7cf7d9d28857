// idempotency.test.mjs - Idempotency-Key (draft-ietf-httpapi-idempotency-key-header) where it matters: two at once, a restart, kill -9, time, room.
import assert from 'node:assert';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder, makeToken, removeFolder, run, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "shop")
type Order @resource @access(read: "true", write: "true") {
  id: ID!
  text: String! @length(max: 20)
}
`;

const post = (client, key, body, headers = {}) =>
  client.request('POST', '/v1/orders', { headers: { 'Content-Type': 'application/json', 'Idempotency-Key': key, ...headers }, body: JSON.stringify(body) });

async function count(client) {
  return JSON.parse((await client.request('GET', '/v1/orders?count=exact&limit=0')).text).count;
}

// Everything of an answer that must come again.
const essence = ({ status, headers, text }) => ({ status, text, location: headers.get('location'), etag: headers.get('etag'), type: headers.get('content-type') });

async function withServer(options, body) {
  const folder = makeFolder();
  const server = await startServer({ contract, folder, options: ['--threads', '2', ...options] });
  const client = server.client();
  try {
    await body(server, client, folder);
  } finally {
    client.close();
    await server.stop();
    removeFolder(folder);
  }
}

test('the same key while the first is running: 409, and the write is done once', { timeout: 120000 }, () => withServer([], async (server, client) => {
  const clients = Array.from({ length: 20 }, () => server.client());
  let refused = [];
  let rounds = 0;
  // Whether two meet is the scheduler's choice: round after round until they do, which the first rounds show.
  for (; rounds < 200 && refused.length === 0; rounds++) {
    const answers = await Promise.all(clients.map((each) => post(each, `"storm-${rounds}"`, { text: 'one' })));
    assert.ok(answers.every(({ status }) => status === 201 || status === 409), answers.map(({ status }) => status).join());
    const done = answers.filter(({ status }) => status === 201).map(essence);
    for (const answer of done) assert.deepEqual(answer, done[0]);
    assert.deepEqual(essence(await post(client, `"storm-${rounds}"`, { text: 'one' })), done[0]);
    refused = answers.filter(({ status }) => status === 409);
  }
  clients.forEach((each) => each.close());
  assert.ok(refused.length > 0, 'no two requests ever met');
  assert.ok(refused.every(({ text }) => JSON.parse(text).code === 'CONFLICT'));
  assert.equal(await count(client), rounds);
}));

test('a key is its caller\'s own', { timeout: 60000 }, () => withServer([], async (server, client) => {
  const as = (sub) => ({ Authorization: `Bearer ${makeToken({ sub })}` });
  const ann = await post(client, '"k"', { text: 'ann' }, as('ann'));
  const bob = await post(client, '"k"', { text: 'bob' }, as('bob'));
  const nobody = await post(client, '"k"', { text: 'nobody' });
  assert.deepEqual([ann.status, bob.status, nobody.status], [201, 201, 201]);
  // Another token of the same person, with other claims.
  assert.deepEqual(essence(await post(client, '"k"', { text: 'ann' }, { Authorization: `Bearer ${makeToken({ sub: 'ann', roles: ['x'] })}` })), essence(ann));
  assert.equal((await post(client, '"k"', { text: 'bob' }, as('ann'))).status, 422);
  assert.equal(await count(client), 3);
}));

test('an answer is kept over a restart and kill -9', { timeout: 120000 }, async () => {
  const folder = makeFolder();
  let server = await startServer({ contract, folder });
  let client = server.client();
  const first = await post(client, '"a"', { text: 'a' });
  assert.equal(first.status, 201);
  client.close();
  await server.stop();
  server = await startServer({ contract, folder });
  client = server.client();
  assert.deepEqual(essence(await post(client, '"a"', { text: 'a' })), essence(first));
  const second = await post(client, '"b"', { text: 'b' });
  assert.equal(second.status, 201);
  client.close();
  server.child.kill('SIGKILL');
  await server.exited;
  server = await startServer({ contract, folder });
  client = server.client();
  assert.deepEqual(essence(await post(client, '"b"', { text: 'b' })), essence(second));
  assert.equal((await post(client, '"b"', { text: 'c' })).status, 422);
  assert.equal(await count(client), 2);
  client.close();
  await server.stop();
  // The server's own table is nobody's resource.
  const seen = run(['introspect', `sqlite:${path.join(folder, 'test.db')}`]);
  assert.equal(seen.status, 0, seen.stderr);
  assert.doesNotMatch(seen.stdout, /idempotency/i);
  removeFolder(folder);
});

test('an answer that is too old is forgotten', { timeout: 60000 }, () => withServer(['--idempotency-ttl', '1ms'], async (server, client) => {
  const first = await post(client, '"k"', { text: 'one' });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const second = await post(client, '"k"', { text: 'two' });
  assert.deepEqual([first.status, second.status], [201, 201]);
  assert.equal(await count(client), 2);
}));

test('as many answers are kept as --idempotency-keys-max says, and old ones make room', { timeout: 60000 }, async () => {
  await withServer(['--idempotency-keys-max', '2'], async (server, client) => {
    assert.equal((await post(client, '"1"', { text: '1' })).status, 201);
    assert.equal((await post(client, '"2"', { text: '2' })).status, 201);
    const third = await post(client, '"3"', { text: '3' });
    assert.equal(third.status, 503);
    assert.ok(third.headers.has('retry-after'));
    assert.equal((await post(client, '"1"', { text: '1' })).status, 201);
    assert.equal(await count(client), 2);
    assert.equal((await client.request('POST', '/v1/orders', { headers: { 'Content-Type': 'application/json' }, body: '{"text":"without"}' })).status, 201);
  });
  await withServer(['--idempotency-keys-max', '1', '--idempotency-ttl', '1ms'], async (server, client) => {
    for (let i = 0; i < 6; i++) {
      assert.equal((await post(client, `"${i}"`, { text: `${i}` })).status, 201);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
});
