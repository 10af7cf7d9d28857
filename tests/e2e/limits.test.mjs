// INTERFACE.md §6: every limit that concerns REST is an option, and has an answer of its own. Each server here has one limit lowered, so that what passes
// by default is refused.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { connect, exchangeRaw, parseResponse } from '../support/http.mjs';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "limits")
type Note @resource @access(read: "true", write: "auth.id != null") { id: ID! title: String! parent: Note @relation(inverse: "children") children: [Note!]! @relation(inverse: "parent") }
`;
const authorization = { Authorization: `Bearer ${makeToken({ sub: 'ann' })}` };
const json = { ...authorization, 'Content-Type': 'application/json' };

async function withServer(options, work) {
  const server = await startServer({ contract, options });
  const client = server.client();
  try {
    await work(client, server);
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

// The same request with the option, and without: `status` and `code` there, `usual` here.
function refuses(options, { method = 'GET', target, headers = {}, body = null, status, code, option, usual }) {
  test(`${options.join(' ')}: ${status}`, async () => {
    for (const [given, expected] of [[options, status], [[], usual]]) {
      await withServer(given, async (client) => {
        const answer = await client.request(method, target, { headers, body });
        assert.equal(answer.status, expected, answer.text);
        if (expected !== status) return;
        assert.equal(answer.headers.get('content-type'), 'application/problem+json');
        const problem = JSON.parse(answer.text);
        assert.equal(problem.code, code);
        assert.equal(problem.status, status);
        if (option !== undefined) assert.match(problem.detail, new RegExp(`\\(${option}\\)`));
      });
    }
  });
}

refuses(['--body-max', '100'], { method: 'POST', target: '/v1/notes', headers: json, body: JSON.stringify({ title: 'a'.repeat(100) }), status: 413, code: 'TOO_LARGE', option: '--body-max', usual: 201 });
refuses(['--header-max', '300'], { target: '/v1/notes', headers: { 'X-Long': 'a'.repeat(300) }, status: 431, code: 'TOO_LARGE', option: '--header-max', usual: 200 });
refuses(['--uri-max', '40'], { target: `/v1/notes?title=${'a'.repeat(40)}`, status: 414, code: 'TOO_LARGE', option: '--uri-max', usual: 200 });
refuses(['--page-size', '5', '--page-size-max', '10'], { target: '/v1/notes?limit=11', status: 400, code: 'BAD_REQUEST', usual: 200 });
refuses(['--nesting-max', '1'], { target: '/v1/notes?fields=id,children(id,children(id))', status: 400, code: 'BAD_REQUEST', usual: 200 });
refuses(['--filter-max', '20'], { target: `/v1/notes?filter=${encodeURIComponent('title == "aaaaaaaaaaaaaaaaaaaa"')}`, status: 400, code: 'BAD_REQUEST', usual: 200 });
refuses(['--import-max', '60'], { method: 'POST', target: '/v1/notes', headers: { ...authorization, 'Content-Type': 'application/x-ndjson' }, body: '{"title":"a note"}\n'.repeat(10), status: 413, code: 'TOO_LARGE', usual: 201 });

test('--page-size is the page where none is asked for', () => withServer(['--page-size', '2'], async (client) => {
  for (const title of ['a', 'b', 'c']) await client.request('POST', '/v1/notes', { headers: json, body: JSON.stringify({ title }) });
  assert.equal(JSON.parse((await client.request('GET', '/v1/notes')).text).items.length, 2);
  assert.equal(JSON.parse((await client.request('GET', '/v1/notes?limit=3')).text).items.length, 3);
}));

test('--result-max: a larger answer is refused and says what to do', () => withServer(['--result-max', '2KiB'], async (client) => {
  const titles = Array.from({ length: 10 }, (_, i) => String(i).repeat(300));
  for (const title of titles) assert.equal((await client.request('POST', '/v1/notes', { headers: json, body: JSON.stringify({ title }) })).status, 201);
  const refused = await client.request('GET', '/v1/notes');
  assert.equal(JSON.parse(refused.text).code, 'TOO_LARGE');
  assert.match(JSON.parse(refused.text).detail, /\(--result-max\): ask for fewer rows or fields/);
  assert.equal((await client.request('GET', '/v1/notes?limit=2')).status, 200);
}));

// One connection more than may be open, on one loop: it is told so and closed; the first goes on.
test('--connections-max: 503', () => withServer(['--connections-max', '1', '--threads', '1'], async (client, server) => {
  assert.equal((await client.request('GET', '/livez')).status, 200);
  const { responses, isClosed } = await exchangeRaw(server.port, 'GET /livez HTTP/1.1\r\nHost: x\r\n\r\n');
  assert.equal(responses[0].status, 503);
  assert.ok(responses[0].headers.has('retry-after'));
  assert.ok(isClosed);
  assert.equal((await client.request('GET', '/livez')).status, 200);
}));

// ---- what takes its time: another program holds the database, so that a write has to wait ----

async function holdDatabase(file) {
  const child = spawn('sqlite3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n");
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return async () => { child.stdin.end(); await exited; };
}

test('--request-timeout: 503 TIMEOUT', () => withServer(['--request-timeout', '400ms', '--statement-timeout', '30s'], async (client, server) => {
  const release = await holdDatabase(path.join(server.folder, 'test.db'));
  const { status, headers, text } = await client.request('POST', '/v1/notes', { headers: json, body: '{"title":"late"}' });
  assert.equal(status, 503);
  assert.equal(JSON.parse(text).code, 'TIMEOUT');
  assert.ok(headers.has('retry-after'));
  await release();
}));

test('--requests-in-flight-max: 503 while another is under way, and none after it', () => withServer(['--requests-in-flight-max', '1', '--threads', '1', '--statement-timeout', '30s'], async (client, server) => {
  const release = await holdDatabase(path.join(server.folder, 'test.db'));
  const waiting = await connect(server.port);
  let received = Buffer.alloc(0);
  const answered = new Promise((resolve) => waiting.on('data', (data) => { received = Buffer.concat([received, data]); const answer = parseResponse(received, 'POST', false); if (answer) resolve(answer); }));
  waiting.write(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization.Authorization}\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"title":"late"}`);
  // The write is under way some time after it was sent; until then others are served.
  let refused = await client.request('GET', '/v1/notes');
  for (let i = 0; i < 200 && refused.status === 200; i++) refused = await client.request('GET', '/v1/notes');
  assert.equal(refused.status, 503);
  assert.equal(JSON.parse(refused.text).code, 'UNAVAILABLE');
  assert.ok(refused.headers.has('retry-after'));
  await release();
  assert.equal((await answered).status, 201);
  assert.equal((await client.request('GET', '/v1/notes')).status, 200);
  waiting.destroy();
}));
