// postgres-replicas.test.mjs - reads go to streaming replicas of the test's own; who has written reads what it wrote, whatever a replica
// shows yet; a replica that is behind or away costs nobody an answer.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { removeFolder, run, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "true") {
  code: String! @id
  text: String! @default(value: "")
  lines: [Line!]!
}
type Line @resource @access(read: "true", write: "true") {
  id: ID!
  note: Note!
  text: String!
}
`;
const lagMs = 1500;

let primary;
let replicas = [];
let server;
let database;
before(async () => {
  primary = await startPostgres({ settings: { wal_level: 'replica', max_wal_senders: 4, hot_standby: 'on' } });
  database = primary.createDatabase();
  replicas = [await primary.replica(), await primary.replica()];
  server = await startServer({ contract, store: primary.url(database),
    options: ['--threads', '2', '--migrate', ...replicas.map((replica) => `--store-replica=${replica.url(database)}`), '--replica-lag-max', `${lagMs}ms`] });
}, { timeout: 300000 });
after(async () => {
  await server?.stop();
  for (const replica of replicas) await replica.remove();
  await primary?.remove();
  if (server) removeFolder(server.folder);
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const json = { 'Content-Type': 'application/json' };

async function until(what, isThere, timeoutMs = 60000) {
  const begin = Date.now();
  while (!(await isThere())) {
    assert.ok(Date.now() - begin < timeoutMs, `${what}: not within ${timeoutMs} ms`);
    await sleep(20);
  }
}

async function ask(method, target, body, headers = {}) {
  const client = server.client();
  try {
    return await client.request(method, target, { headers: { ...(body === undefined ? {} : json), ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  } finally {
    client.close();
  }
}

async function checks() {
  const answer = await ask('GET', '/readyz');
  return { status: answer.status, ...JSON.parse(answer.text).checks };
}

async function metric(name) {
  const { text } = await ask('GET', '/metrics');
  return [...text.matchAll(new RegExp(`^${name}\\{replica="\\d"\\} (\\S+)$`, 'gm'))].map((match) => Number(match[1]));
}

const isUsed = async (i) => (await checks())[`replica-${i + 1}`].status === 'ok';
const create = async (code, headers) => {
  const answer = await ask('POST', '/v1/notes', { code, text: code }, headers);
  assert.equal(answer.status, 201, answer.text);
  return answer;
};
// What the database has been asked for rows of notes, as it counts itself.
const pause = (replica) => replica.query('SELECT pg_wal_replay_pause()');
const resume = (replica) => replica.query('SELECT pg_wal_replay_resume()');

test('replicas are used once they have caught up, in turn', { timeout: 120000 }, async () => {
  await create('first');
  for (const i of [0, 1]) await until(`replica ${i + 1} is used`, () => isUsed(i));
  const before = await metric('caisson_store_replica_reads_total');
  for (let i = 0; i < 20; i++) assert.equal((await ask('GET', '/v1/notes?limit=5&fields=code,lines(text)')).status, 200);
  const behind = await metric('caisson_store_replica_reads_total');
  // Each loop begins anew: on how many loops 20 connections fall, the system decides.
  for (const i of [0, 1]) assert.ok(behind[i] - before[i] >= 8, `${before} → ${behind}`);
  assert.equal(behind[0] + behind[1] - before[0] - before[1], 20);
});

test('a write is told with its position, by header and by cookie; a read is not', { timeout: 120000 }, async () => {
  const written = await create('told');
  const position = written.headers.get('caisson-position');
  assert.match(position, /^[0-9a-f]{1,16}$/);
  assert.match(written.headers.get('set-cookie'), new RegExp(`^caisson-position=${position}; Path=/; Max-Age=\\d+; HttpOnly; SameSite=Lax$`));
  const next = await create('told again');
  assert.ok(BigInt(`0x${next.headers.get('caisson-position')}`) > BigInt(`0x${position}`), 'positions grow');
  const read = await ask('GET', '/v1/notes/told', undefined, { 'Caisson-Position': position });
  assert.equal(read.status, 200);
  assert.equal(read.headers.get('caisson-position') ?? null, null);
  // Neither does a request that was refused.
  const refused = await ask('POST', '/v1/notes', { code: 'told' });
  assert.equal(refused.status, 409);
  assert.equal(refused.headers.get('caisson-position') ?? null, null);
});

test('replay is paused: who has written reads it from the primary, a stranger does not see it yet', { timeout: 120000 }, async () => {
  for (const i of [0, 1]) await until(`replica ${i + 1} is used`, () => isUsed(i));
  for (const replica of replicas) pause(replica);
  const written = await create('unseen');
  const position = written.headers.get('caisson-position');
  const stale = await ask('GET', '/v1/notes/unseen');
  assert.equal(stale.status, 404, 'a replica whose replay is paused answers a stranger');
  for (const headers of [{ 'Caisson-Position': position }, { Cookie: `theme=dark; caisson-position=${position}` }]) {
    assert.equal((await ask('GET', '/v1/notes/unseen', undefined, headers)).status, 200);
    const list = await ask('GET', '/v1/notes?code=unseen&fields=code,lines(text)', undefined, headers);
    assert.deepEqual(JSON.parse(list.text).items, [{ code: 'unseen', lines: { items: [], nextCursor: null } }]);
    const stream = await ask('GET', '/v1/notes?code=unseen&fields=code', undefined, { ...headers, Accept: 'application/x-ndjson' });
    assert.deepEqual(stream.text.trim().split('\n').map((line) => JSON.parse(line)), [{ code: 'unseen' }]);
    const graphql = await ask('POST', '/graphql', { query: '{ note(code: "unseen") { code } }' }, headers);
    assert.deepEqual(JSON.parse(graphql.text).data, { note: { code: 'unseen' } });
  }
  // What is no position is passed over.
  for (const made of ['x', '-1', '', `${position}0000000000000000`]) assert.equal((await ask('GET', '/v1/notes/unseen', undefined, { 'Caisson-Position': made })).status, 404);
  for (const replica of replicas) resume(replica);
  await until('a stranger sees it', async () => (await ask('GET', '/v1/notes/unseen')).status === 200);
});

test('a replica behind by more than --replica-lag-max gets no reads, and gets them again', { timeout: 120000 }, async () => {
  for (const i of [0, 1]) await until(`replica ${i + 1} is used`, () => isUsed(i));
  for (const replica of replicas) pause(replica);
  await create('behind');
  await until('both are too far behind', async () => !(await isUsed(0)) && !(await isUsed(1)), lagMs + 20000);
  const seen = await checks();
  assert.equal(seen.status, 200, 'the service is well without them');
  assert.equal(seen['replica-1'].status, 'degraded');
  assert.deepEqual(await metric('caisson_store_replica_used'), [0, 0]);
  for (const lag of await metric('caisson_store_replica_lag_seconds')) assert.ok(lag > lagMs / 1000, `${lag}`);
  // Now everybody reads from the primary.
  assert.equal((await ask('GET', '/v1/notes/behind')).status, 200);
  for (const replica of replicas) resume(replica);
  for (const i of [0, 1]) await until(`replica ${i + 1} is used again`, () => isUsed(i));
  assert.deepEqual(await metric('caisson_store_replica_used'), [1, 1]);
});

test('replicas that are stopped under load: no read fails, and they come back', { timeout: 120000 }, async () => {
  for (const i of [0, 1]) await until(`replica ${i + 1} is used`, () => isUsed(i));
  let isOver = false;
  const statuses = new Map();
  const readers = Array.from({ length: 6 }, async () => {
    const client = server.client();
    while (!isOver) {
      const { status } = await client.request('GET', '/v1/notes?limit=3&fields=code,lines(text)');
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    client.close();
  });
  const writer = (async () => {
    const client = server.client();
    for (let i = 0; !isOver; i++) {
      const written = await client.request('POST', '/v1/notes', { headers: json, body: JSON.stringify({ code: `load${i}` }) });
      assert.equal(written.status, 201, written.text);
      const read = await client.request('GET', `/v1/notes/load${i}`, { headers: { 'Caisson-Position': written.headers.get('caisson-position') } });
      assert.equal(read.status, 200, `its writer does not see load${i}`);
    }
    client.close();
  })();
  try {
    await sleep(200);
    await replicas[0].stop('SIGQUIT');
    await until('the first is away', async () => !(await isUsed(0)));
    await replicas[1].stop('SIGINT');
    await until('the second is away', async () => !(await isUsed(1)));
    assert.equal((await checks()).status, 200);
    await sleep(200);
    for (const replica of replicas) await replica.start();
    for (const i of [0, 1]) await until(`replica ${i + 1} is used again`, () => isUsed(i));
  } finally {
    isOver = true;
  }
  await Promise.all([...readers, writer]);
  assert.deepEqual([...statuses.keys()], [200], JSON.stringify([...statuses]));
});

test('a server starts without its replicas; a store that has none says so', { timeout: 120000 }, async () => {
  await replicas[1].stop();
  const other = await startServer({ contract, store: primary.url(database), options: ['--threads', '1', `--store-replica=${replicas[1].url(database)}`] });
  const client = other.client();
  const ready = await client.request('GET', '/readyz');
  assert.equal(ready.status, 200);
  assert.equal(JSON.parse(ready.text).checks['replica-1'].status, 'degraded');
  assert.equal((await client.request('GET', '/v1/notes/first')).status, 200);
  client.close();
  await other.stop();
  removeFolder(other.folder);
  const refused = run(['serve', server.contractPath, '--store', 'sqlite::memory:', '--store-replica', 'sqlite::memory:', '--listen', '127.0.0.1:0'], { timeout: 20000 });
  assert.equal(refused.status, 2, refused.stderr);
  assert.match(refused.stderr, /--store-replica/);
});
