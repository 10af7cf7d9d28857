// watch.mjs - what many watches cost: memory for each, and the server's CPU time for one change that is told to all of them.
//   node bench/watch.mjs [WATCHES] [FILTERS] [CHANGES]     10000, 10 and 20 unless said otherwise
// The watches have FILTERS different filters, all of which a change matches. CPU time is the server's own, whatever else the machine does.
import fs from 'node:fs';
import net from 'node:net';
import { makeFolder, removeFolder, startServer } from '../tests/support/server.mjs';

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
const rssKib = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]);

let started = 0, received = 0, changed = () => {};
function open(port, i) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1' });
    socket.setEncoding('latin1');
    socket.once('error', reject);
    socket.on('data', (piece) => {
      if (piece.includes('retry: ')) { started++; resolve(socket); }
      for (let at = -1; (at = piece.indexOf('event: ', at + 1)) >= 0;) received++;
      changed();
    });
    socket.write(`GET /v1/items:watch?n[gte]=${-(i % filters)} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  });
}
const until = (predicate) => new Promise((resolve) => { changed = () => { if (predicate()) { changed = () => {}; resolve(); } }; changed(); });

const threads = process.env.THREADS ?? '2';
const server = await startServer({ contract, options: ['--threads', threads, '--connections-max', String(watches + 100), '--watches-max', String(watches), '--watch-heartbeat', '1h'] });
const client = server.client();
const sockets = [];
try {
  const write = async (code) => {
    const answer = await client.request('POST', '/v1/items', { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ code, name: 'A pot of green tea', price: '12.50', n: 1 }) });
    if (answer.status !== 201) throw new Error(answer.text);
  };
  await write('first');
  const before = rssKib(server.child.pid);
  for (let i = 0; i < watches; i += 200) sockets.push(...await Promise.all(Array.from({ length: Math.min(200, watches - i) }, (_, k) => open(server.port, i + k))));
  await sleep(500);
  const idle = rssKib(server.child.pid);
  await write('warm');
  await until(() => received >= watches);
  let slowest = 0;
  const cpu = cpuMs(server.child.pid);
  for (let c = 0; c < changes; c++) {
    const began = performance.now();
    await write(`change-${c}`);
    await until(() => received >= watches * (c + 2));
    slowest = Math.max(slowest, performance.now() - began);
  }
  const spent = cpuMs(server.child.pid) - cpu;
  console.log(`${started} watches with ${filters} filters on ${threads} threads`);
  console.log(`memory: ${((idle - before) / watches).toFixed(1)} KiB a watch, connection included (${((rssKib(server.child.pid) - before) / watches).toFixed(1)} after ${changes + 1} events each)`);
  console.log(`fan-out: ${(spent / changes).toFixed(1)} ms of the server's CPU a change, ${(spent * 1000 / changes / watches).toFixed(2)} µs a watch; ${slowest.toFixed(0)} ms until the last one has it, at worst`);
} finally {
  for (const socket of sockets) socket.destroy();
  client.close();
  await server.stop();
  removeFolder(server.folder);
}
