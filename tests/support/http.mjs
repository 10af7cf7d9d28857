// http.mjs - a small HTTP/1.1 client over a bare socket: what is sent is exactly what the test says, which ready-made clients don't allow.
import net from 'node:net';

export function connect(port, host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

function parseHead(text) {
  const [statusLine, ...lines] = text.split('\r\n');
  const match = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine);
  if (!match) throw new Error(`not a status line: ${statusLine}`);
  const headers = new Map();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new Error(`not a header: ${line}`);
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  return { status: Number(match[1]), headers };
}

// Returns { body, rest } or null while the chunks are not all there.
function parseChunked(bytes) {
  const parts = [];
  let at = 0;
  for (;;) {
    const end = bytes.indexOf('\r\n', at);
    if (end < 0) return null;
    const size = Number.parseInt(bytes.subarray(at, end).toString('latin1'), 16);
    if (Number.isNaN(size)) throw new Error('not a chunk size');
    if (bytes.length < end + 2 + size + 2) return null;
    if (size === 0) return { body: Buffer.concat(parts), rest: bytes.subarray(end + 4) };
    parts.push(bytes.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}

// Takes one response from the front of `bytes`; null while it is incomplete. `isClosed`: nothing more will come.
export function parseResponse(bytes, method, isClosed) {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const { status, headers } = parseHead(bytes.subarray(0, headEnd).toString('latin1'));
  const after = bytes.subarray(headEnd + 4);
  const make = (body, rest) => ({ status, headers, body, rest, text: body.toString('utf8') });
  if (method === 'HEAD' || status === 204 || status === 304 || status < 200) return make(Buffer.alloc(0), after);
  if ((headers.get('transfer-encoding') ?? '') === 'chunked') {
    const chunked = parseChunked(after);
    return chunked && make(chunked.body, chunked.rest);
  }
  if (headers.has('content-length')) {
    const length = Number(headers.get('content-length'));
    return after.length < length ? null : make(after.subarray(0, length), after.subarray(length));
  }
  return isClosed ? make(after, Buffer.alloc(0)) : null;
}

// All at once, or so many bytes at a time that each is likely to arrive alone.
async function sendPieces(socket, bytes, pieceBytes) {
  if (pieceBytes === 0) return void socket.write(bytes);
  for (let at = 0; at < bytes.length && !socket.destroyed; at += pieceBytes) {
    socket.write(bytes.slice(at, at + pieceBytes));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

// Sends raw bytes on a connection of their own and reads until the server closes, or `count` final responses are there, or time is over.
export async function exchangeRaw(port, bytes, { methods = ['GET'], timeoutMs = 10000, pieceBytes = 0 } = {}) {
  const socket = await connect(port);
  const responses = [];
  let received = Buffer.alloc(0);
  let isClosed = false;
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs} ms; received so far: ${received.toString('latin1').slice(0, 500)}`)), timeoutMs);
    const finish = () => { clearTimeout(timer); resolve(); };
    const take = () => {
      try {
        while (responses.filter((r) => r.status >= 200).length < methods.length) {
          const method = methods[responses.filter((r) => r.status >= 200).length];
          const response = parseResponse(received, method, isClosed);
          if (!response) return;
          received = response.rest;
          responses.push(response);
        }
        finish();
      } catch (error) { clearTimeout(timer); reject(error); }
    };
    socket.on('data', (data) => { received = Buffer.concat([received, data]); take(); });
    socket.on('close', () => { isClosed = true; take(); finish(); });
    socket.on('error', () => {}); // A reset after an early answer is the server's right; 'close' follows.
    sendPieces(socket, bytes, pieceBytes);
  });
  const wasClosed = await new Promise((resolve) => {
    if (isClosed) return resolve(true);
    const timer = setTimeout(() => resolve(false), 300);
    socket.once('close', () => { clearTimeout(timer); resolve(true); });
  });
  socket.destroy();
  return { responses, isClosed: wasClosed, rest: received };
}

// One keep-alive connection on which requests go one after another; reconnects where the server closed it.
export class Client {
  constructor(port, host = '127.0.0.1') { this.port = port; this.host = host; }

  async #open() {
    this.socket = await connect(this.port, this.host);
    this.received = Buffer.alloc(0);
    this.isClosed = false;
    this.socket.on('data', (data) => { this.received = Buffer.concat([this.received, data]); this.wake?.(); });
    this.socket.on('close', () => { this.isClosed = true; this.wake?.(); });
    this.socket.on('error', () => {});
  }

  async request(method, target, { headers = {}, body = null, timeoutMs = 20000 } = {}) {
    if (!this.socket || this.isClosed) await this.#open();
    const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
    const bytes = body === null ? null : Buffer.isBuffer(body) ? body : Buffer.from(body);
    let head = `${method} ${target} HTTP/1.1\r\n`;
    if (!given.has('host')) head += `Host: 127.0.0.1:${this.port}\r\n`;
    for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
    if (bytes !== null && !given.has('content-length') && !given.has('transfer-encoding')) head += `Content-Length: ${bytes.length}\r\n`;
    this.socket.write(Buffer.concat([Buffer.from(`${head}\r\n`, 'utf8'), bytes ?? Buffer.alloc(0)]));
    return this.#receive(method, target, timeoutMs);
  }

  async #receive(method, target, timeoutMs) {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const response = parseResponse(this.received, method, this.isClosed);
      if (response) {
        this.received = response.rest;
        if (response.status < 200) continue;
        if ((response.headers.get('connection') ?? '').toLowerCase() === 'close') { this.socket.destroy(); this.isClosed = true; }
        return response;
      }
      if (this.isClosed) throw new Error(`${method} ${target}: the connection was closed without an answer`);
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${method} ${target}: no answer in ${timeoutMs} ms`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.wake = () => { clearTimeout(timer); resolve(); };
      });
    }
  }

  close() { this.socket?.destroy(); }
}
