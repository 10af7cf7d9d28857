// fastify-pg.mjs - the table over Fastify and pg with a pool of ten and named statements. PORT CONNECTION-STRING
import { randomUUID } from 'node:crypto';
import Fastify from 'fastify';
import pg from 'pg';
import { created, item, list } from './fastify-schemas.mjs';

const [port, connectionString] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString, max: 10 });
const columns = 'id, sku, name, price::text AS price, stock, number, created_at AS "createdAt"';
const query = (name, text, values) => pool.query({ name, text, values });

const app = Fastify();
app.get('/products/:id', { schema: item }, async (request, reply) => {
  const { rows } = await query('by-id', `SELECT ${columns} FROM products WHERE id = $1`, [request.params.id]);
  return rows[0] ?? reply.code(404).send({ error: 'not found' });
});
app.get('/products', { schema: list }, async ({ query: { after, limit } }) => {
  const { rows } = await query('page', `SELECT ${columns} FROM products WHERE id > $1 ORDER BY id LIMIT $2`, [after || '00000000-0000-0000-0000-000000000000', limit]);
  return { items: rows, nextCursor: rows.length === limit ? rows.at(-1).id : null };
});
app.post('/products', { schema: created }, async ({ body }, reply) => {
  const { rows } = await query('insert', `INSERT INTO products (id, sku, name, price, stock, number) VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${columns}`,
    [randomUUID(), body.sku, body.name, body.price, body.stock, body.number]);
  reply.code(201).header('location', `/products/${rows[0].id}`);
  return rows[0];
});
await app.listen({ port: Number(port), host: '127.0.0.1' });
