// writes.mjs - random writes: valid ones and wrong ones, nested, by the array, in batches, imported; with preconditions and preferences.
const jsonType = { 'Content-Type': 'application/json' };

function valueFor(random, field, wrongPercent) {
  if (random.chance(wrongPercent) && field.bad.length > 0) return random.pick(field.bad);
  return random.pick(field.good);
}

// Key fields that the client gives, and relations by their key fields.
function keysAndRelations(random, world, type, body, { isNew, wrong }) {
  if (isNew) for (const key of type.keys) if (!key.relation && !key.isServerMade && !random.chance(wrong)) body[key.name] = valueFor(random, key, wrong);
  for (const relation of type.toOne) {
    if (relation.isKey && !isNew) continue;
    if (!relation.isRequired && !random.chance(50)) continue;
    if (random.chance(wrong)) continue;
    if (!relation.isRequired && random.chance(15)) { relation.keyNames.forEach((name) => { body[name] = null; }); continue; }
    const row = random.chance(4) ? world.missingRow(relation.target) : world.row(relation.target);
    relation.keyNames.forEach((name, i) => { if (!random.chance(wrong / 2)) body[name] = row.keys[i]; });
  }
}

// `isNew`: everything that is required is given, save a few mistakes.
function rowBody(random, world, type, { isNew, depth = 0, wrong = random.chance(15) ? 12 : 0 }) {
  const body = {};
  keysAndRelations(random, world, type, body, { isNew, wrong });
  for (const field of type.fields) {
    const isNeeded = isNew && field.isRequired && !field.hasDefault;
    if (field.isServerSet && !random.chance(3)) continue;
    if (!isNeeded && !random.chance(isNew ? 65 : 30)) continue;
    if (isNeeded && random.chance(wrong)) continue;
    body[field.name] = !field.isRequired && random.chance(12) ? null : valueFor(random, field, wrong);
  }
  if (random.chance(wrong)) body[random.pick(['nothing', 'id', 'Owner'])] = 1;
  if (depth < 2 && random.chance(depth === 0 ? 22 : 12)) nest(random, world, type, body, { isNew, depth, wrong });
  return body;
}

const keysOf = (type, row) => Object.fromEntries(type.keys.flatMap((key, i) => (key.relation ? key.relation.keyNames.map((name) => [name, row.keys[i]]) : [[key.name, row.keys[i]]])));

function nest(random, world, type, body, { isNew, depth, wrong }) {
  const one = type.toOne.filter((relation) => !relation.isKey);
  if (one.length > 0 && random.chance(50)) {
    const relation = random.pick(one);
    relation.keyNames.forEach((name) => { delete body[name]; });
    body[relation.name] = random.weighted([
      [4, () => ({ create: rowBody(random, world, relation.target, { isNew: true, depth: depth + 1, wrong }) })],
      [4, () => ({ connect: keysOf(relation.target, world.row(relation.target)) })],
      [1, () => ({ disconnect: true })],
    ])();
    return;
  }
  if (type.toMany.length === 0) return;
  const relation = random.pick(type.toMany);
  const where = () => keysOf(relation.source, world.row(relation.source));
  const orders = { create: () => childBody(random, world, relation, depth, wrong), connect: where };
  if (!isNew) Object.assign(orders, { disconnect: where, delete: where, update: () => ({ where: where(), data: rowBody(random, world, relation.source, { isNew: false, depth: depth + 1, wrong }) }) });
  body[relation.many] = {};
  for (const name of random.some(Object.keys(orders), 45)) body[relation.many][name] = Array.from({ length: random.between(1, 2) }, orders[name]);
}

function childBody(random, world, relation, depth, wrong) {
  const child = rowBody(random, world, relation.source, { isNew: true, depth: depth + 1, wrong });
  if (!random.chance(5)) relation.keyNames.forEach((name) => { delete child[name]; });
  return child;
}

function preferences(random) {
  return random.weighted([[85, {}], [4, { Prefer: 'return=minimal' }], [3, { Prefer: 'return=representation' }], [6, { Prefer: 'tx=rollback' }], [2, { Prefer: 'handling=lenient' }]]);
}

function create(random, world, type) {
  const isArray = random.chance(20);
  const body = isArray ? Array.from({ length: random.between(0, 4) }, () => rowBody(random, world, type, { isNew: true })) : rowBody(random, world, type, { isNew: true });
  return { method: 'POST', target: `/v1/${type.path}`, headers: { ...jsonType, ...preferences(random) }, body: JSON.stringify(body), type, shape: isArray ? 'list' : 'row' };
}

function precondition(random, row) {
  if (!row.tag || !random.chance(15)) return {};
  return { 'If-Match': random.chance(80) ? row.tag : '"other"' };
}

function patch(random, world, type) {
  const row = world.row(type);
  return { method: 'PATCH', target: `/v1/${type.path}/${row.path}`, headers: { 'Content-Type': 'application/merge-patch+json', ...preferences(random), ...precondition(random, row) },
    body: JSON.stringify(rowBody(random, world, type, { isNew: false })), type, shape: 'row' };
}

function jsonPatch(random, world, type) {
  const operations = Array.from({ length: random.between(1, 3) }, () => {
    const field = random.pick(type.fields);
    const path = `/${field.name}${field.isList && random.chance(50) ? random.pick(['/-', '/0', '/9']) : ''}`;
    const value = field.isList && path.length > field.name.length + 1 ? (field.kind === 'tags' ? 'new' : 4) : valueFor(random, field, 5);
    return random.weighted([[5, { op: 'replace', path, value }], [2, { op: 'add', path, value }], [2, { op: 'test', path, value }], [1, { op: 'remove', path }]]);
  });
  return { method: 'PATCH', target: `/v1/${type.path}/${world.row(type).path}`, headers: { 'Content-Type': 'application/json-patch+json' }, body: JSON.stringify(operations), type, shape: 'row' };
}

function put(random, world, type) {
  const row = random.chance(25) ? world.newRow(type) : world.row(type);
  const body = rowBody(random, world, type, { isNew: true });
  for (const key of type.keys) { delete body[key.name]; if (key.relation) key.relation.keyNames.forEach((name) => { delete body[name]; }); }
  return { method: 'PUT', target: `/v1/${type.path}/${row.path}`, headers: { ...jsonType, ...preferences(random), ...precondition(random, row) }, body: JSON.stringify(body), type, shape: 'row' };
}

function remove(random, world, type) {
  const row = world.row(type);
  return { method: 'DELETE', target: `/v1/${type.path}/${row.path}`, headers: { ...(random.chance(5) ? { Prefer: 'tx=rollback' } : {}), ...precondition(random, row) }, type, shape: 'other' };
}

function createChild(random, world, type) {
  if (type.toMany.length === 0) return create(random, world, type);
  const relation = random.pick(type.toMany);
  const path = relation.many.replace(/([A-Z])/g, '-$1').toLowerCase();
  return { method: 'POST', target: `/v1/${type.path}/${world.row(type).path}/${path}`, headers: jsonType, body: JSON.stringify(childBody(random, world, relation, 1, random.chance(20) ? 10 : 0)), type: relation.source, shape: 'row' };
}

function batch(random, world) {
  const makers = [create, create, patch, put, remove];
  const operations = Array.from({ length: random.between(1, 5) }, (_, i) => {
    const made = random.pick(makers)(random, world, random.pick(world.types));
    const operation = { id: `o${i}`, method: made.method, path: made.target, ...(made.body ? { body: JSON.parse(made.body) } : {}) };
    if (made.headers?.['If-Match']) operation.headers = { 'If-Match': made.headers['If-Match'] };
    return operation;
  });
  const last = operations.at(-1);
  const first = operations[0];
  if (operations.length > 1 && first.method === 'POST' && !Array.isArray(first.body) && last.body && !Array.isArray(last.body) && random.chance(50)) last.body.owner = { $ref: `o0.${random.pick(['owner', 'open', 'id', 'code'])}` };
  if (random.chance(30)) operations.push({ method: 'GET', path: `/v1/${random.pick(world.types).path}?limit=3` });
  return { method: 'POST', target: '/v1/batch', headers: jsonType, body: JSON.stringify({ operations }), type: null, shape: 'other' };
}

const csvCell = (value) => {
  if (value === null) return '';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

function importRows(random, world, type) {
  const rows = Array.from({ length: random.between(1, 12) }, () => rowBody(random, world, type, { isNew: true, depth: 2, wrong: random.chance(10) ? 8 : 0 }));
  if (random.chance(50)) {
    return { method: 'POST', target: `/v1/${type.path}`, headers: { 'Content-Type': 'application/x-ndjson' }, body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''), type, shape: 'other' };
  }
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names, ...rows.map((row) => names.map((name) => (name in row ? row[name] : null)))].map((cells) => cells.map(csvCell).join(','));
  return { method: 'POST', target: `/v1/${type.path}`, headers: { 'Content-Type': 'text/csv' }, body: `${lines.join('\r\n')}\r\n`, type, shape: 'other' };
}

function repeated(random, world, type) {
  const made = create(random, world, type);
  const key = `k${random.below(12)}`;
  return { ...made, headers: { ...made.headers, 'Idempotency-Key': key } };
}

export const writes = [[22, create], [14, patch], [4, jsonPatch], [8, put], [6, remove], [5, createChild], [6, batch], [3, importRows], [2, repeated]];
