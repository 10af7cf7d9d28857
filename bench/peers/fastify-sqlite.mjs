// fastify-sqlite.mjs - the table over Fastify and better-sqlite3, as somebody who knows both would write it. PORT DATABASE
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import Fastify from 'fastify';
import { created, item, list } from './fastify-schemas.mjs';

const [port, file] = process.argv.slice(2);
const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
const columns = 'id, sku, name, price, stock, number, created_at AS createdAt';
const byId = database.prepare(`SELECT ${columns} FROM products WHERE id = ?`);
const page = database.prepare(`SELECT ${columns} FROM products WHERE id > ? ORDER BY id LIMIT ?`);
const insert = database.prepare('INSERT INTO products (id, sku, name, price, stock, number, created_at) VALUES (@id, @sku, @name, @price, @stock, @number, @createdAt)');

const app = Fastify();
app.get('/products/:id', { schema: item }, (request, reply) => byId.get(request.params.id) ?? reply.code(404).send({ error: 'not found' }));
app.get('/products', { schema: list }, ({ query }) => {
  const items = page.all(query.after, query.limit);
  return { items, nextCursor: items.length === query.limit ? items.at(-1).id : null };
});
app.post('/products', { schema: created }, (request, reply) => {
  const row = { id: randomUUID(), createdAt: new Date().toISOString(), ...request.body };
  insert.run(row);
  reply.code(201).header('location', `/products/${row.id}`);
  return row;
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
