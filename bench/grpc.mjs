// grpc.mjs - what a call costs beside REST, beside servers that only echo, and what TLS adds. In turns in one run; the unit is the server's own
// CPU time, user and system. Clients are h2load and openssl s_time. Writes docs/bench.md. Without build/peers/grpc-go, which needs Go, that is left
// out.
//   node bench/grpc.mjs [ROUNDS]
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import { makeAuthority, makeCertificate } from '../tests/support/certificates.mjs';
import { replaceFigures } from './figures.mjs';
import { treeCpuNs } from './process.mjs';
import { build, file, fill, log, median, removeFiles, start, startOurs, stop } from './server.mjs';

const rounds = Number(process.argv[2] ?? 7), requests = Number(process.env.REQUESTS ?? 100000), handshakeSeconds = 2;
const method = '/bench.v1.ProductService/GetProduct';

const freePort = () => new Promise((resolve) => { const server = net.createServer().listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); }); });

// A server that does not say when it listens.
async function startPeer(command, args, port) {
  const child = spawn('taskset', ['-c', '0', command, ...args], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  for (let i = 0; i < 200; i++) {
    const isThere = await new Promise((resolve) => { const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false)); });
    if (isThere) return { child, pid: child.pid, port };
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error(`${command} does not listen`);
}

function client(command, args) {
  const result = spawnSync('taskset', ['-c', '1', command, ...args], { encoding: 'utf8', timeout: 120000 });
  if (result.status !== 0) throw new Error(`${command}: ${result.stderr}${result.stdout}`);
  return result.stdout + result.stderr;
}

// CPU µs per request.
function measure({ pid, port }, { scheme = 'http', target, options }) {
  const before = treeCpuNs(pid);
  const said = client('h2load', ['-t', '1', '-n', String(requests), ...options, `${scheme}://127.0.0.1:${port}${target}`]);
  const good = Number(/(\d+) succeeded/.exec(said)?.[1]);
  if (good !== requests) throw new Error(`${good} of ${requests} were answered\n${said}`);
  return (treeCpuNs(pid) - before) / 1000 / requests;
}

// CPU µs per handshake, TLS 1.3, none resumed.
function shakeHands({ pid, port }) {
  const before = treeCpuNs(pid);
  const said = client('openssl', ['s_time', '-connect', `127.0.0.1:${port}`, '-new', '-time', String(handshakeSeconds)]);
  const count = Number(/(\d+) connections in \d+ real seconds/.exec(said)?.[1]);
  if (!(count > 0)) throw new Error(said);
  return (treeCpuNs(pid) - before) / 1000 / count;
}

// The answer to a call, as the peers are to give it.
const callOnce = (port, body) => new Promise((resolve, reject) => {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' });
  const parts = [];
  stream.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => { session.close(); resolve(Buffer.concat(parts).subarray(5)); });
  stream.end(body);
});

async function main() {
  await fill(2000);
  const [id] = fs.readFileSync(file('first'), 'utf8').split('\n');
  const message = Buffer.concat([Buffer.from([0x0a, id.length]), Buffer.from(id)]);
  const body = Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
  fs.writeFileSync(file('request'), body);
  const authority = makeAuthority(path.dirname(file('x')), 'authority'), own = makeCertificate(path.dirname(file('x')), authority, 'localhost');
  const serve = (...more) => start(`${build}/caisson`, ['serve', 'bench/bench.graphql', '--listen', '127.0.0.1:0', '--store', `sqlite:${file('bench.db')}`, '--threads', '1', '--log', 'off', ...more]);
  const plain = await startOurs();
  const tls = await serve('--tls-cert', own.cert, '--tls-key', own.key);
  const echoPort = await freePort(), nginxPort = await freePort(), nginxPlainPort = await freePort();
  const echo = await startPeer('nghttpd', ['--no-tls', '--echo-upload', '-n1', '-a', '127.0.0.1', String(echoPort)], echoPort);
  const row = await (await fetch(`http://127.0.0.1:${plain.port}/v1/products/${id}`)).text();
  fs.writeFileSync(file('nginx.conf'), `daemon off; worker_processes 1; error_log stderr; pid ${file('nginx.pid')};\nevents {}\nhttp { access_log off; server { listen 127.0.0.1:${nginxPlainPort}; listen 127.0.0.1:${nginxPort} ssl; keepalive_requests 1000000; ssl_certificate ${own.cert}; ssl_certificate_key ${own.key}; ssl_protocols TLSv1.3; location / { return 204; } location = /row { default_type application/json; return 200 '${row}'; } } }\n`);
  const nginx = await startPeer('nginx', ['-p', path.dirname(file('x')), '-e', 'stderr', '-c', file('nginx.conf')], nginxPort);
  const answer = (await callOnce(plain.port, body)).toString('hex');
  const hello = await start(process.execPath, ['bench/grpc_hello.mjs', answer]);
  const goPeer = `${build}/peers/grpc-go`, goHello = fs.existsSync(goPeer) ? await start(goPeer, [answer]) : undefined;
  if (!goHello) log(`${goPeer} is not there: grpc-go is left out`);

  const keepAlive = ['--h1', '-c', '32'], multiplexed = ['-c', '4', '-m', '32', '-d', file('request'), '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
  const same = { target: '/row', options: keepAlive };
  const rest = { target: `/v1/products/${id}`, options: keepAlive }, call = { target: method, options: multiplexed };
  const samples = new Map();
  const ratio = (over, under) => median(samples.get(over).map((us, round) => us / samples.get(under)[round])).toFixed(2);
  const cases = [
    { key: 'rest', name: 'REST: GET by id, keep-alive', run: () => measure(plain, rest) },
    { key: 'tls', name: 'the same over TLS', run: () => measure(tls, { ...rest, scheme: 'https' }), says: () => `${ratio('tls', 'rest')} × REST`, goal: '≤ 1.25' },
    { key: 'clear', name: 'nginx, which returns the same bytes, keep-alive', run: () => measure({ pid: nginx.pid, port: nginxPlainPort }, same) },
    { key: 'sealed', name: 'the same over TLS', run: () => measure(nginx, { ...same, scheme: 'https' }), says: () => `${ratio('sealed', 'clear')} × without` },
    { key: 'call', name: 'gRPC: GetProduct, h2c, 4 × 32 streams', run: () => measure(plain, call), says: () => `${ratio('call', 'rest')} × REST, ${ratio('call', 'echo')} × nghttpd`, goal: '≤ 1, ≤ 1.6' },
    { key: 'echo', name: 'nghttpd (nghttp2 alone), which echoes the request', run: () => measure(echo, call) },
    { key: 'js', name: 'grpc-js, which answers a constant', run: () => measure(hello, call), says: () => `${ratio('js', 'call')} × ours` },
    ...(goHello ? [{ key: 'go', name: 'grpc-go, which answers a constant', run: () => measure(goHello, call), says: () => `${ratio('go', 'call')} × ours` }] : []),
    { key: 'hands', name: 'a TLS 1.3 handshake', run: () => shakeHands(tls), says: () => `${ratio('nginx', 'hands')} × as many a second as nginx`, goal: '≥ 0.9' },
    { key: 'nginx', name: "nginx's, with the same certificate", run: () => shakeHands(nginx) },
  ];
  for (const { key } of cases) samples.set(key, []);
  for (let round = -1; round < rounds; round++) {
    log(round < 0 ? 'warming up' : `round ${round + 1} of ${rounds}`);
    for (const { key, run } of cases) { const us = run(); if (round >= 0) samples.get(key).push(us); }
  }
  for (const server of [plain, tls, echo, nginx, hello, goHello]) if (server) await stop(server);

  const lines = cases.map(({ key, name, says, goal }) => `| ${name} | ${median(samples.get(key)).toFixed(1)} | ${says?.() ?? ''} | ${goal ?? ''} |`);
  const figures = ['| | CPU µs | ratio, in the same round | goal |', '|---|---|---|---|', ...lines, ''].join('\n');
  console.log(figures);
  if (process.env.DRY === undefined) replaceFigures('docs/bench.md', 'make bench BENCH=grpc', `\n${figures}\n`);
}

try { await main(); } finally { removeFiles(); }
process.exit(0);
