// fastify-schemas.mjs - what both Fastify servers check and write by: its serializer is made of these.
const fields = {
  id: { type: 'string' }, sku: { type: 'string' }, name: { type: 'string' }, price: { type: 'string' },
  stock: { type: 'integer' }, number: { type: 'integer' }, createdAt: { type: 'string' },
};
const product = { type: 'object', properties: fields };
const body = {
  type: 'object', additionalProperties: false, required: ['sku', 'name', 'price', 'number'],
  properties: { sku: fields.sku, name: { type: 'string', minLength: 1, maxLength: 200 }, price: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?$' }, stock: { type: 'integer', default: 0 }, number: fields.number },
};
export const item = { response: { 200: product } };
export const list = {
  querystring: { type: 'object', properties: { limit: { type: 'integer', default: 20, maximum: 100 }, after: { type: 'string', default: '' } } },
  response: { 200: { type: 'object', properties: { items: { type: 'array', items: product }, nextCursor: { type: 'string', nullable: true } } } },
};
export const created = { body, response: { 201: product } };
