// squawk.test.mjs - migrations for PostgreSQL as squawk sees them, the linter that others use for theirs: each kind of change, forwards and
// back. It reads them as `migrate apply` runs them: in pieces, with timeouts set.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, removeFolder, root, run } from '../support/server.mjs';

const squawk = path.join(root, 'build-test/python/bin/squawk');
// It comes as a program, for some kinds of machine.
const skip = spawnSync(squawk, ['--version']).status === 0 ? false : 'squawk cannot be had for this machine';

// What is not asked for, and why.
const off = {
  'ban-drop-constraint': 'one goes that the contract has no more, or gives way to its successor in the same transaction, or was there for SET NOT NULL alone',
  'prefer-robust-stmts': 'IF NOT EXISTS would take what is there for what is meant: the ledger says which piece is done, and a build that was cut short is cleared away in the statement before',
  'prefer-bigint-over-int': 'Int is a number of 32 bits, in the contract as in GraphQL; who wants 64 writes BigInt',
};

let folder, postgres;
before(async () => { folder = makeFolder(); if (!skip) postgres = await startPostgres(); });
after(async () => { await postgres?.remove(); removeFolder(folder); });

// As migrate/script.c has it: CONCURRENTLY in no transaction, VALIDATE in one of its own, all others together.
function asRun(sql) {
  const statements = sql.match(/(?:\$caisson\$[^]*?\$caisson\$|[^;]|;(?!\n))+;?/g).map((part) => part.replace(/^--.*\n/gm, '').trim()).map((part) => part.replace(/;$/, '')).filter((part) => part !== '');
  const out = ["SET lock_timeout = '2s';", 'SET statement_timeout = 0;'];
  let isOpen = false;
  const close = () => { if (isOpen) out.push('COMMIT;'); isOpen = false; };
  for (const statement of statements) {
    if (/\bCONCURRENTLY\b|^DO /.test(statement)) { close(); out.push(`${statement};`); continue; }
    if (/\bVALIDATE\b/.test(statement)) { close(); out.push('BEGIN;', `${statement};`, 'COMMIT;'); continue; }
    if (!isOpen) out.push('BEGIN;');
    isOpen = true;
    out.push(`${statement};`);
  }
  close();
  return out.join('\n');
}

// The rules that it breaks, each once, in the alphabet's order.
function rulesOf(sql) {
  const text = asRun(sql);
  const result = spawnSync(squawk, ['--reporter', 'json', '--pg-version', '14.0', '--exclude', Object.keys(off).join(','), '--stdin-filepath', 'up.sql'], { input: text, encoding: 'utf8' });
  assert.ifError(result.error);
  const found = JSON.parse(result.stdout);
  assert.ok(!found.some((problem) => problem.rule_name === 'syntax-error'), `${result.stdout}\n${text}`);
  return [...new Set(found.map((problem) => problem.rule_name))].sort();
}

const open = '@access(read: "true", write: "true")';
const contractOf = (fields, { head = '', kinds = 'A B', more = '' } = {}) => `extend schema @service(name: "shop", version: "v1")
enum Kind { ${kinds} }
type Shelf @resource ${open} { id: ID! }
type Thing @resource ${head} ${open} {
  id: ID!
  kind: Kind
  ${fields.join('\n  ')}
}
${more}`;

const basis = ['name: String', 'size: Int'];
// `up`, `down`: rules that the change itself breaks, however it is made. They are what --expand and --contract are for (below).
const changes = [
  { name: 'everything, from nothing', from: null, to: contractOf(basis), down: ['ban-drop-table'] },
  { name: 'a table with keys of every kind', to: contractOf(basis, { more: `type Box @resource ${open} @unique(fields: ["label", "kind"]) @index(fields: ["label desc"]) @search(fields: ["label"]) { id: ID! label: String! @unique kind: Kind! shelf: Shelf! thing: Thing @relation(onDelete: CASCADE) price: Decimal! at: DateTime! tags: [String!]! data: JSON }` }), down: ['ban-drop-table'] },
  { name: 'an optional column', to: contractOf([...basis, 'note: String']), down: ['ban-drop-column'] },
  { name: 'a required column with a default', to: contractOf([...basis, 'stock: BigInt! @default(value: 0)']), down: ['ban-drop-column'] },
  { name: 'a column with a reference', to: contractOf([...basis, 'shelf: Shelf']), down: ['ban-drop-column'] },
  { name: 'a field becomes required', to: contractOf(['name: String!', 'size: Int']), down: ['ban-drop-not-null'] },
  { name: 'a field becomes unique', to: contractOf(['name: String @unique', 'size: Int']) },
  { name: 'an enum grows', to: contractOf(basis, { kinds: 'A B C' }) },
  { name: 'an index', to: contractOf(basis, { head: '@index(fields: ["name", "size desc"])' }) },
  { name: 'a search', to: contractOf(basis, { head: '@search(fields: ["name"])' }) },
  { name: 'another rule of deletion', from: contractOf([...basis, 'shelf: Shelf']), to: contractOf([...basis, 'shelf: Shelf @relation(onDelete: SET_NULL)']) },
  { name: 'a field is renamed', to: contractOf(['title: String @renamed(from: "name")', 'size: Int']), up: ['renaming-column'], down: ['renaming-column'] },
  { name: 'a type is renamed', to: contractOf(basis, { more: '' }).replace('type Shelf @resource', 'type Rack @resource @renamed(from: "Shelf")'), up: ['renaming-table'], down: ['renaming-table'] },
  { name: 'another type', to: contractOf(['name: String', 'size: BigInt']), up: ['changing-column-type'], down: ['changing-column-type'] },
  { name: 'a field goes', to: contractOf(['name: String']), up: ['ban-drop-column'] },
];

for (const [at, { name, from = contractOf(basis), to, up = [], down = [] }] of changes.entries()) {
  test(`${name}: no rule is broken but by what the contract itself asks for`, { skip }, () => {
    const place = path.join(folder, `change-${at}`);
    fs.mkdirSync(place);
    for (const [number, contract] of [from, to].entries()) {
      if (contract === null) continue;
      const file = path.join(place, `${number}.graphql`);
      fs.writeFileSync(file, contract);
      const made = run(['migrate', 'new', file, `step${number}`, '--store', 'postgresql://nowhere'], { cwd: place });
      assert.equal(made.status, 0, made.stderr);
    }
    const last = path.join(place, 'migrations', fs.readdirSync(path.join(place, 'migrations')).sort().at(-1));
    const read = (file) => fs.readFileSync(path.join(last, file), 'utf8');
    assert.deepEqual(rulesOf(read('up.sql')), up, read('up.sql'));
    assert.deepEqual(rulesOf(read('down.sql')), down, read('down.sql'));
  });
}

test('--expand breaks none for a renamed field, another type, a field that goes, but that a trigger takes the place of defaults', { skip, timeout: 60000 }, () => {
  const url = postgres.url(postgres.createDatabase());
  const migrate = (action, contract, ...options) => {
    const file = path.join(folder, 'phases.graphql');
    fs.writeFileSync(file, contract);
    const result = run(['migrate', action, file, '--store', url, '--dir', path.join(folder, 'none'), ...options], { cwd: folder });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout;
  };
  migrate('apply', contractOf([...basis, 'old: String', 'price: Int']));
  const sql = migrate('plan', contractOf(['title: String @renamed(from: "name")', 'size: Int', 'price: Decimal @column(name: "price_exact") @renamed(from: "price")']), '--expand');
  assert.match(sql, /CREATE TRIGGER|CREATE OR REPLACE TRIGGER/);
  assert.deepEqual(rulesOf(sql), ['ban-drop-default'], sql);
});
