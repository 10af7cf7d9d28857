// grpc-heads.test.mjs - calls that are refused for their head alone are refused at once, though their client has not ended its side and never
// may: who sends a stream can wait for an answer before it goes on.
import assert from 'node:assert';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { describe as describeContract, call, grpc, packageOf, readStatus } from '../grpc/client.mjs';
import { DATA, END_HEADERS, END_STREAM, FrameClient, HEADERS, Http2Client, RST_STREAM, answerOf, field, frame, requestFields } from '../support/http2.mjs';
import { makeFolder, makeToken, program, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") { id: ID! @id name: String! }
`;
const staff = makeToken({ sub: 'sam', roles: ['staff'] });
const timeout = 60000;
const folder = makeFolder();
const contractPath = path.join(folder, 'shop.graphql');
const service = '/shop.v1.ProductService';
const SOON_MS = 5000;
let server, shop, client;
before(async () => {
  fs.writeFileSync(contractPath, contract);
  shop = packageOf(describeContract(program, contractPath)).shop.v1;
  server = await startServer({ contractPath, options: ['--threads', '1'] });
  client = new Http2Client(`http://127.0.0.1:${server.port}`);
  const products = new shop.ProductService(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  await call(products, 'CreateProduct', { product: { id: 'a', name: 'A' } }, { token: staff });
  products.close();
});
after(async () => {
  client?.close();
  await server?.stop();
  removeFolder(server.folder);
  removeFolder(folder);
});

function within(ms, promise, what) {
  let timer;
  const late = new Promise((resolve, reject) => { timer = setTimeout(() => reject(new Error(`${what}: no answer within ${ms} ms`)), ms); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const grpcFrame = (flags, bytes) => { const head = Buffer.alloc(5); head[0] = flags; head.writeUInt32BE(bytes.length, 1); return Buffer.concat([head, bytes]); };
const getA = grpcFrame(0, Buffer.from([10, 1, 97]));

// What the statuses of each protocol say of an answer: gRPC's number, or Connect's word.
const native = ({ headers }) => Number(headers['grpc-status']);
const web = ({ text }) => Number(/grpc-status: (\d+)/.exec(text)[1]);
const webText = ({ text }) => web({ text: Buffer.from(text, 'base64').toString() });
const connect = ({ text }) => JSON.parse(text).code;
const connectStream = ({ text }) => JSON.parse(text.slice(5)).error.code;
const http = ({ status }) => status;

const refused = [
  ['gRPC: no such method', `${service}/Nothing`, { 'content-type': 'application/grpc' }, native, 12],
  ['gRPC: no such service', '/shop.v1.NoService/Get', { 'content-type': 'application/grpc+proto' }, native, 12],
  ['gRPC: no such path', '/', { 'content-type': 'application/grpc' }, native, 12],
  ['gRPC: a time that is none', `${service}/GetProduct`, { 'content-type': 'application/grpc', 'grpc-timeout': '1 minute' }, native, 3],
  ['gRPC: an unknown compression', `${service}/GetProduct`, { 'content-type': 'application/grpc', 'grpc-encoding': 'snappy' }, native, 12],
  ['gRPC: an unknown subtype', `${service}/GetProduct`, { 'content-type': 'application/grpc+xml' }, http, 415],
  ['a media type that no call has', `${service}/GetProduct`, { 'content-type': 'text/plain' }, http, 415],
  ['a method that is not POST', `${service}/GetProduct`, { ':method': 'PUT', 'content-type': 'application/json' }, http, 405],
  ['gRPC-Web: no such method', `${service}/Nothing`, { 'content-type': 'application/grpc-web+proto' }, web, 12],
  ['gRPC-Web: a time that is none', `${service}/GetProduct`, { 'content-type': 'application/grpc-web', 'grpc-timeout': 'S' }, web, 3],
  ['gRPC-Web: an unknown compression', `${service}/GetProduct`, { 'content-type': 'application/grpc-web', 'grpc-encoding': 'br' }, web, 12],
  ['gRPC-Web as text: no such method', `${service}/Nothing`, { 'content-type': 'application/grpc-web-text' }, webText, 12],
  ['gRPC-Web as text: a stream of messages', `${service}/ImportProducts`, { 'content-type': 'application/grpc-web-text' }, webText, 12],
  ['Connect: no such method', `${service}/Nothing`, { 'content-type': 'application/json' }, connect, 'unimplemented'],
  ['Connect: a time that is none', `${service}/GetProduct`, { 'content-type': 'application/proto', 'connect-timeout-ms': '-1' }, connect, 'invalid_argument'],
  ['Connect: an unknown compression', `${service}/GetProduct`, { 'content-type': 'application/json', 'content-encoding': 'br' }, connect, 'unimplemented'],
  ['Connect: another version', `${service}/GetProduct`, { 'content-type': 'application/json', 'connect-protocol-version': '2' }, connect, 'invalid_argument'],
  ['Connect: a stream as if it were none', `${service}/WatchProducts`, { 'content-type': 'application/json' }, http, 415],
  ['Connect: no such stream', `${service}/Nothing`, { 'content-type': 'application/connect+json' }, connectStream, 'unimplemented'],
  ['Connect: no such service', '/shop.v1.NoService/Get', { 'content-type': 'application/json' }, http, 404],
  ['Connect: no such streaming service', '/shop.v1.NoService/Get', { 'content-type': 'application/connect+proto' }, connectStream, 'unimplemented'],
  ['Connect: an unknown compression of a stream', `${service}/WatchProducts`, { 'content-type': 'application/connect+json', 'connect-content-encoding': 'br' }, connectStream, 'unimplemented'],
  ['Connect: what is no stream, as if it were one', `${service}/GetProduct`, { 'content-type': 'application/connect+json' }, http, 415],
];

describe('over HTTP/2, before the client has ended its side', () => {
  for (const [name, target, { ':method': method = 'POST', ...headers }, statusOf, expected] of refused) {
    test(name, { timeout }, async () => {
      const stream = client.open(method, target, headers);
      const answer = await within(SOON_MS, answerOf(stream), name);
      assert.equal(statusOf(answer), expected, answer.text);
      assert.equal(answer.code, 0, 'the stream ends with NO_ERROR');
      assert.equal((await client.request('GET', '/v1/products/a')).status, 200);
      assert.equal(client.goaway, null);
    });
  }
});

describe('over HTTP/1.1, with a body that has no end yet', () => {
  for (const [name, target, { ':method': method = 'POST', ...headers }, statusOf, expected] of refused.filter(([, , { 'content-type': type }]) => !type.startsWith('application/grpc+') && type !== 'application/grpc')) {
    test(name, { timeout }, async () => {
      const socket = net.connect(server.port, '127.0.0.1');
      const fields = Object.entries({ host: 'x', 'transfer-encoding': 'chunked', ...headers }).map(([key, value]) => `${key}: ${value}\r\n`).join('');
      socket.write(`${method} ${target} HTTP/1.1\r\n${fields}\r\n5\r\n\0\0\0\0\x09\r\n`);
      const read = (async () => {
        let all = Buffer.alloc(0);
        for await (const data of socket) all = Buffer.concat([all, data]);
        return all.toString('latin1');
      })();
      const received = await within(SOON_MS, read, name);
      socket.destroy();
      const [head, ...rest] = received.split('\r\n\r\n');
      const answer = { status: Number(head.split(' ')[1]), text: rest.join('\r\n\r\n') };
      assert.equal(statusOf(answer), expected, received);
    });
  }
});

test('gRPC is answered by its head alone (Trailers-Only), then the stream is reset with NO_ERROR; what still comes for it harms nobody', { timeout }, async () => {
  const raw = new FrameClient(server.port);
  const call = (stream, target) => frame(HEADERS, END_HEADERS, stream, Buffer.concat([requestFields('POST', target), field('content-type', 'application/grpc'), field('te', 'trailers')]));
  const framesOf = (stream) => raw.frames.filter((one) => one.stream === stream);
  const until = async (check) => { while (!check()) await new Promise((resolve) => setTimeout(resolve, 10)); };
  raw.write(call(1, `${service}/GetProduct`)); // waits for its message
  raw.write(call(3, `${service}/Nothing`));
  await within(SOON_MS, until(() => framesOf(3).length >= 2), 'the refusal');
  const [head, reset, ...more] = framesOf(3);
  assert.equal(head.type, HEADERS);
  assert.equal(head.flags & END_STREAM, END_STREAM);
  assert.equal(reset.type, RST_STREAM);
  assert.equal(reset.payload.readUInt32BE(0), 0);
  assert.deepEqual(more, []);
  assert.deepEqual(framesOf(1), [], 'a head that is in order waits for its message');
  for (let i = 0; i < 20; i++) raw.write(frame(DATA, 0, 3, Buffer.alloc(1000)));
  raw.write(frame(DATA, END_STREAM, 3));
  raw.write(frame(DATA, END_STREAM, 1, getA));
  await within(SOON_MS, until(() => framesOf(1).some((one) => one.flags & END_STREAM)), 'the other call');
  assert.ok(framesOf(1).some((one) => one.type === DATA && one.payload.includes('A')));
  raw.write(call(5, `${service}/Nothing`));
  await within(SOON_MS, until(() => framesOf(5).length === 2), 'another refusal');
  assert.equal(raw.goaway, null);
  raw.close();
});

test('@grpc/grpc-js: streams in both directions to a method that is not there end at once', { timeout }, async () => {
  const same = (bytes) => bytes;
  const stream = (name, requestStream, responseStream) => ({ path: `${service}/${name}`, requestStream, responseStream, requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same });
  const Service = grpc.makeGenericClientConstructor({ both: stream('Nothing', true, true), up: stream('Nothing', true, false) }, 'x');
  const other = new Service(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  const both = other.both();
  both.on('data', () => {});
  both.write(Buffer.from('x'));
  const error = await within(SOON_MS, new Promise((resolve) => both.once('error', resolve)), 'both');
  assert.equal(error.code, grpc.status.UNIMPLEMENTED);
  assert.equal(readStatus(error.metadata.get('grpc-status-details-bin')[0]).code, 12);
  const sent = [];
  const up = new Promise((resolve) => { sent.push(other.up((failure) => resolve(failure))); });
  sent[0].write(Buffer.from('x'));
  assert.equal((await within(SOON_MS, up, 'up')).code, grpc.status.UNIMPLEMENTED);
  other.close();
});

test('who is not known is told so first, and at once', { timeout }, async () => {
  const stream = client.open('POST', `${service}/Nothing`, { 'content-type': 'application/grpc', authorization: 'Bearer nonsense' });
  assert.equal(native(await within(SOON_MS, answerOf(stream), 'the refusal')), 16);
});
