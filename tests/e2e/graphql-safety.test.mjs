// graphql-safety.test.mjs - which GraphQL documents are executed, and what an answer says of its price and its freshness: trusted documents,
// persisted queries (Apollo's protocol), extensions.cost, Cache-Control from @cache, strangers, documents made to be slow.
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeFolder, makeToken, removeFolder, run, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "'staff' in auth.roles") @cache(maxAge: 60) {
  id: ID! @id name: String! stock: Int @cache(maxAge: 5) offer: String @cache(maxAge: 600, scope: PRIVATE) category: Category notes: [Note!]! drafts: [Draft!]! @cache(maxAge: 7)
}
type Category @resource @access(read: "true", write: "'staff' in auth.roles") @cache(maxAge: 20) { id: ID! @id name: String! products: [Product!]! }
type Note @resource @access(read: "auth.id != null", write: "'staff' in auth.roles") { id: ID! @id text: String! product: Product! }
type Draft @resource @access(read: "owner == auth.id", write: "true") @cache(maxAge: 30) { id: ID! @id owner: String! product: Product }
`;
const token = makeToken({ sub: 'sam', roles: ['staff'] });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const timeout = 60000;

async function open(options = [], more = {}) {
  const server = await startServer({ contract, options: ['--threads', '2', ...options], ...more });
  const client = server.client();
  server.send = async (body, { accept, bearer = token } = {}) => {
    const response = await client.request('POST', '/graphql', {
      headers: { 'Content-Type': 'application/json', ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}), ...(accept ? { Accept: accept } : {}) },
      body: JSON.stringify(body),
    });
    return { status: response.status, headers: response.headers, text: response.text, ...JSON.parse(response.text) };
  };
  server.get = (query) => client.request('GET', `/graphql?${new URLSearchParams(query)}`, { headers: { Authorization: `Bearer ${token}` } });
  server.close = async () => { client.close(); await server.stop(); removeFolder(server.folder); };
  return server;
}
const codes = (answer) => answer.errors?.map(({ extensions }) => extensions.code);

describe('answers', () => {
  let server;
  before(async () => {
    server = await open();
    const made = await server.send({ query: 'mutation { createCategory(input: {id: "tea", name: "Tea"}) { id } createProducts(inputs: [{id: "p1", name: "Green", categoryId: "tea"}, {id: "p2", name: "Black"}]) { id } createDraft(input: {id: "d", owner: "sam"}) { id } }' });
    assert.equal(made.errors, undefined);
  }, { timeout });
  after(() => server.close(), { timeout });

  test('the cost is told where it is asked for: the rows that could be returned', { timeout }, async () => {
    const query = '{ products(first: 10) { nodes { id notes(first: 5) { nodes { id } } } } product(id: "p1") { id } }';
    assert.deepEqual((await server.send({ query, extensions: { cost: true } })).extensions, { cost: 61 });
    assert.equal((await server.send({ query })).extensions, undefined);
  });
  test('Cache-Control is the least of its parts', { timeout }, async () => {
    const freshness = async (query, options) => (await server.send({ query }, options)).headers.get('cache-control');
    assert.equal(await freshness('{ product(id: "p1") { name } }'), 'public, max-age=60');
    assert.equal(await freshness('{ products { nodes { name category { name } } } }'), 'public, max-age=20');
    assert.equal(await freshness('{ product(id: "p1") { name } categories { totalCount } }'), 'public, max-age=20');
    assert.equal(await freshness('{ product(id: "p1") { name notes { totalCount } } }'), null, 'one part says nothing');
    assert.equal(await freshness('{ product(id: "p1") { name stock } }'), 'public, max-age=5', 'a field of its own');
    assert.equal(await freshness('{ product(id: "p1") { name offer } }'), 'private, max-age=60');
    assert.equal(await freshness('{ product(id: "p1") { drafts { nodes { id } } } }'), 'private, max-age=7', 'a relation says it instead of the other type');
    assert.equal(await freshness('{ drafts { nodes { id } } }'), 'private, max-age=30');
    assert.equal(await freshness('{ products(filter: "category.name == \\"Tea\\"") { nodes { id } } }'), 'private, max-age=60');
    assert.equal(await freshness('mutation { updateProduct(id: "p1", input: {name: "Green"}) { id } }'), null);
    assert.equal(await freshness('{ __typename }'), null);
    const get = await server.get({ query: '{ product(id: "p1") { name } }' });
    assert.equal(get.headers.get('cache-control'), 'public, max-age=60');
  });
  test('a stranger who gets nothing is asked who it is', { timeout }, async () => {
    const strict = { accept: 'application/graphql-response+json', bearer: null };
    const refused = await server.send({ query: '{ notes { nodes { id } } }' }, strict);
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('www-authenticate'), /^Bearer/);
    assert.match(refused.headers.get('content-type'), /^application\/graphql-response\+json/);
    assert.deepEqual(codes(refused), ['UNAUTHENTICATED']);
    const written = await server.send({ query: 'mutation { deleteProduct(id: "p1") { id } }' }, strict);
    assert.deepEqual([written.status, codes(written)], [401, ['UNAUTHENTICATED']]);
    const partly = await server.send({ query: '{ product(id: "p1") { name } note(id: "n") { id } }' }, strict);
    assert.deepEqual([partly.status, partly.data, codes(partly)], [200, { product: { name: 'Green' }, note: null }, ['UNAUTHENTICATED']]);
    assert.equal((await server.send({ query: '{ notes { nodes { id } } }' }, { bearer: null })).status, 200, 'application/json: the status is the transport\'s');
  });
  test('a document that names one field many times is refused or answered at once', { timeout: 20000 }, async () => {
    const many = await server.send({ query: `{${' product(id: "p1") { id category { id name } }'.repeat(600)} }` });
    assert.deepEqual(many.data, { product: { id: 'p1', category: { id: 'tea', name: 'Tea' } } });
    const fragments = Array.from({ length: 60 }, (_, i) => `fragment f${i} on Product { a: category { products { nodes { ...f${i + 1} } } } b: category { products { nodes { ...f${i + 1} } } } }`).join(' ');
    const deep = await server.send({ query: `{ product(id: "p1") { ...f0 } } ${fragments} fragment f60 on Product { id }` });
    assert.deepEqual([deep.status, codes(deep)], [400, ['TOO_LARGE']]);
  });
});

describe('persisted queries', () => {
  const query = '{ product(id: "p1") { name } }';
  const persisted = (text, more = {}) => ({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256(text) } }, ...more });
  test('are asked for by their hash once they have been sent with it, by GET too', { timeout }, async () => {
    const server = await open();
    const unknown = await server.send(persisted(query));
    assert.equal(unknown.errors[0].message, 'PersistedQueryNotFound');
    assert.deepEqual(codes(unknown), ['PERSISTED_QUERY_NOT_FOUND']);
    assert.equal((await server.send(persisted(query, { query }))).errors, undefined);
    assert.deepEqual((await server.send(persisted(query))).data, { product: null });
    assert.equal((await server.get({ extensions: JSON.stringify(persisted(query).extensions) })).text, '{"data":{"product":null}}');
    await server.close();
  });
  test('a hash of another text is refused, and what is not valid is not kept', { timeout }, async () => {
    const server = await open();
    const lie = await server.send({ ...persisted('{ __typename }'), query });
    assert.deepEqual(codes(lie), ['BAD_REQUEST']);
    assert.deepEqual(codes(await server.send(persisted('{ nothing }', { query: '{ nothing }' }))), ['BAD_REQUEST']);
    assert.deepEqual(codes(await server.send(persisted('{ nothing }'))), ['PERSISTED_QUERY_NOT_FOUND']);
    for (const broken of [1, {}, { version: 2, sha256Hash: sha256(query) }, { version: 1, sha256Hash: 5 }]) {
      assert.equal((await server.send({ query, extensions: { persistedQuery: broken } })).status, 400, JSON.stringify(broken));
    }
    await server.close();
  });
  test('their number is bounded: the one not used for longest goes', { timeout }, async () => {
    const server = await open(['--graphql-persisted-max', '2']);
    const texts = [1, 2, 3].map((n) => `{ a${n}: __typename }`);
    for (const text of texts) await server.send(persisted(text, { query: text }));
    assert.deepEqual(codes(await server.send(persisted(texts[0]))), ['PERSISTED_QUERY_NOT_FOUND']);
    assert.deepEqual((await server.send(persisted(texts[2]))).data, { a3: 'Query' });
    await server.close();
    const none = await open(['--graphql-persisted-max', '0']);
    assert.deepEqual(codes(await none.send(persisted(query, { query }))), ['PERSISTED_QUERY_NOT_SUPPORTED']);
    await none.close();
  });
});

describe('trusted documents', () => {
  const write = (folder, name, text) => fs.writeFileSync(path.join(folder, name), text);
  test('only they are executed: by name, by hash, by their text', { timeout }, async () => {
    const folder = makeFolder();
    const text = 'query One($id: ID!) { product(id: $id) { name } }\n';
    write(folder, 'one.graphql', text);
    write(folder, 'two.graphql', 'query A { __typename } query B { b: __typename }');
    const server = await open(['--graphql-documents', folder]);
    const variables = { id: 'p1' };
    assert.deepEqual((await server.send({ documentId: 'one', variables })).data, { product: null });
    assert.deepEqual((await server.send({ documentId: 'two', operationName: 'B' })).data, { b: 'Query' });
    assert.deepEqual((await server.send({ query: text, variables })).data, { product: null });
    for (const hashed of [text, text.trim()]) assert.deepEqual((await server.send({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256(hashed) } }, variables })).data, { product: null });
    assert.equal((await server.get({ documentId: 'one', variables: JSON.stringify(variables) })).text, '{"data":{"product":null}}');
    const strict = { accept: 'application/graphql-response+json' };
    const other = await server.send({ query: '{ __typename }' }, strict);
    assert.deepEqual([other.status, other.data, codes(other)], [403, undefined, ['FORBIDDEN']]);
    assert.deepEqual(codes(await server.send({ query: text.replace('name', 'id'), variables })), ['FORBIDDEN']);
    const unknown = await server.send({ documentId: 'three' }, strict);
    assert.deepEqual([unknown.status, codes(unknown)], [404, ['NOT_FOUND']]);
    assert.deepEqual(codes(await server.send({ extensions: { persistedQuery: { version: 1, sha256Hash: sha256('x') } } })), ['PERSISTED_QUERY_NOT_FOUND']);
    await server.close();
    removeFolder(folder);
  });
  test('are read again at SIGHUP; broken ones leave the old in place', { timeout }, async () => {
    const folder = makeFolder();
    write(folder, 'one.graphql', '{ a: __typename }');
    const server = await open(['--graphql-documents', folder]);
    const until = async (wanted) => {
      for (let i = 0; i < 200; i++) {
        const answer = await server.send({ documentId: 'one' });
        if (answer.text === wanted) return;
        await new Promise((resolve) => setTimeout(resolve, 25));
      }
      assert.fail(`never ${wanted}`);
    };
    await until('{"data":{"a":"Query"}}');
    write(folder, 'one.graphql', '{ b: __typename }');
    server.child.kill('SIGHUP');
    await until('{"data":{"b":"Query"}}');
    write(folder, 'one.graphql', '{ nothing }');
    server.child.kill('SIGHUP');
    for (let i = 0; i < 200 && !/one\.graphql:1:3/.test(server.stderr); i++) await new Promise((resolve) => setTimeout(resolve, 25));
    assert.match(server.stderr, /one\.graphql:1:3/);
    await until('{"data":{"b":"Query"}}');
    await server.close();
    removeFolder(folder);
  });
  test('one that is not valid keeps the server from starting, with its place', { timeout }, async () => {
    const folder = makeFolder();
    write(folder, 'good.graphql', '{ __typename }');
    write(folder, 'wrong.graphql', '{\n  product(id: "p1") { nam }\n}');
    const contractPath = path.join(folder, 'contract.txt');
    fs.writeFileSync(contractPath, contract);
    const result = run(['serve', contractPath, '--store', 'sqlite::memory:', '--listen', '127.0.0.1:0', '--graphql-documents', folder], { env: { ...process.env, CAISSON_JWT_SECRET: 'x'.repeat(40) } });
    assert.equal(result.status, 1, result.stderr);
    assert.match(result.stderr, /wrong\.graphql:2:23: .*name/);
    removeFolder(folder);
  });
});
