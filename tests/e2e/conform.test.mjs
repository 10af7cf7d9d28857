// conform.test.mjs - the server against its own OpenAPI document, by schemathesis: what the document allows is answered as it says, what it
// does not allow is refused, and links lead on. Bounded and seeded; scripts/schemathesis.sh runs thousands.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const clients = path.join(root, 'tests/clients');

function execute(command, args, timeout) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => { said += bytes; });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, said }));
  });
}

test('schemathesis finds nothing, stateful links included', async () => {
  const server = await startServer({ contractPath: path.join(clients, 'library.graphql') });
  try {
    const token = makeToken({ sub: '01890a5d-ac96-774b-bcce-b302099a8057', roles: ['staff'] });
    const { code, said } = await execute(path.join(root, 'build-test/python/bin/schemathesis'),
      ['--config-file', path.join(clients, 'schemathesis.toml'), 'run', `${server.addresses[0]}/openapi.json`, '--header', `Authorization: Bearer ${token}`,
        '--phases', 'examples,fuzzing,stateful', '--max-examples', '6', '--seed', '1', '--generation-database', 'none', '--no-shrink', '--no-color'], 600000);
    assert.equal(code, 0, said.slice(-12000));
    const generated = Number(/(\d+) generated/.exec(said)?.[1]);
    assert.ok(generated >= 200, `${generated} requests`);
    assert.match(said, /Stateful/);
  } finally { await server.stop(); removeFolder(server.folder); }
});
