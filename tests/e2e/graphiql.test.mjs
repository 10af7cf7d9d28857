// graphiql.test.mjs - GraphiQL in a real browser: nothing of another host, a token, a query, a subscription, light and dark.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const require = createRequire(path.join(root, 'tests/clients/package.json'));
const { chromium } = require('playwright-core');
const limit = { timeout: 180000 };
const contract = `
extend schema @service(name: "shop", version: "v1")
type Note @resource @access(read: "true", write: "auth.id != null") { id: ID! @id text: String! owner: String @default(expr: "auth.id") @readonly secret: String @access(read: "auth.id == 'ann'") }
`;
const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let server, base, browser;

before(async () => {
  server = await startServer({ contract });
  base = server.addresses[0];
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'], timeout: 120000 });
});
after(async () => {
  await browser?.close();
  if (server) { await server.stop(); removeFolder(server.folder); }
});

describe('the page', () => {
  test('is given to who asks for HTML, and to nobody else', limit, async () => {
    const page = await fetch(`${base}/graphql`, { headers: html });
    assert.equal(page.status, 200);
    assert.match(page.headers.get('content-type'), /^text\/html/);
    assert.match(page.headers.get('vary'), /accept/i);
    const asJson = await fetch(`${base}/graphql?query={__typename}`, { headers: { accept: 'application/json' } });
    assert.deepEqual(await asJson.json(), { data: { __typename: 'Query' } });
    assert.equal((await fetch(`${base}/graphql?query={__typename}`)).headers.get('content-type').split(';')[0], 'application/json');
  });

  test('may load nothing of another host, and has no inline script', limit, async () => {
    const page = await fetch(`${base}/graphql`, { headers: html });
    const policy = page.headers.get('content-security-policy');
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /script-src 'self';/);
    assert.ok(!/https?:|\*|unsafe-eval/.test(policy), policy);
    const text = await page.text();
    assert.ok(!/(src|href)="(https?:)?\/\//.test(text), 'no other host');
    assert.ok(!/<script>|<script [^>]*>[^<]/.test(text), 'no inline script');
    for (const [, file] of text.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)) assert.equal((await fetch(`${base}/${file}`)).status, 200, file);
  });

  test('--graphiql off: there is none', limit, async () => {
    const other = await startServer({ contract, options: ['--graphiql', 'off'] });
    try {
      const answer = await fetch(`${other.addresses[0]}/graphql`, { headers: html });
      assert.notEqual(answer.headers.get('content-type').split(';')[0], 'text/html');
    } finally {
      await other.stop();
      removeFolder(other.folder);
    }
  });
});

describe('in a browser', () => {
  // What a page does that it should not: asks another host, breaks the policy, throws.
  async function openPage(options) {
    const page = await browser.newPage(options);
    page.setDefaultTimeout(90000);
    const complaints = [];
    page.on('request', (request) => { if (!request.url().startsWith(base) && !request.url().startsWith('data:')) complaints.push(`asked for ${request.url()}`); });
    page.on('console', (message) => { if (message.type() === 'error') complaints.push(message.text()); });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${base}/graphql`, { waitUntil: 'load' });
    await page.locator('.graphiql-query-editor .CodeMirror').waitFor();
    return { page, complaints };
  }
  const write = (page, text) => page.locator('.graphiql-query-editor .CodeMirror').evaluate((element, value) => element.CodeMirror.setValue(value), text);
  const answerHas = (page, text) => page.waitForFunction((wanted) => [...document.querySelectorAll('.result-window .CodeMirror')].some((element) => element.CodeMirror.getValue().includes(wanted)), text);

  test('set a token, run a mutation and a query, see the answers; hear of a change', limit, async () => {
    const { page, complaints } = await openPage({ viewport: { width: 1280, height: 850 } });
    await write(page, 'mutation { createNote(input: { id: "1", text: "hello", secret: "s3" }) { id owner } }');
    await page.locator('.graphiql-execute-button').click();
    await answerHas(page, 'UNAUTHENTICATED');
    await page.locator('#token').fill(makeToken({ sub: 'ann' }));
    await page.locator('#token').blur();
    await page.locator('.graphiql-execute-button').click();
    await answerHas(page, '"owner": "ann"');
    await write(page, '{ note(id: "1") { text secret } }');
    await page.locator('.graphiql-execute-button').click();
    await answerHas(page, '"secret": "s3"');

    await write(page, 'subscription { noteChanged { kind note { text secret } } }');
    await page.locator('.graphiql-execute-button').click();
    let isHeard = false;
    const heard = answerHas(page, '"text": "again').then(() => { isHeard = true; });
    for (let i = 0; !isHeard && i < 200; i++) {
      await fetch(`${base}/v1/notes/1`, { method: 'PATCH', headers: { 'content-type': 'application/json', authorization: `Bearer ${makeToken({ sub: 'bob' })}` }, body: JSON.stringify({ text: `again ${i}` }) });
      await page.waitForTimeout(100);
    }
    await heard;
    await answerHas(page, '"secret": "s3"');
    if (process.env.SCREENSHOTS) await page.screenshot({ path: path.join(process.env.SCREENSHOTS, 'graphiql-light.png') });
    assert.deepEqual(complaints.filter((text) => !/401/.test(text)), []);
    await page.close();
  });

  test('dark as the system has it, with an explorer', limit, async () => {
    const { page, complaints } = await openPage({ viewport: { width: 1280, height: 850 }, colorScheme: 'dark' });
    assert.ok(await page.evaluate(() => document.body.classList.contains('graphiql-dark')), 'dark');
    await page.locator('button[aria-label="Show GraphiQL Explorer"]').click();
    if (process.env.SCREENSHOTS) await page.screenshot({ path: path.join(process.env.SCREENSHOTS, 'graphiql-dark.png') });
    assert.deepEqual(complaints, []);
    await page.close();
  });
});
