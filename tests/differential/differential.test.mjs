// differential.test.mjs - the same random operations on SQLite and on PostgreSQL, over REST and over other faces: the answers must be equal.
// SEED: another run (the seed is printed). OPERATIONS: how many, in all. WORLDS: over how many contracts. SHRINK: seconds for making a difference
// small. WORLD: only that one. FACES: which faces beside REST, comma-separated (none where it is empty).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeContract } from './contract.mjs';
import { faces } from './faces.mjs';
import { Pair } from './pair.mjs';
import { Random } from './random.mjs';
import { explain } from './shrink.mjs';
import { World } from './world.mjs';

const seed = Number(process.env.SEED ?? 20261126);
const worlds = Number(process.env.WORLDS ?? 12);
const perWorld = Math.ceil(Number(process.env.OPERATIONS ?? 15600) / worlds);
const shrinkMs = Number(process.env.SHRINK ?? 60) * 1000;
const FINDINGS_MAX = 3;
const READS_AT_ONCE = 16;

let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); });

// A write alone, reads together: they change nothing for each other.
function* groups(world, count) {
  let group = [];
  for (let i = 0; i < count; i++) {
    const operation = world.next();
    if (operation.isWrite || group.length === READS_AT_ONCE) {
      if (group.length > 0) yield group;
      group = [];
    }
    group.push(operation);
    if (!operation.isWrite) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

// Everything that is in both, at the end.
const wholeTable = (type, number) => ({ method: 'GET', target: `/v1/${type.path}`, headers: { Accept: 'application/x-ndjson' }, shape: 'other', caller: 'staff', number });

async function play(pair, world, count) {
  const history = [];
  const findings = [];
  const statuses = new Map();
  const told = new Map(Object.keys(faces).map((name) => [name, { played: 0, left: 0 }]));
  const judge = (operation, answers) => {
    if (answers === null) return;
    statuses.set(answers[0].status, (statuses.get(answers[0].status) ?? 0) + 1);
    if (operation.face) told.get(operation.face)[answers[0].isPlayed ? 'played' : 'left']++;
    const difference = pair.difference(operation, answers);
    if (difference === null) world.learn(operation, answers);
    else findings.push({ operation, difference, history: history.slice() });
    history.push(operation);
  };
  for (const group of groups(world, count)) {
    const answers = await Promise.all(group.map((operation) => pair.ask(operation)));
    group.forEach((operation, i) => judge(operation, answers[i]));
    // Once a write has gone another way, so may everything after it.
    if (findings.some(({ operation }) => operation.isWrite) || findings.length >= FINDINGS_MAX) break;
  }
  if (findings.length === 0) for (const type of world.types) { const operation = wholeTable(type, ++world.number); judge(operation, await pair.ask(operation)); }
  return { findings, statuses, told, asked: history.length };
}

for (let i = 0; i < worlds; i++) {
  if (process.env.WORLD !== undefined && Number(process.env.WORLD) !== i) continue;
  const worldSeed = (seed + i * 7919) >>> 0;
  test(`SEED=${seed}, contract ${i}: ${perWorld} operations have the same answers on both stores and all faces`, { timeout: 900000 }, async (t) => {
    const { text, types } = makeContract(new Random(worldSeed));
    const pair = new Pair(text, postgres);
    let result;
    try {
      await pair.start();
      result = await play(pair, new World(worldSeed ^ 0x5eed, types), perWorld);
    } finally { await pair.stop(); }
    t.diagnostic(`${result.asked} operations: ${[...result.statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${count} × ${status}`).join(', ')}`);
    for (const [name, { played, left }] of result.told) t.diagnostic(`${name} has played ${played} operations, and left ${left} to REST`);
    const told = [];
    for (const finding of result.findings.slice(0, FINDINGS_MAX)) told.push(await explain({ contract: text, postgres, ...finding, budgetMs: shrinkMs }));
    assert.equal(told.length, 0, `${told.join('\n')}\n${text}`);
    // A suite that is always refused would be content with anything.
    const good = [...result.statuses].filter(([status]) => status < 300).reduce((sum, [, count]) => sum + count, 0);
    assert.ok(good > result.asked / 3, `only ${good} of ${result.asked} operations were answered well`);
    for (const [name, { played, left }] of result.told) assert.ok(played >= faces[name].least * (played + left), `${name} has played only ${played} operations, and left ${left} to REST`);
  });
}
