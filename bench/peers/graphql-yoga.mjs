// graphql-yoga.mjs - the table over GraphQL Yoga, DataLoader and better-sqlite3, as somebody who knows them would write it. PORT DATABASE
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import Database from 'better-sqlite3';
import DataLoader from 'dataloader';
import { createSchema, createYoga } from 'graphql-yoga';

const [port, file] = process.argv.slice(2);
const database = new Database(file);
database.pragma('journal_mode = WAL');
database.pragma('synchronous = FULL');
const columns = 'id, sku, name, price, stock, number, created_at AS createdAt';
const byId = database.prepare(`SELECT ${columns} FROM products WHERE id = ?`);
const page = database.prepare(`SELECT ${columns} FROM products WHERE id > ? ORDER BY id LIMIT ?`);
const insert = database.prepare('INSERT INTO products (id, sku, name, price, stock, number, created_at) VALUES (@id, @sku, @name, @price, @stock, @number, @createdAt)');
// The first so many of each product, for any number of products in one statement.
const reviewsOf = database.prepare(`SELECT id, product_id AS productId, stars, text FROM (SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY id) AS position
  FROM reviews WHERE product_id IN (SELECT value FROM json_each(?))) WHERE position <= ? ORDER BY product_id, position`);

const typeDefs = `
type Query {
  product(id: ID!): Product
  products(first: Int! = 20, after: String! = ""): ProductConnection!
}
type Mutation { createProduct(input: ProductCreate!): Product! }
type ProductConnection { nodes: [Product!]! pageInfo: PageInfo! }
type PageInfo { endCursor: String hasNextPage: Boolean! }
type Product { id: ID! sku: String! name: String! price: String! stock: Int! number: Int! createdAt: String! reviews(first: Int! = 20): ReviewConnection! }
type ReviewConnection { nodes: [Review!]! }
type Review { id: ID! stars: Int! text: String! }
input ProductCreate { sku: String! name: String! price: String! stock: Int! = 0 number: Int! }
`;

const limited = (first) => Math.min(Math.max(first, 0), 100);

function listProducts(_, { first, after }) {
  const limit = limited(first);
  const rows = page.all(after, limit + 1);
  const nodes = rows.slice(0, limit);
  return { nodes, pageInfo: { endCursor: nodes.at(-1)?.id ?? null, hasNextPage: rows.length > limit } };
}

function createProduct(_, { input }) {
  const row = { id: randomUUID(), createdAt: new Date().toISOString(), ...input };
  insert.run(row);
  return row;
}

// What the rows of a level ask for one by one is fetched at once.
function makeReviewLoader(limit) {
  return new DataLoader(async (ids) => {
    const lists = new Map(ids.map((id) => [id, []]));
    for (const review of reviewsOf.all(JSON.stringify(ids), limit)) lists.get(review.productId).push(review);
    return ids.map((id) => lists.get(id));
  });
}

async function listReviews(product, { first }, { reviewLoaders }) {
  const limit = limited(first);
  if (!reviewLoaders.has(limit)) reviewLoaders.set(limit, makeReviewLoader(limit));
  return { nodes: await reviewLoaders.get(limit).load(product.id) };
}

const resolvers = {
  Query: { product: (_, { id }) => byId.get(id) ?? null, products: listProducts },
  Mutation: { createProduct },
  Product: { reviews: listReviews },
};
const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => ({ reviewLoaders: new Map() }),
  graphiql: false, landingPage: false, logging: false, cors: false, multipart: false,
});
http.createServer(yoga).listen(Number(port), '127.0.0.1');
