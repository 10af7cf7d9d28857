// foreign-rules.test.mjs - a database's own checks, types and triggers, of which the contract says nothing: what they refuse is the client's
// mistake (INTERFACE §3: 422 well-formed but invalid), never the server's failure, and the row stays as it was.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const contract = `
extend schema @service(name: "old")
type Part @resource @access(read: "true", write: "true") {
  code: String! @id
  weight: Int
  label: String @column(type: "varchar(5)")
  size: Int @column(type: "smallint")
  address: String @column(type: "inet")
}
`;

let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); });

const stores = {
  sqlite: {
    make: (folder) => {
      const file = path.join(folder, 'old.db');
      execFileSync('sqlite3', [file, `CREATE TABLE parts (code TEXT NOT NULL PRIMARY KEY, weight INTEGER CHECK (weight < 100), label varchar(5), size smallint, address inet);
        CREATE TRIGGER careful BEFORE INSERT ON parts WHEN NEW.code = 'cursed' BEGIN SELECT RAISE(ABORT, 'not this one'); END;
        CREATE TRIGGER kept BEFORE DELETE ON parts WHEN OLD.code = 'kept' BEGIN SELECT RAISE(ABORT, 'it stays'); END;`]);
      return `sqlite:${file}`;
    },
    refused: [{ code: 'x', weight: 100 }, { code: 'cursed' }],
  },
  postgresql: {
    make: () => {
      const database = postgres.createDatabase();
      postgres.query(`CREATE TABLE parts (code text COLLATE "C" PRIMARY KEY, weight integer CHECK (weight < 100), label varchar(5), size smallint, address inet);
        CREATE FUNCTION careful() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
        CREATE TRIGGER careful BEFORE INSERT ON parts FOR EACH ROW WHEN (NEW.code = 'cursed') EXECUTE FUNCTION careful();
        CREATE TRIGGER kept BEFORE DELETE ON parts FOR EACH ROW WHEN (OLD.code = 'kept') EXECUTE FUNCTION careful();`, database);
      return postgres.url(database);
    },
    refused: [{ code: 'x', weight: 100 }, { code: 'cursed' }, { code: 'x', label: 'too long' }, { code: 'x', size: 40000 }, { code: 'x', address: 'nowhere' }],
  },
};

for (const [kind, { make, refused }] of Object.entries(stores)) {
  describe(`a database's own rules, ${kind}`, { timeout: 60000 }, () => {
    test('what they refuse is a CHECK of its row: 422, and nothing is changed', async (t) => {
      const folder = makeFolder();
      const server = await startServer({ contract, store: make(folder), folder, options: ['--no-migrate'] });
      const client = server.client();
      t.after(async () => { client.close(); await server.stop(); removeFolder(folder); });
      const ask = async (method, target, body) => {
        const response = await client.request(method, target, body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
        return { status: response.status, answer: response.text === '' ? undefined : JSON.parse(response.text) };
      };
      assert.equal((await ask('POST', '/v1/parts', [{ code: 'a', weight: 1 }, { code: 'kept' }])).status, 201);
      for (const row of refused) {
        const { status, answer } = await ask('POST', '/v1/parts', row);
        assert.equal(status, 422, JSON.stringify(answer));
        assert.deepEqual([answer.code, answer.errors.map(({ pointer, code }) => [pointer, code])], ['VALIDATION_FAILED', [['', 'CHECK']]]);
        const { answer: second } = await ask('POST', '/v1/parts', [{ code: 'b' }, row]);
        assert.deepEqual(second.errors.map(({ pointer, code }) => [pointer, code]), [['/1', 'CHECK']]);
        const { code, ...change } = row;
        if (Object.keys(change).length === 0) continue;
        assert.equal((await ask('PATCH', '/v1/parts/a', change)).status, 422, code);
      }
      const { status, answer } = await ask('DELETE', '/v1/parts/kept');
      assert.deepEqual([status, answer.code], [409, 'CONFLICT']);
      assert.deepEqual((await ask('GET', '/v1/parts?fields=code,weight')).answer.items, [{ code: 'a', weight: 1 }, { code: 'kept', weight: null }]);
      const { answer: graphql } = await ask('POST', '/graphql', { query: 'mutation { updatePart(code: "a", input: { weight: 100 }) { code } }' });
      assert.deepEqual([graphql.errors[0].extensions.code, graphql.errors[0].extensions.errors[0].code], ['VALIDATION_FAILED', 'CHECK']);
    });
  });
}
