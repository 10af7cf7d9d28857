// What an answer says of itself: content codings (RFC 9110 §8.4, §12.5.3) with their entity tags, and pages that a client holds already.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import zlib from 'node:zlib';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';
import { zstdDecompress } from '../support/zstd.mjs';

const contract = `
extend schema @service(name: "answers")
type Note @resource @access(read: "true", write: "auth.id != null") { id: ID! title: String! text: String }
`;
const authorization = { Authorization: `Bearer ${makeToken({ sub: 'ann' })}`, 'Content-Type': 'application/json' };

async function withNotes(run, options = []) {
  const server = await startServer({ contract, options });
  const client = server.client();
  try {
    const ids = [];
    for (let i = 0; i < 20; i++) {
      const { status, text } = await client.request('POST', '/v1/notes', { headers: authorization, body: JSON.stringify({ title: `note ${i}`, text: 'tea '.repeat(100) }) });
      assert.equal(status, 201);
      ids.push(JSON.parse(text).id);
    }
    await run(client, ids, server);
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

test('a large answer comes in the coding that was asked for, a small one as it is', () => withNotes(async (client, ids) => {
  const plain = await client.request('GET', '/v1/notes');
  assert.equal(plain.headers.get('content-encoding'), undefined);
  assert.equal(plain.headers.get('vary'), 'accept, Accept-Encoding');
  const decoders = { gzip: zlib.gunzipSync, br: zlib.brotliDecompressSync, zstd: zstdDecompress };
  for (const [coding, decode] of Object.entries(decoders)) {
    const { status, headers, body } = await client.request('GET', '/v1/notes', { headers: { 'Accept-Encoding': coding } });
    assert.equal(status, 200);
    assert.equal(headers.get('content-encoding'), coding);
    assert.equal(headers.get('vary'), 'accept, Accept-Encoding');
    assert.equal(Number(headers.get('content-length')), body.length);
    assert.ok(body.length < plain.body.length / 4, `${body.length} of ${plain.body.length} bytes`);
    assert.equal(decode(body).toString(), plain.text);
  }
  const small = await client.request('GET', `/v1/notes/${ids[0]}?fields=id`, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal(small.headers.get('content-encoding'), undefined);
  assert.equal(small.headers.get('vary'), undefined);
  const refused = await client.request('GET', '/v1/notes', { headers: { 'Accept-Encoding': 'gzip;q=0, br;q=0, zstd;q=0' } });
  assert.equal(refused.text, plain.text);
  const head = await client.request('HEAD', '/v1/notes', { headers: { 'Accept-Encoding': 'gzip' } });
  const get = await client.request('GET', '/v1/notes', { headers: { 'Accept-Encoding': 'gzip' } });
  for (const name of ['content-length', 'content-encoding', 'etag', 'vary']) assert.equal(head.headers.get(name), get.headers.get(name), name);
}));

test('--compress-min says from where on, and 0 that nothing is', async () => {
  await withNotes(async (client, ids) => {
    const { headers } = await client.request('GET', `/v1/notes/${ids[0]}`, { headers: { 'Accept-Encoding': 'br' } });
    assert.equal(headers.get('content-encoding'), 'br');
  }, ['--compress-min', '100']);
  await withNotes(async (client) => {
    const { headers } = await client.request('GET', '/v1/notes', { headers: { 'Accept-Encoding': 'br' } });
    assert.equal(headers.get('content-encoding'), undefined);
    assert.equal(headers.get('vary'), 'accept');
  }, ['--compress-min', '0']);
});

test('RFC 9110 §8.8.3.3: each coding has a strong tag of its own, and preconditions take them all', () => withNotes(async (client, ids) => {
  const path = `/v1/notes/${ids[0]}`;
  const tags = {};
  for (const coding of ['identity', 'gzip', 'br', 'zstd']) tags[coding] = (await client.request('GET', path, { headers: { 'Accept-Encoding': coding } })).headers.get('etag');
  assert.equal(new Set(Object.values(tags)).size, 4);
  for (const tag of Object.values(tags)) {
    assert.match(tag, /^"[^"]+"$/);
    const { status, headers, body } = await client.request('GET', path, { headers: { 'Accept-Encoding': 'gzip', 'If-None-Match': tag } });
    assert.equal(status, 304);
    assert.equal(headers.get('etag'), tag);
    assert.equal(body.length, 0);
  }
  const other = await client.request('PATCH', path, { headers: { ...authorization, 'If-Match': '"0000000000000000-gzip"' }, body: '{"title":"x"}' });
  assert.equal(other.status, 412);
  const written = await client.request('PATCH', path, { headers: { ...authorization, 'If-Match': tags.gzip }, body: '{"title":"x"}' });
  assert.equal(written.status, 200);
  const again = await client.request('PATCH', path, { headers: { ...authorization, 'If-Match': tags.br }, body: '{"title":"y"}' });
  assert.equal(again.status, 412);
}, ['--compress-min', '64']));

test('RFC 9110 §13.1.2: a page that did not change is 304, until it does', () => withNotes(async (client, ids) => {
  const page = '/v1/notes?limit=5&sort=title';
  const first = await client.request('GET', page);
  const tag = first.headers.get('etag');
  assert.match(tag, /^"[^"]+"$/);
  const held = await client.request('GET', page, { headers: { 'If-None-Match': `"other", W/${tag}` } });
  assert.equal(held.status, 304);
  assert.equal(held.headers.get('etag'), tag);
  assert.equal((await client.request('GET', '/v1/notes?limit=4&sort=title', { headers: { 'If-None-Match': tag } })).status, 200);
  const coded = await client.request('GET', page, { headers: { 'Accept-Encoding': 'gzip' } });
  assert.equal((await client.request('GET', page, { headers: { 'If-None-Match': coded.headers.get('etag') } })).status, 304);
  await client.request('PATCH', `/v1/notes/${ids[0]}`, { headers: authorization, body: '{"text":"changed"}' });
  const changed = await client.request('GET', page, { headers: { 'If-None-Match': tag } });
  assert.equal(changed.status, 200);
  assert.notEqual(changed.headers.get('etag'), tag);
  assert.equal((await client.request('GET', page, { headers: { 'If-None-Match': 'no tag' } })).status, 400);
}));

// RFC 9110 §12.5.5: on what an answer depends, whoever added it, is one field, and each member is named once.
test('Vary is one field on every route, with nothing named twice', () => withNotes(async (client, ids, server) => {
  const fieldsOf = (path, headers) => new Promise((resolve, reject) => {
    http.get({ port: server.port, host: '127.0.0.1', path, headers }, (answer) => {
      const fields = answer.rawHeaders.filter((value, i) => i % 2 === 1 && answer.rawHeaders[i - 1].toLowerCase() === 'vary');
      answer.resume().once('end', () => resolve({ status: answer.statusCode, fields, etag: answer.headers.etag })).once('error', reject);
    }).once('error', reject);
  });
  const html = { accept: 'text/html' };
  const routes = [
    ['/docs', html, ['accept-encoding', 'origin']], ['/openapi.json', {}, ['accept-encoding', 'origin']], ['/problems', html, ['accept', 'accept-encoding', 'origin']],
    ['/graphql', html, ['accept', 'accept-encoding', 'origin']], ['/graphql?query=%7B__typename%7D', {}, ['accept', 'origin']], ['/v1/notes', {}, ['accept', 'accept-encoding', 'origin']],
    ['/v1/notes', { accept: 'text/csv' }, ['accept', 'accept-encoding', 'origin']], [`/v1/notes/${ids[0]}?fields=id`, {}, ['origin']],
    ['/none', {}, ['origin']],
  ];
  for (const [path, headers, wanted] of routes) {
    for (const coding of ['gzip', 'identity']) {
      const { status, fields, etag } = await fieldsOf(path, { ...headers, 'accept-encoding': coding });
      assert.equal(fields.length, 1, `${path} ${coding}: ${status} ${fields}`);
      const members = fields[0].split(',').map((member) => member.trim().toLowerCase()).sort();
      assert.deepEqual(members, wanted, `${path} ${coding}`);
      if (etag === undefined || status !== 200) continue;
      const held = await fieldsOf(path, { ...headers, 'accept-encoding': coding, 'if-none-match': etag });
      assert.deepEqual([held.status, held.fields.length], [304, 1], path);
    }
  }
}, ['--cors-origin', 'https://a.example']));
