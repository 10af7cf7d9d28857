// reads.mjs - random questions: lists with every operator, rules as filters, sorts, nested selections, single rows, sub-resources, aggregates, exports.
import { readable, sortable } from './contract.mjs';

const operators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'contains', 'startsWith', 'endsWith', 'isNull'];
const enc = encodeURIComponent;
const textOf = (value) => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));

function queryValue(random, field) {
  const value = random.chance(4) && field.bad?.length > 0 ? random.pick(field.bad) : random.pick(field.good.length > 0 ? field.good : ['x']);
  const text = textOf(value);
  return field.kind === 'text' && random.chance(30) ? ([...text][0] ?? '') : text;
}

// The fields of a type and of those that it leads to, as paths.
function pathsOf(random, type, depth = 0) {
  const own = [...readable(type), ...type.keys.filter((key) => !key.relation && !key.isServerMade)].map((field) => ({ ...field, path: field.name }));
  if (depth > 1 || type.toOne.length === 0 || !random.chance(35)) return own;
  const relation = random.pick(type.toOne);
  return pathsOf(random, relation.target, depth + 1).map((field) => ({ ...field, path: `${relation.name}.${field.path}` }));
}

function filterParameter(random, type) {
  const field = random.pick(pathsOf(random, type));
  const isText = ['text', 'code', 'mail', 'link'].includes(field.kind);
  const fitting = field.isList || field.kind === 'json' || field.isEmbedded ? ['isNull'] : isText ? operators : field.kind === 'flag' || field.kind === 'bytes' ? ['eq', 'ne', 'isNull'] : operators.filter((name) => !/With|contains/.test(name));
  const operator = random.chance(97) ? random.pick(fitting) : random.pick(operators);
  const name = operator === 'eq' && random.chance(50) ? field.path : `${field.path}[${operator}]`;
  if (operator === 'isNull') return `${enc(name)}=${random.pick(['true', 'false'])}`;
  if (operator === 'in') return `${enc(name)}=${Array.from({ length: random.between(1, 3) }, () => enc(queryValue(random, field))).join(',')}`;
  return `${enc(name)}=${enc(queryValue(random, field))}`;
}

// ---- the rule language ----

// Of what engines read differently (tests/e2e/regex.test.mjs has all of it), and one that is refused.
const patterns = ['^[a-zé]+.?$', '(?i)É|a\\b', '^\\W', '\\p{Lu}.', '(?m)^[^a]*$', '\\P{L}\\z', 'a(?!b)'];

function comparison(random, type, prefix = '') {
  const field = random.pick(prefix === '' ? pathsOf(random, type) : readable(type).map((f) => ({ ...f, path: f.name })));
  const path = `${prefix}${field.path}`;
  if (random.chance(8)) return `${path} ${random.pick(['==', '!='])} null`;
  if (field.kind === 'flag') return random.pick([path, `!${path}`, `${path} == true`, `${path} != false`]);
  if (field.isList) return random.pick([`size(${path}) > 1`, field.kind === 'tags' ? `"a" in ${path}` : `1 in ${path}`, field.kind === 'tags' ? `${path}.exists(x, x.startsWith("b"))` : `${path}.all(x, x > 0)`]);
  if (field.kind === 'text' && random.chance(60)) {
    const literal = JSON.stringify(random.pick(['a', 'é', '%', '_', '\\', '', 'A', '😀', 'e']));
    return random.pick([`${path}.contains(${literal})`, `${path}.startsWith(${literal})`, `${path}.endsWith(${literal})`, `size(${path}) ${random.pick(['<', '>=', '=='])} 2`, `${path}.matches(${JSON.stringify(random.pick(patterns))})`]);
  }
  if (field.literal === undefined) return `${path} == null`;
  const literal = () => field.literal(random.pick(field.good));
  if (['whole', 'small'].includes(field.kind) && random.chance(40))
    return random.pick([`${path} + 1 > ${literal()}`, `${path} * 2 <= 14`, `${path} / 2 == 1`, `${path} % 3 == 1`, `-${path} < 0`, `${path} / (${path} - 1) > 0`]);
  if (random.chance(15)) return `${path} in [${literal()}, ${literal()}]`;
  const orders = field.kind === 'state' ? ['==', '!='] : ['==', '!=', '<', '<=', '>', '>='];
  return `${path} ${random.pick(orders)} ${literal()}`;
}

function expression(random, type, depth = 0) {
  const deeper = () => expression(random, type, depth + 1);
  return random.weighted([
    [depth > 1 ? 9 : 4, () => comparison(random, type)], [depth > 2 ? 0 : 2, () => `(${deeper()} && ${deeper()})`], [depth > 2 ? 0 : 2, () => `(${deeper()} || ${deeper()})`],
    [depth > 2 ? 0 : 1, () => `!(${deeper()})`], [depth > 1 ? 0 : 0.6, () => `(${deeper()} ? ${deeper()} : ${deeper()})`],
    [type.toMany.length > 0 ? 1 : 0, () => {
      const relation = random.pick(type.toMany);
      return `${relation.many}.${random.pick(['exists', 'all'])}(x, ${comparison(random, relation.source, 'x.')})`;
    }],
    [type.toMany.length > 0 ? 0.5 : 0, () => `size(${random.pick(type.toMany).many}) ${random.pick(['>', '=='])} ${random.below(3)}`],
    [type.toOne.length > 0 ? 0.5 : 0, () => `has(${random.pick(type.toOne).name})`],
  ])();
}

// ---- lists ----

function sortOf(random, type) {
  const names = [];
  for (let i = random.between(1, 3); i > 0; i--) {
    const relation = type.toOne.length > 0 && random.chance(15) ? random.pick(type.toOne) : null;
    const field = random.pick(sortable(relation ? relation.target : type));
    names.push(`${random.chance(45) ? '-' : ''}${relation ? `${relation.name}.` : ''}${field.name}`);
  }
  return names.filter((name, i) => names.findIndex((other) => other.replace('-', '') === name.replace('-', '')) === i).join(',');
}

// Nested lists' parameters are added to `parameters`.
function selectionOf(random, type, parameters, path = '', depth = 0) {
  const names = random.chance(40) ? ['*'] : random.some(readable(type), 50).map((field) => field.name);
  if (names.length === 0) names.push(random.pick(readable(type)).name);
  if (depth < 3) {
    for (const relation of random.some(type.toOne, 30)) names.push(`${relation.name}(${selectionOf(random, relation.target, parameters, `${path}${relation.name}.`, depth + 1)})`);
    for (const relation of random.some(type.toMany, 30)) {
      const place = `${path}${relation.many}`;
      names.push(`${relation.many}(${selectionOf(random, relation.source, parameters, `${place}.`, depth + 1)})`);
      if (random.chance(40)) parameters.push(`${place}.limit=${random.between(1, 4)}`);
      if (random.chance(40)) parameters.push(`${place}.sort=${enc(sortOf(random, relation.source))}`);
      if (random.chance(25)) parameters.push(`${place}.filter=${enc(expression(random, relation.source, 2))}`);
    }
  }
  return names.join(',');
}

export function listParameters(random, type, { isPage = true } = {}) {
  const parameters = [];
  for (let i = random.weighted([[5, 0], [4, 1], [2, 2], [1, 3]]); i > 0; i--) parameters.push(filterParameter(random, type));
  if (random.chance(30)) parameters.push(`filter=${enc(expression(random, type))}`);
  if (random.chance(60)) parameters.push(`sort=${enc(sortOf(random, type))}`);
  if (random.chance(40)) parameters.push(`fields=${enc(selectionOf(random, type, parameters))}`);
  if (isPage && random.chance(60)) parameters.push(`limit=${random.weighted([[6, random.between(1, 6)], [2, 100], [1, 0], [0.2, 101], [0.2, -1]])}`);
  if (isPage && random.chance(25)) parameters.push('count=exact');
  if (random.chance(2)) parameters.push(random.pick(['nothing=1', 'sort=nothing', 'fields=nothing', 'filter=1%20%2B', 'limit=x', 'after=x']));
  return parameters;
}

const join = (path, parameters) => (parameters.length > 0 ? `${path}?${parameters.join('&')}` : path);

function list(random, world, type) {
  const parameters = listParameters(random, type);
  const path = `/v1/${type.path}`;
  return { method: 'GET', target: join(path, parameters), type, shape: 'list', page: { path, parameters } };
}

// On from the page that an earlier answer gave a cursor for.
function turn(random, world, type) {
  if (world.cursors.length === 0) return list(random, world, type);
  const cursor = random.pick(world.cursors);
  const { path, parameters } = cursor.page;
  const kept = parameters.filter((parameter) => !/^(after|before)=/.test(parameter));
  return { method: 'GET', target: join(path, [...kept, `${cursor.direction}=${cursor.ref}`]), type: cursor.type, shape: 'list', page: { path, parameters: kept } };
}

function single(random, world, type) {
  const parameters = random.chance(50) ? [] : (() => { const more = []; const fields = selectionOf(random, type, more); return [`fields=${enc(fields)}`, ...more]; })();
  const row = world.row(type);
  const headers = random.chance(8) && row.tag ? { [random.pick(['If-None-Match', 'If-Match'])]: row.tag } : {};
  return { method: random.chance(6) ? 'HEAD' : 'GET', target: join(`/v1/${type.path}/${row.path}`, parameters), headers, type, shape: 'row' };
}

function children(random, world, type) {
  if (type.toMany.length === 0) return list(random, world, type);
  const relation = random.pick(type.toMany);
  const path = `/v1/${type.path}/${world.row(type).path}/${relation.many.replace(/([A-Z])/g, '-$1').toLowerCase()}`;
  const parameters = listParameters(random, relation.source);
  return { method: 'GET', target: join(path, parameters), type: relation.source, shape: 'list', page: { path, parameters } };
}

function aggregate(random, world, type) {
  const parameters = [];
  const groups = random.some([...readable(type).filter((field) => ['small', 'state', 'flag', 'text', 'code', 'day'].includes(field.kind)).map((field) => field.name), ...type.toOne.flatMap((relation) => relation.keyNames)], 30);
  if (groups.length > 0) parameters.push(`by=${groups.slice(0, 3).join(',')}`);
  const metrics = ['count'];
  for (const field of random.some(readable(type), 60)) {
    if (['whole', 'small', 'big', 'amount', 'price'].includes(field.kind)) metrics.push(`${random.pick(['sum', 'avg', 'min', 'max'])}(${field.name})`);
    else if (['text', 'moment', 'day', 'state', 'real'].includes(field.kind)) metrics.push(`${random.pick(['min', 'max'])}(${field.name})`);
  }
  parameters.push(`metrics=${random.some(metrics, 80).join(',') || 'count'}`);
  if (random.chance(50)) parameters.push(filterParameter(random, type));
  if (random.chance(20)) parameters.push(`filter=${enc(expression(random, type, 1))}`);
  return { method: 'GET', target: join(`/v1/${type.path}:aggregate`, parameters), type, shape: 'other' };
}

function exportAll(random, world, type) {
  const parameters = random.chance(50) ? listParameters(random, type, { isPage: false }) : [];
  return { method: 'GET', target: join(`/v1/${type.path}`, parameters), headers: { Accept: random.pick(['application/x-ndjson', 'text/csv']) }, type, shape: 'other' };
}

export const reads = [[40, list], [12, turn], [16, single], [8, children], [10, aggregate], [6, exportAll]];
