// kill.test.mjs - a write that was acknowledged survives `kill -9`, round after round on one database. KILL_ROUNDS: how many.
import assert from 'node:assert';
import { test } from 'node:test';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const rounds = Number(process.env.KILL_ROUNDS ?? 50);
const writers = 16;
const contract = `extend schema @service(name: "ledger")
type Entry @resource @access(read: "true", write: "true") {
  code: String! @id
  amount: Int!
  copy: Int!
  parent: Entry @relation(inverse: "children")
  children: [Entry!]! @relation(inverse: "parent")
}
`;

// Xorshift, so that a failing run's moments of death can be had again.
let state = 2463534242;
const random = () => { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; return (state >>> 0) / 4294967296; };

// Writes until the server dies; `known` maps a key to the amounts that it may have: what was acknowledged, and what may have been on its way.
async function write(server, round, writer, known) {
  const client = server.client();
  try {
    for (let i = 0; ; i++) {
      const code = `r${round}-w${writer}-${i}`;
      const created = await client.request('POST', '/v1/entries', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code, amount: i, copy: i }) });
      assert.equal(created.status, 201, created.text);
      known.set(code, [i]);
      if (i % 3 !== 0) continue;
      known.set(code, [i, i + 1000]);
      const changed = await client.request('PATCH', `/v1/entries/${code}`, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ amount: i + 1000, copy: i + 1000 }) });
      assert.equal(changed.status, 200, changed.text);
      known.set(code, [i + 1000]);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error; // Anything else is the death of the server.
  } finally {
    client.close();
  }
}

async function readAll(server, round) {
  const client = server.client();
  const rows = new Map();
  let after = '';
  do {
    const page = await client.request('GET', `/v1/entries?limit=100&code[startsWith]=r${round}-${after}`);
    assert.equal(page.status, 200, page.text);
    const { items, nextCursor } = JSON.parse(page.text);
    for (const item of items) rows.set(item.code, item);
    after = nextCursor === null ? null : `&after=${encodeURIComponent(nextCursor)}`;
  } while (after !== null);
  client.close();
  return rows;
}

test(`every acknowledged write is there after kill -9 (${rounds} rounds)`, { timeout: 600000 }, async () => {
  const folder = makeFolder();
  let acknowledged = 0;
  let known = new Map();
  for (let round = 0; round <= rounds; round++) {
    const server = await startServer({ contract, folder, options: ['--threads', '2'] });
    if (round > 0) {
      const rows = await readAll(server, round - 1);
      for (const [code, amounts] of known) {
        const row = rows.get(code);
        assert.ok(row, `round ${round - 1}: ${code} was acknowledged and is lost`);
        assert.ok(amounts.includes(row.amount), `round ${round - 1}: ${code} is ${row.amount}, acknowledged was ${amounts}`);
        assert.equal(row.amount, row.copy, `round ${round - 1}: half of a write to ${code} was kept`);
      }
      acknowledged += known.size;
    }
    if (round === rounds) { await server.stop(); break; }
    known = new Map();
    const running = Array.from({ length: writers }, (_, writer) => write(server, round, writer, known));
    setTimeout(() => server.child.kill('SIGKILL'), 20 + random() * 150);
    await Promise.all(running);
    await server.exited;
  }
  removeFolder(folder);
  assert.ok(acknowledged > rounds, `only ${acknowledged} writes were acknowledged in all rounds`);
  console.log(`# ${acknowledged} acknowledged writes in ${rounds} rounds, none lost`);
});
