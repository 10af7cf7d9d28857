// world.mjs - what the maker of operations knows: the rows that answers have shown, by their keys, and the pages that can be turned.
// It holds places in earlier answers, never a server's own values, so that operations can be asked again of fresh servers.
import { Random } from './random.mjs';
import { pickFace } from './faces.mjs';
import { reads } from './reads.mjs';
import { writes } from './writes.mjs';
import { callers } from './pair.mjs';

const ROWS_MAX = 40;
const CURSORS_MAX = 30;
const missing = '00000000-0000-7000-8000-000000000000';

export class World {
  constructor(seed, types) {
    this.random = new Random(seed);
    this.types = types;
    this.rows = new Map(types.map((type) => [type, []]));
    this.cursors = [];
    this.number = 0;
  }

  path(keys) { return keys.map((key) => (/^\{\{/.test(key) ? key : encodeURIComponent(String(key)))).join(','); }
  make(keys, tag) { return { keys, path: this.path(keys), tag }; }

  row(type) {
    const rows = this.rows.get(type);
    return rows.length > 0 && !this.random.chance(3) ? this.random.pick(rows) : this.missingRow(type);
  }
  missingRow(type) { return this.make(this.keyOf(type, (key) => (key.isServerMade ? missing : this.random.pick(key.good)))); }
  // One that a client would choose.
  newRow(type) { return this.missingRow(type); }
  keyOf(type, choose) { return type.keys.map((key) => (key.relation ? this.row(key.relation.target).keys[0] : choose(key))); }

  next() {
    const { random } = this;
    const number = ++this.number;
    // In the beginning there is little to ask about.
    const isWrite = random.chance(number < 60 ? 90 : 40);
    const maker = random.weighted(isWrite ? writes : reads);
    const operation = maker(random, this, random.pick(this.types));
    const caller = random.weighted([[6, 'staff'], [3, 'ann'], [1, 'bob'], [0.6, 'nobody']]);
    return { ...operation, number, caller, isWrite, face: pickFace(random) };
  }

  // Notes what both answers show of rows and pages.
  learn(operation, answers) {
    const { type, number } = operation;
    if (answers[0].status >= 300 || operation.shape === 'other' || operation.headers?.Prefer === 'tx=rollback') return;
    const bodies = answers.map((answer) => { try { return JSON.parse(answer.text); } catch { return null; } });
    if (bodies.includes(null)) return;
    if (operation.shape === 'row') return this.learnRow(type, bodies, number, '', answers[0].headers.has('etag') ? `{{${number}:#etag}}` : undefined);
    bodies[0].items?.forEach((_, i) => this.learnRow(type, bodies.map((body) => body.items[i]), number, `/items/${i}`));
    if (!operation.page) return;
    for (const [name, direction] of [['nextCursor', 'after'], ['prevCursor', 'before']]) {
      if (bodies[0][name]) this.put(this.cursors, { ref: `{{${number}:/${name}}}`, direction, type, page: operation.page }, CURSORS_MAX);
    }
  }

  learnRow(type, [left, right], number, place, tag) {
    const names = type.keys.map((key) => key.name);
    if (!left || !right || names.some((name) => left[name] == null)) return;
    const keys = names.map((name) => (left[name] === right[name] ? left[name] : `{{${number}:${place}/${name}}}`));
    this.put(this.rows.get(type), this.make(keys, tag), ROWS_MAX);
  }

  put(list, value, max) {
    if (list.length < max) list.push(value);
    else list[this.random.below(max)] = value;
  }
}
