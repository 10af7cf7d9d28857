// watch.mjs - a client of server-sent events that keeps what comes, and lets a test wait for it.
import http from 'node:http';

function parseFrame(text) {
  const frame = { event: 'message', data: [], comment: false };
  for (const line of text.split('\n')) {
    if (line.startsWith(':')) { frame.comment = true; continue; }
    const colon = line.indexOf(':');
    const name = line.slice(0, colon), value = line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') frame.data.push(value);
    else frame[name] = value;
  }
  return frame;
}

// Resolves once the head and the first position are there: what is committed from then on is seen. A refusal resolves too, with `status` and
// `problem`.
export function openWatch({ port, socketPath }, path, { headers = {}, timeoutMs = 20000 } = {}) {
  const watch = { events: [], beats: 0, position: null, end: null, isClosed: false, status: 0, headers: {} };
  let waiting = [];
  const check = () => {
    waiting = waiting.filter((waiter) => !waiter.look());
  };
  watch.until = (predicate, what = 'an event', ms = timeoutMs) => new Promise((resolve, reject) => {
    const waiter = { look: () => {
      const found = predicate(watch);
      if (!found) return false;
      clearTimeout(waiter.timer);
      resolve(found);
      return true;
    } };
    waiter.timer = setTimeout(() => {
      waiting = waiting.filter((other) => other !== waiter);
      reject(new Error(`${what} has not come: ${JSON.stringify(watch.events).slice(0, 2000)} end ${JSON.stringify(watch.end)} closed ${watch.isClosed}`));
    }, ms);
    if (!waiter.look()) waiting.push(waiter);
  });
  watch.count = (n, ms) => watch.until(() => watch.events.length >= n, `event ${n}`, ms);
  watch.closed = (ms) => watch.until(() => watch.isClosed, 'the end', ms);
  return new Promise((resolve, reject) => {
    const request = http.request({ port, socketPath, path, headers: { accept: 'text/event-stream', ...headers }, agent: false }, (response) => {
      watch.status = response.statusCode;
      watch.headers = response.headers;
      watch.response = response;
      let text = '';
      response.setEncoding('utf8');
      const take = (frame) => {
        if (frame.id !== undefined) watch.position = frame.id;
        if (frame.comment) watch.beats++;
        if (frame.event === 'end') watch.end = JSON.parse(frame.data.join('\n'));
        else if (frame.data.length > 0) watch.events.push({ id: frame.id, event: frame.event, ...JSON.parse(frame.data.join('\n')) });
      };
      response.on('data', (piece) => {
        text += piece;
        for (let end; watch.status === 200 && (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) take(parseFrame(text.slice(0, end)));
        check();
        if (watch.position !== null) resolve(watch);
      });
      const closed = () => {
        watch.isClosed = true;
        if (watch.status !== 200) watch.problem = text === '' ? null : JSON.parse(text);
        check();
        resolve(watch);
      };
      response.on('end', closed);
      response.on('close', closed);
      response.on('error', closed);
    });
    watch.close = () => request.destroy();
    request.setTimeout(timeoutMs * 3, () => request.destroy(new Error('nothing came')));
    request.on('error', (error) => { watch.isClosed = true; check(); reject(error); });
    request.end();
  });
}
