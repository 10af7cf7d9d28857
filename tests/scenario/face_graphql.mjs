// face_graphql.mjs - plays a scenario's steps over GraphQL, as far as their words have a meaning there; the others are played over REST, against
// the same server, so that the story goes on. What is left to REST, and why, is each `notHere` below; README.md says the rule in words.
import fs from 'node:fs';
import { rest } from './face_rest.mjs';
import { makeArguments, makeWhere, selectFields, selectMetrics } from './graphql_words.mjs';
import { readSchema } from './graphql_schema.mjs';
import { fill, matchJson, matchText } from './match.mjs';
import { notHere } from './session.mjs';

const codes = { 400: 'BAD_REQUEST', 401: 'UNAUTHENTICATED', 403: 'FORBIDDEN', 404: 'NOT_FOUND', 409: 'CONFLICT', 412: 'PRECONDITION_FAILED', 413: 'TOO_LARGE', 422: 'VALIDATION_FAILED', 428: 'PRECONDITION_REQUIRED' };

// ---- what is sent ----

// A call: the document, its variables as JSON texts (so that numbers stay what they were), and how the data becomes REST's answer. Several fields in
// one document each have their own name for what is theirs.
function makeDocument(kind, parts) {
  const given = parts.flatMap(({ args, prefix }) => args.filter(({ text }) => text !== undefined).map((one) => ({ ...one, variable: `${prefix}${one.name}` })));
  const head = given.length === 0 ? '' : `(${given.map(({ variable, type }) => `$${variable}: ${type}`).join(', ')})`;
  const fields = parts.map(({ alias, prefix, field, args, selection }) => {
    const values = args.filter(({ text }) => text !== undefined).map(({ name }) => `${name}: $${prefix}${name}`);
    return `${alias}: ${field}${values.length === 0 ? '' : `(${values.join(', ')})`} ${selection}`;
  });
  return { query: `${kind} Step${head} { ${fields.join(' ')} }`, variables: `{${given.map(({ variable, text }) => `${JSON.stringify(variable)}:${text}`).join(',')}}` };
}

function makeCall(kind, field, args, selection, read) {
  return { ...makeDocument(kind, [{ alias: 'answer', prefix: '', field, args, selection }]), read };
}

// A connection's cursors are its rows': an empty one has none to tell, and says only that there are rows before it or behind it.
const cursor = (isThere, text, expected) => (isThere ? text ?? expected ?? 'a page of which REST says nothing' : null);

const page = ({ nodes, pageInfo, totalCount }, readRow, expected) => ({
  items: nodes.map(readRow),
  nextCursor: cursor(pageInfo.hasNextPage, pageInfo.endCursor, expected?.nextCursor),
  prevCursor: cursor(pageInfo.hasPreviousPage, pageInfo.startCursor, expected?.prevCursor),
  ...(totalCount === undefined ? {} : { count: totalCount }),
});

function keyArguments(schema, field, text) {
  if (text.includes(',,') || text.startsWith(',') || text.endsWith(',')) notHere('a key as a path writes it');
  const parts = text.split(',').map(decodeURIComponent);
  const keys = field.args.filter(({ name }) => name !== 'input' && name !== 'ifMatch');
  if (parts.length !== keys.length) notHere('a key of another form');
  if (keys.some(({ named }, i) => schema.types.get(named)?.kind === 'ENUM' && !schema.types.get(named).enumValues.some(({ name }) => name === parts[i]))) notHere('a key that no enum has');
  return keys.map(({ name, type, named }, i) => ({ name, type, text: JSON.stringify(named === 'Int' && /^-?\d+$/.test(parts[i]) ? Number(parts[i]) : parts[i]) }));
}

// The parameters of a list as arguments of the field; `nested` takes those of the lists within.
function listParts(schema, resource, field, query, answer) {
  const own = new Map();
  const nested = new Map();
  const filters = [];
  for (const [name, value] of query) {
    if (['filter', 'sort', 'limit', 'after', 'before', 'count', 'fields', 'q', 'distinct'].includes(name)) own.set(name, value);
    else if (/^[\w.]+\.(filter|sort|limit|count)$/.test(name) && !schema.isFilterPath(resource, name)) nested.set(name, value);
    else filters.push([name, value]);
  }
  if (own.has('count') && own.get('count') !== 'exact') notHere('another count');
  const { selection, read } = selectFields(schema, resource, own.get('fields'), nested);
  const args = makeArguments(field, own);
  const where = makeWhere(schema, resource, filters, answer);
  if (where !== undefined) args.push({ name: 'where', type: `${resource.name}Where`, text: JSON.stringify(where) });
  return { args, read, selection: `{ nodes ${selection} pageInfo { hasNextPage endCursor hasPreviousPage startCursor }${own.has('count') ? ' totalCount' : ''} }` };
}

function translateList(schema, resource, query, answer) {
  const { args, selection, read } = listParts(schema, resource, resource.list, query, answer);
  return makeCall('query', resource.list.name, args, selection, (data, expected) => page(data, read, expected));
}

// A list within a row that begins behind a cursor is said to have rows before it, and likewise the other way: it does not look whether they are still there.
function unlooked(list, query, expected) {
  const given = new Map(query);
  return { ...list, ...(given.has('after') ? { prevCursor: expected?.prevCursor } : {}), ...(given.has('before') ? { nextCursor: expected?.nextCursor } : {}) };
}

// A sub-resource is a list within its parent's row.
function translateWithin(schema, resource, key, child, query, answer) {
  const field = resource.fields.find(({ name }) => name === child || schema.pathOf(name) === child);
  if (!field?.isList) notHere('no list within');
  if ([401, 403].includes(answer.status)) notHere('a sub-resource that is refused whatever the row: within the row it is empty');
  const target = schema.byName(field.rowType);
  const { args, selection, read } = listParts(schema, target, field, query, answer);
  const given = args.map((one) => ({ ...one, name: `in_${one.name}` }));
  const values = given.length === 0 ? '' : `(${args.map(({ name }) => `${name}: $in_${name}`).join(', ')})`;
  const keys = keyArguments(schema, resource.one, key);
  const all = [...keys, ...given];
  const query_ = `query Step(${all.map(({ name, type }) => `$${name}: ${type}`).join(', ')}) { answer: ${resource.one.name}(${keys.map(({ name }) => `${name}: $${name}`).join(', ')}) { list: ${field.name}${values} ${selection} } }`;
  return { query: query_, variables: `{${all.map(({ name, text }) => `${JSON.stringify(name)}:${text}`).join(',')}}`, read: (data, expected) => unlooked(page(data.list, read, expected), query, expected), isRow: true };
}

function translateAggregate(schema, resource, query, answer) {
  const filters = query.filter(([name]) => !['by', 'metrics', 'having', 'sort', 'limit', 'filter', 'q'].includes(name));
  if (query.some(([name]) => name === 'after')) notHere('pages of groups');
  const given = new Map(query);
  const { args, selection, read } = selectMetrics(schema, resource, given, answer);
  args.push(...makeArguments(resource.aggregate, new Map(['filter', 'q'].filter((name) => given.has(name)).map((name) => [name, given.get(name)]))));
  const where = makeWhere(schema, resource, filters, answer);
  if (where !== undefined) args.push({ name: 'where', type: `${resource.name}Where`, text: JSON.stringify(where) });
  return makeCall('query', resource.aggregate.name, args, selection, (data) => ({ items: data.map(read) }));
}

function readBody(text) {
  try { return JSON.parse(text); } catch { return notHere('a body that is no JSON'); }
}

// GraphQL takes one item for a list of it (§3.11), which REST refuses.
function checkLists(schema, type, value) {
  const fields = schema.inputs.get(type);
  if (fields === undefined || value === null || typeof value !== 'object') return;
  for (const row of Array.isArray(value) ? value : [value]) {
    for (const [name, inner] of Object.entries(row ?? {})) {
      if (inner !== null && !Array.isArray(inner) && schema.isList(type, name)) notHere('one item in the place of a list');
      checkLists(schema, fields.get(name), inner);
    }
  }
}

// What a write may name over REST and not in GraphQL's input (the key, what is read-only), unless it is the input that is to be refused.
function checkInput(schema, type, body, answer) {
  if (body === null || typeof body !== 'object') return;
  for (const row of Array.isArray(body) ? body : [body]) {
    if (row === null || typeof row !== 'object') continue;
    for (const name of Object.keys(row)) if (!schema.inputs.get(type)?.has(name) && answer.status !== 422) notHere(`${name}, which is no input`);
  }
}

function translateWrite(schema, resource, request, key, query, text, etag, answer) {
  for (const [name] of query) if (name !== 'fields') notHere('parameters of a write');
  const { selection, read } = selectFields(schema, resource, new Map(query).get('fields'), new Map());
  const row = (data) => (data === null ? null : read(data));
  const verb = { POST: 'create', PATCH: 'update', DELETE: 'delete' }[request.method] ?? notHere('the method');
  if ((verb === 'create') !== (key === undefined)) notHere('the path');
  if (verb === 'delete') {
    if (text !== null) notHere('the body of a delete');
    const args = keyArguments(schema, resource.delete ?? notHere('no delete'), key);
    return { field: resource.delete.name, args: [...args, { name: 'ifMatch', type: 'String', text: etag }], selection: '{ __typename }', read: () => undefined };
  }
  if (text === null) notHere('no body');
  const body = readBody(text);
  // Twice the same name is told from once by REST's reader alone.
  if (answer.status === 400) notHere('a body that breaks JSON, or is too deep');
  const isMany = Array.isArray(body);
  if (isMany && verb !== 'create') notHere('the patch is an array');
  const field = (isMany ? resource.createMany : resource[verb]) ?? notHere(`no ${verb}`);
  const input = field.args.find(({ name }) => name === (isMany ? 'inputs' : 'input'));
  checkInput(schema, input.named, body, answer);
  checkLists(schema, input.named, body);
  if (verb === 'update' && body !== null) {
    for (const [name, value] of Object.entries(body)) {
      const isRelation = resource.fields.some((one) => one.name === name && one.rowType);
      if (value !== null && typeof value === 'object' && !Array.isArray(value) && !isRelation) notHere('a merge within a value');
    }
  }
  const args = [...(verb === 'update' ? keyArguments(schema, field, key) : []), { name: input.name, type: input.type, text }];
  if (verb === 'update') args.push({ name: 'ifMatch', type: 'String', text: etag });
  return { field: field.name, args, selection, read: isMany ? (data) => ({ items: data.map(row) }) : row };
}

// All mutations of a request are one transaction, as all operations of a batch are.
function translateBatch(schema, text, answer) {
  const { operations } = readBody(text);
  if (answer.status === 400 || !Array.isArray(operations) || operations.length === 0) notHere('a batch that is none');
  if (/"\$ref"/.test(text)) notHere('references to earlier results');
  const parts = operations.map((operation, i) => {
    const { method, path, headers = {}, body } = operation;
    const { etag, headers: left } = headersOf({ method, headers: Object.entries(headers) }, new Map());
    if (method === 'GET' || Object.keys(left).length > 0) notHere('a read among writes');
    const [, name, key] = /^\/\w+\/([\w-]+)(?:\/([^/?]+))?$/.exec(path) ?? notHere('a path of the batch');
    const part = translateWrite(schema, schema.resources.get(name) ?? notHere('no resource'), { method }, key, [], body === undefined ? null : JSON.stringify(body), etag, answer);
    return { ...part, alias: `a${i}`, prefix: `a${i}_` };
  });
  // What of a result is HTTP's stands as it is expected.
  const read = (data, expected) => ({ results: parts.map((part, i) => ({ ...expected?.results?.[i], body: part.read(data[part.alias]) ?? null })) });
  return { ...makeDocument('mutation', parts), read, isBatch: true };
}

function headersOf(request, variables) {
  const left = {};
  let etag;
  for (const [name, value] of request.headers) {
    const text = fill(value, variables);
    if (name.toLowerCase() === 'if-match' && ['PATCH', 'DELETE'].includes(request.method)) etag = JSON.stringify(/,/.test(text) ? notHere('several tags') : text);
    else if (name.toLowerCase() === 'authorization') left.Authorization = text;
    else if (name.toLowerCase() !== 'content-type' || !['application/json', 'application/merge-patch+json'].includes(text)) notHere(`the header ${name}`);
  }
  return { etag, headers: left };
}

function translate(schema, step, variables, etag) {
  const { request, answer } = step;
  const [target, search = ''] = fill(request.target, variables).split('?');
  const query = [...new URLSearchParams(search), ...request.query.map(([name, value]) => [name, fill(value, variables)])];
  if (new Set(query.map(([name]) => name)).size !== query.length) notHere('a parameter twice');
  const text = request.body === null ? null : fill(request.body, variables);
  if (request.method === 'POST' && /^\/\w+\/batch$/.test(target) && query.length === 0 && text !== null && !schema.resources.has('batch')) return translateBatch(schema, text, answer);
  const match = /^\/\w+\/([\w-]+)(:aggregate)?(?:\/([^/]+)(?:\/([^/]+))?)?$/.exec(target) ?? notHere('the path');
  const [, name, isAggregate, key, child] = match;
  const resource = schema.resources.get(name) ?? notHere('no resource');
  if (request.method !== 'GET') {
    if (child !== undefined || isAggregate) notHere('a write to a path within');
    const { field, args, selection, read } = translateWrite(schema, resource, request, key, query, text, etag, answer);
    return makeCall('mutation', field, args, selection, read);
  }
  if (isAggregate && key !== undefined) notHere('the path');
  if (isAggregate) return translateAggregate(schema, resource, query, answer);
  if (key === undefined) return translateList(schema, resource, query, answer);
  if (child !== undefined) return translateWithin(schema, resource, key, child, query, answer);
  const nested = new Map(query);
  nested.delete('fields');
  const { selection, read } = selectFields(schema, resource, new Map(query).get('fields'), nested);
  return { ...makeCall('query', resource.one.name, keyArguments(schema, resource.one, key), selection, read), isRow: true };
}

// ---- what comes back ----

// What the type system refuses before anything is looked at (GraphQL §6.1.2): a missing or unknown field, a value of another type, a name that no
// enum has. REST tells the same at the same places as mistakes of the input, together with those that only the program knows.
const kinds = [
  [/^no such field/, ['UNKNOWN_FIELD']],
  [/^(a value is needed|must not be null)/, ['REQUIRED', 'TYPE']],
  [/^(the value is no|an object is expected)/, ['TYPE', 'ENUM', 'RANGE']],
];

function checkCoercion(call, answer, errors) {
  const got = errors.map(({ message }) => {
    const [, at, why] = /^Variable "\$\w+": at "\w+([^"]*)": (.*)$/s.exec(message) ?? [];
    const pointer = (at ?? '').replace(/\[(\d+)\]/g, '.$1').replaceAll('.', '/');
    const name = /^(?:no such field: |a value is needed for )(\w+)/.exec(why ?? '')?.[1];
    const [, meant] = kinds.find(([pattern]) => pattern.test(why ?? '')) ?? [null, []];
    return { pointer: name === undefined ? pointer : `${pointer}/${name}`, why, meant, isNoInput: /^no such field/.test(why ?? '') && call.schema.isField(name) };
  });
  if (![null, 'VALIDATION_FAILED'].includes(answer.code)) return `expected ${answer.code}, got mistakes of the input`;
  // REST takes a key, or what is read-only, where it says what is already so; here it is no input at all.
  const isMeant = ({ pointer, meant, isNoInput }) => isNoInput || answer.errors.some((expected) => expected.pointer === pointer && [...meant, '*'].includes(expected.code));
  const wrong = got.find((one) => !isMeant(one));
  if (answer.errors.length > 0 && wrong) return `a mistake is told at ${wrong.pointer}, where none is expected: ${wrong.why}`;
  const missed = answer.errors.find(({ pointer, code }) => ['UNKNOWN_FIELD', 'ENUM'].includes(code) && !got.some((one) => one.pointer === pointer));
  return missed ? `the mistake at ${missed.pointer} (${missed.code}) is not told` : null;
}

function checkErrors(call, answer, errors) {
  const [{ message, extensions }] = errors;
  const isCoercion = extensions.code === 'BAD_REQUEST' && errors.every((error) => /^Variable "\$\w*inputs?": /.test(error.message));
  // GraphQL has read its request only once the variables are of their types: that comes before access (INTERFACE.md §2, order of refusals).
  if (isCoercion && [401, 403].includes(answer.status)) notHere('access before the types of the input');
  // And the inputs of all fields before it does the first.
  if (isCoercion && call.isBatch) notHere('the types of all inputs before the first write');
  if (isCoercion && answer.status === 422) return checkCoercion(call, answer, errors);
  const code = answer.code ?? codes[answer.status] ?? notHere('a status of HTTP alone');
  if (extensions.code !== code) return `expected the code ${code}, got ${extensions.code}`;
  // Of a batch, the operation that has failed.
  const operation = /^a(\d+)$/.exec(errors[0].path?.[0] ?? '')?.[1] ?? '';
  const told = { operation, rule: extensions.rule ?? '', hint: extensions.hint ?? '', detail: message };
  for (const [name, text] of answer.members) {
    for (const word of name === 'rule' ? text.split(' ') : [text]) if (!told[name].includes(word)) return `expected "${name}" to name "${word}", got ${told[name]}`;
  }
  for (const pattern of answer.patterns) if (!new RegExp(pattern, 's').test(JSON.stringify(errors))) return `the errors do not match ${pattern}`;
  if (answer.errors.length === 0) return null;
  if ((extensions.errors ?? [])[0]?.pointer !== extensions.pointer) return `extensions.pointer is not the first mistake's: ${extensions.pointer}`;
  return matchJson({ 'errors~': answer.errors.map((error) => ({ pointer: error.pointer, code: error.code === '*' ? '$string' : error.code, '...': 1 })), '...': 1 }, { errors: extensions.errors ?? [] }, new Map());
}

function checkAnswer(call, answer, body, variables) {
  if (body.errors) return answer.status >= 400 ? checkErrors(call, answer, body.errors) : 'expected an answer, got errors';
  const data = call.isBatch ? body.data : body.data.answer;
  // "A single row that is hidden or absent is null without an error."
  if (call.isRow && data === null) return answer.status === 404 && [null, 'NOT_FOUND'].includes(answer.code) ? null : `expected ${answer.status}, got no row`;
  if (answer.status >= 400) return `expected ${answer.status} ${answer.code ?? ''}, and it was answered`;
  const expected = answer.exact === null ? answer.body : JSON.parse(answer.exact);
  const value = call.read(data, expected);
  if (answer.isEmpty) return value === undefined || value === null ? null : 'expected nothing, for who may not read it';
  return expected === undefined ? null : matchJson(expected, value, variables);
}

// What of an answer is HTTP's. Location, Link and the type of a body are REST's way to say what GraphQL says otherwise; WWW-Authenticate is said here
// too; the tag of a row read or changed here is the one that REST then gives it.
function checkWords({ request, answer }) {
  for (const [name, expected] of answer.headers) {
    if (name === 'etag' && ['GET', 'PATCH'].includes(request.method) && answer.status === 200) continue;
    if (name === 'www-authenticate') continue;
    if (!['content-type', 'location', 'link'].includes(name)) notHere(`the header ${name} of the answer`);
    if (/\$[A-Z]/.test(expected)) notHere('a header that is kept');
  }
  if (answer.absent.length > 0 || (answer.status < 400 && answer.patterns.length > 0)) notHere('an answer in the words of HTTP');
  if (answer.status === 304 || (answer.status >= 400 && (answer.exact !== null || answer.isEmpty || answer.body !== undefined))) notHere('an answer in the words of HTTP');
}

async function checkTag(face, { request, answer }, variables) {
  const tags = answer.headers.filter(([name]) => name === 'etag');
  if (tags.length === 0) return null;
  const asked = { ...request, method: 'GET', headers: [], body: null };
  const wanted = { ...answer, headers: tags, body: undefined, exact: null };
  return face.rest.play({ request: asked, answer: wanted }, variables);
}

async function play(face, step, variables) {
  const { request, answer } = step;
  checkWords(step);
  const { etag, headers } = headersOf(request, variables);
  const schema = await face.schema();
  const call = { ...translate(schema, step, variables, etag), schema };
  if (request.caller !== null && request.caller !== 'nobody') headers.Authorization = `Bearer ${face.tokens.get(request.caller)}`;
  const challenge = answer.headers.find(([name]) => name === 'www-authenticate');
  // In this media type the status is free to say that a stranger is asked who it is.
  if (challenge) headers.Accept = 'application/graphql-response+json';
  const text = `{"query":${JSON.stringify(call.query)},"variables":${call.variables}}`;
  const response = await face.client.request('POST', '/graphql', { headers: { ...headers, 'Content-Type': 'application/json' }, body: text });
  const body = JSON.parse(response.text);
  // A bad token is no matter of GraphQL's: the answer is the problem document.
  const isProblem = (response.headers.get('content-type') ?? '').startsWith('application/problem+json');
  const difference = (isProblem ? checkErrors(call, answer, [{ message: body.detail, extensions: body }]) : checkAnswer(call, answer, body, variables))
    ?? (challenge && !matchText(challenge[1], response.headers.get('www-authenticate'), variables) ? `expected ${challenge[1]}, got ${response.headers.get('www-authenticate')}` : null)
    ?? await checkTag(face, step, variables);
  return difference === null ? null : `${difference}\nsent: ${text.slice(0, 800)}\nanswer: ${response.status} ${response.text.slice(0, 1500)}`;
}

export const graphql = {
  name: 'graphql',
  least: 0.6,
  open(server, tokens) {
    const other = rest.open(server, tokens);
    const client = server.client();
    const contract = fs.readFileSync(server.contractPath, 'utf8');
    let schema;
    const face = { client, tokens, rest: other, schema: () => (schema ??= readSchema(client, contract)) };
    return {
      play: (step, variables) => play(face, step, variables),
      close() {
        client.close();
        other.close();
      },
    };
  },
};
