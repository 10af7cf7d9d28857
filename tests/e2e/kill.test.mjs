// kill.test.mjs - a write that was acknowledged survives `kill -9`, round after round on one database. A round ends in the midst of its
// writes, after a random number of them was acknowledged. KILL_ROUNDS: how many rounds; KILL_SEED: another run.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
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
let state = Number(process.env.KILL_SEED ?? 2463534242);
const random = () => { state ^= state << 13; state ^= state >>> 17; state ^= state << 5; return (state >>> 0) / 4294967296; };

// One round's writes. `known` maps a key to the amounts that it may have: what was acknowledged, and what may have been on its way.
class Round {
  constructor(server, number, acknowledgedMax) { Object.assign(this, { server, number, acknowledgedMax, known: new Map(), acknowledged: 0, underWay: 0, underWayAtDeath: 0 }); }

  async request(client, method, target, status, body) {
    this.underWay++;
    const answer = await client.request(method, target, { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    this.underWay--;
    assert.equal(answer.status, status, answer.text);
  }

  note(code, amounts) {
    this.known.set(code, amounts);
    if (++this.acknowledged !== this.acknowledgedMax) return;
    this.underWayAtDeath = this.underWay;
    this.server.child.kill('SIGKILL');
  }

  // Writes until the server dies.
  async write(writer) {
    const client = this.server.client();
    try {
      for (let i = 0; ; i++) {
        const code = `r${this.number}-w${writer}-${i}`;
        await this.request(client, 'POST', '/v1/entries', 201, { code, amount: i, copy: i });
        this.note(code, [i]);
        if (i % 3 !== 0) continue;
        this.known.set(code, [i, i + 1000]);
        await this.request(client, 'PATCH', `/v1/entries/${code}`, 200, { amount: i + 1000, copy: i + 1000 });
        this.note(code, [i + 1000]);
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error; // Anything else is the death of the server.
    } finally {
      client.close();
    }
  }

  async run() {
    await Promise.all(Array.from({ length: writers }, (_, writer) => this.write(writer)));
    assert.deepEqual(await this.server.exited, { code: null, signal: 'SIGKILL' }, `round ${this.number}: ${this.server.stderr}`);
  }

  check(rows, when) {
    for (const [code, amounts] of this.known) {
      const row = rows.get(code);
      assert.ok(row, `${code} was acknowledged and is lost ${when}`);
      assert.ok(amounts.includes(row.amount), `${code} is ${row.amount} ${when}, acknowledged was ${amounts}`);
      assert.equal(row.amount, row.copy, `half of a write to ${code} was kept`);
    }
  }
}

async function readAll(server, prefix) {
  const client = server.client();
  const rows = new Map();
  let after = '';
  do {
    const page = await client.request('GET', `/v1/entries?limit=100&code[startsWith]=${prefix}${after}`);
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
  const past = [];
  for (let number = 0; number < rounds; number++) {
    const server = await startServer({ contract, folder, options: ['--threads', '2'] });
    past.at(-1)?.check(await readAll(server, `r${number - 1}-`), 'after the next start');
    // Some rounds are long enough for the log to be copied back into the database.
    const round = new Round(server, number, 1 + Math.floor(random() * (number % 10 === 9 ? 3000 : 300)));
    await round.run();
    past.push(round);
  }
  const server = await startServer({ contract, folder, options: ['--threads', '2'] });
  const rows = await readAll(server, 'r');
  for (const round of past) round.check(rows, 'at the end');
  await server.stop();
  const check = spawnSync('sqlite3', [path.join(folder, 'test.db'), 'PRAGMA integrity_check; PRAGMA foreign_key_check;'], { encoding: 'utf8' });
  assert.equal(check.stdout.trim(), 'ok', check.stderr);
  removeFolder(folder);
  const acknowledged = past.reduce((sum, round) => sum + round.acknowledged, 0);
  const midst = past.filter((round) => round.underWayAtDeath > 0).length;
  assert.ok(acknowledged >= rounds, `only ${acknowledged} writes were acknowledged in all rounds`);
  assert.ok(midst >= rounds * 0.9, `only ${midst} of ${rounds} servers died in the midst of writes`);
  console.log(`# ${acknowledged} acknowledged writes in ${rounds} rounds, none lost; ${midst} servers died with writes under way`);
});
