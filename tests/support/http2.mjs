// http2.mjs - HTTP/2 from both ends of the ladder: Node's client with promises, and single frames for what no client would send.
import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';

export class Http2Client {
  constructor(url, options = {}) {
    this.session = http2.connect(url, options);
    this.session.on('error', (error) => { this.error = error; });
    this.goaway = null;
    this.session.on('goaway', (code) => { this.goaway ??= code; });
    this.closed = new Promise((resolve) => this.session.once('close', resolve));
  }

  // Opens a stream without ending it.
  open(method, target, headers = {}, options = {}) {
    return this.session.request({ ':method': method, ':path': target, ...headers }, { endStream: false, ...options });
  }

  async request(method, target, { headers = {}, body = null } = {}) {
    const stream = this.open(method, target, headers, { endStream: body === null });
    if (body !== null) stream.end(body);
    return answerOf(stream);
  }

  close() { this.session.destroy(); }
}

export function answerOf(stream) {
  return new Promise((resolve, reject) => {
    let headers = null;
    const parts = [];
    stream.on('response', (received) => { headers = received; });
    stream.on('data', (part) => parts.push(part));
    stream.once('error', reject);
    stream.once('close', () => {
      if (headers === null) { reject(new Error(`no answer; the stream was closed with ${stream.rstCode}`)); return; }
      resolve({ status: headers[':status'], headers, text: Buffer.concat(parts).toString(), code: stream.rstCode });
    });
  });
}

export const DATA = 0, HEADERS = 1, PRIORITY = 2, RST_STREAM = 3, SETTINGS = 4, PING = 6, GOAWAY = 7, WINDOW_UPDATE = 8, CONTINUATION = 9;
export const END_STREAM = 1, ACK = 1, END_HEADERS = 4;
export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export function frame(type, flags, stream, payload = Buffer.alloc(0)) {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

// RFC 7541 §5.1.
function hpackInteger(first, bits, value) {
  const max = (1 << bits) - 1;
  if (value < max) return Buffer.from([first | value]);
  const bytes = [first | max];
  for (value -= max; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  bytes.push(value);
  return Buffer.from(bytes);
}

const hpackText = (text) => Buffer.concat([hpackInteger(0, 7, Buffer.byteLength(text)), Buffer.from(text)]);
// A field as a literal; `indexed`: the decoder is to keep it (RFC 7541 §6.2.1).
export const field = (name, value, indexed = false) => Buffer.concat([Buffer.from([indexed ? 0x40 : 0]), hpackText(name), hpackText(value)]);
export const requestFields = (method, target) => Buffer.concat([[':method', method], [':scheme', 'http'], [':path', target], [':authority', 'x']].map(([name, value]) => field(name, value)));
export const setting = (id, value) => { const bytes = Buffer.alloc(6); bytes.writeUInt16BE(id, 0); bytes.writeUInt32BE(value, 2); return bytes; };
export const uint32 = (value) => { const bytes = Buffer.alloc(4); bytes.writeUInt32BE(value); return bytes; };

// A connection that has sent its preface and settings; `frames` are those received, `goaway` the code of the last GOAWAY.
export class FrameClient {
  constructor(port, settings = Buffer.alloc(0)) {
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.frames = [];
    this.goaway = null;
    this.isClosed = false;
    this.closed = once(this.socket, 'close').then(() => { this.isClosed = true; });
    let rest = Buffer.alloc(0);
    this.socket.on('data', (data) => {
      rest = Buffer.concat([rest, data]);
      while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
        const length = rest.readUIntBE(0, 3);
        const received = { type: rest[3], flags: rest[4], stream: rest.readUInt32BE(5) & 0x7fffffff, payload: rest.subarray(9, 9 + length) };
        if (received.type === GOAWAY) this.goaway = received.payload.readUInt32BE(4);
        if (this.frames.length < 10000) this.frames.push(received);
        rest = rest.subarray(9 + length);
      }
    });
    this.write(preface, frame(SETTINGS, 0, 0, settings));
  }

  write(...parts) { if (!this.socket.destroyed) this.socket.write(Buffer.concat(parts)); }

  // Writes what the system takes, and waits where it takes no more; false when the connection is gone.
  async pour(bytes) {
    if (this.isClosed || this.socket.destroyed) return false;
    if (!this.socket.write(bytes)) await Promise.race([once(this.socket, 'drain').catch(() => {}), this.closed]);
    else await new Promise(setImmediate);
    return !this.isClosed && !this.socket.destroyed;
  }

  close() { this.socket.destroy(); }
}
