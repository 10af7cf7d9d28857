// rows.mjs - the same rows in every peer's own kind of database: products, and five reviews of each (not for PocketBase). Caisson makes its own
// tables; the others' are as somebody would write them.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { build } from '../server.mjs';

// The key of row i: a UUID, or as many letters and digits of one as a peer's keys have.
export function keyOf(i, length = 36) {
  const hex = createHash('sha256').update(`row ${i}`).digest('hex');
  return length === 36 ? `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}` : hex.slice(0, length);
}

function must(command, args, options = {}) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  if (status !== 0) throw new Error(`${command}: ${stderr ?? ''}${error ?? ''}`);
}
const makeOurs = (store) => must(`${build}/caisson`, ['migrate', 'apply', 'bench/bench.graphql', '--dir', 'build/peers/no-migrations', '--store', store]);

const quoted = (values) => `(${values.map((value) => (typeof value === 'number' ? value : `'${value}'`)).join(',')})`;
const inserts = (columns, rows, valuesOf) => `BEGIN;\n${Array.from({ length: rows }, (_, i) => `INSERT INTO products (${columns}) VALUES ${quoted(valuesOf(i))};`).join('\n')}\nCOMMIT;\n`;
const columns = 'id, sku, name, price, stock, number, created_at';
// Their keys are the product's but for the last digit.
const reviews = (keyOfReview, numbers) => `INSERT INTO reviews (id, product_id, stars, text) SELECT ${keyOfReview}, products.id, n, 'The best I have had. Everyone asks where it is from, number ' || n || '.' FROM products, ${numbers}`;

export function fillSqlite(file, rows, isOurs) {
  if (isOurs) makeOurs(`sqlite:${file}`);
  const table = `PRAGMA journal_mode = WAL;
CREATE TABLE products (id TEXT NOT NULL PRIMARY KEY, sku TEXT NOT NULL, name TEXT NOT NULL, price TEXT NOT NULL, stock INTEGER NOT NULL DEFAULT 0, number INTEGER NOT NULL, created_at TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX products_number ON products (number);
CREATE TABLE reviews (id TEXT NOT NULL PRIMARY KEY, product_id TEXT NOT NULL REFERENCES products (id) ON DELETE CASCADE, stars INTEGER NOT NULL, text TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX reviews_product ON reviews (product_id, id);
`;
  const input = (isOurs ? '' : table) + inserts(columns, rows, (i) => [keyOf(i), `SKU-${i}`, `Darjeeling first flush, lot ${i}`, '12.5', i, i, '2026-01-02T03:04:05.678Z'])
    + `${reviews('substr(products.id, 1, 35) || n', '(SELECT value AS n FROM json_each(\'[1,2,3,4,5]\'))')};\n`;
  // What the sqlite3 shell doesn't know, as a collation of ours, it needn't know for an insert.
  must('sqlite3', ['-bail', file], { input });
}

// Returns the database's address.
export function fillPostgres(server, name, rows, isOurs) {
  server.query(`CREATE DATABASE ${name} TEMPLATE template0`);
  const url = server.url(name);
  if (isOurs) makeOurs(url);
  else server.query('CREATE TABLE products (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), sku text NOT NULL, name text NOT NULL, price numeric NOT NULL, stock integer NOT NULL DEFAULT 0, number integer NOT NULL, created_at timestamptz NOT NULL DEFAULT now()); CREATE INDEX ON products (number); '
    + 'CREATE TABLE reviews (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), product_id uuid NOT NULL REFERENCES products ON DELETE CASCADE, stars integer NOT NULL, text text NOT NULL); CREATE INDEX ON reviews (product_id, id)', name);
  server.query(`INSERT INTO products (${columns}) SELECT (substr(hex, 1, 12) || '4' || substr(hex, 14, 3) || '8' || substr(hex, 18, 3) || substr(hex, 21, 12))::uuid, 'SKU-' || i, 'Darjeeling first flush, lot ' || i, 12.5, i, i, '2026-01-02T03:04:05.678Z'
    FROM generate_series(0, ${rows - 1}) AS i, LATERAL (SELECT encode(sha256(('row ' || i)::bytea), 'hex')) AS digest (hex)`, name);
  server.query(reviews('(left(products.id::text, 35) || n)::uuid', 'generate_series(1, 5) AS n'), name);
  server.query('ANALYZE', name);
  return url;
}

const collection = {
  name: 'products', type: 'base', listRule: '', viewRule: '', createRule: '',
  fields: [
    { name: 'sku', type: 'text', required: true }, { name: 'name', type: 'text', min: 1, max: 200 }, { name: 'price', type: 'text', pattern: '^[0-9]+(\\.[0-9]+)?$' },
    { name: 'stock', type: 'number' }, { name: 'number', type: 'number' }, { name: 'createdAt', type: 'autodate', onCreate: true },
  ],
  indexes: ['CREATE INDEX products_number ON products (number)'],
};

// Its collection is made by its own interface, its rows by SQL while it stands still.
export async function fillPocketbase(program, folder, rows, port) {
  const admin = { identity: 'admin@example.com', password: 'only-for-the-bench-7c1d' };
  must(program, ['superuser', 'upsert', admin.identity, admin.password, '--dir', folder]);
  const child = spawn(program, ['serve', '--http', `127.0.0.1:${port}`, '--dir', folder], { stdio: 'ignore' });
  const post = (address, body, token) => fetch(`http://127.0.0.1:${port}${address}`, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...(token && { authorization: token }) } });
  try {
    for (let i = 0; ; i++) {
      if (await fetch(`http://127.0.0.1:${port}/api/health`).then(() => true, () => false)) break;
      if (i > 200) throw new Error('PocketBase does not answer');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const { token } = await (await post('/api/collections/_superusers/auth-with-password', admin)).json();
    const made = await post('/api/collections', collection, token);
    if (!made.ok) throw new Error(`PocketBase refused the collection: ${await made.text()}`);
  } finally {
    await new Promise((resolve) => { child.once('exit', resolve); child.kill('SIGTERM'); });
  }
  must('sqlite3', ['-bail', path.join(folder, 'data.db')], { input: inserts('id, sku, name, price, stock, number, createdAt', rows, (i) => [keyOf(i, 15), `SKU-${i}`, `Darjeeling first flush, lot ${i}`, '12.5', i, i, '2026-01-02 03:04:05.678Z']) });
}
