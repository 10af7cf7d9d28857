// graphql_words.mjs - the parameters of REST in GraphQL's words: filters as `where`, sorts as `orderBy`, `fields` as a selection.
import { notHere } from './session.mjs';

// ---- arguments ----

export function makeOrder(sort) {
  return sort.split(',').map((term) => {
    const isDown = term.startsWith('-');
    const names = (isDown ? term.slice(1) : term).split('.');
    return names.reduceRight((inner, name) => ({ [name]: inner }), isDown ? 'DESC' : 'ASC');
  });
}

const count = (text) => (/^-?\d+$/.test(text) ? Number(text) : text);

// Of a list field; each with its type and its value's text.
export function makeArguments(field, given) {
  const isBack = given.has('before');
  const made = {
    filter: given.get('filter'),
    orderBy: given.has('sort') ? makeOrder(given.get('sort')) : undefined,
    [isBack ? 'last' : 'first']: given.has('limit') ? count(given.get('limit')) : undefined,
    after: given.get('after'),
    before: given.get('before'),
    search: given.get('q'),
    distinct: given.has('distinct') ? given.get('distinct') === 'true' : undefined,
  };
  if (given.has('q') && !field.args.some(({ name }) => name === 'search')) notHere('a search where there is nothing to search in');
  if (given.has('distinct') && !['true', 'false'].includes(given.get('distinct'))) notHere('a Boolean that is none');
  if (isBack && given.has('after')) notHere('pages both ways');
  return field.args.filter(({ name }) => made[name] !== undefined).map(({ name, type }) => ({ name, type, text: JSON.stringify(made[name]) }));
}

// A parameter's text in the form of the operator's type; what has none is sent as it is, to be refused.
function value(type, text) {
  if (type === 'Int' || type === 'Float') return /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
  if (type === 'Boolean') return text === 'true' ? true : text === 'false' ? false : text;
  return text;
}

function makeOne(schema, resource, name, text, answer) {
  const [, path, op = 'eq'] = /^([\w.]+)(?:\[(\w+)\])?$/.exec(name) ?? notHere('a name that is none');
  const names = path.split('.');
  let type = `${resource.name}Where`;
  for (const part of names) {
    const next = schema.inputs.get(type)?.get(part);
    // An unknown name is refused here too, but not every parameter is a field: `limt` is no word of GraphQL's.
    if (next === undefined) {
      const hinted = answer.members.find(([member]) => member === 'hint')?.[1];
      if (answer.status !== 400 || (hinted !== undefined && !schema.inputs.get(type)?.has(hinted)) || !answer.members.length) notHere(`the parameter ${name}`);
      break;
    }
    type = next;
  }
  const operators = schema.inputs.get(type);
  if (op === 'in' && /["\\]/.test(text)) notHere('a list in quotes');
  const operand = op === 'in' ? text.split(',').map((item) => value(operators?.get('in'), item)) : value(operators?.get(op), text);
  return names.reduceRight((inner, part) => ({ [part]: inner }), { [op]: operand });
}

export function makeWhere(schema, resource, filters, answer) {
  const all = filters.map(([name, text]) => makeOne(schema, resource, name, text, answer));
  return all.length === 0 ? undefined : all.length === 1 ? all[0] : { and: all };
}

// ---- selections ----

// "a,b(c,d)" as [{ name, inner }].
function parseFields(text) {
  let at = 0;
  const read = (depth) => {
    const fields = [];
    for (;;) {
      const name = /^(\*|\w+)/.exec(text.slice(at))?.[1] ?? notHere('fields that do not parse');
      at += name.length;
      const field = { name };
      if (text[at] === '(') {
        at++;
        field.inner = read(depth + 1);
        if (text[at++] !== ')') notHere('fields that do not parse');
      }
      fields.push(field);
      if (text[at] !== ',') return fields;
      at++;
    }
  };
  const fields = read(0);
  return at === text.length ? fields : notHere('fields that do not parse');
}

const depthOf = (fields) => 1 + Math.max(0, ...fields.map(({ inner }) => (inner ? depthOf(inner) : 0)));

// Every field of an embedded type.
function selectValue(schema, type) {
  if (type.kind !== 'OBJECT') return '';
  return `{ ${type.fields.map((field) => {
    let of = field.type;
    while (of.ofType) of = of.ofType;
    return `${field.name} ${selectValue(schema, schema.types.get(of.name))}`;
  }).join(' ')} }`;
}

function nestedArguments(path, nested) {
  const take = (word) => { const name = `${path}.${word}`; const text = nested.get(name); nested.delete(name); return text; };
  const [limit, sort, filter, count] = [take('limit'), take('sort'), take('filter'), take('count')];
  const order = (terms) => `[${terms.map((term) => JSON.stringify(term).replaceAll('"', '')).join(', ')}]`;
  const parts = [limit === undefined ? '' : `first: ${limit}`, sort === undefined ? '' : `orderBy: ${order(makeOrder(sort))}`, filter === undefined ? '' : `filter: ${JSON.stringify(filter)}`].filter((part) => part !== '');
  return { args: parts.length === 0 ? '' : `(${parts.join(', ')})`, isCounted: count === 'exact' };
}

function select(schema, resource, wanted, nested, path) {
  const known = (name) => resource.fields.find((field) => field.name === name);
  const isAll = wanted === undefined || wanted.some(({ name }) => name === '*');
  const isWanted = (field) => (isAll && field.rowType === undefined) || wanted?.some(({ name }) => name === field.name);
  const readers = [];
  const parts = resource.fields.filter(isWanted).map((field) => {
    const inner = wanted?.find(({ name }) => name === field.name)?.inner;
    if (field.rowType === undefined) {
      if (inner) notHere('fields of a value');
      readers.push([field.name, (data) => data]);
      return `${field.name} ${selectValue(schema, field.valueType)}`;
    }
    const at = path === '' ? field.name : `${path}.${field.name}`;
    const { args, isCounted } = field.isList ? nestedArguments(at, nested) : {};
    const { selection, read } = select(schema, schema.byName(field.rowType), inner, nested, at);
    readers.push([field.name, field.isList
      ? (data) => ({ items: data.nodes.map(read), nextCursor: data.pageInfo.hasNextPage ? data.pageInfo.endCursor : null, ...(isCounted ? { count: data.totalCount } : {}) })
      : (data) => (data === null ? null : read(data))]);
    return field.isList ? `${field.name}${args} { nodes ${selection} pageInfo { hasNextPage endCursor }${isCounted ? ' totalCount' : ''} }` : `${field.name} ${selection}`;
  });
  // A name that there is none of is asked for all the same: it is to be refused.
  for (const { name } of wanted ?? []) if (name !== '*' && !known(name)) parts.push(name);
  return { selection: `{ ${parts.join(' ')} }`, read: (row) => Object.fromEntries(readers.map(([name, read]) => [name, read(row[name])])) };
}

// `nested`: the arguments of lists within, by name.
export function selectFields(schema, resource, fields, nested) {
  const wanted = fields === undefined ? undefined : parseFields(fields);
  if (wanted && depthOf(wanted) > 5) notHere('the depth of fields');
  const left = new Map(nested);
  const selected = select(schema, resource, wanted, left, '');
  return left.size === 0 ? selected : notHere(`the parameter ${[...left.keys()][0]}`);
}

const kinds = ['count', 'sum', 'avg', 'min', 'max'];

function parseMetric(text) {
  const [, kind, field] = /^(count|sum|avg|min|max)(?:\((\w+)\))?$/.exec(text.trim()) ?? notHere(`the metric ${text}`);
  return (kind === 'count') === (field === undefined) ? { kind, field } : notHere(`the metric ${text}`);
}

const ofMetric = ({ kind, field }, value) => ({ [kind]: field === undefined ? value : { [field]: value } });

// What the groups are made by: names of the enum, or, where one of them is further away, paths. Their values stand accordingly.
function selectKeys(schema, resource, by) {
  const paths = by === '' ? [] : by.split(',');
  const known = new Set(schema.types.get(`${resource.name}GroupBy`)?.enumValues.map(({ name }) => name));
  const nameOf = (path) => path.replaceAll('.', '_');
  const isNear = paths.every((path) => known.has(nameOf(path)) || !path.includes('.'));
  const nest = (path, leaf) => path.split('.').reduceRight((inner, name) => ({ [name]: inner }), leaf);
  const selected = isNear ? paths.map(nameOf) : paths.map((path) => path.split('.').join(' { ') + ' }'.repeat(path.split('.').length - 1));
  const read = (values) => Object.fromEntries(paths.map((path) => [path, isNear ? values[nameOf(path)] : path.split('.').reduce((object, name) => object[name], values)]));
  return { args: paths.length === 0 ? {} : isNear ? { by: paths.map(nameOf) } : { byPath: paths.map((path) => nest(path, true)) }, selection: paths.length === 0 ? '' : `by { ${selected.join(' ')} }`, read };
}

const comparisons = { '==': 'eq', '!=': 'ne', '>': 'gt', '>=': 'gte', '<': 'lt', '<=': 'lte' };

// "count >= 2 && sum(price) > 29.40" as {count: {gte: 2}, sum: {price: {gt: "29.40"}}}.
function makeHaving(schema, resource, text) {
  const having = {};
  for (const condition of text.split('&&')) {
    const [, metric, operator, literal] = /^([^=!<>]+)(==|!=|>=|<=|>|<)\s*("[^"\\]*"|[^\s"']+)\s*$/.exec(condition) ?? notHere('conditions that are none');
    const { kind, field } = parseMetric(metric);
    let type = schema.inputs.get(`${resource.name}Having`).get(kind);
    if (field !== undefined) type = schema.inputs.get(type)?.get(field);
    const scalar = schema.inputs.get(type)?.get(comparisons[operator]);
    const at = field === undefined ? (having[kind] ??= {}) : ((having[kind] ??= {})[field] ??= {});
    if (comparisons[operator] in at) notHere('two conditions of one kind on one metric');
    at[comparisons[operator]] = literal === 'null' ? null : literal.startsWith('"') ? literal.slice(1, -1) : ['Int', 'Float'].includes(scalar) ? Number(literal) : literal;
  }
  return having;
}

const makeGroupOrder = (sort) => sort.split(',').map((term) => {
  const bare = term.replace(/^-/, '');
  return /^count$|\(/.test(bare) ? ofMetric(parseMetric(bare), bare === term ? 'ASC' : 'DESC') : { by: makeOrder(term)[0] };
});

// The groups of an aggregate, and their metrics.
export function selectMetrics(schema, resource, given, answer) {
  if (answer.members.some(([name, text]) => name === 'hint' && text.includes('.'))) notHere('a hint in the words of REST');
  const wanted = new Map();
  for (const { kind, field } of (given.get('metrics') ?? 'count').split(',').map(parseMetric)) wanted.set(kind, [...(wanted.get(kind) ?? []), ...(field === undefined ? [] : [field])]);
  const keys = selectKeys(schema, resource, given.get('by') ?? '');
  const selection = `{ ${keys.selection} ${[...wanted].map(([kind, fields]) => (fields.length === 0 ? kind : `${kind} { ${fields.join(' ')} }`)).join(' ')} }`;
  const read = (item) => ({
    by: keys.read(item.by ?? {}),
    ...Object.fromEntries([...wanted].sort(([a], [b]) => kinds.indexOf(a) - kinds.indexOf(b)).map(([kind, fields]) => [kind, fields.length === 0 ? item[kind] : Object.fromEntries(fields.map((field) => [field, item[kind][field]]))])),
  });
  const values = {
    ...keys.args,
    ...(given.has('having') ? { having: makeHaving(schema, resource, given.get('having')) } : {}),
    ...(given.has('sort') ? { orderBy: makeGroupOrder(given.get('sort')) } : {}),
    ...(given.has('limit') ? { first: count(given.get('limit')) } : {}),
  };
  const args = resource.aggregate.args.filter(({ name }) => name in values).map(({ name, type }) => ({ name, type, text: JSON.stringify(values[name]) }));
  return { args, selection, read };
}
