// store-conformance.test.mjs - the conformance suite of stores against a PostgreSQL server of the tests' own; SQLite's runs with the unit tests.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { program } from '../support/server.mjs';

test('PostgreSQL keeps what the store interface promises', { timeout: 300000 }, async () => {
  const suite = path.join(path.dirname(program), 'tests/conformance/store_conformance_test');
  const postgres = await startPostgres();
  try {
    // One for each test, and those that a test opens beside its own.
    for (let i = 0; i < 40; i++) postgres.createDatabase();
    const env = { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP', CAISSON_TEST_POSTGRES: `?host=${encodeURIComponent(postgres.folder)}&port=${postgres.port}` };
    const { status, stdout, stderr } = spawnSync(suite, ['PostgreSQL*'], { env, encoding: 'utf8', timeout: 240000 });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.ok(stdout.match(/^ok /gm).length >= 20, stdout);
  } finally {
    await postgres.remove();
  }
});
