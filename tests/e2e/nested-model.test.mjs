// nested-model.test.mjs - random nested writes, arrays and batches against a model in memory: the same answers, and the same rows after each.
// MODEL_SEED, MODEL_STEPS: which run, and how long.
import assert from 'node:assert';
import { test } from 'node:test';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const seed = Number(process.env.MODEL_SEED ?? 20261125);
const steps = Number(process.env.MODEL_STEPS ?? 600);
const contract = `extend schema @service(name: "model")
type Country @resource(path: "countries") @access(read: "true", write: "true") { code: String! @id name: String! @length(min: 1) authors: [Author!]! }
type Author @resource(path: "authors") @access(read: "true", write: "true") { code: String! @id name: String! @length(min: 1) country: Country books: [Book!]! }
type Book @resource(path: "books") @access(read: "true", write: "true") {
  code: String! @id name: String! @length(min: 1) isbn: String @unique author: Author @relation(onDelete: SET_NULL) notes: [Note!]!
}
type Note @resource(path: "notes") @access(read: "true", write: "true") { code: String! @id name: String! @length(min: 1) book: Book! @relation(onDelete: CASCADE) }
`;

// What the contract above says, for the model.
const types = {
  countries: { keys: 3, children: { authors: 'authors' } },
  authors: { keys: 5, one: { field: 'country', key: 'countryCode', target: 'countries' }, children: { books: 'books' }, onDelete: 'RESTRICT' },
  books: { keys: 7, one: { field: 'author', key: 'authorCode', target: 'authors' }, children: { notes: 'notes' }, onDelete: 'SET_NULL', unique: 'isbn' },
  notes: { keys: 6, one: { field: 'book', key: 'bookCode', target: 'books', isRequired: true }, children: {}, onDelete: 'CASCADE' },
};
const names = Object.keys(types);
const childVerbs = ['disconnect', 'delete', 'update', 'connect', 'create']; // in the order in which they are done

// ---- chance: mulberry32, so that a failing run can be had again ----

let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = state;
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[below(list.length)];

// ---- the model: tables of rows; a write works on a copy, which is taken over when it succeeds ----

class Refusal extends Error {
  constructor(status, errors = []) { super(`${status}`); this.status = status; this.errors = errors; }
}

const fresh = () => Object.fromEntries(names.map((name) => [name, new Map()]));
const copyOf = (tables) => Object.fromEntries(names.map((name) => [name, new Map([...tables[name]].map(([key, row]) => [key, { ...row }]))]));

// All of a body's mistakes, as far as they show without the rows.
function mistakesOf(type, data, pointer, isNew, isChild) {
  const { one, children } = types[type];
  const found = [];
  if (data.name !== undefined && data.name === '') found.push([`${pointer}/name`, 'LENGTH']);
  if (isNew && data.name === undefined) found.push([`${pointer}/name`, 'REQUIRED']);
  if (isNew && one?.isRequired && !isChild && data[one.key] === undefined && data[one.field] === undefined) found.push([`${pointer}/${one.key}`, 'REQUIRED']);
  if (one && data[one.field]?.create) found.push(...mistakesOf(one.target, data[one.field].create, `${pointer}/${one.field}/create`, true, false));
  if (one?.isRequired && data[one.field]?.disconnect) found.push([`${pointer}/${one.field}/disconnect`, 'REQUIRED']);
  for (const [field, child] of Object.entries(children)) {
    for (const [i, each] of (data[field]?.create ?? []).entries()) found.push(...mistakesOf(child, each, `${pointer}/${field}/create/${i}`, true, true));
    for (const [i, each] of (data[field]?.update ?? []).entries()) found.push(...mistakesOf(child, each.data, `${pointer}/${field}/update/${i}/data`, false, true));
  }
  return found;
}

function find(tables, type, where) {
  const [[name, value]] = Object.entries(where);
  return name === 'code' ? tables[type].get(value) : [...tables[type].values()].find((row) => row[name] === value);
}

function doReference(tables, type, row, data, pointer) {
  const { one } = types[type];
  const verb = one && data[one.field];
  if (!verb) return;
  if (verb.disconnect) { row[one.key] = null; return; }
  if (verb.create) { row[one.key] = create(tables, one.target, verb.create, `${pointer}/${one.field}/create`).code; return; }
  const target = find(tables, one.target, verb.connect);
  if (!target) throw new Refusal(422, [[`${pointer}/${one.field}/connect`, 'REFERENCE']]);
  row[one.key] = target.code;
}

function checkReference(tables, type, row, data, pointer) {
  const { one } = types[type];
  if (one && data[one.key] !== undefined && row[one.key] !== null && !tables[one.target].has(row[one.key])) throw new Refusal(422, [[`${pointer}/${one.key}`, 'REFERENCE']]);
}

// The store names one of several broken constraints.
function checkUnique(tables, type, row, pointer, isNew) {
  const { unique } = types[type];
  const broken = [];
  if (isNew && tables[type].has(row.code)) broken.push([`${pointer}/code`, 'NOT_UNIQUE']);
  if (unique && row[unique] !== null && [...tables[type].values()].some((other) => other.code !== row.code && other[unique] === row[unique])) broken.push([`${pointer}/${unique}`, 'NOT_UNIQUE']);
  if (unique && isNew && row[unique] !== null && tables[type].get(row.code)?.[unique] === row[unique]) broken.push([`${pointer}/${unique}`, 'NOT_UNIQUE']);
  if (broken.length > 0) throw Object.assign(new Refusal(409, broken), { isAnyOf: true });
}

function create(tables, type, data, pointer, parent) {
  const { one, unique } = types[type];
  const row = { code: data.code, name: data.name };
  if (unique) row[unique] = data[unique] ?? null;
  if (one) row[one.key] = data[one.key] ?? null;
  doReference(tables, type, row, data, pointer);
  if (parent) row[one.key] = parent;
  checkReference(tables, type, row, data, pointer);
  checkUnique(tables, type, row, pointer, true);
  tables[type].set(row.code, row);
  doChildren(tables, type, row, data, pointer);
  return row;
}

function change(tables, type, old, data, pointer) {
  const { one, unique } = types[type];
  const row = { ...old };
  for (const name of ['name', ...(unique ? [unique] : []), ...(one ? [one.key] : [])]) if (data[name] !== undefined) row[name] = data[name];
  doReference(tables, type, row, data, pointer);
  if (!one || row[one.key] !== old[one.key]) checkReference(tables, type, row, data, pointer);
  checkUnique(tables, type, row, pointer, false);
  tables[type].set(row.code, row);
  doChildren(tables, type, row, data, pointer);
  return row;
}

function remove(tables, type, code) {
  const referrers = names.filter((name) => types[name].one?.target === type);
  for (const name of referrers) {
    const { one, onDelete } = types[name];
    const rows = [...tables[name].values()].filter((row) => row[one.key] === code);
    if (rows.length > 0 && onDelete === 'RESTRICT') throw new Refusal(409);
    for (const row of rows) if (onDelete === 'CASCADE') remove(tables, name, row.code); else row[one.key] = null;
  }
  tables[type].delete(code);
}

function doChild(tables, type, verb, item, parent, pointer) {
  const { one } = types[type];
  if (verb === 'create') return void create(tables, type, item, pointer, parent.code);
  const row = find(tables, type, verb === 'update' ? item.where : item);
  if (!row || (verb !== 'connect' && row[one.key] !== parent.code)) throw new Refusal(422, [[pointer, 'REFERENCE']]);
  if (verb === 'update') return void change(tables, type, row, item.data, `${pointer}/data`);
  if (verb === 'delete') return remove(tables, type, row.code);
  if (verb === 'disconnect' && one.isRequired) throw new Refusal(422, [[pointer, 'REQUIRED']]);
  tables[type].set(row.code, { ...row, [one.key]: verb === 'connect' ? parent.code : null });
}

function doChildren(tables, type, row, data, pointer) {
  for (const [field, child] of Object.entries(types[type].children)) {
    for (const verb of childVerbs) {
      for (const [i, item] of (data[field]?.[verb] ?? []).entries()) doChild(tables, child, verb, item, row, `${pointer}/${field}/${verb}/${i}`);
    }
  }
}

// One request's effect: { status, body }, or a Refusal is thrown.
function apply(tables, { method, type, code, body }) {
  if (method === 'DELETE') {
    if (!tables[type].has(code)) throw new Refusal(404);
    remove(tables, type, code);
    return { status: 204, body: null };
  }
  if (method === 'POST') {
    const rows = Array.isArray(body) ? body : [body];
    const made = rows.map((each, i) => create(tables, type, each, Array.isArray(body) ? `/${i}` : ''));
    // What is answered is what each row was when it was written.
    return { status: 201, body: Array.isArray(body) ? { items: made } : made[0] };
  }
  const old = tables[type].get(code);
  if (method === 'PATCH') {
    if (!old) throw new Refusal(404);
    return { status: 200, body: change(tables, type, old, body, '') };
  }
  const { one, unique } = types[type];
  const hasReference = one && (body[one.field] !== undefined || body[one.key] !== undefined);
  const whole = { code, ...(unique ? { [unique]: null } : {}), ...(one && !hasReference ? { [one.key]: null } : {}), ...body };
  return old ? { status: 200, body: change(tables, type, old, whole, '') } : { status: 201, body: create(tables, type, whole, '') };
}

const validate = ({ method, type, body }) => {
  if (method === 'DELETE') return [];
  if (Array.isArray(body)) return body.flatMap((each, i) => mistakesOf(type, each, `/${i}`, true, false));
  return mistakesOf(type, body, '', method !== 'PATCH', false);
};

// ---- random requests ----

const letter = { countries: 'c', authors: 'a', books: 'b', notes: 'n' };
const anyKey = (type) => `${letter[type]}${below(types[type].keys)}`;
function likelyKey(tables, type, isThere) {
  const there = [...tables[type].keys()];
  const absent = Array.from({ length: types[type].keys }, (_, i) => `${letter[type]}${i}`).filter((key) => !tables[type].has(key));
  const wanted = isThere ? there : absent;
  return wanted.length > 0 && chance(0.85) ? pick(wanted) : anyKey(type);
}
const anyName = () => (chance(0.03) ? '' : `name ${below(100)}`);
const list = (make, p) => Array.from({ length: chance(p) ? 1 + below(2) : 0 }, make);

function whereOf(tables, type, parent) {
  const mine = [...tables[type].values()].filter((row) => !parent || row[types[type].one.key] === parent);
  const row = mine.length > 0 && chance(0.85) ? pick(mine) : undefined;
  if (row && types[type].unique && row.isbn !== null && chance(0.4)) return { isbn: row.isbn };
  return { code: row?.code ?? anyKey(type) };
}

function anyData(tables, type, depth, { isNew, isChild, key }) {
  const { one, unique, children } = types[type];
  const data = {};
  if (isNew) data.code = likelyKey(tables, type, false);
  if (isNew ? chance(0.98) : chance(0.5)) data.name = anyName();
  if (unique && chance(0.4)) data[unique] = chance(0.1) && !isNew ? null : `${below(12)}`;
  if (one && !isChild) {
    if (depth > 0 && chance(0.5)) {
      const verb = pick(one.isRequired ? ['create', 'connect', 'connect'] : ['create', 'connect', 'disconnect']);
      data[one.field] = verb === 'create' ? { create: anyData(tables, one.target, depth - 1, { isNew: true }) }
        : verb === 'connect' ? { connect: whereOf(tables, one.target) } : { disconnect: true };
    } else if (one.isRequired ? isNew : chance(0.5)) {
      data[one.key] = !one.isRequired && chance(0.15) ? null : likelyKey(tables, one.target, true);
    }
  }
  for (const [field, child] of Object.entries(children)) {
    if (depth <= 0 || !chance(0.5)) continue;
    const verbs = {
      create: list(() => anyData(tables, child, depth - 1, { isNew: true, isChild: true }), 0.5),
      connect: list(() => whereOf(tables, child), 0.3),
      ...(isNew && chance(0.97) ? {} : {
        disconnect: list(() => whereOf(tables, child, key), types[child].one.isRequired ? 0.03 : 0.15),
        update: list(() => ({ where: whereOf(tables, child, key), data: anyData(tables, child, depth - 1, { isChild: true }) }), 0.25),
        delete: list(() => whereOf(tables, child, key), 0.15),
      }),
    };
    data[field] = Object.fromEntries(Object.entries(verbs).filter(([, items]) => items.length > 0));
  }
  return data;
}

function anyRequest(tables) {
  const type = pick(names);
  const method = pick(['POST', 'POST', 'POST', 'PATCH', 'PATCH', 'PATCH', 'PUT', 'DELETE']);
  if (method === 'POST') {
    const make = () => anyData(tables, type, 2, { isNew: true });
    return { method, type, body: chance(0.25) ? Array.from({ length: 1 + below(3) }, make) : make() };
  }
  const code = likelyKey(tables, type, chance(0.9));
  if (method === 'DELETE') return { method, type, code };
  const body = anyData(tables, type, 2, { isNew: method === 'PUT', key: code });
  delete body.code;
  return { method, type, code, body };
}

// ---- the two side by side ----

const pathOf = ({ type, code }) => `/v1/${type}${code === undefined ? '' : `/${code}`}`;
const json = { 'Content-Type': 'application/json' };

// What the whole of it must come to: a single request, or several in a batch.
function expectedOf(tables, requests) {
  const after = copyOf(tables);
  const results = [];
  for (const [i, request] of requests.entries()) {
    const mistakes = validate(request);
    if (mistakes.length > 0) return { refusal: new Refusal(422, mistakes), operation: i };
  }
  for (const [i, request] of requests.entries()) {
    try {
      const { status, body } = apply(after, request);
      results.push({ status, body: body === null ? null : structuredClone(body) });
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      return { refusal, operation: i };
    }
  }
  return { results, after };
}

function checkRefusal(refusal, response, what) {
  assert.equal(response.status, refusal.status, what);
  const got = (JSON.parse(response.text).errors ?? []).map(({ pointer, code }) => `${code} ${pointer}`).sort();
  const wanted = refusal.errors.map(([pointer, code]) => `${code} ${pointer}`).sort();
  if (refusal.isAnyOf) assert.ok(got.length === 1 && wanted.includes(got[0]), `${what}\ngot ${got}, wanted one of ${wanted}`);
  else assert.deepEqual(got, wanted, what);
}

async function readAll(client) {
  const operations = names.map((type) => ({ method: 'GET', path: `/v1/${type}?limit=100` }));
  const response = await client.request('POST', '/v1/batch', { headers: json, body: JSON.stringify({ operations }) });
  assert.equal(response.status, 200, response.text);
  return Object.fromEntries(JSON.parse(response.text).results.map(({ body }, i) => [names[i], body.items]));
}

const rowsOf = (tables) => Object.fromEntries(names.map((name) => [name, [...tables[name].values()].sort((a, b) => (a.code < b.code ? -1 : 1))]));

async function step(client, tables, counts) {
  const isBatch = chance(0.25);
  const requests = Array.from({ length: isBatch ? 1 + below(3) : 1 }, () => anyRequest(tables));
  const expected = expectedOf(tables, requests);
  const operations = requests.map((request) => ({ method: request.method, path: pathOf(request), body: request.body }));
  const response = isBatch
    ? await client.request('POST', '/v1/batch', { headers: json, body: JSON.stringify({ operations }) })
    : await client.request(requests[0].method, pathOf(requests[0]), { headers: json, body: requests[0].body === undefined ? null : JSON.stringify(requests[0].body) });
  const what = `seed ${seed}\n${JSON.stringify(operations)}\nanswer ${response.status} ${response.text}`;
  counts.set(response.status, (counts.get(response.status) ?? 0) + 1);
  if (expected.refusal) {
    checkRefusal(expected.refusal, response, what);
    if (isBatch) assert.equal(JSON.parse(response.text).operation, expected.operation, what);
  } else if (isBatch) {
    assert.equal(response.status, 200, what);
    assert.deepEqual(JSON.parse(response.text).results.map(({ status, body }) => ({ status, body })), expected.results, what);
  } else {
    assert.equal(response.status, expected.results[0].status, what);
    assert.deepEqual(response.text === '' ? null : JSON.parse(response.text), expected.results[0].body, what);
  }
  const after = expected.refusal ? tables : expected.after;
  assert.deepEqual(await readAll(client), rowsOf(after), what);
  return after;
}

test(`a random sequence of nested writes equals a model's (seed ${seed}, ${steps} steps)`, { timeout: 300000 }, async () => {
  const folder = makeFolder();
  const server = await startServer({ contract, folder, options: ['--threads', '1'] });
  const client = server.client();
  const counts = new Map();
  let tables = fresh();
  try {
    for (let i = 0; i < steps; i++) tables = await step(client, tables, counts);
  } finally {
    client.close();
    await server.stop();
    removeFolder(folder);
  }
  // A run that never succeeds, or never fails, shows nothing.
  for (const status of [200, 201, 204, 404, 409, 422]) assert.ok((counts.get(status) ?? 0) >= steps / 100, `only ${counts.get(status) ?? 0} answers of ${status}`);
  console.log(`# ${[...counts].sort(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`).join(', ')}`);
});
