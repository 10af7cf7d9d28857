// hostile.test.mjs - what no friend sends, through the whole program: a 4xx problem that names the place, nothing stored, the server unharmed.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { connect, exchangeRaw } from '../support/http.mjs';
import { removeFolder, residentKib, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "target")
type Thing @resource @access(read: "true", write: "true") {
  code: String! @id
  text: String
  count: Int
  big: BigInt
  ratio: Float
  price: Decimal
  flag: Boolean
  at: DateTime
  day: Date
  uuid: UUID
  bytes: Bytes
  document: JSON
  mail: Email
  link: URL
  kind: Kind
  tags: [String!]
  owner: Owner
}
type Owner @resource @access(read: "true", write: "true") {
  code: String! @id
  name: String!
  things: [Thing!]!
}
enum Kind { GOOD BAD }
`;
const json = { 'Content-Type': 'application/json' };
let server;
let client;
let stored;

const request = (method, target, options) => client.request(method, target, options);
async function count() {
  const answer = await request('GET', '/v1/things?limit=0&count=exact');
  assert.equal(answer.status, 200, answer.text);
  return JSON.parse(answer.text).count;
}

before(async () => {
  server = await startServer({ contract, options: ['--threads', '1'] });
  client = server.client();
  for (const [name, body] of [['owners', { code: 'o1', name: 'Ann' }], ['owners', { code: 'o2', name: 'Bob' }],
    ...Array.from({ length: 6 }, (_, i) => ['things', { code: `t${i}`, text: `text ${i}`, count: i, ownerCode: 'o1' }])]) {
    const answer = await request('POST', `/v1/${name}`, { headers: json, body: JSON.stringify(body) });
    assert.equal(answer.status, 201, answer.text);
  }
  stored = await count();
});
after(async () => {
  client?.close();
  if (!server) return;
  await server.stop();
  removeFolder(server.folder);
});

// A problem document of that status (or one of them) and code, that names the place.
function assertProblem(answer, status, code, place, what) {
  const shown = `${what}: ${answer.status} ${answer.text.slice(0, 400)}`;
  assert.ok([status].flat().includes(answer.status), shown);
  assert.equal(answer.headers.get('content-type'), 'application/problem+json', shown);
  const problem = JSON.parse(answer.text);
  assert.equal(problem.status, answer.status, shown);
  if (code) assert.equal(problem.code, code, shown);
  if (place) assert.match(answer.text, place, shown);
  assert.doesNotMatch(answer.text, /near \\?"|unrecognized token|no such (table|column|function)|SQLITE_|0x[0-9a-f]{6}|\.c:\d/, shown);
  return problem;
}

const post = (body, headers = json) => request('POST', '/v1/things', { headers, body });
const refuses = async (body, status, code, place) => assertProblem(await post(body), status, code, place, String(body).slice(0, 200));
// 422, each mistake at its field.
async function invalid(fields) {
  const problem = assertProblem(await post(JSON.stringify({ code: 'never', ...fields })), 422, 'VALIDATION_FAILED', null, JSON.stringify(fields).slice(0, 200));
  assert.deepEqual(problem.errors.map(({ pointer }) => pointer), Object.keys(fields).map((name) => `/${name}`));
  return problem.errors.map(({ code }) => code);
}
const nothingStored = async () => assert.equal(await count(), stored);

test('malformed JSON is a 400 that says where', async () => {
  for (const body of ['', ' ', '{', '{"code"', '{"code":', '{"code":"x"', '{"code":"x",}', "{'code':'x'}", '{code:"x"}', '{"code":"x"}}', '{"code":"x"} {}', '[', '[{"code":"x"},]',
    '{"code":"x" "text":"y"}', '{"code":"x","count":01}', '{"code":"x","count":+1}', '{"code":"x","count":.5}', '{"code":"x","count":1.}', '{"code":"x","count":1e}', '{"code":"x","count":0x10}',
    '{"code":"x","ratio":NaN}', '{"code":"x","ratio":Infinity}', '{"code":"x","ratio":-Infinity}', '{"code":"x","flag":True}', '{"code":"x","flag":nul}',
    '{"code":"x","text":"a\nb"}', '{"code":"x","text":"\\x41"}', '{"code":"x","text":"\\u12"}', '{"code":"x",/* */"text":"y"}', '\ufeff{"code":"x"']) {
    await refuses(body, 400, 'BAD_REQUEST', body.trim() === '' ? null : /line \d+, column \d+/);
  }
  await nothingStored();
});

test('duplicate keys, lone surrogates, NUL and invalid UTF-8 are refused', async () => {
  for (const body of ['{"code":"x","code":"y"}', '{"code":"x","text":"a","text":"a"}', '{"code":"x","\\u0074ext":"a","text":"b"}', '{"code":"x","document":{"a":{"b":1,"b":2}}}',
    '{"code":"x","text":"\\ud800"}', '{"code":"x","text":"\\udc00\\ud800"}', '{"code":"x","text":"\\ud83c"}', '{"code":"x","text":"a\\u0000b"}', '{"code":"x","document":"\\u0000"}', '{"code":"x","te\\u0000xt":1}']) {
    await refuses(body, 400, 'BAD_REQUEST', /line \d+, column \d+/);
  }
  for (const bytes of [[0xff], [0xc3, 0x28], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0x00]]) {
    await refuses(Buffer.concat([Buffer.from('{"code":"x","text":"'), Buffer.from(bytes), Buffer.from('"}')]), 400, 'BAD_REQUEST', /line \d+, column \d+/);
  }
  await nothingStored();
});

test('what is no object is a 4xx', async () => {
  for (const body of ['null', 'true', '1', '"text"', '[1]', '[null]', '[[]]', '[[{"code":"x"}]]']) {
    const answer = await post(body);
    assert.ok([400, 422].includes(answer.status), `${body}: ${answer.status}`);
    assertProblem(answer, answer.status, null, null, body);
  }
  await nothingStored();
});

test('wrong types are named, each at its field, all at once', async () => {
  for (const [fields, code] of [
    [{ text: 1 }, 'TYPE'], [{ text: true }, 'TYPE'], [{ text: [] }, 'TYPE'], [{ text: {} }, 'TYPE'], [{ count: '1' }, 'TYPE'], [{ count: 1.5 }, 'TYPE'], [{ count: true }, 'TYPE'], [{ count: [1] }, 'TYPE'],
    [{ big: 'ten' }, 'TYPE'], [{ ratio: '1' }, 'TYPE'], [{ price: 'many' }, 'TYPE'], [{ price: '1,5' }, 'TYPE'], [{ price: {} }, 'TYPE'], [{ flag: 'true' }, 'TYPE'], [{ flag: 1 }, 'TYPE'],
    [{ at: 'yesterday' }, 'TYPE'], [{ at: '2026-02-30T00:00:00Z' }, 'TYPE'], [{ at: '2026-01-01T00:00:60Z' }, 'TYPE'], [{ at: '0000-01-01T00:00:00Z' }, 'TYPE'], [{ at: 0 }, 'TYPE'],
    [{ day: '2026-13-01' }, 'TYPE'], [{ day: '0000-01-01' }, 'TYPE'], [{ uuid: 'not-one' }, 'TYPE'], [{ uuid: '0193568d-4b6a-7c3e-8f2a-1b2c3d4e5f6' }, 'TYPE'],
    [{ bytes: '*' }, 'TYPE'], [{ bytes: 'YQ' }, 'TYPE'], [{ mail: 'nobody' }, 'TYPE'], [{ link: 'somewhere' }, 'TYPE'], [{ link: 'javascript:alert(1)' }, 'TYPE'], [{ kind: 'UGLY' }, 'ENUM'], [{ kind: 1 }, null],
    [{ tags: 'a' }, 'TYPE'], [{ unknown: 1 }, 'UNKNOWN_FIELD'], [{ constructor: 1 }, 'UNKNOWN_FIELD'], [{ rowid: 1 }, 'UNKNOWN_FIELD'],
  ]) {
    const codes = await invalid(fields);
    if (code) assert.deepEqual(codes, [code], JSON.stringify(fields));
  }
  assert.deepEqual(await invalid({ text: 1, count: 'a', price: true, at: '', kind: 'X', nothing: 0 }), ['TYPE', 'TYPE', 'TYPE', 'TYPE', 'ENUM', 'UNKNOWN_FIELD']);
  await nothingStored();
});

test('numbers that do not fit are refused, never rounded', async () => {
  const raw = async (text, place) => assertProblem(await post(`{"code":"never",${text}}`), 422, 'VALIDATION_FAILED', place, text);
  for (const [text, place] of [['"count":2147483648', /"\/count".*"RANGE"/], ['"count":-2147483649', /"\/count".*"RANGE"/], ['"count":1e400', /"\/count"/], ['"count":99999999999999999999999', /"\/count"/],
    ['"big":9223372036854775808', /"\/big".*"RANGE"/], ['"big":"-9223372036854775809"', /"\/big".*"RANGE"/], ['"ratio":1e309', /"\/ratio".*"RANGE"/], ['"ratio":-1e99999', /"\/ratio".*"RANGE"/],
    ['"price":"999999999999999999999999999999999999999"', /"\/price".*"RANGE"/], ['"price":"1e400"', /"\/price"/], [`"price":"${'9'.repeat(5000)}"`, /"\/price"/], [`"count":${'9'.repeat(5000)}`, /"\/count"/]]) await raw(text, place);
  for (const query of ['limit=99999999999999999999', 'limit=-1', 'limit=1.5', 'limit=1e2', 'limit=', 'limit=101', 'count[gt]=99999999999999999999', 'price[gt]=1e999999', 'big=9223372036854775808'])
    assertProblem(await request('GET', `/v1/things?${query}`), 400, 'BAD_REQUEST', new RegExp(query.split(/[=[]/)[0]), query);
  await nothingStored();
});

test('nesting of 10,000 is refused, whatever nests', async () => {
  const deep = 10000;
  for (const body of [`${'['.repeat(deep)}${']'.repeat(deep)}`, `${'{"a":'.repeat(deep)}1${'}'.repeat(deep)}`, '['.repeat(deep), `{"code":"x","document":${'['.repeat(deep)}${']'.repeat(deep)}}`,
    `{"code":"x","tags":${'['.repeat(deep)}${']'.repeat(deep)}}`, `${'{"owner":{"create":'.repeat(deep)}{}${'}}'.repeat(deep)}`]) {
    const answer = await post(body);
    assertProblem(answer, [400, 413, 422], null, null, body.slice(0, 40));
  }
  for (const filter of [`${'('.repeat(1500)}true${')'.repeat(1500)}`, `${'!'.repeat(3000)}flag`, `count == ${'-'.repeat(3000)}1`, `tags.exists(x, ${'['.repeat(1000)}x${']'.repeat(1000)})`])
    assertProblem(await request('GET', `/v1/things?filter=${encodeURIComponent(filter)}`), [400, 414], null, null, filter.slice(0, 40));
  assertProblem(await request('GET', `/v1/things?fields=${'owner(things('.repeat(300)}code${'))'.repeat(300)}`), 400, 'BAD_REQUEST', /fields/, 'fields');
  await nothingStored();
});

const residentBytes = () => residentKib(server.child.pid) * 1024;

test('a body of 100 MB is a 413 before it has come in, and is not kept', async () => {
  const size = 100 * 1000 * 1000;
  const resident = residentBytes();
  const head = (extra) => `POST /v1/things HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${extra}\r\n\r\n`;
  const told = await exchangeRaw(server.port, head(`Content-Length: ${size}`), { methods: ['POST'] });
  assertProblem(told.responses[0], 413, 'TOO_LARGE', null, 'Content-Length');
  assert.ok(told.isClosed);
  const expecting = await exchangeRaw(server.port, head(`Expect: 100-continue\r\nContent-Length: ${size}`), { methods: ['POST'] });
  assert.deepEqual(expecting.responses.map(({ status }) => status), [413]);
  for (const extra of [`Content-Length: ${size}`, 'Transfer-Encoding: chunked']) {
    // Sent for real, until the server has had enough of it.
    const socket = await connect(server.port);
    let received = '';
    let isOpen = true;
    socket.on('data', (data) => { received += data.toString('latin1'); });
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.once('close', () => { isOpen = false; resolve(); }));
    const piece = Buffer.alloc(1 << 20, 0x20);
    socket.write(head(extra));
    for (let sent = 0; isOpen && sent < size; sent += piece.length) {
      const bytes = extra.startsWith('Transfer') ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]) : piece;
      if (!socket.write(bytes)) await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed]);
    }
    await closed;
    assert.match(received, /^HTTP\/1\.1 413 /, extra);
  }
  assert.ok(residentBytes() - resident < 48 * 1024 * 1024, `${resident} → ${residentBytes()}`);
  await nothingStored();
});

test('a JSON Patch can neither grow without end nor be deeper than what can be read again', async () => {
  const headers = { 'Content-Type': 'application/json-patch+json' };
  const patch = (operations) => request('PATCH', '/v1/things/t5', { headers, body: JSON.stringify(operations) });
  const repeat = (count, operation) => Array.from({ length: count }, () => operation);
  assert.equal((await patch([{ op: 'add', path: '/document', value: { a: [1] } }])).status, 200);
  const resident = residentBytes();
  // Each doubles what is there.
  for (const count of [30, 300]) assertProblem(await patch(repeat(count, { op: 'copy', from: '/document/a', path: '/document/a/-' })), 413, 'TOO_LARGE', /operation \d+/, `${count} copies`);
  assertProblem(await patch(repeat(20000, { op: 'test', path: '/count', value: 5 })), 413, 'TOO_LARGE', /operation/, '20,000 operations');
  assert.ok(residentBytes() - resident < 48 * 1024 * 1024);
  assert.equal((await patch([{ op: 'replace', path: '/document', value: { a: 1 } }])).status, 200);
  // Each makes it one deeper; however often, what is stored can be changed again.
  let last = 200;
  for (let i = 0; i < 20 && last === 200; i++) last = (await patch(repeat(10, { op: 'copy', from: '/document', path: '/document/a' }))).status;
  assert.equal(last, 413);
  assert.equal((await request('PATCH', '/v1/things/t5', { headers: json, body: '{"document":{"b":2}}' })).status, 200);
  for (const [operation, status, place] of [[{ op: 'add', path: '/document/b/99999999999999999999', value: 1 }, 422, /operation 0/], [{ op: 'move', from: '/document', path: '/document/a' }, 422, /operation 0/],
    [{ op: 'test', path: '/document/~2', value: 1 }, 400, /operation 0/], [{ op: 'test', path: 'document', value: 1 }, 400, /operation 0/], [{ op: 'drop', path: '/document' }, 400, /operation 0/], [{ op: 'remove', path: '' }, [400, 422], null],
    [{ op: 'replace', path: '/code', value: 'other' }, 422, /code/], [{ op: 'add', path: '/unknown', value: 1 }, 422, /unknown/], [null, 400, null], [[], 400, null]])
    assertProblem(await patch([operation]), status, null, place, JSON.stringify(operation));
  assert.equal((await patch([{ op: 'remove', path: '/document' }])).status, 200);
  await nothingStored();
});

test('invalid UTF-8, NUL and bad escapes in a path or a query are refused', async () => {
  for (const target of ['/v1/things/%ff', '/v1/things/%c3%28', '/v1/things/%c0%af', '/v1/things/%ed%a0%80', '/v1/things/%f4%90%80%80', '/v1/things/%00', '/v1/things/a%00b', '/v1/things/%', '/v1/things/%2', '/v1/things/%zz',
    '/v1/%ff', '/v1/things/t1/%ff', '/v1/things?text=%ff', '/v1/things?text=%00', '/v1/things?%ff=1', '/v1/things?text=%', '/v1/things?filter=text%20==%20%22%ff%22', '/v1/things?sort=%ff', '/v1/things?fields=%ff', '/v1/things?after=%ff']) {
    const answer = await request('GET', target);
    assertProblem(answer, target.includes('?') ? 400 : [400, 404], null, null, target);
  }
  const { responses } = await exchangeRaw(server.port, Buffer.from('GET /v1/things/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n', 'latin1'));
  assert.ok([400, 404].includes(responses[0].status), `${responses[0].status}`);
});

test('paths that climb out lead nowhere', async () => {
  for (const target of ['/../../etc/passwd', '/v1/../../etc/passwd', '/v1/things/..%2f..%2fetc%2fpasswd', '/%2e%2e/%2e%2e/etc/passwd', '/v1/things/../../../secret', '//etc/passwd', '/v1//things', '/v1/things/t1/..', `/v1/things/${'a/'.repeat(2000)}`]) {
    const answer = await request('GET', target);
    assert.ok(answer.status >= 400 && answer.status < 500, `${target}: ${answer.status}`);
    assert.doesNotMatch(answer.text, /root:/);
  }
});

test('unknown parameters, operators, fields and sorts are named', async () => {
  for (const [query, place] of [['colour=red', /colour/], ['text[like]=a', /like/], ['text[]=a', /text/], ['text[eq=a', /text/], ['sort=colour', /colour/], ['sort=-', /sort/], ['sort=,', /sort/], ['fields=colour', /colour/], ['fields=owner(colour)', /colour/],
    ['fields=owner(', /fields/], ['fields=)', /fields/], ['fields=code)', /fields/], ['owner.colour=1', /colour/], ['colour.name=1', /colour/], ['text.name=1', /text/], ['filter=colour == 1', /colour/], ['filter=', /filter/], ['filter=text ==', /filter/],
    ['count=exactly', /count/], ['things.limit=5', /things/], ['owner.limit=5', /owner/], ['limit=5&limit=6', /limit/], ['__proto__=1', /__proto__/], ['filter=auth.name == null', /name/], ['filter=old.text == null', /old/]])
    assertProblem(await request('GET', `/v1/things?${query.replace(/ /g, '%20')}`), 400, 'BAD_REQUEST', place, query);
});

test('a filter of 1,000 nodes is refused, and one that is long', async () => {
  const terms = (n) => Array.from({ length: n }, (_, i) => `count==${i}`).join('||');
  assert.equal((await request('GET', `/v1/things?filter=${encodeURIComponent(terms(20))}`)).status, 200);
  assertProblem(await request('GET', `/v1/things?filter=${encodeURIComponent(terms(330))}`), 400, null, /filter/, '990 nodes');
  assertProblem(await request('GET', `/v1/things?filter=${encodeURIComponent(terms(60))}`), 400, null, /100|nodes|filter/, '179 nodes');
  assertProblem(await request('GET', `/v1/things?filter=text=='${'a'.repeat(5000)}'`), 400, null, /filter/, 'a long literal');
  assertProblem(await request('GET', `/v1/things?filter=${'a'.repeat(9000)}`), 414, 'TOO_LARGE', null, 'a long target');
  assertProblem(await request('GET', `/v1/things?${Array.from({ length: 600 }, (_, i) => `count[ne]=${i % 10}`).join('&')}`), [400, 414], null, null, '600 parameters');
});

test('a regular expression that would never end is ended', async () => {
  const text = `${'a'.repeat(5000)}!`;
  assert.equal((await request('PATCH', '/v1/things/t5', { headers: json, body: JSON.stringify({ text }) })).status, 200);
  const answer = await request('GET', `/v1/things?filter=${encodeURIComponent("text.matches('^(a+)+$')")}`);
  assert.ok([200, 400, 503].includes(answer.status), `${answer.status}: ${answer.text}`);
  assertProblem(await request('GET', `/v1/things?filter=${encodeURIComponent("text.matches('(')")}`), 400, 'BAD_REQUEST', /filter/, 'a pattern that is none');
  assert.equal((await request('PATCH', '/v1/things/t5', { headers: json, body: '{"text":"text 5"}' })).status, 200);
});

test('cursors that are forged, broken or of another query are refused', async () => {
  const page = async (query) => JSON.parse((await request('GET', `/v1/things?${query}`)).text);
  const { nextCursor } = await page('limit=2');
  assert.equal((await request('GET', `/v1/things?limit=2&after=${nextCursor}`)).status, 200);
  const bad = (query) => request('GET', query).then((answer) => assertProblem(answer, 400, 'BAD_REQUEST', /cursor/, query.slice(0, 200)));
  for (let i = 0; i < nextCursor.length; i++) {
    const other = nextCursor[i] === 'A' ? 'B' : 'A';
    await bad(`/v1/things?limit=2&after=${nextCursor.slice(0, i)}${other}${nextCursor.slice(i + 1)}`);
    await bad(`/v1/things?limit=2&after=${nextCursor.slice(0, i) || 'x'}`);
  }
  for (const query of ['sort=text', 'sort=-code', 'count[gte]=0', 'filter=count>=0', 'text=a', 'owner.name=Ann']) await bad(`/v1/things?limit=2&after=${nextCursor}&${query}`);
  await bad(`/v1/owners?limit=2&after=${nextCursor}`);
  for (const forged of ['', '%20', 'AAAA', 'null', '0', '-1', '!!!!', 'A'.repeat(6000), Buffer.from('{"id":1}').toString('base64url'), `${nextCursor}${nextCursor}`, `${nextCursor}=`, `${nextCursor}AAAA`]) {
    await bad(`/v1/things?limit=2&after=${forged}`);
    await bad(`/v1/things?limit=2&before=${forged}`);
  }
  const both = await request('GET', `/v1/things?limit=2&after=${nextCursor}&before=${nextCursor}`);
  assert.ok([200, 400].includes(both.status));
});

const payloads = ["'", '"', '`', '\\', ';', '--', '/*', '%', "'; DROP TABLE things; --", '"; DROP TABLE "things"; --', "' OR '1'='1", '" OR 1=1 --', '1 OR 1=1', "x') UNION SELECT sql, 1 FROM sqlite_schema --",
  "t1' UNION SELECT 1 --", '); DELETE FROM things; --', '?1', '$1', ':a', '@a', '{0}', '%s%n', "E'\\x27'", '$$;DROP TABLE things;$$', "'||(SELECT code FROM owners)||'", 'load_extension(1)', "char(39)", '\u2019; DROP TABLE things', "\u{1f375}'"];

test('SQL where a name is expected is a 400 or a 404, and where a value is, a value', async () => {
  for (const payload of payloads) {
    const text = encodeURIComponent(payload);
    for (const target of [`/v1/things?sort=${text}`, `/v1/things?fields=${text}`, `/v1/things?fields=code,owner(${text})`, `/v1/things?${text}=1`, `/v1/things?text[${text}]=1`, `/v1/things?owner.${text}=1`, `/v1/things?limit=${text}`,
      `/v1/things?count=${text}`, `/v1/things?after=${text}`, `/v1/things?price=${text}`, `/v1/things?at=${text}`, `/v1/things?flag=${text}`, `/v1/things?kind=${text}`, `/v1/things?count[in]=1,${text}`]) {
      assertProblem(await request('GET', target), 400, 'BAD_REQUEST', null, target);
    }
    for (const target of [`/v1/${text}`, `/v1/things/${text}`, `/v1/things/${text}/owner`, `/v1/owners/o1/${text}`]) {
      const answer = await request('GET', target);
      assert.ok([400, 404].includes(answer.status), `${target}: ${answer.status} ${answer.text}`);
    }
    for (const [operator, expected] of [['', 0], ['[eq]', 0], ['[contains]', 0], ['[startsWith]', 0], ['[endsWith]', 0], ['[in]', 0], ['[ne]', stored]]) {
      const answer = await request('GET', `/v1/things?limit=100&count=exact&text${operator}=${text}`);
      assert.equal(answer.status, 200, `${operator} ${payload}: ${answer.text}`);
      assert.equal(JSON.parse(answer.text).count, expected, `${operator} ${payload}`);
    }
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await request(method, `/v1/things/${text}`, method === 'PATCH' ? { headers: json, body: '{"text":"x"}' } : {});
      assert.ok([400, 404].includes(answer.status), `${method} ${payload}: ${answer.status}`);
    }
    const filter = await request('GET', `/v1/things?filter=${encodeURIComponent(`text == ${JSON.stringify(payload)} || owner.name == ${JSON.stringify(payload)}`)}`);
    assert.equal(filter.status, 200, `${payload}: ${filter.text}`);
    assert.deepEqual(JSON.parse(filter.text).items, [], payload);
    const named = await request('POST', '/v1/things', { headers: json, body: JSON.stringify({ code: 'never', [payload]: 1 }) });
    assertProblem(named, 422, 'VALIDATION_FAILED', /UNKNOWN_FIELD/, payload);
    for (const headers of [{ 'If-Match': `"${payload.replace(/[^\x21\x23-\x7e]/g, '')}"` }, { 'X-Request-Id': payload.replace(/[^\x20-\x7e]/g, '') }]) {
      const answer = await request('GET', '/v1/things/t1', { headers });
      assert.ok([200, 400, 412].includes(answer.status), `${payload}: ${answer.status}`);
    }
  }
  await nothingStored();
});

test('SQL as a value is stored and read as it is, a key too', async () => {
  for (const [i, payload] of payloads.entries()) {
    const code = `${payload}${i}`;
    const body = { code, text: payload, document: { [payload]: payload }, tags: [payload] };
    const created = await post(JSON.stringify(body));
    assert.equal(created.status, 201, created.text);
    const target = `/v1/things/${encodeURIComponent(code)}`;
    const read = JSON.parse((await request('GET', target)).text);
    assert.deepEqual({ code: read.code, text: read.text, document: read.document, tags: read.tags }, body);
    assert.equal((await request('GET', created.headers.get('location'))).status, 200, `Location ${created.headers.get('location')}`);
    const found = JSON.parse((await request('GET', `/v1/things?text=${encodeURIComponent(payload)}&fields=code`)).text).items;
    assert.deepEqual(found, [{ code }]);
    assert.equal((await request('DELETE', target)).status, 204);
  }
  await nothingStored();
});

test('SQL in a contract is a name or a mistake, never SQL', async () => {
  const evil = `extend schema @service(name: "evil")
type Thing @resource(table: "a\\"; DROP TABLE b; --") @access(read: "text != \\"'; DROP TABLE c; --\\"", write: "true") {
  code: String! @id @column(name: "x\\" TEXT); DROP TABLE d; --")
  text: String @default(value: "'); DROP TABLE e; --")
}
`;
  let other;
  try {
    other = await startServer({ contract: evil });
  } catch (error) {
    assert.match(error.message, /exit status 1/, error.message);
    return;
  }
  const its = other.client();
  assert.equal((await its.request('POST', '/v1/things', { headers: json, body: '{"code":"a"}' })).status, 201);
  assert.equal(JSON.parse((await its.request('GET', '/v1/things/a')).text).text, "'); DROP TABLE e; --");
  its.close();
  await other.stop();
  removeFolder(other.folder);
});

test('another type of body, or none that is said, is a 415 or a 400', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml', 'application/json2', 'json', ';', 'application/json; charset=utf-16'])
    assertProblem(await post('{"code":"never"}', { 'Content-Type': type }), [400, 415], null, null, type);
  assertProblem(await post('{"code":"never"}', { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }), [400, 415], null, null, 'a coding that it is not in');
  await nothingStored();
});

test('after all of that the server is as it was', async () => {
  assert.equal((await request('GET', '/livez')).status, 200);
  assert.equal((await request('GET', '/readyz')).status, 200);
  const { items } = JSON.parse((await request('GET', '/v1/things?fields=code,text,count')).text);
  assert.deepEqual(items, Array.from({ length: 6 }, (_, i) => ({ code: `t${i}`, text: `text ${i}`, count: i })));
  assert.equal(JSON.parse((await request('GET', '/v1/owners?limit=0&count=exact')).text).count, 2);
  assert.doesNotMatch(server.stderr, /Sanitizer|runtime error/);
  assert.ok(fs.existsSync(path.join(server.folder, 'test.db')));
});
