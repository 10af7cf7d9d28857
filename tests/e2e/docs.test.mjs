// docs.test.mjs - the pages for people: the reference in a real browser, the explanations of problems, and what they may load.
import assert from 'node:assert';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const require = createRequire(path.join(root, 'tests/clients/package.json'));
const { chromium } = require('playwright-core');
const contractPath = path.join(root, 'examples/shop/shop.graphql');
const codes = ['BAD_REQUEST', 'UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'METHOD_NOT_ALLOWED', 'NOT_ACCEPTABLE', 'CONFLICT', 'PRECONDITION_FAILED', 'PRECONDITION_REQUIRED', 'TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE', 'VALIDATION_FAILED', 'RATE_LIMITED', 'TIMEOUT', 'UNAVAILABLE', 'INTERNAL'];

let server, base;
before(async () => { server = await startServer({ contractPath }); base = server.addresses[0]; });
after(async () => { await server.stop(); removeFolder(server.folder); });

describe('files for a browser', () => {
  test('/ leads to /docs', async () => {
    const response = await fetch(`${base}/`, { headers: { accept: 'text/html' }, redirect: 'manual' });
    assert.deepEqual([response.status, response.headers.get('location')], [302, '/docs']);
  });

  test('the reference may load nothing of another host, and has no inline script', async () => {
    const response = await fetch(`${base}/docs`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type'), /^text\/html/);
    const policy = response.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self';/);
    assert.ok(!/https?:|\*|unsafe-eval/.test(policy), policy);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    const html = await response.text();
    assert.ok(!/(src|href)="(https?:)?\/\//.test(html), 'no other host');
    assert.ok(!/<script>|<script [^>]*>[^<]/.test(html), 'no inline script');
    for (const [, file] of html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) assert.equal((await fetch(`${base}/${file}`)).status, 200, file);
  });

  test('files go out gzipped or plain, as asked for, with an entity tag', async () => {
    const client = server.client();
    const plain = await client.request('GET', '/docs/theme.js');
    const packed = await client.request('GET', '/docs/theme.js', { headers: { 'accept-encoding': 'br, gzip;q=0.5' } });
    const refused = await client.request('GET', '/docs/theme.js', { headers: { 'accept-encoding': 'gzip;q=0' } });
    client.close();
    assert.equal(packed.headers.get('content-encoding'), 'gzip');
    assert.equal(plain.headers.get('content-encoding'), undefined);
    assert.equal(refused.headers.get('content-encoding'), undefined);
    assert.equal(gunzipSync(packed.body).toString(), plain.text);
    const again = await fetch(`${base}/docs/theme.js`, { headers: { 'if-none-match': plain.headers.get('etag') } });
    assert.equal(again.status, 304);
    assert.equal((await fetch(`${base}/docs/other.js`)).status, 404);
    assert.equal((await fetch(`${base}/docs`, { method: 'POST' })).status, 405);
  });
});

describe('problems', () => {
  for (const code of codes) {
    test(`${code} is explained, as a page and as JSON`, async () => {
      const at = `${base}/problems/${code.toLowerCase().replaceAll('_', '-')}`;
      const page = await fetch(at, { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } });
      assert.equal(page.status, 200);
      assert.match(page.headers.get('content-type'), /^text\/html/);
      const html = await page.text();
      for (const part of [code, 'What it means', 'What to do', 'An example']) assert.ok(html.includes(part), part);
      const json = await (await fetch(at, { headers: { accept: 'application/json' } })).json();
      assert.equal(json.code, code);
      assert.ok(json.meaning.length > 40 && json.advice.length > 20);
      assert.equal(json.example.code, code);
      assert.equal(json.example.status, json.status);
    });
  }

  test('the type of a refusal leads to its page', async () => {
    const problem = await (await fetch(`${base}/v1/products/none`)).json();
    const page = await fetch(new URL(problem.type, base), { headers: { accept: 'text/html' } });
    assert.equal(page.status, 200);
    assert.ok((await page.text()).includes(problem.title));
  });

  test('a list names them all; another is not found', async () => {
    const html = await (await fetch(`${base}/problems`, { headers: { accept: 'text/html' } })).text();
    for (const code of codes) assert.ok(html.includes(code), code);
    assert.equal((await fetch(`${base}/problems/none`)).status, 404);
  });
});

describe('the reference in a browser', () => {
  let browser;
  before(async () => { browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], timeout: 120000 }); });
  after(async () => { await browser?.close(); });

  // What a page does that it should not: asks another host, breaks the policy, throws.
  async function openPage(options, at) {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(90000);
    const complaints = [];
    page.on('request', (request) => { if (!request.url().startsWith(base) && !request.url().startsWith('data:')) complaints.push(`asked for ${request.url()}`); });
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${base}${at}`, { waitUntil: 'load' });
    return { page, complaints };
  }

  test('open, authorise, send a request, see the answer; the token is kept', async () => {
    const { page, complaints } = await openPage({ viewport: { width: 1280, height: 900 } }, '/');
    await page.locator('.opblock-tag').first().waitFor();
    assert.match(await page.title(), /shop v1/);
    await page.locator('.btn.authorize').first().click();
    await page.locator('.auth-container input').first().fill(makeToken({ sub: 'ann', roles: ['staff'] }));
    await page.locator('.auth-container .btn.authorize').click();
    await page.locator('.auth-container .btn-done').click();
    const operation = page.locator('#operations-Category-createCategory');
    await operation.locator('.opblock-summary-control').click();
    await operation.locator('.try-out__btn').click();
    await operation.locator('.body-param__text').fill(JSON.stringify({ slug: 'tea', name: 'Tea' }));
    await operation.locator('.execute').click();
    const live = operation.locator('.live-responses-table');
    await live.locator('.response-col_status').filter({ hasText: '201' }).waitFor();
    assert.match(await live.locator('td.response-col_description:not(.col_header)').textContent(), /"slug": "tea"/);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'nothing sticks out');
    await page.reload();
    await page.locator('.opblock-tag').first().waitFor();
    await page.locator('.btn.authorize.locked').first().waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test('dark and light follow the system, and the choice is kept; a phone has room', async () => {
    const { page, complaints } = await openPage({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' }, '/docs');
    const brightness = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).slice(0, 3).reduce((sum, n) => sum + Number(n), 0));
    await page.locator('.opblock-tag').first().waitFor();
    assert.ok(await brightness() < 200);
    await page.locator('#operations-Product-listProducts .opblock-summary-control').click();
    await page.locator('#operations-Product-listProducts .parameters').first().waitFor();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 390, `${width} pixels wide`);
    await page.locator('#theme').click();
    assert.ok(await brightness() > 600, 'light was chosen');
    await page.reload();
    assert.ok(await brightness() > 600, 'and kept');
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test('a problem has its page', async () => {
    const { page, complaints } = await openPage({ viewport: { width: 390, height: 844 } }, '/problems/validation-failed');
    assert.equal(await page.locator('h1').textContent(), 'The input is not valid');
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390);
    await page.locator('.bar-name').click();
    await page.locator('.opblock-tag').first().waitFor();
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
