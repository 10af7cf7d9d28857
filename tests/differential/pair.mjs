// pair.mjs - one contract served twice, on SQLite and on PostgreSQL: each operation goes to both, and the answers are held against each other.
// What a server makes up (ids, times, tags, cursors) may differ, but one on the left must always stand for the same one on the right.
import path from 'node:path';
import { makeFolder, makeToken, removeFolder, startServer } from '../support/server.mjs';
import { FaceSession, faceOptions, faces, made } from './faces.mjs';
import { Wire } from './wire.mjs';

export const callers = { nobody: null, ann: { sub: 'ann' }, bob: { sub: 'bob' }, staff: { sub: 'root', roles: ['staff'] } };
// What is answered must not hang on how long a body is: times lose the zeros at their ends.
const options = ['--threads', '1', '--migrate', '--statement-timeout', '60s', '--request-timeout', '60s', '--compress-min', '1'];
const compared = ['content-type', 'location', 'allow', 'cache-control', 'preference-applied', 'www-authenticate', 'vary'];
// In a body, and in the Link header of an answer within a batch.
const cursor = /"(nextCursor|prevCursor)":"[^"]*"|(after|before)=[\w-]+(?=[>&])/g;
const tag = /"etag":"(?:[^"\\]|\\.)*"/gi;

export const sides = ['sqlite', 'postgres'];

export class Pair {
  constructor(contract, postgres) { this.contract = contract; this.postgres = postgres; this.answers = new Map(); this.known = [new Map(), new Map()]; }

  async start() {
    this.folders = sides.map(() => makeFolder());
    const database = this.postgres.createDatabase();
    const stores = [`sqlite:${path.join(this.folders[0], 'test.db')}`, this.postgres.url(database)];
    this.servers = await Promise.all(stores.map((store, i) => startServer({ contract: this.contract, store, folder: this.folders[i], options: [...options, ...faceOptions], readyTimeoutMs: 120000 })));
    this.wires = this.servers.map((server) => new Wire(server.port));
    this.tokens = Object.fromEntries(Object.entries(callers).map(([name, claims]) => [name, claims && makeToken(claims)]));
    this.sessions = Object.fromEntries(Object.keys(faces).map((name) => [name, this.servers.map((server, side) => new FaceSession(name, server, this.tokens, (value) => this.known[side].has(value)))]));
  }

  async stop() {
    this.wires?.forEach((wire) => wire.close());
    Object.values(this.sessions ?? {}).flat().forEach((session) => session.close());
    const ends = await Promise.allSettled((this.servers ?? []).map((server) => server.stop()));
    this.folders.forEach(removeFolder);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  // A place in an earlier answer: {{12:/items/0/id}}, {{12:#etag}}. undefined where it isn't there.
  lookup(number, place, side) {
    const answer = this.answers.get(Number(number))?.[side];
    if (!answer) return undefined;
    if (place === '#etag') return answer.headers.get('etag');
    try {
      answer.json ??= JSON.parse(answer.text);
    } catch { return undefined; }
    let at = answer.json;
    for (const name of place.split('/').slice(1)) at = at?.[name];
    return at ?? undefined;
  }

  // The operation as one side is asked; null where it speaks of an answer that isn't there.
  resolve(operation, side) {
    let isMissing = false;
    const put = (text, encode) => text.replace(/\{\{(\d+):([^}]*)\}\}/g, (_, number, place) => {
      const value = this.lookup(number, place, side);
      if (value === undefined) isMissing = true;
      return encode(String(value));
    });
    const headers = { 'X-Request-Id': `operation-${operation.number}` };
    const token = this.tokens[operation.caller];
    if (token) headers.Authorization = `Bearer ${token}`;
    for (const [name, value] of Object.entries(operation.headers ?? {})) headers[name] = put(value, (text) => text);
    const request = { method: operation.method, target: put(operation.target, encodeURIComponent), headers, body: operation.body == null ? null : put(operation.body, (text) => JSON.stringify(text).slice(1, -1)) };
    return isMissing ? null : request;
  }

  // Both answers, side by side. null: it could not be asked.
  async ask(operation) {
    const requests = sides.map((_, side) => this.resolve(operation, side));
    if (requests.includes(null)) return null;
    const sessions = this.sessions[operation.face];
    const answers = await Promise.all(requests.map((request, side) => (sessions ? sessions[side].send(request, operation) : this.wires[side].send(request))));
    this.answers.set(operation.number, answers);
    return answers;
  }

  // A value made by the one server stands for one made by the other, for ever.
  stands(left, right) {
    const [forward, back] = this.known;
    if (!forward.has(left) && !back.has(right)) { forward.set(left, right); back.set(right, left); }
    return forward.get(left) === right;
  }

  masked(texts) {
    const values = texts.map((text) => text.match(made) ?? []);
    const isPaired = values[0].length === values[1].length && values[0].every((left, i) => {
      const right = values[1][i];
      return left.includes('T') ? right.includes('T') : !right.includes('T') && this.stands(left, right);
    });
    const plain = (text) => text.replace(cursor, '$1$2 …').replace(tag, '"etag":"…"');
    return isPaired ? texts.map((text) => plain(text.replace(made, '…'))) : texts.map(plain);
  }

  // null, or what differs in words.
  difference(operation, answers) {
    const [left, right] = answers;
    const say = (what, a, b) => `${what}\n  sqlite:   ${a}\n  postgres: ${b}`;
    const other = answers.find(({ otherwise }) => otherwise);
    if (other) return other.otherwise;
    if (left.status !== right.status) return say('status', `${left.status} ${left.text.slice(0, 600)}`, `${right.status} ${right.text.slice(0, 600)}`);
    if (left.status >= 500) return say('both failed', left.text.slice(0, 600), right.text.slice(0, 600));
    const bodies = this.masked(answers.map((answer) => answer.text));
    if (bodies[0] !== bodies[1]) return say('body', ...around(bodies));
    for (const name of compared) {
      const values = this.masked(answers.map((answer) => answer.headers.get(name) ?? '(none)'));
      if (values[0] !== values[1]) return say(`header ${name}`, ...values);
    }
    if (left.headers.has('etag') !== right.headers.has('etag')) return say('header etag', left.headers.get('etag'), right.headers.get('etag'));
    if (operation.shape === 'row' && left.headers.has('etag') && !this.stands(left.headers.get('etag'), right.headers.get('etag'))) return say('the same state, another tag', left.headers.get('etag'), right.headers.get('etag'));
    return null;
  }
}

// Long bodies are shown from a little before the first byte that differs.
function around([left, right]) {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  const begin = Math.max(0, at - 200);
  return [left, right].map((text) => `${begin > 0 ? '…' : ''}${text.slice(begin, at + 300)}`);
}
