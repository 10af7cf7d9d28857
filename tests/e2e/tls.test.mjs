// tls.test.mjs - TLS as clients see it: versions, names, resumption, client certificates, reload, and what is refused at the start.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import tls from 'node:tls';
import { makeAuthority, makeCertificate, makeOcspResponse } from '../support/certificates.mjs';
import { makeFolder, makeToken, removeFolder, run, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "auth.id != null") { code: String! @id text: String! }
`;
const headers = { authorization: `Bearer ${makeToken({ sub: 'ann' })}`, 'content-type': 'application/json' };

let folder, authority, first, second;
before(() => {
  folder = makeFolder();
  authority = makeAuthority(folder, 'authority');
  first = makeCertificate(folder, authority, 'first.test', ['first.test', '127.0.0.1']);
  second = makeCertificate(folder, authority, 'second.test');
});
after(() => removeFolder(folder));

const certificateOptions = (...certificates) => certificates.flatMap((c) => ['--tls-cert', c.cert, '--tls-key', c.key]);

async function withServer(options, work) {
  const server = await startServer({ contract, options });
  try { await work(server); } finally {
    if (!server.exit) await server.stop();
    removeFolder(server.folder);
  }
}

function request(server, method, target, { body = null, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const sent = https.request({ host: '127.0.0.1', port: server.port, method, path: target, ca: authority.pem, agent: false, headers, ...options }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString(), socket: answer.socket }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

// A handshake; resolves with the socket, rejects with the error that ended it.
async function handshake(server, options = {}) {
  const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: authority.pem, servername: 'first.test', ...options });
  await once(socket, 'secureConnect');
  return socket;
}

async function get(socket, target = '/v1/notes') {
  socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  let text = '';
  for await (const [part] of on(socket)) {
    text += part;
    const length = /content-length: (\d+)/.exec(text);
    if (length && text.length >= text.indexOf('\r\n\r\n') + 4 + Number(length[1])) return text;
  }
  return text;
}

async function* on(socket) {
  while (!socket.destroyed) yield await once(socket, 'data');
}

test('https:// is printed, and requests are answered', () => withServer(certificateOptions(first), async (server) => {
  assert.match(server.addresses[0], /^https:\/\/127\.0\.0\.1:\d+$/);
  const made = await request(server, 'POST', '/v1/notes', { body: JSON.stringify({ code: 'a', text: 'b'.repeat(200000) }) });
  assert.equal(made.status, 201, made.text);
  const read = await request(server, 'GET', '/v1/notes/a');
  assert.equal(JSON.parse(read.text).text.length, 200000);
  assert.equal(read.headers['strict-transport-security'], undefined);
}));

test('1.2 and 1.3 are spoken, 1.1 is not', () => withServer(certificateOptions(first), async (server) => {
  for (const version of ['TLSv1.2', 'TLSv1.3']) {
    const socket = await handshake(server, { minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
    assert.match(await get(socket), /^HTTP\/1\.1 200/);
    socket.destroy();
  }
  await assert.rejects(handshake(server, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }));
  await assert.rejects(handshake(server, { maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA:AES128-GCM-SHA256' }), 'without forward secrecy');
}));

test('the certificate is chosen by the name asked for; others get the first', () => withServer(certificateOptions(first, second), async (server) => {
  for (const [servername, subject] of [['first.test', 'first.test'], ['second.test', 'second.test']]) {
    const socket = await handshake(server, { servername });
    assert.equal(socket.getPeerCertificate().subject.CN, subject);
    socket.destroy();
  }
  const socket = await handshake(server, { servername: 'third.test', checkServerIdentity: () => undefined });
  assert.equal(socket.getPeerCertificate().subject.CN, 'first.test');
  socket.destroy();
}));

test('sessions are resumed by tickets, in both versions and for each name', () => withServer(certificateOptions(first, second), async (server) => {
  for (const servername of ['first.test', 'second.test']) {
    for (const version of ['TLSv1.2', 'TLSv1.3']) {
      const options = { servername, minVersion: version, maxVersion: version };
      const before = tls.connect({ host: '127.0.0.1', port: server.port, ca: authority.pem, ...options });
      const [session] = await once(before, 'session');
      assert.equal(before.isSessionReused(), false);
      before.destroy();
      const again = await handshake(server, { ...options, session });
      assert.equal(again.isSessionReused(), true, `${servername} ${version}`);
      assert.match(await get(again), /^HTTP\/1\.1 200/);
      again.destroy();
    }
  }
}));

test('renegotiation is refused', () => withServer(certificateOptions(first), async (server) => {
  const socket = await handshake(server, { maxVersion: 'TLSv1.2' });
  const failed = once(socket, 'error');
  socket.renegotiate({}, () => {});
  await Promise.race([failed, once(socket, 'close')]);
  assert.equal((await request(server, 'GET', '/v1/notes')).status, 200);
}));

test('who offers no protocol of ours by ALPN is told so', () => withServer(certificateOptions(first), async (server) => {
  await assert.rejects(handshake(server, { ALPNProtocols: ['spdy/1'] }), /no application protocol/i);
  const socket = await handshake(server, { ALPNProtocols: ['http/1.1'] });
  assert.equal(socket.alpnProtocol, 'http/1.1');
  socket.destroy();
}));

test('--tls-client-ca lets in only who has a certificate of it', async () => {
  const clients = makeAuthority(folder, 'clients');
  const ann = makeCertificate(folder, clients, 'ann', ['ann'], 'clientAuth');
  const stranger = makeCertificate(folder, authority, 'stranger', ['stranger'], 'clientAuth');
  await withServer([...certificateOptions(first, second), '--tls-client-ca', clients.cert], async (server) => {
    const pair = (one) => ({ cert: fs.readFileSync(one.cert), key: fs.readFileSync(one.key) });
    for (const servername of ['first.test', 'second.test']) {
      assert.equal((await request(server, 'GET', '/v1/notes', { servername, ...pair(ann) })).status, 200);
      await assert.rejects(request(server, 'GET', '/v1/notes', { servername }));
      await assert.rejects(request(server, 'GET', '/v1/notes', { servername, ...pair(stranger) }));
    }
  });
});

test('SIGHUP reads certificates again; open connections go on, and broken files change nothing', async () => {
  const files = { cert: path.join(folder, 'live.pem'), key: path.join(folder, 'live.key') };
  const copy = (from) => { fs.copyFileSync(from.cert, files.cert); fs.copyFileSync(from.key, files.key); };
  copy(first);
  await withServer(certificateOptions(files), async (server) => {
    const lines = async (pattern, count) => {
      while ([...server.stderr.matchAll(pattern)].length < count) await once(server.child.stderr, 'data');
    };
    const subject = async () => {
      const socket = await handshake(server, { checkServerIdentity: () => undefined });
      const name = socket.getPeerCertificate().subject.CN;
      socket.destroy();
      return name;
    };
    const open = await handshake(server);
    assert.match(await get(open), /^HTTP\/1\.1 200/);
    copy(second);
    server.child.kill('SIGHUP');
    await lines(/the certificates were read again/g, 1);
    assert.equal(await subject(), 'second.test');
    assert.match(await get(open), /^HTTP\/1\.1 200/);
    fs.copyFileSync(first.key, files.key);
    server.child.kill('SIGHUP');
    await lines(/the certificates were not read again/g, 1);
    assert.equal(await subject(), 'second.test');
    assert.match(await get(open), /^HTTP\/1\.1 200/);
    open.destroy();
  });
});

test('SIGHUP with another --tls-client-ca: a ticket from before lets nobody in whom it does not know', { timeout: 60000 }, async () => {
  const [old, next] = [makeAuthority(folder, 'old-clients'), makeAuthority(folder, 'next-clients')];
  const live = path.join(folder, 'live-clients.pem');
  const pair = (authorityOf, name) => { const made = makeCertificate(folder, authorityOf, name, [name], 'clientAuth'); return { cert: fs.readFileSync(made.cert), key: fs.readFileSync(made.key) }; };
  const [leaver, stayer] = [pair(old, 'leaver'), pair(next, 'stayer')];
  fs.writeFileSync(live, old.pem + next.pem);
  await withServer([...certificateOptions(first, second), '--tls-client-ca', live], async (server) => {
    // One request; resolves with whether the session was resumed, and the ticket for the next.
    const visit = (client, version, servername, session) => new Promise((resolve, reject) => {
      const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: authority.pem, servername, minVersion: version, maxVersion: version, session, ...client });
      let ticket;
      socket.on('session', (given) => { ticket = given; });
      socket.on('error', reject);
      socket.on('secureConnect', () => get(socket).then((text) => { assert.match(text, /^HTTP\/1\.1 200/); const isReused = socket.isSessionReused(); socket.destroy(); resolve({ isReused, ticket }); }, reject));
      socket.on('close', () => reject(new Error('closed')));
    });
    const cases = ['TLSv1.2', 'TLSv1.3'].flatMap((version) => ['first.test', 'second.test'].map((servername) => [version, servername]));
    const tickets = [];
    for (const [version, servername] of cases) {
      for (const client of [leaver, stayer]) {
        const { ticket } = await visit(client, version, servername);
        assert.equal((await visit(client, version, servername, ticket)).isReused, true, version);
        tickets.push({ client, version, servername, ticket });
      }
    }
    const open = await handshake(server, leaver);
    fs.writeFileSync(live, next.pem);
    server.child.kill('SIGHUP');
    while (!/the certificates were read again/.test(server.stderr)) await once(server.child.stderr, 'data');
    for (const { client, version, servername, ticket } of tickets) {
      if (client === leaver) await assert.rejects(visit(client, version, servername, ticket), `${version} ${servername}`);
      else assert.equal((await visit(client, version, servername, ticket)).isReused, false, `${version} ${servername}`);
    }
    // Whoever is in stays in, as with every reload.
    assert.match(await get(open), /^HTTP\/1\.1 200/);
    open.destroy();
  });
});

test('--hsts is said with every answer', () => withServer([...certificateOptions(first), '--hsts', '24h'], async (server) => {
  assert.equal((await request(server, 'GET', '/v1/notes')).headers['strict-transport-security'], 'max-age=86400');
  assert.equal((await request(server, 'GET', '/nothing/here')).headers['strict-transport-security'], 'max-age=86400');
}));

test('a handshake that does not come is given up after --header-timeout', () => withServer([...certificateOptions(first), '--header-timeout', '300ms'], async (server) => {
  const silent = net.connect(server.port, '127.0.0.1');
  const halfway = net.connect(server.port, '127.0.0.1');
  halfway.write(Buffer.from('16030100', 'hex'));
  // Both are waited for at once: they may end in any order.
  await Promise.all([silent, halfway].map((socket) => {
    socket.resume();
    socket.on('error', () => {});
    return once(socket, 'close');
  }));
}));

test('what is not TLS is turned away', () => withServer(certificateOptions(first), async (server) => {
  const socket = net.connect(server.port, '127.0.0.1');
  socket.on('error', () => {});
  socket.resume();
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(socket, 'close');
  assert.equal((await request(server, 'GET', '/v1/notes')).status, 200);
}));

test('SIGTERM: a request under way is answered over TLS, and the connection ends as TLS says', () => withServer(certificateOptions(first), async (server) => {
  const socket = await handshake(server);
  const body = JSON.stringify({ code: 'late', text: 'x' });
  socket.write(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
  let text = '';
  socket.on('data', (data) => { text += data; });
  const ended = once(socket, 'end');
  const stopping = server.stop();
  socket.write(body.slice(5));
  await ended;
  socket.destroy();
  assert.match(text, /^HTTP\/1\.1 201/);
  assert.deepEqual(await stopping, { code: 0, signal: null });
}));

test('a large answer reaches a slow reader whole', () => withServer(certificateOptions(first), async (server) => {
  for (let i = 0; i < 4; i++) {
    const made = await request(server, 'POST', '/v1/notes', { body: JSON.stringify({ code: `n${i}`, text: 'é'.repeat(400000) }) });
    assert.equal(made.status, 201, made.text);
  }
  const socket = await handshake(server);
  socket.write('GET /v1/notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  let bytes = 0, parts = 0;
  socket.on('data', (data) => {
    bytes += data.length;
    if (++parts % 10 === 0) { socket.pause(); setTimeout(() => socket.resume(), 5); }
  });
  await once(socket, 'end');
  assert.ok(bytes > 4 * 800000, `${bytes}`);
}));

test('what is wrong with certificates is said at the start', () => {
  const contractPath = path.join(folder, 'contract.graphql');
  fs.writeFileSync(contractPath, contract);
  const start = (...options) => run(['serve', contractPath, '--store', 'sqlite::memory:', '--listen', '127.0.0.1:0', ...options]);
  const missing = start('--tls-cert', path.join(folder, 'nowhere.pem'), '--tls-key', first.key);
  assert.equal(missing.status, 3, missing.stderr);
  assert.match(missing.stderr, /nowhere\.pem: No such file/);
  const mismatched = start('--tls-cert', first.cert, '--tls-key', second.key);
  assert.equal(mismatched.status, 1, mismatched.stderr);
  assert.match(mismatched.stderr, /second\.test\.key: .*key/);
  const noPem = start('--tls-cert', contractPath, '--tls-key', first.key);
  assert.equal(noPem.status, 1, noPem.stderr);
  assert.match(noPem.stderr, /contract\.graphql: no certificate/);
  assert.equal(start('--tls-cert', first.cert).status, 2);
  assert.equal(start('--hsts', '1h').status, 2);
  assert.equal(start('--tls-client-ca', first.cert).status, 2);
});

test('an OCSP response is stapled for who asks, each certificate its own, and read again on SIGHUP', { timeout: 60000 }, async () => {
  const [one, two] = [makeOcspResponse(folder, authority, first, 'first'), makeOcspResponse(folder, authority, second, 'second')];
  const live = path.join(folder, 'live.ocsp');
  fs.copyFileSync(one, live);
  const stapled = (server, servername, requestOCSP = true) => new Promise((resolve, reject) => {
    let response = null;
    const socket = tls.connect({ host: '127.0.0.1', port: server.port, ca: authority.pem, servername, requestOCSP });
    socket.on('OCSPResponse', (bytes) => { response = bytes; });
    socket.on('secureConnect', () => { socket.destroy(); resolve(response); });
    socket.on('error', reject);
  });
  await withServer([...certificateOptions(first, second), '--tls-ocsp', live, '--tls-ocsp', two], async (server) => {
    assert.deepEqual(await stapled(server, 'first.test'), fs.readFileSync(one));
    assert.deepEqual(await stapled(server, 'second.test'), fs.readFileSync(two));
    assert.equal(await stapled(server, 'first.test', false), null);
    // Another response of the same certificate, which the server has from then on.
    const later = makeOcspResponse(folder, authority, first, 'first');
    fs.copyFileSync(later, live);
    server.child.kill('SIGHUP');
    for (let i = 0; i < 100 && !(await stapled(server, 'first.test')).equals(fs.readFileSync(later)); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(await stapled(server, 'first.test'), fs.readFileSync(later));
  });
});

test('what is no OCSP response is refused at the start', () => {
  const contractPath = path.join(folder, 'refused.graphql');
  fs.writeFileSync(contractPath, contract);
  const garbage = path.join(folder, 'garbage.ocsp');
  fs.writeFileSync(garbage, 'not DER');
  const serve = (...options) => run(['serve', contractPath, '--listen', '127.0.0.1:0', '--store', 'sqlite::memory:', ...certificateOptions(first), ...options]);
  const wrong = serve('--tls-ocsp', garbage);
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /garbage\.ocsp.*OCSP/);
  assert.equal(serve('--tls-ocsp', path.join(folder, 'nowhere')).status, 3);
  const two = serve('--tls-ocsp', garbage, '--tls-ocsp', garbage);
  assert.equal(two.status, 2);
});

test('a listener without TLS sends everybody to https, whatever they ask', { timeout: 60000 }, async () => {
  await withServer([...certificateOptions(first), '--tls-redirect', '127.0.0.1:0'], async (server) => {
    const [secure, plain] = server.addresses.map((address) => new URL(address));
    assert.equal(secure.protocol, 'https:');
    assert.equal(plain.protocol, 'http:');
    const ask = (method, target, host, body) => new Promise((resolve, reject) => {
      const sent = http.request({ host: '127.0.0.1', port: plain.port, method, path: target, headers: { host }, agent: false }, (answer) => { answer.resume().on('end', () => resolve(answer)); });
      sent.on('error', reject);
      sent.end(body);
    });
    const moved = await ask('GET', '/v1/notes?filter=x%20y', `first.test:${plain.port}`);
    assert.equal(moved.statusCode, 308);
    assert.equal(moved.headers.location, `https://first.test:${secure.port}/v1/notes?filter=x%20y`);
    assert.equal((await ask('POST', '/v1/notes', '[::1]:80', '{}')).headers.location, `https://[::1]:${secure.port}/v1/notes`);
    for (const nowhere of [':80', '[::1', '[]:80']) assert.equal((await ask('GET', '/v1/notes', nowhere)).statusCode, 400, nowhere);
    assert.equal((await request(server, 'GET', '/v1/notes')).status, 200);
    const begin = Date.now();
    await server.stop();
    assert.ok(Date.now() - begin < 15000);
  });
  const contractPath = path.join(folder, 'redirect.graphql');
  fs.writeFileSync(contractPath, contract);
  assert.equal(run(['serve', contractPath, '--tls-redirect', '127.0.0.1:0']).status, 2);
});
