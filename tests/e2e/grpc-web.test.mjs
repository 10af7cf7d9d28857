// grpc-web.test.mjs - one service over every protocol that carries it (INTERFACE §5): gRPC, gRPC-Web and Connect, over HTTP/1.1 and HTTP/2,
// binary and JSON, by @connectrpc's clients; and by hand where a client would not send it so.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Code, ConnectError, createClient } from '../grpc/node_modules/@connectrpc/connect/dist/esm/index.js';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '../grpc/node_modules/@connectrpc/connect-node/dist/esm/index.js';
import { createConnectTransport as createWebConnectTransport, createGrpcWebTransport as createWebGrpcWebTransport } from '../grpc/node_modules/@connectrpc/connect-web/dist/esm/index.js';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe as describeContract, readStatus, registryOf } from '../grpc/client.mjs';
import { makeFolder, makeToken, program, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") {
  id: ID! @id
  displayName: String! @length(min: 1, max: 4000)
  price: Decimal! @range(min: "0")
  sold: BigInt
  createdAt: DateTime
}
`;
const staff = makeToken({ sub: 'sam', roles: ['staff'] });
const timeout = 60000;
const folder = makeFolder();
const contractPath = path.join(folder, 'shop.graphql');
let server;
let base;
let Service;
before(async () => {
  fs.writeFileSync(contractPath, contract);
  Service = registryOf(describeContract(program, contractPath)).getService('shop.v1.ProductService');
  server = await startServer({ contractPath, options: ['--threads', '2', '--grpc-message-max', '1MiB', '--cors-origin', 'https://shop.example'] });
  base = server.addresses[0];
});
after(async () => {
  await server?.stop();
  removeFolder(server.folder);
  removeFolder(folder);
});

const transports = {
  'gRPC over HTTP/2': () => createGrpcTransport({ baseUrl: base }),
  'gRPC over HTTP/2, JSON': () => createGrpcTransport({ baseUrl: base, useBinaryFormat: false }),
  'gRPC-Web over HTTP/1.1': () => createGrpcWebTransport({ baseUrl: base, httpVersion: '1.1' }),
  'gRPC-Web over HTTP/2, JSON': () => createGrpcWebTransport({ baseUrl: base, httpVersion: '2', useBinaryFormat: false }),
  'gRPC-Web by fetch': () => createWebGrpcWebTransport({ baseUrl: base }),
  'Connect over HTTP/1.1': () => createConnectTransport({ baseUrl: base, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect over HTTP/1.1, JSON': () => createConnectTransport({ baseUrl: base, httpVersion: '1.1', useBinaryFormat: false }),
  'Connect over HTTP/2, compressed': () => createConnectTransport({ baseUrl: base, httpVersion: '2', useBinaryFormat: true, compressMinBytes: 1, sendCompression: undefined }),
  'Connect by fetch': () => createWebConnectTransport({ baseUrl: base }),
  'Connect by fetch, binary, GET': () => createWebConnectTransport({ baseUrl: base, useBinaryFormat: true, useHttpGet: true }),
};

async function fails(promise, code) {
  const error = await assert.rejects(promise).then(() => promise.catch((thrown) => thrown));
  assert.ok(error instanceof ConnectError, String(error));
  assert.equal(Code[error.code], Code[code], error.message);
  return error;
}

async function collect(messages) {
  const all = [];
  for await (const message of messages) all.push(message);
  return all;
}

for (const [name, open] of Object.entries(transports)) {
  test(`${name}: unary calls, streams and errors`, { timeout }, async () => {
    const client = createClient(Service, open());
    const headers = { authorization: `Bearer ${staff}` };
    const prefix = `${name.replace(/[^a-zA-Z0-9]/g, '')}-`;
    const row = { id: `${prefix}1`, displayName: 'é'.repeat(2000), price: '1.5', sold: 9007199254740993n, createdAt: { seconds: 1700000000n, nanos: 5000 } };
    const made = await client.createProduct({ product: row }, { headers });
    assert.equal(made.sold, 9007199254740993n);
    assert.equal(made.displayName, row.displayName);
    assert.equal(made.createdAt.nanos, 5000);
    const read = await client.getProduct({ id: row.id });
    assert.deepEqual(read, made);
    const listed = await client.listProducts({ filter: `id.startsWith("${prefix}")`, showTotal: true });
    assert.equal(listed.totalSize, 1);
    const exported = await collect(client.exportProducts({ filter: `id.startsWith("${prefix}")`, readMask: { paths: ['id'] } }));
    assert.deepEqual(exported.map(({ product }) => product.id), [row.id]);
    const missing = await fails(client.getProduct({ id: 'nowhere' }), Code.NotFound);
    assert.equal(missing.details[0].type, 'google.rpc.ErrorInfo');
    const invalid = await fails(client.createProduct({ product: { ...row, id: 'x', price: '-1' } }, { headers }), Code.InvalidArgument);
    assert.deepEqual(invalid.details.map(({ type }) => type), ['google.rpc.ErrorInfo', 'google.rpc.BadRequest', 'google.rpc.RequestInfo']);
    await fails(client.deleteProduct({ id: row.id }), Code.Unauthenticated);
    await fails(collect(client.exportProducts({ filter: 'nonsense >' })), Code.InvalidArgument);
  });
}

test('client streams over gRPC and Connect', { timeout }, async () => {
  for (const [i, open] of [transports['gRPC over HTTP/2'], transports['Connect over HTTP/1.1'], transports['Connect over HTTP/2, compressed'], transports['gRPC-Web over HTTP/1.1']].entries()) {
    const client = createClient(Service, open());
    async function* rows() { for (let n = 0; n < 50; n++) yield { product: { id: `stream-${i}-${n}`, displayName: 'n', price: String(n) } }; }
    assert.equal((await client.importProducts(rows(), { headers: { authorization: `Bearer ${staff}` } })).createdCount, 50n);
    await fails(client.importProducts(rows(), { headers: { authorization: `Bearer ${staff}` } }), Code.AlreadyExists);
  }
});

// ---- by hand ----

const frame = (flags, message) => Buffer.concat([Buffer.from([flags, ...[24, 16, 8, 0].map((shift) => (message.length >> shift) & 255)]), message]);
const method = (name) => `${base}/shop.v1.ProductService/${name}`;
const post = (name, type, body, headers = {}) => fetch(method(name), { method: 'POST', headers: { 'content-type': type, ...headers }, body });
// GetProductRequest { id = 1 }
const getRequest = (id) => Buffer.concat([Buffer.from([10, id.length]), Buffer.from(id)]);

function readFrames(bytes) {
  const frames = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at + 1);
    frames.push({ flags: bytes[at], message: bytes.subarray(at + 5, at + 5 + length) });
    at += 5 + length;
  }
  return frames;
}

function webTrailers(bytes) {
  const last = readFrames(bytes).at(-1);
  assert.equal(last.flags, 0x80);
  return new Headers(last.message.toString().trim().split('\r\n').map((line) => line.split(/: ?/, 2)));
}

describe('what no client sends', () => {
  before(async () => {
    const client = createClient(Service, transports['Connect by fetch']());
    await client.createProduct({ product: { id: 'hand', displayName: 'Hand '.repeat(400), price: '2' } }, { headers: { authorization: `Bearer ${staff}` } });
  });

  test('gRPC-Web as text, in pieces', { timeout }, async () => {
    const whole = frame(0, getRequest('hand'));
    for (const body of [whole.toString('base64'), whole.subarray(0, 5).toString('base64') + whole.subarray(5).toString('base64')]) {
      const response = await post('GetProduct', 'application/grpc-web-text', body);
      assert.equal(response.status, 200);
      assert.equal(response.headers.get('content-type'), 'application/grpc-web-text');
      const frames = readFrames(Buffer.from(await response.text(), 'base64'));
      assert.equal(frames.length, 2);
      assert.equal(frames[1].message.toString(), 'grpc-status: 0\r\n');
    }
    const broken = await post('GetProduct', 'application/grpc-web-text', 'AAA*');
    assert.equal(webTrailers(Buffer.from(await broken.text(), 'base64')).get('grpc-status'), '3');
  });

  test('compressed messages, both ways', { timeout }, async () => {
    const response = await post('GetProduct', 'application/grpc-web+proto', frame(1, gzipSync(getRequest('hand'))), { 'grpc-encoding': 'gzip', 'grpc-accept-encoding': 'gzip' });
    assert.equal(response.headers.get('grpc-encoding'), 'gzip');
    const [first] = readFrames(Buffer.from(await response.arrayBuffer()));
    assert.equal(first.flags, 1);
    assert.ok(gunzipSync(first.message).includes('Hand Hand'));
    const unknown = await post('GetProduct', 'application/grpc-web', frame(1, getRequest('hand')), { 'grpc-encoding': 'snappy' });
    assert.equal(webTrailers(Buffer.from(await unknown.arrayBuffer())).get('grpc-status'), '12');
    assert.match(unknown.headers.get('grpc-accept-encoding'), /gzip/);
  });

  test('messages that lie are refused, and nobody else is hurt', { timeout }, async () => {
    const bomb = gzipSync(Buffer.alloc(50 << 20));
    const cases = [
      [Buffer.alloc(0), '12'],
      [Buffer.from([0, 0, 0]), '3'],
      [Buffer.from([0, 255, 255, 255, 255, 1]), '8'],
      [frame(0, getRequest('hand')).subarray(0, 8), '3'],
      [Buffer.concat([frame(0, getRequest('hand')), frame(0, getRequest('hand'))]), '12'],
      [frame(2, getRequest('hand')), '3'],
      [frame(0x80, getRequest('hand')), '3'],
      [frame(1, getRequest('hand')), '13'], // gRPC's compression.md: flagged as compressed, and nothing says how
      [frame(0, Buffer.from([10, 200, 1])), '3'],
      [frame(0, Buffer.from([10, 2, 0xff, 0xfe])), '3'],
    ];
    for (const [body, status] of cases) {
      const response = await post('GetProduct', 'application/grpc-web', body);
      const trailers = webTrailers(Buffer.from(await response.arrayBuffer()));
      assert.equal(trailers.get('grpc-status'), status, body.toString('hex').slice(0, 40));
      assert.equal(readStatus(Buffer.from(trailers.get('grpc-status-details-bin'), 'base64')).code, Number(status));
    }
    const blown = await post('GetProduct', 'application/grpc-web', frame(1, bomb), { 'grpc-encoding': 'gzip' });
    assert.equal(webTrailers(Buffer.from(await blown.arrayBuffer())).get('grpc-status'), '8');
    const large = await post('GetProduct', 'application/grpc-web', frame(0, Buffer.alloc(2 << 20)));
    assert.equal(webTrailers(Buffer.from(await large.arrayBuffer())).get('grpc-status'), '8');
    assert.equal((await post('GetProduct', 'application/json', '{"id":"hand"}')).status, 200);
  });

  test('what is not there is said in the protocol that asks', { timeout }, async () => {
    const web = async (name) => webTrailers(Buffer.from(await (await post(name, 'application/grpc-web', frame(0, getRequest('hand')))).arrayBuffer())).get('grpc-status');
    assert.equal(await web('NoSuchMethod'), '12');
    const connect = await post('NoSuchMethod', 'application/json', '{}');
    assert.equal(connect.status, 501);
    assert.equal((await connect.json()).code, 'unimplemented');
    const type = await post('GetProduct', 'text/plain', '{}');
    assert.equal(type.status, 415);
    assert.equal((await post('ExportProducts', 'application/json', '{}')).status, 415);
    assert.equal((await post('GetProduct', 'application/connect+json', frame(0, Buffer.from('{}')))).status, 415);
    const put = await fetch(method('GetProduct'), { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{}' });
    assert.equal(put.status, 405);
    assert.equal(put.headers.get('allow'), 'POST');
    const write = await fetch(`${method('DeleteProduct')}?encoding=json&message=%7B%7D`);
    assert.equal(write.status, 405);
    const version = await post('GetProduct', 'application/json', '{}', { 'connect-protocol-version': '2' });
    assert.equal(version.status, 400);
    const unknown = await post('GetProduct', 'application/json', '{"nothing":1}');
    assert.equal(unknown.status, 400);
    assert.equal((await unknown.json()).code, 'invalid_argument');
  });

  test('a read can be a GET', { timeout }, async () => {
    const query = (more) => `${method('GetProduct')}?connect=v1&${new URLSearchParams(more)}`;
    const json = await fetch(query({ encoding: 'json', message: '{"id":"hand","readMask":"id"}' }));
    assert.equal(json.status, 200);
    assert.deepEqual(await json.json(), { id: 'hand' });
    const proto = await fetch(query({ encoding: 'proto', base64: '1', compression: 'gzip', message: gzipSync(getRequest('hand')).toString('base64url') }));
    assert.equal(proto.headers.get('content-type'), 'application/proto');
    assert.ok(Buffer.from(await proto.arrayBuffer()).includes('Hand'));
    const missing = await fetch(query({ encoding: 'json', message: '{"id":"nowhere"}' }));
    assert.equal(missing.status, 404);
    const { code, message, details } = await missing.json();
    assert.equal(code, 'not_found');
    assert.ok(message.length > 0);
    assert.equal(details[0].type, 'google.rpc.ErrorInfo');
  });

  test('pages of other origins may call, and see the status', { timeout }, async () => {
    const origin = { origin: 'https://shop.example' };
    const preflight = await fetch(method('GetProduct'), { method: 'OPTIONS', headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type,x-grpc-web,grpc-timeout,connect-protocol-version' } });
    assert.equal(preflight.status, 204);
    assert.match(preflight.headers.get('access-control-allow-headers'), /x-grpc-web/);
    const response = await post('GetProduct', 'application/grpc-web', frame(0, getRequest('hand')), origin);
    assert.equal(response.headers.get('access-control-allow-origin'), 'https://shop.example');
    for (const name of ['grpc-status', 'grpc-message', 'grpc-status-details-bin']) assert.ok(response.headers.get('access-control-expose-headers').toLowerCase().split(', ').includes(name), name);
  });

  test('metrics, log and trace know the method', { timeout }, async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const response = await post('GetProduct', 'application/json', '{"id":"hand"}', { traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'x-request-id': 'mine' });
    assert.equal(response.headers.get('x-request-id'), 'mine');
    assert.ok(response.headers.get('traceparent').includes(trace));
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /caisson_http_requests_total\{[^}]*"\/shop\.v1\.ProductService\/GetProduct"[^}]*"200"[^}]*\} \d+/);
    assert.match(metrics, /caisson_http_requests_total\{[^}]*"\/shop\.v1\.ProductService\/GetProduct"[^}]*"404"[^}]*\} \d+/);
  });
});
