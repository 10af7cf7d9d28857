// load.mjs - load for tests, over bare sockets: one request in flight a connection, in a closed loop or in an open one. What is measured is
// counted by status, with the latencies of each in milliseconds.
import { connect } from './http.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export function percentile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.floor((sorted.length - 1) * part)];
}

// Bytes of the first answer in `text` (latin1), or 0 while it is not whole.
function answerLength(text) {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return 0;
  const length = /\r\ncontent-length: (\d+)/i.exec(text.slice(0, end));
  const whole = end + 4 + (length ? Number(length[1]) : 0);
  return text.length < whole ? 0 : whole;
}

class LoadConnection {
  static async open(port) {
    const connection = new LoadConnection();
    connection.socket = await connect(port);
    connection.received = '';
    connection.socket.setEncoding('latin1');
    connection.socket.on('data', (text) => connection.take(text));
    connection.socket.on('close', () => connection.finish?.(null));
    connection.socket.on('error', () => {});
    return connection;
  }

  take(text) {
    this.received += text;
    const length = answerLength(this.received);
    if (length === 0) return;
    const answer = this.received.slice(0, length);
    this.received = this.received.slice(length);
    this.finish(answer);
  }

  // The whole answer as text, or null where the connection was closed.
  ask(request) {
    return new Promise((resolve) => {
      this.finish = (answer) => { this.finish = null; resolve(answer); };
      this.socket.write(request);
    });
  }
}

function makeTally() {
  return { statuses: new Map(), samples: new Map(), seconds: 0 };
}

function note(tally, answer, ms) {
  const status = answer === null ? 0 : Number(answer.slice(9, 12));
  if (!tally.statuses.has(status)) { tally.statuses.set(status, []); tally.samples.set(status, answer); }
  tally.statuses.get(status).push(ms);
}

const openAll = (port, count) => Promise.all(Array.from({ length: count }, () => LoadConnection.open(port)));

// Each connection asks again as soon as it is answered. `request`: a function that makes the text.
export async function closedLoop(port, request, { connections, seconds }) {
  const tally = makeTally();
  const all = await openAll(port, connections);
  const begin = performance.now(), end = begin + seconds * 1000;
  await Promise.all(all.map(async (connection) => {
    while (performance.now() < end) {
      const sent = performance.now();
      const answer = await connection.ask(request());
      note(tally, answer, performance.now() - sent);
      if (answer === null) return;
    }
  }));
  tally.seconds = (performance.now() - begin) / 1000;
  for (const { socket } of all) socket.destroy();
  return tally;
}

// Requests are due at `rate`, whatever the answers do; one that finds none of `connections` free is not sent. Latencies count from when it
// was due.
export async function openLoop(port, request, { connections, rate, seconds }) {
  const tally = makeTally();
  tally.unsent = 0;
  const all = await openAll(port, connections);
  const free = [...all];
  const pending = new Set();
  const begin = performance.now(), count = Math.floor(rate * seconds);
  const send = (connection, due) => {
    const asked = connection.ask(request()).then((answer) => {
      note(tally, answer, performance.now() - due);
      if (answer !== null) free.push(connection);
      pending.delete(asked);
    });
    pending.add(asked);
  };
  for (let i = 0; i < count;) {
    for (; i < count && begin + (i * 1000) / rate <= performance.now(); i++) {
      if (free.length > 0) send(free.pop(), begin + (i * 1000) / rate);
      else tally.unsent++;
    }
    await sleep(1);
  }
  await Promise.all(pending);
  tally.seconds = (performance.now() - begin) / 1000;
  for (const { socket } of all) socket.destroy();
  return tally;
}

export const rateOf = (tally, status) => (tally.statuses.get(status)?.length ?? 0) / tally.seconds;
