// clients.test.mjs - clients that others' generators make of the document: each compiles, and does a round trip against a server.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder, makeToken, removeFolder, root, run, startServer } from '../support/server.mjs';

const clients = path.join(root, 'tests/clients');
const python = path.join(root, 'build-test/python/bin');
const token = makeToken({ sub: '01890a5d-ac96-774b-bcce-b302099a8057', roles: ['staff'] });

let server, base, folder, document;
before(async () => {
  server = await startServer({ contractPath: path.join(clients, 'library.graphql') });
  base = server.addresses[0];
  folder = makeFolder();
  document = path.join(folder, 'openapi.json');
  fs.writeFileSync(document, run(['openapi', path.join(clients, 'library.graphql')]).stdout);
});
after(async () => { await server.stop(); removeFolder(server.folder); removeFolder(folder); });

// The program runs beside this process, which serves nothing itself: waiting for it is fine.
function execute(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: folder, timeout: 300000, ...options });
  if (result.error) throw result.error;
  assert.equal(result.status, 0, `${path.basename(command)} ${args.join(' ').slice(0, 200)}\n${result.stdout.slice(-3000)}${result.stderr.slice(-3000)}`);
  return result.stdout;
}

test('TypeScript: openapi-typescript and openapi-fetch, type-checked strictly', () => {
  const module = (name) => path.join(clients, 'node_modules', name);
  fs.symlinkSync(path.join(clients, 'node_modules'), path.join(folder, 'node_modules'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  fs.copyFileSync(path.join(clients, 'client.ts'), path.join(folder, 'client.ts'));
  execute(process.execPath, [module('openapi-typescript/bin/cli.js'), document, '--output', 'api.d.ts', '--default-non-nullable', 'false']);
  execute(process.execPath, [module('typescript/bin/tsc'), '--strict', '--noUncheckedIndexedAccess', '--target', 'es2022', '--module', 'nodenext', '--skipLibCheck', '--types', 'node', 'client.ts']);
  assert.match(execute(process.execPath, ['client.js', base, token]), /round trip done/);
});

test('Go: oapi-codegen', () => {
  const made = path.join(folder, 'go');
  const go = path.join(root, 'scripts/go.sh');
  for (const name of ['go.mod', 'go.sum', 'main.go', 'oapi-codegen.yaml']) {
    fs.mkdirSync(path.join(made, 'library'), { recursive: true });
    fs.copyFileSync(path.join(clients, 'go', name), path.join(made, name));
  }
  const said = execute(path.join(root, 'build-test/go/bin/oapi-codegen'), ['-config', 'oapi-codegen.yaml', document], { cwd: made });
  assert.equal(said, '');
  execute(go, ['run', 'build', '-o', 'client', '.'], { cwd: made });
  assert.match(execute(path.join(made, 'client'), [base, token], { cwd: made }), /round trip done/);
});

test('Python: openapi-python-client', () => {
  const made = path.join(folder, 'python');
  // Its formatter is a program beside it.
  const env = { ...process.env, PATH: `${python}:${process.env.PATH}` };
  const said = execute(path.join(python, 'openapi-python-client'), ['generate', '--path', document, '--output-path', made, '--config', path.join(clients, 'openapi-python-client.yaml'), '--fail-on-warning'], { env });
  assert.ok(!/warning/i.test(said), said);
  assert.match(execute(path.join(python, 'python'), [path.join(clients, 'client.py'), base, token], { env: { ...env, PYTHONPATH: made } }), /round trip done/);
});
