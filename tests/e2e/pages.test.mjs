// pages.test.mjs - a property: a list that is read page by page, there and back, while rows come and go, gives every row that nobody
// touches exactly once each way, in one and the same order, whatever the order, the page sizes and the selection. The seed is printed where it
// fails; CAISSON_SEED chooses another, CAISSON_CASES=20 runs twenty times as many.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "pages")
enum Kind { ONE TWO THREE @value(name: "0-three") }
type Place { city: String }
type Group @resource @access(read: "true", write: "true") { code: String! @id name: String items: [Item!]! }
type Item @resource @search(fields: ["text", "note"]) @access(read: "true", write: "true") {
  code: String! @id
  number: Int
  text: String
  note: String
  kind: Kind
  price: Decimal
  share: Float
  isOpen: Boolean! @default(value: false)
  at: DateTime
  place: Place
  group: Group
}`;

const seed = Number(process.env.CAISSON_SEED ?? 20261125);
const cases = 12 * Number(process.env.CAISSON_CASES ?? 1);
const steadyCount = 40;

// Mulberry32.
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let n = Math.imul(state ^ (state >>> 15), state | 1);
    n = (n + Math.imul(n ^ (n >>> 7), n | 61)) ^ n;
    return ((n ^ (n >>> 14)) >>> 0) / 4294967296;
  };
}

const random = randomFrom(seed);
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

const words = ['tea', 'tea tea', 'green tea', 'tea and much else besides, in many words', 'Tea: black'];
// Few values, so that there are ties, and often none.
const makeItem = (code) => ({
  code,
  number: pick([null, null, 1, 2, 3]),
  text: pick(words),
  note: pick([null, '', 'tea', 'b', 'a']),
  kind: pick([null, 'ONE', 'TWO', 'THREE']),
  price: pick([null, '1', '1.5', '10', '-3', '0.001']),
  share: pick([null, 0.1, 0.2, -1, 1e10]),
  isOpen: pick([true, false]),
  at: pick([null, '2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000001Z', '2025-12-31T23:59:59Z']),
  place: pick([null, { city: null }, { city: 'Oslo' }, { city: 'Rome' }]),
  groupCode: pick([null, 'a', 'b', 'c']),
});

const sortFields = ['number', 'text', 'note', 'kind', 'price', 'share', 'isOpen', 'at', 'place.city', 'group.name', 'groupCode', 'code'];

function makeSort() {
  const terms = [];
  for (let i = below(4); i > 0; i--) {
    const field = pick(sortFields);
    if (!terms.some((term) => term.replace('-', '') === field)) terms.push(pick(['', '-']) + field);
  }
  return terms.join(',');
}

let server;
let client;
const volatile = new Set();
let serial = 0;

async function call(method, target, body, status) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await client.request(method, target, body === undefined ? { headers } : { headers, body: JSON.stringify(body) });
  assert.equal(response.status, status, `${method} ${target}: ${response.text}`);
  return response.text === '' ? null : JSON.parse(response.text);
}

async function disturb() {
  for (let i = below(4); i > 0; i--) {
    if (volatile.size > 0 && random() < 0.45) {
      const code = pick([...volatile]);
      volatile.delete(code);
      await call('DELETE', `/v1/items/${code}`, undefined, 204);
    } else {
      const code = `${pick(['a', 'm', 'z'])}${serial++}`;
      volatile.add(code);
      await call('POST', '/v1/items', makeItem(code), 201);
    }
  }
}

async function readPage(query, parameter, cursor) {
  const parameters = new URLSearchParams({ ...query, limit: String(1 + below(9)) });
  if (cursor !== null) parameters.set(parameter, cursor);
  const page = await call('GET', `/v1/items?${parameters}`, undefined, 200);
  await disturb();
  return page;
}

// There to the end, then back from the last page to the beginning; both in the list's order.
async function walk(query) {
  const there = [];
  let page = null;
  let last = [];
  for (let cursor = null; page === null || cursor !== null; cursor = page.nextCursor) {
    page = await readPage(query, 'after', cursor);
    last = page.items;
    there.push(...last);
  }
  const back = [...last];
  // Rows may have come in front of a first page.
  for (let cursor = page.prevCursor; cursor !== null; cursor = page.prevCursor) {
    page = await readPage(query, 'before', cursor);
    back.unshift(...page.items);
  }
  return { there: there.map((item) => item.code), back: back.map((item) => item.code) };
}

const isSteady = (code) => code.startsWith('s');
const steadyCodes = Array.from({ length: steadyCount }, (_, i) => `s${String(i).padStart(2, '0')}`);

before(async () => {
  server = await startServer({ contract });
  client = server.client();
  for (const [code, name] of [['a', 'one'], ['b', null], ['c', 'one']]) await call('POST', '/v1/groups', { code, name }, 201);
  for (const code of steadyCodes) await call('POST', '/v1/items', makeItem(code), 201);
});

after(async () => {
  client?.close();
  await server?.stop();
  if (server) removeFolder(server.folder);
});

test(`every row that nobody touches comes once on the way there and once on the way back (seed ${seed})`, { timeout: 600000 }, async () => {
  for (let i = 0; i < cases; i++) {
    const sort = makeSort();
    const query = { fields: pick(['code', 'code,number', '*', 'code,group(name)']) };
    if (sort !== '') query.sort = sort;
    if (random() < 0.4) query.q = pick(['tea', 'te*']);
    const { there, back } = await walk(query);
    const told = `case ${i} of seed ${seed}: ${JSON.stringify(query)}`;
    const steadyThere = there.filter(isSteady);
    assert.deepEqual([...steadyThere].sort(), steadyCodes, `${told}: there`);
    assert.deepEqual(back.filter(isSteady), steadyThere, `${told}: back`);
    // What comes stays where it is until it goes, so that it is never given twice either.
    assert.equal(new Set(there).size, there.length, `${told}: a row came twice on the way there`);
    assert.equal(new Set(back).size, back.length, `${told}: a row came twice on the way back`);
  }
});
