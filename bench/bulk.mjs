// bulk.mjs - rows by the million, in, out and counted, beside what the sqlite3 shell needs for the same work: CPU seconds of either process.
//   node bench/bulk.mjs [ROWS]
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import { build, file, log, removeFiles, start, stop } from './server.mjs';

const rows = Number(process.argv[2] ?? 1000000);
const contract = `extend schema @service(name: "bulk", version: "v1")
type Entry @resource @access(read: "true", write: "true") @index(fields: ["kind"]) {
  code: String! @id
  sku: String! @unique
  name: String!
  kind: Int!
  amount: Int!
}
`;
const ticksPerSecond = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout);

function writeInput() {
  const csv = fs.createWriteStream(file('in.csv')), ndjson = fs.createWriteStream(file('in.ndjson'));
  csv.write('code,sku,name,kind,amount\r\n');
  for (let i = 0; i < rows; i++) {
    const code = String(i).padStart(8, '0'), sku = `S${String((i * 7919) % rows).padStart(8, '0')}`, name = `Darjeeling first flush, lot ${i}`;
    csv.write(`${code},${sku},"${name}",${i % 50},${i % 1000}\r\n`);
    ndjson.write(`{"code":"${code}","sku":"${sku}","name":"${name}","kind":${i % 50},"amount":${i % 1000}}\n`);
  }
  return Promise.all([csv, ndjson].map((stream) => new Promise((resolve) => stream.end(resolve))));
}

function processFigures(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const memory = Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
  return { cpu: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond, rssMb: memory / 1024 };
}

function request(server, method, path, headers, from = null, to = null) {
  return new Promise((resolve, reject) => {
    const sent = http.request({ port: server.port, method, path, headers }, (response) => {
      const pieces = [];
      if (to) response.pipe(fs.createWriteStream(to)).on('finish', () => resolve(response.statusCode));
      else response.on('data', (piece) => pieces.push(piece)).on('end', () => resolve([response.statusCode, Buffer.concat(pieces).toString()]));
      response.on('error', reject);
    }).on('error', reject);
    if (from) fs.createReadStream(from).pipe(sent); else sent.end();
  });
}

// CPU seconds of the server for one request, and by how many MB it has grown.
async function ours(server, ...args) {
  const before = processFigures(server.pid);
  const answer = await request(server, ...args);
  const after = processFigures(server.pid);
  return { answer, cpu: after.cpu - before.cpu, grownMb: after.rssMb - before.rssMb };
}

// CPU seconds of the shell, by the operating system's account of children.
function shell(database, script, out = '/dev/null') {
  const timed = spawnSync('bash', ['-c', `TIMEFORMAT='%U %S'; time sqlite3 "$0" < "$1" > "$2"`, file(database), script, out], { encoding: 'utf8' });
  if (timed.status !== 0) throw new Error(timed.stderr);
  const [user, system] = timed.stderr.trim().split('\n').pop().split(' ').map(Number);
  return user + system;
}
function script(name, text) { fs.writeFileSync(file(name), text); return file(name); }

const lines = [];
function note(what, own, theirs, goal) {
  const share = theirs / own.cpu;
  lines.push(`| ${what} | ${own.cpu.toFixed(2)} | ${theirs.toFixed(2)} | ${(share * 100).toFixed(0)} % | ${goal} | ${own.grownMb.toFixed(0)} |`);
  log(lines[lines.length - 1]);
}

async function main() {
  log(`writing ${rows} rows`);
  await writeInput();
  fs.writeFileSync(file('bulk.graphql'), contract);
  const server = await start(`${build}/caisson`, ['serve', file('bulk.graphql'), '--listen', '127.0.0.1:0', '--store', `sqlite:${file('ours.db')}`, '--statement-timeout', '10m', '--threads', '1', '--log', 'off']);
  const table = 'CREATE TABLE entries (code TEXT NOT NULL PRIMARY KEY, sku TEXT NOT NULL UNIQUE, name TEXT NOT NULL, kind INTEGER NOT NULL, amount INTEGER NOT NULL) WITHOUT ROWID; CREATE INDEX by_kind ON entries(kind);';
  const pragmas = 'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;';
  const imported = await ours(server, 'POST', '/v1/entries', { 'content-type': 'text/csv' }, file('in.csv'));
  if (imported.answer[1] !== `{"created":${rows}}`) throw new Error(imported.answer[1]);
  note('import, CSV', imported, shell('shell.db', script('import.sql', `${pragmas} ${table}\n.import --csv --skip 1 ${file('in.csv')} entries\n`)), '≥ 60 %');
  const csv = await ours(server, 'GET', '/v1/entries', { accept: 'text/csv' }, null, file('out.csv'));
  note('export, CSV', csv, shell('shell.db', script('csv.sql', '.mode csv\n.headers on\nSELECT * FROM entries ORDER BY code;\n'), file('shell.csv')), '≥ 60 %');
  const json = await ours(server, 'GET', '/v1/entries', { accept: 'application/x-ndjson' }, null, file('out.ndjson'));
  note('export, NDJSON', json, shell('shell.db', script('json.sql', '.mode json\nSELECT * FROM entries ORDER BY code;\n'), file('shell.json')), '≥ 60 %');
  if (fs.readFileSync(file('out.ndjson')).compare(fs.readFileSync(file('in.ndjson'))) !== 0) throw new Error('what went out is not what came in');
  const groups = await ours(server, 'GET', '/v1/entries:aggregate?by=kind&metrics=count,sum(amount),avg(amount),max(amount)', {});
  if (groups.answer[0] !== 200) throw new Error(groups.answer[1]);
  note('aggregate into 50 groups', groups, shell('shell.db', script('sum.sql', 'SELECT kind, count(*), sum(amount), avg(amount), max(amount) FROM entries GROUP BY kind ORDER BY kind;\n')), '');
  await stop(server);
  console.log(`| ${rows.toLocaleString('en')} rows | CPU, s | sqlite3 shell, s | shell to ours | goal | grown by, MB |\n|---|--:|--:|--:|---|--:|\n${lines.join('\n')}`);
}

try { await main(); } finally { removeFiles(); }
