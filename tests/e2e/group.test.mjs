// group.test.mjs - writes that meet in one transaction: those that fail after having changed something leave nothing behind, and the others
// are all there, each answered for itself.
import assert from 'node:assert';
import { test } from 'node:test';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "ledger")
type Entry @resource @access(read: "true", write: "amount < 1000") {
  code: String! @id
  amount: Int!
}
`;
const clients = 24;
const writesOfEach = 40;

const json = (body, headers = {}) => ({ headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
const entry = (code, amount = 1) => ({ code, amount });

// What each client sends in turn: the request, and the status that it must get.
const kinds = [
  (code) => [json(entry(code)), 201],
  (code) => [json([entry(code), entry(`${code}-second`)]), 201],
  (code) => [json([entry(code), entry('taken')]), 409],          // the first is stored when the second fails
  (code) => [json(entry('taken')), 409],                         // fails with nothing stored
  (code) => [json([entry(code), entry(`${code}-second`, 1000)]), 401], // the second is refused by its rule
  (code) => [json(entry(code), { Prefer: 'tx=rollback' }), 201], // succeeds, and is not kept
];

async function write(server, number, expected) {
  const client = server.client();
  for (let i = 0; i < writesOfEach; i++) {
    // At first nothing fails, then more and more of it.
    const kind = i < 8 ? 0 : (number + i) % kinds.length;
    const code = `c${number}-${i}`;
    const [options, status] = kinds[kind](code);
    const answer = await client.request('POST', '/v1/entries', options);
    assert.equal(answer.status, status, `${code}, kind ${kind}: ${answer.text}`);
    if (kind <= 1) expected.push(code);
    if (kind === 1) expected.push(`${code}-second`);
  }
  client.close();
}

async function readCodes(server) {
  const client = server.client();
  const codes = [];
  for (let after = ''; after !== null;) {
    const page = await client.request('GET', `/v1/entries?limit=100&fields=code${after}`);
    assert.equal(page.status, 200, page.text);
    const { items, nextCursor } = JSON.parse(page.text);
    codes.push(...items.map(({ code }) => code));
    after = nextCursor === null ? null : `&after=${encodeURIComponent(nextCursor)}`;
  }
  client.close();
  return codes;
}

test('writes of one group that fail leave nothing behind, and take no other with them', { timeout: 120000 }, async () => {
  const folder = makeFolder();
  let server;
  try {
    server = await startServer({ contract, folder });
    const expected = ['taken'];
    const first = server.client();
    assert.equal((await first.request('POST', '/v1/entries', json(entry('taken')))).status, 201);
    first.close();
    await Promise.all(Array.from({ length: clients }, (_, number) => write(server, number, expected)));
    assert.deepEqual(await readCodes(server), expected.sort());
  } finally {
    await server?.stop();
    removeFolder(folder);
  }
});
