// graphql-batch.test.mjs - arrays of GraphQL requests: off by default, each answered as if it had come alone, in order, up to a limit.
import assert from 'node:assert';
import { after, before, describe, test } from 'node:test';
import { connect } from '../support/http.mjs';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") { id: ID! @id name: String! @length(max: 10) }
type Note @resource @access(read: "auth.id != null", write: "'staff' in auth.roles") { id: ID! @id text: String! }
`;
const token = makeToken({ sub: 'sam', roles: ['staff'] });
const timeout = 60000;
const create = (id, name = 'x') => ({ query: 'mutation ($input: ProductCreate!) { createProduct(input: $input) { id } }', variables: { input: { id, name } } });
const codes = (answer) => answer.errors?.map(({ extensions }) => extensions.code);

async function open(options) {
  const server = await startServer({ contract, options: ['--threads', '2', ...options] });
  const client = server.client();
  server.send = async (body, { accept, bearer = token } = {}) => {
    const response = await client.request('POST', '/graphql', {
      headers: { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}), ...(accept ? { Accept: accept } : {}) },
      body: JSON.stringify(body),
    });
    return { status: response.status, type: response.headers.get('content-type'), json: JSON.parse(response.text) };
  };
  server.close = async () => { client.close(); await server.stop(); removeFolder(server.folder); };
  return server;
}

test('without the option an array is refused', { timeout }, async () => {
  const server = await open([]);
  try {
    const refused = await server.send([{ query: '{ __typename }' }]);
    assert.equal(refused.status, 400);
    assert.deepEqual(codes(refused.json), ['BAD_REQUEST']);
  } finally {
    await server.close();
  }
});

describe('with --graphql-batch-max', () => {
  let server;
  before(async () => { server = await open(['--graphql-batch-max', '5']); }, { timeout });
  after(() => server.close(), { timeout });

  test('answers come in order, and each request sees what went before it', { timeout }, async () => {
    const query = '{ products { nodes { id } } }';
    const { status, type, json } = await server.send([{ query }, create('a'), { query }, { query: '{ __typename }' }, create('b')]);
    assert.equal(status, 200);
    assert.match(type, /^application\/json/);
    assert.deepEqual(json, [
      { data: { products: { nodes: [] } } }, { data: { createProduct: { id: 'a' } } }, { data: { products: { nodes: [{ id: 'a' }] } } },
      { data: { __typename: 'Query' } }, { data: { createProduct: { id: 'b' } } },
    ]);
  });
  test('what one is refused is no matter of the others', { timeout }, async () => {
    const { status, json } = await server.send([create('c'), create('d', 'far too long a name'), { query: '{ nonsense }' }, 5, create('e')]);
    assert.equal(status, 200);
    assert.deepEqual(json.map(codes), [undefined, ['VALIDATION_FAILED'], ['BAD_REQUEST'], ['BAD_REQUEST'], undefined]);
    assert.equal(json[1].errors[0].extensions.pointer, '/name');
    assert.deepEqual(json[1].data, { createProduct: null });
    const { json: [found] } = await server.send([{ query: '{ c: product(id: "c") { id } d: product(id: "d") { id } e: product(id: "e") { id } }' }]);
    assert.deepEqual(found, { data: { c: { id: 'c' }, d: null, e: { id: 'e' } } });
  });
  test('each has the caller\'s access, operation and variables', { timeout }, async () => {
    const notes = { query: '{ notes { nodes { id } } }' };
    const stranger = await server.send([notes, { query: 'query A { __typename } query B($id: ID!) { product(id: $id) { id } }', operationName: 'B', variables: { id: 'a' } }], { bearer: null });
    assert.equal(stranger.status, 200);
    assert.deepEqual(codes(stranger.json[0]), ['UNAUTHENTICATED']);
    assert.deepEqual(stranger.json[1], { data: { product: { id: 'a' } } });
    assert.deepEqual((await server.send([notes])).json, [{ data: { notes: { nodes: [] } } }]);
    assert.equal((await server.send([notes], { bearer: 'nonsense' })).status, 401);
  });
  test('the limit, and what is no batch', { timeout }, async () => {
    const one = { query: '{ __typename }' };
    assert.deepEqual((await server.send(Array(5).fill(one))).json, Array(5).fill({ data: { __typename: 'Query' } }));
    const many = await server.send(Array(6).fill(create('never')));
    assert.equal(many.status, 400);
    assert.deepEqual(codes(many.json), ['TOO_LARGE']);
    assert.deepEqual((await server.send([{ query: '{ product(id: "never") { id } }' }])).json, [{ data: { product: null } }]);
    assert.deepEqual((await server.send([])).json, []);
    assert.deepEqual((await server.send([[one], one])).json.map(codes), [['BAD_REQUEST'], undefined], 'a batch within a batch');
    assert.deepEqual((await server.send(one)).json, { data: { __typename: 'Query' } }, 'a request alone is answered alone');
  });
  test('a subscription is refused in it, and a batch as a stream', { timeout }, async () => {
    const { status, json } = await server.send([{ query: 'subscription { productChanged { kind } }' }, { query: '{ __typename }' }]);
    assert.equal(status, 200);
    assert.deepEqual(json.map(codes), [['NOT_ACCEPTABLE'], undefined]);
    assert.equal((await server.send([{ query: '{ __typename }' }], { accept: 'text/event-stream' })).status, 406);
  });
  test('the media type is the one that is asked for', { timeout }, async () => {
    const { status, type, json } = await server.send([{ query: '{ nonsense }' }], { accept: 'application/graphql-response+json' });
    assert.equal(status, 200);
    assert.match(type, /^application\/graphql-response\+json/);
    assert.deepEqual(json.map(codes), [['BAD_REQUEST']]);
  });
  test('who leaves in the middle leaves nothing behind', { timeout }, async () => {
    const body = JSON.stringify([1, 2, 3, 4, 5].map((n) => create(`left${n}`)));
    for (let i = 0; i < 20; i++) {
      const socket = await connect(server.port);
      socket.write(`POST /graphql HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
      await new Promise((resolve) => { setImmediate(resolve); });
      socket.destroy();
    }
    assert.deepEqual((await server.send([{ query: '{ __typename }' }])).json, [{ data: { __typename: 'Query' } }]);
  });
});

test('an answer beyond --result-max is refused as a whole', { timeout }, async () => {
  const server = await open(['--graphql-batch-max', '100', '--result-max', '4KiB']);
  try {
    const refused = await server.send(Array(100).fill({ query: `{ ${'x'.repeat(60)}: __typename }` }));
    assert.equal(refused.json.code, 'TOO_LARGE');
    assert.equal(refused.status, 413);
  } finally {
    await server.close();
  }
});
