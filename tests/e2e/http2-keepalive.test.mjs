// http2-keepalive.test.mjs - pings both ways and how long a connection lasts (gRFC A8, A9): who pings too often is sent away, who is gone without
// a word is noticed, and a connection of age takes no more requests.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { describe as describeContract, call, grpc, packageOf } from '../grpc/client.mjs';
import { ACK, END_HEADERS, END_STREAM, FrameClient, GOAWAY, HEADERS, DATA, Http2Client, PING, field, frame, requestFields } from '../support/http2.mjs';
import { makeFolder, makeToken, program, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "auth.id != null") { code: String! @id text: String! }
`;
const token = makeToken({ sub: 'ann' });
const ENHANCE_YOUR_CALM = 11;
const timeout = 60000;
const place = makeFolder();
const contractPath = path.join(place, 'notes.graphql');
let notes;
before(() => {
  fs.writeFileSync(contractPath, contract);
  notes = packageOf(describeContract(program, contractPath)).notes.v1;
});
after(() => removeFolder(place));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(check, what) {
  for (let i = 0; i < 400; i++) {
    if (await check()) return;
    await sleep(25);
  }
  throw new Error(`it did not come to be: ${what}`);
}

async function withServer(options, work) {
  const server = await startServer({ contract, options: ['--threads', '1', ...options] });
  const metric = async (name) => Number(new RegExp(`^${name} (\\d+)`, 'm').exec(await (await fetch(`${server.addresses[0]}/metrics`)).text())[1]);
  try {
    await work(server, () => metric('caisson_watches_open'));
  } finally {
    await server.stop();
    removeFolder(server.folder);
  }
}

const ping = frame(PING, 0, 0, Buffer.from('12345678'));
const emptyMessage = Buffer.alloc(5);
const get = (stream) => frame(HEADERS, END_HEADERS | END_STREAM, stream, requestFields('GET', '/v1/notes'));
const watch = (stream) => Buffer.concat([
  frame(HEADERS, END_HEADERS, stream, Buffer.concat([requestFields('POST', '/notes.v1.NoteService/WatchNotes'), field('content-type', 'application/grpc'), field('te', 'trailers')])),
  frame(DATA, END_STREAM, stream, emptyMessage),
]);
const acked = (client) => client.frames.filter((one) => one.type === PING && one.flags === ACK).length;
const asked = (client) => client.frames.filter((one) => one.type === PING && one.flags === 0);
const isAnswered = (client, stream) => client.frames.some((one) => one.stream === stream && one.type === HEADERS);

async function isSentAway(client) {
  await client.closed;
  const goaways = client.frames.filter((one) => one.type === GOAWAY);
  assert.equal(goaways.length, 1);
  assert.equal(goaways[0].payload.readUInt32BE(4), ENHANCE_YOUR_CALM);
  assert.equal(goaways[0].payload.subarray(8).toString(), 'too_many_pings');
}

test('three pings at once are acknowledged, the fourth is one too many, with streams and without', { timeout }, () => withServer([], async (server, watches) => {
  for (const opens of [[], [watch(1)]]) {
    const client = new FrameClient(server.port);
    client.write(...opens);
    if (opens.length > 0) await until(() => isAnswered(client, 1), 'the watch');
    for (let i = 1; i <= 3; i++) {
      client.write(ping);
      await until(() => acked(client) === i, `the acknowledgement of ping ${i}`);
    }
    client.write(ping);
    await isSentAway(client);
  }
  await until(async () => await watches() === 0, 'the end of the watch');
}));

test('pings that keep --ping-interval-min go on beside a watch that has nothing to tell', { timeout }, () => withServer(['--ping-interval-min', '100ms'], async (server, watches) => {
  const client = new FrameClient(server.port);
  client.write(watch(1));
  await until(() => isAnswered(client, 1), 'the watch');
  for (let i = 1; i <= 15; i++) {
    client.write(ping);
    await sleep(110);
  }
  await until(() => acked(client) === 15, 'the last acknowledgement');
  assert.equal(client.goaway, null);
  assert.equal(await watches(), 1);
  client.close();
}));

test('pings three times as often are too many', { timeout }, () => withServer(['--ping-interval-min', '600ms'], async (server) => {
  const client = new FrameClient(server.port);
  let count = 0;
  while (!client.isClosed && count < 40) {
    client.write(ping);
    count++;
    await sleep(200);
  }
  await isSentAway(client);
  assert.ok(count >= 4 && count <= 12, `${count} pings`);
}));

test('answers pay for pings', { timeout }, () => withServer([], async (server) => {
  const client = new FrameClient(server.port);
  for (let i = 0; i < 20; i++) {
    client.write(ping, ping, ping);
    await until(() => acked(client) === 3 * (i + 1), 'the acknowledgements');
    client.write(get(2 * i + 1));
    await until(() => isAnswered(client, 2 * i + 1), 'the answer');
  }
  assert.equal(client.goaway, null);
  client.close();
}));

test('--ping-interval-min 0s leaves it to --control-frames-max', { timeout }, () => withServer(['--ping-interval-min', '0s'], async (server) => {
  const client = new FrameClient(server.port);
  for (let i = 0; i < 500; i++) client.write(ping);
  await until(() => acked(client) === 500, 'the acknowledgements');
  client.close();
}));

test('a client that is gone without a word is noticed, and its watch ended; one that is there is not', { timeout }, () => withServer(['--ping-interval', '300ms', '--ping-timeout', '300ms'], async (server, watches) => {
  const gone = new FrameClient(server.port), there = new FrameClient(server.port), idle = new FrameClient(server.port);
  there.socket.on('data', () => { while (asked(there).length > there.replied) there.write(frame(PING, ACK, 0, asked(there)[there.replied++].payload)); });
  there.replied = 0;
  for (const client of [gone, there]) {
    client.write(watch(1));
    await until(() => isAnswered(client, 1), 'the watch');
  }
  assert.equal(await watches(), 2);
  const began = performance.now();
  await gone.closed;
  assert.equal(asked(gone).length, 1);
  const ms = performance.now() - began;
  assert.ok(ms > 450 && ms < 5000, `noticed after ${ms} ms`);
  await until(async () => await watches() === 1, 'the end of the watch');
  await until(() => there.replied >= 5, 'pings to who is there');
  assert.equal(there.isClosed, false);
  assert.equal(asked(idle).length, 0, 'nothing hangs on a connection without streams');
  there.close();
  idle.close();
}));

test('a client that sends something is asked for nothing', { timeout }, () => withServer(['--ping-interval', '500ms', '--ping-timeout', '300ms', '--ping-interval-min', '10ms'], async (server) => {
  const client = new FrameClient(server.port);
  client.write(watch(1));
  for (let i = 0; i < 20; i++) {
    client.write(ping);
    await sleep(100);
  }
  assert.equal(asked(client).length, 0);
  assert.equal(client.isClosed, false);
  client.close();
}));

test('@grpc/grpc-js: keepalive within the rule goes on, and beyond it is told why', { timeout }, () => withServer(['--ping-interval-min', '1s', '--ping-interval', '200ms', '--ping-timeout', '2s'], async (server) => {
  const open = (everyMs) => new notes.NoteService(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), { 'grpc.keepalive_time_ms': everyMs, 'grpc.keepalive_timeout_ms': 5000, 'grpc.keepalive_permit_without_calls': 1 });
  const watching = (client) => {
    const stream = client.WatchNotes({});
    const seen = { events: [], error: null };
    stream.on('data', (event) => seen.events.push(event));
    stream.on('error', (error) => { seen.error = error; });
    return { stream, seen, begun: new Promise((resolve) => stream.once('metadata', resolve)) };
  };
  const polite = open(1000), hasty = open(100);
  const [first, second] = [watching(polite), watching(hasty)];
  await Promise.all([first.begun, second.begun]);
  await until(() => second.seen.error !== null, 'the end of the hasty one');
  assert.equal(second.seen.error.code, grpc.status.RESOURCE_EXHAUSTED);
  await sleep(2500);
  assert.equal(first.seen.error, null);
  await call(polite, 'CreateNote', { note: { code: 'a', text: 'A' } }, { token });
  await until(() => first.seen.events.length === 1, 'the event');
  first.stream.cancel();
  polite.close();
  hasty.close();
}));

test('--connection-age-max: what has begun is answered, then the connection ends; in HTTP/1.1, too', { timeout }, () => withServer(['--connection-age-max', '500ms'], async (server) => {
  const client = new Http2Client(`http://127.0.0.1:${server.port}`);
  const stream = client.open('POST', '/v1/notes', { 'content-type': 'application/json', authorization: `Bearer ${token}` });
  const answered = new Promise((resolve) => stream.once('response', (headers) => resolve(headers[':status'])));
  await until(() => client.goaway !== null, 'GOAWAY');
  assert.equal(client.goaway, 0);
  stream.end(JSON.stringify({ code: 'a', text: 'A' }));
  stream.resume();
  assert.equal(await answered, 201);
  await client.closed;

  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const isLast = () => new Promise((resolve, reject) => {
    const answered = (response) => response.resume().once('end', () => resolve(response.headers.connection === 'close'));
    http.get({ port: server.port, host: '127.0.0.1', path: '/v1/notes', agent }, answered).once('error', reject);
  });
  assert.equal(await isLast(), false);
  await sleep(600);
  assert.equal(await isLast(), true);
  assert.equal(await isLast(), false, 'another connection');
  agent.destroy();
}));
