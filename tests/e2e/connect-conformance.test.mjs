// connect-conformance.test.mjs - those questions of Connect's conformance suite (connectconformance, server mode) that need no service which
// answers as it is told to, under the suite's own names: requests that no client sends, empty messages, messages as long as the limit and longer.
// What else the suite asks is asked elsewhere (docs/decisions/0014).
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { after, before, test } from 'node:test';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "auth.id != null") { code: String! @id text: String! }`;
const LIMIT = 20 * 1024, timeout = 60000;
const authorization = `Bearer ${makeToken({ sub: 'ann' })}`;
const names = ['canceled', 'unknown', 'invalid_argument', 'deadline_exceeded', 'not_found', 'already_exists', 'permission_denied', 'resource_exhausted', 'failed_precondition', 'aborted', 'out_of_range', 'unimplemented', 'internal', 'unavailable', 'data_loss', 'unauthenticated'];

let server, session;
before(async () => {
  server = await startServer({ contract, options: ['--threads', '1', '--grpc-message-max', String(LIMIT), '--filter-max', '64KiB'] });
  session = http2.connect(server.addresses[0]);
});
after(async () => {
  session?.destroy();
  await server?.stop();
  if (server) removeFolder(server.folder);
});

// Without a grpc-status a client takes the code from the HTTP status: grpc/doc/http-grpc-status-mapping.md.
const codeOf = (said, status) => (said === '0' ? undefined : said !== undefined ? names[Number(said) - 1] : { 400: 'internal', 401: 'unauthenticated', 403: 'permission_denied', 404: 'unimplemented', 429: 'unavailable', 502: 'unavailable', 503: 'unavailable', 504: 'unavailable' }[status] ?? 'unknown');

const frame = (message, flags = 0, length = message.length) => { const head = Buffer.alloc(5); head[0] = flags; head.writeUInt32BE(length, 1); return Buffer.concat([head, message]); };
const varint = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
const field = (number, bytes) => Buffer.concat([Buffer.from([number * 8 + 2, ...varint(bytes.length)]), bytes]);
// ListNotesRequest of so many bytes: its filter is long, and says nothing.
function listOf(bytes) {
  for (let length = bytes; ; length--) { const message = field(1, Buffer.from('true'.padEnd(length))); if (message.length <= bytes) { assert.equal(message.length, bytes); return message; } }
}
// ImportNotesRequest { note { code, text } }
const importOf = (code, text) => field(1, Buffer.concat([field(1, Buffer.from(code)), field(2, Buffer.from(text))]));

function frames(bytes) {
  const all = [];
  for (let at = 0; at < bytes.length;) { const end = at + 5 + bytes.readUInt32BE(at + 1); all.push({ flags: bytes[at], message: bytes.subarray(at + 5, end) }); at = end; }
  return all;
}

// One request; resolves with the HTTP status, the code's name (undefined: none) and how many messages came.
async function ask(protocol, method, { type, body = Buffer.alloc(0), headers = {}, verb = 'POST', service = 'notes.v1.NoteService' }) {
  const target = `/${service}/${method}`;
  const more = { 'content-type': type, ...headers };
  if (protocol === 'grpc') {
    const stream = session.request({ ':method': verb, ':path': target, te: 'trailers', ...more }, { endStream: false });
    let head, trailers = {};
    const parts = [];
    await new Promise((resolve, reject) => {
      stream.on('response', (given) => { head = given; }).on('trailers', (given) => { trailers = given; }).on('data', (part) => parts.push(part)).on('error', reject).on('close', resolve);
      stream.end(body);
    });
    return { status: head[':status'], code: codeOf({ ...head, ...trailers }['grpc-status'], head[':status']), count: frames(Buffer.concat(parts)).length };
  }
  const response = await fetch(server.addresses[0] + target, { method: verb, headers: more, body });
  const bytes = Buffer.from(await response.arrayBuffer());
  const given = response.headers.get('content-type') ?? '';
  if (protocol === 'grpc-web') {
    const all = given.startsWith('application/grpc-web') ? frames(bytes) : [];
    const said = response.headers.get('grpc-status') ?? /grpc-status: ?(\d+)/i.exec(all.find(({ flags }) => flags & 0x80)?.message.toString() ?? '')?.[1];
    return { status: response.status, code: codeOf(said, response.status), count: all.filter(({ flags }) => !(flags & 0x80)).length };
  }
  if (given.startsWith('application/connect+')) {
    const all = frames(bytes), end = JSON.parse(all.find(({ flags }) => flags & 2).message);
    return { status: response.status, code: end.error?.code, count: all.length - 1 };
  }
  // Where an answer is not Connect's own error, its status says the code: https://connectrpc.com/docs/protocol#http-to-error-code
  const code = given === 'application/json' && response.status !== 200 ? JSON.parse(bytes).code : { 400: 'internal', 401: 'unauthenticated', 403: 'permission_denied', 404: 'unimplemented', 429: 'unavailable' }[response.status] ?? (response.status === 200 ? undefined : 'unknown');
  return { status: response.status, code, count: response.status === 200 ? 1 : 0 };
}

const list = listOf(8);
const said = (code, more = {}) => ({ code, ...more });
// A message that breaks off: the suite wants internal; here it is invalid_argument, as a client's mistake must not look like the server's to those
// who watch it. One that says it is compressed where nothing is, is internal, since gRPC's own specification says so too (compression.md).
const vague = ['unknown', 'internal', 'unimplemented'], broken = ['internal', 'invalid_argument'];

// By protocol: the media type of a unary call and of a stream, and where a compression is named.
const protocols = {
  grpc: { title: 'gRPC Unexpected Requests', unary: 'application/grpc', stream: 'application/grpc+proto', encoding: 'grpc-encoding' },
  'grpc-web': { title: 'gRPC-Web Unexpected Requests', unary: 'application/grpc-web', stream: 'application/grpc-web+proto', encoding: 'grpc-encoding' },
  connect: { title: 'Connect Unexpected Requests', unary: 'application/proto', stream: 'application/connect+proto', encoding: 'content-encoding' },
};

for (const [protocol, { title, unary, stream, encoding }] of Object.entries(protocols)) {
  const isConnect = protocol === 'connect', pack = (message) => (isConnect ? message : frame(message));
  const cases = [
    ['server-stream/no-request', 'ExportNotes', { type: stream }, said('unimplemented')],
    ['server-stream/multiple-requests', 'ExportNotes', { type: stream, body: Buffer.concat([frame(list), frame(list)]) }, said('unimplemented')],
    ...(isConnect ? [] : [
      ['unary/no-request', 'ListNotes', { type: unary }, said('unimplemented')],
      ['unary/multiple-requests', 'ListNotes', { type: unary, body: Buffer.concat([frame(list), frame(list)]) }, said('unimplemented')],
    ]),
    ['unexpected-verb', 'ListNotes', { type: unary, verb: 'DELETE', body: pack(list) }, isConnect ? { status: 405 } : said(vague)],
    ['unexpected-uri', 'UnknownMethod', { type: unary, service: 'notes.v1.UnknownService', body: pack(list) }, said('unimplemented', isConnect ? { status: 404 } : {})],
    ['unexpected-uri, of a service that is there', 'UnknownMethod', { type: unary, body: pack(list) }, said('unimplemented')],
    ['unexpected-codec', 'ListNotes', { type: isConnect ? 'application/foo' : `${unary}+foo`, body: pack(list) }, isConnect ? { status: 415 } : said(vague)],
    ['unexpected-content-type', 'ListNotes', { type: 'image/jpeg', body: Buffer.from('12345678') }, { status: 415 }],
    ['unexpected-compression', 'ListNotes', { type: unary, headers: { [encoding]: 'foo' }, body: isConnect ? list : frame(list, 1) }, said('unimplemented')],
    ['unexpected-compressed-message', 'ExportNotes', { type: stream, headers: { [isConnect ? 'connect-content-encoding' : encoding]: 'identity' }, body: frame(list, 1) }, said('internal')],
    ['client-stream/incomplete-message', 'ImportNotes', { type: stream, headers: { authorization }, body: frame(Buffer.from('abc'), 0, 100) }, said(broken)],
    ['client-stream/incomplete-message-prefix', 'ImportNotes', { type: stream, headers: { authorization }, body: Buffer.from([0, 0, 0]) }, said(broken)],
    ['Proto Sub-Format: with-proto-sub-format', 'ListNotes', { type: isConnect ? unary : `${unary}+proto`, body: pack(list) }, said(undefined, { count: 1 })],
    ['Proto Sub-Format: without-proto-sub-format', 'ListNotes', { type: unary, body: pack(list) }, said(undefined, { count: 1 })],
    // Zero bytes are a message as well.
    ['Server Empty Requests: unary', 'ListNotes', { type: unary, body: pack(Buffer.alloc(0)) }, said(undefined, { count: 1 })],
    ['Server Empty Requests: server-stream', 'ExportNotes', { type: stream, body: frame(Buffer.alloc(0)) }, said(undefined, { count: 0 })],
    ['Server Empty Requests: client-stream, where a row wants more', 'ImportNotes', { type: stream, headers: { authorization }, body: frame(Buffer.alloc(0)) }, said('invalid_argument')],
    ['Server Message Size: unary/request-equal-to-server-limit', 'ListNotes', { type: unary, body: pack(listOf(LIMIT)) }, said(undefined)],
    ['Server Message Size: unary/request-exceeds-server-limit', 'ListNotes', { type: unary, body: pack(listOf(LIMIT + 10)) }, said('resource_exhausted')],
    ['Server Message Size: server-stream/request-equal-to-server-limit', 'ExportNotes', { type: stream, body: frame(listOf(LIMIT)) }, said(undefined)],
    ['Server Message Size: server-stream/request-exceeds-server-limit', 'ExportNotes', { type: stream, body: frame(listOf(LIMIT + 10)) }, said('resource_exhausted')],
    ['Server Message Size: client-stream/subsequent-request-exceeds-server-limit', 'ImportNotes', { type: stream, headers: { authorization }, body: Buffer.concat([frame(importOf(`${protocol}-1`, 'x')), frame(importOf(`${protocol}-2`, 'x'.repeat(LIMIT)))]) }, said('resource_exhausted')],
  ];
  test(title, { timeout }, async (t) => {
    for (const [name, method, request, wanted] of cases) {
      await t.test(name, async () => {
        const got = await ask(protocol, method, request);
        for (const [key, value] of Object.entries(wanted)) {
          if (Array.isArray(value)) assert.ok(value.includes(got[key]), `${key}: ${got[key]}`);
          else assert.equal(got[key], value, key);
        }
      });
    }
  });
}
