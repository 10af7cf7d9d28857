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

// `orderBy` goes through relations, not into embedded values.
export function checkOrder(schema, resource, sort) {
  for (const term of sort.split(',')) {
    const [first, ...rest] = term.replace(/^-/, '').split('.');
    const field = resource.fields.find(({ name }) => name === first);
    if (rest.length > 0 && field !== undefined && field.rowType === undefined) notHere('an order by an embedded value');
  }
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

// The groups of an aggregate, and their metrics.
export function selectMetrics(schema, resource, by = '', metrics = 'count', answer) {
  const paths = by === '' ? [] : by.split(',');
  const wanted = new Map();
  for (const metric of metrics.split(',')) {
    const [, name, field] = /^(count|sum|avg|min|max)(?:\((\w+)\))?$/.exec(metric) ?? notHere(`the metric ${metric}`);
    if ((name === 'count') !== (field === undefined)) notHere(`the metric ${metric}`);
    wanted.set(name, [...(wanted.get(name) ?? []), ...(field === undefined ? [] : [field])]);
  }
  // Groups are made by a row's own fields and those one relation away, not by members of embedded values.
  for (const [first, ...rest] of paths.map((path) => path.split('.'))) {
    const isRow = resource.fields.some(({ name, rowType }) => name === first && rowType !== undefined);
    if (rest.length > 1 || (rest.length === 1 && !isRow)) notHere('groups by what is further away');
  }
  const enumNames = paths.map((path) => path.replaceAll('.', '_'));
  if (answer.members.some(([name, text]) => name === 'hint' && text.includes('.'))) notHere('a hint in the words of REST');
  const group = paths.length === 0 ? '' : `by { ${enumNames.join(' ')} }`;
  const selection = `{ ${group} ${[...wanted].map(([name, fields]) => (fields.length === 0 ? name : `${name} { ${fields.join(' ')} }`)).join(' ')} }`;
  const read = (item) => ({
    by: Object.fromEntries(paths.map((path, i) => [path, item.by[enumNames[i]]])),
    ...Object.fromEntries([...wanted].sort(([a], [b]) => kinds.indexOf(a) - kinds.indexOf(b)).map(([name, fields]) => [name, fields.length === 0 ? item[name] : Object.fromEntries(fields.map((field) => [field, item[name][field]]))])),
  });
  return { by: enumNames, selection, read };
}
