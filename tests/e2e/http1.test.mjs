// http1.test.mjs - HTTP/1.1 byte by byte (RFC 9110, RFC 9112): framing, pipelining, and what must be refused.
import assert from 'node:assert';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { connect, exchangeRaw } from '../support/http.mjs';
import { removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "wire")
type Note @resource @access(read: "true", write: "true") {
  code: String! @id
  text: String!
}
`;
let server;
before(async () => { server = await startServer({ contract }); });
after(async () => { await server?.stop(); if (server) removeFolder(server.folder); });

const send = (bytes, options) => exchangeRaw(server.port, bytes, options);
const post = (code, extra = '') => `POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${extra}Content-Length: ${code.length + 24}\r\n\r\n{"code":"${code}","text":"abc"}`;

async function assertRefused(bytes, status = 400) {
  const { responses, isClosed } = await send(bytes);
  assert.equal(responses[0]?.status, status, `for ${JSON.stringify(bytes.slice(0, 200))}`);
  assert.ok(isClosed, 'the connection is closed');
  assert.equal(responses.length, 1, 'nothing behind it is answered');
}

test('keep-alive: many requests on one connection', async () => {
  const { responses, isClosed } = await send('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5), { methods: Array(5).fill('GET') });
  assert.deepEqual(responses.map(({ status }) => status), [200, 200, 200, 200, 200]);
  assert.equal(isClosed, false);
});

test('pipelined requests are answered in order, slow ones and fast ones alike', async () => {
  const bytes = post('pipe-1') + 'GET /v1/notes/pipe-1 HTTP/1.1\r\nHost: x\r\n\r\n' + 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n' + post('pipe-2') + 'GET /v1/notes/none HTTP/1.1\r\nHost: x\r\n\r\n';
  const { responses } = await send(bytes, { methods: ['POST', 'GET', 'GET', 'POST', 'GET'] });
  const statuses = responses.map(({ status }) => status);
  assert.equal(statuses[0], 201);
  assert.ok([200, 404].includes(statuses[1]), 'the read may run before or after the write that is ahead of it');
  assert.deepEqual(statuses.slice(2), [200, 201, 404]);
});

test('a request in pieces of one byte', async () => {
  const { responses } = await send(post('bytewise'), { pieceBytes: 1 });
  assert.equal(responses[0].status, 201);
});

test('Connection: close is obeyed, and said', async () => {
  const { responses, isClosed } = await send('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.equal(responses[0].status, 200);
  assert.match(responses[0].headers.get('connection') ?? '', /close/i);
  assert.ok(isClosed);
});

test('bytes after a Connection: close request do not spoil the answer', async () => {
  const { responses, isClosed } = await send('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nnonsense\r\n\r\n');
  assert.equal(responses[0].status, 200);
  assert.ok(isClosed);
});

test('HTTP/1.0 is answered and closed', async () => {
  const { responses, isClosed } = await send('GET /livez HTTP/1.0\r\n\r\n');
  assert.equal(responses[0].status, 200);
  assert.ok(isClosed);
});

test('a chunked body is read', async () => {
  const body = '{"code":"chunked","text":"abc"}';
  const { responses } = await send(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${body.slice(0, 5)}\r\n${(body.length - 5).toString(16)};x=y\r\n${body.slice(5)}\r\n0\r\nTrailer: x\r\n\r\n`);
  assert.equal(responses[0].status, 201, responses[0].text);
});

test('a body that is wanted and not announced is 411, an empty one 400 (RFC 9110 §15.5.12)', async () => {
  const head = (method, path, extra = '') => `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${extra}\r\n`;
  for (const [method, path] of [['POST', '/v1/notes'], ['PUT', '/v1/notes/a'], ['PATCH', '/v1/notes/a'], ['POST', '/v1/batch']]) {
    const { responses } = await send(head(method, path) + head(method, path, 'Content-Length: 0\r\n'), { methods: [method, method] });
    assert.deepEqual(responses.map(({ status }) => status), [411, 400], `${method} ${path}`);
    assert.equal(JSON.parse(responses[0].body).code, 'BAD_REQUEST');
  }
  const { responses } = await send(head('POST', '/v1/nothing') + head('DELETE', '/v1/notes/none'), { methods: ['POST', 'DELETE'] });
  assert.deepEqual(responses.map(({ status }) => status), [404, 404]);
});

test('a chunked body over the limit is 413', async () => {
  const { responses } = await send(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${'a'.repeat(0x10000)}\r\n`.repeat(17)}0\r\n\r\n`);
  assert.equal(responses[0].status, 413);
});

test('Expect: 100-continue gets 100 before the body is sent, then the answer (RFC 9110 §10.1.1)', async () => {
  const [head, body] = post('expects', 'Expect: 100-continue\r\n').split('\r\n\r\n');
  const socket = await connect(server.port);
  let received = '';
  socket.setEncoding('latin1').on('data', (text) => { received += text; });
  const until = async (pattern) => { for (let i = 0; i < 500 && !pattern.test(received); i++) await new Promise((resolve) => setTimeout(resolve, 10)); };
  socket.write(`${head}\r\n\r\n`);
  await until(/\r\n\r\n/);
  assert.equal(received, 'HTTP/1.1 100 Continue\r\n\r\n');
  socket.write(body);
  await until(/201/);
  socket.destroy();
  assert.match(received, /\r\n\r\nHTTP\/1\.1 201 /);
});

test('a body that is announced too large is refused before it is sent', async () => {
  const { responses, isClosed } = await send('POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 104857600\r\n\r\n');
  assert.deepEqual(responses.map(({ status }) => status), [413]);
  assert.ok(isClosed);
});

test('both Content-Length and Transfer-Encoding (RFC 9112 §6.1)', () =>
  assertRefused('POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: x\r\n\r\n'));
test('two Content-Lengths that differ (RFC 9112 §6.3)', () => assertRefused('POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef'));
test('a Content-Length that is not a number', () => assertRefused('POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nabcde'));
test('a Content-Length beyond 64 bits', async () => {
  const { responses, isClosed } = await send('POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n');
  assert.ok([400, 413].includes(responses[0].status));
  assert.ok(isClosed);
});
test('Transfer-Encoding that does not end in chunked', () => assertRefused('POST /v1/notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'));
test('a transfer coding that nobody knows is 501 or 400 (RFC 9112 §6.1)', async () => {
  const { responses, isClosed } = await send('POST /v1/notes HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n');
  assert.ok([400, 501].includes(responses[0].status));
  assert.ok(isClosed);
});
test('a bare LF in the head', () => assertRefused('GET /livez HTTP/1.1\nHost: x\n\n'));
test('a space before the colon (RFC 9112 §5.1)', () => assertRefused('GET /livez HTTP/1.1\r\nHost : x\r\n\r\n'));
test('a folded header line (RFC 9112 §5.2)', () => assertRefused('GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n'));
test('NUL in a header', () => assertRefused('GET /livez HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n'));
test('no Host in HTTP/1.1 (RFC 9112 §3.2)', () => assertRefused('GET /livez HTTP/1.1\r\n\r\n'));
test('two Hosts (RFC 9112 §3.2)', () => assertRefused('GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n'));
test('a request line without a version', () => assertRefused('GET /livez\r\nHost: x\r\n\r\n'));
test('a version that is not served', async () => {
  const { responses, isClosed } = await send('GET /livez HTTP/3.7\r\nHost: x\r\n\r\n');
  assert.ok([400, 505].includes(responses[0].status));
  assert.ok(isClosed);
});
test('bytes that are not HTTP', () => assertRefused('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'));
test('a chunk size that is not hexadecimal', () => assertRefused('POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n'));
test('an unknown method is 501, one that a resource lacks 405', async () => {
  const { responses } = await send('BREW /v1/notes HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal(responses[0].status, 501);
  const lacking = await send('PATCH /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}');
  assert.equal(lacking.responses[0].status, 405);
  assert.match(lacking.responses[0].headers.get('allow'), /GET/);
});
test('absolute-form and the asterisk (RFC 9112 §3.2)', async () => {
  assert.equal((await send('GET http://x/livez HTTP/1.1\r\nHost: x\r\n\r\n')).responses[0].status, 200);
  const asterisk = (await send('OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', { methods: ['OPTIONS'] })).responses[0];
  assert.ok(asterisk.status < 300, `${asterisk.status} ${asterisk.text}`);
});
test('a head over the limit is 431, a target over the limit 414', async () => {
  assert.equal((await send(`GET /livez HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(20000)}\r\n\r\n`)).responses[0].status, 431);
  assert.equal((await send(`GET /livez HTTP/1.1\r\nHost: x\r\n${'X-A: a\r\n'.repeat(3000)}\r\n`)).responses[0].status, 431);
  assert.equal((await send(`GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).responses[0].status, 414);
});
// What is collected while an earlier write waits for its reader must not fall behind the connection's end.
test('whoever reads slowly has all answers before the connection ends', { timeout: 60000 }, async () => {
  const text = 'a long story '.repeat(4000), count = 300;
  const body = JSON.stringify({ code: 'story', text });
  assert.equal((await send(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`)).responses[0].status, 201);
  for (let round = 0; round < 5; round++) {
    const socket = net.connect({ port: server.port, host: '127.0.0.1' });
    let bytes = 0, answers = 0, rest = '';
    socket.setEncoding('latin1');
    socket.on('data', (piece) => {
      bytes += piece.length;
      answers += (rest + piece).split('HTTP/1.1 200').length - 1;
      rest = piece.slice(-11);
      // Now and then it looks away.
      socket.pause();
      setTimeout(() => socket.resume(), 1);
    });
    const ended = new Promise((resolve) => socket.on('close', resolve));
    for (let i = 1; i <= count; i++) socket.write(`GET /v1/notes/story HTTP/1.1\r\nHost: x\r\n${i === count ? 'Connection: close\r\n' : ''}\r\n`);
    await ended;
    assert.equal(answers, count, `${bytes} bytes`);
  }
});
test('the server is unharmed', async () => {
  assert.equal((await send('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')).responses[0].status, 200);
});
