// caisson migrate (INTERFACE.md §1), on both stores, with rows in the tables: each kind of change, the way back, and what is refused.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, program, removeFolder, run, startServer } from '../support/server.mjs';

const service = 'extend schema @service(name: "shop", version: "v1")\n';
const open = '@access(read: "true", write: "true")';
const thing = (fields, { head = '', enums = '' } = {}) => `${service}${enums}type Thing @resource ${head} ${open} {\n  id: Int! @id\n  ${fields.join('\n  ')}\n}\n`;
const plain = thing(['name: String!', 'size: BigInt', 'kind: String']);

let postgres;
before(async () => { postgres = await startPostgres(); });
after(async () => { await postgres.remove(); });

const stores = {
  sqlite: (folder) => `sqlite:${path.join(folder, 'shop.db')}`,
  postgresql: () => postgres.url(postgres.createDatabase()),
};

for (const [kind, urlOf] of Object.entries(stores)) {
  const inFolder = async (work) => {
    const folder = makeFolder();
    const url = urlOf(folder);
    let contracts = 0;
    const migrate = (action, contract, ...options) => {
      const file = path.join(folder, `contract-${++contracts}.graphql`);
      fs.writeFileSync(file, contract);
      const names = action === 'new' ? [`step${contracts}`] : [];
      return run(['migrate', action, file, ...names, '--store', url, ...options], { cwd: folder });
    };
    const done = (...args) => {
      const result = migrate(...args);
      assert.equal(result.status, 0, `${args[0]}: ${result.stderr}`);
      return result.stdout;
    };
    const refused = (pattern, ...args) => {
      const result = migrate(...args);
      assert.equal(result.status, 1, `${result.stdout}${result.stderr}`);
      assert.match(result.stderr, pattern);
      return result;
    };
    // Serves the contract without changing tables, so that it must fit them.
    const served = async (contract, talk) => {
      const server = await startServer({ contract, store: url, folder, options: ['--no-migrate'] });
      try {
        return await talk(async (method, target, body) => {
          const response = await fetch(`http://127.0.0.1:${server.port}/v1/${target}`,
            { method, headers: { authorization: `Bearer ${makeToken({ sub: 'a' })}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
          const text = await response.text();
          return { status: response.status, body: text === '' ? null : JSON.parse(text) };
        });
      } finally { await server.stop(); }
    };
    const insert = (contract, target, rows) => served(contract, async (ask) => {
      assert.equal((await ask('POST', target, rows)).status, 201);
    });
    const items = (contract, target) => served(contract, async (ask) => (await ask('GET', target)).body.items);
    try { await work({ folder, url, migrate, done, refused, served, insert, items }); } finally { removeFolder(folder); }
  };

  describe(`migrate, ${kind}`, () => {
    test('new, plan, apply, status, verify; the server starts on what they made', () => inFolder(async ({ folder, done, insert, items }) => {
      done('new', plain);
      const [name] = fs.readdirSync(path.join(folder, 'migrations'));
      assert.match(name, /^0001_/);
      assert.deepEqual(fs.readdirSync(path.join(folder, 'migrations', name)).sort(), ['contract.graphql', 'down.sql', 'up.sql']);
      assert.match(done('plan', plain), /CREATE TABLE "things"/);
      assert.match(done('status', plain), /pending +0001_/);
      assert.match(done('apply', plain), /applied 0001_/);
      assert.match(done('status', plain), /applied +0001_/);
      assert.equal(done('apply', plain), 'nothing is to be applied\n');
      assert.match(done('plan', plain), /nothing to do/);
      done('verify', plain);
      await insert(plain, 'things', [{ id: 1, name: 'a', size: '5' }]);
      assert.deepEqual(await items(plain, 'things'), [{ id: 1, name: 'a', size: '5', kind: null }]);
    }));

    test('renames keep the data, there and back; widening and additions are free', () => inFolder(async ({ done, insert, items }) => {
      done('new', plain);
      done('apply', plain);
      await insert(plain, 'things', [{ id: 1, name: 'a', size: '5', kind: 'k' }]);
      const next = `${service}type Article @resource @renamed(from: "Thing") @index(fields: ["title", "amount desc"]) ${open} {
        id: Int! @id
        title: String! @renamed(from: "name") @unique
        amount: Decimal @renamed(from: "size")
        kind: String
        level: Int! @default(value: 3)
        parent: Article
        children: [Article!]!
      }\n`;
      done('new', next);
      done('apply', next);
      done('verify', next);
      assert.deepEqual(await items(next, 'articles'), [{ id: 1, title: 'a', amount: '5', kind: 'k', level: 3, parentId: null }]);
      // The way back narrows.
      done('rollback', next, '--allow-destructive');
      assert.deepEqual(await items(plain, 'things'), [{ id: 1, name: 'a', size: '5', kind: 'k' }]);
      done('apply', next);
      assert.deepEqual(await items(next, 'articles'), [{ id: 1, title: 'a', amount: '5', kind: 'k', level: 3, parentId: null }]);
    }));

    test('what loses data needs --allow-destructive, and is told', () => inFolder(async ({ done, refused, insert, items }) => {
      done('new', plain);
      done('apply', plain);
      await insert(plain, 'things', [{ id: 1, name: 'a', kind: 'k' }, { id: 2, name: 'b', kind: 'l' }]);
      const less = thing(['name: String!', 'size: BigInt']);
      done('new', less);
      assert.match(done('plan', less), /DESTRUCTIVE/);
      refused(/things\.kind.*2 rows/s, 'apply', less);
      assert.equal((await items(plain, 'things')).length, 2);
      done('apply', less, '--allow-destructive');
      assert.deepEqual(await items(less, 'things'), [{ id: 1, name: 'a', size: null }, { id: 2, name: 'b', size: null }]);
      refused(/things.*2 rows/s, 'rollback', less, '--to', '0');
    }));

    test('a rollback of what holds nothing is free, of what holds data is not', () => inFolder(async ({ done, refused, insert }) => {
      const more = thing(['name: String!', 'size: BigInt', 'kind: String', 'extra: String']);
      done('new', plain);
      done('new', more);
      done('apply', more);
      done('rollback', more);
      done('apply', more);
      await insert(more, 'things', [{ id: 7, name: 'a', extra: 'e' }]);
      refused(/things\.extra.*1 row/s, 'rollback', more);
      done('rollback', more, '--allow-destructive');
    }));

    test('data that does not fit refuses with the count and three keys', () => inFolder(async ({ folder, done, refused, insert, items }) => {
      done('new', plain);
      done('apply', plain);
      await insert(plain, 'things', [1, 2, 3, 4, 5].map((id) => ({ id, name: id < 5 ? 'same' : 'x', kind: id === 5 ? 'A' : null, size: String(3000000000 + id) })));
      for (const [draft, pattern] of [
        [thing(['name: String!', 'size: BigInt', 'kind: String!']), /4 rows.*1, 2, 3(?!, 4)/s],
        [thing(['name: String! @unique', 'size: BigInt', 'kind: String']), /4 rows.*1, 2, 3(?!, 4)/s],
        [thing(['name: String!', 'size: Int', 'kind: String']), /5 rows.*1, 2, 3(?!, 4)/s],
        [thing(['name: String!', 'size: BigInt', 'kind: Kind'], { enums: 'enum Kind { B C }\n' }), /1 row.*5/s],
        [thing(['name: String! @length(max: 3)', 'size: BigInt', 'kind: String']), /4 rows.*1, 2, 3(?!, 4)/s],
        [thing(['name: String!', 'size: BigInt', 'kind: String', 'extra: Int!']), /5 rows.*1, 2, 3(?!, 4)/s],
      ]) {
        const name = done('new', draft).trim();
        assert.match(refused(pattern, 'apply', draft, '--allow-destructive').stderr, /do(es)? not fit/);
        fs.rmSync(path.join(folder, name), { recursive: true });
      }
      assert.equal((await items(plain, 'things')).length, 5);
    }));

    test('an edited migration is refused once it is applied', () => inFolder(async ({ folder, done, refused }) => {
      done('new', plain);
      done('apply', plain);
      const [name] = fs.readdirSync(path.join(folder, 'migrations'));
      fs.appendFileSync(path.join(folder, 'migrations', name, 'up.sql'), '-- more\n');
      refused(/0001_.*changed after it was applied/, 'apply', plain);
      refused(/changed after it was applied/, 'verify', plain);
    }));

    test('without a folder the difference between database and contract is applied, and recorded', () => inFolder(async ({ done, refused, insert, items }) => {
      done('apply', plain);
      assert.match(done('status', plain), /applied +contract/);
      await insert(plain, 'things', [{ id: 1, name: 'a', size: '9', kind: 'k' }]);
      const next = thing(['title: String! @renamed(from: "name")', 'size: Int', 'level: Int! @default(value: 2)']);
      refused(/things\.kind/, 'apply', next);
      done('apply', next, '--allow-destructive');
      done('verify', next);
      assert.deepEqual(await items(next, 'things'), [{ id: 1, title: 'a', size: 9, level: 2 }]);
    }));

    test('tables that serving has made are taken over by the folder', () => inFolder(async ({ done, folder, url }) => {
      const server = await startServer({ contract: plain, store: url, folder, options: ['--migrate'] });
      await server.stop();
      done('new', plain);
      assert.match(done('apply', plain), /already there: 0001_/);
      done('verify', plain);
    }));

    test('what serving has added since is taken over too, but not in place of what was written by hand', () => inFolder(async ({ done, refused, folder, url, insert, items }) => {
      const serve = async (contract) => (await startServer({ contract, store: url, folder, options: ['--migrate'] })).stop();
      const added = (...more) => thing(['name: String!', 'size: Int', 'kind: String', ...more]);
      const first = added(), second = added('note: String'), third = added('note: String', 'level: Int! @default(value: 2)');
      done('new', first);
      done('apply', first);
      await insert(first, 'things', [{ id: 1, name: 'a' }]);
      await serve(second);
      done('new', second);
      done('new', third);
      assert.match(done('plan', third), /^-- already there: 0002_\S+\n[^]*ADD COLUMN[^]*level/);
      assert.match(done('apply', third), /already there: 0002_[^]*applied 0003_/);
      done('verify', third);
      assert.deepEqual(await items(third, 'things'), [{ id: 1, name: 'a', size: null, kind: null, note: null, level: 2 }]);

      const fourth = added('note: String', 'level: Int! @default(value: 2)', 'extra: Int');
      await serve(fourth);
      done('new', fourth);
      const name = fs.readdirSync(path.join(folder, 'migrations')).find((name) => name.startsWith('0004_'));
      fs.appendFileSync(path.join(folder, 'migrations', name, 'up.sql'), 'UPDATE things SET extra = 3;\n');
      refused(/0004_.*extra.*exist|0004_.*duplicate column name: extra/, 'apply', fourth);
    }));

    test('verify names each difference', () => inFolder(async ({ done, refused, folder }) => {
      done('new', plain);
      done('apply', plain);
      const more = thing(['name: String!', 'size: BigInt', 'kind: String', 'extra: String']);
      done('new', more);
      refused(/0002_.* is not applied[^]*things\.extra is missing/, 'verify', more);
      done('apply', more);
      const name = fs.readdirSync(path.join(folder, 'migrations')).sort()[1];
      assert.match(name, /^0002_/);
      done('verify', more);
    }));

    test('--dry-run changes nothing', () => inFolder(async ({ done }) => {
      done('new', plain);
      assert.match(done('apply', plain, '--dry-run'), /CREATE TABLE/);
      assert.match(done('status', plain), /pending/);
    }));

    test('of migrators at the same time one works, the others find it done', () => inFolder(async ({ folder, url, done }) => {
      done('new', plain);
      const file = path.join(folder, 'contract-1.graphql');
      const ends = await Promise.all(Array.from({ length: 4 }, () => new Promise((resolve) => {
        const child = spawn(program, ['migrate', 'apply', file, '--store', url, '--lock-timeout', '60s'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
        let out = '';
        child.stdout.on('data', (data) => { out += data; });
        child.stderr.on('data', (data) => { out += data; });
        child.on('exit', (status) => resolve({ status, out }));
      })));
      assert.deepEqual(ends.map((end) => end.status), [0, 0, 0, 0], JSON.stringify(ends));
      assert.equal(ends.filter((end) => /applied 0001_/.test(end.out)).length, 1);
    }));

    test('killed at any moment, the next apply ends what was begun', () => inFolder(async ({ folder, url, done, insert, items }) => {
      done('new', plain);
      done('apply', plain);
      await insert(plain, 'things', Array.from({ length: 50 }, (_, i) => ({ id: i + 1, name: `n${i}` })));
      const next = thing(['name: String! @unique', 'size: BigInt', 'label: String @renamed(from: "kind")', 'level: Int! @default(value: 1)']);
      done('new', next);
      const file = path.join(folder, 'contract-3.graphql');
      for (const delay of [5, 20, 40, 80]) {
        const child = spawn(program, ['migrate', 'apply', file, '--store', url], { cwd: folder, stdio: 'ignore' });
        const ended = new Promise((resolve) => child.on('exit', resolve));
        setTimeout(() => child.kill('SIGKILL'), delay);
        await ended;
      }
      done('apply', next, '--lock-timeout', '30s');
      done('verify', next);
      const rows = await items(next, 'things');
      assert.equal(rows.length, 20);
      assert.deepEqual(rows[0], { id: 1, name: 'n0', size: null, label: null, level: 1 });
    }));
  });
}

test('a lock that another holds ends apply with 3 (PostgreSQL)', async () => {
  const folder = makeFolder();
  const database = postgres.createDatabase();
  const file = path.join(folder, 'c.graphql');
  const apply = (contract, ...options) => {
    fs.writeFileSync(file, contract);
    return run(['migrate', 'apply', file, '--store', postgres.url(database), ...options], { cwd: folder });
  };
  assert.equal(apply(plain).status, 0);
  const holder = spawn(path.join(postgres.programs, 'psql'), ['-XAtq', '-h', postgres.folder, '-p', String(postgres.port), '-U', 'caisson', '-d', database], { stdio: ['pipe', 'pipe', 'ignore'] });
  try {
    holder.stdin.write('BEGIN; LOCK TABLE things; SELECT 1;\n');
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    const result = apply(thing(['name: String!', 'size: BigInt', 'kind: String', 'extra: String']), '--lock-timeout', '100ms');
    assert.equal(result.status, 3, result.stderr);
    assert.match(result.stderr, /lock/);
  } finally {
    holder.stdin.end();
    await new Promise((resolve) => holder.on('exit', resolve));
    removeFolder(folder);
  }
});

test('a lock that another holds ends apply with 3, once --lock-timeout is over (SQLite)', async () => {
  const folder = makeFolder();
  const file = path.join(folder, 'c.graphql');
  const apply = (contract, ...options) => {
    fs.writeFileSync(file, contract);
    return run(['migrate', 'apply', file, ...options], { cwd: folder });
  };
  assert.equal(apply(plain).status, 0);
  const holder = spawn('sqlite3', [path.join(folder, 'shop.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    holder.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n");
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    for (const timeoutMs of [100, 1200]) {
      const begin = performance.now();
      const result = apply(thing(['name: String!', 'size: BigInt', 'kind: String', 'extra: String']), '--lock-timeout', `${timeoutMs}ms`);
      const tookMs = performance.now() - begin;
      assert.equal(result.status, 3, result.stderr);
      assert.match(result.stderr, /lock/);
      assert.ok(tookMs >= timeoutMs && tookMs < timeoutMs + 2500, `${tookMs} ms`);
    }
  } finally {
    holder.stdin.end();
    await new Promise((resolve) => holder.on('exit', resolve));
    removeFolder(folder);
  }
});

test('a database that others made is never changed (SQLite)', () => {
  const folder = makeFolder();
  try {
    const file = path.join(folder, 'c.graphql');
    fs.writeFileSync(file, plain);
    const database = path.join(folder, 'foreign.db');
    assert.equal(run(['migrate', 'apply', file, '--store', `sqlite:${database}`], { cwd: folder }).status, 0);
    // Without Caisson's mark in the header (offset 68) it is somebody else's.
    const bytes = fs.readFileSync(database);
    bytes.fill(0, 68, 72);
    fs.writeFileSync(database, bytes);
    const result = run(['migrate', 'apply', file, '--store', `sqlite:${database}`], { cwd: folder });
    assert.equal(result.status, 1);
    assert.match(result.stderr, /not made by Caisson/);
  } finally { removeFolder(folder); }
});

test('wrong usage is 2', () => {
  const folder = makeFolder();
  try {
    const file = path.join(folder, 'c.graphql');
    fs.writeFileSync(file, plain);
    for (const args of [['aply', file], ['new', file], ['new', file, '../x'], ['apply', file, '--to', 'x'], ['apply', file, '--store', 'mongodb://x']])
      assert.equal(run(['migrate', ...args], { cwd: folder }).status, 2, args.join(' '));
  } finally { removeFolder(folder); }
});
