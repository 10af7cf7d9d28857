// face_grpc.mjs - plays a scenario's steps over gRPC, as far as their words have a meaning there; the others (nested writes, batches, pages
// backwards, headers of HTTP …) are played over REST, against the same server, so that the story goes on. What an answer must say is the same.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { program, root } from '../support/server.mjs';
import { fill, matchJson, matchText } from './match.mjs';
import { NotHere, notHere } from './session.mjs';

const modules = path.join(root, 'tests/grpc/node_modules');
const { createFileRegistry, fromBinary, fromJson, toJson } = await import(path.join(modules, '@bufbuild/protobuf/dist/esm/index.js'));
const { FileDescriptorSetSchema } = await import(path.join(modules, '@bufbuild/protobuf/dist/esm/wkt/index.js'));
const { ConnectError, createClient } = await import(path.join(modules, '@connectrpc/connect/dist/esm/index.js'));
const { createGrpcTransport } = await import(path.join(modules, '@connectrpc/connect-node/dist/esm/index.js'));
const { readStatus } = await import('../grpc/client.mjs');

const codes = { 400: [3], 401: [16], 403: [7], 404: [5], 409: [6, 9, 10], 412: [10], 413: [8], 422: [3], 428: [9], 503: [14, 4] };
const kebab = (name) => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2').toLowerCase();
const camel = (name) => name[0].toLowerCase() + name.slice(1);

// What of each service is called how.
function describe(contractPath) {
  const made = spawnSync(program, ['proto', contractPath, '--descriptor'], { timeout: 60000, maxBuffer: 64 * 1024 * 1024 });
  if (made.status !== 0) throw new Error(made.stderr.toString());
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, made.stdout));
  const text = fs.readFileSync(contractPath, 'utf8');
  const resources = new Map();
  for (const type of registry) {
    if (type.kind !== 'service' || !type.methods.some(({ name }) => name.startsWith('List'))) continue;
    const list = type.methods.find(({ name }) => name.startsWith('List'));
    const rows = list.output.fields.find((field) => field.fieldKind === 'list' && field.listKind === 'message');
    const name = rows.message.name;
    const body = new RegExp(`^type ${name}\\b[^{]*\\{(.*?)^\\}`, 'ms').exec(text)?.[1] ?? '';
    const header = new RegExp(`^type ${name}\\b([^{]*)\\{`, 'm').exec(text)?.[1] ?? '';
    const given = /@resource\([^)]*path:\s*"([^"]+)"/.exec(header)?.[1];
    const hidden = new Set([...body.matchAll(/^\s*(\w+)\s*:[^\n]*@hidden/gm)].map((match) => match[1]));
    const method = (verb) => type.methods.find((candidate) => candidate.name.startsWith(verb));
    resources.set(given ?? kebab(list.name.slice('List'.length)), { service: type, row: rows.message, rows, hidden, method });
  }
  return { registry, resources };
}

const isRelation = (resources, field) => field.message !== undefined && [...resources.values()].some(({ row }) => row === field.message);

// ---- what is sent ----

const enumName = (field, value) => field.enum.values.find(({ name }) => name === `${field.enum.sharedPrefix ?? ''}${value}`.toUpperCase() || name.endsWith(`_${value}`))?.name ?? notHere(`the enum's value ${value}`);

// 30 February is a day of March to JavaScript, and so to the client's Timestamp.
function isMovedDay(value) {
  const [, day] = /^(\d{4}-\d\d-\d\d)T/.exec(value) ?? [];
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) !== day;
}

// ProtoJSON takes "1" for 1.
const isQuoted = ({ scalar, listKind, fieldKind }, value) => (fieldKind === 'scalar' || listKind === 'scalar') && [1, 5].includes(scalar) && [value].flat().some((item) => typeof item === 'string');

function inputValue(field, value) {
  if (value === null) return null;
  if (isQuoted(field, value)) notHere('a number as a text');
  if (field.fieldKind === 'list') return Array.isArray(value) ? value.map((item) => (field.listKind === 'enum' ? enumName(field, item) : field.listKind === 'message' && item !== null ? inputRow(field.message, item) : item)) : notHere('a list that is none');
  if (field.fieldKind === 'enum') return enumName(field, value);
  if (field.message?.typeName === 'google.protobuf.Timestamp' && isMovedDay(value)) notHere('a day that the client moves into the next month');
  if (field.fieldKind === 'message' && field.message.typeName.startsWith('google.protobuf.')) return value;
  if (field.fieldKind === 'message') return inputRow(field.message, value);
  return value;
}

function inputRow(message, row) {
  if (row === null || typeof row !== 'object' || Array.isArray(row)) notHere('a row that is none');
  return Object.fromEntries(Object.entries(row).map(([name, value]) => {
    const field = message.fields.find(({ jsonName }) => jsonName === name) ?? notHere(`the field ${name}`);
    return [name, inputValue(field, value)];
  }));
}

function rowOf(face, resource, body) {
  for (const [name, value] of Object.entries(body)) {
    const field = resource.row.fields.find(({ jsonName }) => jsonName === name);
    if (field && isRelation(face.resources, field)) notHere('a nested write');
    // An absent field without presence is zero, which REST tells from null.
    if (value === null && field?.presence !== 1 && field?.fieldKind !== 'message') notHere('null where there is no presence');
  }
  return inputRow(resource.row, body);
}

// Where null and nothing are the same, a default takes its place.
function refuseNull(row) {
  if (Object.values(row ?? {}).includes(null)) notHere('null beside a default');
}

// Every field without presence must be there: what is absent would be zero, where REST misses it.
function checkRequired(resource, row) {
  for (const field of resource.row.fields) {
    if (field.fieldKind === 'scalar' && field.presence !== 1 && (row[field.jsonName] ?? '') === '') notHere(`${field.jsonName} is missing`);
  }
}

function keyOf(face, resource, text) {
  const request = resource.method('Get').input;
  const keys = request.fields.filter(({ jsonName }) => jsonName !== 'readMask');
  const parts = text.split(',').map(decodeURIComponent);
  if (parts.length !== keys.length || parts.some((part) => part === '')) notHere('a key of another form');
  return Object.fromEntries(keys.map((field, i) => [field.jsonName, field.fieldKind === 'enum' ? enumName(field, parts[i]) : field.fieldKind === 'scalar' && field.scalar === 5 ? Number(parts[i]) : parts[i]]));
}

function mask(fields) {
  if (fields === undefined) return {};
  if (/[()*]/.test(fields)) notHere('fields of relations');
  return { readMask: fields };
}

function order(sort) {
  return sort.split(',').map((term) => (term.startsWith('-') ? `${term.slice(1)} desc` : term)).join(', ');
}

function listOf(query) {
  const known = { filter: (value) => ({ filter: value }), sort: (value) => ({ orderBy: order(value) }), limit: (value) => (/^[1-9]\d?$|^100$/.test(value) ? { pageSize: Number(value) } : notHere('a limit of another form')), after: (value) => (value === '' ? notHere('an empty cursor') : { pageToken: value }), count: (value) => (value === 'exact' ? { showTotal: true } : notHere('count')), fields: mask };
  return Object.assign({}, ...[...query].map(([name, value]) => (known[name] ?? (() => notHere(`the parameter ${name}`)))(value)));
}

function translate(face, request, variables) {
  const target = new URL(fill(request.target, variables), 'http://x');
  const query = new Map([...target.searchParams, ...request.query.map(([name, value]) => [name, fill(value, variables)])]);
  const [, version, name, key, child] = target.pathname.split('/');
  const resource = face.resources.get(name);
  if (version !== 'v1' || resource === undefined || child !== undefined) notHere('the path');
  const headers = new Map(request.headers.map(([header, value]) => [header.toLowerCase(), fill(value, variables)]));
  const etag = headers.get('if-match');
  headers.delete('if-match');
  // What such a request has anyway.
  if (headers.get('content-type') === (request.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json')) headers.delete('content-type');
  if (headers.size > 0 || (etag !== undefined && !['PATCH', 'DELETE'].includes(request.method))) notHere('headers');
  let body = null;
  try { body = request.body === null ? null : JSON.parse(fill(request.body, variables)); } catch { notHere('a body that is no JSON'); }
  const item = camel(resource.row.name);
  const rowField = (message) => message.fields.find((field) => field.message === resource.row)?.jsonName ?? item;
  if (request.method === 'GET' && key === undefined) return { resource, method: resource.method('List'), json: listOf(query), kind: 'list' };
  if (request.method === 'GET') {
    for (const parameter of query.keys()) if (parameter !== 'fields') notHere(`the parameter ${parameter}`);
    return { resource, method: resource.method('Get'), json: { ...keyOf(face, resource, key), ...mask(query.get('fields')) }, kind: 'row' };
  }
  if (query.size > 0) notHere('parameters of a write');
  if (request.method === 'POST' && key === undefined && Array.isArray(body)) {
    const create = resource.method('Create');
    for (const row of body) refuseNull(row);
    const rows = body.map((row) => rowOf(face, resource, row ?? notHere('no row')));
    for (const row of rows) checkRequired(resource, row);
    return { resource, method: resource.method('BatchCreate'), json: { requests: rows.map((row) => ({ [rowField(create.input)]: row })) }, kind: 'rows' };
  }
  if (body !== null && (typeof body !== 'object' || Array.isArray(body))) notHere('a body of another form');
  if (request.method === 'POST' && key === undefined && body !== null) {
    const create = resource.method('Create');
    refuseNull(body);
    const row = rowOf(face, resource, body);
    checkRequired(resource, row);
    return { resource, method: create, json: { [rowField(create.input)]: row }, kind: 'row' };
  }
  if (request.method === 'PATCH' && key !== undefined && body !== null) {
    for (const value of Object.values(body)) if (value !== null && typeof value === 'object' && !Array.isArray(value)) notHere('a merge within a value');
    const keys = keyOf(face, resource, key);
    const names = Object.keys(body);
    if (names.length === 0 || names.some((one) => one in keys)) notHere('a patch of the key');
    const update = resource.method('Update');
    const row = Object.fromEntries(Object.entries(rowOf(face, resource, body)).filter(([, value]) => value !== null));
    return { resource, method: update, json: { [rowField(update.input)]: { ...row, ...keys }, updateMask: names.join(','), ...(etag ? { etag } : {}) }, kind: 'row' };
  }
  if (request.method === 'DELETE' && key !== undefined) return { resource, method: resource.method('Delete'), json: { ...keyOf(face, resource, key), ...(etag ? { etag } : {}) }, kind: 'nothing' };
  return notHere('the method');
}

// ---- what comes back ----

const time = (text) => text.replace(/(\.\d*?)0+Z$/, '$1Z').replace('.Z', 'Z');

// In REST's form. What protobuf can't tell (an empty list from none) is as it is expected.
function outputValue(field, value, expected) {
  if (field.fieldKind === 'list') {
    if (value.length === 0) return expected === null ? null : [];
    return value.map((item, i) => (expected?.[i] === null ? null : field.listKind === 'enum' ? item.slice((field.enum.sharedPrefix ?? '').length) : field.listKind === 'message' && !field.message.typeName.startsWith('google.') ? outputRow(field.message, item) : item));
  }
  if (field.fieldKind === 'enum') return value.slice((field.enum.sharedPrefix ?? '').length);
  if (field.fieldKind !== 'message') return value;
  if (field.message.typeName === 'google.protobuf.Timestamp') return time(value);
  return field.message.typeName.startsWith('google.') ? value : outputRow(field.message, value);
}

function outputRow(message, json, { hidden = new Set(), isAsked = () => true, expected } = {}) {
  const row = {};
  for (const field of message.fields) {
    const name = field.jsonName;
    if (hidden.has(name) || !isAsked(field)) continue;
    row[name] = name in json ? outputValue(field, json[name], expected?.[name]) : null;
  }
  return row;
}

function outputOf(face, call, answer, expected) {
  const { resource, json: request } = call;
  const asked = request.readMask?.split(',');
  const isAsked = (field) => (asked ? asked.includes(field.jsonName) : !isRelation(face.resources, field));
  const row = (json, wanted) => outputRow(resource.row, json, { hidden: resource.hidden, isAsked, expected: wanted });
  // A row that its writer may not read: null over REST, the key alone here.
  const keys = resource.method('Get').input.fields.map(({ jsonName }) => jsonName);
  const shown = (json, wanted) => (wanted === null && Object.entries(json).every(([name, value]) => keys.includes(name) || value === '' || value === 0 || value === false || Array.isArray(value)) ? null : row(json, wanted));
  const json = toJson(call.method.output, answer, { registry: face.registry, alwaysEmitImplicit: true });
  if (call.kind === 'row') return row(json, expected);
  const items = (json[resource.rows.jsonName] ?? Object.values(json).find(Array.isArray) ?? []).map((one, i) => shown(one, expected?.items?.[i]));
  if (call.kind === 'rows') return { items };
  const page = { items, nextCursor: json.nextPageToken === '' ? null : json.nextPageToken };
  if (expected && 'prevCursor' in expected) page.prevCursor = expected.prevCursor === null ? null : notHere('a page backwards');
  if (json.totalSize !== undefined) page.count = json.totalSize;
  return page;
}

function checkError(answer, error) {
  if (!(error instanceof ConnectError)) throw error;
  if (answer.status < 400) return `expected the status ${answer.status}, got ${error.message}`;
  if (!(codes[answer.status] ?? []).includes(error.code)) return `expected a code that stands for ${answer.status}, got ${error.message}`;
  const bytes = error.metadata.get('grpc-status-details-bin');
  const { ErrorInfo: info, BadRequest: bad } = readStatus(Buffer.from(bytes, 'base64'));
  if (answer.code !== null && info.reason !== answer.code) return `expected the reason ${answer.code}, got ${info.reason}`;
  const { rule, hint } = info.metadata ?? {};
  const told = { rule, hint: `${hint ?? ''} ${error.rawMessage}`, detail: error.rawMessage };
  for (const [name, text] of answer.members) {
    for (const word of name === 'rule' ? text.split(' ') : [text]) if (!String(told[name] ?? '').includes(word)) return `expected "${name}" to name "${word}", got ${told[name]}`;
  }
  if (answer.errors.length === 0) return null;
  const errors = (bad?.field_violations ?? []).map(({ field = '', reason }) => ({ pointer: field, code: reason }));
  return matchJson({ 'errors~': answer.errors.map(({ pointer, code }) => ({ pointer, code: code === '*' ? '$string' : code })) }, { errors }, new Map());
}

function checkAnswer(face, call, answer, message, headers, variables) {
  if (answer.status >= 400) return `expected ${answer.status} ${answer.code ?? ''}, and it was answered`;
  for (const [name, expected] of answer.headers) if (!matchText(expected, headers.get(name) ?? undefined, variables)) return `header ${name}: expected ${expected}, got ${headers.get(name)}`;
  if (answer.isEmpty || answer.body === undefined) return null;
  // Members have no order in a message: neither a Struct's nor a map's.
  return matchJson(answer.body, outputOf(face, call, message, answer.body), variables, { isOrdered: false });
}

const isList = ({ row }, pointer) => row.fields.some(({ fieldKind, jsonName }) => fieldKind === 'list' && jsonName === pointer.split('/').at(-1));

async function play(face, step, variables) {
  const { request, answer } = step;
  // Duplicate names, say, which no message can have.
  if (answer.status === 400 && request.body !== null) notHere('a body that breaks JSON');
  if (answer.absent.length > 0 || answer.exact !== null || answer.patterns.length > 0) notHere('an answer in the words of HTTP');
  for (const [name] of answer.headers) if (!['etag', 'location'].includes(name.toLowerCase())) notHere('headers of the answer');
  const wanted = { ...answer, headers: answer.headers.filter(([name]) => name.toLowerCase() === 'etag') };
  if (wanted.headers.length < answer.headers.length && answer.headers.some(([name, value]) => name.toLowerCase() === 'location' && /\$[A-Z]/.test(value))) notHere('a location that is kept');
  const call = translate(face, request, variables);
  if (answer.errors.some(({ pointer, code }) => code === 'REQUIRED' && isList(call.resource, pointer))) notHere('a list that is missing, which is an empty one');
  let message;
  try { message = fromJson(call.method.input, call.json, { registry: face.registry }); } catch (error) { notHere(error.message); }
  const headers = new Headers();
  if (request.caller !== null && request.caller !== 'nobody') headers.set('authorization', `Bearer ${face.tokens.get(request.caller)}`);
  let got = new Headers();
  let difference;
  let shown;
  try {
    const client = createClient(call.resource.service, face.transport);
    const result = await client[call.method.localName](message, { headers, timeoutMs: 30000, onHeader: (header) => { got = header; } });
    shown = JSON.stringify(toJson(call.method.output, result, { registry: face.registry })).slice(0, 1500);
    difference = checkAnswer(face, call, wanted, result, got, variables);
  } catch (error) {
    if (error instanceof NotHere) throw error;
    shown = error.message;
    difference = checkError(wanted, error);
  }
  return difference === null ? null : `${difference}\nsent: ${call.method.name} ${JSON.stringify(call.json).slice(0, 300)}\nanswer: ${shown}`;
}

export const grpc = {
  name: 'grpc',
  open(server, tokens) {
    const face = { ...describe(server.contractPath), tokens, transport: createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` }) };
    return { play: (step, variables) => play(face, step, variables), close: () => {} };
  },
};
