// start-tables.test.mjs - what a start does about tables, on both stores: what it adds, what it leaves, what it refuses and in which words.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, run, secret, startServer } from '../support/server.mjs';

const open = '@access(read: "true", write: "true")';
const contractOf = ({ kinds = 'A B', fields = '', more = '', onDelete = 'RESTRICT' } = {}) => `extend schema @service(name: "shop", version: "v1")
enum Kind { ${kinds} }
type Shelf @resource ${open} { id: Int! @id }
type Thing @resource ${open} {
  id: Int! @id
  name: String!
  kind: Kind!
  shelf: Shelf @relation(onDelete: ${onDelete})
  ${fields}
}
${more}`;

let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); });

const stores = {
  sqlite: (folder) => {
    const file = path.join(folder, 'shop.db');
    const sql = (text) => execFileSync('sqlite3', ['-list', '-separator', '|', file, text], { encoding: 'utf8' }).trim();
    return { url: `sqlite:${file}`, sql, indexes: () => sql("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL ORDER BY 1") };
  },
  postgresql: () => {
    const database = postgres.createDatabase();
    const sql = (text) => postgres.query(text, database).map((row) => row.join('|')).join('\n');
    return { url: postgres.url(database), sql, indexes: () => sql("SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE 'caisson%' ORDER BY 1") };
  },
};

for (const [kind, make] of Object.entries(stores)) {
  describe(`a start's tables, ${kind}`, { timeout: 120000 }, () => {
    // Each test: a folder, a database that the plain contract has made, and ways to start upon it.
    const on = async (t, work, first = contractOf()) => {
      const folder = makeFolder();
      t.after(() => removeFolder(folder));
      const store = make(folder);
      const starts = async (contract, options = ['--migrate'], use = () => {}) => {
        const server = await startServer({ contract, store: store.url, folder, options });
        try { await use(server); } finally { await server.stop(); }
      };
      const refuses = (contract, patterns, options = ['--migrate']) => {
        const file = path.join(folder, 'refused.graphql');
        fs.writeFileSync(file, contract);
        const result = run(['serve', file, '--listen', '127.0.0.1:0', '--store', store.url, ...options], { env: { ...process.env, CAISSON_JWT_SECRET: secret, CAISSON_LOG: 'off' }, cwd: folder });
        assert.equal(result.status, 1, result.stderr);
        for (const pattern of patterns) assert.match(result.stderr, pattern);
        return result.stderr;
      };
      if (first) await starts(first);
      await work({ ...store, starts, refuses, folder });
    };

    test('what is missing is added, also behind a look that found nothing to do', async (t) => on(t, async ({ sql, starts, refuses }) => {
      sql("INSERT INTO things (id, name, kind) VALUES (1, 'one', 'A')");
      const wider = contractOf({ fields: 'size: Int! @default(value: 3)\n note: String\n box: Box', more: `type Box @resource ${open} @index(fields: ["label desc"]) { id: Int! @id label: String! @unique }` });
      const said = refuses(wider, [/column things\.size is missing\n/, /table boxes is missing\n/, /index boxes_label_desc_index is missing\n/, /CREATE TABLE "boxes"/, /ADD COLUMN "size"/, /caisson serve CONTRACT --migrate/], ['--no-migrate']);
      assert.doesNotMatch(said, /can't be added/);
      assert.equal(sql('SELECT count(*) FROM things'), '1');
      await starts(wider);
      assert.equal(sql('SELECT size, box_id FROM things'), '3|');
      await starts(wider, ['--no-migrate']);
    }));

    test('what would lose, rewrite or guess is refused, each thing in a line, and nothing is changed', async (t) => on(t, async ({ sql, refuses, indexes }) => {
      const before = indexes();
      const other = contractOf({ fields: 'size: Int!\n extra: String', onDelete: 'CASCADE', more: `type Box @resource ${open} { id: Int! @id }` }).replace('name: String!', 'name: Int');
      refuses(other, [
        /column things\.name can't be made \w+ from \w+: add a field|column things\.name is of the type \w+, the contract wants \w+/,
        /column things\.name may not be null, in the contract it may\n/,
        /column things\.size is missing, and can't be added to the rows that are there: it is required and has no constant default\n/,
        /the foreign key of Thing\.shelf does something else when its target is deleted\n/,
        /column things\.extra is missing\n/, /table boxes is missing\n/,
        /caisson migrate plan CONTRACT/,
      ]);
      refuses(contractOf().replace(/type Shelf.*\n/, '').replace(/shelf:.*\n/, ''), [/column things\.shelf_id is not in the contract\n/, /table shelves is not in the contract\n/]);
      assert.equal(indexes(), before);
    }));

    test('rows that do not fit are counted and three of them named, and nothing is changed', async (t) => on(t, async ({ sql, refuses, indexes }) => {
      for (const id of [1, 2, 3, 4]) sql(`INSERT INTO things (id, name, kind) VALUES (${id}, 'same', 'A')`);
      const before = indexes();
      refuses(contractOf({ more: `type Box @resource ${open} { id: Int! @id }` }).replace('name: String!', 'name: String! @unique'),
        [/index things_name_unique is made, which is unique: 4 rows do not fit, such as 1, 2, 3\n/]);
      assert.equal(indexes(), before);
      assert.throws(() => sql('SELECT * FROM boxes'));
    }));

    test("an operator's indexes and views are left; one whose name an index of the contract needs is replaced", async (t) => on(t, async ({ sql, starts, refuses, indexes }) => {
      sql('CREATE VIEW cheap AS SELECT id FROM things');
      sql('CREATE INDEX by_hand ON things (name)');
      sql('CREATE INDEX things_name_index ON things (kind)');
      await starts(contractOf().replace('type Thing @resource', 'type Thing @resource @index(fields: ["name"])'));
      assert.match(indexes(), /by_hand[^]*things_name_index/);
      const definition = kind === 'sqlite' ? sql("SELECT sql FROM sqlite_schema WHERE name = 'things_name_index'") : sql("SELECT indexdef FROM pg_indexes WHERE indexname = 'things_name_index'");
      assert.match(definition, /\("?name"?\)/);
      await starts(contractOf());
      refuses(contractOf({ more: `type Cheap @resource(table: "cheap") ${open} { id: Int! @id }` }), [/cheap is a view/]);
    }));

    test('a unique index that the contract has not is refused: it would refuse what the contract allows', async (t) => on(t, async ({ sql, refuses }) => {
      sql('CREATE UNIQUE INDEX too_strict ON things (name)');
      refuses(contractOf(), [/the unique index too_strict is not in the contract\n/]);
    }));

    test('an enum may have its values in another order, and more of them; fewer are refused where the database holds them', async (t) => on(t, async ({ starts, refuses }) => {
      await starts(contractOf({ kinds: 'B A' }), ['--no-migrate']);
      await starts(contractOf({ kinds: 'A B C' }), ['--migrate'], async (server) => {
        const response = await fetch(`http://127.0.0.1:${server.port}/v1/things`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ id: 1, name: 'x', kind: 'C' }) });
        assert.equal(response.status, 201, await response.text());
      });
      if (kind === 'postgresql') refuses(contractOf({ kinds: 'A B' }), [/column things\.kind allows other values than the contract\n/]);
    }));
  });
}

test("tables of others in a schema that a contract names too are not the contract's to drop", { timeout: 60000 }, async (t) => {
  const folder = makeFolder();
  t.after(() => removeFolder(folder));
  const database = postgres.createDatabase();
  postgres.query('CREATE SCHEMA crm; CREATE TABLE crm.theirs (id int)', database);
  const contract = `extend schema @service(name: "shop", version: "v1")\ntype Client @resource(table: "crm.clients") ${open} { id: Int! @id }\n`;
  const file = path.join(folder, 'c.graphql');
  fs.writeFileSync(file, contract);
  const url = postgres.url(database);
  const server = await startServer({ contract, store: url, folder, options: ['--migrate'] });
  await server.stop();
  const again = await startServer({ contract, store: url, folder });
  await again.stop();
  for (const action of ['plan', 'apply']) {
    const result = run(['migrate', action, file, '--store', url], { cwd: folder });
    assert.equal(result.status, 0, result.stderr);
    assert.doesNotMatch(result.stdout, /theirs/);
  }
  assert.deepEqual(postgres.query('SELECT count(*) FROM crm.theirs', database), [['0']]);
});
