// certificates.mjs - keys and certificates that live as long as a test, made by the openssl command.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

function openssl(folder, ...args) {
  const result = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8', timeout: 60000 });
  if (result.status !== 0) throw new Error(`openssl ${args[0]}: ${result.error ?? result.stderr}`);
}

const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

// An authority: { cert, key } are paths, `pem` the certificate's text.
export function makeAuthority(folder, name) {
  openssl(folder, 'req', '-x509', ...key, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', '-subj', `/CN=${name}`);
  return describe(folder, name);
}

const alternative = (name) => (/^[\d.]+$/.test(name) ? `IP:${name}` : /^\w+:/.test(name) ? `URI:${name}` : `DNS:${name}`);

// A certificate for the names given (hosts, addresses, URIs), by an authority.
export function makeCertificate(folder, authority, name, names = [name], usage = 'serverAuth', subject = `/CN=${name}`) {
  const extensions = path.join(folder, `${name}.ext`);
  fs.writeFileSync(extensions, `subjectAltName=${names.map(alternative).join(',')}\nextendedKeyUsage=${usage}\n`);
  openssl(folder, 'req', '-new', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-utf8', '-subj', subject);
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, '-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial', '-days', '2', '-extfile', extensions, '-out', `${name}.pem`);
  return describe(folder, name);
}

const asn1Time = (ms) => new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');

// A client's certificate that is good from one moment to another (milliseconds since 1970; seconds are what a certificate can say).
export function makeDatedCertificate(folder, authority, name, from, to) {
  const file = (end) => path.join(folder, `${name}.${end}`);
  fs.writeFileSync(file('index'), '');
  fs.writeFileSync(file('ext'), 'extendedKeyUsage=clientAuth\n');
  fs.writeFileSync(file('cnf'), `[ca]\ndefault_ca=own\n[own]\ndatabase=${file('index')}\nnew_certs_dir=${folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\ncertificate=${authority.cert}\nprivate_key=${authority.key}\n[any]\ncommonName=supplied\n`);
  openssl(folder, 'req', '-new', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
  openssl(folder, 'ca', '-batch', '-notext', '-config', file('cnf'), '-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', file('ext'), '-startdate', asn1Time(from), '-enddate', asn1Time(to));
  return describe(folder, name);
}

// What the authority says of a certificate (RFC 6960): the path of the response in DER.
export function makeOcspResponse(folder, authority, certificate, name) {
  const serial = spawnSync('openssl', ['x509', '-in', certificate.cert, '-noout', '-serial'], { encoding: 'utf8' }).stdout.trim().replace('serial=', '');
  const index = path.join(folder, `${name}.index`);
  fs.writeFileSync(index, `V\t491231235959Z\t\t${serial}\tunknown\t/CN=${name}\n`);
  openssl(folder, 'ocsp', '-issuer', authority.cert, '-cert', certificate.cert, '-reqout', `${name}.ocspreq`, '-no_nonce');
  openssl(folder, 'ocsp', '-index', index, '-CA', authority.cert, '-rsigner', authority.cert, '-rkey', authority.key, '-reqin', `${name}.ocspreq`, '-respout', `${name}.ocsp`, '-ndays', '1');
  return path.join(folder, `${name}.ocsp`);
}

function describe(folder, name) {
  const cert = path.join(folder, `${name}.pem`);
  return { cert, key: path.join(folder, `${name}.key`), pem: fs.readFileSync(cert, 'utf8') };
}
