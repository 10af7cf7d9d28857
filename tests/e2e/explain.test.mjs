// explain.test.mjs - caisson explain, and Prefer: explain: what is told of a request, and to whom.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, run, startServer } from '../support/server.mjs';

const contract = `extend schema @service(name: "shop")
type Product @resource @search(fields: ["name"]) @access(read: "true", write: "'staff' in auth.roles") { id: ID! name: String! @unique reviews: [Review!]! }
type Review @resource
  @access(read: "published || owner == auth.id", create: "auth.id != null",
          update: "old.owner == auth.id && (stars > 2 || product.name == 'Tea')", delete: "'staff' in auth.roles") {
  id: ID!
  product: Product!
  owner: ID! @default(expr: "auth.id")
  stars: Int! @range(min: 1, max: 5)
  published: Boolean! @default(value: false)
}
`;
const staff = { sub: 'boss', roles: ['staff'] };
const headers = (claims) => ({ 'Content-Type': 'application/json', ...(claims ? { Authorization: `Bearer ${makeToken(claims)}` } : {}) });
const explain = { Prefer: 'explain' };
let server, client, file, store, product, review;

before(async () => {
  server = await startServer({ contract, options: ['--explain'] });
  file = server.contractPath;
  store = `sqlite:${path.join(server.folder, 'test.db')}`;
  client = server.client();
  product = JSON.parse((await client.request('POST', '/v1/products', { headers: headers(staff), body: '{"name":"Mug"}' })).text).id;
  review = JSON.parse((await client.request('POST', '/v1/reviews', { headers: headers({ sub: 'ann' }), body: JSON.stringify({ productId: product, stars: 3 }) })).text).id;
});

after(async () => {
  client.close();
  await server.stop();
  removeFolder(server.folder);
});

function command(request, { as, body, ...options } = {}) {
  const args = ['explain', file, request, '--format', options.format ?? 'json'];
  if (as) args.push('--as', JSON.stringify(as));
  if (options.store) args.push('--store', store);
  if (body) {
    fs.writeFileSync(path.join(server.folder, 'body.json'), JSON.stringify(body));
    args.push('--body', path.join(server.folder, 'body.json'));
  }
  const result = run(args);
  assert.equal(result.status, 0, result.stderr);
  return (options.format ?? 'json') === 'json' ? JSON.parse(result.stdout) : result.stdout;
}

test('a list: the operation, its rules for this caller, SQL with parameters, the plan and what would help it', () => {
  const told = command('GET /v1/reviews?stars[gte]=4&limit=5&fields=id,stars', { as: { sub: 'ann' } });
  assert.deepEqual(told.operations, [{ action: 'list', resource: 'Review', select: 'id, stars', filter: '(stars >= 4)', limit: '5' }]);
  assert.deepEqual(told.rules, [{ name: 'Review.read', rule: 'published || owner == auth.id', forCaller: '(published || (owner == "ann"))' }]);
  const [statement] = told.statements;
  assert.match(statement.sql, /^SELECT .* FROM "reviews"/);
  assert.deepEqual(statement.parameters, ['"ann"', '4', '6']);
  assert.equal(statement.plan[0].kind, 'scan');
  assert.equal(statement.plan[0].table, 'reviews');
  assert.match(statement.notes[0], /no index on stars; add @index\(fields: \["stars"\]\)/);
  assert.deepEqual(told.outcome, { isTried: false, isRefused: false });
});

test('a store tells how many rows a scan reads; a key is searched', () => {
  const scan = command('GET /v1/reviews?stars=4', { store: true });
  assert.match(scan.statements[0].notes[0], /^scans 1 row of reviews: no index on stars/);
  assert.equal(scan.outcome.rows, 0);
  const nested = command('GET /v1/products?fields=id,reviews(stars)', { store: true });
  assert.equal(nested.statements[1].purpose, 'rows of Review, for each row above');
  assert.deepEqual(nested.statements[1].plan.map((step) => [step.kind, step.table]).slice(0, 1), [['search', 'reviews']]);
  const one = command(`GET /v1/products/${product}`, { store: true });
  assert.deepEqual(one.statements[0].plan.map((step) => step.kind), ['search']);
  assert.deepEqual(one.statements[0].notes, []);
});

test('a search: its rows are put in the order of their rank', () => {
  const told = command('GET /v1/products?q=mug', { store: true });
  assert.ok(told.statements[0].notes.includes('puts all rows that are found in the order of their rank'), told.statements[0].notes.join('\n'));
  assert.equal(told.outcome.rows, 1);
});

test('refused whatever the row: the part of the rule that was false, with what it saw', () => {
  const told = command('DELETE /v1/products/1', { as: { sub: 'ann', roles: ['member'] } });
  assert.equal(told.outcome.status, 403);
  assert.equal(told.outcome.rule, 'Product.delete');
  assert.deepEqual(told.outcome.why, [{ expression: '("staff" in auth.roles)', verdict: 'false', values: [{ name: 'auth.roles', value: '["member"]' }] }]);
  assert.equal(command('POST /v1/reviews', { body: { stars: 3 } }).outcome.status, 401);
});

test('hidden: why a row that is there is not found', () => {
  const told = command(`GET /v1/reviews/${review}`, { as: { sub: 'bob' }, store: true });
  assert.equal(told.outcome.status, 404);
  assert.equal(told.outcome.rule, 'Review.read');
  assert.deepEqual(told.outcome.why, [
    { expression: 'published', verdict: 'false', values: [{ name: 'published', value: 'false' }] },
    { expression: '(owner == auth.id)', verdict: 'false', values: [{ name: 'owner', value: '"ann"' }, { name: 'auth.id', value: '"bob"' }] },
  ]);
  const absent = command('GET /v1/reviews/nowhere', { as: { sub: 'bob' }, store: true });
  assert.equal(absent.outcome.status, 404);
  assert.equal(absent.outcome.rule, undefined);
});

test('a write is tried and rolled back; what refuses it is named through relations too', () => {
  const refused = command(`PATCH /v1/reviews/${review}`, { as: { sub: 'ann' }, body: { stars: 1 }, store: true });
  assert.equal(refused.outcome.status, 403);
  assert.equal(refused.outcome.rule, 'Review.update');
  assert.deepEqual(refused.outcome.why.map((part) => [part.expression, part.verdict]), [['(stars > 2)', 'false'], ['(product.name == "Tea")', 'false']]);
  const done = command(`PATCH /v1/reviews/${review}`, { as: { sub: 'ann' }, body: { stars: 5 }, store: true });
  assert.equal(done.outcome.isRefused, false);
  assert.ok(done.statements.some((statement) => /^UPDATE "reviews"/.test(statement.sql)), JSON.stringify(done.statements));
  const stored = command(`GET /v1/reviews?stars=5&count=exact`, { as: { sub: 'ann' }, store: true });
  assert.equal(stored.outcome.rows, 0, 'nothing was changed');
});

test('what a write is checked for besides', () => {
  const told = command('POST /v1/products', { as: staff, body: { name: 'Mug' }, store: true });
  assert.ok(told.checks.includes('unique: Product (name)'), told.checks.join('\n'));
  assert.equal(told.outcome.status, 409);
  assert.deepEqual(told.outcome.errors.map((error) => [error.pointer, error.code]), [['/name', 'NOT_UNIQUE']]);
  const invalid = command('POST /v1/reviews', { as: staff, body: { stars: 9 }, store: true });
  assert.equal(invalid.outcome.status, 422);
  assert.deepEqual(command(`DELETE /v1/products/${product}`, { as: staff }).checks, ['delete: Review.product refuses the delete where it refers to the row']);
});

test('as text, for people', () => {
  const text = command('DELETE /v1/products/1', { format: 'text' });
  assert.match(text, /^Operation: delete Product\n/);
  assert.match(text, /Product\.delete: 'staff' in auth\.roles\n {4}→ false/);
  assert.match(text, /Outcome: refused, 401 UNAUTHENTICATED/);
  assert.match(text, /\("staff" in auth\.roles\) is false: auth\.roles is \[\]/);
});

test('what is not a request, not claims, not of this contract', () => {
  assert.equal(run(['explain', file, 'products']).status, 2);
  assert.equal(run(['explain', file, 'GET /v1/products', '--as', '{']).status, 2);
  const unknown = run(['explain', file, 'GET /v1/products?nme=x']);
  assert.equal(unknown.status, 1);
  assert.match(unknown.stderr, /did you mean "name"/);
});

test('Prefer: explain is for those whom the rule lets', async () => {
  const ask = (target, claims, more = {}) => client.request(more.method ?? 'GET', target, { headers: { ...headers(claims), ...explain }, body: more.body });
  const told = await ask('/v1/reviews?stars=3', staff);
  assert.equal(told.status, 200, told.text);
  assert.equal(told.headers.get('preference-applied'), 'explain');
  assert.equal(JSON.parse(told.text).operations[0].action, 'list');
  assert.equal((await ask('/v1/reviews', { sub: 'ann' })).status, 403);
  assert.equal((await ask('/v1/reviews', undefined)).status, 401);
  const written = await ask('/v1/products', staff, { method: 'POST', body: '{"name":"Kettle"}' });
  assert.equal(written.status, 200, written.text);
  assert.equal(JSON.parse(written.text).outcome.isRefused, false);
  assert.deepEqual(JSON.parse((await client.request('GET', '/v1/products?name=Kettle')).text).items, [], 'it was rolled back');
});

test('it is off unless --explain', async () => {
  const other = await startServer({ contract });
  const asked = other.client();
  const plain = await asked.request('GET', '/v1/products', { headers: { ...headers(staff), ...explain } });
  assert.equal(plain.status, 200);
  assert.deepEqual(JSON.parse(plain.text).items, []);
  asked.close();
  await other.stop();
  removeFolder(other.folder);
  const wrong = run(['serve', file, '--explain', '--explain-rule', 'nonsense', '--store', 'sqlite::memory:', '--listen', '127.0.0.1:0']);
  assert.equal(wrong.status, 2, wrong.stderr);
});

test('PostgreSQL: scans with how many rows, searches with their index, sorts, and what would help', { timeout: 120000 }, async () => {
  const postgres = await startPostgres();
  const url = postgres.url();
  let there;
  const told = (request, ...more) => {
    const result = run(['explain', file, request, '--format', 'json', '--store', url, ...more]);
    assert.equal(result.status, 0, result.stderr);
    return JSON.parse(result.stdout);
  };
  try {
    there = await startServer({ contract, store: url, options: ['--migrate', '--explain', '--threads', '1'], folder: server.folder });
    postgres.query(`INSERT INTO products (id, name) SELECT gen_random_uuid(), 'p' || i FROM generate_series(1, 2000) i;
      INSERT INTO reviews (id, product_id, owner, stars, published) SELECT gen_random_uuid(), p.id, 'ann', 1 + i % 5, true FROM products p, generate_series(1, 2) i`);
    const as = ['--as', JSON.stringify({ sub: 'ann' })];
    const before = told('GET /v1/reviews?stars=4&limit=5&sort=owner', ...as).statements[0];
    assert.ok(before.notes.some((note) => note.startsWith('scans 4,000 rows of reviews')), 'counted where there was no ANALYZE');
    postgres.query('ANALYZE');
    const scan = told('GET /v1/reviews?stars=4&limit=5&sort=owner', ...as).statements[0];
    const step = scan.plan.find((one) => one.kind === 'scan');
    assert.deepEqual([step.table, step.rows], ['reviews', 4000]);
    assert.ok(scan.notes.some((note) => /^scans 4,000 rows of reviews: no index on stars; add @index\(fields: \["stars"\]\)$/.test(note)), scan.notes.join('\n'));
    assert.ok(scan.notes.some((note) => /^sorts all rows that match.*add @index\(fields: \["stars", "owner"\]\)$/.test(note)), scan.notes.join('\n'));
    assert.ok(scan.plan.some((one) => one.kind === 'sort'));
    assert.ok(scan.plan.every((one) => !/'|cost/.test(one.text)), 'no values in the plan\'s text');
    const [{ id }] = (await (await fetch(`http://127.0.0.1:${there.port}/v1/products?limit=1`)).json()).items;
    const one = told(`GET /v1/products/${id}`);
    assert.deepEqual(one.statements[0].plan.map((part) => [part.kind, part.table, part.index]), [['search', 'products', 'products_pkey']]);
    assert.deepEqual(one.statements[0].notes, []);
    assert.equal(one.outcome.rows ?? 1, 1);
    const nested = told('GET /v1/products?fields=id,reviews(stars)&limit=3').statements[1];
    assert.ok(nested.plan.some((part) => part.kind === 'search' && part.table === 'reviews' && part.index === 'reviews_product_id_index'), JSON.stringify(nested.plan));
    const written = told(`PATCH /v1/products/${id}`, '--as', JSON.stringify(staff), '--body', (fs.writeFileSync(path.join(server.folder, 'name.json'), '{"name":"other"}'), path.join(server.folder, 'name.json')));
    assert.equal(written.outcome.isRefused, false, JSON.stringify(written.outcome));
    const update = written.statements.find((statement) => statement.sql.startsWith('UPDATE'));
    assert.ok(update.plan.some((part) => part.kind === 'search' && part.table === 'products'), JSON.stringify(update.plan));
    assert.deepEqual(postgres.query("SELECT count(*) FROM products WHERE name = 'other'"), [['0']], 'nothing was run');
    const asked = await fetch(`http://127.0.0.1:${there.port}/v1/reviews?stars=4&sort=owner`, { headers: { ...headers(staff), ...explain } });
    assert.equal(asked.status, 200);
    assert.ok((await asked.json()).statements[0].plan.some((part) => part.kind === 'scan' && part.rows === 4000));
  } finally {
    await there?.stop();
    await postgres.remove();
  }
});
