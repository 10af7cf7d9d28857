// INTERFACE.md §1: help, completion, the manual page, colour, exit statuses; whatever commands there are.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder, program, removeFolder, run } from '../support/server.mjs';

const commands = [...run(['--help']).stdout.matchAll(/^ {2}([a-z]+) /gm)].map((match) => match[1]);

function inFolder(work) {
  const folder = makeFolder();
  try { return work(folder); } finally { removeFolder(folder); }
}

test('every command has --help, on stdout, that fits a screen', () => {
  assert.ok(commands.includes('check') && commands.includes('serve'), commands.join());
  for (const command of commands) {
    const { status, stdout, stderr } = run([command, '--help']);
    assert.equal(status, 0, command);
    assert.equal(stderr, '', command);
    const lines = stdout.trimEnd().split('\n');
    assert.ok(lines.length <= 24, `${command}: ${lines.length} lines`);
    for (const line of lines) assert.ok([...line].length <= 100, `${command}: ${line}`);
    assert.equal(run(['help', command]).stdout, stdout);
  }
});

test('--version', () => {
  const { status, stdout } = run(['--version']);
  assert.equal(status, 0);
  assert.match(stdout, /^caisson \d+\.\d+\.\d+\n$/);
});

test('wrong usage is status 2 and says on stderr what was meant', () => {
  for (const [args, hint] of [
    [['sevre'], /did you mean serve\?/], [['--verison'], /did you mean --version\?/], [['serve', '--listn', 'x', 'c'], /did you mean --listen\?/], [['check'], /CONTRACT/],
    [['check', 'a', 'b'], /one argument too many/], [['completion', 'tcsh'], /bash, zsh and fish/], [['serve', 'c', '--body-max', 'much'], /--body-max wants a size/],
    [['serve', 'c', '--log', 'xml'], /one of json\|text\|off/], [['serve', 'c', '--cors-origin', 'https://a.example/'], /--cors-origin wants an origin .* not "https:\/\/a\.example\/"/s], [[], /Usage/],
  ]) {
    const { status, stdout, stderr } = run(args);
    assert.equal(status, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, hint);
  }
});

test('a contract with mistakes is status 1, one that is not there 3', () => inFolder((folder) => {
  const file = path.join(folder, 'bad.graphql');
  fs.writeFileSync(file, 'type A @resource { id: Id! }\n');
  assert.equal(run(['check', file]).status, 1);
  assert.equal(run(['check', path.join(folder, 'none.graphql')]).status, 3);
}));

const notes = 'extend schema @service(name: "notes")\ntype Note @resource @access(read: "true", write: "true") { id: ID! }\n';

test('what looks at a database makes none, and says which is not there: status 3', () => inFolder((folder) => {
  const file = path.join(folder, 'notes.graphql'), none = path.join(folder, 'none.db');
  fs.writeFileSync(file, notes);
  for (const args of [['explain', file, 'GET /v1/notes'], ['migrate', 'verify', file], ['migrate', 'rollback', file]]) {
    const { status, stdout, stderr } = run([...args, '--store', `sqlite:${none}`]);
    assert.equal(status, 3, args.join(' '));
    assert.equal(stdout, '');
    assert.ok(stderr.includes(`the database ${none} is not there`), stderr);
    assert.ok(!fs.existsSync(none), args.join(' '));
  }
  for (const [args, pattern] of [[['status', file], /^no migration was applied, and none is pending\n$/], [['plan', file], /CREATE TABLE "notes"/], [['apply', file, '--dry-run'], /CREATE TABLE "notes"/]]) {
    const { status, stdout, stderr } = run(['migrate', ...args, '--store', `sqlite:${none}`], { cwd: folder });
    assert.equal(status, 0, stderr);
    assert.match(stdout, pattern);
    assert.ok(!fs.existsSync(none), args.join(' '));
  }
  const nowhere = path.join(folder, 'no-folder', 'x.db');
  const made = run(['serve', file, '--listen', '127.0.0.1:0', '--store', `sqlite:${nowhere}`]);
  assert.equal(made.status, 3);
  assert.ok(made.stderr.includes(nowhere), made.stderr);
}));

test('a store of a kind that there isn\'t is wrong usage, with whatever command', () => inFolder((folder) => {
  const file = path.join(folder, 'notes.graphql');
  fs.writeFileSync(file, notes);
  for (const args of [['serve', file, '--store', 'mysql://x'], ['explain', file, 'GET /v1/notes', '--store', 'mysql://x'], ['migrate', 'status', file, '--store', 'mysql://x'],
    ['copy', file, '--from', 'mysql://x', '--to', 'sqlite:x'], ['introspect', 'mysql://x']]) {
    const { status, stderr } = run(args);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, /sqlite:PATH or postgresql:/);
  }
}));

test('a PostgreSQL that can not be reached is status 3, with PostgreSQL\'s own reason', () => inFolder((folder) => {
  const file = path.join(folder, 'notes.graphql'), store = 'postgresql://nobody@127.0.0.1:1/none';
  fs.writeFileSync(file, notes);
  for (const args of [['serve', file, '--listen', '127.0.0.1:0', '--store', store], ['explain', file, 'GET /v1/notes', '--store', store], ['migrate', 'apply', file, '--store', store],
    ['copy', file, '--from', store, '--to', `sqlite:${folder}/x.db`], ['introspect', store]]) {
    const { status, stderr } = run(args);
    assert.equal(status, 3, args.join(' '));
    assert.match(stderr, /Connection refused/, args.join(' '));
    assert.match(stderr, /error: the database can't be reached/, args.join(' '));
  }
}));

test('colour only on a terminal, and never with NO_COLOR', () => inFolder((folder) => {
  const file = path.join(folder, 'bad.graphql');
  fs.writeFileSync(file, 'type A @resource { id: Id! }\n');
  // eslint-disable-next-line no-control-regex
  const hasColour = (text) => /\x1b\[/.test(text);
  const onTerminal = (env) => spawnSync('script', ['-qec', `'${program}' check '${file}'`, '/dev/null'], { encoding: 'utf8', env: { PATH: process.env.PATH, TERM: 'xterm', ...env } }).stdout;
  assert.ok(hasColour(onTerminal({})));
  assert.ok(!hasColour(onTerminal({ NO_COLOR: '1' })));
  assert.ok(!hasColour(onTerminal({ TERM: 'dumb' })));
  assert.ok(!hasColour(run(['check', file]).stderr));
}));

// Asks bash what it would offer behind these words.
function completeInBash(words) {
  const script = `${run(['completion', 'bash']).stdout}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _caisson; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-euc', script], { encoding: 'utf8' }).split('\n').filter((word) => word !== '');
}

test('bash completes commands, options and values', () => inFolder((folder) => {
  for (const command of commands) assert.ok(completeInBash(['caisson', '']).includes(command), command);
  assert.deepEqual(completeInBash(['caisson', 'che']), ['check']);
  assert.deepEqual(completeInBash(['caisson', 'serve', '--body']), ['--body-max']);
  assert.deepEqual(completeInBash(['caisson', 'serve', '--log', 't']), ['text']);
  fs.writeFileSync(path.join(folder, 'shop.graphql'), '');
  assert.deepEqual(completeInBash(['caisson', 'check', path.join(folder, 'sh')]), [path.join(folder, 'shop.graphql')]);
  assert.deepEqual(completeInBash(['caisson', 'token', '--jwt-secret-file', path.join(folder, 'sh')]), [path.join(folder, 'shop.graphql')]);
  assert.deepEqual(completeInBash(['caisson', 'token', '--sub', 'x']), []);
}));

// What zsh and fish would be given, where they aren't there to be asked: every option of every command, and quotes that close.
test('zsh and fish are told every command and option', () => {
  const zsh = run(['completion', 'zsh']).stdout, fish = run(['completion', 'fish']).stdout;
  assert.match(zsh, /^#compdef caisson\n/);
  for (const command of commands) {
    assert.match(zsh, new RegExp(`^ {4}'${command}:`, 'm'));
    assert.match(fish, new RegExp(`-a ${command} `));
  }
  for (const [, option] of run(['serve', '--help-all']).stdout.matchAll(/^ {2}--([a-z-]+)/gm)) {
    if (option === 'help-all') continue;
    assert.ok(zsh.includes(`--${option}[`), option);
    assert.ok(fish.includes(` -l ${option} `), option);
  }
  const parsed = spawnSync('bash', ['-n'], { input: run(['completion', 'bash']).stdout, encoding: 'utf8' });
  assert.equal(parsed.stderr, '');
});

test('the manual page formats without a warning and names everything', () => {
  const page = run(['man']).stdout;
  const { status, stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-ww', '-P-cbou'], { input: page, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  for (const command of commands) assert.ok(stdout.includes(`caisson ${command}`), command);
  for (const word of ['--jwt-secret-file', '--body-max', 'NO_COLOR', 'EXIT STATUS']) assert.ok(stdout.replaceAll('‐', '-').includes(word), word);
});

test('every option is in the environment too', () => {
  const { status, stderr } = run(['check', 'x'], { env: { ...process.env } });
  assert.equal(status, 3, stderr);
  for (const [name, value, hint] of [['CAISSON_BODY_MAX', 'much', /CAISSON_BODY_MAX: --body-max wants a size/], ['CAISSON_COMPRESS_MIN', 'no', /CAISSON_COMPRESS_MIN/]]) {
    const result = run(['serve', 'x'], { env: { ...process.env, [name]: value } });
    assert.equal(result.status, 2);
    assert.match(result.stderr, hint);
  }
});
