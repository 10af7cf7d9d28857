// wire.mjs - one connection on which several requests wait for their answers at once, in order (HTTP/1.1 pipelining).
import { connect, parseResponse } from '../support/http.mjs';

export class Wire {
  constructor(port) { this.port = port; this.waiting = []; this.pieces = []; this.received = Buffer.alloc(0); this.isOpen = false; }

  async open() {
    this.socket = await connect(this.port);
    this.isOpen = true;
    this.received = Buffer.alloc(0);
    this.socket.on('data', (data) => { this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]); this.take(false); });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.isOpen = false;
      this.take(true);
      for (const { reject, name } of this.waiting.splice(0)) reject(new Error(`${name}: the connection was closed without an answer`));
    });
  }

  take(isClosed) {
    while (this.waiting.length > 0) {
      const response = parseResponse(this.received, this.waiting[0].method, isClosed);
      if (!response) return;
      this.received = response.rest;
      if (response.status < 200) continue;
      const { resolve, timer } = this.waiting.shift();
      clearTimeout(timer);
      resolve({ status: response.status, headers: response.headers, text: response.text });
    }
  }

  async send({ method, target, headers = {}, body = null }, timeoutMs = 60000) {
    if (!this.isOpen) await this.open();
    const bytes = body === null ? Buffer.alloc(0) : Buffer.from(body);
    const lines = [`${method} ${target} HTTP/1.1`, 'Host: differ', ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), ...(body === null ? [] : [`Content-Length: ${bytes.length}`])];
    return new Promise((resolve, reject) => {
      const name = `${method} ${target}`;
      const timer = setTimeout(() => reject(new Error(`${name}: no answer in ${timeoutMs} ms`)), timeoutMs);
      this.waiting.push({ method, name, resolve, reject, timer });
      this.socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), bytes]));
    });
  }

  // As tests/support/http.mjs' Client is asked.
  request(method, target, { headers, body }) { return this.send({ method, target, headers, body }); }

  close() { this.socket?.destroy(); }
}
