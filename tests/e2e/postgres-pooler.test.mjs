// postgres-pooler.test.mjs - through PgBouncer in transaction mode, where the next transaction may be on another connection: nothing that was
// set or prepared before may be counted on.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { startPooler } from '../support/pooler.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "shop")
type Shelf @resource @access(read: "true", write: "true") { code: String! @id teas: [Tea!]! }
type Tea @resource @access(read: "true", write: "true") {
  code: String! @id
  name: String! @unique
  amount: Int!
  shelf: Shelf
}
`;

let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); });

const post = (client, target, body) => client.request('POST', target, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

async function exercise(pooler, options) {
  const server = await startServer({ contract, store: pooler.url(postgres.createDatabase()), options: ['--threads', '2', '--migrate', '--store-acquire-timeout', '20s', ...options] });
  const clients = Array.from({ length: 8 }, () => server.client());
  assert.equal((await post(clients[0], '/v1/shelves', { code: 's' })).status, 201);
  await Promise.all(clients.map(async (client, c) => {
    for (let i = 0; i < 12; i++) {
      const code = `c${c}-${i}`;
      const created = await post(client, '/v1/teas', { code, name: code, amount: i, shelfCode: 's' });
      assert.equal(created.status, 201, created.text);
      const read = await client.request('GET', `/v1/teas/${code}`);
      assert.equal(read.status, 200, read.text);
      assert.equal(JSON.parse(read.text).amount, i);
      const nested = await client.request('GET', '/v1/shelves?fields=code,teas(code)&teas.limit=2');
      assert.equal(nested.status, 200, nested.text);
      assert.equal((await post(client, '/v1/teas', { code: `${code}x`, name: code, amount: i })).status, 409);
    }
  }));
  const count = JSON.parse((await clients[0].request('GET', '/v1/teas?limit=0&count=exact')).text).count;
  assert.equal(count, 8 * 12);
  for (const client of clients) client.close();
  await server.stop();
  removeFolder(server.folder);
}

test('a pooler that refuses settings at the start is found by itself', { timeout: 60000 }, async () => {
  const pooler = await startPooler(postgres, {});
  try {
    await exercise(pooler, []);
  } finally {
    await pooler.stop();
  }
});

test('a pooler that ignores them is found by what it does to prepared statements, or told', { timeout: 90000 }, async () => {
  const pooler = await startPooler(postgres, { ignore_startup_parameters: 'options' });
  try {
    await exercise(pooler, ['--store-prepared', 'off']);
    await exercise(pooler, []);
  } finally {
    await pooler.stop();
  }
});
