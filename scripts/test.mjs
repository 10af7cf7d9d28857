// test.mjs - runs the parts of the test-suite one after another and adds up what they say. A part's whole output goes to a file under
// build-test/logs; what failed is shown at once.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

// What most parts run on: `test`, under ASan and UBSan, or `coverage`.
const kind = process.env.CAISSON_BUILD ?? 'test';

const logs = 'build-test/logs';
// A test that waits for ever ends with its part: every file says something within this time.
const SILENCE_MAX_MS = 8 * 60 * 1000;
const total = { passed: 0, failed: 0, skipped: 0 };

function execute(command, args, log, env = {}, silenceMaxMs = Infinity) {
  return new Promise((resolve) => {
    const out = fs.openSync(path.join(logs, log), 'w');
    const child = spawn(command, args, { stdio: ['ignore', out, out], env: { ...process.env, ...env }, detached: true });
    const endAll = (signal) => { try { process.kill(-child.pid, signal); } catch { /* they have ended */ } };
    const onInterrupt = () => { endAll('SIGTERM'); process.exit(130); };
    const watch = setInterval(() => {
      if (Date.now() - fs.fstatSync(out).mtimeMs < silenceMaxMs) return;
      const left = spawnSync('ps', ['-eo', 'pid,ppid,etimes,args', '--sort', 'etimes'], { encoding: 'utf8' }).stdout ?? '';
      fs.writeSync(out, `\nnot ok 0 - nothing was said for ${silenceMaxMs / 1000} s: something waits for ever, and was ended. These ran:\n${left.split('\n').filter((line) => !/\[.*\]$/.test(line)).join('\n').slice(-4000)}\n`);
      endAll('SIGKILL');
    }, 5000);
    const end = (code) => {
      clearInterval(watch);
      process.off('SIGINT', onInterrupt);
      fs.closeSync(out);
      resolve(code);
    };
    process.once('SIGINT', onInterrupt);
    child.once('error', (error) => { fs.writeSync(out, String(error)); end(127); });
    child.once('exit', (code) => end(code ?? 1));
  });
}

const readLog = (name) => fs.readFileSync(path.join(logs, name), 'utf8');

// Each kind is built once; see buildAhead.
const builds = new Map();
const runBuild = (command, args) => execute(command, args, `build-${args.at(-1)}.log`);

async function build(kind) {
  if ((await (builds.get(kind) ?? runBuild('scripts/build.sh', [kind]))) === 0) return true;
  console.log(`The ${kind} build failed:\n${readLog(`build-${kind}.log`).slice(-6000)}`);
  return false;
}

// A TAP test may hold subtests; each `ok` is one.
function countTap(text) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const match of text.matchAll(/^\s*(not )?ok\b(.*)$/gm)) {
    if (/#\s*skip/i.test(match[2])) counts.skipped++;
    else if (match[1]) counts.failed++;
    else counts.passed++;
  }
  return counts;
}

// Meson notes each program's output; one that crashed counts as one failure more than it printed.
async function runMeson(folder, suites) {
  const args = ['test', '-C', folder, '--no-rebuild', '--print-errorlogs', ...suites.flatMap((suite) => ['--suite', suite])];
  const log = `${folder}.log`;
  await execute('meson', args, log, { ASAN_OPTIONS: 'detect_leaks=1', UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1', TSAN_OPTIONS: 'halt_on_error=1' });
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const file = `${folder}/meson-logs/testlog.json`;
  const entries = fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) : [];
  if (entries.length === 0) return { passed: 0, failed: 1, skipped: 0, report: readLog(log) };
  let report = '';
  for (const { name, result, stdout, stderr } of entries) {
    const tap = countTap(stdout ?? '');
    const isGood = result === 'OK' || result === 'SKIP';
    counts.passed += tap.passed || (isGood && tap.skipped === 0 ? 1 : 0);
    counts.skipped += tap.skipped;
    counts.failed += isGood ? tap.failed : Math.max(tap.failed, 1);
    if (!isGood) report += `--- ${name}: ${result}\n${(stdout ?? '').split('\n').filter((line) => !/^\s*ok /.test(line)).join('\n').slice(-3000)}\n${(stderr ?? '').slice(-5000)}\n`;
  }
  return { ...counts, report };
}

// Node's runner: the totals stand at the end of its TAP, failures as `not ok` with what is indented below.
function readNodeTap(text) {
  const total = (name) => Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  const hasEnd = /^# pass \d+$/m.test(text);
  const counts = { passed: total('pass'), failed: total('fail') + total('cancelled') + (hasEnd ? 0 : 1), skipped: total('skipped') + total('todo') };
  const leaves = [...text.matchAll(/^( *)not ok \d+ - (.*)\n\1  ---\n([\s\S]*?)\n\1  \.\.\./gm)].filter((match) => !/subtestsFailed/.test(match[3]));
  const report = leaves.map((match) => `--- ${match[2]}\n${match[3].split('\n').filter((line) => !/^\s*(duration_ms|type|location|failureType|code|name|operator|stack|at |node:|async |Suite|Test|new Promise|process)/.test(line)).join('\n').slice(0, 2500)}\n`).join('');
  return { ...counts, report: counts.failed > 0 ? report || text.slice(-3000) : '' };
}

async function runNode(name, files, env) {
  await execute('node', ['--test', '--test-reporter=tap', ...files], `${name}.log`, env, SILENCE_MAX_MS);
  return readNodeTap(readLog(`${name}.log`));
}

const testsIn = (folder) => fs.readdirSync(folder).filter((name) => name.endsWith('.test.mjs')).sort().map((name) => path.join(folder, name));
const sanitized = { CAISSON_BIN: `build-${kind}/caisson`, UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1' };

const parts = [
  { name: 'unit', title: 'unit, property and conformance tests, under ASan and UBSan', build: kind, run: () => runMeson(`build-${kind}`, []) },
  { name: 'scenario', title: 'scenarios, against a server under ASan and UBSan', build: kind, run: () => runNode('scenario', ['tests/scenario/scenario.test.mjs'], sanitized) },
  { name: 'scenario-grpc', title: 'scenarios over gRPC, on SQLite', build: kind, packages: ['tests/grpc'], run: () => runNode('scenario-grpc', ['tests/scenario/scenario.test.mjs'], { ...sanitized, CAISSON_FACES: 'grpc', CAISSON_STORES: 'sqlite' }) },
  { name: 'differential', title: 'random operations with the same answers on SQLite and PostgreSQL, under ASan and UBSan', build: kind, packages: ['tests/grpc'], run: () => runNode('differential', ['tests/differential/differential.test.mjs'], sanitized) },
  { name: 'end-to-end', title: 'end-to-end tests, against a server under ASan and UBSan', build: kind, packages: ['tests/clients', 'tests/grpc'], run: () => runNode('end-to-end', testsIn('tests/e2e'), sanitized) },
  { name: 'graphql', title: 'GraphQL held against its reference and Apollo\'s tools, under ASan and UBSan', build: kind, packages: ['tests/graphql'], run: () => runNode('graphql', testsIn('tests/graphql'), sanitized) },
  { name: 'thread', title: 'what threads share, under TSan', build: 'thread', run: () => runMeson('build-thread', ['io', 'store', 'http', 'api', 'conformance']) },
  { name: 'thread-server', title: 'a server of several threads under load, under TSan', build: 'thread',
    run: () => runNode('thread-server', testsIn('tests/thread'), { CAISSON_BIN: 'build-thread/caisson', TSAN_OPTIONS: 'halt_on_error=1 second_deadlock_stack=1' }) },
];

async function install(folders) {
  if (folders === undefined) return true;
  for (const [script, args, log] of [...folders.map((folder) => ['scripts/npm.sh', [folder], 'npm.log']), ['scripts/python.sh', [], 'python.log'], ['scripts/go.sh', [], 'go.log']]) {
    if ((await execute(script, args, log)) === 0) continue;
    console.log(readLog(log).slice(-3000));
    return false;
  }
  return true;
}

async function runPart(part) {
  const begin = Date.now();
  // What counts lines looks for nothing else.
  process.stdout.write(`${kind === 'test' ? part.title : part.title.replace(/,? (against a server )?under ASan and UBSan/, '')} … `);
  const result = (await build(part.build)) && (await install(part.packages)) ? await part.run() : { passed: 0, failed: 1, skipped: 0, report: '' };
  for (const name of Object.keys(total)) total[name] += result[name];
  console.log(`${result.passed} passed, ${result.failed} failed${result.skipped ? `, ${result.skipped} skipped` : ''} (${((Date.now() - begin) / 1000).toFixed(0)} s)`);
  if (result.failed > 0) console.log(result.report);
}

// What a later part is built of is compiled while the parts before it run, in the time that they leave: they wait a good deal.
function buildAhead([current, ...later]) {
  const next = later.find((part) => part.build !== current.build);
  if (next !== undefined && !builds.has(next.build)) builds.set(next.build, runBuild('nice', ['-n', '19', 'scripts/build.sh', next.build]));
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !parts.some((part) => part.name === name));
if (unknown.length > 0) {
  console.error(`test: no part ${unknown.join(', ')}; there are ${parts.map((part) => part.name).join(', ')}`);
  process.exit(2);
}
fs.mkdirSync(logs, { recursive: true });
const chosen = parts.filter((part) => wanted.length === 0 || wanted.includes(part.name));
for (const [i, part] of chosen.entries()) {
  buildAhead(chosen.slice(i));
  await runPart(part);
}
console.log(`${total.passed} passed, ${total.failed} failed${total.skipped ? `, ${total.skipped} skipped` : ''}`);
process.exit(total.failed > 0 ? 1 : 0);
