// postgres.mjs - a PostgreSQL server of the tests' own: in a temporary folder, on a Unix socket there (and on a free port, if wanted), as a
// user that isn't root, ended with the test. No cluster of the system's is touched.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

export const password = 'only-for-tests-7c1d';

// Debian keeps the programs of each version in a folder of their own, off the PATH.
function findPrograms() {
  const base = '/usr/lib/postgresql';
  const versions = fs.existsSync(base) ? fs.readdirSync(base).filter((name) => fs.existsSync(path.join(base, name, 'bin/initdb'))) : [];
  if (versions.length > 0) return path.join(base, versions.sort((a, b) => Number(b) - Number(a))[0], 'bin');
  const found = spawnSync('which', ['initdb'], { encoding: 'utf8' }).stdout.trim();
  if (!found) throw new Error('PostgreSQL is not installed: scripts/dependencies.sh test');
  return path.dirname(fs.realpathSync(found));
}

// PostgreSQL refuses to run as root.
export function unprivileged() {
  if (process.getuid() !== 0) return {};
  for (const user of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', user], { encoding: 'utf8' });
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(spawnSync('id', ['-g', user], { encoding: 'utf8' }).stdout) };
  }
  throw new Error('there is no user postgres or nobody to run PostgreSQL as');
}

async function freePort() {
  const server = net.createServer();
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A folder of their own for the user that PostgreSQL runs as.
function makeFolder(user) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-pg-'));
  if (user.uid !== undefined) fs.chownSync(folder, user.uid, user.gid);
  fs.chmodSync(folder, 0o755);
  return folder;
}

// `settings`: of postgresql.conf. `tcp`: also listens on 127.0.0.1, where a password is asked for.
export async function startPostgres({ settings = {}, tcp = false } = {}) {
  const programs = findPrograms();
  const user = unprivileged();
  const folder = makeFolder(user);
  const passwordFile = path.join(folder, 'password');
  fs.writeFileSync(passwordFile, password);
  if (user.uid !== undefined) fs.chownSync(passwordFile, user.uid, user.gid);
  const data = path.join(folder, 'data');
  const made = spawnSync(path.join(programs, 'initdb'),
    ['-D', data, '-U', 'caisson', '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--no-locale', '--no-sync', '-N'],
    { ...user, cwd: folder, encoding: 'utf8', timeout: 120000, env: { PATH: process.env.PATH, TZ: 'UTC' } });
  if (made.status !== 0) throw new Error(`initdb failed\n${made.stdout}\n${made.stderr}\n${made.error ?? ''}`);
  const all = { fsync: 'off', shared_buffers: '64MB', max_connections: 100, unix_socket_directories: folder, listen_addresses: '', timezone: 'America/New_York', ...settings };
  const server = makeServer({ programs, user, folder, data, settings: all, tcp });
  await server.start();
  return server;
}

// `data` holds a cluster already.
function makeServer({ programs, user, folder, data, settings: all, tcp = false }) {
  const server = { folder, programs, port: 5432, child: null, log: '' };

  server.start = async () => {
    if (tcp && !server.hasPort) { server.port = await freePort(); server.hasPort = true; }
    const args = ['-D', data, '-p', String(server.port), ...Object.entries({ ...all, ...(tcp ? { listen_addresses: '127.0.0.1' } : {}) }).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    const child = spawn(path.join(programs, 'postgres'), args, { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH } });
    server.child = child;
    server.exited = new Promise((resolve) => child.once('exit', resolve));
    child.stderr.on('data', (chunk) => { server.log = (server.log + chunk).slice(-100000); });
    for (let i = 0; ; i++) {
      if (spawnSync(path.join(programs, 'pg_isready'), ['-h', folder, '-p', String(server.port), '-d', 'postgres', '-U', 'caisson']).status === 0) return;
      if (child.exitCode !== null || i > 1200) throw new Error(`PostgreSQL did not start\n${server.log}`);
      await sleep(25);
    }
  };
  // SIGTERM waits for clients, SIGINT sends them away, SIGQUIT is a crash.
  server.stop = async (signal = 'SIGINT') => {
    if (server.child === null) return;
    server.child.kill(signal);
    await server.exited;
    server.child = null;
  };
  server.remove = async () => {
    process.off('exit', atExit);
    await server.stop('SIGQUIT');
    fs.rmSync(folder, { recursive: true, force: true });
  };
  const atExit = () => { server.child?.kill('SIGQUIT'); fs.rmSync(folder, { recursive: true, force: true }); };
  process.on('exit', atExit);
  // A test that is ended from outside ends its server, too.
  for (const signal of ['SIGTERM', 'SIGINT']) if (process.listenerCount(signal) === 0) process.once(signal, () => process.exit(1));

  server.url = (database = 'postgres') => `postgresql://caisson@/${database}?host=${encodeURIComponent(folder)}&port=${server.port}`;
  server.tcpUrl = (database = 'postgres', port = server.port) => `postgresql://caisson:${password}@127.0.0.1:${port}/${database}`;
  // Rows as arrays of texts.
  server.query = (sql, database = 'postgres') => {
    const result = spawnSync(path.join(programs, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-F', '\x1f', '-h', folder, '-p', String(server.port), '-U', 'caisson', '-d', database, '-c', sql],
      { encoding: 'utf8', timeout: 60000 });
    if (result.status !== 0) throw new Error(`psql: ${result.stderr}`);
    return result.stdout.split('\n').filter(Boolean).map((line) => line.split('\x1f'));
  };
  // Runs beside the test, until it ends by itself.
  server.hold = (sql, database = 'postgres') => {
    const child = spawn(path.join(programs, 'psql'), ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', folder, '-p', String(server.port), '-U', 'caisson', '-d', database, '-c', sql], { stdio: 'ignore' });
    return { child, done: new Promise((resolve) => child.once('exit', resolve)) };
  };
  // A standby that follows this one; the caller removes it.
  server.replica = async () => {
    const base = makeFolder(user);
    const copy = path.join(base, 'data');
    const made = spawnSync(path.join(programs, 'pg_basebackup'), ['-h', folder, '-p', String(server.port), '-U', 'caisson', '-D', copy, '-R', '-X', 'stream', '-c', 'fast', '--no-sync'],
      { ...user, cwd: base, encoding: 'utf8', timeout: 120000, env: { PATH: process.env.PATH } });
    if (made.status !== 0) throw new Error(`pg_basebackup failed\n${made.stderr}\n${made.error ?? ''}`);
    const replica = makeServer({ programs, user, folder: base, data: copy, settings: { ...all, unix_socket_directories: base } });
    await replica.start();
    return replica;
  };
  let databases = 0;
  server.createDatabase = () => {
    const name = `test_${++databases}`;
    server.query(`CREATE DATABASE ${name} TEMPLATE template0`);
    return name;
  };
  return server;
}
