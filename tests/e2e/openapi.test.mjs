// openapi.test.mjs - the OpenAPI document: what it says of the contract, that its examples hold, that linters have nothing to say, and that
// the server answers as it says.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeFolder, makeToken, removeFolder, root, run, startServer } from '../support/server.mjs';

const clients = path.join(root, 'tests/clients');
const require = createRequire(path.join(clients, 'package.json'));
const Ajv = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;
const library = path.join(clients, 'library.graphql');
const shop = path.join(root, 'examples/shop/shop.graphql');

function documentOf(contractPath, args = []) {
  const result = run(['openapi', contractPath, ...args]);
  assert.equal(result.status, 0, result.stderr);
  return JSON.parse(result.stdout);
}

// Components as one schema, so that their references resolve.
function validatorOf(document) {
  const ajv = new Ajv({ strict: false, allErrors: true, logger: false });
  addFormats(ajv);
  ajv.addSchema({ $id: 'doc:/', components: document.components });
  return (schema) => ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"doc:/#/')));
}

const operations = (document) => Object.entries(document.paths).flatMap(([path, item]) =>
  ['get', 'put', 'post', 'patch', 'delete'].filter((method) => item[method]).map((method) => ({ path, method, item, operation: item[method] })));

describe('the document of the library', () => {
  let document, schemas;
  before(() => { document = documentOf(library); schemas = document.components.schemas; });

  test('is OpenAPI 3.1 with the service name and version', () => {
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.equal(document.info.title, 'library');
    assert.equal(document.info.version, 'v1');
  });

  test('has every path of every resource that some rule opens', () => {
    const expected = ['/v1/authors', '/v1/authors:aggregate', '/v1/authors:watch', '/v1/authors/{id}', '/v1/authors/{id}/books', '/v1/books', '/v1/books:aggregate', '/v1/books:watch', '/v1/books/{isbn}',
      '/v1/books/{isbn}/copies', '/v1/copies', '/v1/copies:aggregate', '/v1/copies:watch', '/v1/copies/{branch},{number}', '/v1/members', '/v1/members:aggregate', '/v1/members:watch', '/v1/members/{id}',
      '/v1/ledgers', '/v1/ledgers:aggregate', '/v1/ledgers:watch', '/v1/ledgers/{id}', '/v1/batch', '/livez', '/readyz', '/startupz', '/metrics', '/openapi.json', '/v1/openapi.json'];
    assert.deepEqual(Object.keys(document.paths).sort(), expected.sort());
    assert.deepEqual(Object.keys(document.paths['/v1/books/{isbn}']).filter((name) => name !== 'parameters').sort(), ['delete', 'get', 'patch', 'put']);
    assert.deepEqual(Object.keys(document.paths['/v1/ledgers']), ['get'], 'what no rule allows is not offered');
  });

  test('schemas are there once each: none is made again beside its like', () => {
    for (const name of Object.keys(schemas)) assert.match(name, /[A-Za-z0-9]$/);
    assert.ok(schemas.Imported);
  });

  test('operation ids are there once each', () => {
    const ids = operations(document).map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.every((id) => /^[a-z][A-Za-z0-9]+$/.test(id)), ids.join());
  });

  test('constraints are keywords', () => {
    const book = schemas.BookCreate.properties;
    assert.equal(book.isbn.pattern, '^[0-9]{13}$');
    assert.deepEqual([book.title.minLength, book.title.maxLength], [1, 200]);
    assert.deepEqual([book.pages.minimum, book.pages.maximum, book.pages.default], [0, 20000, 0]);
    assert.deepEqual(book.blurb.type, ['string', 'null']);
    assert.deepEqual(book.sold.anyOf.map(({ type }) => type), ['string', 'integer'], '64 bits are taken as a number too');
    assert.deepEqual(book.price.anyOf.map(({ type }) => type), ['string', 'number', 'null']);
    assert.deepEqual([book.price.anyOf[0].pattern, book.price.anyOf[1].minimum], [schemas.Book.properties.price.pattern, 0]);
    assert.deepEqual(schemas.Book.properties.sold.type, 'string');
    assert.equal(book.topics.maxItems, 8);
    assert.equal(schemas.Author.properties.bornOn.format, 'date');
    assert.equal(schemas.Member.properties.email.format, 'email');
    assert.deepEqual(schemas.CopyState.enum, ['SHELF', 'LOANED', 'LOST']);
    const price = new RegExp(schemas.Book.properties.price.pattern);
    for (const good of ['0', '0.5', '12.50', '12345678.99']) assert.ok(price.test(good), good);
    for (const bad of ['-1', '00', '1.234', '123456789', '1e3', '']) assert.ok(!price.test(bad), bad);
  });

  test('who may set or see what shows', () => {
    assert.equal(schemas.Book.properties.addedAt.readOnly, true);
    assert.equal(schemas.BookCreate.properties.addedAt, undefined);
    assert.equal(schemas.Member.properties.pin, undefined, 'hidden');
    assert.equal(schemas.MemberCreate.properties.pin.writeOnly, true);
    assert.ok(schemas.MemberCreate.properties.joinedAt && !schemas.MemberUpdate.properties.joinedAt, 'immutable');
    assert.equal(schemas.MemberCreate.properties.id, undefined, 'made by the server');
    assert.equal(schemas.Book.properties.code.deprecated, true);
    assert.match(schemas.Book.properties.code.description, /ask for isbn/);
    assert.match(schemas.Author.properties.name.description, /stands on the cover/);
  });

  test('filters have the operators of their type', () => {
    const parameter = document.components.parameters['Book.price'];
    assert.deepEqual([parameter.in, parameter.style, parameter.explode], ['query', 'deepObject', true]);
    assert.deepEqual(Object.keys(schemas.DecimalFilter.properties).sort(), ['eq', 'gt', 'gte', 'in', 'isNull', 'lt', 'lte', 'ne'].sort());
    assert.ok(['contains', 'startsWith', 'endsWith'].every((name) => schemas.StringFilter.properties[name]));
    assert.equal(document.components.parameters['Member.pin'], undefined);
  });

  test('security: an operation that a stranger may never do asks for a token', () => {
    assert.deepEqual(document.paths['/v1/books'].get.security, [{}, { bearer: [] }]);
    assert.deepEqual(document.paths['/v1/books'].post.security, [{ bearer: [] }]);
    assert.deepEqual(document.components.securitySchemes.bearer.scheme, 'bearer');
  });

  test('every refusal is a problem document with an example that holds', () => {
    const validate = validatorOf(document)({ $ref: '#/components/schemas/Problem' });
    for (const { path: at, method, operation } of operations(document)) {
      const statuses = Object.keys(operation.responses).filter((status) => status >= '400' && !operation.responses[status].content);
      assert.ok(statuses.length > 0, `${method} ${at}`);
      for (const status of statuses) assert.match(operation.responses[status].$ref, /^#\/components\/responses\//);
    }
    for (const [name, response] of Object.entries(document.components.responses)) {
      const media = response.content['application/problem+json'];
      assert.ok(validate(media.example), `${name}: ${JSON.stringify(validate.errors)}`);
    }
  });

  test('groups are made by what the server groups by', () => {
    const by = new RegExp(document.components.parameters['Book.by'].schema.pattern);
    for (const good of ['title', 'authorId,author.name', 'pages']) assert.ok(by.test(good), good);
    for (const bad of ['cover', 'extra', 'topics', 'author', 'unknown', '']) assert.ok(!by.test(bad), bad);
    assert.equal(schemas.BookAggregate.properties.items.items.properties.by.properties.cover, undefined);
  });

  test('rows go in and out as NDJSON and CSV, and lists have entity tags', () => {
    const { get, post } = document.paths['/v1/books'];
    const types = ['application/json', 'application/x-ndjson', 'text/csv'];
    assert.deepEqual(Object.keys(get.responses[200].content), types);
    assert.deepEqual(Object.keys(post.requestBody.content), types);
    assert.ok(get.responses[200].headers.ETag && get.responses[304].headers.ETag);
    assert.ok(get.responses[200].headers.Deprecation && get.responses[200].headers.Sunset, 'a field of it goes');
    assert.equal(document.paths['/v1/authors'].get.responses[200].headers.Deprecation, undefined);
    const names = (operation) => operation.parameters.map(({ $ref }) => $ref?.split('/').pop());
    for (const name of ['distinct', 'ifNoneMatch', 'count', 'filter']) assert.ok(names(get).includes(name), name);
    assert.ok(names(document.paths['/v1/books/{isbn}'].delete).includes('idempotencyKey'));
  });

  test('what nested lists take, and members of embedded objects, are parameters', () => {
    const parameters = (path) => document.paths[path].get.parameters.map(({ $ref }) => $ref && document.components.parameters[$ref.split('/').pop()]).filter(Boolean);
    for (const path of ['/v1/authors', '/v1/authors/{id}']) {
      const named = new Map(parameters(path).map((parameter) => [parameter.name, parameter]));
      assert.deepEqual(named.get('books.limit').schema, { type: 'integer', minimum: 0, maximum: 100 });
      const sort = new RegExp(named.get('books.sort').schema.pattern, 'u');
      assert.ok(sort.test('-title,author.name') && !sort.test('name'));
      assert.equal(named.get('books.filter').schema.type, 'string');
    }
    const city = parameters('/v1/members').find(({ name }) => name === 'address.city');
    assert.deepEqual([city.style, city.explode, city.schema], ['deepObject', true, { $ref: '#/components/schemas/StringFilter' }]);
    assert.ok(!parameters('/v1/members/{id}').some(({ name }) => name.startsWith('address')));
  });

  test('a list of what is asked of a limit follows the options', () => {
    const limited = documentOf(library, ['--page-size', '7', '--page-size-max', '9', '--batch-max', '3', '--require-if-match']);
    assert.deepEqual([limited.components.parameters.limit.schema.default, limited.components.parameters.limit.schema.maximum], [7, 9]);
    assert.equal(limited.components.schemas.BatchRequest.properties.operations.maxItems, 3);
    assert.ok(limited.paths['/v1/books/{isbn}'].patch.responses[428]);
    assert.ok(!document.paths['/v1/books/{isbn}'].patch.responses[428]);
  });

  test('nested inputs accept what they should, and one verb at a time', () => {
    const validate = validatorOf(document)({ $ref: '#/components/schemas/BookCreateInput' });
    const book = { isbn: '9780000000001', title: 'On Caissons' };
    for (const good of [book, [book, book], { ...book, author: { connect: { id: '01890a5d-ac96-774b-bcce-b302099a8057' } } },
      { ...book, author: { create: { name: 'Ann', books: { create: [{ ...book, isbn: '9780000000002' }] } } } }, { ...book, author: { connect: { name: 'Ann', bornOn: '1990-01-02' } } },
      { ...book, copies: { create: [{ branch: 'AB', number: 1 }], connect: [{ branch: 'AB', number: 2 }] } }, { ...book, authorId: null, sold: 7, price: 3 }, { ...book, author: null }])
      assert.ok(validate(good), `${JSON.stringify(good)}: ${JSON.stringify(validate.errors)}`);
    for (const bad of [{}, { ...book, author: {} }, { ...book, author: { create: { name: 'Ann' }, disconnect: true } }, { ...book, author: { connect: {} } }, { ...book, addedAt: '2026-01-01T00:00:00Z' },
      { ...book, copies: { create: [{ branch: 'AB', number: 1, bookIsbn: book.isbn }] } }, { ...book, pages: 1.5 }, { ...book, price: '1.234' }, { ...book, unknown: 1 }])
      assert.ok(!validate(bad), JSON.stringify(bad));
    const copy = validatorOf(document)({ $ref: '#/components/schemas/CopyCreate' });
    assert.ok(copy({ branch: 'AB', number: 1, bookIsbn: book.isbn }) && copy({ branch: 'AB', number: 1, book: { connect: { isbn: book.isbn } } }));
    assert.ok(!copy({ branch: 'AB', number: 1, book: null }), 'null where a relation is required');
    assert.ok(!copy({ branch: 'AB', number: 1 }), 'a required relation is given one way or the other');
  });
});

for (const contract of [library, shop]) {
  const name = path.basename(contract);
  test(`${name}: each schema compiles, and its examples hold`, () => {
    const document = documentOf(contract);
    const compile = validatorOf(document);
    let examples = 0;
    for (const [schemaName, schema] of Object.entries(document.components.schemas)) {
      const validate = compile({ $ref: `#/components/schemas/${schemaName}` });
      for (const example of schema.examples ?? []) {
        examples++;
        assert.ok(validate(example), `${schemaName}: ${JSON.stringify(validate.errors)}`);
      }
    }
    for (const [parameterName, parameter] of Object.entries(document.components.parameters)) {
      if ('example' in parameter) assert.ok(compile(parameter.schema)(parameter.example), parameterName);
    }
    assert.ok(examples >= 10, `${examples} examples`);
  });
}

test("neither Redocly's strict rules nor Spectral's have anything to say", () => {
  const folder = makeFolder();
  try {
    const files = [library, shop].map((contract) => {
      const file = path.join(folder, `${path.basename(contract, '.graphql')}.json`);
      fs.writeFileSync(file, run(['openapi', contract]).stdout);
      return file;
    });
    const lint = (tool, args) => spawnSync(process.execPath, [path.join(clients, 'node_modules', tool), 'lint', ...files, ...args],
      { encoding: 'utf8', cwd: clients, timeout: 300000, env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true', CI: 'true' } });
    const redocly = lint('@redocly/cli/bin/cli.js', ['--extends=recommended-strict', '--format=json']);
    assert.equal(redocly.status, 0, `${redocly.stdout.slice(0, 4000)}${redocly.stderr.slice(0, 1000)}`);
    assert.match(redocly.stdout, /"errors": 0,\s*"warnings": 0,\s*"ignored": 0/);
    const ruleset = path.join(folder, 'spectral.yaml');
    fs.writeFileSync(ruleset, 'extends: ["spectral:oas"]\n');
    const spectral = lint('@stoplight/spectral-cli/dist/index.js', ['--ruleset', ruleset, '--fail-severity=hint', '--format=json']);
    assert.equal(spectral.status, 0, `${spectral.stdout.slice(0, 4000)}${spectral.stderr.slice(0, 1000)}`);
  } finally { removeFolder(folder); }
});

describe('a server', () => {
  let server, base;
  const staff = { authorization: `Bearer ${makeToken({ sub: 'ann', roles: ['staff'] })}` };
  before(async () => { server = await startServer({ contractPath: library }); base = server.addresses[0]; });
  after(async () => { await server.stop(); removeFolder(server.folder); });

  test('gives the document that the command prints, with an entity tag', async () => {
    const response = await fetch(`${base}/openapi.json`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'application/json');
    assert.deepEqual(await response.json(), documentOf(library));
    const etag = response.headers.get('etag');
    assert.match(etag, /^"[^"]+"$/);
    // RFC 9110 13.1.2
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*'])
      assert.equal((await fetch(`${base}/openapi.json`, { headers: { 'if-none-match': tags } })).status, 304, tags);
    assert.equal((await fetch(`${base}/openapi.json`, { headers: { 'if-none-match': '"other"' } })).status, 200);
    assert.equal((await fetch(`${base}/openapi.json`, { method: 'DELETE' })).status, 405);
  });

  test('answers as the document says', async () => {
    const document = await (await fetch(`${base}/openapi.json`)).json();
    const compile = validatorOf(document);
    const schemaOf = (at, method, response) => {
      let said = document.paths[at][method].responses[response.status];
      assert.ok(said, `${method} ${at}: ${response.status} is not told`);
      if (said.$ref) said = document.components.responses[said.$ref.split('/').pop()];
      const type = response.headers.get('content-type').split(';')[0];
      assert.ok(said.content[type], `${method} ${at}: ${type} is not told`);
      return said.content[type].schema;
    };
    const ask = async (at, method, url, body, status) => {
      const response = await fetch(base + url, { method: method.toUpperCase(), headers: { ...staff, ...(body ? { 'content-type': 'application/json' } : {}) }, body: body && JSON.stringify(body) });
      const answer = await response.json();
      assert.equal(response.status, status, JSON.stringify(answer));
      const validate = compile(schemaOf(at, method, response));
      assert.ok(validate(answer), `${method} ${url}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(answer)}`);
      return answer;
    };
    const examples = (name) => document.components.schemas[name].examples[0];
    const author = await ask('/v1/authors', 'post', '/v1/authors', examples('AuthorCreate'), 201);
    const book = await ask('/v1/books', 'post', '/v1/books', { ...examples('BookCreate'), authorId: author.id }, 201);
    await ask('/v1/copies', 'post', '/v1/copies', { ...examples('CopyCreate'), bookIsbn: book.isbn }, 201);
    await ask('/v1/members', 'post', '/v1/members', examples('MemberCreate'), 201);
    await ask('/v1/books/{isbn}', 'patch', `/v1/books/${book.isbn}`, examples('BookUpdate'), 200);
    await ask('/v1/books/{isbn}', 'put', `/v1/books/${book.isbn}`, examples('BookReplace'), 200);
    await ask('/v1/books/{isbn}', 'get', `/v1/books/${book.isbn}?fields=isbn,title,author(name),copies(branch,number,state)`, undefined, 200);
    await ask('/v1/books', 'get', '/v1/books?price[gte]=0&sort=-title&count=exact&limit=5', undefined, 200);
    await ask('/v1/authors/{id}/books', 'get', `/v1/authors/${author.id}/books`, undefined, 200);
    await ask('/v1/books', 'post', '/v1/books', { isbn: 'x', pages: 'many' }, 422);
    await ask('/v1/books', 'get', '/v1/books?titel=x', undefined, 400);
    await ask('/v1/books/{isbn}', 'get', '/v1/books/9999999999999', undefined, 404);
    for (const at of ['/livez', '/readyz', '/startupz']) await ask(at, 'get', at, undefined, 200);
  });

  describe('what is more than rows', () => {
    let document, compile, book;
    const json = { 'content-type': 'application/json' };
    // The answer must be told: its status, its type and headers, its schema.
    async function ask(at, method, url, { headers = {}, body } = {}, status = 200) {
      const response = await fetch(base + url, { method: method.toUpperCase(), headers: { ...staff, ...headers }, body });
      const text = await response.text();
      assert.equal(response.status, status, text);
      let said = document.paths[at][method].responses[status];
      assert.ok(said, `${method} ${at}: ${status} is not told`);
      if (said.$ref) said = document.components.responses[said.$ref.split('/').pop()];
      for (const name of ['etag', 'link', 'location', 'cache-control', 'preference-applied', 'deprecation', 'sunset'])
        if (response.headers.has(name)) assert.ok(Object.keys(said.headers ?? {}).some((told) => told.toLowerCase() === name), `${method} ${at} ${status}: ${name} is not told`);
      if (text === '') return { response, text };
      const type = response.headers.get('content-type').split(';')[0];
      const media = said.content?.[type];
      assert.ok(media, `${method} ${at}: ${type} is not told`);
      if (!type.endsWith('json') || type === 'application/x-ndjson') return { response, text };
      const validate = compile(media.schema), answer = JSON.parse(text);
      assert.ok(validate(answer), `${method} ${url}: ${JSON.stringify(validate.errors)} in ${text}`);
      return { response, text, answer };
    }
    const valid = (name, value) => { const validate = compile({ $ref: `#/components/schemas/${name}` }); return validate(value) || assert.fail(`${name}: ${JSON.stringify(validate.errors)} in ${JSON.stringify(value)}`); };

    before(async () => {
      document = await (await fetch(`${base}/v1/openapi.json`)).json();
      compile = validatorOf(document);
      const rows = ['9780000000101', '9780000000102', '9780000000103'].map((isbn, i) => ({ isbn, title: `Volume ${i % 2}`, pages: 100 * i, price: '9.50', code: 'x' }));
      assert.ok(valid('BookCreateInput', rows));
      const { answer } = await ask('/v1/books', 'post', '/v1/books', { headers: { ...json, 'idempotency-key': 'three' }, body: JSON.stringify(rows) }, 201);
      book = answer.items[0];
    });

    test('a batch, its results and its refusal', async () => {
      const operations = [{ id: 'a', method: 'POST', path: '/v1/authors', body: { name: 'Batch', bornOn: '1970-01-01' } },
        { method: 'PATCH', path: `/v1/books/${book.isbn}`, headers: { prefer: 'return=minimal' }, body: { authorId: { $ref: 'a.id' } } },
        { method: 'GET', path: `/v1/books/${book.isbn}?fields=isbn,author(name)` }];
      assert.ok(valid('BatchRequest', { operations }));
      const send = (list, status, headers = {}) => ask('/v1/batch', 'post', '/v1/batch', { headers: { ...json, ...headers }, body: JSON.stringify({ operations: list }) }, status);
      const { answer } = await send(operations, 200);
      assert.deepEqual(answer.results.map(({ status }) => status), [201, 204, 200]);
      assert.equal(answer.results[2].body.author.name, 'Batch');
      assert.deepEqual((await send([], 200)).answer, { results: [] });
      await send([{ method: 'DELETE', path: `/v1/books/${book.isbn}` }], 200, { prefer: 'tx=rollback' });
      const { answer: refusal } = await send([operations[2], { method: 'POST', path: '/v1/books', body: { isbn: 'x' } }], 422);
      assert.equal(refusal.operation, 1);
    });

    test('aggregates', async () => {
      const at = '/v1/books:aggregate';
      const parameters = { by: 'title,author.name', metrics: 'count,sum(pages),avg(price),min(addedAt),max(title)', sort: '-sum(pages),title' };
      for (const [name, value] of Object.entries(parameters)) {
        const { schema } = document.components.parameters[`Book.${name === 'sort' ? 'groupSort' : name}`];
        assert.ok(new RegExp(schema.pattern).test(value), `${name}=${value}`);
      }
      const { answer, response } = await ask(at, 'get', `${at}?${new URLSearchParams({ ...parameters, having: 'count >= 1', limit: 1000, filter: 'pages >= 0' })}`);
      assert.ok(answer.items.length >= 2);
      assert.ok(response.headers.has('etag') === (document.paths[at].get.responses[304] !== undefined), 'groups have a tag where 304 is told');
      await ask(at, 'get', at);
      await ask(at, 'get', `${at}?by=cover`, {}, 400);
    });

    test('a list that is unchanged, distinct rows, and what was honoured', async () => {
      const { response } = await ask('/v1/books', 'get', '/v1/books?limit=2');
      await ask('/v1/books', 'get', '/v1/books?limit=2', { headers: { 'if-none-match': response.headers.get('etag') } }, 304);
      const { answer } = await ask('/v1/books', 'get', '/v1/books?distinct=true&fields=title&sort=title');
      assert.equal(new Set(answer.items.map(({ title }) => title)).size, answer.items.length);
      await ask('/v1/books', 'get', '/v1/books?unknown=1', { headers: { prefer: 'handling=lenient' } });
      await ask('/v1/books/{isbn}', 'get', `/v1/books/${book.isbn}`, { headers: { 'if-none-match': '*' } }, 304);
    });

    test('preferences, and a key that makes a request happen once', async () => {
      const at = '/v1/books/{isbn}', url = `/v1/books/${book.isbn}`;
      await ask(at, 'patch', url, { headers: { ...json, prefer: 'return=minimal' }, body: '{"pages":5}' }, 204);
      await ask(at, 'patch', url, { headers: { ...json, prefer: 'return=representation, tx=rollback' }, body: '{"pages":6}' });
      await ask(at, 'patch', url, { headers: { 'content-type': 'application/json-patch+json' }, body: '[{"op":"replace","path":"/pages","value":7}]' });
      for (const [pages, status] of [[8, 200], [8, 200], [9, 422]]) await ask(at, 'patch', url, { headers: { ...json, 'idempotency-key': 'once' }, body: JSON.stringify({ pages }) }, status);
      await ask(at, 'patch', url, { headers: { ...json, 'if-match': '"other"' }, body: '{"pages":6}' }, 412);
      await ask('/v1/books', 'post', '/v1/books', { headers: { ...json, prefer: 'return=minimal' }, body: '{"isbn":"9780000000109","title":"Quiet"}' }, 201);
    });

    test('streams out and in, and one that is refused on its way', async () => {
      const lines = (await ask('/v1/books', 'get', '/v1/books?sort=isbn', { headers: { accept: 'application/x-ndjson' } })).text.trim().split('\n').map((line) => JSON.parse(line));
      assert.ok(lines.length >= 3);
      for (const line of lines) assert.ok(valid('Book', line));
      const csv = (await ask('/v1/books', 'get', '/v1/books?fields=isbn,title', { headers: { accept: 'text/csv' } })).text;
      assert.match(csv, /^isbn,title\r\n(0123456789012,example\r\n)?9780000000101,Volume 0\r\n/);
      const send = (type, body, status) => ask('/v1/authors', 'post', '/v1/authors', { headers: { 'content-type': type }, body }, status);
      assert.deepEqual((await send('text/csv', 'name,bornOn\r\nStream One,1980-02-03\r\nStream Two,\r\n', 201)).answer, { created: 2 });
      assert.deepEqual((await send('application/x-ndjson', '', 200)).answer, { created: 0 });
      const { answer } = await send('application/x-ndjson', '{"name":"Stream Three"}\n{"name":""}\n', 422);
      assert.equal(answer.created, 0);
      assert.equal(answer.errors[0].pointer, '/1/name');
    });
  });
});

test('each version has its own document; the newest speaks for all, unless another is named', async () => {
  const folder = makeFolder();
  const contract = (version) => `extend schema @service(name: "notes", version: "${version}")
type Note @resource @access(read: "true", write: "true")${version === 'v1' ? ' @deprecated(reason: "use v2")' : ''} { id: ID! ${version === 'v1' ? 'text' : 'words'}: String ${version === 'v1' ? '' : '@column(name: "text")'} }
`;
  const files = ['v1', 'v2'].map((version) => { const file = path.join(folder, `${version}.graphql`); fs.writeFileSync(file, contract(version)); return file; });
  const server = await startServer({ contractPath: files[0], folder, options: [files[1]] });
  try {
    const at = server.addresses[0];
    const read = async (url, headers = {}) => { const response = await fetch(at + url, { headers }); assert.equal(response.status, 200, url); return response.json(); };
    for (const [url, headers, version] of [['/openapi.json', {}, 'v2'], ['/openapi.json', { 'api-version': '1' }, 'v1'], ['/v1/openapi.json', {}, 'v1'], ['/v2/openapi.json', {}, 'v2']])
      assert.equal((await read(url, headers)).info.version, version, url);
    const first = await read('/v1/openapi.json');
    assert.equal(first.paths['/v1/notes'].get.deprecated, true);
    assert.ok(first.paths['/v1/notes'].get.responses[200].headers.Deprecation);
    assert.equal((await read('/v2/openapi.json')).paths['/v2/notes'].get.deprecated, undefined);
    assert.deepEqual(await read('/docs/versions.json'), { newest: 'v2', versions: ['v1', 'v2'] });
    for (const url of ['/v3/openapi.json', '/v1/openapi.jsonx', '/v1/notes/openapi.json']) assert.equal((await fetch(at + url)).status, 404, url);
    const refused = await fetch(`${at}/v1/openapi.json`, { method: 'POST' });
    assert.deepEqual([refused.status, refused.headers.get('allow')], [405, 'GET, HEAD, OPTIONS']);
  } finally { await server.stop(); removeFolder(folder); }
});
