// server.mjs - starts the program on a port of the system's choice, in a folder of its own, and stops it.
import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from './http.mjs';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const program = path.resolve(root, process.env.CAISSON_BIN ?? 'build/caisson');
export const secret = 'a-secret-for-tests-only-0123456789abcdef';

const base64url = (value) => Buffer.from(value).toString('base64url');

// RFC 7515's compact form with HS256; `header` and `key` can be bent to make bad ones.
export function makeToken(claims, { key = secret, header = { alg: 'HS256', typ: 'JWT' } } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify({ iat: now, exp: now + 3600, ...claims }))}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

// What a process holds in memory.
export const residentKib = (pid) => Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))[1]);

export function makeFolder() {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'caisson-test-'));
}

// Runs a command to its end.
export function run(args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', timeout: 60000, maxBuffer: 64 * 1024 * 1024, ...options });
  if (result.error) throw result.error;
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

// Serves `contract` (SDL text, or the path of a file or folder when `contractPath` is given). Resolves once it listens.
// `wrapper`: a command that the program is started by.
export async function startServer({ contract, contractPath, store, options = [], env = {}, folder = makeFolder(), readyTimeoutMs = 30000, wrapper = [] } = {}) {
  if (contract !== undefined) {
    contractPath = path.join(folder, 'contract.graphql');
    fs.writeFileSync(contractPath, contract);
  }
  const hasListen = options.some((option) => option.startsWith('--listen'));
  const args = ['serve', contractPath, ...(hasListen ? [] : ['--listen', '127.0.0.1:0']), '--store', store ?? `sqlite:${path.join(folder, 'test.db')}`, ...options];
  const [command, ...commandArgs] = [...wrapper, program, ...args];
  const child = spawn(command, commandArgs, { cwd: folder, env: { ...process.env, CAISSON_JWT_SECRET: secret, CAISSON_LOG: 'off', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const server = { child, folder, contractPath, stdout: '', stderr: '', addresses: [], port: 0, exit: null };
  child.stderr.on('data', (data) => { server.stderr += data; });
  server.exited = new Promise((resolve) => child.once('exit', (code, signal) => { server.exit = { code, signal }; resolve(server.exit); }));
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => { child.kill('SIGKILL'); reject(new Error(`not listening after ${readyTimeoutMs} ms\n${server.stderr}`)); }, readyTimeoutMs);
    child.once('error', (error) => { clearTimeout(timer); reject(error); });
    child.once('exit', (code, signal) => { clearTimeout(timer); reject(new Error(`the server ended before it listened (${signal ?? `exit status ${code}`})\n${server.stderr}`)); });
    child.stdout.on('data', (data) => {
      server.stdout += data;
      server.addresses = [...server.stdout.matchAll(/^listening on (\S+)$/gm)].map((match) => match[1]);
      if (server.addresses.length === 0) return;
      clearTimeout(timer);
      server.port = Number(/:(\d+)$/.exec(server.addresses[0])?.[1] ?? 0);
      resolve();
    });
  });
  server.client = () => new Client(server.port);
  server.stop = (signal = 'SIGTERM', timeoutMs = 40000) => stopServer(server, signal, timeoutMs);
  return server;
}

async function stopServer(server, signal, timeoutMs) {
  if (!server.exit) server.child.kill(signal);
  const timer = setTimeout(() => server.child.kill('SIGKILL'), timeoutMs);
  const exit = await server.exited;
  clearTimeout(timer);
  // A sanitizer speaks on stderr and, for leaks, through the exit status.
  if (/(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:)/.test(server.stderr)) throw new Error(`a sanitizer complained:\n${server.stderr.slice(0, 6000)}`);
  if (signal === 'SIGTERM' && exit.code !== 0) throw new Error(`the server ended with ${exit.signal ?? exit.code}\n${server.stderr.slice(0, 4000)}`);
  return exit;
}

export function removeFolder(folder) {
  fs.rmSync(folder, { recursive: true, force: true });
}
