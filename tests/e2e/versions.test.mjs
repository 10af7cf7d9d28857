// versions.test.mjs - several contracts of one service over one store; what is deprecated says so.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder, removeFolder, run, startServer } from '../support/server.mjs';

const open = '@access(read: "true", write: "true")';
const v1 = `extend schema @service(name: "shop", version: "v1")
type Product @resource ${open} { id: ID! name: String! colour: String }
`;
const v2 = `extend schema @service(name: "shop", version: "v2")
type Item @resource(path: "products", table: "products") ${open} {
  id: ID!
  title: String! @column(name: "name")
  stock: Int! @default(value: 7)
}
type Note @resource ${open} { id: ID! text: String }
`;
const json = { 'Content-Type': 'application/json' };

function writeContracts(folder, contracts) {
  return Object.entries(contracts).map(([name, text]) => {
    const file = path.join(folder, `${name}.graphql`);
    fs.writeFileSync(file, text);
    return file;
  });
}

async function withVersions(contracts, body, options = []) {
  const folder = makeFolder();
  const [first, ...others] = writeContracts(folder, contracts);
  const server = await startServer({ contractPath: first, folder, options: [...others, ...options] });
  const client = server.client();
  try { await body(client, server); } finally {
    client.close();
    if (!server.exit) await server.stop();
    removeFolder(folder);
  }
}

test('two versions share one table: what one writes the other reads', () => withVersions({ v1, v2 }, async (client) => {
  const created = await client.request('POST', '/v1/products', { headers: json, body: '{"name":"Tea","colour":"green"}' });
  assert.equal(created.status, 201, created.text);
  const { id } = JSON.parse(created.text);
  assert.deepEqual(JSON.parse((await client.request('GET', `/v2/products/${id}`)).text), { id, title: 'Tea', stock: 7 });
  const renamed = await client.request('PATCH', `/v2/products/${id}`, { headers: json, body: '{"title":"Green tea"}' });
  assert.equal(renamed.status, 200, renamed.text);
  assert.deepEqual(JSON.parse((await client.request('GET', `/v1/products/${id}`)).text), { id, name: 'Green tea', colour: 'green' });
  assert.equal((await client.request('GET', '/v1/notes')).status, 404);
  assert.equal((await client.request('GET', '/v2/notes')).status, 200);
  assert.match((await client.request('GET', '/metrics')).text, /route="\/v2\/products\/\{id\}"/);
}));

test('a path without a version takes it from Accept or API-Version; none is guessed', () => withVersions({ v2, v1 }, async (client) => {
  const get = (target, headers) => client.request('GET', target, { headers });
  await client.request('POST', '/v1/products', { headers: json, body: '{"name":"Tea"}' });
  const names = (answer) => Object.keys(JSON.parse(answer.text).items[0]);
  for (const headers of [{ 'API-Version': '2' }, { 'API-Version': 'v2' }, { Accept: 'application/json; version=2' }, { Accept: 'text/html, application/json;q=0.9;version="v2"' }]) {
    const answer = await get('/products', headers);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(names(answer), ['id', 'title', 'stock']);
    assert.match(answer.headers.get('vary'), /API-Version/i);
  }
  assert.deepEqual(names(await get('/products?limit=1', { 'API-Version': '1' })), ['id', 'name', 'colour']);
  assert.equal((await get('/products', {})).status, 404);
  assert.deepEqual(names(await get('/v1/products', { 'API-Version': '1', Accept: 'application/json; version=1' })), ['id', 'name', 'colour']);
  const created = await client.request('POST', '/products', { headers: { ...json, 'API-Version': '2' }, body: '{"title":"Mug"}' });
  assert.equal(created.status, 201, created.text);
  assert.match(created.headers.get('location'), /^\/v2\/products\//);
}));

test('what is within a GraphQL request has its version: of a batch, of an event stream', () => withVersions({ v1, v2 }, async (client, server) => {
  const ask = async (method, headers, body) => {
    const answer = await fetch(`http://127.0.0.1:${server.port}/graphql`, { method, headers: { ...json, ...headers }, body: body && JSON.stringify(body) });
    return { status: answer.status, text: await answer.text() };
  };
  await client.request('POST', '/v1/products', { headers: json, body: '{"name":"Tea","colour":"green"}' });
  const query = '{ products { nodes { colour } } }', expected = { data: { products: { nodes: [{ colour: 'green' }] } } };
  for (const headers of [{ 'API-Version': '1' }, { Accept: 'application/json; version=1' }, { Accept: 'text/event-stream, application/graphql-response+json;version="v1"' }]) {
    const batch = await ask('POST', headers, [{ query }, { query }]);
    assert.deepEqual(JSON.parse(batch.text), [expected, expected], JSON.stringify(headers));
    const token = (await ask('PUT', {})).text, stream = { 'X-GraphQL-Event-Stream-Token': token };
    const accepted = await ask('POST', { ...headers, ...stream }, { query, extensions: { operationId: 'a' } });
    assert.equal(accepted.status, 202, accepted.text);
    const control = new AbortController();
    const reader = await fetch(`http://127.0.0.1:${server.port}/graphql`, { headers: { Accept: 'text/event-stream', ...stream }, signal: control.signal });
    let text = '';
    for await (const part of reader.body.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.includes('complete')) break;
    }
    control.abort();
    assert.deepEqual(JSON.parse(/^event: next\ndata: (.*)$/m.exec(text)[1]), { id: 'a', payload: expected });
  }
}, ['--graphql-batch-max', '2']));

test('headers that contradict the path are 400; a version that is not served is 400 or 406 with those that are', () => withVersions({ v1, v2 }, async (client) => {
  const refuse = async (target, headers, status) => {
    const answer = await client.request('GET', target, { headers });
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.match(JSON.parse(answer.text).hint, /v1, v2/);
  };
  await refuse('/v1/products', { 'API-Version': '2' }, 400);
  await refuse('/v2/products', { Accept: 'application/json; version=1' }, 400);
  await refuse('/products', { 'API-Version': '1', Accept: 'application/json; version=2' }, 400);
  await refuse('/products', { 'API-Version': '3' }, 400);
  await refuse('/products', { Accept: 'application/json; version=3' }, 406);
  assert.equal((await client.request('GET', '/v3/products')).status, 404);
  assert.equal((await client.request('GET', '/livez', { headers: { 'API-Version': '3' } })).status, 200);
}));

test('contracts that contradict each other are not served, and each difference is named at both places', () => {
  const folder = makeFolder();
  const other = 'extend schema @service(name: "shop", version: "v2")\ntype Product @resource @access(read: "true", write: "true") {\n  id: ID!\n  name: Int\n}\n';
  const files = writeContracts(folder, { v1, v2: other });
  const result = run(['serve', ...files, '--store', 'sqlite::memory:', '--listen', '127.0.0.1:0'], { cwd: folder });
  assert.equal(result.status, 1, result.stderr);
  assert.match(result.stderr, /v2\.graphql:4:3: error: Product\.name is Int here and String at \S*v1\.graphql:2:\d+/);
  assert.match(result.stderr, /Product\.name may be null here, and is required at/);
  const same = run(['serve', files[0], files[0], '--store', 'sqlite::memory:', '--listen', '127.0.0.1:0'], { cwd: folder });
  assert.equal(same.status, 1);
  assert.match(same.stderr, /give each contract its own/);
  removeFolder(folder);
});

test('SIGHUP reads all contracts again, or none', () => withVersions({ v1, v2 }, async (client, server) => {
  const settles = async (check) => { for (let i = 0; i < 200 && !(await check()); i++) await new Promise((resolve) => setTimeout(resolve, 25)); assert.ok(await check(), server.stderr); };
  const status = async (target) => (await client.request('GET', target)).status;
  assert.equal(await status('/v1/products?size=1'), 400);
  writeContracts(server.folder, { v1: v1.replace('colour: String', 'colour: String size: Int'), v2: v2.replace('stock: Int!', 'stock: Nonsense') });
  server.child.kill('SIGHUP');
  await settles(() => /unknown type "Nonsense"/.test(server.stderr));
  assert.equal(await status('/v1/products?size=1'), 400, 'the good one of two is not taken alone');
  writeContracts(server.folder, { v2 });
  server.child.kill('SIGHUP');
  await settles(async () => await status('/v1/products?size=1') === 200);
  assert.equal(await status('/v2/notes'), 200);
}, ['--threads', '2']));

test('what is deprecated says so: RFC 9745 §2, RFC 8594 §3', () => withVersions({ old: `extend schema @service(name: "shop", version: "v1")
enum Status { OPEN SHUT @deprecated(reason: "use OPEN", since: "2026-01-01") }
type Product @resource ${open} {
  id: ID!
  name: String
  status: Status
  weight: Int @deprecated(reason: "use mass", since: "2026-03-01T12:00:00Z", sunset: "2027-01-01", url: "https://example.org/weight")
}
type Basket @resource ${open} @deprecated(since: "2023-06-30T23:59:59Z", sunset: "2027-06-30T12:00:00Z") { id: ID! }
` }, async (client) => {
  const headers = async (target) => {
    const answer = await client.request('GET', target);
    assert.equal(answer.status, 200, answer.text);
    return ['deprecation', 'sunset', 'link'].map((name) => answer.headers.get(name));
  };
  // RFC 9745 §2.1's own example is @1688169599, 2023-06-30T23:59:59Z.
  assert.deepEqual(await headers('/v1/baskets'), ['@1688169599', 'Wed, 30 Jun 2027 12:00:00 GMT', undefined]);
  const weight = ['@1772366400', 'Fri, 01 Jan 2027 00:00:00 GMT', '<https://example.org/weight>; rel="deprecation"'];
  assert.deepEqual(await headers('/v1/products'), weight);
  assert.deepEqual(await headers('/v1/products?fields=id,weight'), weight);
  assert.deepEqual(await headers('/v1/products?fields=id&sort=-weight'), weight);
  assert.deepEqual(await headers('/v1/products?fields=id&weight=3'), weight);
  assert.deepEqual(await headers('/v1/products?fields=id,name'), [undefined, undefined, undefined]);
  assert.deepEqual(await headers('/v1/products?fields=id&status=SHUT'), ['@1767225600', undefined, undefined]);
  assert.deepEqual(await headers('/v1/products?fields=id&status=OPEN'), [undefined, undefined, undefined]);
  const written = await client.request('POST', '/v1/products?fields=id', { headers: json, body: '{"name":"x","status":"SHUT"}' });
  assert.equal(written.status, 201, written.text);
  assert.equal(written.headers.get('deprecation'), '@1767225600');
}));
