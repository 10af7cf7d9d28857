// grpc-sync.test.mjs - writes up, results and changes down on one stream (SyncProducts), as @grpc/grpc-js, grpcio and @connectrpc speak it:
// in the clear and over TLS, on both stores.
import assert from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createClient } from '../grpc/node_modules/@connectrpc/connect/dist/esm/index.js';
import { createConnectTransport } from '../grpc/node_modules/@connectrpc/connect-node/dist/esm/index.js';
import { call, describe as describeContract, fails, grpc, packageOf, registryOf } from '../grpc/client.mjs';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, program, removeFolder, root, run, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "published || 'staff' in auth.roles", write: "auth.id != null && name != 'forbidden'") {
  id: ID! @id
  name: String! @length(min: 1, max: 400000)
  price: Decimal @range(min: "0")
  published: Boolean! @default(value: true)
  changedAt: DateTime @default(expr: "now()")
}
type Secret @resource @access(read: "'boss' in auth.roles", write: "'boss' in auth.roles") { id: ID! @id word: String! }
`;
const ann = makeToken({ sub: 'ann' });
const { status: code } = grpc;
const timeout = 30000;
const folder = makeFolder();
const contractPath = path.join(folder, 'shop.graphql');
let descriptor;
let postgres;
let tls;
before(() => {
  fs.writeFileSync(contractPath, contract);
  descriptor = describeContract(program, contractPath);
  const authority = makeAuthority(folder, 'authority');
  tls = { authority, ...makeCertificate(folder, authority, 'localhost', ['localhost', '127.0.0.1']) };
});
after(async () => {
  await postgres?.remove();
  removeFolder(folder);
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The stream's far end, message by message.
function speak(client, method = 'SyncProducts', token = ann) {
  const metadata = new grpc.Metadata();
  if (token) metadata.set('authorization', `Bearer ${token}`);
  const stream = client[method](metadata);
  const came = [];
  const waiting = [];
  let end;
  const wake = () => { for (const one of waiting.splice(0)) one(); };
  stream.on('data', (message) => { came.push(message); wake(); });
  stream.on('error', (error) => { end ??= error; wake(); });
  stream.on('end', () => { end ??= { code: code.OK }; wake(); });
  const take = async (fits) => {
    for (;;) {
      const at = came.findIndex(fits);
      if (at >= 0) return came.splice(at, 1)[0];
      if (end) throw end;
      await new Promise((resolve) => { waiting.push(resolve); });
    }
  };
  return {
    stream,
    came,
    send: (request) => stream.write(request),
    answer: (id) => take((message) => message.event !== 'change' && message.request_id === id),
    change: (id) => take((message) => message.event === 'change' && (id === undefined || message.change.product.id === id)),
    ended: async () => { while (!end) await new Promise((resolve) => { waiting.push(resolve); }); return end; },
  };
}

async function begin(client, watch = {}) {
  const sync = speak(client);
  sync.send({ request_id: 'watch', watch });
  const { result } = await sync.answer('watch');
  assert.ok(result.position);
  return { ...sync, position: result.position };
}

const stores = {
  sqlite: async () => ({}),
  postgres: async () => {
    postgres ??= await startPostgres();
    return { store: postgres.url(postgres.createDatabase()), options: ['--migrate'] };
  },
};

for (const [storeName, makeStore] of Object.entries(stores)) {
  for (const isTls of [false, true]) {
    describe(`Sync on ${storeName}${isTls ? ' over TLS' : ''}`, () => {
      let server;
      let client;
      before(async () => {
        const { options = [], ...where } = await makeStore();
        server = await startServer({ contractPath, options: [...options, '--threads', '2', ...(isTls ? ['--tls-cert', tls.cert, '--tls-key', tls.key] : [])], ...where });
        const credentials = isTls ? grpc.credentials.createSsl(Buffer.from(tls.authority.pem)) : grpc.credentials.createInsecure();
        client = new (packageOf(descriptor).shop.v1.ProductService)(`localhost:${server.port}`, credentials);
      });
      after(async () => {
        client?.close();
        await server?.stop();
        if (server) removeFolder(server.folder);
      });

      test('each write is answered under its own name, in order, and comes back as a change', { timeout }, async () => {
        const sync = await begin(client);
        sync.send({ request_id: 'a', create: { product: { id: 'p1', name: 'Tea', price: '1.50' } } });
        sync.send({ request_id: 'b', update: { product: { id: 'p1', name: 'Green tea' }, update_mask: { paths: ['name'] } } });
        sync.send({ request_id: 'c', update: { product: { id: 'p1', name: 'x' }, etag: 'stale' } });
        sync.send({ request_id: 'd', delete: { id: 'p1' } });
        const created = await sync.answer('a');
        assert.equal(created.event, 'result');
        assert.equal(created.result.product.price, '1.5');
        assert.match(created.result.etag, /^"[0-9a-f]+"$/);
        assert.ok(Number(created.result.product.changed_at.seconds) > 1_700_000_000);
        assert.equal((await sync.answer('b')).result.product.name, 'Green tea');
        const stale = await sync.answer('c');
        assert.equal(stale.error.code, code.ABORTED);
        assert.equal((await sync.answer('d')).result.product, null);
        assert.equal((await sync.change('p1')).change.product.id, 'p1');
        // What is told is a row as it is by then: one step after the other.
        const tell = async (request) => {
          sync.send(request);
          const { change: { kind, product: { name }, position } } = await sync.change('p2');
          assert.ok(position.length > 0);
          return [kind, name];
        };
        assert.deepEqual(await tell({ create: { product: { id: 'p2', name: 'Tea' } } }), ['KIND_CREATED', 'Tea']);
        assert.deepEqual(await tell({ update: { product: { id: 'p2', name: 'Green tea' } } }), ['KIND_UPDATED', 'Green tea']);
        assert.deepEqual(await tell({ delete: { id: 'p2' } }), ['KIND_DELETED', '']);
        sync.stream.cancel();
        assert.equal((await sync.ended()).code, code.CANCELLED);
      });

      test('what is refused is answered, and the stream goes on', { timeout }, async () => {
        const sync = await begin(client);
        sync.send({ request_id: '1', create: { product: { id: 'bad', name: '', price: '-1' } } });
        sync.send({ request_id: '2', create: { product: { id: 'bad', name: 'forbidden' } } });
        sync.send({ request_id: '3', update: { product: { id: 'nowhere', name: 'n' } } });
        sync.send({ request_id: '4' });
        sync.send({ request_id: '5', watch: {} });
        sync.send({ request_id: '6', create: {} });
        sync.send({ request_id: '7', create: { product: { id: 'p2', name: 'Good' } } });
        sync.send({ request_id: '8', create: { product: { id: 'p2', name: 'Twice' } } });
        const { error: invalid } = await sync.answer('1');
        assert.equal(invalid.code, code.INVALID_ARGUMENT);
        assert.equal(invalid.reason, 'VALIDATION_FAILED');
        assert.deepEqual(invalid.field_violations.map(({ field, reason }) => [field, reason]).sort(), [['/name', 'LENGTH'], ['/price', 'RANGE']]);
        const { error: denied } = await sync.answer('2');
        assert.deepEqual([denied.code, denied.reason, denied.rule], [code.PERMISSION_DENIED, 'FORBIDDEN', 'Product.create']);
        assert.equal((await sync.answer('3')).error.code, code.NOT_FOUND);
        for (const id of ['4', '5', '6']) assert.equal((await sync.answer(id)).error.code, code.INVALID_ARGUMENT, id);
        assert.equal((await sync.answer('7')).result.product.name, 'Good');
        assert.equal((await sync.answer('8')).error.code, code.ALREADY_EXISTS);
        sync.stream.cancel();
      });

      test("others' changes come, of what is watched, and from a position on", { timeout }, async () => {
        const sync = await begin(client, { filter: 'price > "10"' });
        await call(client, 'CreateProduct', { product: { id: 'cheap', name: 'n', price: '1' } }, { token: ann });
        await call(client, 'CreateProduct', { product: { id: 'dear', name: 'n', price: '11' } }, { token: ann });
        const { change } = await sync.change();
        assert.equal(change.product.id, 'dear');
        await call(client, 'UpdateProduct', { product: { id: 'dear', price: '2' } }, { token: ann });
        assert.equal((await sync.change()).change.kind, 'KIND_REMOVED');
        sync.stream.cancel();
        const again = await begin(client, { after: sync.position });
        assert.deepEqual([(await again.change()).change.product.id, (await again.change()).change.product.id], ['cheap', 'dear']);
        again.stream.cancel();
      });

      test('a client that sends no more still hears changes', { timeout }, async () => {
        const sync = await begin(client);
        sync.send({ request_id: 'last', create: { product: { id: 'last', name: 'n' } } });
        sync.stream.end();
        assert.equal((await sync.answer('last')).event, 'result');
        await sync.change('last');
        await call(client, 'CreateProduct', { product: { id: 'later', name: 'n' } }, { token: ann });
        await sync.change('later');
        sync.stream.cancel();
        assert.equal((await sync.ended()).code, code.CANCELLED);
      });

      test('what can be no beginning ends the stream', { timeout }, async () => {
        const early = speak(client);
        early.send({ request_id: 'a', create: { product: { id: 'early', name: 'n' } } });
        assert.equal((await early.ended()).code, code.INVALID_ARGUMENT);
        await fails(call(client, 'GetProduct', { id: 'early' }), code.NOT_FOUND);
        const empty = speak(client);
        empty.stream.end();
        assert.equal((await empty.ended()).code, code.INVALID_ARGUMENT);
        for (const watch of [{ filter: 'nonsense >' }, { after: 'no position' }]) {
          const bad = speak(client);
          bad.send({ watch });
          assert.equal((await bad.ended()).code, code.INVALID_ARGUMENT);
        }
      });

      test('the rules are those of every call', { timeout }, async () => {
        const stranger = speak(client, 'SyncProducts', null);
        stranger.send({ request_id: 'w', watch: {} });
        assert.equal((await stranger.answer('w')).event, 'result');
        stranger.send({ request_id: 'x', create: { product: { id: 'x', name: 'n' } } });
        const { error } = await stranger.answer('x');
        assert.equal(error.code, code.UNAUTHENTICATED);
        // A row that its writer may not read: the key alone; and no change of it comes.
        const sync = await begin(client);
        sync.send({ request_id: 'h', create: { product: { id: 'hidden', name: 'n', published: false } } });
        sync.send({ request_id: 'v', create: { product: { id: 'visible', name: 'n' } } });
        const { result } = await sync.answer('h');
        assert.equal(result.product.id, 'hidden');
        assert.equal(result.product.name, '');
        assert.equal((await sync.change()).change.product.id, 'visible');
        stranger.stream.cancel();
        sync.stream.cancel();
        const credentials = isTls ? grpc.credentials.createSsl(Buffer.from(tls.authority.pem)) : grpc.credentials.createInsecure();
        const secrets = new (packageOf(descriptor).shop.v1.SecretService)(`localhost:${server.port}`, credentials);
        for (const [token, expected] of [[null, code.UNAUTHENTICATED], [ann, code.PERMISSION_DENIED]]) {
          const refused = speak(secrets, 'SyncSecrets', token);
          refused.send({ watch: {} });
          assert.equal((await refused.ended()).code, expected);
        }
        secrets.close();
      });

      // By hand: grpc-js opens windows of megabytes.
      test('a client that does not read is not read either, and loses nothing', { timeout }, async () => {
        const { requestSerialize, responseDeserialize, path: method } = client.SyncProducts;
        const session = http2.connect(server.addresses[0].replace('127.0.0.1', 'localhost'), { ca: tls.authority.pem, maxSessionMemory: 100 });
        try {
          const stream = session.request({ ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers', authorization: `Bearer ${ann}` });
          const send = (request) => {
            const bytes = requestSerialize(request);
            const head = Buffer.alloc(5);
            head.writeUInt32BE(bytes.length, 1);
            stream.write(Buffer.concat([head, bytes]));
          };
          const count = 60;
          send({ request_id: 'watch', watch: {} });
          for (let i = 0; i < count; i++) send({ request_id: `w${i}`, create: { product: { id: `slow-${i}`, name: 'n'.repeat(200000) } } });
          const stored = async () => Number((await call(client, 'AggregateProducts', { filter: 'id.startsWith("slow-")', metrics: ['count'] })).answer.groups[0].count);
          let last = -1;
          for (let now = await stored(); now !== last || now === 0; now = await stored()) { last = now; await sleep(500); }
          assert.ok(last < count / 2, `${last} of ${count} were taken from a client that does not read`);
          let bytes = Buffer.alloc(0);
          let results = 0;
          let changes = 0;
          for await (const piece of stream) {
            bytes = Buffer.concat([bytes, piece]);
            while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
              const { event, request_id: id } = responseDeserialize(bytes.subarray(5, 5 + bytes.readUInt32BE(1)));
              bytes = bytes.subarray(5 + bytes.readUInt32BE(1));
              if (event === 'result') assert.equal(id, results === 0 ? 'watch' : `w${results - 1}`);
              if (event === 'result') results++; else changes++;
              assert.notEqual(event, 'error');
            }
            if (results === count + 1 && changes === count) break;
          }
          assert.deepEqual([results, changes], [count + 1, count]);
        } finally {
          session.destroy();
        }
      });

      test('Connect, binary and JSON', { timeout }, async () => {
        const Service = registryOf(descriptor).getService('shop.v1.ProductService');
        for (const useBinaryFormat of [true, false]) {
          const transport = createConnectTransport({ baseUrl: server.addresses[0].replace('127.0.0.1', 'localhost'), httpVersion: '2', useBinaryFormat, nodeOptions: { ca: tls.authority.pem } });
          const id = `connect-${useBinaryFormat}`;
          const abort = new AbortController();
          let proceed;
          const begun = new Promise((resolve) => { proceed = resolve; });
          const requests = async function* send() {
            yield { requestId: 'w', action: { case: 'watch', value: { filter: `id == "${id}"` } } };
            await begun;
            yield { requestId: 'c', action: { case: 'create', value: { product: { id, name: 'n' } } } };
            yield { requestId: 'e', action: { case: 'create', value: { product: { id, name: '' } } } };
          };
          const seen = { result: 0, error: 0, change: 0 };
          for await (const { requestId, event } of createClient(Service, transport).syncProducts(requests(), { headers: { authorization: `Bearer ${ann}` }, signal: abort.signal })) {
            seen[event.case]++;
            if (requestId === 'w') proceed();
            if (requestId === 'e') assert.equal(event.value.fieldViolations[0].field, '/name');
            if (event.case === 'change') assert.equal(event.value.product.id, id);
            if (Object.values(seen).join() === '2,1,1') break;
          }
          abort.abort();
          assert.deepEqual(seen, { result: 2, error: 1, change: 1 });
        }
      });

      test('grpcio', { timeout: 120000 }, async () => {
        const python = path.join(root, 'build-test/python/bin/python');
        fs.mkdirSync(path.join(folder, 'shop/v1'), { recursive: true });
        fs.writeFileSync(path.join(folder, 'shop/v1/shop.proto'), run(['proto', contractPath]).stdout);
        const made = spawnSync(python, ['-c', 'import grpc_tools.protoc as p, os, sys; sys.exit(p.main(["", "-I.", "-I" + os.path.join(os.path.dirname(p.__file__), "_proto"), "--python_out=.", "--grpc_python_out=.", "shop/v1/shop.proto"]))'], { cwd: folder, encoding: 'utf8', timeout: 60000 });
        assert.equal(made.status, 0, made.stderr);
        const child = spawn(python, [path.join(root, 'tests/grpc/sync.py'), `localhost:${server.port}`, ann, ...(isTls ? [tls.authority.cert] : [])], { cwd: folder, env: { ...process.env, PYTHONPATH: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
        const timer = setTimeout(() => child.kill('SIGKILL'), 60000);
        let said = '';
        for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { said += data; });
        const exit = await new Promise((resolve) => child.once('close', resolve));
        clearTimeout(timer);
        assert.equal(exit, 0, said);
      });
    });
  }
}

test('a server that is being stopped answers the write that is under way, and says that it goes', { timeout }, async () => {
  const server = await startServer({ contractPath, options: ['--threads', '1'] });
  const client = new (packageOf(descriptor).shop.v1.ProductService)(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
  try {
    const sync = await begin(client);
    for (let i = 0; i < 20; i++) sync.send({ request_id: `w${i}`, create: { product: { id: `d${i}`, name: 'n' } } });
    await sync.answer('w0');
    const stopped = server.stop();
    assert.equal((await sync.ended()).code, code.UNAVAILABLE);
    const answered = 1 + sync.came.filter(({ event }) => event === 'result').length;
    await stopped;
    const again = await startServer({ contractPath, folder: server.folder });
    try {
      const other = new (packageOf(descriptor).shop.v1.ProductService)(`127.0.0.1:${again.port}`, grpc.credentials.createInsecure());
      const { answer } = await call(other, 'AggregateProducts', { filter: 'id.startsWith("d")', metrics: ['count'] });
      other.close();
      assert.equal(Number(answer.groups[0].count), answered);
    } finally {
      await again.stop();
    }
  } finally {
    client.close();
    if (!server.exit) await server.stop();
    removeFolder(server.folder);
  }
});
