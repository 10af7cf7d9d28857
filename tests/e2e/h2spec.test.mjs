// h2spec.test.mjs - HTTP/2 held against h2spec, strict, in the clear and over TLS. What is left over is named here with its reason.
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

// Exactly these fail: one that is lost is a fault, and one that is won is taken from the list.
const priority = ['5.3.1 Sends PRIORITY frame that depend on itself', 'RFC 9113 §5.3.2 deprecates priorities, and no longer says that this is a mistake; nghttp2 passes over them'];
const preface = ['3.5 Sends invalid connection preface', 'the port speaks HTTP/1.1 too: what is no preface is a request, and hears 400 before the connection is closed; over TLS, ALPN has said what it is'];
const leftOver = { clear: new Map([preface, priority]), tls: new Map([priority]) };

let folder;
before(() => { folder = makeFolder(); });
after(() => removeFolder(folder));

// Of the report in JUnit's form: the cases that failed, and how many there were.
function readReport(file) {
  const cases = [...fs.readFileSync(file, 'utf8').matchAll(/<testcase package="([^"]*)" classname="([^"]*)"[^>]*>([\s\S]*?)<\/testcase>/g)];
  return { count: cases.length, failed: cases.filter(([, , , body]) => body.trim() !== '').map(([, section, name, body]) => ({ name: `${section.replace('http2/', '')} ${name}`, body })) };
}

async function check(options, more, wanted) {
  const server = await startServer({ contract, options: ['--threads', '1', ...options] });
  try {
    const report = path.join(folder, 'report.xml');
    const args = ['-h', '127.0.0.1', '-p', String(server.port), '--strict', '-o', '5', '-P', '/v1/notes', '-j', report, ...more];
    const child = spawn(h2spec, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { said += piece; });
    await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
    const { count, failed } = readReport(report);
    assert.equal(count, CASES, said);
    assert.deepEqual(failed.map(({ name }) => name).sort(), [...wanted.keys()].sort(), JSON.stringify(failed, null, 1));
    assert.equal(server.child.exitCode, null);
  } finally { await server.stop(); removeFolder(server.folder); }
}

test('h2spec, strict, in the clear', { timeout: 120000 }, () => check([], [], leftOver.clear));

test('h2spec, strict, over TLS', { timeout: 120000 }, () => {
  const authority = makeAuthority(folder, 'authority'), own = makeCertificate(folder, authority, 'localhost');
  return check(['--tls-cert', own.cert, '--tls-key', own.key], ['-t', '-k'], leftOver.tls);
});
