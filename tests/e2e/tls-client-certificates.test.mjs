// tls-client-certificates.test.mjs - who a client's certificate says it is, as rules ask it: auth.claims.cert, on every face and version of
// HTTP, on resumed sessions too; and never what a token says of a certificate.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import https from 'node:https';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { call, describe as describeContract, fails, grpc, packageOf } from '../grpc/client.mjs';
import { makeAuthority, makeCertificate, makeDatedCertificate } from '../support/certificates.mjs';
import { makeFolder, makeToken, program, removeFolder, run, startServer } from '../support/server.mjs';
import { openRaw } from '../support/websocket.mjs';

const reader = 'spiffe://shop.test/reader';
const billing = 'CN=Billing & Söhne,O=Shop\\, GmbH';
const contract = `
extend schema @service(name: "notes")
type Note @resource @access(read: "auth.claims.cert == '${reader}' || auth.claims.cert == '${billing.replace('\\', '\\\\\\\\')}' || 'staff' in auth.roles",
                            create: "auth.claims.cert.startsWith('CN=Billing')") { code: String! @id text: String! @default(expr: "auth.claims.cert") }
`;
const timeout = 60000;
let folder, authority, own, clients, server;
before(async () => {
  folder = makeFolder();
  authority = makeAuthority(folder, 'authority');
  own = makeCertificate(folder, authority, 'localhost', ['localhost', '127.0.0.1']);
  const pair = (one) => ({ cert: fs.readFileSync(one.cert), key: fs.readFileSync(one.key) });
  const make = (...args) => pair(makeCertificate(folder, authority, ...args));
  clients = {
    reader: make('reader', ['reader.test', reader, 'spiffe://shop.test/second'], 'clientAuth', '/CN=somebody'),
    billing: make('billing', ['billing.test'], 'clientAuth', '/O=Shop, GmbH/CN=Billing & Söhne'),
    other: make('other', ['other.test', 'spiffe://shop.test/other'], 'clientAuth', '/CN=Billing of another'),
  };
  fs.writeFileSync(path.join(folder, 'notes.graphql'), contract);
  server = await startServer({ contractPath: path.join(folder, 'notes.graphql'), options: ['--tls-cert', own.cert, '--tls-key', own.key, '--tls-client-ca', authority.cert, '--log', 'json'] });
  await create('a');
});
after(async () => {
  await server?.stop();
  if (server) removeFolder(server.folder);
  removeFolder(folder);
});

function request(client, { method = 'GET', target = '/v1/notes', body = null, token, headers = {}, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const sent = https.request({ host: 'localhost', port: server.port, method, path: target, ca: authority.pem, agent: false, ...client, ...options,
      headers: { ...(body ? { 'content-type': 'application/json' } : {}), ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, json: parts.length ? JSON.parse(Buffer.concat(parts)) : undefined }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

async function create(code, client = clients.billing, more = {}) {
  return request(client, { method: 'POST', body: JSON.stringify({ code }), ...more });
}

test('the name is the first URI, else the subject as openssl writes it by RFC 2253', { timeout }, async () => {
  const { stdout } = spawnSync('openssl', ['x509', '-in', path.join(folder, 'billing.pem'), '-noout', '-subject', '-nameopt', 'RFC2253,utf8,-esc_msb'], { encoding: 'utf8' });
  assert.equal(stdout.trim(), `subject=${billing}`);
  const made = await create('named');
  assert.equal(made.status, 201, JSON.stringify(made.json));
  assert.equal(made.json.text, billing);
});

test('a rule lets in by certificate, and refuses by it', { timeout }, async () => {
  assert.equal((await request(clients.reader)).status, 200);
  assert.equal((await request(clients.billing)).status, 200);
  // No token was presented: 401. One that says nothing of it changes nothing but that.
  const stranger = await request(clients.other);
  assert.equal(stranger.status, 401);
  assert.equal((await request(clients.other, { token: makeToken({ sub: 'ann' }) })).status, 403);
  assert.equal((await create('b', clients.reader)).status, 401);
  assert.equal((await create('b', clients.other)).status, 401);
  // Both say something: the roles are the token's, the certificate is the connection's.
  assert.equal((await request(clients.other, { token: makeToken({ sub: 'ann', roles: ['staff'] }) })).status, 200);
  assert.equal((await create('both', clients.billing, { token: makeToken({ sub: 'ann' }) })).json.text, billing);
});

test("a token's claim of that name is nobody's certificate", { timeout }, async () => {
  const forged = makeToken({ sub: 'mallory', cert: billing });
  assert.equal((await request(clients.other, { token: forged })).status, 403);
  assert.equal((await create('forged', clients.other, { token: forged })).status, 403);
  assert.equal((await create('kept', clients.billing, { token: makeToken({ sub: 'ann', cert: 'CN=Billing of nobody' }) })).json.text, billing);
  const clear = await startServer({ contract });
  try {
    const answer = await fetch(`${clear.addresses[0]}/v1/notes`, { headers: { authorization: `Bearer ${forged}` } });
    assert.equal(answer.status, 403);
  } finally {
    await clear.stop();
    removeFolder(clear.folder);
  }
});

test('over HTTP/2, and on each of its streams', { timeout }, async () => {
  for (const [name, status] of [['reader', 200], ['other', 401]]) {
    const session = http2.connect(`https://localhost:${server.port}`, { ca: authority.pem, ...clients[name] });
    try {
      for (let i = 0; i < 3; i++) {
        const stream = session.request({ ':path': '/v1/notes' });
        const got = await new Promise((resolve, reject) => stream.on('response', (headers) => resolve(headers[':status'])).on('error', reject));
        assert.equal(got, status, name);
        stream.close();
      }
    } finally {
      session.destroy();
    }
  }
});

test('over gRPC', { timeout }, async () => {
  const notes = packageOf(describeContract(program, server.contractPath)).notes.v1;
  const open = ({ cert, key }) => new notes.NoteService(`localhost:${server.port}`, grpc.credentials.createSsl(Buffer.from(authority.pem), key, cert));
  const [allowed, refused] = [open(clients.reader), open(clients.other)];
  assert.equal((await call(allowed, 'GetNote', { code: 'a' })).answer.code, 'a');
  await fails(call(refused, 'GetNote', { code: 'a' }), grpc.status.UNAUTHENTICATED);
  await fails(call(refused, 'GetNote', { code: 'a' }, { token: makeToken({ sub: 'm', cert: reader }) }), grpc.status.PERMISSION_DENIED);
  allowed.close();
  refused.close();
});

test('over GraphQL, and on a WebSocket', { timeout }, async () => {
  const ask = async (client) => (await request(client, { method: 'POST', target: '/graphql', body: JSON.stringify({ query: '{ note(code: "a") { code } }' }) })).json;
  assert.deepEqual((await ask(clients.reader)).data, { note: { code: 'a' } });
  assert.equal((await ask(clients.other)).errors[0].extensions.code, 'UNAUTHENTICATED');
  for (const [name, data] of [['reader', { note: { code: 'a' } }], ['other', { note: null }]]) {
    const socket = await openRaw(server.port, { tlsOptions: { ca: authority.pem, servername: 'localhost', ...clients[name] } });
    assert.equal((await socket.init()).type, 'connection_ack');
    socket.text({ id: '1', type: 'subscribe', payload: { query: '{ note(code: "a") { code } }' } });
    const { type, payload } = await socket.message();
    assert.equal(type, 'next', JSON.stringify(payload));
    assert.deepEqual(payload.data, data);
    socket.destroy();
  }
});

test("an event stream is read by its token alone, under the certificate that it was reserved with", { timeout }, async () => {
  const begin = (client, { method = 'GET', target = '/graphql', headers = {} }) => new Promise((resolve, reject) => {
    const sent = https.request({ host: 'localhost', port: server.port, method, path: target, ca: authority.pem, agent: false, ...client, headers }, (answer) => {
      answer.setEncoding('utf8').once('data', (text) => { resolve({ status: answer.statusCode, text, stop: () => sent.destroy() }); });
    }).on('error', reject);
    sent.end();
  });
  const bearer = { authorization: `Bearer ${makeToken({ sub: 'ann' })}` };
  for (const headers of [bearer, {}]) {
    const token = (await begin(clients.reader, { method: 'PUT', headers })).text;
    const read = (client, more) => begin(client, { target: `/graphql?token=${token}`, headers: { accept: 'text/event-stream', ...more } });
    assert.equal((await read(clients.other)).status, 404);
    assert.equal((await read(clients.other, bearer)).status, 404);
    const stream = await read(clients.reader);
    assert.equal(stream.status, 200, stream.text);
    stream.stop();
  }
});

// One connection and one request, with a ticket or without.
const connectOnce = (client, version, session) => new Promise((resolve, reject) => {
  const socket = tls.connect({ host: 'localhost', port: server.port, servername: 'localhost', ca: authority.pem, ...client, minVersion: version, maxVersion: version, session });
  let ticket;
  let text = '';
  socket.on('session', (given) => { ticket = given; });
  socket.on('error', reject);
  socket.on('secureConnect', () => socket.write('GET /v1/notes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'));
  socket.on('data', (data) => { text += data; });
  socket.on('end', () => { const isReused = socket.isSessionReused(); socket.destroy(); resolve({ status: Number(text.slice(9, 12)), ticket, isReused }); });
});
const versions = ['TLSv1.2', 'TLSv1.3'];

test('a resumed session is the same client', { timeout }, async () => {
  for (const version of versions) {
    for (const [name, status] of [['reader', 200], ['other', 401]]) {
      const first = await connectOnce(clients[name], version);
      const second = await connectOnce(clients[name], version, first.ticket);
      assert.deepEqual([first.isReused, second.isReused], [false, true], `${version} ${name}`);
      assert.deepEqual([first.status, second.status], [status, status], `${version} ${name}`);
    }
  }
});

test('a certificate that is not good yet, or no more, lets nobody in, and no ticket outlives it', { timeout }, async () => {
  const pair = (one) => ({ cert: fs.readFileSync(one.cert), key: fs.readFileSync(one.key) });
  const dated = (name, from, to) => pair(makeDatedCertificate(folder, authority, name, from, to));
  const now = Date.now(), day = 86400000;
  const early = dated('early', now + day, now + 2 * day), late = dated('late', now - 2 * day, now - day);
  for (const version of versions) for (const client of [early, late]) await assert.rejects(connectOnce(client, version), version);
  const end = Math.floor(Date.now() / 1000) * 1000 + 4000;
  const brief = dated('brief', now - day, end);
  const tickets = [];
  for (const version of versions) {
    const first = await connectOnce(brief, version), second = await connectOnce(brief, version, first.ticket);
    // On a machine so slow that it is over already there is nothing to see.
    if (second.isReused) tickets.push([version, second.ticket ?? first.ticket]);
  }
  await new Promise((resolve) => { setTimeout(resolve, end + 1100 - Date.now()); });
  for (const [version, ticket] of tickets) await assert.rejects(connectOnce(brief, version, ticket), version);
});

test("an Idempotency-Key is its caller's, who may be known by certificate alone", { timeout }, async () => {
  const headers = { 'idempotency-key': '"once"' };
  assert.equal((await create('once', clients.billing, { headers })).status, 201);
  assert.equal((await create('once', clients.billing, { headers })).status, 201);
  assert.equal((await create('once', clients.other, { headers })).status, 401);
});

test('the log, explain and token know of it', { timeout }, async () => {
  await request(clients.reader, { target: '/v1/notes?limit=3' });
  for (let i = 0; i < 100 && !server.stderr.includes('limit=3') && !server.stdout.includes('limit=3'); i++) await new Promise((resolve) => { setTimeout(resolve, 50); });
  const line = [...server.stderr.split('\n'), ...server.stdout.split('\n')].find((one) => one.includes('limit=3'));
  assert.equal(JSON.parse(line).caller, reader);
  const explained = run(['explain', server.contractPath, 'GET /v1/notes', '--as', JSON.stringify({ cert: reader })]);
  assert.equal(explained.status, 0, explained.stderr);
  assert.notEqual(run(['explain', server.contractPath, 'GET /v1/notes', '--as', '{"cert": "CN=x"}']).stdout, explained.stdout);
  const refused = run(['token', '--claim', 'cert="x"'], { env: { ...process.env, CAISSON_JWT_SECRET: 'a-secret-for-tests-only-0123456789abcdef' } });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /cert/);
});
