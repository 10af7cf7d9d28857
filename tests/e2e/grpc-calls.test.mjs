// grpc-calls.test.mjs - what surrounds gRPC's methods: deadlines, cancellation, limits, health, reflection, several versions, the drain.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { fromBinary } from '../grpc/node_modules/@bufbuild/protobuf/dist/esm/index.js';
import { FileDescriptorProtoSchema } from '../grpc/node_modules/@bufbuild/protobuf/dist/esm/wkt/index.js';
import protoLoader from '../grpc/node_modules/@grpc/proto-loader/build/src/index.js';
import { call, collect, describe as describeContract, detailsOf, fails, grpc, packageOf } from '../grpc/client.mjs';
import { makeFolder, makeToken, program, removeFolder, root, startServer } from '../support/server.mjs';

const contract = (version) => `
extend schema @service(name: "shop", version: "${version}")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") { id: ID! @id name: String! ${version === 'v2' ? 'note: String' : ''} }
`;
const staff = makeToken({ sub: 'sam', roles: ['staff'] });
const { status: code } = grpc;
const timeout = 60000;
const folder = makeFolder();
const paths = ['v1', 'v2'].map((version) => path.join(folder, `${version}.graphql`));
const load = (name) => grpc.loadPackageDefinition(protoLoader.loadSync(path.join(root, 'tests/grpc/protos', name), { keepCase: true, longs: String, enums: String, oneofs: true })).grpc;
const { Health } = load('health.proto').health.v1;
let shop;
let server;
const clients = [];
const open = (Service, { port } = server) => {
  const client = new Service(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  clients.push(client);
  return client;
};
before(async () => {
  ['v1', 'v2'].forEach((version, i) => fs.writeFileSync(paths[i], contract(version)));
  shop = paths.map((one, i) => packageOf(describeContract(program, one)).shop[`v${i + 1}`]);
  server = await startServer({ contractPath: paths[0], options: [paths[1], '--threads', '2', '--body-max', '1KiB', '--grpc-message-max', '20KiB'] });
});
after(async () => {
  for (const client of clients) client.close();
  await server?.stop();
  removeFolder(server.folder);
  removeFolder(folder);
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(check) {
  for (let i = 0; i < 200; i++) {
    if (await check()) return;
    await sleep(50);
  }
  throw new Error('it did not come to be');
}
const inFlight = async () => Number(/caisson_http_requests_in_flight (\d+)/.exec(await (await fetch(`${server.addresses[0]}/metrics`)).text())[1]);

test('two versions are served beside each other', { timeout }, async () => {
  const [first, second] = [open(shop[0].ProductService), open(shop[1].ProductService)];
  await call(second, 'CreateProduct', { product: { id: 'a', name: 'A', note: 'n' } }, { token: staff });
  assert.deepEqual((await call(first, 'GetProduct', { id: 'a' })).answer, { id: 'a', name: 'A' });
  assert.equal((await call(second, 'GetProduct', { id: 'a' })).answer.note, 'n');
});

test('health: the server and each service, once and as a stream', { timeout }, async () => {
  const health = open(Health);
  for (const service of ['', 'shop.v1.ProductService', 'shop.v2.ProductService', 'grpc.health.v1.Health'])
    assert.equal((await call(health, 'Check', { service })).answer.status, 'SERVING', service);
  await fails(call(health, 'Check', { service: 'shop.v3.ProductService' }), code.NOT_FOUND);
  const watched = health.Watch({ service: 'nowhere' });
  const status = await new Promise((resolve, reject) => watched.once('data', ({ status: told }) => resolve(told)).on('error', reject));
  assert.equal(status, 'SERVICE_UNKNOWN');
  watched.removeAllListeners('error').on('error', () => {}).cancel();
});

test('reflection in both versions says what caisson proto says', { timeout }, async () => {
  for (const version of ['v1', 'v1alpha']) {
    const reflection = open(load(`reflection_${version}.proto`).reflection[version].ServerReflection);
    const stream = reflection.ServerReflectionInfo();
    const ask = (request) => new Promise((resolve, reject) => {
      stream.once('data', resolve).once('error', reject);
      stream.write(request);
    });
    const { list_services_response: list } = await ask({ list_services: '*' });
    const names = list.service.map(({ name }) => name);
    for (const name of ['shop.v1.ProductService', 'shop.v2.ProductService', 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'])
      assert.equal(names.filter((one) => one === name).length, 1, name);
    const found = await ask({ file_containing_symbol: 'shop.v2.Product' });
    const { file_descriptor_response: files } = found;
    assert.ok(files, JSON.stringify(found));
    const [file, ...imports] = files.file_descriptor_proto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    assert.equal(file.package, 'shop.v2');
    assert.ok(file.messageType.some(({ name }) => name === 'Product'));
    assert.deepEqual(file.dependency.filter((name) => !imports.some((one) => one.name === name)), []);
    const again = await ask({ file_by_filename: file.name });
    assert.deepEqual(again.file_descriptor_response.file_descriptor_proto[0], files.file_descriptor_proto[0]);
    for (const symbol of ['shop.v1.ProductService.GetProduct', 'shop.v1.Product.name', 'grpc.health.v1.Health']) assert.ok((await ask({ file_containing_symbol: symbol })).file_descriptor_response, symbol);
    const missing = await ask({ file_containing_symbol: 'nothing.here' });
    assert.equal(missing.error_response.error_code, code.NOT_FOUND);
    assert.equal(missing.original_request.file_containing_symbol, 'nothing.here');
    assert.equal((await ask({ file_by_filename: 'nothing.proto' })).error_response.error_code, code.NOT_FOUND);
    assert.equal((await ask({ all_extension_numbers_of_type: 'shop.v1.Product' })).all_extension_numbers_response.base_type_name, 'shop.v1.Product');
    await new Promise((resolve, reject) => { stream.once('end', resolve).once('error', reject); stream.end(); stream.resume(); });
  }
});

test('a deadline ends what would go on', { timeout }, async () => {
  const health = open(Health);
  const begin = Date.now();
  // The client's own clock is kept out of it: the server must say so by itself.
  const metadata = new grpc.Metadata();
  metadata.set('grpc-timeout', '300m');
  const error = await collect(health.Watch({ service: '' }, metadata)).catch((thrown) => thrown);
  assert.equal(error.code, code.DEADLINE_EXCEEDED);
  assert.equal(detailsOf(error).ErrorInfo.reason, 'TIMEOUT');
  assert.ok(Date.now() - begin >= 250 && Date.now() - begin < 10000);
  await until(async () => (await inFlight()) === 1);
});

test('a client that leaves is let go', { timeout }, async () => {
  const products = open(shop[0].ProductService);
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${staff}`);
  const done = new Promise((resolve) => {
    const stream = products.ImportProducts(metadata, (error) => resolve(error));
    for (let i = 0; i < 100; i++) stream.write({ product: { id: `left-${i}`, name: 'n' } });
    setTimeout(() => stream.cancel(), 200);
  });
  assert.equal((await done).code, code.CANCELLED);
  await until(async () => (await inFlight()) === 1);
  // A client may have ended its stream before it was gone: all of a piece is stored, or none.
  const { answer } = await call(products, 'ListProducts', { filter: 'id.startsWith("left-")', show_total: true });
  assert.ok([0, 100].includes(answer.total_size), String(answer.total_size));
});

test('messages have a limit', { timeout }, async () => {
  const products = open(shop[0].ProductService);
  const large = { product: { id: 'large', name: 'n'.repeat(30000) } };
  const error = await fails(call(products, 'CreateProduct', large, { token: staff }), code.RESOURCE_EXHAUSTED);
  assert.equal(detailsOf(error).ErrorInfo.reason, 'TOO_LARGE');
  assert.match(error.details, /\(--grpc-message-max\)/);
  // They are not what other faces' bodies are bounded by.
  assert.equal((await call(products, 'CreateProduct', { product: { id: 'small', name: 'n'.repeat(19000) } }, { token: staff })).answer.id, 'small');
  const connect = (name) => fetch(`${server.addresses[0]}/shop.v1.ProductService/CreateProduct`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${staff}` }, body: JSON.stringify({ product: { id: `connect-${name.length}`, name } }) });
  assert.equal((await connect('n'.repeat(19000))).status, 200);
  const refused = await connect('n'.repeat(21000));
  assert.equal(refused.status, 429);
  assert.equal((await refused.json()).code, 'resource_exhausted');
  const longer = await connect('n'.repeat(100000));
  assert.equal(longer.status, 429);
  assert.match((await longer.json()).message, /\(--grpc-message-max\)/);
  const rest = await fetch(`${server.addresses[0]}/v1/products`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${staff}` }, body: JSON.stringify({ id: 'rest', name: 'n'.repeat(2000) }) });
  assert.equal(rest.status, 413);
  assert.match((await rest.json()).detail, /\(--body-max\)/);
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${staff}`);
  const streamed = await new Promise((resolve) => {
    const stream = products.ImportProducts(metadata, resolve);
    stream.write(large);
    stream.end();
  });
  assert.equal(streamed.code, code.RESOURCE_EXHAUSTED);
});

test('calls in great number on one connection are all answered', { timeout }, async () => {
  const products = open(shop[0].ProductService);
  const answers = await Promise.all(Array.from({ length: 1000 }, () => call(products, 'GetProduct', { id: 'a' })));
  assert.ok(answers.every(({ answer }) => answer.name === 'A'));
});

test('a server that is being stopped tells those who watch, and does not wait for them', { timeout }, async () => {
  const other = await startServer({ contractPath: paths[0] });
  const seen = [];
  try {
    const stream = open(Health, other).Watch({ service: '' });
    const ended = new Promise((resolve) => stream.on('data', ({ status }) => seen.push(status)).on('error', resolve));
    await until(() => seen.length === 1);
    const begin = Date.now();
    await other.stop();
    assert.ok(Date.now() - begin < 15000);
    assert.equal((await ended).code, code.UNAVAILABLE);
    assert.deepEqual(seen, ['SERVING', 'NOT_SERVING']);
  } finally {
    if (!other.exit) await other.stop();
    removeFolder(other.folder);
  }
});
