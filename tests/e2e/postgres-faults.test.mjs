// postgres-faults.test.mjs - what goes wrong between the server and PostgreSQL, under load: nothing that was acknowledged is lost, nothing is
// half there, nobody waits for long, and all is well again by itself. PG_ROUNDS: how often the database is stopped; make faults: a hundred times.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { password, startPostgres, unprivileged } from '../support/postgres.mjs';
import { startProxy } from '../support/proxy.mjs';
import { removeFolder, startServer } from '../support/server.mjs';

const rounds = Number(process.env.PG_ROUNDS ?? 10);
// Of a request while the database is away: what the interface promises, and what a loaded machine may add.
const answerMs = 2000 + 8000;
const contract = `extend schema @service(name: "ledger")
type Entry @resource @access(read: "true", write: "true") {
  code: String! @id
  batch: String! @default(value: "")
  amount: Int!
  copy: Int!
  lines: [Line!]!
}
type Line @resource @access(read: "true", write: "true") {
  id: ID!
  entry: Entry!
  text: String!
}
`;

let postgres;
before(async () => { postgres = await startPostgres({ tcp: true, settings: { max_connections: 60 } }); });
// A failed test leaves its server; nothing may outlive the run.
const started = new Set();
after(async () => {
  for (const server of started) server.child.kill('SIGKILL');
  await postgres?.remove();
});

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const json = { 'Content-Type': 'application/json' };

async function serve(url, options = []) {
  // A test that failed may have left it stopped.
  if (postgres.child === null) await postgres.start();
  const server = await startServer({ contract, store: url, options: ['--threads', '2', '--migrate', ...options] });
  started.add(server);
  return server;
}

async function end(server) {
  await server.stop();
  started.delete(server);
  // The password stands in the address; it is shown nowhere.
  assert.ok(!server.stderr.includes(password), 'the password was written to the log');
  removeFolder(server.folder);
}

// Clients that write and read what they wrote until `load.stop()`. Every answer is noted; an acknowledged write must be readable at once.
function startLoad(server, { writers = 6, readers = 6, name = 'w' } = {}) {
  const load = { acknowledged: new Set(), answers: [], isStopped: false, problems: [] };
  // A test that fails before `stop` must not keep its clients for ever.
  const last = Date.now() + 180000;
  const goesOn = () => !load.isStopped && Date.now() < last;
  const ask = async (client, method, target, body) => {
    const begin = Date.now();
    const answer = await client.request(method, target, body === undefined ? {} : { headers: json, body: JSON.stringify(body) });
    load.answers.push({ method, status: answer.status, begin, end: Date.now(), retryAfter: answer.headers.get('retry-after') });
    if (![200, 201, 503].includes(answer.status)) load.problems.push(`${method} ${target}: ${answer.status} ${answer.text}`);
    if (answer.status === 503 && !answer.headers.has('retry-after')) load.problems.push(`${method} ${target}: 503 without Retry-After`);
    return answer;
  };
  const write = async (writer) => {
    const client = server.client();
    for (let i = 0; goesOn(); i++) {
      const code = `${name}${writer}-${i}`;
      const created = await ask(client, 'POST', '/v1/entries', { code, amount: i, copy: i });
      if (created.status === 201) {
        load.acknowledged.add(code);
        const read = await ask(client, 'GET', `/v1/entries/${code}`);
        if (read.status === 200 && JSON.parse(read.text).amount !== i) load.problems.push(`${code} is ${read.text}`);
      } else {
        await sleep(5);
      }
    }
    client.close();
  };
  const read = async () => {
    const client = server.client();
    while (goesOn()) {
      await ask(client, 'GET', '/v1/entries?limit=5&fields=code,amount,copy,lines(text)');
      const single = await ask(client, 'GET', '/v1/entries?limit=1&sort=-amount');
      if (single.status === 503) await sleep(5);
    }
    client.close();
  };
  const running = [...Array.from({ length: writers }, (_, i) => write(i)), ...Array.from({ length: readers }, read)];
  load.stop = async () => {
    load.isStopped = true;
    await Promise.all(running);
    assert.deepEqual(load.problems.slice(0, 5), []);
    return load;
  };
  return load;
}

async function allCodes(server) {
  const client = server.client();
  const codes = new Map();
  for (let target = '/v1/entries?limit=100&fields=code,batch,amount,copy'; target !== null;) {
    const page = await client.request('GET', target);
    assert.equal(page.status, 200, page.text);
    const { items, nextCursor } = JSON.parse(page.text);
    for (const item of items) codes.set(item.code, item);
    target = nextCursor === null ? null : `/v1/entries?limit=100&fields=code,batch,amount,copy&after=${encodeURIComponent(nextCursor)}`;
  }
  client.close();
  return codes;
}

async function assertAllThere(server, load) {
  const codes = await allCodes(server);
  const lost = [...load.acknowledged].filter((code) => !codes.has(code));
  assert.deepEqual(lost, [], 'writes that were acknowledged are lost');
}

async function until(what, timeoutMs, isThere) {
  const begin = Date.now();
  while (!(await isThere())) {
    assert.ok(Date.now() - begin < timeoutMs, `${what}: not within ${timeoutMs} ms`);
    await sleep(20);
  }
}

async function status(server, target) {
  const client = server.client();
  const answer = await client.request('GET', target);
  client.close();
  return answer.status;
}

test(`a database that is stopped and started under load, ${rounds} times`, { timeout: 60000 + rounds * 30000 }, async () => {
  const server = await serve(postgres.tcpUrl(postgres.createDatabase()));
  const pid = server.child.pid;
  for (let round = 0; round < rounds; round++) {
    const load = startLoad(server, { name: `r${round}-` });
    await until('acknowledged writes', 20000, () => load.acknowledged.size > 20);
    await postgres.stop(round % 2 === 0 ? 'SIGINT' : 'SIGQUIT');
    const stopped = Date.now();
    await until('/readyz follows', answerMs, async () => (await status(server, '/readyz')) === 503);
    assert.equal(await status(server, '/livez'), 200);
    await until('503 in the outage', answerMs, () => load.answers.some((answer) => answer.begin >= stopped && answer.status === 503));
    await postgres.start();
    const started = Date.now();
    await until('answers are back', answerMs, () => load.answers.some((answer) => answer.begin >= started && answer.method === 'GET' && answer.status === 200));
    await until('writes are back', answerMs, () => load.answers.some((answer) => answer.begin >= started && answer.method === 'POST' && answer.status === 201));
    await until('/readyz is back', answerMs, async () => (await status(server, '/readyz')) === 200);
    await load.stop();
    const slow = load.answers.filter((answer) => answer.end - answer.begin > answerMs);
    assert.deepEqual(slow, [], 'answers that took too long');
    await assertAllThere(server, load);
  }
  assert.equal(server.child.pid, pid);
  assert.equal(server.exit, null);
  await end(server);
});

test('all of its connections are ended, again and again: reads never fail', { timeout: 120000 }, async () => {
  const database = postgres.createDatabase();
  const server = await serve(postgres.url(database));
  const load = startLoad(server);
  for (let i = 0; i < 8; i++) {
    const known = load.acknowledged.size;
    await until('writes go on', 20000, () => load.acknowledged.size > known + 5);
    postgres.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'caisson' AND datname = '${database}'`);
  }
  await sleep(200);
  await load.stop();
  const failed = load.answers.filter((answer) => answer.method === 'GET' && answer.status !== 200);
  assert.deepEqual(failed, []);
  await assertAllThere(server, load);
  await end(server);
});

test('a connection that is cut in the midst of a batch: all of it is there, or nothing', { timeout: 120000 }, async () => {
  const proxy = await startProxy({ port: postgres.port, host: '127.0.0.1' });
  const server = await serve(postgres.tcpUrl(postgres.createDatabase(), proxy.port));
  const client = server.client();
  const size = 20;
  const known = new Map();
  for (let i = 0; i < 40; i++) {
    const rows = Array.from({ length: size }, (_, row) => ({ code: `b${i}-${row}`, batch: `b${i}`, amount: row, copy: row }));
    // Each time at another byte of what a batch sends.
    proxy.cut(1 + i * 230);
    const answer = await client.request('POST', '/v1/entries', { headers: json, body: JSON.stringify(rows) });
    proxy.mend();
    assert.ok([201, 503].includes(answer.status), `${answer.status} ${answer.text}`);
    known.set(`b${i}`, answer.status);
  }
  client.close();
  const counts = new Map();
  for (const { batch } of (await allCodes(server)).values()) counts.set(batch, (counts.get(batch) ?? 0) + 1);
  for (const [batch, count] of counts) assert.equal(count, size, `${batch} is half there`);
  for (const [batch, code] of known) if (code === 201) assert.equal(counts.get(batch), size, `${batch} was acknowledged and is lost`);
  assert.ok(proxy.cuts > 5, `only ${proxy.cuts} connections were cut`);
  await end(server);
  await proxy.close();
});

test('a network that stalls for a second: everybody is answered afterwards', { timeout: 60000 }, async () => {
  const proxy = await startProxy({ port: postgres.port, host: '127.0.0.1' });
  const server = await serve(postgres.tcpUrl(postgres.createDatabase(), proxy.port), ['--store-acquire-timeout', '10s']);
  const load = startLoad(server);
  await until('writes', 20000, () => load.acknowledged.size > 10);
  const accepted = proxy.accepted;
  proxy.stall();
  assert.equal(await status(server, '/livez'), 200);
  await sleep(1000);
  const begun = Date.now();
  proxy.flow();
  await until('answers', 10000, () => load.answers.some((answer) => answer.begin > begun));
  await load.stop();
  assert.deepEqual(load.answers.filter((answer) => answer.status === 503), []);
  await assertAllThere(server, load);
  assert.ok(proxy.accepted < accepted + 60, 'connections were thrown away');
  await end(server);
  await proxy.close();
});

test('a disk that is full: writes hear 503, reads go on, and all is well once there is room', { timeout: 120000 }, async () => {
  const database = postgres.createDatabase();
  const server = await serve(postgres.url(database));
  // Files may grow to one size and no further, as on a disk that is full. The log's own files are of 16 MiB: the table is larger.
  postgres.query(`INSERT INTO entries (code, batch, amount, copy) SELECT 'fill' || i, repeat('x', 900), i, i FROM generate_series(1, 20000) i`, database);
  const [[size]] = postgres.query(`SELECT pg_relation_size('entries')`, database);
  assert.ok(Number(size) > 16 * 1024 * 1024 + 8192);
  const limit = (bytes) => {
    const { status, stderr } = spawnSync('prlimit', ['--pid', String(postgres.child.pid), `--fsize=${bytes}:`], { ...unprivileged(), encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    // Those that are there keep the limit that they began with.
    postgres.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'`);
  };
  const client = server.client();
  const acknowledged = new Set();
  const write = async (i) => {
    const answer = await client.request('POST', '/v1/entries', { headers: json, body: JSON.stringify({ code: `full${i}`, batch: randomBytes(900).toString('hex'), amount: i, copy: i }) });
    assert.ok([201, 503].includes(answer.status), `${answer.status} ${answer.text}`);
    if (answer.status === 201) acknowledged.add(`full${i}`);
    else assert.ok(answer.headers.has('retry-after'));
    return answer.status;
  };
  let refused = 0;
  try {
    limit(Number(size) + 4096);
    for (let i = 0; i < 40; i++) {
      if (await write(i) === 503) refused++;
      assert.equal((await client.request('GET', '/v1/entries/fill1')).status, 200, 'reads go on');
    }
  } finally {
    limit('unlimited');
  }
  assert.ok(refused > 10, `only ${refused} writes met a full disk`);
  await until('writes are back', 10000, async () => (await write(1000 + acknowledged.size)) === 201);
  client.close();
  const stored = new Set(postgres.query('SELECT code FROM entries', database).map(([code]) => code));
  assert.deepEqual([...acknowledged].filter((code) => !stored.has(code)), []);
  assert.equal(stored.size, 20000 + acknowledged.size, 'a write that was refused is there');
  await until('/readyz is back', answerMs, async () => (await status(server, '/readyz')) === 200);
  await end(server);
});

// A role that may have `limit` connections, and a server that would have forty.
async function serveWithin(limit, options = []) {
  const database = postgres.createDatabase();
  const role = `clerk${limit}`;
  postgres.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}' CONNECTION LIMIT ${limit}`);
  postgres.query(`GRANT ALL ON SCHEMA public TO ${role}`, database);
  const server = await serve(postgres.tcpUrl(database).replace('caisson:', `${role}:`), ['--store-connections', '40', ...options]);
  return { server, database, count: () => Number(postgres.query(`SELECT count(*) FROM pg_stat_activity WHERE usename = '${role}'`)[0][0]) };
}

// How many answers each of `clients` had, while they all asked as fast as they could.
let shares = 0;
async function share(server, { readers, writers, ms }) {
  const run = ++shares;
  const acknowledged = new Set();
  const latest = Date.now() + ms;
  const one = async (kind, index) => {
    const client = server.client();
    const made = { kind, answers: 0, slowest: 0, refused: 0 };
    while (Date.now() < latest) {
      const begin = Date.now();
      const code = `${kind}${run}-${index}-${made.answers + made.refused}`;
      const answer = kind === 'writer'
        ? await client.request('POST', '/v1/entries', { headers: json, body: JSON.stringify({ code, amount: 1, copy: 1 }) })
        : await client.request('GET', '/v1/entries?limit=5&fields=code,amount,lines(text)');
      assert.ok([200, 201, 503].includes(answer.status), `${answer.status} ${answer.text}`);
      if (answer.status === 503) assert.ok(answer.headers.has('retry-after'));
      if (answer.status === 201) acknowledged.add(code);
      made.refused += answer.status === 503 ? 1 : 0;
      made.answers += answer.status === 503 ? 0 : 1;
      made.slowest = Math.max(made.slowest, Date.now() - begin);
    }
    client.close();
    return made;
  };
  const all = await Promise.all([...Array.from({ length: writers }, (_, i) => one('writer', i)), ...Array.from({ length: readers }, (_, i) => one('reader', i))]);
  return { all, acknowledged };
}

// Two: the one that asks how the server is, and one for everybody. Three: two for two loops and the writers. Five: one for each, and one over.
for (const limit of [2, 3, 5]) {
  test(`a database that takes ${limit} connections of the forty: they serve everybody alike`, { timeout: 120000 }, async () => {
    const acquireMs = 5000;
    const { server, database, count } = await serveWithin(limit, ['--store-acquire-timeout', `${acquireMs}ms`]);
    const { all, acknowledged } = await share(server, { readers: 10, writers: 10, ms: 5000 });
    for (const kind of ['reader', 'writer']) {
      const answers = all.filter((client) => client.kind === kind).map((client) => client.answers);
      const mean = answers.reduce((sum, n) => sum + n, 0) / answers.length;
      // Connections are spread over the loops by the system, so that one loop may have most of the clients.
      assert.ok(Math.min(...answers) * 8 >= mean, `${kind}s were answered ${answers} times`);
      assert.ok(Math.min(...answers) > 0, `${kind}s were answered ${answers} times`);
    }
    assert.deepEqual(all.filter(({ refused }) => refused > 0), [], 'some were refused, though all could have been served');
    assert.ok(Math.max(...all.map(({ slowest }) => slowest)) < acquireMs);
    const stored = new Set(postgres.query('SELECT code FROM entries', database).map(([code]) => code));
    assert.deepEqual([...acknowledged].filter((code) => !stored.has(code)), []);
    assert.ok(count() <= limit);
    if (process.env.PG_FIGURES) console.log(limit, all.map(({ answers, slowest }) => `${answers}/${slowest}`).join(' '));
    assert.equal(await status(server, '/readyz'), 200);
    await end(server);
  });
}

test('few connections, and all of them busy for long: who can have none hears 503 in time, and all is well afterwards', { timeout: 120000 }, async () => {
  const { server, database } = await serveWithin(4, ['--store-acquire-timeout', '1s']);
  await share(server, { readers: 4, writers: 4, ms: 500 });
  // Writes that wait for a lock hold what there is.
  const { child: locker, done } = postgres.hold('BEGIN; LOCK TABLE entries IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(2.5); COMMIT', database);
  await until('the lock', 10000, () => Number(postgres.query(`SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'entries'::regclass`, database)[0][0]) > 0);
  const { all } = await share(server, { readers: 10, writers: 10, ms: 2000 });
  await done;
  assert.ok(locker.exitCode === 0);
  assert.ok(all.some(({ refused }) => refused > 0), 'nobody was refused: the test shows nothing');
  // The statement's own time may come on top of the wait for a connection.
  assert.ok(Math.max(...all.map(({ slowest }) => slowest)) < 1000 + 4000 + 1000);
  const { all: later } = await share(server, { readers: 10, writers: 10, ms: 1500 });
  assert.deepEqual(later.filter(({ refused, answers }) => refused > 0 || answers === 0), []);
  await end(server);
});
