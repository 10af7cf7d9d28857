// balance.test.mjs - two instances on one PostgreSQL, behind HAProxy, behind nginx and behind gRPC's own balancing (examples/balance); one is killed amid the
// calls, and no read fails.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { call, describe as describeContract, grpc, packageOf } from '../grpc/client.mjs';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, program, removeFolder, root, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") { id: ID! @id name: String! }
`;
const staff = makeToken({ sub: 'sam', roles: ['staff'] });
const timeout = 110000;
const folder = makeFolder();
const contractPath = path.join(folder, 'shop.graphql');
const descriptorPath = path.join(folder, 'shop.binpb');
const examples = path.join(folder, 'balance');
let postgres;
let url;
const servers = [];
const serve = async () => {
  const server = await startServer({ contractPath, store: url, options: ['--migrate', '--threads', '1'] });
  servers.push(server);
  return server;
};
const children = [];
// nginx is told to end and not killed: its workers would outlive it, and hold what they print to open.
async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

before(async () => {
  fs.writeFileSync(contractPath, contract);
  fs.writeFileSync(descriptorPath, describeContract(program, contractPath));
  // Beside the packages that it imports.
  fs.cpSync(path.join(root, 'examples/balance'), examples, { recursive: true });
  fs.symlinkSync(path.join(root, 'tests/grpc/node_modules'), path.join(folder, 'node_modules'));
  postgres = await startPostgres();
  url = postgres.url(postgres.createDatabase());
  const first = await serve();
  const answer = await first.client().request('POST', '/v1/products', { headers: { Authorization: `Bearer ${staff}`, 'Content-Type': 'application/json' }, body: '{"id":"p1","name":"Tea"}' });
  assert.equal(answer.status, 201);
});
after(async () => {
  await Promise.all(children.map(end));
  for (const server of servers) {
    if (!server.exit) await server.stop();
    removeFolder(server.folder);
  }
  await postgres?.remove();
  removeFolder(folder);
});

// How many answers with what was asked for `server` has given.
async function answers(server) {
  const { body } = await server.client().request('GET', '/metrics');
  return [...body.toString().matchAll(/^caisson_http_requests_total\{[^}]*route="[^"]*[Pp]roduct[^"]*",status="200"\} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

// HAProxy with a port of the system's choice, which it is handed open.
async function startProxy(one, two) {
  const listening = net.createServer();
  await new Promise((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address();
  const env = { ...process.env, ADDRESS: 'fd@3', ONE: `127.0.0.1:${one.port}`, TWO: `127.0.0.1:${two.port}`, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('haproxy', ['-db', '-f', path.join(examples, 'haproxy.cfg')], { env, stdio: ['ignore', 'ignore', 'pipe', listening._handle.fd] });
  children.push(child);
  const proxy = { child, port, log: '' };
  child.stderr.on('data', (data) => { proxy.log += data; });
  await new Promise((resolve) => listening.close(resolve));
  return proxy;
}

test('without a proxy: the client spreads its calls, and asks again', { timeout }, async () => {
  const doomed = await serve();
  const child = spawn(process.execPath, ['client.mjs', descriptorPath, `127.0.0.1:${servers[0].port},127.0.0.1:${doomed.port}`, '1000'], { cwd: examples, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let said = '';
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let share;
  child.stderr.on('data', (data) => { said += data; });
  child.stdout.on('data', (data) => {
    said += data;
    if (share === undefined && said.includes('100 calls')) share = answers(doomed).finally(() => doomed.child.kill('SIGKILL'));
  });
  assert.equal(await ended, 0, said);
  assert.ok(doomed.exit, 'all calls came before the end of the one instance');
  assert.match(said, /1000 calls, 0 failed/);
  assert.ok((await share) > 0, 'the calls went to one instance alone');
});

// nginx with a socket in the folder: what is in its configuration is the example's, filled in.
async function startNginx(one, two) {
  const authority = makeAuthority(folder, 'authority');
  const own = makeCertificate(folder, authority, 'localhost');
  const socketPath = path.join(folder, 'nginx.sock'), configuration = path.join(folder, 'nginx.conf');
  const values = { ADDRESS: `unix:${socketPath}`, ONE: `127.0.0.1:${one.port}`, TWO: `127.0.0.1:${two.port}`, CERTIFICATE: own.cert, KEY: own.key };
  fs.writeFileSync(configuration, fs.readFileSync(path.join(examples, 'nginx.conf'), 'utf8').replace(/\$\{([A-Z]+)\}/g, (_, name) => values[name]));
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('nginx', ['-p', folder, '-c', configuration, '-e', 'stderr', '-g', `daemon off; pid ${folder}/nginx.pid;`], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  const proxy = { child, socketPath, authority, log: '' };
  child.stderr.on('data', (data) => { proxy.log += data; });
  return proxy;
}

// Reads over REST and gRPC, amid which the instance is killed: none fails. A write behind it goes through, too.
async function killAmid(doomed, proxy, rest, client) {
  for (let i = 0; i < 200 && (await rest().catch(() => 0)) !== 200; i++) await sleep(50);
  assert.equal(await rest(), 200, proxy.log);
  try {
    let done = 0, share;
    const get = () => call(client, 'GetProduct', { id: 'p1' }).then(({ answer }) => answer.name, (error) => error.message);
    const work = async (one) => {
      for (let i = 0; i < 100; i++) {
        await one();
        if (++done === 100) share = answers(doomed).finally(() => doomed.child.kill('SIGKILL'));
      }
    };
    await Promise.all([...Array.from({ length: 3 }, () => work(async () => assert.equal(await rest(), 200, proxy.log))), ...Array.from({ length: 3 }, () => work(async () => assert.equal(await get(), 'Tea', proxy.log)))]);
    assert.ok((await share) > 0, 'the requests went to one instance alone');
    assert.ok(doomed.exit, 'all requests came before the end of the one instance');
    assert.equal((await call(client, 'UpdateProduct', { product: { id: 'p1', name: 'Tea' } }, { token: staff })).answer.name, 'Tea');
  } finally {
    client.close();
    await end(proxy.child);
  }
}

const products = (address, ...more) => new (packageOf(fs.readFileSync(descriptorPath)).shop.v1.ProductService)(address, ...more);

test('behind HAProxy: REST and gRPC through one port', { timeout }, async () => {
  const doomed = await serve();
  const proxy = await startProxy(servers[0], doomed);
  const rest = async () => (await fetch(`http://127.0.0.1:${proxy.port}/v1/products/p1`)).status;
  await killAmid(doomed, proxy, rest, products(`127.0.0.1:${proxy.port}`, grpc.credentials.createInsecure()));
});

// nginx sends no call of gRPC twice: its client does, as in examples/balance/client.mjs.
const retries = { loadBalancingConfig: [{ round_robin: {} }], methodConfig: [{ name: [{ service: 'shop.v1.ProductService', method: 'GetProduct' }], retryPolicy: { maxAttempts: 4, initialBackoff: '0.05s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'] } }] };

test('behind nginx: REST over HTTP/1.1 and gRPC over HTTP/2 through one TLS port', { timeout }, async () => {
  const doomed = await serve();
  const proxy = await startNginx(servers[0], doomed);
  const { socketPath, authority } = proxy;
  const ask = (options, body) => new Promise((resolve, reject) => {
    https.request({ socketPath, ca: authority.pem, servername: 'localhost', headers: { host: 'localhost' }, ...options }, (answer) => {
      let text = '';
      answer.on('data', (data) => { text += data; }).on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text })).on('error', reject);
    }).on('error', reject).end(body);
  });
  const rest = async () => (await ask({ path: '/v1/products/p1' })).status;
  const client = products(`unix:${socketPath}`, grpc.credentials.createSsl(Buffer.from(authority.pem)), { 'grpc.ssl_target_name_override': 'localhost', 'grpc.default_authority': 'localhost', 'grpc.service_config': JSON.stringify(retries) });
  for (let i = 0; i < 200 && (await rest().catch(() => 0)) !== 200; i++) await sleep(50);
  // The other protocols on the same paths.
  const connect = (type, body) => ask({ method: 'POST', path: '/shop.v1.ProductService/GetProduct', headers: { host: 'localhost', 'content-type': type } }, body);
  assert.deepEqual(JSON.parse((await connect('application/json', '{"id":"p1"}')).text), { id: 'p1', name: 'Tea' }, proxy.log);
  const web = await connect('application/grpc-web+proto', Buffer.from([0, 0, 0, 0, 4, 0x0a, 2, 0x70, 0x31]));
  assert.match(web.text, /Tea.*grpc-status: 0/s);
  assert.equal((await connect('application/json', '{"id":"none"}')).status, 404);
  // A stream down: changes come as they are made. Its head comes with the first of them.
  const watched = client.WatchProducts({});
  let seen;
  watched.on('data', ({ product }) => { seen ??= product; });
  for (let i = 0; i < 200 && !seen; i++) {
    await call(client, 'CreateProduct', { product: { id: `w${i}`, name: 'Cup' } }, { token: staff });
    await sleep(50);
  }
  assert.match(seen.id, /^w\d+$/);
  watched.removeAllListeners('error').on('error', () => {}).cancel();
  await killAmid(doomed, proxy, async () => ((await connect('application/json', '{"id":"p1"}')).status === 200 ? rest() : 0), client);
});
