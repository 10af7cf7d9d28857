// postgres-isolation.test.mjs - what concurrent writers must not do to each other, by the anomalies' names.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeToken, removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "clinic")
type Account @resource @access(read: "true", write: "true") {
  code: String! @id
  amount: Int!
  name: String @unique
  parts: [Part!]!
}
type Part @resource @access(read: "true", write: "true") {
  code: String! @id
  account: Account!
  amount: Int!
}
type Ward @resource @access(read: "true", write: "true") {
  code: String! @id
  doctors: [Doctor!]!
}
# Somebody must be on call in every ward: a rule over other rows, which READ COMMITTED can't keep.
type Doctor @resource @transaction(isolation: SERIALIZABLE)
  @access(read: "true", create: "true", delete: "true", update: "onCall || ward.doctors.exists(d, d.onCall && d.code != code)") {
  code: String! @id
  ward: Ward!
  onCall: Boolean!
}
`;

let postgres;
let name;
let server;
let clients;
before(async () => {
  postgres = await startPostgres({ settings: { deadlock_timeout: '20ms' } });
  name = postgres.createDatabase();
  server = await startServer({ contract, store: postgres.url(name), options: ['--threads', '2', '--migrate', '--store-acquire-timeout', '20s'] });
  clients = Array.from({ length: 10 }, () => server.client());
});
after(async () => {
  for (const client of clients ?? []) client.close();
  await server?.stop();
  await postgres?.remove();
  if (server) removeFolder(server.folder);
});

const token = makeToken({ sub: 'ann' });
const send = (client, method, target, body, headers = {}) => client.request(method, target, {
  headers: { Authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
  ...(body === undefined ? {} : { body: JSON.stringify(body) }),
});

async function create(target, body) {
  const answer = await send(clients[0], 'POST', target, body);
  assert.equal(answer.status, 201, answer.text);
}

test('lost update: of many who count up under If-Match, every success counts', { timeout: 60000 }, async () => {
  await create('/v1/accounts', { code: 'counter', amount: 0 });
  const wanted = 10;
  let refused = 0;
  await Promise.all(clients.map(async (client) => {
    for (let done = 0; done < wanted;) {
      const read = await send(client, 'GET', '/v1/accounts/counter');
      assert.equal(read.status, 200, read.text);
      const written = await send(client, 'PATCH', '/v1/accounts/counter', { amount: JSON.parse(read.text).amount + 1 }, { 'If-Match': read.headers.get('etag') });
      assert.ok([200, 412].includes(written.status), `${written.status} ${written.text}`);
      if (written.status === 200) done++;
      else refused++;
    }
  }));
  const end = await send(clients[0], 'GET', '/v1/accounts/counter');
  assert.equal(JSON.parse(end.text).amount, wanted * clients.length);
  assert.ok(refused > 0, 'nobody met anybody: the test shows nothing');
});

test('lost update: without If-Match the last one wins, and nobody undoes what it did not name', { timeout: 60000 }, async () => {
  await create('/v1/accounts', { code: 'last', amount: 0 });
  for (let round = 0; round < 10; round++) {
    const amounts = clients.slice(1).map((client, i) => round * 100 + i + 1);
    const answers = await Promise.all([
      ...amounts.map((amount, i) => send(clients[i + 1], 'PATCH', '/v1/accounts/last', { amount })),
      send(clients[0], 'PATCH', '/v1/accounts/last', { name: `named in round ${round}` }),
    ]);
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    const { amount, name } = JSON.parse((await send(clients[0], 'GET', '/v1/accounts/last')).text);
    assert.ok(amounts.includes(amount), `${amount} is nobody's`);
    assert.equal(name, `named in round ${round}`);
  }
});

test('unique race: one of many creates the row, the others are told which field is taken', { timeout: 60000 }, async () => {
  for (let round = 0; round < 15; round++) {
    const answers = await Promise.all(clients.map((client, i) => send(client, 'POST', '/v1/accounts', { code: `u${round}-${i}`, amount: 1, name: `name ${round}` })));
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      assert.equal(answer.status, 409, answer.text);
      const problem = JSON.parse(answer.text);
      assert.deepEqual(problem.errors.map(({ pointer, code }) => [pointer, code]), [['/name', 'NOT_UNIQUE']]);
    }
  }
});

test('unique race: a key that many choose is had by one', { timeout: 60000 }, async () => {
  for (let round = 0; round < 15; round++) {
    const answers = await Promise.all(clients.map((client, i) => send(client, 'POST', '/v1/accounts', { code: `k${round}`, amount: i })));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, ...Array(clients.length - 1).fill(409)]);
    const lost = answers.find(({ status }) => status === 409);
    assert.deepEqual(JSON.parse(lost.text).errors.map(({ pointer, code }) => [pointer, code]), [['/code', 'NOT_UNIQUE']]);
  }
});

test('write skew: two who each look at the other under SERIALIZABLE do not both go', { timeout: 60000 }, async () => {
  for (let round = 0; round < 25; round++) {
    await create('/v1/wards', { code: `ward${round}` });
    for (const name of ['a', 'b']) await create('/v1/doctors', { code: `${name}${round}`, wardCode: `ward${round}`, onCall: true });
    const answers = await Promise.all(['a', 'b'].map((name, i) => send(clients[i], 'PATCH', `/v1/doctors/${name}${round}`, { onCall: false })));
    // Who comes second is run again, sees that the other has gone, and is refused by the rule.
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403], answers.map(({ text }) => text).join('\n'));
    const left = await send(clients[0], 'GET', `/v1/doctors?ward.code=ward${round}&onCall=true`);
    assert.equal(JSON.parse(left.text).items.length, 1);
  }
});

test('deadlock: writers that lock the same rows in opposite order all succeed', { timeout: 60000 }, async () => {
  for (const code of ['one', 'two']) await create('/v1/accounts', { code, amount: 0 });
  for (const code of ['p', 'q']) await create('/v1/parts', { code, accountCode: 'one', amount: 0 });
  const connect = (...codes) => ({ parts: { connect: codes.map((code) => ({ code })) } });
  const deadlocks = () => Number(postgres.query('SELECT pg_stat_clear_snapshot(), sum(deadlocks) FROM pg_stat_database').at(-1).at(-1));
  const before = deadlocks();
  for (let round = 0; round < 100 && (round < 10 || deadlocks() === before); round++) {
    const answers = await Promise.all([send(clients[0], 'PATCH', '/v1/accounts/one', connect('p', 'q')), send(clients[1], 'PATCH', '/v1/accounts/two', connect('q', 'p'))]);
    for (const answer of answers) assert.equal(answer.status, 200, answer.text);
    const [p, q] = await Promise.all(['p', 'q'].map(async (code, i) => JSON.parse((await send(clients[i], 'GET', `/v1/parts/${code}`)).text).accountCode));
    assert.equal(p, q, 'half of a write is there');
  }
  assert.ok(deadlocks() > before, 'there was no deadlock: the test shows nothing');
});

test('restricted delete against a new reference: never a row that refers to nothing', { timeout: 60000 }, async () => {
  for (let round = 0; round < 25; round++) {
    await create('/v1/accounts', { code: `gone${round}`, amount: 0 });
    const [deleted, created] = await Promise.all([
      send(clients[0], 'DELETE', `/v1/accounts/gone${round}`),
      send(clients[1], 'POST', '/v1/parts', { code: `orphan${round}`, accountCode: `gone${round}`, amount: 1 }),
    ]);
    assert.ok((deleted.status === 204 && created.status === 422) || (deleted.status === 409 && created.status === 201),
      `${deleted.status} ${deleted.text} / ${created.status} ${created.text}`);
  }
});

// What another transaction has not committed yet is not seen when references are looked at; the database itself waits for it.
async function whileHeld(change, ask) {
  const database = postgres.hold(`BEGIN; ${change}; SELECT pg_sleep(1); COMMIT`, name);
  while (postgres.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  const answer = await ask();
  await database.done;
  return answer;
}

test('a reference to a row that is deleted at the same time is broken: 422 at its field', { timeout: 60000 }, async () => {
  await create('/v1/accounts', { code: 'leaving', amount: 0 });
  const answer = await whileHeld("DELETE FROM accounts WHERE code = 'leaving'",
    () => send(clients[0], 'POST', '/v1/parts', { code: 'late', accountCode: 'leaving', amount: 1 }));
  assert.equal(answer.status, 422, answer.text);
  assert.deepEqual(JSON.parse(answer.text).errors.map(({ pointer, code }) => [pointer, code]), [['/accountCode', 'REFERENCE']]);
});

test('a row that is referred to at the same time is not deleted: 409, and what refers to it', { timeout: 60000 }, async () => {
  await create('/v1/accounts', { code: 'wanted', amount: 0 });
  const answer = await whileHeld("INSERT INTO parts (code, account_code, amount) VALUES ('new', 'wanted', 1)", () => send(clients[0], 'DELETE', '/v1/accounts/wanted'));
  assert.equal(answer.status, 409, answer.text);
  assert.match(JSON.parse(answer.text).detail, /Part\.account/);
});
