// overload.test.mjs - three times what the server can do, whatever the answers: what it can do it goes on doing, in good time, and says no to the
// rest at once. Capacities are measured first, so that nothing depends on how fast the machine is; the bounds are generous.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { treeCpuNs } from '../../bench/process.mjs';
import { call, describe as describeContract, detailsOf, grpc, packageOf } from '../grpc/client.mjs';
import { connect } from '../support/http.mjs';
import { Http2Client, answerOf } from '../support/http2.mjs';
import { closedLoop, openLoop, percentile, rateOf } from '../support/load.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { program, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "busy", version: "v1")
type Note @resource @access(read: "true", write: "true") { id: ID! @id title: String! }
`;
const timeout = 120000;
const rows = 20000;
const get = (target) => () => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`;
// No index helps: it reads every row, and that takes so long that refusing it costs next to nothing.
const filter = 'title.contains("nowhere")';
const slow = get(`/v1/notes?filter=${encodeURIComponent(filter)}`);
const quick = get('/v1/notes/n7');
const ndjson = Array.from({ length: rows }, (_, i) => JSON.stringify({ id: `n${i}`, title: `note number ${i} of many, none of which is there` })).join('\n');

async function fill(port) {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/notes`, { method: 'POST', headers: { 'Content-Type': 'application/x-ndjson' }, body: ndjson });
  assert.ok(answer.ok, await answer.text());
}

const stores = [
  ['SQLite', async () => ({ url: undefined, remove: async () => {} })],
  ['PostgreSQL', async () => { const postgres = await startPostgres(); return { url: postgres.url(), remove: () => postgres.remove() }; }],
];
for (const [name, open] of stores) {
  describe(name, { concurrency: false }, () => {
    let store, server, capacity;
    const measureCapacity = async () => rateOf(await closedLoop(server.port, slow, { connections: 12, seconds: 2 }), 200);
    // A second, twice as much where others use the machine, and what those take who may wait however slow it is, here and in what is under way.
    const patienceMs = () => 2000 + (40 * 1000) / capacity;
    before(async () => {
      store = await open();
      server = await startServer({ contract, store: store.url, options: ['--migrate', '--threads', '1', '--store-connections', '4'] });
      await fill(server.port);
      capacity = await measureCapacity();
    });
    after(async () => {
      await server?.stop();
      await store?.remove();
      if (server) removeFolder(server.folder);
    });

    test('at three times its capacity the server does what it can, in time, and refuses the rest', { timeout }, async () => {
      const busy = await openLoop(server.port, slow, { connections: 600, rate: 3 * capacity, seconds: 5 });
      const refused = busy.samples.get(503) ?? '';
      assert.deepEqual([...busy.statuses.keys()].filter((status) => status !== 200 && status !== 503), []);
      capacity = Math.min(capacity, await measureCapacity()); /* what else the machine does comes and goes */
      assert.ok(rateOf(busy, 200) > 0.6 * capacity, `${rateOf(busy, 200)} a second of ${capacity}`);
      assert.ok(percentile(busy.statuses.get(200), 0.99) < patienceMs(), `p99 ${percentile(busy.statuses.get(200), 0.99)} ms at ${capacity} a second`);
      assert.match(refused, /\r\nretry-after: \d+\r\n/i);
      assert.match(refused, /"code":"UNAVAILABLE"/);
      assert.ok(percentile(busy.statuses.get(503), 0.5) < percentile(busy.statuses.get(200), 0.5), 'no is said early');
      const metrics = await (await fetch(`${server.addresses[0]}/metrics`)).text();
      assert.ok(Number(/^caisson_http_requests_shed_total (\d+)$/m.exec(metrics)[1]) > 0.8 * busy.statuses.get(503).length);
    });

    test('what is quick is answered while too much is asked that is slow', { timeout }, async () => {
      const [busy, others] = await Promise.all([
        openLoop(server.port, slow, { connections: 600, rate: 3 * capacity, seconds: 4 }),
        closedLoop(server.port, quick, { connections: 4, seconds: 4 }),
      ]);
      assert.ok(busy.statuses.get(503)?.length > 0);
      // On PostgreSQL they may share a line, where the slow ones are not so very slow.
      if (name === 'SQLite') assert.deepEqual([...others.statuses.keys()], [200]);
      assert.ok(rateOf(others, 200) > 1);
      assert.ok(percentile(others.statuses.get(200), 0.99) < patienceMs(), `p99 ${percentile(others.statuses.get(200), 0.99)} ms at ${capacity} a second`);
    });

    test('GraphQL and gRPC refuse as REST does', { timeout }, async () => {
      const { NoteService } = packageOf(describeContract(program, server.contractPath)).busy.v1;
      const client = new NoteService(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure());
      const query = JSON.stringify({ query: '{ notes(where: { title: { contains: "nowhere" } }) { nodes { id } } }' });
      const ask = async () => (await fetch(`${server.addresses[0]}/graphql`, { method: 'POST', headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json' }, body: query }));
      let busy, isOver;
      try {
        let refusedCall = null, refusedAnswer = null;
        const callOnce = () => call(client, 'ListNotes', { filter }).catch((error) => { refusedCall ??= error; });
        const askOnce = async () => {
          const answer = await ask(), body = await answer.json();
          if (answer.status !== 200) refusedAnswer ??= { status: answer.status, retryAfter: answer.headers.get('retry-after'), body };
        };
        const several = (once, isEnough) => Array.from({ length: 24 }, async () => { while (!isOver && !isEnough()) await once(); });
        // Whose turn it is to be refused is chance.
        for (let round = 0; round < 10 && (refusedCall === null || refusedAnswer === null); round++) {
          isOver = false;
          busy = openLoop(server.port, slow, { connections: 600, rate: 4 * capacity, seconds: 3 }).then(() => { isOver = true; });
          await Promise.all([...several(callOnce, () => refusedCall !== null), ...several(askOnce, () => refusedAnswer !== null)]);
          await busy;
        }
        assert.equal(refusedCall?.code, grpc.status.UNAVAILABLE);
        assert.ok(detailsOf(refusedCall).RetryInfo, 'RetryInfo');
        assert.equal(refusedAnswer?.status, 503);
        assert.ok(refusedAnswer.retryAfter);
        assert.equal(refusedAnswer.body.errors[0].extensions.code, 'UNAVAILABLE');
      } finally {
        client.close();
        await busy;
      }
    });
  });
}

// One that asks for much at once has half of what there is, and its other requests wait; somebody else's has its turn.
test('one connection does not take the places of the others', { timeout }, async () => {
  const server = await startServer({ contract, options: ['--threads', '1', '--requests-in-flight-max', '8', '--queue-wait-max', '60s'] });
  try {
    await fill(server.port);
    const greedy = new Http2Client(server.addresses[0]);
    const asked = Array.from({ length: 100 }, () => greedy.request('GET', `/v1/notes?filter=${encodeURIComponent(filter)}`));
    const before = performance.now();
    const answer = await fetch(`${server.addresses[0]}/v1/notes/n7`);
    const quickMs = performance.now() - before;
    assert.equal(answer.status, 200);
    for (const one of asked) assert.equal((await one).status, 200);
    assert.ok(quickMs < (performance.now() - before) / 2, 'it did not wait for all of theirs');
    greedy.close();
  } finally {
    await server.stop();
    removeFolder(server.folder);
  }
});

// An import holds a place for as long as its body comes; other bodies hold none before they are there.
const importing = (send) => send('POST', '/v1/notes', { 'content-type': 'application/x-ndjson', expect: '100-continue' });
const creating = (send) => send('POST', '/v1/notes', { 'content-type': 'application/json', expect: '100-continue' });

// A request in HTTP/2 whose body is wanted: the server has said so.
async function bodyOf(client, request) {
  const stream = request((method, target, headers) => client.open(method, target, headers));
  const answer = answerOf(stream);
  answer.catch(() => {});
  await new Promise((resolve, reject) => { stream.once('continue', resolve); answer.then(resolve, reject); });
  return { stream, answer };
}

const withClients = (count, options, work) => async () => {
  const server = await startServer({ contract, options: ['--threads', '1', ...options] });
  const clients = Array.from({ length: count }, () => new Http2Client(server.addresses[0]));
  try {
    await work(server, ...clients);
  } finally {
    for (const client of clients) client.close();
    await server.stop();
    removeFolder(server.folder);
  }
};

test('a body that is on its way takes nobody\'s place, and waits for its own when it is there (HTTP/2)', { timeout },
  withClients(3, ['--requests-in-flight-max', '2', '--queue-wait-max', '60s'], async (server, sender, other, third) => {
    const made = await bodyOf(sender, creating);
    made.stream.write('{"title":');
    for (const client of [other, third]) assert.equal((await client.request('GET', '/v1/notes')).status, 200);
    const holders = [await bodyOf(other, importing), await bodyOf(third, importing)];
    made.stream.end('"late","id":"late"}');
    // It has come when the server has answered a ping that was sent behind it.
    await new Promise((resolve) => sender.session.ping(resolve));
    for (const { stream } of holders) stream.end();
    for (const { answer } of holders) assert.equal((await answer).status, 200);
    assert.equal((await made.answer).status, 201);
    assert.match(await (await fetch(`${server.addresses[0]}/metrics`)).text(), /^caisson_http_requests_shed_total 0$/m);
  }));

test('the bodies of one connection do not take its other requests\' places when they are there (HTTP/2)', { timeout },
  withClients(1, ['--requests-in-flight-max', '16', '--queue-wait-max', '60s'], async (server, client) => {
    const asked = [];
    for (let i = 0; i < 8; i++) asked.push(await bodyOf(client, creating));
    for (const [i, { stream }] of asked.entries()) stream.end(`{"id":"${i}","title":"one of many"}`);
    for (const { answer } of asked) assert.equal((await answer).status, 201);
  }));

test('the oldest of too many bodies on their way make room (HTTP/2)', { timeout },
  withClients(2, ['--connections-max', '4', '--requests-in-flight-max', '100'], async (server, client, other) => {
    const asked = [];
    for (let i = 0; i < 6; i++) asked.push(await bodyOf(client, creating));
    for (const { answer } of asked.slice(0, 2)) {
      const refused = await answer;
      assert.equal(refused.status, 503);
      assert.equal(JSON.parse(refused.text).code, 'UNAVAILABLE');
    }
    assert.equal((await other.request('GET', '/v1/notes')).status, 200);
    for (const [i, { stream }] of asked.slice(2).entries()) stream.end(`{"id":"${i}","title":"one of many"}`);
    for (const { answer } of asked.slice(2)) assert.equal((await answer).status, 201);
  }));

// Takes a byte a second of what the system has for it; the rest waits at the server.
async function slowReader(port) {
  const socket = await connect(port);
  socket.pause();
  socket.write('GET /v1/notes?limit=100000 HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\r\n');
  const timer = setInterval(() => socket.read(1), 1000);
  socket.on('error', () => {});
  return () => { clearInterval(timer); socket.destroy(); };
}

// Until it does next to nothing for half a second.
async function untilIdle(pid) {
  for (let before = treeCpuNs(pid), now; ; before = now) {
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    now = treeCpuNs(pid);
    if (now - before < 2e7) return;
  }
}

test('a hundred clients that read a byte a second cost the others nothing', { timeout }, async () => {
  const server = await startServer({ contract, options: ['--threads', '1'] });
  const ends = [];
  try {
    await fill(server.port);
    // In CPU time: what else the machine does comes and goes.
    const measure = async () => {
      const before = treeCpuNs(server.child.pid);
      const tally = await closedLoop(server.port, quick, { connections: 8, seconds: 2 });
      return { ...tally, eachNs: (treeCpuNs(server.child.pid) - before) / tally.statuses.get(200).length };
    };
    await measure();
    const without = await measure();
    for (let i = 0; i < 100; i++) ends.push(await slowReader(server.port));
    await untilIdle(server.child.pid); // all has been read that is to wait
    const beside = await measure();
    assert.deepEqual([...beside.statuses.keys()], [200]);
    assert.ok(beside.eachNs < 1.4 * without.eachNs, `${beside.eachNs} ns each, ${without.eachNs} without them`);
    const [p99, p99Without] = [beside, without].map((tally) => percentile(tally.statuses.get(200), 0.99));
    assert.ok(p99 < 10 * p99Without + 100, `p99 ${p99} ms, ${p99Without} ms without them`);
  } finally {
    for (const end of ends) end();
    await server.stop();
    removeFolder(server.folder);
  }
});
