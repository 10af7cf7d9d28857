// scan.mjs - attackers' own tools against servers of this run, on both stores: sqlmap looks for what becomes SQL text, slowhttptest for how few slow
// clients keep others out. Prints what each tried and found; ends with 1 where there is a finding.
//   node tests/scan/scan.mjs [sqlmap] [slowhttptest]
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { startPostgres } from '../support/postgres.mjs';
import { makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const logs = path.join(root, 'build-scan');
const python = path.join(logs, 'python/bin');
const contractPath = path.join(root, 'examples/shop/shop.graphql');
const token = makeToken({ sub: '01890a5d-ac96-774b-bcce-b302099a8057', roles: ['staff'] });
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function execute(command, args, log) {
  const out = fs.openSync(path.join(logs, log), 'w');
  const child = spawn(command, args, { stdio: ['ignore', out, out], env: { ...process.env, HOME: logs } });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => { fs.closeSync(out); resolve({ code, said: fs.readFileSync(path.join(logs, log), 'utf8') }); });
  });
}

async function withShop(store, options, use) {
  const server = await startServer({ contractPath, store, options });
  const client = server.client();
  const post = (target, body) => client.request('POST', target, { headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
  try {
    const tea = JSON.parse((await post('/v1/products', { sku: 'TEA-1', name: 'Green tea', price: '4.50', stock: 3 })).text);
    for (let i = 0; i < 50; i++) await post('/v1/products', { sku: `MUG-${i}`, name: `Mug ${i}`, price: '9.00', stock: i });
    return await use(server, tea.id);
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

// ---- sqlmap ----

// Where bytes from outside come near a statement: `*` is where it puts its own.
const places = (id) => [
  ['search', `/v1/products?q=tea*`], ['an equality', `/v1/products?name=Green*`], ['a comparison', `/v1/products?price[gte]=1*`], ['a set', `/v1/products?sku[in]=TEA-1*`],
  ['a part of a text', `/v1/products?name[contains]=tea*`], ['a path through a relation', `/v1/products?category.name=x*`], ['a name of a field', `/v1/products?na*me=x`],
  ['an operator', `/v1/products?name[contains*]=x`], ['an expression', `/v1/products?filter=name.contains('te*')`], ['a whole expression', `/v1/products?filter=stock>1*`],
  ['an order', `/v1/products?sort=name*`], ['a selection', `/v1/products?fields=name*`], ['a page', `/v1/products?limit=5*`], ['a cursor', `/v1/products?after=x*`],
  ['a group', `/v1/products:aggregate?by=stock*&metrics=count`], ['a key', `/v1/products/${id}*`], ['a unique key', `/v1/products?sku=TEA-1*&fields=id`],
  ['a version of a row', `/v1/products/${id}`, ['-H', 'If-None-Match: "x*"']],
  ['a value that is written', '/v1/products', ['--method', 'POST', '-H', 'Content-Type: application/json', '--data', '{"sku":"A-1*","name":"x","price":"1"}']],
  ['a patch', `/v1/products/${id}`, ['--method', 'PATCH', '-H', 'Content-Type: application/merge-patch+json', '--data', '{"description":"x*"}']],
  ['a GraphQL variable', '/graphql', ['-H', 'Content-Type: application/json', '--data', '{"query":"query($n:String){products(where:{name:{eq:$n}}){nodes{id}}}","variables":{"n":"x*"}}']],
  ['GraphQL text', '/graphql', ['-H', 'Content-Type: application/json', '--data', '{"query":"{products(search:\\"x*\\"){nodes{id}}}"}']],
];

async function sqlmap(storeName, store) {
  return withShop(store, ['--migrate', '--uri-max', '64KiB'], async ({ port }, id) => {
    const findings = [];
    let asked = 0;
    for (const [what, target, more = []] of places(id)) {
      const log = `sqlmap-${storeName}-${what.replace(/\W+/g, '-')}.log`;
      const args = ['-u', `http://127.0.0.1:${port}${target}`, ...more, '-H', `Authorization: Bearer ${token}`, '--batch', '--level=2', '--risk=2', '--threads=4', '--ignore-code=*', '--timeout=10', '--retries=1',
        '--flush-session', '--disable-coloring', '--output-dir', path.join(logs, 'sqlmap')];
      const { said } = await execute(path.join(python, 'sqlmap'), args, log);
      asked++;
      // What isn't said to be safe was not tried.
      if (!/all tested parameters do not appear to be injectable/.test(said) || /identified the following injection point/.test(said)) findings.push(`${storeName}, ${what}: see build-scan/${log}`);
      if (/connection timed out|unable to connect/i.test(said)) findings.push(`${storeName}, ${what}: the server was slow or gone, see build-scan/${log}`);
    }
    return { tried: `${asked} places on ${storeName}`, findings };
  });
}

// ---- slowhttptest ----

const attacks = [
  ['slow heads', ['-H', '-i', '1']], ['slow bodies', ['-B', '-i', '1', '-s', '8192', '-f', 'application/json']], ['ranges', ['-R', '-t', 'HEAD']], ['slow readers', ['-X', '-n', '1', '-k', '3', '-w', '10', '-y', '20', '-z', '32']],
];
const CLIENTS = 1000, SECONDS = 20;

// The longest that somebody else waited for his answer while `running`.
async function longestWait(server, running) {
  let longest = 0, isOver = false;
  running.then(() => { isOver = true; });
  while (!isOver) {
    const client = server.client(), begin = performance.now();
    const { status } = await client.request('GET', '/v1/products?limit=1');
    if (status !== 200) return Infinity;
    longest = Math.max(longest, performance.now() - begin);
    client.close();
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
      if (!/Exit status|exit status|service available/i.test(said)) findings.push(`${what}: the tool did not run, see its log`);
      waits.push(`${what} ${wait.toFixed(0)} ms`);
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
