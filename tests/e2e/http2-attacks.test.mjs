// http2-attacks.test.mjs - what HTTP/2 lets a client ask for at little cost of its own. While one connection attacks, another client is answered
// within a second, and the server's memory stays bounded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTINUATION, DATA, END_HEADERS, END_STREAM, FrameClient, HEADERS, Http2Client, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, field, frame, requestFields, setting, uint32 } from '../support/http2.mjs';
import { makeToken, removeFolder, residentKib, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "auth.id != null") { code: String! @id text: String! }
`;
const json = { authorization: `Bearer ${makeToken({ sub: 'ann' })}`, 'content-type': 'application/json' };
const ENHANCE_YOUR_CALM = 11;
const MEMORY_MAX = 100 * 1024 * 1024;

const memoryOf = (server) => residentKib(server.child.pid) * 1024;

// Attacks until the connection is gone or `rounds` are over; `another client` asks all the while.
async function withAttack(work, options = []) {
  // A sanitizer keeps freed memory for a while; that is not the server's.
  const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4` };
  const server = await startServer({ contract, options: ['--threads', '1', ...options], env });
  const other = new Http2Client(`http://127.0.0.1:${server.port}`);
  try {
    const made = await other.request('POST', '/v1/notes', { headers: json, body: JSON.stringify({ code: 'a', text: 'x'.repeat(100000) }) });
    assert.equal(made.status, 201, made.text);
    const ask = async () => {
      const began = performance.now();
      const answer = await other.request('GET', '/v1/notes?fields=code');
      assert.equal(answer.status, 200);
      return performance.now() - began;
    };
    for (let i = 0; i < 20; i++) await ask();
    const before = memoryOf(server);
    let most = before, slowest = 0, isOver = false;
    const watching = (async () => {
      while (!isOver) {
        slowest = Math.max(slowest, await ask());
        most = Math.max(most, memoryOf(server));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    try { await work(server); } finally { isOver = true; }
    await watching;
    assert.ok(slowest < 1000, `another client waited for ${slowest} ms`);
    assert.ok(most - before < MEMORY_MAX, `memory grew by ${most - before} bytes`);
    assert.equal((await other.request('GET', '/v1/notes/a')).status, 200);
  } finally {
    other.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

// Pours pieces until the server has had enough.
async function pourUntilRefused(client, makePiece, rounds) {
  for (let i = 0; i < rounds; i++) {
    if (!await client.pour(makePiece(i))) return true;
  }
  return false;
}

const get = (stream, target = '/v1/notes/a', end = END_STREAM) => frame(HEADERS, END_HEADERS | end, stream, requestFields('GET', target));

async function isLeft(makePiece, code = ENHANCE_YOUR_CALM, settings) {
  await withAttack(async (server) => {
    const client = new FrameClient(server.port, settings);
    assert.ok(await pourUntilRefused(client, makePiece, 20000), 'the connection was not ended');
    await client.closed;
    if (client.goaway !== null) assert.equal(client.goaway, code);
  });
}

test('rapid reset (CVE-2023-44487)', () => isLeft((i) => Buffer.concat(Array.from({ length: 100 }, (_, k) => {
  const stream = 2 * (100 * i + k) + 1;
  return Buffer.concat([get(stream), frame(RST_STREAM, 0, stream, uint32(8))]);
}))));

test('resets that the client makes the server send', () => isLeft((i) => Buffer.concat(Array.from({ length: 100 }, (_, k) => {
  const stream = 2 * (100 * i + k) + 1;
  return Buffer.concat([get(stream, '/v1/notes', 0), frame(WINDOW_UPDATE, 0, stream, uint32(0x7fffffff))]);
}))));

test('a flood of CONTINUATION (CVE-2024-27316)', () => withAttack(async (server) => {
  const client = new FrameClient(server.port);
  client.write(frame(HEADERS, END_STREAM, 1, requestFields('GET', '/v1/notes')));
  const piece = frame(CONTINUATION, 0, 1, field('x', 'y'.repeat(16000)));
  assert.ok(await pourUntilRefused(client, () => piece, 20000), 'the connection was not ended');
}));

test('a flood of empty CONTINUATIONs', () => withAttack(async (server) => {
  const client = new FrameClient(server.port);
  client.write(frame(HEADERS, END_STREAM, 1, requestFields('GET', '/v1/notes')));
  const piece = Buffer.concat(Array.from({ length: 100 }, () => frame(CONTINUATION, 0, 1)));
  assert.ok(await pourUntilRefused(client, () => piece, 20000), 'the connection was not ended');
}));

test('a flood of SETTINGS', () => isLeft(() => Buffer.concat(Array.from({ length: 100 }, () => frame(SETTINGS, 0, 0, setting(4, 65535))))));
test('a flood of PING', () => isLeft(() => Buffer.concat(Array.from({ length: 100 }, () => frame(PING, 0, 0, Buffer.alloc(8))))));
test('a flood of PRIORITY', () => isLeft((i) => Buffer.concat(Array.from({ length: 100 }, (_, k) => frame(PRIORITY, 0, 2 * (100 * i + k) + 1, Buffer.from([0, 0, 0, 0, 16]))))));

test('a flood of empty DATA', () => {
  let isFirst = true;
  return isLeft(() => {
    const head = isFirst ? frame(HEADERS, END_HEADERS, 1, Buffer.concat([requestFields('POST', '/v1/notes'), field('content-type', 'application/json')])) : Buffer.alloc(0);
    isFirst = false;
    return Buffer.concat([head, ...Array.from({ length: 100 }, () => frame(DATA, 0, 1))]);
  });
});

test('a header list that unpacks to much more (HPACK bomb)', () => withAttack(async (server) => {
  const client = new FrameClient(server.port);
  const entry = field('x', 'y'.repeat(4000), true);
  const bomb = Buffer.concat([entry, Buffer.alloc(12000, 0x80 | 62)]); /* the entry again, 12,000 times: 48 MB */
  await pourUntilRefused(client, (i) => frame(HEADERS, END_HEADERS | END_STREAM, 2 * i + 1, Buffer.concat([requestFields('GET', '/v1/notes'), bomb])), 300);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(!client.frames.some((f) => f.type === DATA && f.payload.length === 0 && f.stream > 0 && f.flags === 0));
  client.close();
}));

test('a thousand streams that read nothing (window starvation)', () => withAttack(async (server) => {
  const clients = Array.from({ length: 4 }, () => new FrameClient(server.port, setting(4, 0)));
  for (const client of clients) {
    for (let i = 0; i < 1000; i += 50) await client.pour(Buffer.concat(Array.from({ length: 50 }, (_, k) => get(2 * (i + k) + 1))));
  }
  await new Promise((resolve) => setTimeout(resolve, 2000));
  for (const client of clients) client.close();
}));

test('windows that open byte by byte', () => withAttack(async (server) => {
  const client = new FrameClient(server.port, setting(4, 0));
  for (let i = 0; i < 100; i++) await client.pour(get(2 * i + 1));
  const piece = Buffer.concat(Array.from({ length: 100 }, (_, k) => frame(WINDOW_UPDATE, 0, 2 * k + 1, uint32(1))));
  for (let i = 0; i < 300; i++) if (!await client.pour(piece)) break;
  client.close();
}));

test('a reader that takes no bytes from its socket', () => withAttack(async (server) => {
  const client = new FrameClient(server.port, setting(4, 0x7fffffff));
  client.socket.pause();
  client.write(frame(WINDOW_UPDATE, 0, 0, uint32(0x7fff0000 - 65535)));
  for (let i = 0; i < 1000; i += 50) client.write(...Array.from({ length: 50 }, (_, k) => get(2 * (i + k) + 1)));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  client.close();
}));

test('bodies that are begun on a thousand streams, and never end', () => withAttack(async (server) => {
  const client = new FrameClient(server.port);
  const head = (stream) => frame(HEADERS, END_HEADERS, stream, Buffer.concat([requestFields('POST', '/v1/notes'), field('content-type', 'application/json')]));
  const part = Buffer.alloc(16384, 'x');
  for (let i = 0; i < 1000; i++) if (!await client.pour(head(2 * i + 1))) break;
  /* Only what the windows allow: the rest would be an error of its own. */
  for (let sent = 0; sent + part.length < 1024 * 1024; sent += part.length) await client.pour(frame(DATA, 0, 2 * (sent / part.length) + 1, part));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  client.close();
}));

test('more streams than --streams-max are refused, the others served', () => withAttack(async (server) => {
  const client = new FrameClient(server.port, setting(4, 0));
  for (let i = 0; i < 30; i++) client.write(get(2 * i + 1));
  await new Promise((resolve) => setTimeout(resolve, 500));
  const refused = client.frames.filter((f) => f.type === RST_STREAM);
  assert.equal(refused.length, 20);
  for (const one of refused) assert.equal(one.payload.readUInt32BE(0), 7, 'REFUSED_STREAM');
  const settings = client.frames.find((f) => f.type === SETTINGS).payload;
  const entries = Array.from({ length: settings.length / 6 }, (_, i) => [settings.readUInt16BE(6 * i), settings.readUInt32BE(6 * i + 2)]);
  assert.deepEqual(entries.find(([id]) => id === 3), [3, 10]);
  client.close();
}, ['--streams-max', '10']));

test('--control-frames-max is the bound of a flood', () => withAttack(async (server) => {
  const ping = Buffer.concat(Array.from({ length: 45 }, () => frame(PING, 0, 0, Buffer.alloc(8))));
  const client = new FrameClient(server.port);
  client.write(ping);
  await client.closed;
  assert.equal(client.goaway, ENHANCE_YOUR_CALM);
}, ['--control-frames-max', '40']));
