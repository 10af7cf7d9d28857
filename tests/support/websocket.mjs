// websocket.mjs - a WebSocket client over a bare socket (RFC 6455): frames are exactly what the test says, which ready-made clients don't allow.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import tls from 'node:tls';

export const TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10, FIN = 0x80;

// `first` is the frame's first byte: FIN, reserved bits, opcode. `length`: what the header says, when it is not the truth.
export function frame(first, payload = '', { mask = randomBytes(4), length } = {}) {
  const bytes = Buffer.from(payload);
  const said = length ?? bytes.length;
  const masked = mask ? 0x80 : 0;
  const head = said < 126 ? Buffer.from([first, masked | said]) : said < 65536 ? Buffer.from([first, masked | 126, said >> 8, said & 255]) : Buffer.alloc(10);
  if (said >= 65536) {
    head[0] = first;
    head[1] = masked | 127;
    head.writeBigUInt64BE(BigInt(said), 2);
  }
  if (mask) for (let i = 0; i < bytes.length; i++) bytes[i] ^= mask[i % 4];
  return Buffer.concat([head, mask ?? Buffer.alloc(0), bytes]);
}

// The first frame of `bytes` and the rest; null while it is not whole.
export const parseFrame = (bytes) => {
  if (bytes.length < 2) return null;
  let length = bytes[1] & 127, at = 2;
  if ((bytes[1] & 128) !== 0) throw new Error('a server must not mask');
  if (length === 126) { if (bytes.length < 4) return null; length = bytes.readUInt16BE(2); at = 4; } else if (length === 127) { if (bytes.length < 10) return null; length = Number(bytes.readBigUInt64BE(2)); at = 10; }
  if (bytes.length < at + length) return null;
  return { first: bytes[0], opcode: bytes[0] & 15, payload: bytes.subarray(at, at + length), rest: bytes.subarray(at + length) };
};

// Connects and shakes hands. `headers` replace (null: leave out) those of the handshake. Resolves with the raw head of the answer where it
// is no 101.
export async function openRaw(port, { path = '/graphql', protocol = 'graphql-transport-ws', headers = {}, tlsOptions, early = Buffer.alloc(0), timeoutMs = 20000, allowHalfOpen = false } = {}) {
  const options = { host: '127.0.0.1', port, allowHalfOpen, ...tlsOptions };
  const socket = await new Promise((resolve, reject) => {
    const made = tlsOptions ? tls.connect(options, () => resolve(made)) : net.connect({ ...options, noDelay: true }, () => resolve(made));
    made.once('error', reject);
  });
  socket.on('error', () => {});
  const all = { Host: `127.0.0.1:${port}`, Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version': '13', ...(protocol ? { 'Sec-WebSocket-Protocol': protocol } : {}), ...headers };
  const lines = Object.entries(all).filter(([, value]) => value !== null).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.write(Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\n${lines}\r\n`), early]));

  const ws = { socket, head: null, received: Buffer.alloc(0), frames: [], isEnded: false };
  let wake = () => {};
  const take = () => {
    if (ws.head === null) {
      const end = ws.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      ws.head = ws.received.subarray(0, end).toString('latin1');
      ws.received = ws.received.subarray(end + 4);
    }
    if (!ws.head.startsWith('HTTP/1.1 101')) return;
    for (let next; (next = parseFrame(ws.received)) !== null; ws.received = next.rest) ws.frames.push(next);
  };
  socket.on('data', (data) => { ws.received = Buffer.concat([ws.received, data]); take(); wake(); });
  socket.on('end', () => { ws.isEnded = true; wake(); });
  socket.on('close', () => { ws.isEnded = true; wake(); });
  const until = async (what, isThere) => {
    const deadline = Date.now() + timeoutMs;
    while (!isThere()) {
      if (ws.isEnded) throw new Error(`the connection ended before ${what}: ${ws.head}`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no ${what} in ${timeoutMs} ms`);
      await new Promise((resolve) => { const timer = setTimeout(resolve, left); wake = () => { clearTimeout(timer); resolve(); }; });
    }
  };
  await until('head', () => ws.head !== null);
  ws.status = Number(ws.head.slice(9, 12));
  ws.send = (bytes) => socket.write(bytes);
  ws.text = (value) => socket.write(frame(FIN | TEXT, typeof value === 'string' ? value : JSON.stringify(value)));
  ws.next = async () => { await until('frame', () => ws.frames.length > 0); return ws.frames.shift(); };
  // The next message that is no ping.
  ws.message = async () => {
    for (;;) {
      const { opcode, payload } = await ws.next();
      if (opcode === TEXT) return JSON.parse(payload.toString());
      if (opcode === CLOSE) throw new Error(`closed with ${payload.length >= 2 ? payload.readUInt16BE(0) : 'nothing'} ${payload.subarray(2)}`);
    }
  };
  ws.closed = async () => {
    for (;;) {
      const { opcode, payload } = await ws.next();
      if (opcode === CLOSE) return { code: payload.length >= 2 ? payload.readUInt16BE(0) : 1005, reason: payload.subarray(2).toString() };
    }
  };
  ws.ended = async () => {
    const deadline = Date.now() + timeoutMs;
    while (!ws.isEnded) {
      if (Date.now() > deadline) throw new Error(`not ended in ${timeoutMs} ms`);
      await new Promise((resolve) => { const timer = setTimeout(resolve, 1000); wake = () => { clearTimeout(timer); resolve(); }; });
    }
  };
  ws.init = async (payload) => { ws.text({ type: 'connection_init', ...(payload ? { payload } : {}) }); return ws.message(); };
  ws.destroy = () => socket.destroy();
  return ws;
}
