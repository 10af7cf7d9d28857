// websocket.test.mjs - WebSocket (RFC 6455) as hostile, slow and silent clients speak it, and graphql-transport-ws frame by frame.
import assert from 'node:assert';
import http2 from 'node:http2';
import { after, before, describe, test } from 'node:test';
import { makeFolder, makeToken, removeFolder, residentKib, startServer } from '../support/server.mjs';
import { BINARY, CLOSE, FIN, PING, PONG, TEXT, frame, openRaw, parseFrame } from '../support/websocket.mjs';

const timeout = 60000;
const contract = `
extend schema @service(name: "shop")
type Note @resource @access(read: "true", create: "auth.id != null", update: "auth.id != null") { id: ID! @id text: String! owner: String! @default(expr: "auth.id") @readonly }
type Secret @resource @access(read: "auth.id == 'ann'", write: "true") { id: ID! @id word: String! }
`;
const ann = makeToken({ sub: 'ann' });
let server;
const open = (options) => openRaw(server.port, options);
const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const subscribe = (id, query, more) => ({ id, type: 'subscribe', payload: { query, ...more } });

async function ready(options) {
  const ws = await open(options);
  assert.deepEqual(await ws.init(options?.payload), { type: 'connection_ack' });
  return ws;
}

before(async () => {
  server = await startServer({ contract, options: ['--graphql-ws-init-timeout', '500ms', '--websocket-message-max', '64KiB', '--graphql-ws-operations-max', '4', '--control-frames-max', '100', '--websocket-buffer-max', '1MiB'] });
  const client = server.client();
  const made = await client.request('POST', '/v1/notes', { headers: { 'Content-Type': 'application/json', ...bearer(ann) }, body: JSON.stringify([{ id: '1', text: 'one' }, { id: 'big', text: 'x'.repeat(60000) }]) });
  assert.equal(made.status, 201, made.text);
  client.close();
});
after(async () => { if (server) { await server.stop(); removeFolder(server.folder); } });

describe('the handshake', () => {
  test('is RFC 6455\'s, with the subprotocol and the headers that every answer has', { timeout }, async () => {
    const ws = await open();
    assert.equal(ws.status, 101);
    assert.match(ws.head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/i);
    assert.match(ws.head, /\r\nupgrade: websocket/i);
    assert.match(ws.head, /\r\nconnection: upgrade/i);
    assert.match(ws.head, /\r\nsec-websocket-protocol: graphql-transport-ws/i);
    assert.match(ws.head, /\r\nx-request-id: /i);
    assert.doesNotMatch(ws.head, /transfer-encoding|content-length/i);
    ws.destroy();
  });

  test('another version is 426 and told ours; a bad key is 400; a plain GET stays HTTP', { timeout }, async () => {
    const old = await open({ headers: { 'Sec-WebSocket-Version': '8' } });
    assert.equal(old.status, 426);
    assert.match(old.head, /\r\nsec-websocket-version: 13/i);
    const bad = await open({ headers: { 'Sec-WebSocket-Key': 'short' } });
    assert.equal(bad.status, 400);
    const plain = await open({ headers: { Connection: 'keep-alive' }, path: '/graphql?query={__typename}' });
    assert.equal(plain.status, 200);
    const elsewhere = await open({ path: '/v1/notes' });
    assert.equal(elsewhere.status, 200, 'an upgrade that is not done is no upgrade');
    for (const ws of [old, bad, plain, elsewhere]) ws.destroy();
  });

  test('a page of another origin may not, this host\'s own may', { timeout }, async () => {
    const foreign = await open({ headers: { Origin: 'https://evil.example' } });
    assert.equal(foreign.status, 403);
    const own = await open({ headers: { Origin: `http://127.0.0.1:${server.port}` } });
    assert.equal(own.status, 101);
    foreign.destroy();
    own.destroy();
  });

  test('a bad token in the handshake is 401', { timeout }, async () => {
    const ws = await open({ headers: bearer('no.token.atall') });
    assert.equal(ws.status, 401);
    assert.match(ws.head, /www-authenticate/i);
    ws.destroy();
  });

  test('without the subprotocol: 4406', { timeout }, async () => {
    const ws = await open({ protocol: 'graphql-ws' });
    assert.equal((await ws.closed()).code, 4406);
    ws.destroy();
  });

  test('frames that come with the handshake are not lost', { timeout }, async () => {
    const ws = await open({ early: frame(FIN | TEXT, '{"type":"connection_init"}') });
    assert.deepEqual(await ws.message(), { type: 'connection_ack' });
    ws.destroy();
  });
});

describe('frames', () => {
  const failing = [
    ['not masked', [frame(FIN | TEXT, '{}', { mask: null })], 1002],
    ['a reserved bit', [frame(FIN | 0x40 | TEXT, '{}')], 1002],
    ['a reserved opcode', [frame(FIN | 3, '')], 1002],
    ['a fragmented control frame', [frame(PING, 'a'), frame(FIN | 0, 'b')], 1002],
    ['a control frame of 126 bytes', [frame(FIN | PING, 'x'.repeat(126))], 1002],
    ['a continuation of nothing', [frame(FIN | 0, 'x')], 1002],
    ['a message within a message', [frame(TEXT, 'x'), frame(FIN | TEXT, 'y')], 1002],
    ['text that is not UTF-8', [frame(FIN | TEXT, Buffer.from([0x22, 0xff, 0x22]))], 1007],
    ['text that is not UTF-8 across its fragments', [frame(TEXT, Buffer.from([0xed])), frame(FIN | 0, Buffer.from([0xa0, 0x80]))], 1007],
    ['a message that says it is too large', [frame(FIN | TEXT, 'x', { length: 64 * 1024 + 1 })], 1009],
    ['fragments that are too large together', [frame(TEXT, 'x'.repeat(40000)), frame(FIN | 0, 'x'.repeat(40000))], 1009],
    ['a length of 2^63', [Buffer.concat([Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(4)])], 1002],
    ['binary', [frame(FIN | BINARY, '{}')], 1003],
    ['a close code that nobody may send', [frame(FIN | CLOSE, Buffer.from([0x03, 0xed]))], 1002],
  ];
  for (const [name, frames, code] of failing) {
    test(`${name}: ${code}, and the connection ends`, { timeout }, async () => {
      const ws = await ready();
      for (const bytes of frames) ws.send(bytes);
      assert.equal((await ws.closed()).code, code);
      ws.socket.end();
      await ws.ended();
    });
  }

  test('a message in fragments, byte by byte, with a ping in between', { timeout }, async () => {
    const ws = await ready();
    const text = JSON.stringify(subscribe('é', '{ note(id: "1") { text } }'));
    const bytes = Buffer.from(text);
    ws.send(frame(TEXT, bytes.subarray(0, 8)));
    ws.send(frame(FIN | PING, 'are you there'));
    const pong = await ws.next();
    assert.deepEqual([pong.first, pong.payload.toString()], [FIN | PONG, 'are you there']);
    for (const byte of frame(FIN | 0, bytes.subarray(8))) ws.send(Buffer.from([byte]));
    assert.deepEqual(await ws.message(), { id: 'é', type: 'next', payload: { data: { note: { text: 'one' } } } });
    assert.deepEqual(await ws.message(), { id: 'é', type: 'complete' });
    ws.destroy();
  });

  test('a close is answered with its own code, and the server ends the connection', { timeout }, async () => {
    const ws = await ready();
    ws.send(frame(FIN | CLOSE, Buffer.concat([Buffer.from([0x0f, 0xa1]), Buffer.from('bye')])));
    assert.equal((await ws.closed()).code, 4001);
    await ws.ended();
  });

  test('a flood of pings is cut with 1008, a few are answered', { timeout }, async () => {
    const ws = await ready();
    for (let i = 0; i < 50; i++) ws.send(frame(FIN | PING, `${i}`));
    assert.equal((await ws.next()).opcode, PONG);
    ws.send(Buffer.concat(Array.from({ length: 5000 }, () => frame(FIN | PING, 'x'.repeat(125)))));
    assert.equal((await ws.closed()).code, 1008);
    ws.destroy();
  });

  test('a client that goes without a word leaves nothing behind', { timeout }, async () => {
    for (let i = 0; i < 20; i++) (await ready()).destroy();
    const client = server.client();
    for (let left = 100; ; left--) {
      const open_ = Number(/^caisson_http_connections_open (\d+)$/m.exec((await client.request('GET', '/metrics')).text)[1]);
      if (open_ <= 3) break;
      assert.ok(left > 0, `${open_} connections are still open`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.close();
  });
});

describe('graphql-transport-ws', () => {
  test('a token in connection_init is the caller of what follows', { timeout }, async () => {
    for (const payload of [{ Authorization: `Bearer ${ann}` }, { authorization: `Bearer ${ann}` }, { headers: { Authorization: `Bearer ${ann}` } }]) {
      const ws = await ready({ payload });
      ws.text(subscribe('1', 'mutation { updateNote(id: "1", input: { text: "one" }) { text } }'));
      assert.deepEqual((await ws.message()).payload, { data: { updateNote: { text: 'one' } } });
      assert.equal((await ws.message()).type, 'complete');
      ws.destroy();
    }
    const ws = await ready({ headers: bearer(ann) });
    ws.text(subscribe('1', '{ secrets { nodes { word } } }'));
    assert.deepEqual((await ws.message()).payload, { data: { secrets: { nodes: [] } } });
    ws.destroy();
  });

  test('a stranger is refused as over HTTP', { timeout }, async () => {
    const ws = await ready();
    ws.text(subscribe('1', 'mutation { createNote(input: { id: "9", text: "x" }) { id } }'));
    const answer = await ws.message();
    assert.ok(['error', 'next'].includes(answer.type));
    const errors = answer.type === 'error' ? answer.payload : answer.payload.errors;
    assert.equal(errors[0].extensions.code, 'UNAUTHENTICATED');
    ws.destroy();
  });

  test('a bad token in connection_init: 4403', { timeout }, async () => {
    const ws = await open();
    ws.text({ type: 'connection_init', payload: { Authorization: 'Bearer nonsense' } });
    assert.equal((await ws.closed()).code, 4403);
    ws.destroy();
  });

  test('nobody who says nothing stays: 4408', { timeout }, async () => {
    const ws = await open();
    assert.equal((await ws.closed()).code, 4408);
    ws.destroy();
  });

  const closing = [
    ['subscribe before the acknowledgement', 4401, [subscribe('1', '{ __typename }')], false],
    ['a second connection_init', 4429, [{ type: 'connection_init' }], true],
    ['what is not JSON', 4400, ['{'], true],
    ['a message without a type', 4400, [{}], true],
    ['an unknown type', 4400, [{ type: 'start', id: '1' }], true],
    ['a payload that is no object', 4400, [{ type: 'ping', payload: 1 }], true],
    ['subscribe without an id', 4400, [{ type: 'subscribe', payload: { query: '{ __typename }' } }], true],
    ['subscribe without a payload', 4400, [{ type: 'subscribe', id: '1' }], true],
  ];
  for (const [name, code, messages, isReady] of closing) {
    test(`${name}: ${code}`, { timeout }, async () => {
      const ws = isReady ? await ready() : await open();
      for (const message of messages) ws.text(message);
      assert.equal((await ws.closed()).code, code);
      ws.destroy();
    });
  }

  test('an invalid document is an error that ends only its operation', { timeout }, async () => {
    const ws = await ready();
    ws.text(subscribe('bad', '{ nothing }'));
    const error = await ws.message();
    assert.deepEqual([error.id, error.type, error.payload[0].locations], ['bad', 'error', [{ line: 1, column: 3 }]]);
    ws.text(subscribe('bad', '{ note(id: "1") { id } }'));
    assert.equal((await ws.message()).type, 'next');
    assert.equal((await ws.message()).type, 'complete');
    ws.destroy();
  });

  test('ping is answered by pong, with its payload', { timeout }, async () => {
    const ws = await ready();
    ws.text({ type: 'ping', payload: { at: 1 } });
    assert.deepEqual(await ws.message(), { type: 'pong', payload: { at: 1 } });
    ws.text({ type: 'pong' });
    ws.text({ type: 'complete', id: 'unknown' });
    ws.text({ type: 'ping' });
    assert.deepEqual(await ws.message(), { type: 'pong' });
    ws.destroy();
  });

  test('many operations run at once, each is answered once', { timeout }, async () => {
    const ws = await ready();
    const wanted = new Set();
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < 4; i++) { wanted.add(`${round}-${i}`); ws.text(subscribe(`${round}-${i}`, '{ note(id: "1") { id } }')); }
      for (let i = 0; i < 8; i++) {
        const message = await ws.message();
        if (message.type === 'complete') assert.ok(wanted.delete(message.id));
        else assert.deepEqual(message.payload, { data: { note: { id: '1' } } });
      }
    }
    assert.equal(wanted.size, 0);
    ws.destroy();
  });

  test('who does not read what it asks for is held, then cut, and costs no more than its limit', { timeout }, async () => {
    const ws = await ready();
    ws.socket.pause();
    const ask = Buffer.concat(Array.from({ length: 200 }, (_, i) => frame(FIN | TEXT, JSON.stringify(subscribe(`${i}`, '{ note(id: "big") { text } }')))));
    for (let i = 0; i < 20; i++) ws.send(ask);
    const client = server.client();
    for (let i = 0; i < 20; i++) assert.equal((await client.request('GET', '/v1/notes/1')).status, 200);
    const rss = () => residentKib(server.child.pid);
    const before_ = rss();
    for (let i = 0; i < 20; i++) assert.equal((await client.request('GET', '/v1/notes/1')).status, 200);
    assert.ok(rss() - before_ < 64 * 1024, 'memory is bounded');
    client.close();
    ws.destroy();
  });
});

describe('over HTTP/2 (RFC 8441)', () => {
  // One extended CONNECT: its status, and a reader of frames.
  async function connect(session, headers) {
    const stream = session.request({ ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', ':path': '/graphql', ':authority': `127.0.0.1:${server.port}`, 'sec-websocket-version': '13', 'sec-websocket-protocol': 'graphql-transport-ws', ...headers }, { endStream: false });
    stream.on('error', () => {});
    const head = await new Promise((resolve, reject) => { stream.once('response', resolve); stream.once('close', () => reject(new Error('no answer'))); });
    let received = Buffer.alloc(0), wake = () => {};
    stream.on('data', (data) => { received = Buffer.concat([received, data]); wake(); });
    const next = async () => {
      for (;;) {
        const found = parseFrame(received);
        if (found) { received = found.rest; return found; }
        await new Promise((resolve, reject) => { wake = resolve; setTimeout(() => reject(new Error('no frame in 20 s')), 20000).unref(); });
      }
    };
    return { stream, head, next, text: (value) => stream.write(frame(FIN | TEXT, JSON.stringify(value))) };
  }

  test('several WebSockets and ordinary requests share a connection', { timeout }, async () => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    try {
      await new Promise((resolve) => session.once('remoteSettings', resolve));
      assert.equal(session.remoteSettings.enableConnectProtocol, true);
      const sockets = [await connect(session), await connect(session, bearer(ann))];
      for (const ws of sockets) {
        assert.equal(ws.head[':status'], 200);
        assert.equal(ws.head['sec-websocket-protocol'], 'graphql-transport-ws');
        ws.text({ type: 'connection_init' });
        assert.equal((await ws.next()).payload.toString(), '{"type":"connection_ack"}');
        ws.text(subscribe('1', '{ note(id: "1") { id } }'));
        assert.deepEqual(JSON.parse((await ws.next()).payload), { id: '1', type: 'next', payload: { data: { note: { id: '1' } } } });
        assert.equal(JSON.parse((await ws.next()).payload).type, 'complete');
      }
      sockets[0].stream.write(frame(FIN | TEXT, 'x', { mask: null }));
      const closed = await sockets[0].next();
      assert.deepEqual([closed.opcode, closed.payload.readUInt16BE(0)], [CLOSE, 1002]);
      sockets[1].stream.write(frame(FIN | PING, 'still'));
      assert.equal((await sockets[1].next()).payload.toString(), 'still');
    } finally {
      session.destroy();
    }
  });

  test('no tunnel elsewhere, and to no other protocol', { timeout }, async () => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`);
    try {
      await new Promise((resolve) => session.once('remoteSettings', resolve));
      assert.equal((await connect(session, { ':path': '/v1/notes' })).head[':status'], 404);
      assert.equal((await connect(session, { ':path': '/metrics' })).head[':status'], 404);
      assert.equal((await connect(session, { ':protocol': 'connect-udp' })).head[':status'], 400);
      assert.equal((await connect(session, { 'sec-websocket-version': '8' })).head[':status'], 426);
    } finally {
      session.destroy();
    }
  });
});

test('SIGTERM: what is under way is answered, then 1001; --connections-max holds; a silent peer is pinged and cut', { timeout }, async () => {
  const folder = makeFolder();
  const other = await startServer({ contract, folder, options: ['--connections-max', '3', '--websocket-ping', '300ms'] });
  try {
    const first = await openRaw(other.port);
    await first.init();
    const second = await openRaw(other.port);
    await second.init();
    const alive = setInterval(() => { for (const ws of [first, second]) ws.send(frame(FIN | PONG, '')); }, 50);
    const third = await openRaw(other.port);
    await third.init();
    const fourth = await openRaw(other.port);
    assert.equal(fourth.status, 503);
    // The raw client answers no ping: it is gone after two.
    assert.equal((await third.next()).opcode, PING);
    await third.ended();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.ok(!first.isEnded && !second.isEnded, 'who answers stays');
    const stopped = other.stop();
    for (const ws of [first, second]) {
      assert.deepEqual(await ws.closed(), { code: 1001, reason: 'the server is being stopped' });
      ws.send(frame(FIN | CLOSE, Buffer.from([0x03, 0xe9])));
      await ws.ended();
    }
    clearInterval(alive);
    assert.equal((await stopped).code, 0);
    fourth.destroy();
  } finally {
    await other.stop();
    removeFolder(folder);
  }
});
