// client.ts - a round trip through openapi-fetch, typed by what openapi-typescript made of the document. The base address and a token come from the command line.
import assert from 'node:assert';
import createClient from 'openapi-fetch';
import type { components, paths } from './api.js';

const [baseUrl, token] = process.argv.slice(2) as [string, string];
// JSON alone: the same paths also give and take streams, as text.
const client = createClient<paths, 'application/json' | 'application/problem+json'>({ baseUrl, headers: { authorization: `Bearer ${token}` } });

const isbn = '9780000000301';
const body: components['schemas']['BookCreate'] = { isbn, title: 'On Caissons', pages: 96, price: '12.50', topics: ['bridges'] };

const created = await client.POST('/v1/books', { body });
assert.ok(created.data && 'isbn' in created.data, JSON.stringify(created.error));
const book: components['schemas']['Book'] = created.data;
assert.equal(book.price, '12.50');

const list = await client.GET('/v1/books', { params: { query: { price: { gte: '12', lt: '13' }, title: { startsWith: 'On' }, sort: '-addedAt,title', limit: 5, count: 'exact' } } });
assert.ok(list.data, JSON.stringify(list.error));
assert.deepEqual(list.data.items.map((item) => item.isbn), [isbn]);
assert.equal(list.data.count, 1);

const changed = await client.PATCH('/v1/books/{isbn}', { params: { path: { isbn } }, body: { pages: 97 } });
assert.equal(changed.data?.pages, 97);

const wrong = await client.PATCH('/v1/books/{isbn}', { params: { path: { isbn } }, body: { pages: -1 } });
assert.equal(wrong.error?.code, 'VALIDATION_FAILED');
assert.equal(wrong.error?.errors?.[0]?.pointer, '/pages');

// @ts-expect-error A field that there is not.
const unknown: components['schemas']['BookCreate'] = { isbn, title: 'x', subtitle: 'y' };
// @ts-expect-error Neither verb.
const neither: components['schemas']['AuthorLink'] = { link: { name: 'Ann' } };
const nested: components['schemas']['BookCreate'] = { ...body, author: { create: { name: 'Ann' } }, copies: { create: [{ branch: 'AB', number: 1 }] } };
assert.ok(unknown && neither && nested);

const gone = await client.DELETE('/v1/books/{isbn}', { params: { path: { isbn } } });
assert.equal(gone.response.status, 204);
const missing = await client.GET('/v1/books/{isbn}', { params: { path: { isbn } } });
assert.equal(missing.error?.code, 'NOT_FOUND');
console.log('round trip done');
