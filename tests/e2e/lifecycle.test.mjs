// lifecycle.test.mjs - the server as a process: what it prints, how it ends, what it does when something outside is wrong.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { connect, exchangeRaw } from '../support/http.mjs';
import { makeFolder, makeToken, removeFolder, run, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "notes")
type Note @resource @access(read: "true", create: "auth.id != null", delete: "true") {
  code: String! @id
  text: String!
}
`;

async function withServer(options, body) {
  const server = await startServer({ contract, ...options });
  try { await body(server); } finally {
    if (!server.exit) await server.stop();
    removeFolder(server.folder);
  }
}

function inFolder(body) {
  const folder = makeFolder();
  try { return body(folder); } finally { removeFolder(folder); }
}

test('port 0 picks a port and prints it; SIGTERM ends with 0', () => withServer({}, async (server) => {
  assert.match(server.addresses[0], /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.notEqual(server.port, 0);
  assert.deepEqual(await server.stop(), { code: 0, signal: null });
}));

test('SIGINT ends with 0 too', () => withServer({}, async (server) => {
  assert.deepEqual(await server.stop('SIGINT'), { code: 0, signal: null });
}));

test('several listeners each print their line', () => withServer({ options: ['--listen', '127.0.0.1:0', '--listen', '[::1]:0'] }, async (server) => {
  for (let i = 0; i < 100 && server.addresses.length < 2; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(server.addresses.length, 2, server.stdout);
}));

test('a Unix socket is listened on', () => withServer({ options: ['--listen', 'unix:./here.sock', '--listen', '127.0.0.1:0'] }, async (server) => {
  assert.ok(fs.existsSync(path.join(server.folder, 'here.sock')));
}));

test('a request under way when SIGTERM comes is answered; then the connection closes', () => withServer({}, async (server) => {
  const socket = await connect(server.port);
  let received = '';
  socket.on('data', (data) => { received += data; });
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const body = JSON.stringify({ code: 'late', text: 'under way' });
  socket.write(`POST /v1/notes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${makeToken({ sub: 'ann' })}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const stopping = server.stop();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await assert.rejects(connect(server.port), 'new connections are refused while it drains');
  socket.write(body);
  await closed;
  assert.match(received, /^HTTP\/1\.1 201 /);
  assert.match(received, /connection: close/i);
  assert.equal((await stopping).code, 0);
}));

test('what was written is there after a restart, and so is the secret', async () => {
  const folder = makeFolder();
  const env = { CAISSON_JWT_SECRET: '' };
  delete env.CAISSON_JWT_SECRET;
  const first = await startServer({ contract, folder });
  const client = first.client();
  const created = await client.request('POST', '/v1/notes', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${makeToken({ sub: 'ann' })}` }, body: '{"code":"a","text":"kept"}' });
  assert.equal(created.status, 201, created.text);
  client.close();
  await first.stop();
  const second = await startServer({ contract, folder });
  const again = second.client();
  assert.equal((await again.request('GET', '/v1/notes/a')).text, '{"code":"a","text":"kept"}');
  again.close();
  await second.stop();
  removeFolder(folder);
});

test('an additive change of the contract is applied; another stops with the difference', async () => {
  const folder = makeFolder();
  await (await startServer({ contract, folder })).stop();
  const more = await startServer({ contract: contract.replace('text: String!', 'text: String!\n  colour: String'), folder });
  const client = more.client();
  assert.equal((await client.request('GET', '/v1/notes?colour=red')).status, 200);
  client.close();
  await more.stop();
  await assert.rejects(startServer({ contract: contract.replace('text: String!', 'text: Int!'), folder }), (error) => {
    assert.match(error.message, /text/);
    assert.match(error.message, /exit status [13]/);
    return true;
  });
  removeFolder(folder);
});

test('a contract with mistakes ends with 1 and shows each', () => inFolder((folder) => {
  const file = path.join(folder, 'bad.graphql');
  fs.writeFileSync(file, 'extend schema @service(name: "bad")\ntype A @resource @access(read: "tru", write: "true") {\n  id: ID!\n  b: Sting!\n}\n');
  for (const command of ['check', 'serve']) {
    const result = run([command, file], { cwd: folder });
    assert.equal(result.status, 1, result.stderr);
    assert.match(result.stderr, /bad\.graphql:2:\d+/);
    assert.match(result.stderr, /bad\.graphql:4:6/);
    assert.match(result.stderr, /String/);
    assert.match(result.stderr, /\^/);
  }
}));

test('wrong usage ends with 2', () => inFolder((folder) => {
  const file = path.join(folder, 'ok.graphql');
  fs.writeFileSync(file, contract);
  for (const args of [[], ['sreve'], ['serve'], ['serve', file, '--lisen', 'x'], ['serve', file, '--page-size', 'many'], ['serve', file, '--body-max', '-1'], ['check']]) {
    const result = run(args, { cwd: folder });
    assert.equal(result.status, 2, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.notEqual(result.stderr, '');
  }
}));

test('something outside that fails ends with 3', () => inFolder((folder) => {
  const file = path.join(folder, 'ok.graphql');
  fs.writeFileSync(file, contract);
  fs.writeFileSync(path.join(folder, 'text.db'), 'This is not a database, whatever its name says. '.repeat(100));
  for (const args of [['serve', path.join(folder, 'none.graphql')], ['check', path.join(folder, 'none.graphql')],
    ['serve', file, '--listen', '127.0.0.1:0', '--store', `sqlite:${path.join(folder, 'no/such/folder/x.db')}`],
    ['serve', file, '--listen', '127.0.0.1:0', '--store', `sqlite:${path.join(folder, 'text.db')}`],
    ['serve', file, '--listen', '203.0.113.1:80']]) {
    const result = run(args, { cwd: folder });
    assert.equal(result.status, 3, `${args.join(' ')}: ${result.stdout}${result.stderr}`);
    assert.notEqual(result.stderr, '');
  }
}));

test('a port that is taken ends with 3 and says so', () => withServer({ options: ['--threads', '1'] }, async (server) => inFolder((folder) => {
  const file = path.join(folder, 'ok.graphql');
  fs.writeFileSync(file, contract);
  const result = run(['serve', file, '--listen', `127.0.0.1:${server.port}`], { cwd: folder });
  assert.equal(result.status, 3, result.stderr);
  assert.match(result.stderr, /in use/);
})));

test('every command has --help, and there is a version', () => {
  for (const command of ['new', 'check', 'serve', 'introspect', 'contract', 'token']) {
    const result = run([command, '--help']);
    assert.equal(result.status, 0, command);
    assert.match(result.stdout, new RegExp(`caisson ${command}`));
  }
  assert.match(run(['--version']).stdout, /^caisson \d+\.\d+\.\d+/);
  assert.equal(run(['--help']).status, 0);
});

test('caisson new makes a contract that check accepts and serve serves', async () => {
  const folder = makeFolder();
  const made = run(['new', 'begin'], { cwd: folder });
  assert.equal(made.status, 0, made.stderr);
  const files = fs.readdirSync(path.join(folder, 'begin'));
  assert.ok(files.includes('README.md'), files.join());
  const name = files.find((file) => file.endsWith('.graphql'));
  assert.equal(run(['check', path.join(folder, 'begin', name)]).status, 0);
  const server = await startServer({ contractPath: path.join(folder, 'begin', name), folder });
  await server.stop();
  removeFolder(folder);
});

test('caisson token signs a token that the server takes', () => withServer({}, async (server) => {
  const token = run(['token', '--sub', 'ann', '--role', 'staff', '--claim', 'team="blue"', '--ttl', '1h'], { env: { ...process.env, CAISSON_JWT_SECRET: 'a-secret-for-tests-only-0123456789abcdef' } });
  assert.equal(token.status, 0, token.stderr);
  const claims = JSON.parse(Buffer.from(token.stdout.trim().split('.')[1], 'base64url').toString());
  assert.equal(claims.sub, 'ann');
  assert.deepEqual(claims.roles, ['staff']);
  assert.equal(claims.team, 'blue');
  const client = server.client();
  const created = await client.request('POST', '/v1/notes', { headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token.stdout.trim()}` }, body: '{"code":"t","text":"x"}' });
  client.close();
  assert.equal(created.status, 201, created.text);
}));

test('the secret made on the first start is kept beside the database, mode 0600', async () => {
  const folder = makeFolder();
  const server = await startServer({ contract, folder, env: { CAISSON_JWT_SECRET: undefined } });
  const secrets = fs.readdirSync(folder).filter((name) => /secret/.test(name));
  assert.equal(secrets.length, 1, fs.readdirSync(folder).join());
  assert.equal(fs.statSync(path.join(folder, secrets[0])).mode & 0o777, 0o600);
  await server.stop();
  removeFolder(folder);
});

test('the prelude is SDL that defines the directives', () => {
  const { stdout, status } = run(['contract', '--prelude']);
  assert.equal(status, 0);
  for (const name of ['service', 'resource', 'id', 'column', 'relation', 'unique', 'index', 'default', 'range', 'length', 'pattern', 'decimal', 'check', 'access', 'readonly', 'immutable', 'hidden', 'renamed', 'value']) {
    assert.match(stdout, new RegExp(`directive @${name}\\b`), name);
  }
});

test('a database whose file is deleted under the server does not bring it down', () => withServer({}, async (server) => {
  for (const name of fs.readdirSync(server.folder)) if (name.startsWith('test.db')) fs.rmSync(path.join(server.folder, name));
  const client = server.client();
  const answer = await client.request('GET', '/v1/notes');
  assert.ok([200, 503].includes(answer.status), `${answer.status}`);
  assert.equal((await client.request('GET', '/livez')).status, 200);
  client.close();
}));

test('a slow head is 408, and one that never ends costs nothing more', () => withServer({ options: ['--header-timeout', '300ms'] }, async (server) => {
  const { responses, isClosed } = await exchangeRaw(server.port, 'GET /v1/notes HTTP/1.1\r\nHost: x\r\n', { timeoutMs: 8000 });
  assert.equal(responses[0].status, 408);
  assert.equal(JSON.parse(responses[0].body).code, 'TIMEOUT');
  assert.ok(isClosed);
}));

test('an idle connection is closed after its time', () => withServer({ options: ['--idle-timeout', '300ms'] }, async (server) => {
  const socket = await connect(server.port);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('still open')), 8000);
    socket.resume();
    socket.once('close', () => { clearTimeout(timer); resolve(); });
  });
}));

test('SIGHUP reads the contract again; one with mistakes changes nothing', () => withServer({ options: ['--threads', '2'] }, async (server) => {
  const client = server.client();
  const waitFor = async (pattern) => { for (let i = 0; i < 200 && !pattern.test(server.stderr); i++) await new Promise((resolve) => setTimeout(resolve, 25)); assert.match(server.stderr, pattern); };
  assert.equal((await client.request('GET', '/v1/notes?colour=red')).status, 400);
  const more = contract.replace('text: String!', 'text: String!\n  colour: String');
  fs.writeFileSync(server.contractPath, more);
  server.child.kill('SIGHUP');
  await waitFor(/the contract was read again/);
  for (let i = 0; i < 100 && (await client.request('GET', '/v1/notes?colour=red')).status !== 200; i++) await new Promise((resolve) => setTimeout(resolve, 25));
  assert.equal((await client.request('GET', '/v1/notes?colour=red')).status, 200);
  fs.writeFileSync(server.contractPath, `${more}type Broken @resource {\n`);
  server.child.kill('SIGHUP');
  await waitFor(/contract\.graphql:\d+:\d+: error/);
  assert.equal((await client.request('GET', '/v1/notes?colour=red')).status, 200);
  client.close();
}));

test('a request is called by its client, or gets a name; each answer says it', () => withServer({}, async (server) => {
  const client = server.client();
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const named = await client.request('GET', '/v1/nothing', { headers: { 'X-Request-Id': 'mine-7', traceparent } });
  assert.equal(named.headers.get('x-request-id'), 'mine-7');
  assert.equal(named.headers.get('traceparent'), traceparent);
  assert.equal(JSON.parse(named.text).requestId, 'mine-7');
  const made = await client.request('GET', '/v1/notes', { headers: { 'X-Request-Id': 'has space', traceparent: 'bad' } });
  assert.match(made.headers.get('x-request-id'), /^[0-9a-f]{32}$/);
  assert.match(made.headers.get('traceparent'), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  client.close();
}));

test('pages of the origins that are named may call, others not', () => withServer({ options: ['--cors-origin', 'https://a.example', '--cors-origin', 'https://b.example'] }, async (server) => {
  const client = server.client();
  const preflight = (origin) => client.request('OPTIONS', '/v1/notes', { headers: { Origin: origin, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'authorization' } });
  const allowed = await preflight('https://b.example');
  assert.equal(allowed.status, 204);
  assert.equal(allowed.headers.get('access-control-allow-origin'), 'https://b.example');
  assert.match(allowed.headers.get('access-control-allow-methods'), /POST/);
  assert.equal(allowed.headers.get('access-control-allow-headers'), 'authorization');
  assert.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), undefined);
  const read = await client.request('GET', '/v1/notes', { headers: { Origin: 'https://a.example' } });
  assert.equal(read.headers.get('access-control-allow-origin'), 'https://a.example');
  assert.match(read.headers.get('vary'), /origin/i);
  client.close();
}));

test('probes and metrics name what they checked and counted', () => withServer({}, async (server) => {
  const client = server.client();
  for (const probe of ['livez', 'readyz', 'startupz']) {
    const answer = await client.request('GET', `/${probe}`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(JSON.parse(answer.text).status, 'ok');
    assert.ok(Object.keys(JSON.parse(answer.text).checks).length > 0);
  }
  await client.request('GET', '/v1/notes');
  const metrics = (await client.request('GET', '/metrics')).text;
  assert.match(metrics, /^caisson_http_requests_total\{method="GET",route="\/v1\/notes",status="200"\} 1$/m);
  assert.match(metrics, /^caisson_store_reads_total [1-9]/m);
  assert.equal((await client.request('POST', '/livez')).status, 405);
  client.close();
}));

test('a token that is bad is a 401 that says why; another scheme is one too', () => withServer({}, async (server) => {
  const client = server.client();
  const get = (authorization) => client.request('GET', '/v1/notes', { headers: { Authorization: authorization } });
  const expired = await get(`Bearer ${makeToken({ sub: 'ann', exp: 1000 })}`);
  assert.equal(expired.status, 401);
  assert.equal(expired.headers.get('www-authenticate'), 'Bearer error="invalid_token", error_description="The token has expired"');
  assert.equal((await get(`Bearer ${makeToken({ sub: 'ann' }, { key: 'another key' })}`)).status, 401);
  assert.equal((await get(`Bearer ${makeToken({ sub: 'ann' }, { header: { alg: 'none' } })}`)).status, 401);
  assert.equal((await get('Basic YTpi')).status, 401);
  assert.equal((await get(`Bearer ${makeToken({ sub: 'ann' })}`)).status, 200);
  client.close();
}));

test('Server-Timing names the steps, where it is asked for', () => withServer({ options: ['--server-timing'] }, async (server) => {
  const client = server.client();
  const { headers } = await client.request('GET', '/v1/notes');
  assert.match(headers.get('server-timing'), /^authenticate;dur=[\d.]+, decode;dur=[\d.]+, authorize;dur=[\d.]+, stream;dur=[\d.]+, plan;dur=[\d.]+, admit;dur=[\d.]+, execute;dur=[\d.]+, encode;dur=[\d.]+$/);
  client.close();
}));
