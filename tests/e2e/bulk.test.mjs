// bulk.test.mjs - rows by the thousand: NDJSON and CSV in and out, with bounded memory, under the same rules as one by one.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { after, before, test } from 'node:test';
import zlib from 'node:zlib';
import { makeToken, removeFolder, residentKib, startServer } from '../support/server.mjs';
import { zstdCompress, zstdDecompress } from '../support/zstd.mjs';

const contract = `
extend schema @service(name: "bulk", version: "v1")
enum Kind { SMALL LARGE }
type Shelf @resource @access(read: "true", write: "auth.id != null") {
  id: ID!
  code: String! @unique
  items: [Item!]!
}
type Item @resource @access(read: "isPublic || auth.id != null", write: "auth.id != null") {
  code: String! @id @length(min: 1, max: 20)
  name: String
  count: Int! @range(min: 0) @default(value: 7)
  big: BigInt
  price: Decimal
  kind: Kind! @default(value: SMALL)
  isPublic: Boolean! @default(value: true)
  tags: [String!]
  made: DateTime
  shelf: Shelf
}
type Locked @resource @access(read: "auth.id != null", write: "false") {
  id: ID!
  name: String!
}`;

let server;
const staff = { authorization: `Bearer ${makeToken({ sub: 'ann' })}` };
before(async () => { server = await startServer({ contract, options: ['--export-max', '20000'] }); });
after(async () => { await server.stop(); removeFolder(server.folder); });

// A request whose body is written piece by piece; the answer's body as text.
function send(method, path, headers = {}, body = null) {
  return new Promise((resolve, reject) => {
    const request = http.request({ port: server.port, method, path, headers }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, trailers: response.trailers, body: Buffer.concat(pieces), text: Buffer.concat(pieces).toString() }));
      response.on('error', reject);
    });
    request.on('error', reject);
    if (body === null) return request.end();
    const pieces = Array.isArray(body) ? body : [body];
    (async () => {
      for (const piece of pieces) if (!request.write(piece)) await new Promise((go) => request.once('drain', go));
      request.end();
    })();
  });
}
const importing = (type, body, path = '/v1/items', headers = staff) => send('POST', path, { 'content-type': type, ...headers }, body);
const remove = async () => {
  for (;;) {
    const { items } = JSON.parse((await send('GET', '/v1/items?limit=100&fields=code', staff)).text);
    if (items.length === 0) return;
    await Promise.all(items.map(({ code }) => send('DELETE', `/v1/items/${encodeURIComponent(code)}`, staff)));
  }
};

test('NDJSON creates a row a line, empty lines aside, however its bytes are cut', async () => {
  const text = '{"code":"a","name":"Ä","count":3}\n\n{"code":"b"}\r\n{"code":"c","big":"9007199254740993","price":"1.10"}';
  const bytes = Buffer.from(text);
  const answer = await importing('application/x-ndjson', [...bytes].map((byte) => Buffer.from([byte])));
  assert.equal(answer.status, 201);
  assert.deepEqual(JSON.parse(answer.text), { created: 3 });
  const rows = (await send('GET', '/v1/items?sort=code&fields=code,name,count,big,price', { accept: 'application/x-ndjson' })).text;
  assert.equal(rows, '{"code":"a","name":"Ä","count":3,"big":null,"price":null}\n{"code":"b","name":null,"count":7,"big":null,"price":null}\n' +
    '{"code":"c","name":null,"count":7,"big":"9007199254740993","price":"1.1"}\n');
  await remove();
});

test('CSV (RFC 4180) is read by its header: quotes, line ends in cells, nothing and empty text apart, types by the field', async () => {
  const text = 'code,name,count,isPublic,tags,made,kind\r\n' +
    'a,"say ""hi"", twice\nor so",5,false,"[""x"",""y""]",2026-01-02T03:04:05Z,LARGE\r\n' +
    'b,"",,,,,\r\n';
  const answer = await importing('text/csv', text);
  assert.equal(answer.status, 201, answer.text);
  const csv = await send('GET', '/v1/items?sort=code&fields=code,name,count,isPublic,tags,made,kind', { accept: 'text/csv', ...staff });
  assert.match(csv.headers['content-type'], /^text\/csv/);
  assert.equal(csv.text, 'code,name,count,kind,isPublic,tags,made\r\n' +
    'a,"say ""hi"", twice\nor so",5,LARGE,false,"[""x"",""y""]",2026-01-02T03:04:05Z\r\nb,"",7,SMALL,true,,\r\n');
  await remove();
});

test('what went out as CSV goes in again', async () => {
  await importing('application/x-ndjson', '{"code":"a","name":"","price":"12.5","big":"-9223372036854775808","made":"2026-01-02T03:04:05.000001Z"}\n{"code":"b"}\n');
  const first = (await send('GET', '/v1/items?sort=code', { accept: 'text/csv' })).text;
  await remove();
  assert.equal((await importing('text/csv', first)).status, 201);
  assert.equal((await send('GET', '/v1/items?sort=code', { accept: 'text/csv' })).text, first);
  await remove();
});

test('a to-one relation stands in columns of its own, and a nested list has no place in CSV', async () => {
  const shelf = JSON.parse((await send('POST', '/v1/shelves', { 'content-type': 'application/json', ...staff }, '{"code":"S1"}')).text);
  await importing('application/x-ndjson', `{"code":"a","shelfId":"${shelf.id}"}\n{"code":"b"}\n`);
  const csv = await send('GET', '/v1/items?sort=code&fields=code,shelf(code)', { accept: 'text/csv' });
  assert.equal(csv.text, 'code,shelf.code\r\na,S1\r\nb,\r\n');
  const refused = await send('GET', '/v1/shelves?fields=code,items(code)', { accept: 'text/csv' });
  assert.equal(refused.status, 400);
  assert.match(JSON.parse(refused.text).hint, /ndjson/);
  const nested = await send('GET', '/v1/shelves?fields=code,items(code)&items.sort=code', { accept: 'application/x-ndjson' });
  assert.equal(nested.text, '{"code":"S1","items":{"items":[{"code":"a"}],"nextCursor":null}}\n');
  const children = await send('GET', `/v1/shelves/${shelf.id}/items?fields=code`, { accept: 'application/x-ndjson' });
  assert.equal(children.text, '{"code":"a"}\n');
  const created = await importing('text/csv', 'code\r\nc\r\nd\r\n', `/v1/shelves/${shelf.id}/items`);
  assert.deepEqual(JSON.parse(created.text), { created: 2 });
  const counted = await send('GET', `/v1/shelves/${shelf.id}/items?fields=code&sort=-code`, { accept: 'application/x-ndjson' });
  assert.equal(counted.text, '{"code":"d"}\n{"code":"c"}\n{"code":"a"}\n');
  assert.equal((await importing('text/csv', 'code\r\nx\r\n', '/v1/shelves/00000000-0000-7000-8000-000000000000/items')).status, 404);
  await remove();
});

test('access rules hold: a list is filtered, a refused write is 401 or 403 before its body is read', async () => {
  await importing('application/x-ndjson', '{"code":"a"}\n{"code":"b","isPublic":false}\n');
  assert.equal((await send('GET', '/v1/items?fields=code', { accept: 'application/x-ndjson' })).text, '{"code":"a"}\n');
  const stranger = await importing('application/x-ndjson', '{"code":"z"}\n', '/v1/items', {});
  assert.equal(stranger.status, 401);
  const refused = await importing('application/x-ndjson', '{"name":"z"}\n', '/v1/lockeds');
  assert.equal(refused.status, 403);
  assert.equal((await send('GET', '/v1/lockeds', { accept: 'text/csv' })).status, 401);
  await remove();
});

test('the first row that is refused ends the import: its place, and how many rows before it are stored', async () => {
  const lines = Array.from({ length: 2500 }, (_, i) => JSON.stringify({ code: `n${i}`, count: i === 2100 ? -1 : 1 }));
  const answer = await importing('application/x-ndjson', lines.join('\n'));
  assert.equal(answer.status, 422);
  const problem = JSON.parse(answer.text);
  assert.deepEqual(problem.errors.map(({ pointer, code }) => [pointer, code]), [['/2100/count', 'RANGE']]);
  const stored = (await send('GET', '/v1/items?fields=code', { accept: 'application/x-ndjson' })).text.split('\n').length - 1;
  assert.equal(stored, problem.created);
  /* How large its pieces are follows from how fast they are written; the first has 1,000. */
  assert.ok([1000, 2000].includes(problem.created), `${problem.created} are stored`);
  await remove();
});

test('what is no row is refused by its line', async () => {
  for (const [type, text, status, expected] of [
    ['application/x-ndjson', '{"code":"a"}\n{"code":\n', 400, /^line 2: /],
    ['application/x-ndjson', '[1]\n', 422, /./],
    ['text/csv', 'code,nmae\r\na,b\r\n', 400, /"nmae"/],
    ['text/csv', 'code,code\r\na,b\r\n', 400, /twice/],
    ['text/csv', 'code,name\r\na\r\n', 400, /^line 2: /],
    ['text/csv', 'code,name\r\na,"b\r\n', 400, /^line 2: .*quote/],
    ['text/csv', Buffer.from('code\r\n\xff\r\n', 'latin1'), 400, /UTF-8/],
    ['text/csv', 'code,count\r\na,1.5\r\n', 422, /./],
  ]) {
    const answer = await importing(type, text);
    assert.equal(answer.status, status, `${text}: ${answer.text}`);
    const problem = JSON.parse(answer.text);
    assert.match(problem.detail, expected);
    assert.equal(problem.created, 0);
  }
  const misnamed = await importing('text/csv', 'code,nmae\r\na,b\r\n');
  assert.match(JSON.parse(misnamed.text).hint, /"name"/);
  const long = await importing('application/x-ndjson', `{"code":"a","name":"${'x'.repeat(1100000)}"}\n`);
  assert.equal(long.status, 413);
  assert.equal((await send('GET', '/v1/items', staff)).text, '{"items":[],"nextCursor":null,"prevCursor":null}');
});

test('a list longer than --export-max ends with a trailer that says where it goes on', async () => {
  const lines = Array.from({ length: 20500 }, (_, i) => `{"code":"n${String(i).padStart(5, '0')}"}`);
  assert.deepEqual(JSON.parse((await importing('application/x-ndjson', lines.join('\n'))).text), { created: 20500 });
  const first = await send('GET', '/v1/items?fields=code', { accept: 'application/x-ndjson' });
  assert.equal(first.text, `${lines.slice(0, 20000).join('\n')}\n`);
  const next = /^<([^>]+)>; rel="next"$/.exec(first.trailers.link)[1];
  const second = await send('GET', next, { accept: 'application/x-ndjson' });
  assert.equal(second.text, `${lines.slice(20000).join('\n')}\n`);
  assert.equal(second.trailers.link, undefined);
  const some = await send('GET', '/v1/items?fields=code&limit=1500&sort=-code', { accept: 'application/x-ndjson' });
  assert.equal(some.text, `${lines.slice(-1500).reverse().join('\n')}\n`);
  assert.equal((await send('GET', '/v1/items?limit=20001', { accept: 'application/x-ndjson' })).status, 400);
  assert.equal((await send('GET', '/v1/items?count=exact', { accept: 'text/csv' })).status, 400);
  assert.equal((await send('HEAD', '/v1/items', { accept: 'text/csv' })).status, 200);
});

test('a reader that stops reading stops the export, and one that goes away ends it', async () => {
  const before = fs.readFileSync(`/proc/${server.child.pid}/statm`, 'utf8').split(' ')[1] * 4096;
  await new Promise((resolve, reject) => {
    const request = http.request({ port: server.port, path: '/v1/items', headers: { accept: 'application/x-ndjson' } }, (response) => {
      response.once('data', () => { response.pause(); setTimeout(() => { request.destroy(); resolve(); }, 300); });
    });
    request.once('error', reject);
    request.end();
  });
  const after = fs.readFileSync(`/proc/${server.child.pid}/statm`, 'utf8').split(' ')[1] * 4096;
  assert.ok(after - before < 64 * 1024 * 1024, `grew by ${after - before} bytes`);
  assert.equal((await send('GET', '/v1/items?limit=1', staff)).status, 200);
});

test('an import whose sender goes away leaves whole pieces and a server that goes on', async () => {
  await new Promise((resolve) => {
    const request = http.request({ port: server.port, method: 'POST', path: '/v1/items', headers: { 'content-type': 'application/x-ndjson', ...staff } });
    request.on('error', () => resolve());
    for (let i = 0; i < 3000; i++) request.write(`{"code":"m${i}"}\n`);
    setTimeout(() => request.destroy(), 100);
    request.on('close', resolve);
  });
  assert.equal((await send('GET', '/v1/items?limit=1', staff)).status, 200);
});

test('a body that stalls is 408, and says what is stored', async () => {
  const hasty = await startServer({ contract, options: ['--header-timeout', '300ms'] });
  const answer = await new Promise((resolve, reject) => {
    const request = http.request({ port: hasty.port, method: 'POST', path: '/v1/items', headers: { 'content-type': 'application/x-ndjson', ...staff } }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece)).on('end', () => { resolve({ status: response.statusCode, problem: JSON.parse(Buffer.concat(pieces)) }); request.destroy(); });
    });
    request.on('error', reject);
    request.write('{"code":"a"}\n');
  });
  assert.equal(answer.status, 408);
  assert.equal(answer.problem.code, 'TIMEOUT');
  assert.equal(answer.problem.created, 0);
  await hasty.stop();
  removeFolder(hasty.folder);
});

test('memory stays as it is while rows of 80 MB come in and go out', { timeout: 240000 }, async () => {
  // The sanitizer keeps what is freed for a while, and gives nothing back: here it is told to keep little.
  const own = await startServer({ contract, env: { ASAN_OPTIONS: 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=2' } });
  try {
    const grown = () => residentKib(own.child.pid) / 1024;
    const text = 'x'.repeat(4000);
    const importRows = (first, count) => new Promise((resolve, reject) => {
      const request = http.request({ port: own.port, method: 'POST', path: '/v1/items', headers: { 'content-type': 'application/x-ndjson', ...staff } }, (response) => {
        const pieces = [];
        response.on('data', (piece) => pieces.push(piece)).on('end', () => resolve(Buffer.concat(pieces).toString())).on('error', reject);
      });
      request.on('error', reject);
      (async () => {
        for (let i = first; i < first + count; i++)
          if (!request.write(`{"code":"c${i}","name":"${text}"}\n`)) await new Promise((go) => request.once('drain', go));
        request.end();
      })();
    });
    const exportBytes = () => new Promise((resolve, reject) => {
      http.get({ port: own.port, path: '/v1/items?fields=code,name', headers: { accept: 'application/x-ndjson' } }, (response) => {
        let bytes = 0;
        response.on('data', (piece) => { bytes += piece.length; }).on('end', () => resolve(bytes)).on('error', reject);
      }).on('error', reject);
    });
    assert.equal(await importRows(0, 3000), '{"created":3000}');
    await exportBytes();
    const before = grown();
    assert.equal(await importRows(3000, 20000), '{"created":20000}');
    const imported = grown();
    assert.ok((await exportBytes()) > 23000 * 4000);
    const exported = grown();
    assert.ok(imported - before < 20 && exported - before < 20, `${before} MB, ${imported} MB after the import, ${exported} MB after the export`);
  } finally { await own.stop(); removeFolder(own.folder); }
});

const decoders = { gzip: zlib.gunzipSync, br: zlib.brotliDecompressSync, zstd: zstdDecompress };
const rowsOf = (count) => Array.from({ length: count }, (_, i) => JSON.stringify({ code: `c${i}`, name: `Darjeeling ${i}` })).join('\n');

// The same over HTTP/2.
function get2(path, headers) {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${server.port}`).on('error', reject);
    const stream = session.request({ ':path': path, ...headers });
    const pieces = [];
    let answered;
    stream.on('response', (head) => { answered = head; });
    stream.on('data', (piece) => pieces.push(piece));
    stream.on('end', () => { session.close(); resolve({ headers: answered, body: Buffer.concat(pieces) }); });
    stream.on('error', reject);
  });
}

test('RFC 9110 §8.4: rows go out as gzip, br and zstd, as Accept-Encoding says, over HTTP/1.1 and HTTP/2', async () => {
  assert.equal((await importing('application/x-ndjson', rowsOf(2500))).status, 201);
  for (const accept of ['application/x-ndjson', 'text/csv']) {
    const plain = await send('GET', '/v1/items', { accept });
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.match(plain.headers.vary, /Accept-Encoding/);
    for (const [coding, decode] of Object.entries(decoders)) {
      const headers = { accept, 'accept-encoding': coding };
      for (const answer of [await send('GET', '/v1/items', headers), await get2('/v1/items', headers)]) {
        assert.equal(answer.headers['content-encoding'], coding);
        assert.match(answer.headers.vary, /Accept-Encoding/);
        assert.equal(answer.headers['content-length'], undefined);
        assert.ok(answer.body.length < plain.body.length / 3, `${answer.body.length} of ${plain.body.length} bytes`);
        assert.equal(decode(answer.body).toString(), plain.text);
      }
      const head = await send('HEAD', '/v1/items', headers);
      assert.deepEqual([head.status, head.headers['content-encoding'], head.body.length], [200, coding, 0]);
    }
    const none = await send('GET', '/v1/items', { accept, 'accept-encoding': 'gzip;q=0, deflate' });
    assert.equal(none.text, plain.text);
  }
  const cut = await send('GET', '/v1/items?limit=2000', { accept: 'text/csv', 'accept-encoding': 'gzip' });
  assert.equal(zlib.gunzipSync(cut.body).toString().split('\r\n').length, 2002);
  assert.match(cut.trailers.link, /rel="next"/);
  const watch = await new Promise((resolve) => { http.get({ port: server.port, path: '/v1/items:watch', headers: { 'accept-encoding': 'gzip' } }, resolve); });
  watch.destroy();
  assert.deepEqual([watch.statusCode, watch.headers['content-encoding']], [200, undefined]);
  await remove();
});

test('what is coded arrives as it is written: rows can be read before the last one is', async () => {
  assert.equal((await importing('application/x-ndjson', rowsOf(6000))).status, 201);
  const first = await new Promise((resolve, reject) => {
    const request = http.get({ port: server.port, path: '/v1/items', headers: { accept: 'application/x-ndjson', 'accept-encoding': 'gzip' } }, (response) => {
      response.once('data', (piece) => {
        resolve(zlib.gunzipSync(piece, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString());
        response.destroy();
      });
    });
    request.on('error', reject);
  });
  assert.match(first, /^{"code":"c0"/);
  await remove();
});

test('a coded stream waits for a reader that stops reading, and is whole when he goes on', { timeout: 120000 }, async () => {
  const own = await startServer({ contract, env: { ASAN_OPTIONS: 'quarantine_size_mb=1:thread_local_quarantine_size_kb=64:malloc_context_size=2' } });
  try {
    const count = 5000;
    // Base64 of chance stays three quarters of its size.
    const lines = Array.from({ length: count }, (_, i) => `{"code":"r${i}","name":"${crypto.randomBytes(3000).toString('base64')}"}\n`);
    const filled = await fetch(`http://127.0.0.1:${own.port}/v1/items`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson', ...staff }, body: lines.join('') });
    assert.equal((await filled.json()).created, count);
    const memory = () => residentKib(own.child.pid) / 1024;
    for (const [coding, decode] of Object.entries(decoders)) {
      const before = memory();
      const body = await new Promise((resolve, reject) => {
        http.get({ port: own.port, path: '/v1/items?fields=code,name&sort=code', headers: { accept: 'application/x-ndjson', 'accept-encoding': coding } }, (response) => {
          const pieces = [];
          response.on('data', (piece) => pieces.push(piece)).on('end', () => resolve(Buffer.concat(pieces))).on('error', reject);
          response.once('data', () => { response.pause(); setTimeout(() => response.resume(), 300); });
        }).on('error', reject);
      });
      assert.ok(body.length > count * 3000, `${coding}: ${body.length} bytes`);
      assert.equal(decode(body).toString(), [...lines].sort().join(''), coding);
      assert.ok(memory() - before < 20, `${coding}: grew from ${before} MB to ${memory()} MB`);
    }
  } finally { await own.stop(); removeFolder(own.folder); }
});

test('HTTP/1.0 has no chunks: a coded stream ends with its connection', async () => {
  assert.equal((await importing('application/x-ndjson', rowsOf(2500))).status, 201);
  for (const [coding, decode] of Object.entries(decoders)) {
    const answer = await new Promise((resolve, reject) => {
      const pieces = [];
      net.connect(server.port, '127.0.0.1', function connected() { this.write(`GET /v1/items?fields=code,name HTTP/1.0\r\nAccept: application/x-ndjson\r\nAccept-Encoding: ${coding}\r\n\r\n`); })
        .on('data', (piece) => pieces.push(piece)).on('end', () => resolve(Buffer.concat(pieces))).on('error', reject);
    });
    const end = answer.indexOf('\r\n\r\n');
    const head = answer.subarray(0, end).toString().toLowerCase();
    assert.match(head, new RegExp(`\r\ncontent-encoding: ${coding}(\r|$)`));
    assert.ok(!head.includes('transfer-encoding'), head);
    assert.equal(decode(answer.subarray(end + 4)).toString().split('\n').length, 2501);
  }
  await remove();
});

test('rows come in as gzip and zstd, however their bytes are cut', async () => {
  const text = rowsOf(2500), csv = 'code,name\r\nx1,"a ""b"" c"\r\nx2,\r\n';
  const halves = [Buffer.from(text.slice(0, 30000)), Buffer.from(text.slice(30000))];
  for (const [coding, compress] of [['gzip', zlib.gzipSync], ['X-GZIP', zlib.gzipSync], ['zstd', zstdCompress]]) {
    const headers = { ...staff, 'content-encoding': coding };
    for (const body of [compress(text), Buffer.concat(halves.map((half) => compress(half)))]) {
      const pieces = Array.from({ length: Math.ceil(body.length / 997) }, (_, i) => body.subarray(i * 997, (i + 1) * 997));
      const answer = await importing('application/x-ndjson', pieces, '/v1/items', headers);
      assert.equal(answer.text, '{"created":2500}', coding);
      await remove();
    }
    assert.equal((await importing('text/csv', compress(csv), '/v1/items', headers)).text, '{"created":2}');
    assert.equal(JSON.parse((await send('GET', '/v1/items/x1', staff)).text).name, 'a "b" c');
    await remove();
    const whole = compress(text);
    for (const broken of [whole.subarray(0, whole.length - 9), Buffer.from('no coding at all'), Buffer.concat([whole, Buffer.from('garbage')]), Buffer.alloc(0)]) {
      const answer = await importing('application/x-ndjson', broken, '/v1/items', headers);
      assert.equal(answer.status, 400, `${coding}: ${answer.text}`);
      assert.ok(JSON.parse(answer.text).created <= 2500);
      await remove();
    }
  }
});

test('RFC 7694 §3: a coding that is not understood is 415 and told which ones are', async () => {
  for (const [type, coding, body, accepted] of [
    ['application/x-ndjson', 'br', zlib.brotliCompressSync('{"code":"q"}'), 'gzip, zstd'],
    ['text/csv', 'gzip, gzip', 'code\r\nq\r\n', 'gzip, zstd'],
    ['application/json', 'gzip', zlib.gzipSync('{"code":"q"}'), 'identity'],
  ]) {
    const answer = await importing(type, body, '/v1/items', { ...staff, 'content-encoding': coding });
    assert.deepEqual([answer.status, answer.headers['accept-encoding']], [415, accepted]);
    assert.equal(JSON.parse(answer.text).code, 'UNSUPPORTED_MEDIA_TYPE');
  }
});

test('a small body that becomes a large one costs no memory, and is 413 from --import-max on', { timeout: 120000 }, async () => {
  const own = await startServer({ contract, options: ['--import-max', '20MiB'] });
  const shared = server;
  const rss = () => Number(/^VmHWM:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${own.child.pid}/status`, 'utf8'))[1]) / 1024;
  try {
    server = own;
    const empty = Buffer.alloc(100 * 1024 * 1024, '\n'), line = Buffer.alloc(30 * 1024 * 1024, 'a');
    await importing('application/x-ndjson', zlib.gzipSync('{"code":"a"}'), '/v1/items', { ...staff, 'content-encoding': 'gzip' });
    const first = rss();
    for (const [coding, compress] of [['gzip', zlib.gzipSync], ['zstd', zstdCompress]]) {
      for (const bomb of [compress(empty), compress(line)]) {
        assert.ok(bomb.length < 200 * 1024);
        const answer = await importing('application/x-ndjson', bomb, '/v1/items', { ...staff, 'content-encoding': coding });
        assert.equal(answer.status, 413, answer.text);
      }
    }
    assert.ok(rss() - first < 20, `${first} MB, then ${rss()} MB`);
  } finally { server = shared; await own.stop(); removeFolder(own.folder); }
});
