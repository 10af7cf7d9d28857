// The access log on stderr, one line a request, and requests over a Unix socket.
import assert from 'node:assert/strict';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "log")
type Note @resource @access(read: "true", write: "auth.id != null") { id: ID! title: String! }
`;

// Plays some requests and gives what stood on stderr when the server had ended.
async function logOf(format, play) {
  const server = await startServer({ contract, env: { CAISSON_LOG: format } });
  const client = server.client();
  try {
    await play(client);
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
  return server.stderr.split('\n').filter((line) => line !== '');
}

const token = makeToken({ sub: 'ann' });
async function threeRequests(client) {
  assert.equal((await client.request('GET', '/v1/notes?limit=1', { headers: { 'X-Request-Id': 'first-1' } })).status, 200);
  assert.equal((await client.request('POST', '/v1/notes', { headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: '{"title":"a secret title"}' })).status, 201);
  assert.equal((await client.request('GET', '/v1/notes/no%0Ane')).status, 404);
}

test('--log json: an object a line, with what a request was, who asked, and how it ended', async () => {
  const lines = await logOf('json', threeRequests);
  const entries = lines.map((line) => JSON.parse(line));
  assert.deepEqual(entries.map((entry) => [entry.method, entry.status]), [['GET', 200], ['POST', 201], ['GET', 404]]);
  assert.ok(lines[0].includes('first-1'));
  assert.ok(lines[1].includes('ann'));
  assert.ok(lines[2].includes('NOT_FOUND'));
  for (const line of lines) assert.ok(!line.includes(token) && !line.includes('a secret title'), line);
});

test('--log text: a short line for people', async () => {
  const lines = await logOf('text', threeRequests);
  assert.equal(lines.length, 3);
  assert.match(lines[0], /GET \/v1\/notes\?limit=1\b.* 200\b|200\b.*GET \/v1\/notes\?limit=1/);
  assert.match(lines[1], /\b201\b/);
  for (const line of lines) assert.ok(!line.includes(token) && !line.includes('a secret title'), line);
});

test('an event stream\'s token is not told, whatever it is used for', async () => {
  let secret;
  const lines = await logOf('json', async (client) => {
    secret = (await client.request('PUT', '/graphql')).text;
    assert.match(secret, /^[\w-]{32}$/);
    const query = '?token=' + secret + '&x=1';
    const sent = await client.request('POST', `/graphql${query}`, { headers: { 'Content-Type': 'application/json' }, body: '{"query":"{ __typename }","extensions":{"operationId":"1"}}' });
    assert.equal(sent.status, 202, sent.text);
    assert.equal((await client.request('DELETE', `/graphql?operationId=1&t%6Fken=${secret}`)).status, 200);
    assert.equal((await client.request('GET', `/graphql${query}`, { headers: { Accept: 'application/json' } })).status, 406);
    assert.equal((await client.request('GET', `/nothing${query}`)).status, 404);
  });
  assert.ok(lines.length >= 5, lines.join('\n'));
  for (const line of lines) assert.ok(!line.includes(secret), line);
  const targets = lines.map((line) => JSON.parse(line).target);
  for (const target of ['/graphql?token=***&x=1', '/graphql?operationId=1&t%6Fken=***', '/nothing?token=***&x=1']) assert.ok(targets.includes(target), targets.join('\n'));
});

test('--log off: nothing', async () => {
  assert.deepEqual(await logOf('off', threeRequests), []);
});

test('a Unix socket answers as a port does', async () => {
  const server = await startServer({ contract, options: ['--listen', 'unix:./here.sock', '--listen', '127.0.0.1:0'] });
  try {
    const text = await new Promise((resolve, reject) => {
      const socket = net.connect(path.join(server.folder, 'here.sock'));
      let received = '';
      socket.on('data', (data) => { received += data; });
      socket.on('end', () => resolve(received));
      socket.on('error', reject);
      socket.write('GET /v1/notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    });
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
    assert.ok(text.endsWith('{"items":[],"nextCursor":null,"prevCursor":null}'), text);
  } finally {
    await server.stop();
    removeFolder(server.folder);
  }
});
