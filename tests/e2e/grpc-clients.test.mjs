// Clients that others' generators make of `caisson proto`: each compiles, and does a round trip against a server.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder, makeToken, removeFolder, root, run, startServer } from '../support/server.mjs';

const clients = path.join(root, 'tests/clients');
const contract = path.join(clients, 'library.graphql');
const python = path.join(root, 'build-test/python/bin/python');
const token = makeToken({ sub: '01890a5d-ac96-774b-bcce-b302099a8057', roles: ['staff'] });
const file = 'library/v1/library.proto';

let folder, include;
before(() => {
  folder = makeFolder();
  fs.mkdirSync(path.join(folder, 'library/v1'), { recursive: true });
  fs.writeFileSync(path.join(folder, file), run(['proto', contract]).stdout);
  include = execute(python, ['-c', 'import grpc_tools, os; print(os.path.join(os.path.dirname(grpc_tools.__file__), "_proto"))']).trim();
});
after(() => removeFolder(folder));

function execute(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', cwd: folder, timeout: 240000, ...options });
  if (result.error) throw result.error;
  assert.equal(result.status, 0, `${path.basename(command)} ${args.join(' ').slice(0, 200)}\n${result.stdout.slice(-3000)}${result.stderr.slice(-3000)}`);
  return result.stdout;
}

const protoc = (options, env = process.env) => execute(python, ['-m', 'grpc_tools.protoc', '-I', folder, '-I', include, ...options, file], { env });

// The client's work against a server of its own.
async function roundTrip(command, args, env = process.env) {
  const server = await startServer({ contractPath: contract });
  try {
    const child = spawn(command, [...args, `127.0.0.1:${server.port}`, token], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), 120000);
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { said += data; });
    const code = await new Promise((resolve) => child.once('close', resolve));
    clearTimeout(timer);
    assert.equal(code, 0, said);
    assert.match(said, /round trip done/);
  } finally {
    await server.stop();
    removeFolder(server.folder);
  }
}

test('Python: grpcio-tools', { timeout: 180000 }, async () => {
  protoc(['--python_out=.', '--grpc_python_out=.']);
  await roundTrip(python, [path.join(clients, 'grpc_client.py')], { ...process.env, PYTHONPATH: folder });
});

test('Node: @grpc/proto-loader and @grpc/grpc-js', { timeout: 180000 }, async () => {
  await roundTrip(process.execPath, [path.join(clients, 'grpc_client.mjs'), folder]);
});

// A module with what the generators make of the contract; `program` is the package of its main.
function buildGo(module, generators, program) {
  const made = path.join(folder, module), env = { ...process.env, PATH: `${path.join(root, 'build-test/go/bin')}:${process.env.PATH}` };
  fs.cpSync(path.join(clients, module), made, { recursive: true });
  const [, own] = /^module (\S+)$/m.exec(fs.readFileSync(path.join(made, 'go.mod'), 'utf8'));
  protoc(generators.flatMap((generator) => [`--${generator}_out=${made}`, `--${generator}_opt=paths=source_relative`, `--${generator}_opt=M${file}=${own}/library/v1;libraryv1`]), env);
  execute(path.join(root, 'scripts/go.sh'), ['run', 'build', '-o', 'client', program], { cwd: made, timeout: 800000 });
  return path.join(made, 'client');
}

// Go's linker is slow on a machine that has other work.
for (const [name, module, generators, program] of [
  ['Go: protoc-gen-go and protoc-gen-go-grpc', 'grpc-go', ['go', 'go-grpc'], '.'],
  ['Go: protoc-gen-go and protoc-gen-connect-go, in Connect, gRPC and gRPC-Web', 'connect-go', ['go', 'connect-go'], '.'],
  ["gRPC's interop cases, by grpc-go", 'grpc-go', ['go', 'go-grpc'], './interop'],
]) {
  test(name, { timeout: 900000 }, () => roundTrip(buildGo(module, generators, program), []));
}
