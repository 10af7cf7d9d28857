// http2.test.mjs - the same service over HTTP/2: by prior knowledge and by ALPN, with its flow control, limits, timeouts and its way to end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import https from 'node:https';
import net from 'node:net';
import { test } from 'node:test';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { Http2Client, FrameClient, ACK, HEADERS, DATA, PING, RST_STREAM, WINDOW_UPDATE, END_HEADERS, END_STREAM, answerOf, field, frame, preface, requestFields, setting, uint32 } from '../support/http2.mjs';
import { makeFolder, makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "auth.id != null") { code: String! @id text: String! }
`;
const authorization = { authorization: `Bearer ${makeToken({ sub: 'ann' })}` };
const json = { ...authorization, 'content-type': 'application/json' };

async function withServer(options, work, env = {}) {
  const server = await startServer({ contract, options, env });
  const client = new Http2Client(`http://127.0.0.1:${server.port}`);
  try {
    await work(client, server);
  } finally {
    client.close();
    if (!server.exit) await server.stop();
    removeFolder(server.folder);
  }
}

const make = (client, code, text) => client.request('POST', '/v1/notes', { headers: json, body: JSON.stringify({ code, text }) });
const until = async (holds) => { while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10)); };

test('REST is what it is over HTTP/1.1', () => withServer([], async (client, server) => {
  const made = await make(client, 'a', 'one');
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.location, '/v1/notes/a');
  const read = await client.request('GET', '/v1/notes/a');
  assert.deepEqual(JSON.parse(read.text), { code: 'a', text: 'one' });
  assert.equal(read.headers['content-length'], String(read.text.length));
  assert.ok(!Number.isNaN(Date.parse(read.headers.date)));
  assert.equal(read.headers.connection, undefined);
  assert.equal((await client.request('GET', '/v1/notes/a', { headers: { 'if-none-match': read.headers.etag } })).status, 304);
  const head = await client.request('HEAD', '/v1/notes/a');
  assert.deepEqual([head.status, head.text, head.headers['content-length']], [200, '', String(read.text.length)]);
  const missing = await client.request('GET', '/v1/notes/none');
  assert.deepEqual([missing.status, missing.headers['content-type'], JSON.parse(missing.text).code], [404, 'application/problem+json', 'NOT_FOUND']);
  const changed = await client.request('PATCH', '/v1/notes/a', { headers: { ...json, 'content-type': 'application/merge-patch+json' }, body: '{"text":"two"}' });
  assert.equal(JSON.parse(changed.text).text, 'two');
  assert.equal((await client.request('DELETE', '/v1/notes/a', { headers: authorization })).status, 204);
  const old = server.client();
  const list = await old.request('GET', '/v1/notes');
  old.close();
  assert.deepEqual(JSON.parse(list.text).items, []);
}));

// Sends bodies by turns, a piece of each, as far as the windows let them; what was answered, a text for each.
async function sendByTurns(port, bodies) {
  const client = new FrameClient(port), sent = bodies.map(() => 0), windows = bodies.map(() => 65535), answers = bodies.map(() => '');
  const done = new Set();
  let own = 65535, seen = 0;
  bodies.forEach((body, i) => client.write(frame(HEADERS, END_HEADERS, 2 * i + 1, Buffer.concat([requestFields('POST', '/v1/notes'), field('content-type', 'application/json'), field('authorization', authorization.authorization), field('prefer', 'return=minimal'), field('content-length', String(body.length))]))));
  while (done.size < bodies.length && !client.isClosed) {
    for (; seen < client.frames.length; seen++) {
      const { type, flags, stream, payload } = client.frames[seen], i = (stream - 1) / 2;
      if (type === WINDOW_UPDATE && stream === 0) own += payload.readUInt32BE(0);
      else if (type === WINDOW_UPDATE) windows[i] += payload.readUInt32BE(0);
      else if (type === DATA) answers[i] += payload;
      if ((type === DATA || type === HEADERS) && (flags & END_STREAM)) done.add(stream);
    }
    let hasSent = false;
    for (const [i, body] of bodies.entries()) {
      const size = Math.min(8192, windows[i], own, body.length - sent[i]);
      if (size <= 0) continue;
      client.write(frame(DATA, sent[i] + size === body.length ? END_STREAM : 0, 2 * i + 1, body.subarray(sent[i], sent[i] + size)));
      sent[i] += size;
      windows[i] -= size;
      own -= size;
      hasSent = true;
    }
    await new Promise((resolve) => setTimeout(resolve, hasSent ? 0 : 5));
  }
  client.close();
  return answers;
}

// 100 × 300 KiB are more than the 16 MiB of bodies that are kept for a connection: when those are full, none is whole.
test('bodies that come together and are more than what is kept of them do not wait for one another', { timeout: 60000 }, () => withServer([], async (client, server) => {
  const text = 'x'.repeat(300 * 1024);
  const answers = await sendByTurns(server.port, Array.from({ length: 100 }, (_, i) => Buffer.from(JSON.stringify({ code: `n${i}`, text }))));
  const statuses = answers.map((answer) => (answer === '' ? 201 : JSON.parse(answer).status));
  // A slow machine may refuse some of the writes, by what they would have to wait.
  assert.deepEqual(statuses.filter((status) => status !== 201 && status !== 503), [], statuses.join(' '));
  const made = JSON.parse((await client.request('GET', '/v1/notes?limit=100&fields=code')).text).items.length;
  assert.equal(made, statuses.filter((status) => status === 201).length);
  assert.ok(made > 0);
}));

test('curl speaks it by prior knowledge', () => withServer([], async (client, server) => {
  const curl = spawnSync('curl', ['-s', '--http2-prior-knowledge', '--max-time', '20', '-w', ' %{http_code} %{http_version}', `http://127.0.0.1:${server.port}/v1/notes?limit=1`], { encoding: 'utf8' });
  assert.equal(curl.stdout, '{"items":[],"nextCursor":null,"prevCursor":null} 200 2');
}));

test('curl speaks it by an upgrade from HTTP/1.1, and goes on in it', () => withServer([], async (client, server) => {
  const url = `http://127.0.0.1:${server.port}/v1/notes?limit=1`;
  const curl = spawnSync('curl', ['-s', '--http2', '--max-time', '20', '-w', ' %{http_code} %{http_version} %{num_connects}\n', url, url], { encoding: 'utf8' });
  const list = '{"items":[],"nextCursor":null,"prevCursor":null}';
  assert.equal(curl.stdout, `${list} 200 2 1\n${list} 200 2 0\n`);
}));

const upgrade = (fields, more = '') => `${more === '' ? 'GET' : 'POST'} /v1/notes HTTP/1.1\r\nHost: a\r\n${fields}\r\n${more}`;
const asked = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

// All that a socket gets until it has seen `until`.
function exchangeBytes(port, parts, until) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const end = () => { socket.destroy(); resolve(received); };
    socket.on('data', (data) => { received = Buffer.concat([received, data]); if (until(received)) end(); });
    socket.once('close', end).once('error', reject);
    socket.setNoDelay(true);
    (async () => { for (const part of parts) { socket.write(part); await new Promise(setImmediate); } })();
  });
}

test('an upgraded request is stream 1, however its bytes come (RFC 7540 §3.2)', () => withServer([], async (client, server) => {
  const bytes = Buffer.concat([Buffer.from(upgrade(asked)), preface, frame(4, 0, 0, Buffer.alloc(0))]);
  const switching = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n';
  for (const parts of [[bytes], [...bytes].map((byte) => Buffer.from([byte]))]) {
    const received = await exchangeBytes(server.port, parts, (all) => all.includes('{"items":[]'));
    assert.equal(received.subarray(0, switching.length).toString(), switching);
    assert.equal(received[switching.length + 3], 4, 'settings come first');
    const head = received.indexOf(Buffer.from([HEADERS, END_HEADERS, 0, 0, 0, 1]));
    assert.ok(head > 0, 'the answer is on stream 1');
  }
}));

test('an upgrade that is asked for wrongly, or with a body, is served in HTTP/1.1', () => withServer([], async (client, server) => {
  const isAnswered = (all) => /\r\n\r\n./.test(all.toString('latin1'));
  const wrong = [
    'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2\r\nHTTP2-Settings: AAMAAABk\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nHTTP2-Settings: AAMAAABk\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAA\r\n',
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: !\r\n',
  ];
  for (const fields of wrong) assert.match((await exchangeBytes(server.port, [upgrade(fields)], isAnswered)).toString(), /^HTTP\/1.1 200 OK\r\n/, fields);
  const body = '{"code":"a","text":"one"}';
  const post = upgrade(`${asked}Authorization: ${authorization.authorization}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`, body);
  assert.match((await exchangeBytes(server.port, [post], isAnswered)).toString(), /^HTTP\/1.1 201 Created\r\n/);
}));

test('who upgrades and then speaks no HTTP/2 is left', () => withServer([], async (client, server) => {
  const received = await exchangeBytes(server.port, [upgrade(asked), 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3)], () => false);
  assert.match(received.toString('latin1'), /^HTTP\/1.1 101 /);
  assert.equal((await client.request('GET', '/v1/notes')).status, 200);
}));

test('the access log says which version it was', () => withServer(['--log', 'json'], async (client, server) => {
  await client.request('GET', '/v1/notes');
  const old = server.client();
  await old.request('GET', '/v1/notes');
  old.close();
  await until(() => server.stderr.split('\n').length > 2);
  assert.deepEqual(server.stderr.trim().split('\n').map((line) => JSON.parse(line).protocol).sort(), ['HTTP/1.1', 'HTTP/2']); // loops write when they come to it
}, { CAISSON_LOG: 'json' }));

test('over TLS, ALPN chooses it; who asks for HTTP/1.1 gets that', async () => {
  const folder = makeFolder();
  const authority = makeAuthority(folder, 'authority');
  const certificate = makeCertificate(folder, authority, 'localhost', ['localhost', '127.0.0.1']);
  const server = await startServer({ contract, options: ['--tls-cert', certificate.cert, '--tls-key', certificate.key] });
  const client = new Http2Client(`https://127.0.0.1:${server.port}`, { ca: authority.pem, servername: 'localhost' });
  try {
    assert.equal((await make(client, 'a', 'x'.repeat(300000))).status, 201);
    assert.equal(client.session.alpnProtocol, 'h2');
    const all = await Promise.all(Array.from({ length: 50 }, () => client.request('GET', '/v1/notes/a')));
    for (const one of all) assert.equal(JSON.parse(one.text).text.length, 300000);
    const answer = await new Promise((resolve, reject) => https.get({ host: '127.0.0.1', port: server.port, path: '/v1/notes', ca: authority.pem, servername: 'localhost', agent: false }, resolve).on('error', reject));
    assert.deepEqual([answer.httpVersion, answer.statusCode], ['1.1', 200]);
    answer.resume();
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
    removeFolder(folder);
  }
});

test('the preface may come byte by byte; what only begins like it is HTTP/1', () => withServer([], async (client, server) => {
  const slow = net.connect(server.port, '127.0.0.1');
  for (const byte of preface) { slow.write(Buffer.from([byte])); await new Promise(setImmediate); }
  slow.write(frame(4, 0, 0));
  const [first] = await once(slow, 'data');
  assert.equal(first[3], 4, 'settings');
  slow.destroy();
  const other = net.connect(server.port, '127.0.0.1');
  other.write('PRI');
  await new Promise((resolve) => setTimeout(resolve, 50));
  other.write('NT /v1/notes HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.match(String((await once(other, 'data'))[0]), /^HTTP\/1\.1 501 /);
  other.destroy();
}));

test('a thousand streams at once on one connection', () => withServer([], async (client) => {
  await make(client, 'a', 'x'.repeat(2000));
  const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => client.request('GET', i % 2 === 0 ? '/v1/notes/a' : '/v1/notes?limit=1')));
  assert.deepEqual(new Set(answers.map((answer) => answer.status)), new Set([200]));
  for (const answer of answers) JSON.parse(answer.text);
}));

test('a large answer passes through a small window', () => withServer([], async (client, server) => {
  await make(client, 'big', 'é'.repeat(300000));
  const narrow = new Http2Client(`http://127.0.0.1:${server.port}`, { settings: { initialWindowSize: 1000 } });
  const [one, two] = await Promise.all([narrow.request('GET', '/v1/notes/big'), narrow.request('GET', '/v1/notes')]);
  narrow.close();
  assert.equal(JSON.parse(one.text).text.length, 300000);
  assert.equal(JSON.parse(two.text).items.length, 1);
}));

test('bodies larger than every window are streamed in and out', () => withServer([], async (client) => {
  const rows = 20000;
  const body = Array.from({ length: rows }, (_, i) => JSON.stringify({ code: `n${i}`, text: 'x'.repeat(150) })).join('\n');
  const imported = await client.request('POST', '/v1/notes', { headers: { ...json, 'content-type': 'application/x-ndjson' }, body });
  assert.ok(imported.status < 300, imported.text.slice(0, 300));
  const exported = await client.request('GET', '/v1/notes', { headers: { accept: 'application/x-ndjson' } });
  assert.equal(exported.status, 200);
  assert.equal(exported.text.trim().split('\n').length, rows);
}));

test('limits have the answers that they have over HTTP/1.1', () => withServer(['--body-max', '1000', '--header-max', '600', '--uri-max', '100'], async (client) => {
  const codes = async (answer) => {
    const { status, text } = await answer, { code, detail } = JSON.parse(text);
    return [status, code, /\((--[a-z-]+)\)/.exec(detail)?.[1]];
  };
  const large = JSON.stringify({ code: 'a', text: 'x'.repeat(2000) });
  assert.deepEqual(await codes(client.request('POST', '/v1/notes', { headers: { ...json, 'content-length': String(large.length) }, body: large })), [413, 'TOO_LARGE', '--body-max']);
  assert.deepEqual(await codes(client.request('POST', '/v1/notes', { headers: json, body: large })), [413, 'TOO_LARGE', '--body-max']);
  assert.deepEqual(await codes(client.request('GET', '/v1/notes', { headers: { 'x-long': 'x'.repeat(700) } })), [431, 'TOO_LARGE', '--header-max']);
  assert.deepEqual(await codes(client.request('GET', `/v1/notes?title=${'x'.repeat(100)}`)), [414, 'TOO_LARGE', '--uri-max']);
  assert.equal((await client.request('BREW', '/v1/notes')).status, 501);
  assert.equal((await client.request('GET', '/v1/notes', { headers: { expect: 'wonders' } })).status, 417);
  assert.equal((await client.request('GET', '/v1/notes')).status, 200, 'the connection goes on');
}));

test('100-continue is sent to who waits for it', () => withServer([], async (client) => {
  const stream = client.open('POST', '/v1/notes', { ...json, expect: '100-continue' });
  await once(stream, 'continue');
  stream.end(JSON.stringify({ code: 'a', text: 'b' }));
  assert.equal((await answerOf(stream)).status, 201);
}));

test('a stream that its client resets leaves the others alone', () => withServer([], async (client) => {
  const half = client.open('POST', '/v1/notes', json);
  half.on('error', () => {});
  half.write('{"code":');
  const whole = make(client, 'a', 'b');
  half.close(8);
  assert.equal((await whole).status, 201);
  assert.equal((await client.request('GET', '/v1/notes')).status, 200);
}));

test('malformed requests end their stream, and only that', () => withServer([], async (client, server) => {
  const raw = new FrameClient(server.port);
  const bad = [field('Upper', 'x'), field('connection', 'close'), field('te', 'gzip'), field('content-length', '5')];
  bad.forEach((extra, i) => raw.write(frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, Buffer.concat([requestFields('GET', '/v1/notes'), extra]))));
  raw.write(frame(HEADERS, END_HEADERS | END_STREAM, 21, requestFields('GET', '/v1/notes')));
  await until(() => raw.frames.some((f) => f.stream === 21 && f.type === DATA));
  assert.deepEqual(raw.frames.filter((f) => f.type === RST_STREAM).map((f) => [f.stream, f.payload.readUInt32BE(0)]).sort(), [[1, 1], [3, 1], [5, 1], [7, 1]]);
  raw.close();
}));

test('a body that comes too slowly: 408; the connection goes on', () => withServer(['--header-timeout', '300ms'], async (client) => {
  const stream = client.open('POST', '/v1/notes', json);
  stream.write('{"code":');
  const answer = await answerOf(stream);
  assert.deepEqual([answer.status, JSON.parse(answer.text).code], [408, 'TIMEOUT']);
  assert.equal((await client.request('GET', '/v1/notes')).status, 200);
}));

test('a streamed body that stalls is answered; what comes of it afterwards is passed over', () => withServer(['--header-timeout', '300ms'], async (client) => {
  const stream = client.open('POST', '/v1/notes', { ...json, 'content-type': 'application/x-ndjson' });
  stream.on('error', () => {});
  stream.write('{"code":"a","text":"b"}\n');
  const answer = answerOf(stream);
  const writing = setInterval(() => { if (!stream.writableEnded && !stream.destroyed) stream.write('{"code"'); }, 600);
  const { text } = await answer;
  clearInterval(writing);
  assert.equal(JSON.parse(text).code, 'TIMEOUT', text);
  assert.equal((await client.request('GET', '/v1/notes')).status, 200);
}));

test('a connection with nothing to do is ended after --idle-timeout, and told so', () => withServer(['--idle-timeout', '300ms'], async (client) => {
  assert.equal((await client.request('GET', '/v1/notes')).status, 200);
  await client.closed;
  assert.equal(client.goaway, 0);
}));

test('a preface or a head that stops halfway is given up', () => withServer(['--header-timeout', '300ms'], async (client, server) => {
  const silent = net.connect(server.port, '127.0.0.1');
  silent.write(preface.subarray(0, 10));
  silent.resume();
  await once(silent, 'close');
  const half = new FrameClient(server.port);
  half.write(frame(HEADERS, END_STREAM, 1, requestFields('GET', '/v1/notes')));
  await half.closed;
}));

test('SIGTERM: requests under way are answered, GOAWAY says so, and the program ends', () => withServer([], async (client, server) => {
  await client.request('GET', '/v1/notes');
  const stream = client.open('POST', '/v1/notes', json);
  const body = JSON.stringify({ code: 'late', text: 'x' });
  stream.write(body.slice(0, 5));
  await new Promise((resolve) => setTimeout(resolve, 100));
  const answer = answerOf(stream);
  const stopping = server.stop();
  await until(() => client.goaway !== null);
  stream.end(body.slice(5));
  assert.equal((await answer).status, 201);
  await client.closed;
  assert.equal(client.goaway, 0);
  assert.deepEqual(await stopping, { code: 0, signal: null });
}));

// What DATA comes on a connection whose window is spent, once it is opened again by `bytes`: the streams, in order. The answers before it
// have filled the window; `urgent` is asked, or told, meanwhile, and what it makes the server send is waited for.
const PRIORITY_UPDATE = 16;
const big = 'x'.repeat(300000);
const priorityUpdate = (stream, value) => frame(PRIORITY_UPDATE, 0, 0, Buffer.concat([uint32(stream), Buffer.from(value)]));
const asks = (stream, target, priority) => frame(HEADERS, END_HEADERS | END_STREAM, stream, Buffer.concat([requestFields('GET', target), field('priority', priority)]));
async function withSpentWindow(server, requests, work) {
  const client = new FrameClient(server.port, setting(4, 2 ** 24));
  const data = () => client.frames.filter(({ type, payload }) => type === DATA && payload.length > 0);
  try {
    client.write(...requests);
    await until(() => data().reduce((sum, { payload }) => sum + payload.length, 0) >= 65535);
    const open = async (bytes) => {
      const before = data().length;
      client.write(frame(WINDOW_UPDATE, 0, 0, uint32(bytes)));
      await until(() => data().slice(before).reduce((sum, { payload }) => sum + payload.length, 0) >= bytes);
      return data().slice(before).map(({ stream }) => stream);
    };
    await work(client, open, data);
  } finally {
    client.close();
  }
}

test('what is urgent is sent before what is not (RFC 9218), however many answers wait', { timeout: 30000 }, () => withServer([], async (client, server) => {
  await make(client, 'big', big);
  await make(client, 'a', 'one');
  // Three answers wait in memory; of thirty only some are begun.
  for (const count of [3, 30]) {
    const background = Array.from({ length: count }, (_, i) => asks(2 * i + 1, '/v1/notes/big', 'u=7'));
    await withSpentWindow(server, background, async (raw, open) => {
      const urgent = 2 * count + 1;
      raw.write(asks(urgent, '/v1/notes/a', 'u=0'));
      await until(() => raw.frames.some(({ type, stream }) => type === HEADERS && stream === urgent));
      assert.equal((await open(1000))[0], urgent);
      assert.ok(raw.frames.some(({ type, flags, stream }) => type === DATA && stream === urgent && (flags & END_STREAM) !== 0));
      // One that is as urgent as most comes before the background too.
      raw.write(frame(HEADERS, END_HEADERS | END_STREAM, urgent + 2, requestFields('GET', '/v1/notes/a')));
      await until(() => raw.frames.some(({ type, stream }) => type === HEADERS && stream === urgent + 2));
      assert.equal((await open(1000))[0], urgent + 2);
    });
  }
}));

test('answers are sent one after the other, those that are incremental by turns (RFC 9218)', { timeout: 30000 }, () => withServer([], async (client, server) => {
  await make(client, 'big', big);
  await withSpentWindow(server, [asks(1, '/v1/notes/big', 'u=3'), asks(3, '/v1/notes/big', 'u=3')], async (raw, open, data) => {
    await open(100000);
    assert.deepEqual([...new Set(data().map(({ stream }) => stream))], [1]);
  });
  await withSpentWindow(server, [asks(1, '/v1/notes/big', 'u=3, i'), asks(3, '/v1/notes/big', 'u=3, i')], async (raw, open) => {
    const streams = await open(100000);
    for (const stream of [1, 3]) assert.ok(Math.abs(streams.filter((of) => of === stream).length - streams.length / 2) <= 1, streams.join());
  });
}));

test('PRIORITY_UPDATE changes the order of answers, also of those that are not begun (RFC 9218)', { timeout: 30000 }, () => withServer([], async (client, server) => {
  await make(client, 'big', big);
  await make(client, 'a', 'one');
  await withSpentWindow(server, [asks(1, '/v1/notes/big', 'u=7'), asks(3, '/v1/notes/big', 'u=7')], async (raw, open) => {
    raw.write(priorityUpdate(3, 'u=1'), frame(PING, 0, 0, Buffer.alloc(8)));
    await until(() => raw.frames.some(({ type, flags }) => type === PING && (flags & ACK) !== 0));
    assert.deepEqual([...new Set(await open(1000))], [3]);
  });
  const background = Array.from({ length: 30 }, (_, i) => asks(2 * i + 1, '/v1/notes/big', 'u=7'));
  await withSpentWindow(server, [...background, asks(61, '/v1/notes/a', 'u=7')], async (raw, open) => {
    assert.ok(!raw.frames.some(({ type, stream }) => type === HEADERS && stream === 61));
    raw.write(priorityUpdate(61, 'u=0'));
    await until(() => raw.frames.some(({ type, stream }) => type === HEADERS && stream === 61));
    assert.equal((await open(1000))[0], 61);
  });
}));
