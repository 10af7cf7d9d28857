// postgres-faults.test.mjs - what goes wrong between the server and PostgreSQL, under load: nothing that was acknowledged is lost, nothing is
// half there, nobody waits for long, and all is well again by itself. PG_ROUNDS: how often the database is stopped.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { password, startPostgres } from '../support/postgres.mjs';
import { startProxy } from '../support/proxy.mjs';
import { removeFolder, startServer } from '../support/server.mjs';

const rounds = Number(process.env.PG_ROUNDS ?? 4);
// Of a request while the database is away: what the interface promises, and what a loaded machine may add.
const answerMs = 2000 + 1000;
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
after(async () => { await postgres?.remove(); });

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const json = { 'Content-Type': 'application/json' };

async function serve(url, options = []) {
  return startServer({ contract, store: url, options: ['--threads', '2', '--migrate', ...options] });
}

async function end(server) {
  await server.stop();
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

test(`a database that is stopped and started under load, ${rounds} times`, { timeout: 240000 }, async () => {
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

test('a database that takes no more connections: everybody is answered in time, and nothing that was acknowledged is lost', { timeout: 120000 }, async () => {
  const database = postgres.createDatabase();
  postgres.query(`CREATE ROLE clerk LOGIN PASSWORD '${password}' CONNECTION LIMIT 5`);
  postgres.query('GRANT ALL ON SCHEMA public TO clerk', database);
  const url = postgres.tcpUrl(database).replace('caisson:', 'clerk:');
  const server = await serve(url, ['--store-connections', '40', '--store-acquire-timeout', '2s']);
  const load = startLoad(server, { writers: 10, readers: 10 });
  await until('writes', 60000, () => load.acknowledged.size > 100);
  await load.stop();
  // Who gets no connection in time is told to come again.
  for (const { status, retryAfter } of load.answers) assert.ok(status < 300 || (status === 503 && retryAfter !== undefined), `${status}`);
  const stored = new Set(postgres.query('SELECT code FROM entries', database).map(([code]) => code));
  assert.deepEqual([...load.acknowledged].filter((code) => !stored.has(code)), []);
  const [[count]] = postgres.query(`SELECT count(*) FROM pg_stat_activity WHERE usename = 'clerk'`);
  assert.ok(Number(count) <= 5);
  await end(server);
});
