// A client that @grpc/proto-loader makes of `caisson proto`: a round trip. Usage: grpc_client.mjs FOLDER HOST:PORT TOKEN
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [folder, address, token] = process.argv.slice(2);
const definition = loader.loadSync('library/v1/library.proto', { includeDirs: [folder], longs: String, enums: String, defaults: false, oneofs: true });
const api = grpc.loadPackageDefinition(definition).library.v1;
const clients = Object.fromEntries(['Author', 'Book', 'Copy'].map((name) => [name, new api[`${name}Service`](address, grpc.credentials.createInsecure())]));
const mine = new grpc.Metadata();
mine.set('authorization', `Bearer ${token}`);

function call(service, method, request, metadata = mine) {
  return new Promise((resolve, reject) => {
    clients[service][method](request, metadata, { deadline: Date.now() + 20000 }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });
}
const refused = (promise, code) => assert.rejects(promise, (error) => error.code === code || assert.fail(error));

const author = await call('Author', 'CreateAuthor', { author: { name: 'Ada', bornOn: '1815-12-10' } });
assert.equal(author.name, 'Ada');
assert.ok(author.id);
const book = { isbn: '9780000000001', title: 'Notes', pages: 66, price: '12.50', weight: 0.25, sold: '1152921504606846976', topics: ['engines', 'numbers'], cover: Buffer.from([0, 255]), authorId: author.id };
const made = await call('Book', 'CreateBook', { book });
for (const [name, value] of Object.entries(book)) assert.deepEqual(made[name], value, name);
assert.ok(Number(made.addedAt.seconds) > 1.7e9);
await refused(call('Book', 'CreateBook', { book }), grpc.status.ALREADY_EXISTS);
await refused(call('Book', 'CreateBook', { book }, new grpc.Metadata()), grpc.status.UNAUTHENTICATED);

const read = await call('Book', 'GetBook', { isbn: book.isbn, readMask: { paths: ['title', 'author.name'] } });
assert.deepEqual({ title: read.title, author: read.author.name, price: read.price }, { title: 'Notes', author: 'Ada', price: undefined });

const changed = await call('Book', 'UpdateBook', { book: { isbn: book.isbn, pages: 0 }, updateMask: { paths: ['pages', 'cover'] } });
assert.equal(changed.pages, 0);
assert.equal(changed.cover, undefined);

const copies = await call('Copy', 'BatchCreateCopies', { requests: [1, 2, 3].map((number) => ({ copy: { branch: 'NORTH', number, bookIsbn: book.isbn } })) });
assert.deepEqual(copies.copies.map((copy) => copy.state), ['COPY_STATE_SHELF', 'COPY_STATE_SHELF', 'COPY_STATE_SHELF']);
const page = await call('Copy', 'ListCopies', { orderBy: 'number desc', pageSize: 2, showTotal: true });
assert.deepEqual([page.copies.map((copy) => copy.number), page.totalSize], [[3, 2], 3]);
const rest = await call('Copy', 'ListCopies', { orderBy: 'number desc', pageSize: 2, pageToken: page.nextPageToken });
assert.deepEqual(rest.copies.map((copy) => copy.number), [1]);
const { groups } = await call('Copy', 'AggregateCopies', { groupBy: ['state'], metrics: ['count'] });
assert.equal(groups[0].count, '3');

await call('Copy', 'DeleteCopy', { branch: 'NORTH', number: 2 });
await refused(call('Copy', 'GetCopy', { branch: 'NORTH', number: 2 }), grpc.status.NOT_FOUND);
console.log('round trip done');
for (const client of Object.values(clients)) client.close();
