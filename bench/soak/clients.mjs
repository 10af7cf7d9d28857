// clients.mjs - one client a face: each asks a little of everything, in turns, and notes how it was answered and how long that took. The rows
// stay about as many as they are: what is made is deleted again.
import https from 'node:https';
import { grpc } from '../../tests/grpc/client.mjs';

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const rowsMax = 400, reviewsMax = 800;

// What all clients of one server know: the keys that are there, and what is counted.
export class Tally {
  constructor() { this.begin(); this.totals = new Map(); this.ids = []; this.reviewIds = []; this.number = 0; this.events = 0; }

  begin() { this.latencies = []; this.failures = new Map(); this.requests = 0; }

  // `outcome`: null where it went well.
  note(face, outcome, ms) {
    const total = this.totals.get(face) ?? { requests: 0, failures: new Map() };
    this.totals.set(face, total);
    total.requests++;
    this.requests++;
    if (outcome === null) { this.latencies.push(ms); return; }
    for (const map of [total.failures, this.failures]) map.set(outcome, (map.get(outcome) ?? 0) + 1);
  }

  someId() { return this.ids[Math.floor(Math.random() * this.ids.length)] ?? '00000000-0000-7000-8000-000000000000'; }

  product() { this.number++; return { name: `product ${this.number}`, price: '12.5', number: this.number }; }
}

const takes = (status) => (status >= 200 && status < 300) || status === 404 ? null : String(status);

// Requests one behind another, `pauseMs` between; whatever fails is noted.
async function turns(state, face, pauseMs, actions) {
  for (let i = 0; !state.isOver; i++) {
    const begin = performance.now();
    let outcome;
    try { outcome = await actions[i % actions.length](); } catch (error) { outcome = error.code ?? error.message; }
    state.tally.note(face, outcome, performance.now() - begin);
    await sleep(pauseMs);
  }
}

function requestOf(state) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 4, ca: state.ca, servername: 'localhost' });
  return (method, path, body) => new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    const request = https.request({ port: state.port, host: '127.0.0.1', method, path, agent, headers, timeout: 40000 }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => { text += piece; }).on('error', reject)
        .on('end', () => resolve({ status: response.statusCode, text }));
    });
    request.on('error', reject).on('timeout', () => request.destroy(new Error('nothing came')));
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export function restClient(state, pauseMs) {
  const ask = requestOf(state), { tally } = state;
  const create = async () => {
    const { status, text } = await ask('POST', '/v1/products', { ...tally.product(), reviews: { create: [{ stars: 5, text: 'as good as the last' }] } });
    if (status === 201) tally.ids.push(JSON.parse(text).id);
    return takes(status);
  };
  const removeOne = async () => (tally.ids.length < rowsMax ? create() : takes((await ask('DELETE', `/v1/products/${tally.ids.shift()}`)).status));
  return turns(state, 'REST', pauseMs, [
    create, async () => takes((await ask('GET', `/v1/products/${tally.someId()}`)).status),
    async () => takes((await ask('GET', '/v1/products?limit=20&sort=-number')).status),
    async () => takes((await ask('GET', '/v1/products?fields=id,name,reviews(stars,text)&limit=10')).status),
    async () => takes((await ask('PATCH', `/v1/products/${tally.someId()}`, { price: '13.75' })).status),
    removeOne, async () => takes((await ask('GET', '/v1/products:aggregate?metrics=count,sum(price)')).status),
    async () => ((await ask('POST', '/v1/products', { name: 'without a price' })).status === 422 ? null : 'not 422'),
  ]);
}

export function graphqlClient(state, pauseMs) {
  const ask = requestOf(state), { tally } = state;
  const run = async (query, variables) => {
    const { status, text } = await ask('POST', '/graphql', { query, variables });
    if (status !== 200) return String(status);
    const { data, errors } = JSON.parse(text), code = errors?.[0].extensions?.code;
    if (data?.createReview) tally.reviewIds.push(data.createReview.id);
    /* A product may be gone by now, or goes just then. */
    return code === undefined || ['NOT_FOUND', 'VALIDATION_FAILED', 'CONFLICT'].includes(code) ? null : code;
  };
  return turns(state, 'GraphQL', pauseMs, [
    () => run('{ products(first: 10, orderBy: [{ number: DESC }]) { nodes { id name price reviews(first: 3) { nodes { stars text } } } pageInfo { endCursor } } }'),
    () => run('query ($id: ID!) { product(id: $id) { name number } }', { id: tally.someId() }),
    () => run('mutation ($id: ID!) { createReview(input: { productId: $id, stars: 4, text: "again" }) { id } }', { id: tally.someId() }),
    () => (tally.reviewIds.length < reviewsMax ? run('{ reviewsAggregate { count } }') : run('mutation ($id: ID!) { deleteReview(id: $id) { id } }', { id: tally.reviewIds.shift() })),
    () => run('mutation ($id: ID!) { updateProduct(id: $id, input: { price: "14" }) { id price } }', { id: tally.someId() }),
  ]);
}

export function grpcClient(state, pauseMs) {
  const { tally } = state, { ProductService } = state.package.soak.v1;
  const client = new ProductService(`127.0.0.1:${state.port}`, state.credentials, state.channel);
  const call = (method, request) => new Promise((resolve) => {
    client[method](request, new grpc.Metadata(), { deadline: Date.now() + 30000 }, (error, answer) => {
      if (method === 'CreateProduct' && !error) tally.ids.push(answer.id);
      resolve(!error || error.code === grpc.status.NOT_FOUND ? null : grpc.status[error.code]);
    });
  });
  return turns(state, 'gRPC', pauseMs, [
    () => call('GetProduct', { id: tally.someId() }), () => call('ListProducts', { page_size: 20, order_by: 'number desc' }),
    () => call('CreateProduct', { product: tally.product() }),
    () => (tally.ids.length < rowsMax ? call('ListProducts', {}) : call('DeleteProduct', { id: tally.ids.shift() })),
  ]).finally(() => client.close());
}

// Watches are opened again when they end, as they do whenever the contract is read again.
export async function restWatch(state) {
  while (!state.isOver) {
    await new Promise((resolve) => {
      const request = https.request({ port: state.port, host: '127.0.0.1', path: '/v1/products:watch', agent: false, ca: state.ca, servername: 'localhost', headers: { accept: 'text/event-stream' } }, (response) => {
        response.setEncoding('utf8').on('data', (text) => { state.tally.events += text.split('\nevent: ').length - 1; }).on('close', resolve).on('error', resolve);
      });
      request.on('error', resolve).end();
      state.watches.add(request);
      request.once('close', () => { state.watches.delete(request); resolve(); });
    });
    await sleep(200);
  }
}

export async function grpcWatch(state) {
  const { ProductService } = state.package.soak.v1;
  const client = new ProductService(`127.0.0.1:${state.port}`, state.credentials, state.channel);
  while (!state.isOver) {
    await new Promise((resolve) => {
      const stream = client.WatchProducts({});
      stream.on('data', () => { state.tally.events++; }).on('error', resolve).on('end', resolve);
      state.watches.add({ destroy: () => stream.cancel() });
    });
    await sleep(200);
  }
  client.close();
}
