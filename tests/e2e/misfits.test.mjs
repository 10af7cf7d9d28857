// misfits.test.mjs - values of a database that others made which don't fit the contract's types: an error that names the column and the
// row's key, whether the key is asked for or not, and never a wrong value (INTERFACE §2).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "old")
enum State { NEW USED }
type Part @resource @access(read: "true", write: "true") {
  code: String! @id
  number: Int! @id
  day: Date @column(type: "date")
  at: DateTime @column(type: "timestamp")
  price: Decimal @column(type: "numeric")
  size: Int @column(type: "bigint")
  card: UUID @column(type: "text")
  state: State @column(type: "text")
  notes: JSON @column(type: "text")
}
`;
const misfits = {
  day: { sqlite: "'soon'", postgresql: "'infinity'", type: 'Date' },
  at: { sqlite: "'20000-01-01 00:00:00'", postgresql: "'20000-01-01'", type: 'DateTime' },
  price: { sqlite: '1e50', postgresql: "'NaN'", type: 'Decimal' },
  size: { sqlite: '5000000000', postgresql: '5000000000', type: 'Int' },
  card: { sqlite: "'none'", postgresql: "'none'", type: 'UUID' },
  state: { sqlite: "'OLD'", postgresql: "'OLD'", type: 'State' },
  notes: { sqlite: "'{bad'", postgresql: "'{bad'", type: 'JSON' },
};
const statements = (kind) => [
  `CREATE TABLE parts (code text ${kind === 'postgresql' ? 'COLLATE "C" ' : ''}NOT NULL, number int NOT NULL, day date, at timestamp, price numeric, size bigint, card text, state text, notes text, PRIMARY KEY (code, number));`,
  ...Object.entries(misfits).map(([column, misfit], i) => `INSERT INTO parts (code, number, ${column}) VALUES ('${column}', ${i}, ${misfit[kind]});`),
].join('\n');

let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); });

const stores = {
  sqlite: (folder) => {
    const file = path.join(folder, 'old.db');
    execFileSync('sqlite3', [file, statements('sqlite')]);
    return `sqlite:${file}`;
  },
  postgresql: () => {
    const database = postgres.createDatabase();
    postgres.query(statements('postgresql'), database);
    return postgres.url(database);
  },
};

for (const [kind, make] of Object.entries(stores)) {
  describe(`values that don't fit their types, ${kind}`, { timeout: 60000 }, () => {
    test('each is an error that names its column and its row', async (t) => {
      const folder = makeFolder();
      const server = await startServer({ contract, store: make(folder), folder, options: ['--no-migrate'] });
      const client = server.client();
      t.after(async () => { client.close(); await server.stop(); removeFolder(folder); });
      for (const [i, [column, { type }]] of Object.entries(misfits).entries()) {
        const told = `the value stored in parts.${column} doesn't fit the type ${type}, in the row with the key ${column},${i}`;
        const refused = async (target, detail = told) => {
          const { status, text } = await client.request('GET', target);
          assert.deepEqual([status, JSON.parse(text).code, JSON.parse(text).detail], [500, 'INTERNAL', detail], target);
        };
        await refused(`/v1/parts/${column},${i}`);
        await refused(`/v1/parts?number=${i}`);
        await refused(`/v1/parts?number=${i}&fields=${column}`);
        await refused(`/v1/parts?number=${i}&fields=${column}&sort=-code`);
        await refused(`/v1/parts?number=${i}&fields=${column},code`);
        const query = { query: `{ parts(where: { number: { eq: ${i} } }) { nodes { ${column} } } }` };
        const answer = JSON.parse((await client.request('POST', '/graphql', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(query) })).text);
        assert.deepEqual([answer.data, answer.errors[0].message], [null, told]);
        assert.equal((await client.request('GET', `/v1/parts?number=${i}&fields=code,number`)).status, 200);
      }
    });
  });
}
