// memory.test.mjs - memory that runs out while the server answers requests (tests/memory), over PostgreSQL and over TLS; in clear and over
// SQLite it is a unit test.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeAuthority } from '../support/certificates.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, program, removeFolder, root } from '../support/server.mjs';

function runSuite(...args) {
  const suite = path.join(path.dirname(program), 'tests/memory/request_memory_test');
  const env = { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP' };
  const { status, stdout, stderr } = spawnSync(suite, [path.join(root, 'tests/memory/request.graphql'), ...args], { env, encoding: 'utf8', timeout: 280000 });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
}

test('over PostgreSQL, too, memory that runs out is told, and leaves nothing half done', { timeout: 300000 }, async () => {
  const postgres = await startPostgres();
  try {
    runSuite(postgres.url());
  } finally {
    await postgres.remove();
  }
});

test('and over TLS', { timeout: 300000 }, () => {
  const folder = makeFolder();
  try {
    const made = makeAuthority(folder, 'own');
    fs.copyFileSync(made.cert, path.join(folder, 'cert.pem'));
    fs.copyFileSync(made.key, path.join(folder, 'key.pem'));
    runSuite('-', folder);
  } finally {
    removeFolder(folder);
  }
});
