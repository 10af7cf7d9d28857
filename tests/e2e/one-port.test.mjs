// one-port.test.mjs - curl, GraphiQL, grpcurl and a browser page (examples/browser) show the same row from the same port, and the same stranger the
// same denial.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const require = createRequire(path.join(root, 'tests/clients/package.json'));
const { chromium } = require('playwright-core');
const limit = { timeout: 180000 };
const contract = `
extend schema @service(name: "shop", version: "v1")
type Product @resource @access(read: "auth.id != null", write: "auth.id != null") { id: ID! @id name: String! }
`;
const token = makeToken({ sub: 'ann' });
const grpcurl = path.join(root, 'build-test/go/bin/grpcurl');
let server, base, pages, browser;
before(async () => {
  const folder = path.join(root, 'examples/browser'), types = { '.html': 'text/html', '.mjs': 'text/javascript' };
  pages = http.createServer(({ url }, answer) => {
    const file = path.join(folder, url === '/' ? 'index.html' : path.basename(url));
    if (!fs.existsSync(file)) { answer.writeHead(404).end(); return; }
    answer.writeHead(200, { 'content-type': types[path.extname(file)] ?? 'text/plain' }).end(fs.readFileSync(file));
  });
  await new Promise((resolve) => { pages.listen(0, '127.0.0.1', resolve); });
  server = await startServer({ contract, options: ['--cors-origin', `http://127.0.0.1:${pages.address().port}`] });
  base = server.addresses[0];
  const made = await fetch(`${base}/v1/products`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ id: 'p1', name: 'Tea' }) });
  assert.equal(made.status, 201);
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], timeout: 120000 });
});
after(async () => {
  await browser?.close();
  pages?.close();
  pages?.closeAllConnections?.();
  if (server) { await server.stop(); removeFolder(server.folder); }
});

const run = (command, args) => spawnSync(command, args, { encoding: 'utf8', timeout: 60000 });

test('curl', limit, () => {
  const curl = (...more) => run('curl', ['-sS', '-w', '\n%{http_code}', ...more, `${base}/v1/products/p1`]).stdout.split('\n');
  const [body, status] = curl('-H', `Authorization: Bearer ${token}`);
  assert.equal(status, '200');
  assert.deepEqual(JSON.parse(body), { id: 'p1', name: 'Tea' });
  const [refused, code] = curl();
  assert.equal(code, '401');
  assert.equal(JSON.parse(refused).code, 'UNAUTHENTICATED');
});

test('grpcurl, by reflection', limit, () => {
  const address = base.replace('http://', '');
  assert.match(run(grpcurl, ['-plaintext', address, 'list']).stdout, /^shop\.v1\.ProductService$/m);
  assert.match(run(grpcurl, ['-plaintext', address, 'describe', 'shop.v1.Product']).stdout, /string name = 2;/);
  const get = (...more) => run(grpcurl, ['-plaintext', ...more, '-d', '{"id":"p1"}', address, 'shop.v1.ProductService/GetProduct']);
  assert.deepEqual(JSON.parse(get('-H', `authorization: Bearer ${token}`).stdout), { id: 'p1', name: 'Tea' });
  const refused = get();
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /Code: Unauthenticated/);
  // The rich details are of types that the server tells of, too.
  assert.match(refused.stderr, /"@type": "type\.googleapis\.com\/google\.rpc\.ErrorInfo",\s+"domain": "caisson",/);
  assert.match(refused.stderr, /"reason": "UNAUTHENTICATED"/);
  assert.match(refused.stderr, /"@type": "type\.googleapis\.com\/google\.rpc\.RequestInfo",\s+"requestId": "/);
  assert.doesNotMatch(refused.stderr, /not recognized/);
  assert.match(run(grpcurl, ['-plaintext', address, 'describe', 'google.rpc.BadRequest']).stdout, /repeated \.google\.rpc\.BadRequest\.FieldViolation field_violations = 1;/);
});

test('buf curl, by reflection', limit, () => {
  const buf = path.join(root, 'tests/clients/node_modules/@bufbuild/buf/bin/buf');
  for (const protocol of ['grpc', 'grpcweb', 'connect']) {
    const get = (...more) => run(process.execPath, [buf, 'curl', '--protocol', protocol, '--http2-prior-knowledge', ...more, '-d', '{"id":"p1"}', `${base}/shop.v1.ProductService/GetProduct`]);
    const answer = get('-H', `authorization: Bearer ${token}`);
    assert.equal(answer.status, 0, `${protocol}: ${answer.stderr}`);
    assert.deepEqual(JSON.parse(answer.stdout), { id: 'p1', name: 'Tea' });
    const refused = get();
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /unauthenticated/, protocol);
  }
});

test('GraphiQL', limit, async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(90000);
  await page.goto(`${base}/graphql`, { waitUntil: 'load' });
  await page.locator('.graphiql-query-editor .CodeMirror').waitFor();
  await page.locator('.graphiql-query-editor .CodeMirror').evaluate((element) => element.CodeMirror.setValue('{ product(id: "p1") { id name } }'));
  const answerHas = (text) => page.waitForFunction((wanted) => [...document.querySelectorAll('.result-window .CodeMirror')].some((element) => element.CodeMirror.getValue().includes(wanted)), text);
  await page.locator('.graphiql-execute-button').click();
  await answerHas('UNAUTHENTICATED');
  await page.locator('#token').fill(token);
  await page.locator('#token').blur();
  await page.locator('.graphiql-execute-button').click();
  await answerHas('"name": "Tea"');
  await page.close();
});

test('the browser page, which hears of changes too', limit, async () => {
  const page = await browser.newPage();
  page.setDefaultTimeout(60000);
  await page.goto(`http://127.0.0.1:${pages.address().port}/`, { waitUntil: 'load' });
  await page.locator('#server').fill(base);
  await page.locator('button').click();
  await page.waitForFunction(() => document.getElementById('refusal').textContent.startsWith('unauthenticated:'));
  await page.locator('#token').fill(token);
  await page.locator('button').click();
  await page.waitForFunction(() => document.querySelector('tbody').textContent === 'p1Tea');
  assert.equal(await page.locator('#refusal').textContent(), '');
  // The watch begins at its own time: changes until one is seen.
  let isSeen = false;
  const seen = page.waitForFunction(() => document.querySelector('tbody').textContent.includes('p2Cup')).then(() => { isSeen = true; });
  for (let i = 0; !isSeen && i < 200; i++) {
    await fetch(`${base}/v1/products`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ id: i === 0 ? 'p2' : `q${i}`, name: 'Cup' }) });
    if (i > 0) await fetch(`${base}/v1/products/p2`, { method: 'PATCH', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ name: i % 2 ? 'Cup again' : 'Cup' }) });
    await page.waitForTimeout(100);
  }
  await seen;
  await page.close();
});
