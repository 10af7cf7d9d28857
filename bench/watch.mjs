// watch.mjs - what many watches cost: memory for each, and the server's CPU time for one change that is told to all of them, beside the least
// that it could cost: as many bytes sent to as many connections, one send each (bench/fanout.c).
//   node bench/watch.mjs [WATCHES] [FILTERS] [CHANGES]     10000, 10 and 20 unless said otherwise
// The watches have FILTERS different filters, all of which a change matches. CPU time is the server's own, whatever else the machine does.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';
import { openWatches } from '../tests/support/grpc_watches.mjs';
import { makeFolder, removeFolder, residentKib, startServer } from '../tests/support/server.mjs';

const [watches = 10000, filters = 10, changes = 20] = process.argv.slice(2).map(Number);
const contract = `
extend schema @service(name: "feed")
type Item @resource @access(read: "true", write: "true") {
  code: String! @id
  name: String!
  price: Decimal
  n: Int! @default(value: 0)
}`;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Ticks of 10 ms, and KiB.
const cpuMs = (pid) => { const fields = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' '); return (Number(fields[11]) + Number(fields[12])) * 10; };

let started = 0, received = 0, receivedBytes = 0, changed = () => {};
function open(port, i) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.setEncoding('latin1');
    socket.once('error', reject);
    socket.on('data', (piece) => {
      if (piece.includes('retry: ')) { started++; resolve(socket); }
      for (let at = -1; (at = piece.indexOf('event: ', at + 1)) >= 0;) received++;
      receivedBytes += piece.length;
      changed();
    });
    socket.write(`GET /v1/items:watch?n[gte]=${-(i % filters)} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  });
}
const until = (predicate) => new Promise((resolve) => { changed = () => { if (predicate()) { changed = () => {}; resolve(); } }; changed(); });

async function openAll(port) {
  const sockets = [];
  for (let i = 0; i < watches; i += 200) sockets.push(...await Promise.all(Array.from({ length: Math.min(200, watches - i) }, (_, k) => open(port, i + k))));
  await sleep(500);
  received = receivedBytes = 0;
  return sockets;
}

// Tells everyone `changes` times, by `tell`, which waits for nobody; the longest time until the last one had heard it.
async function tellAll(tell) {
  let slowest = 0;
  for (let c = 0; c < changes; c++) {
    const began = performance.now(), heard = received;
    await tell(`change-${c}`);
    await until(() => received >= heard + watches);
    slowest = Math.max(slowest, performance.now() - began);
  }
  return slowest;
}

async function measureOurs() {
  const threads = process.env.THREADS ?? '2';
  const server = await startServer({ contract, options: ['--threads', threads, '--connections-max', String(watches + 100), '--watches-max', String(watches), '--watch-heartbeat', '1h'] });
  const client = server.client();
  let sockets = [];
  try {
    const write = async (code) => {
      const answer = await client.request('POST', '/v1/items', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code, name: 'A pot of green tea', price: '12.50', n: 1 }) });
      if (answer.status !== 201) throw new Error(answer.text);
    };
    await write('first');
    const before = residentKib(server.child.pid);
    sockets = await openAll(server.port);
    const idle = residentKib(server.child.pid);
    await write('warm');
    await until(() => received >= watches);
    const bytes = Math.round(receivedBytes / received), cpu = cpuMs(server.child.pid);
    const slowest = await tellAll(write);
    const ms = (cpuMs(server.child.pid) - cpu) / changes;
    console.log(`${started} watches with ${filters} filters on ${threads} threads`);
    console.log(`memory: ${((idle - before) / watches).toFixed(1)} KiB a watch, connection included (${((residentKib(server.child.pid) - before) / watches).toFixed(1)} after ${changes + 1} events each)`);
    console.log(`fan-out: ${ms.toFixed(1)} ms of the server's CPU a change, ${((ms * 1000) / watches).toFixed(2)} µs a watch; ${slowest.toFixed(0)} ms until the last one has it, at worst`);
    return { ms, bytes };
  } finally {
    for (const socket of sockets) socket.destroy();
    client.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

async function measureLeast(bytes) {
  const child = spawn(`${process.env.BENCH_BUILD ?? 'build'}/bench/fanout`, [String(bytes)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const port = Number(/:(\d+)$/.exec((await lines.next()).value)[1]);
  const sockets = await openAll(port);
  let ns = 0;
  const slowest = await tellAll(async () => { child.stdin.write('\n'); ns += Number((await lines.next()).value); });
  for (const socket of sockets) socket.destroy();
  child.stdin.end();
  const ms = ns / 1e6 / changes;
  console.log(`bare sends of ${bytes} bytes: ${ms.toFixed(1)} ms of CPU a change, ${((ms * 1000) / watches).toFixed(2)} µs a connection; ${slowest.toFixed(0)} ms until the last one has it, at worst`);
  return ms;
}

// Over gRPC: streams of a few connections.
async function measureStreams(connections, each) {
  const server = await startServer({ contract, options: ['--watches-max', String(connections * each), '--watch-heartbeat', '1h'] });
  const before = residentKib(server.child.pid);
  const many = openWatches(server.port, '/feed.v1.ItemService/WatchItems', connections, each);
  try {
    while (many.heads() + many.refused() < connections * each) await sleep(50);
    if (many.refused() > 0) throw new Error(`${many.refused()} watches were refused`);
    console.log(`gRPC: ${connections * each} watches over ${connections} connections, ${((residentKib(server.child.pid) - before) / connections / each).toFixed(1)} KiB a watch`);
  } finally {
    many.close();
    await server.stop();
    removeFolder(server.folder);
  }
}

await measureStreams(24, 1000);
const { ms, bytes } = await measureOurs();
const least = await measureLeast(bytes);
console.log(`a change told to ${watches} watches costs ${(ms / least).toFixed(2)} × the bare sends`);
process.exit(0);
