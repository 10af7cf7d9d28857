// memory.test.mjs - memory that runs out while the server answers requests over PostgreSQL (tests/memory); over SQLite it is a unit test.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { program, root } from '../support/server.mjs';

test('over PostgreSQL, too, memory that runs out is told, and leaves nothing half done', { timeout: 300000 }, async () => {
  const suite = path.join(path.dirname(program), 'tests/memory/request_memory_test');
  const postgres = await startPostgres();
  try {
    const env = { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP' };
    const { status, stdout, stderr } = spawnSync(suite, [path.join(root, 'tests/memory/request.graphql'), postgres.url()], { env, encoding: 'utf8', timeout: 280000 });
    assert.equal(status, 0, `${stdout}\n${stderr}`);
  } finally {
    await postgres.remove();
  }
});
