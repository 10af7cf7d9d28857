// INTERFACE.md §5: `caisson proto`, its lock and its descriptors, held against protoc, buf and Python's protobuf.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeFolder, program, removeFolder, root, run } from '../support/server.mjs';

const clients = path.join(root, 'tests/clients');
const python = path.join(root, 'build-test/python/bin/python');
const reference = path.join(root, 'tests/proto');
const contracts = ['examples/shop/shop.graphql', 'tests/clients/library.graphql', 'tests/proto/world.graphql'].map((name) => path.join(root, name));

let folder;
before(() => { folder = makeFolder(); });
after(() => removeFolder(folder));

function execute(command, args, options = {}) {
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 240000, maxBuffer: 64 * 1024 * 1024, ...options });
  if (result.error) throw result.error;
  return result;
}

const buf = (args, cwd) => execute(process.execPath, [path.join(clients, 'node_modules/@bufbuild/buf/bin/buf'), ...args], { cwd, env: { ...process.env, HOME: folder } });

function proto(contract, ...options) {
  const { status, stdout, stderr } = run(['proto', contract, ...options]);
  assert.equal(status, 0, stderr);
  return stdout;
}

// A folder of its own with the file where its package belongs, as `buf` and `protoc` want it.
function moduleOf(contract, name) {
  const text = proto(contract);
  const parts = /^package ([a-z0-9_]+)\.([a-z0-9]+);$/m.exec(text);
  const module = path.join(folder, name);
  fs.mkdirSync(path.join(module, parts[1], parts[2]), { recursive: true });
  fs.writeFileSync(path.join(module, parts[1], parts[2], `${parts[1]}.proto`), text);
  fs.writeFileSync(path.join(module, 'buf.yaml'), 'version: v2\nlint:\n  use: [STANDARD]\nbreaking:\n  use: [FILE]\n');
  return module;
}

function write(name, text) {
  fs.writeFileSync(path.join(folder, name), text);
  return path.join(folder, name);
}

test('buf lint has nothing to say under STANDARD', { timeout: 120000 }, () => {
  for (const [i, contract] of contracts.entries()) {
    const { status, stdout, stderr } = buf(['lint'], moduleOf(contract, `lint${i}`));
    assert.equal(status, 0, `${contract}: ${stdout}${stderr}`);
  }
});

test('the descriptors are byte for byte what protoc makes of the text', { timeout: 120000 }, () => {
  for (const contract of contracts) {
    const { status, stdout, stderr } = execute(python, [path.join(reference, 'descriptors.py'), program, contract]);
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^equal: /);
  }
});

test('messages and ProtoJSON are those of Python, both ways, over random ones', { timeout: 240000 }, () => {
  const set = path.join(folder, 'world.set');
  fs.writeFileSync(set, execute(program, ['proto', contracts[2], '--descriptor'], { encoding: 'buffer' }).stdout);
  const tool = path.join(path.dirname(program), 'tests/proto/proto_tool');
  const turns = process.env.CAISSON_TURNS ?? '500', seed = process.env.CAISSON_SEED ?? '20261126';
  const { status, stdout, stderr } = execute(python, [path.join(reference, 'reference.py'), tool, contracts[2], set, turns, seed]);
  assert.equal(status, 0, `${stdout}${stderr}`.slice(-4000));
  assert.match(stdout, /no difference/);
});

const head = 'extend schema @service(name: "shop", version: "v1")\n';
const thing = (fields, more = '') => `${head}${more}type Thing @resource @access(read: "true", write: "true") {\n  id: ID!\n  ${fields}\n}\n`;

test('--lock keeps numbers: what goes is reserved, what comes is behind, a changed type is refused', { timeout: 60000 }, () => {
  const contract = write('locked.graphql', thing('a: String\n  b: Int\n  c: Mood', 'enum Mood { GOOD BAD }\n'));
  const lock = path.join(folder, 'locked.lock.json');
  assert.match(proto(contract), /follow the contract's order/);
  assert.ok(!fs.existsSync(lock));
  const first = proto(contract, '--lock');
  assert.match(first, /are those of the lock file/);
  assert.equal(proto(contract), first);
  const before = fs.readFileSync(lock, 'utf8');
  assert.equal(JSON.parse(before).messages.Thing.fields.b.number, 3);

  fs.writeFileSync(contract, thing('z: String\n  c: Mood\n  a: String', 'enum Mood { NEW BAD }\n'));
  const unlocked = run(['proto', contract]);
  assert.equal(unlocked.status, 0);
  assert.match(unlocked.stderr, /locked\.lock\.json lacks/);
  assert.equal(fs.readFileSync(lock, 'utf8'), before, 'only --lock writes');
  const second = proto(contract, '--lock');
  for (const line of ['  reserved 3;', '  reserved "b";', '  optional string z = 5;', '  optional Mood c = 4;', '  optional string a = 2;', '  reserved 1;', '  reserved "MOOD_GOOD";', '  MOOD_NEW = 3;', '  MOOD_BAD = 2;']) assert.ok(second.split('\n').includes(line), `${line}\n${second}`);

  const kept = fs.readFileSync(lock, 'utf8');
  fs.writeFileSync(contract, thing('z: String\n  c: Mood\n  a: Int', 'enum Mood { NEW BAD }\n'));
  for (const options of [[], ['--lock'], ['--descriptor']]) {
    const { status, stdout, stderr } = run(['proto', contract, ...options]);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /locked\.lock\.json: Thing\.a is string there and int32 now: .*name/);
  }
  assert.equal(fs.readFileSync(lock, 'utf8'), kept);

  // A field does not come back under a name that is reserved.
  fs.writeFileSync(contract, thing('z: String\n  c: Mood\n  a: String\n  b: Int', 'enum Mood { NEW BAD }\n'));
  const back = run(['proto', contract, '--lock']);
  assert.equal(back.status, 1);
  assert.match(back.stderr, /Thing\.b was removed once/);
});

test('a folder, an unwritable lock, a broken one', { timeout: 60000 }, () => {
  const parts = path.join(folder, 'parts');
  fs.mkdirSync(parts);
  fs.writeFileSync(path.join(parts, 'one.graphql'), thing('a: String'));
  proto(parts, '--lock');
  assert.ok(fs.existsSync(path.join(folder, 'parts.lock.json')));
  fs.writeFileSync(path.join(folder, 'parts.lock.json'), '{"package":');
  const broken = run(['proto', parts]);
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /parts\.lock\.json: /);
  const nowhere = write('nowhere.graphql', thing('a: String'));
  fs.mkdirSync(path.join(folder, 'nowhere.lock.json'));
  assert.equal(run(['proto', nowhere, '--lock']).status, 3);
  assert.equal(run(['proto', path.join(folder, 'missing.graphql')]).status, 3);
});

test('two versions of a contract are two packages', { timeout: 60000 }, () => {
  const old = write('old.graphql', thing('a: String')), young = write('young.graphql', thing('b: String').replace('"v1"', '"v2"'));
  assert.match(proto(old), /^package shop\.v1;$/m);
  assert.match(proto(young), /^package shop\.v2;$/m);
  assert.equal(buf(['lint'], moduleOf(young, 'young')).status, 0);
});

// Each change, and whether a client of the old contract may fail with the new one.
const base = { fields: 'a: String\n  b: Int!\n  c: Mood', more: 'enum Mood { GOOD BAD }\ntype Part { x: Int  y: Int }\n' };
const changes = [
  ['nothing', {}, false],
  ['a new field that may be null', { fields: `${base.fields}\n  d: String` }, false],
  ['a new type', { more: `${base.more}type Other @resource @access(read: "true") { id: ID! }\n` }, false],
  ['a description', { fields: `"What it is."\n  ${base.fields}` }, false],
  ['fields in another order', { fields: 'c: Mood\n  b: Int!\n  a: String' }, false],
  ['a field goes', { fields: 'a: String\n  c: Mood' }, true],
  ['a field is renamed', { fields: base.fields.replace('a: String', 'z: String @renamed(from: "a")') }, true],
  ['an enum loses a value', { more: base.more.replace(' BAD', '') }, true],
  ['what was always there may be null', { fields: base.fields.replace('Int!', 'Int') }, true],
];

test('buf breaking agrees with caisson diff', { timeout: 240000 }, () => {
  for (const [i, [what, change, isBreaking]] of changes.entries()) {
    const contract = write(`change${i}.graphql`, thing(base.fields, base.more));
    proto(contract, '--lock');
    const old = moduleOf(contract, `change${i}-old`), earlier = write(`change${i}-old.graphql`, fs.readFileSync(contract, 'utf8'));
    const next = { ...base, ...change };
    fs.writeFileSync(contract, thing(next.fields, next.more));
    proto(contract, '--lock');
    const compared = buf(['breaking', '--against', old], moduleOf(contract, `change${i}-new`));
    assert.ok([0, 100].includes(compared.status), compared.stderr);
    const diff = run(['diff', earlier, contract]);
    assert.deepEqual({ buf: compared.status !== 0, diff: diff.status !== 0 }, { buf: isBreaking, diff: isBreaking }, `${what}\n${compared.stdout}\n${diff.stdout}`);
  }
});
