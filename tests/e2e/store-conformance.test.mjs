// store-conformance.test.mjs - the conformance suite of stores against a PostgreSQL server of the tests' own, and migrations while what they
// stand on fails; SQLite's run with the unit tests.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { program } from '../support/server.mjs';

// The server's log goes through this process, which must not stand still: a full pipe would stop the server.
async function runOnPostgres(suite, args, databases) {
  const postgres = await startPostgres();
  try {
    for (let i = 0; i < databases; i++) postgres.createDatabase();
    const env = { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP', CAISSON_TEST_POSTGRES: `?host=${encodeURIComponent(postgres.folder)}&port=${postgres.port}` };
    const child = spawn(path.join(path.dirname(program), suite), args, { env, timeout: 420000 });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { said += text; });
    const status = await new Promise((resolve, reject) => { child.once('error', reject); child.once('close', resolve); });
    assert.equal(status, 0, said);
    return said.match(/^ok /gm).length;
  } finally {
    await postgres.remove();
  }
}

test('PostgreSQL keeps what the store interface promises', { timeout: 300000 }, async () => {
  // One for each test, and those that a test opens beside its own.
  assert.ok((await runOnPostgres('tests/conformance/store_conformance_test', ['PostgreSQL*'], 40)) >= 20);
});

test('whatever fails under a migration on PostgreSQL is told, and can be done again', { timeout: 450000 }, async () => {
  assert.ok((await runOnPostgres('tests/faults/migrate_fault_test', [], 2)) >= 50);
});
