// scan.mjs - attackers' own tools against servers of this run, on both stores: sqlmap looks for what becomes SQL text, slowhttptest for how few slow
// clients keep others out. Prints what each tried and found; ends with 1 where there is a finding.
//   node tests/scan/scan.mjs [sqlmap] [slowhttptest]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { startPostgres } from '../support/postgres.mjs';
import { removeFolder, root, startServer } from '../support/server.mjs';

const logs = path.join(root, 'build-scan');
const python = path.join(logs, 'python/bin');
const contractPath = path.join(root, 'tests/scan/shop.graphql');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function execute(command, args, log) {
  const out = fs.openSync(path.join(logs, log), 'w');
  const child = spawn(command, args, { stdio: ['ignore', out, out], env: { ...process.env, HOME: logs } });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => { fs.closeSync(out); resolve({ code, said: fs.readFileSync(path.join(logs, log), 'utf8') }); });
  });
}

const json = { 'content-type': 'application/json' };

async function withShop(store, options, use) {
  const server = await startServer({ contractPath, store, options });
  const client = server.client();
  try {
    for (let i = 0; i < 50; i++) await client.request('POST', '/v1/products', { headers: json, body: JSON.stringify({ sku: `TEA-${i}`, name: `Green tea ${i}`, description: 'from the hills', price: '4.50', stock: i }) });
    const { items: [{ id }], nextCursor } = JSON.parse((await client.request('GET', '/v1/products?limit=1&sort=name')).text);
    return await use(server, id, nextCursor);
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

// ---- sqlmap ----

// Where bytes from outside come near a statement: `*` is where it puts its own behind what is good.
const places = (id, cursor) => [
  ['search', '/v1/products?q=tea*'], ['an equality', '/v1/products?name=Green*'], ['a comparison', '/v1/products?price[gte]=1*'], ['a set', '/v1/products?sku[in]=TEA-1*'],
  ['a part of a text', '/v1/products?name[contains]=tea*'], ['a path through a relation', '/v1/products?category.name=x*'], ['a name of a field', '/v1/products?name*=x'],
  ['an operator', '/v1/products?name[contains*]=x'], ['a text of an expression', "/v1/products?filter=name.contains('te*')"], ['an expression', '/v1/products?filter=stock>1*'],
  ['an order', '/v1/products?sort=name*'], ['a selection', '/v1/products?fields=name*'], ['a page', '/v1/products?limit=5*'], ['a cursor', `/v1/products?sort=name&after=${cursor}*`],
  ['a group', '/v1/products:aggregate?by=stock*&metrics=count'], ['a key', `/v1/products/${id}*`], ['a version of a row', `/v1/products/${id}`, { 'If-None-Match': '"x*"' }],
  ['a value that is written', '/v1/products', json, 'POST', '{"sku":"A-1*","name":"x","price":"1"}'],
  ['a patch', `/v1/products/${id}`, { 'content-type': 'application/merge-patch+json' }, 'PATCH', '{"description":"x*"}'],
  ['a GraphQL variable', '/graphql', json, 'POST', '{"query":"query($n:String){products(where:{name:{eq:$n}}){nodes{id}}}","variables":{"n":"x*"}}'],
  ['a text in GraphQL', '/graphql', json, 'POST', '{"query":"{products(search:\\"tea*\\"){nodes{id}}}"}'],
];

// How many answers there were of the statuses that come from behind a statement, and of all.
async function countAnswers(client) {
  const counts = { behind: 0, all: 0 };
  for (const [, route, status, count] of (await client.request('GET', '/metrics')).text.matchAll(/^caisson_http_requests_total\{.*route="([^"]*)".*status="(\d+)"\} (\d+)$/gm)) {
    if (route === '/metrics') continue;
    counts.all += Number(count);
    if (/^2|304|404|409/.test(status)) counts.behind += Number(count);
  }
  return counts;
}

async function sqlmap(storeName, store) {
  return withShop(store, ['--migrate', '--uri-max', '64KiB'], async (server, id, cursor) => {
    const findings = [], reached = [], refused = [];
    const client = server.client();
    for (const [what, target, headers = {}, method = 'GET', body] of places(id, cursor)) {
      const log = `sqlmap-${storeName}-${what.replace(/\W+/g, '-')}.log`;
      const plain = (text) => text?.replace('*', '');
      const base = await client.request(method, plain(target), { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, plain(value)])), body: plain(body) });
      if (base.status > 299 || /"errors"/.test(base.text)) findings.push(`${storeName}, ${what}: without sqlmap's bytes the answer is ${base.status} ${base.text}`);
      const before = await countAnswers(client);
      const args = ['-u', `http://127.0.0.1:${server.port}${target}`, ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]), ...(body ? ['--method', method, '--data', body] : []),
        '--batch', '--level=2', '--risk=2', '--threads=4', '--ignore-code=*', '--timeout=10', '--retries=1', '--flush-session', '--disable-coloring', '--output-dir', path.join(logs, 'sqlmap')];
      const { said } = await execute(path.join(python, 'sqlmap'), args, log);
      const after = await countAnswers(client), all = after.all - before.all;
      (after.behind - before.behind > all / 2 ? reached : refused).push(what);
      // What isn't said to be safe was not tried.
      if (all < 100 || !/all tested parameters do not appear to be injectable/.test(said) || /identified the following injection point/.test(said)) findings.push(`${storeName}, ${what}: see build-scan/${log}`);
      if (/connection timed out|unable to connect/i.test(said)) findings.push(`${storeName}, ${what}: the server was slow or gone, see build-scan/${log}`);
    }
    client.close();
    return { tried: `on ${storeName}, what it sent came to a statement as a value at ${reached.length} places (${reached.join(', ')}), and was refused before at ${refused.length} (${refused.join(', ')})`, findings };
  });
}

// ---- slowhttptest ----

const attacks = [
  ['slow heads', ['-H', '-i', '1']], ['slow bodies', ['-B', '-i', '1', '-s', '8192', '-f', 'application/json']], ['ranges', ['-R', '-t', 'HEAD']], ['slow readers', ['-X', '-n', '1', '-k', '3', '-w', '10', '-y', '20', '-z', '32']],
];
const CLIENTS = 1000, SECONDS = 20;

const within = (ms, promise) => Promise.race([promise, pause(ms).then(() => ({ status: 0 }))]);

// The longest that somebody else waited for his answer while `running`; Infinity: he got none.
async function longestWait(server, running) {
  let longest = 0, isOver = false;
  running.then(() => { isOver = true; });
  while (!isOver) {
    const client = server.client(), begin = performance.now();
    const { status } = await within(5000, client.request('GET', '/v1/products?limit=1'));
    client.close();
    if (status !== 200) return Infinity;
    longest = Math.max(longest, performance.now() - begin);
    await pause(100);
  }
  return longest;
}

async function slowhttptest() {
  return withShop(undefined, ['--connections-max', String(2 * CLIENTS)], async (server) => {
    const findings = [], waits = [];
    for (const [what, options] of attacks) {
      const target = what === 'slow bodies' ? '/v1/products' : '/v1/products?limit=50';
      const args = ['-c', String(CLIENTS), '-r', '500', '-l', String(SECONDS), '-p', '3', '-u', `http://127.0.0.1:${server.port}${target}`, ...options];
      const running = execute('slowhttptest', args, `slowhttptest-${what.replace(' ', '-')}.log`);
      const wait = await longestWait(server, running);
      const { said } = await running;
      // It says every five seconds how many are connected; those of a range are answered at once.
      const connected = Math.max(0, ...[...said.replace(/\x1b\[[\d;]*m/g, '').matchAll(/connected:\s+(\d+)/g)].map(([, count]) => Number(count)));
      if (what !== 'ranges' && connected < CLIENTS / 2) findings.push(`${what}: only ${connected} of the tool's clients were connected at once, see its log`);
      waits.push(`${what} ${wait.toFixed(0)} ms (${connected} connected)`);
      if (wait > 1000) findings.push(`${what}: another client waited ${wait.toFixed(0)} ms`);
      await pause(500);
    }
    return { tried: `${CLIENTS} clients each for ${SECONDS} s; the longest that another client waited: ${waits.join(', ')}`, findings };
  });
}

// ---- all ----

const wanted = process.argv.slice(2);
let count = 0;
async function report(tool, run) {
  if (wanted.length > 0 && !wanted.includes(tool)) return;
  const { tried, findings } = await run();
  console.log(`${tool}: ${tried}; ${findings.length === 0 ? 'nothing found' : `FOUND\n  ${findings.join('\n  ')}`}`);
  count += findings.length;
}

fs.mkdirSync(logs, { recursive: true });
await report('sqlmap', () => sqlmap('SQLite'));
await report('sqlmap', async () => {
  const postgres = await startPostgres();
  try { return await sqlmap('PostgreSQL', postgres.url()); } finally { await postgres.remove(); }
});
await report('slowhttptest', slowhttptest);
process.exit(count > 0 ? 1 : 0);
