// grpc-idle-watch.test.mjs - 24,000 gRPC watches that hear nothing, over 24 connections: what they take is bounded, comes back to its use when they
// are gone, and costs nobody else his second; and one change is told to them all.
import assert from 'node:assert';
import { test } from 'node:test';
import { openWatches } from '../support/grpc_watches.mjs';
import { removeFolder, residentKib, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "feed", version: "v1")
type Item @resource @access(read: "true", write: "true") {
  code: String! @id
  name: String!
}`;
const connections = 24, each = 1000, watches = connections * each;
// A watch keeps two pages of its request's and of HTTP/2's, and what it watches; a build that looks for mistakes of memory keeps gaps between
// allocations and what was freed last, thrice as much.
const KIB_A_WATCH_MAX = 32, QUARANTINE_MB = 16;

const pause = () => new Promise((resolve) => setTimeout(resolve, 50));
async function until(predicate, what) {
  for (let i = 0; i < 1200; i++) { if (await predicate()) return; await pause(); }
  assert.fail(`waited a minute for ${what}`);
}

test('24,000 idle watches are bounded in memory, nobody waits for them, and each hears of a change', { timeout: 240000 }, async () => {
  const server = await startServer({ contract, options: ['--watches-max', String(watches), '--watch-heartbeat', '1h', '--ping-interval', '1h'], env: { ASAN_OPTIONS: `quarantine_size_mb=${QUARANTINE_MB}` } });
  const client = server.client();
  const open = async () => Number(/^caisson_watches_open (\d+)$/m.exec((await client.request('GET', '/metrics')).text)[1]);
  try {
    const before = residentKib(server.child.pid), taken = [];
    for (let round = 0; round < 3; round++) {
      const many = openWatches(server.port, '/feed.v1.ItemService/WatchItems', connections, each);
      await until(() => many.heads() + many.refused() >= watches, 'the heads of all watches');
      assert.deepEqual([many.heads(), many.refused(), many.goaways(), await open()], [watches, 0, 0, watches]);
      taken.push((residentKib(server.child.pid) - before) / watches);
      const began = performance.now();
      const answer = await client.request('POST', '/v1/items', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code: `r${round}`, name: 'tea' }) });
      assert.equal(answer.status, 201, answer.text);
      assert.ok(performance.now() - began < 1000, `another client waited ${performance.now() - began} ms`);
      await until(() => many.messages() >= watches, 'the change to reach every watch');
      assert.equal(many.messages(), watches);
      many.close();
      await until(async () => (await open()) === 0, 'the watches to be gone');
    }
    assert.ok(taken[0] <= KIB_A_WATCH_MAX, `${taken[0]} KiB a watch`);
    // What the first left is used again: kept, it would be there three times.
    assert.ok(taken[2] <= taken[0] * 1.5, `${taken} KiB a watch, one round after another`);
  } finally {
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
});
