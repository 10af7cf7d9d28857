// h2spec.test.mjs - HTTP/2 held against h2spec, strict, in the clear and over TLS. What is left over is named here with its reason; anything else
// is a failure.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { makeFolder, removeFolder, root, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "true") { code: String! @id text: String! }`;
const h2spec = path.join(root, 'build-test/go/bin/h2spec');
const CASES = 146;

const leftOver = new Map([
  ['Sends invalid connection preface', 'the port speaks HTTP/1.1 too: what is no preface is a request, and hears 400 before the connection is closed'],
  ['half closed (remote): Sends a DATA frame', 'the answer may have closed the stream by then; below'],
  ['closed: Sends a DATA frame', 'RFC 9113 §5.1: an endpoint MAY take it as an error; nghttp2 discards it and keeps the window right'],
  ['closed: Sends a DATA frame after sending RST_STREAM frame', 'as above'],
  ['Sends PRIORITY frame that depend on itself', 'RFC 9113 §5.3.2 deprecates priorities; nghttp2 has none to be wrong about'],
]);

let folder;
before(() => { folder = makeFolder(); });
after(() => removeFolder(folder));

// Of the report in JUnit's form: the cases that failed, and how many there were.
function readReport(file) {
  const cases = [...fs.readFileSync(file, 'utf8').matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g)];
  return { count: cases.length, failed: cases.filter(([, , , body]) => body.trim() !== '').map(([, section, name, body]) => ({ section, name, body })) };
}

async function check(options, more) {
  const server = await startServer({ contract, options: ['--threads', '1', ...options] });
  try {
    const report = path.join(folder, 'report.xml');
    const args = ['-h', '127.0.0.1', '-p', String(server.port), '--strict', '-P', '/v1/notes', '-j', report, ...more];
    const child = spawn(h2spec, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { said += piece; });
    await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
    const { count, failed } = readReport(report);
    assert.equal(count, CASES, said);
    for (const { section, name, body } of failed) assert.ok(leftOver.has(name), `${section}: ${name}\n${body}`);
    assert.equal(server.child.exitCode, null);
  } finally { await server.stop(); removeFolder(server.folder); }
}

test('h2spec, strict, in the clear', { timeout: 120000 }, () => check([], []));

test('h2spec, strict, over TLS', { timeout: 120000 }, () => {
  const authority = makeAuthority(folder, 'authority'), own = makeCertificate(folder, authority, 'localhost');
  return check(['--tls-cert', own.cert, '--tls-key', own.key], ['-t', '-k']);
});
