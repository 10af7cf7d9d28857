// pooler.mjs - PgBouncer in front of a test's own PostgreSQL, in transaction mode, on a socket in a folder of its own.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { unprivileged } from './postgres.mjs';

export async function startPooler(postgres, settings = {}) {
  const user = unprivileged();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-pool-'));
  const all = { unix_socket_dir: folder, listen_port: 6432, listen_addr: '', auth_type: 'trust', auth_file: path.join(folder, 'users'), pool_mode: 'transaction', default_pool_size: 3, ...settings };
  fs.writeFileSync(all.auth_file, '"caisson" ""\n');
  fs.writeFileSync(path.join(folder, 'pool.ini'), `[databases]\n* = host=${postgres.folder} port=${postgres.port}\n[pgbouncer]\n${Object.entries(all).map(([name, value]) => `${name} = ${value}\n`).join('')}`);
  for (const file of ['', 'users', 'pool.ini']) if (user.uid !== undefined) fs.chownSync(path.join(folder, file), user.uid, user.gid);
  const child = spawn('/usr/sbin/pgbouncer', [path.join(folder, 'pool.ini')], { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk) => { log += chunk; });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  for (let i = 0; !fs.existsSync(path.join(folder, '.s.PGSQL.6432')); i++) {
    assert.ok(child.exitCode === null && i < 400, `PgBouncer did not start\n${log}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return {
    folder,
    url: (database) => `postgresql://caisson@/${database}?host=${encodeURIComponent(folder)}&port=6432`,
    stop: async () => { child.kill('SIGKILL'); await exited; fs.rmSync(folder, { recursive: true, force: true }); },
  };
}
