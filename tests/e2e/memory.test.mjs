// memory.test.mjs - memory that runs out while the server answers requests (tests/memory), over PostgreSQL and over TLS; in clear and over
// SQLite it is a unit test.
import assert from 'node:assert';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { makeAuthority } from '../support/certificates.mjs';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, program, removeFolder, root } from '../support/server.mjs';

function runSuite(more, ...args) {
  const suite = path.join(path.dirname(program), 'tests/memory/request_memory_test');
  const env = { ...process.env, CMOCKA_MESSAGE_OUTPUT: 'TAP', ...more };
  return promisify(execFile)(suite, [path.join(root, 'tests/memory/request.graphql'), ...args], { env, timeout: 280000, maxBuffer: 1 << 26 })
    .catch(({ message, stdout, stderr }) => assert.fail(`${message}\n${stdout}\n${stderr}`));
}

// What answers requests is the same as in clear: over TLS each place in the code has one turn.
describe('memory runs out', { concurrency: true }, () => {
  test('over PostgreSQL, too, memory that runs out is told, and leaves nothing half done', { timeout: 300000 }, async () => {
    const postgres = await startPostgres();
    try {
      await runSuite({}, postgres.url());
    } finally {
      await postgres.remove();
    }
  });

  test('and over TLS', { timeout: 300000 }, async () => {
    const folder = makeFolder();
    try {
      const made = makeAuthority(folder, 'own');
      fs.copyFileSync(made.cert, path.join(folder, 'cert.pem'));
      fs.copyFileSync(made.key, path.join(folder, 'key.pem'));
      await runSuite({ CAISSON_MEMORY: 'places' }, '-', folder);
    } finally {
      removeFolder(folder);
    }
  });
});
