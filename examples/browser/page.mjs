// page.mjs - a list and its changes in a browser, by nothing but fetch: Connect's unary calls are JSON over POST, its streams are JSON in
// envelopes of five bytes (flags and a length).
const at = (id) => document.getElementById(id);

const headers = () => (at('token').value ? { authorization: `Bearer ${at('token').value}` } : {});
const url = (method) => `${at('server').value}/${at('service').value}/${method}`;

// What is named after a row's type: ProductService has ListProducts and WatchProducts.
const names = () => {
  const row = at('service').value.split('.').at(-1).replace(/Service$/, '');
  const plural = /[^aeiou]y$/.test(row) ? row.replace(/y$/, 'ies') : /(s|x|ch|sh)$/.test(row) ? `${row}es` : `${row}s`;
  return { plural, item: row[0].toLowerCase() + row.slice(1), items: plural[0].toLowerCase() + plural.slice(1) };
};

class Refused extends Error {}

async function call(method, message) {
  const response = await fetch(url(method), { method: 'POST', headers: { 'content-type': 'application/json', ...headers() }, body: JSON.stringify(message) });
  const answer = await response.json();
  if (!response.ok) throw new Refused(`${answer.code}: ${answer.message}`);
  return answer;
}

const envelope = (message) => {
  const bytes = new TextEncoder().encode(JSON.stringify(message));
  const framed = new Uint8Array(5 + bytes.length);
  new DataView(framed.buffer).setUint32(1, bytes.length);
  framed.set(bytes, 5);
  return framed;
};

// The answer's messages one by one; its last envelope says how it ended.
async function* stream(method, message, signal) {
  const response = await fetch(url(method), { method: 'POST', headers: { 'content-type': 'application/connect+json', ...headers() }, body: envelope(message), signal });
  let bytes = new Uint8Array(0);
  for (const reader = response.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) return;
    const all = new Uint8Array(bytes.length + value.length);
    all.set(bytes);
    all.set(value, bytes.length);
    bytes = all;
    while (bytes.length >= 5) {
      const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
      if (bytes.length < 5 + length) break;
      const came = JSON.parse(new TextDecoder().decode(bytes.subarray(5, 5 + length)));
      const isEnd = (bytes[0] & 2) !== 0;
      bytes = bytes.slice(5 + length);
      if (isEnd && came.error) throw new Refused(`${came.error.code}: ${came.error.message}`);
      if (isEnd) return;
      yield came;
    }
  }
}

// ---- The table ----

const rows = new Map();

function show() {
  const columns = [...new Set([...rows.values()].flatMap((row) => Object.keys(row)))];
  const line = (cells, tag) => {
    const tr = document.createElement('tr');
    for (const cell of cells) tr.appendChild(document.createElement(tag)).textContent = cell ?? '';
    return tr;
  };
  document.querySelector('thead').replaceChildren(line(columns, 'th'));
  document.querySelector('tbody').replaceChildren(...[...rows.values()].map((row) => line(columns.map((name) => (typeof row[name] === 'object' ? JSON.stringify(row[name]) : row[name])), 'td')));
}

async function run(signal) {
  const { plural, item, items } = names();
  const filter = at('filter').value;
  rows.clear();
  for (const row of (await call(`List${plural}`, { filter, pageSize: 100 }))[items] ?? []) rows.set(row.id, row);
  show();
  for await (const change of stream(`Watch${plural}`, { filter }, signal)) {
    const row = change[item];
    if (change.kind === 'KIND_DELETED' || change.kind === 'KIND_REMOVED') rows.delete(row.id);
    else rows.set(row.id, row);
    show();
  }
}

let running = new AbortController();
document.querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  running.abort();
  running = new AbortController();
  const { signal } = running;
  at('refusal').textContent = '';
  try {
    await run(signal);
  } catch (error) {
    if (signal.aborted) return;
    rows.clear();
    show();
    at('refusal').textContent = error instanceof Refused ? error.message : `${error}`;
  }
});
