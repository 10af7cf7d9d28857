// testssl.test.mjs - what testssl.sh finds: protocols, ciphers and their order, forward secrecy, HTTP headers, known attacks. Nothing but what is
// named here with its reason.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { makeFolder, removeFolder, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "notes")
type Note @resource @access(read: "true", write: "auth.id != null") { code: String! @id text: String! }`;

const known = new Map([
  ['BREACH', 'answers are compressed, but who somebody is comes with a token that no other page makes a browser send: there is no stranger whose guesses meet a secret'],
  ['security_headers', 'rows as application/json are no page, and nothing sniffs that; pages carry theirs (e2e/docs)'],
]);
// What must have been looked at and found so, lest a run that ends early pass.
const wanted = {
  SSLv2: 'not offered', SSLv3: 'not offered', TLS1: 'not offered', TLS1_1: 'not offered', TLS1_2: 'offered', TLS1_3: 'offered with final', ALPN_HTTP2: 'h2',
  cipherlist_NULL: 'not offered', cipherlist_aNULL: 'not offered', cipherlist_EXPORT: 'not offered', cipherlist_LOW: 'not offered', cipherlist_3DES_IDEA: 'not offered',
  cipherlist_AVERAGE: 'not offered', cipherlist_STRONG: 'offered', PFS: 'offered', cipher_order: 'server', secure_renego: 'supported', secure_client_renego: 'not vulnerable',
  CRIME_TLS: 'not vulnerable', LUCKY13: 'not vulnerable', RC4: 'not vulnerable', heartbleed: 'not vulnerable, no heartbeat extension',
};

async function scan(folder, port) {
  const report = path.join(folder, 'report.json');
  const args = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1', '--jsonfile', report, '-p', '-s', '-f', '-P', '-h', '-U', `https://localhost:${port}/v1/notes`];
  const child = spawn('testssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => { said += piece; });
  await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  assert.ok(fs.existsSync(report), said);
  return JSON.parse(fs.readFileSync(report, 'utf8'));
}

test('testssl.sh finds nothing that is not known', { timeout: 400000 }, async () => {
  const folder = makeFolder();
  const own = makeCertificate(folder, makeAuthority(folder, 'authority'), 'localhost', ['localhost', '127.0.0.1']);
  const server = await startServer({ contract, options: ['--tls-cert', own.cert, '--tls-key', own.key, '--hsts', '8760h'] });
  try {
    const findings = await scan(folder, server.port);
    // Whether this machine's OpenSSL can do GOST is not the server's doing.
    const bad = findings.filter(({ id, severity }) => !['OK', 'INFO'].includes(severity) && id !== 'engine_problem');
    assert.deepEqual(bad.map(({ id }) => id).sort(), [...known.keys()], JSON.stringify(bad, null, 1));
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((id) => [id, findings.find((one) => one.id === id)?.finding])), wanted);
    for (const version of ['TLSv1_2', 'TLSv1_3']) {
      const { finding } = findings.find(({ id }) => id === `cipherorder_${version}`);
      for (const cipher of finding.trim().split(/\s+/)) assert.match(cipher, /^(TLS|ECDHE-ECDSA)[-_].*(GCM|CHACHA20)/);
    }
  } finally {
    await server.stop();
    removeFolder(server.folder);
    removeFolder(folder);
  }
});
