// load.test.mjs - several loop threads, the writer and slow readers at once, so that TSan sees them meet.
import assert from 'node:assert';
import { test } from 'node:test';
import { removeFolder, startServer } from '../support/server.mjs';
import { openWatch } from '../support/watch.mjs';

const contract = `extend schema @service(name: "busy")
type Shelf @resource @access(read: "true", write: "true") {
  code: String! @id
  things: [Thing!]!
}
type Thing @resource @access(read: "true", write: "true") {
  code: String! @id
  shelf: Shelf
  count: Int! @default(value: 0)
  price: Decimal
}
`;
const clients = 12;
const rounds = 60;
const json = { 'Content-Type': 'application/json' };

async function work(server, number) {
  const client = server.client();
  const ask = async (method, target, statuses, body) => {
    const answer = await client.request(method, target, body === undefined ? {} : { headers: json, body: JSON.stringify(body) });
    assert.ok(statuses.includes(answer.status), `${method} ${target}: ${answer.status} ${answer.text}`);
    return answer;
  };
  await ask('PUT', `/v1/shelves/s${number % 3}`, [200, 201], {});
  for (let i = 0; i < rounds; i++) {
    const code = `t${number}-${i}`;
    await ask('POST', '/v1/things', [201], { code, shelfCode: `s${number % 3}`, price: `${i}.5` });
    assert.equal(JSON.parse((await ask('GET', `/v1/things/${code}`, [200])).text).price, `${i}.5`, 'a client sees its own write');
    await ask('GET', '/v1/shelves?fields=code,things(code,price)&things.limit=5', [200]);
    await ask('GET', '/v1/things?filter=shelf.things.exists(t, t.count > 5)&count=exact&limit=5'.replaceAll(' ', '%20'), [200]);
    await ask('PATCH', '/v1/things/t0-0', [200, 404], { count: i });
    if (i % 4 === 0) await ask('DELETE', `/v1/things/${code}`, [204]);
    await ask('GET', '/metrics', [200]);
  }
  client.close();
}

test('four loops, twelve clients, reads and writes at once', { timeout: 300000 }, async () => {
  const server = await startServer({ contract, options: ['--threads', '4'] });
  const watchers = [];
  for (let i = 0; i < 8; i++) watchers.push(await openWatch(server, `/v1/things:watch?fields=code,shelf(code)&count[gte]=${-(i % 2)}`));
  await Promise.all(Array.from({ length: clients }, (_, number) => work(server, number)));
  // Each loop has watches, each of which hears of all that was made and stayed; some come back in the midst.
  const again = await openWatch(server, `/v1/things:watch?after=${watchers[0].events[10].position}`);
  for (const watcher of [...watchers, again]) {
    await watcher.until(() => new Set(watcher.events.map((event) => event.thing.code)).size >= clients * rounds * 3 / 4 - 20, 'what was made', 120000);
  }
  await server.stop();
  removeFolder(server.folder);
});
