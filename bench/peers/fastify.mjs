// fastify.mjs - GET /v1/products/{id} as it is customarily written with Fastify and pg: a pool, a prepared statement, a response schema.
import Fastify from 'fastify';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.argv[2], max: 10 });
const app = Fastify();
const text = { type: 'string' };
const schema = { response: { 200: { type: 'object', properties: { id: text, sku: text, name: text, price: text, stock: { type: 'integer' }, number: { type: 'integer' }, createdAt: text } } } };

app.get('/v1/products/:id', { schema }, async (request, reply) => {
  const { rows } = await pool.query({ name: 'get', text: 'SELECT id, sku, name, price, stock, number, created_at AS "createdAt" FROM products WHERE id = $1', values: [request.params.id] });
  if (rows.length === 0) return reply.code(404).send({ error: 'not found' });
  return rows[0];
});

await app.listen({ host: '127.0.0.1', port: 0 });
console.log(`listening on http://127.0.0.1:${app.server.address().port}`);
process.on('SIGTERM', () => process.exit(0));
