// graphql.mjs - what a GraphQL query costs beside the REST request that answers the same data, in turns in one run. Writes its section of
// docs/bench.md.
import { replaceFigures } from './figures.mjs';
import { file, fill, log, measure, median, removeFiles, startOurs, stop } from './server.mjs';

const rounds = 9, seconds = 0.5, rows = 20000, goal = 1.3;
const post = (query, variables) => ['-m', 'POST', '-u', '/graphql', '-b', JSON.stringify({ query, variables })];

const cases = [
  { name: 'one row by id', rest: ['-u', '/v1/products/{line}?fields=id,name,price,stock', '-l', file('ids')],
    graphql: [...post('query($id: ID!) { product(id: $id) { id name price stock } }', { id: '{line}' }), '-l', file('ids')] },
  { name: 'a list of 20 with a to-one relation', rest: ['-u', '/v1/reviews?limit=20&fields=id,stars,text,product(id,name)'],
    graphql: post('{ reviews(first: 20) { nodes { id stars text product { id name } } } }') },
  { name: 'a list of 20, each with five', rest: ['-u', '/v1/products?fields=id,name,price,reviews(id,stars,text)&reviews.limit=5&limit=20'],
    graphql: post('{ products(first: 20) { nodes { id name price reviews(first: 5) { nodes { id stars text } } } } }') },
];

async function main() {
  await fill(rows);
  const server = await startOurs();
  const samples = new Map(cases.map(({ name }) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    log(round === 0 ? 'warming up' : `round ${round} of ${rounds}`);
    for (const { name, rest, graphql } of cases) {
      const base = measure(server, rest, round, seconds), sample = measure(server, graphql, round, seconds);
      if (round > 0) samples.get(name).push({ rest: base.us, graphql: sample.us, ratio: sample.us / base.us });
    }
  }
  await stop(server);
  const figure = (name, key) => median(samples.get(name).map((sample) => sample[key])).toFixed(2);
  const lines = cases.map(({ name }) => `| ${name} | ${figure(name, 'rest')} | ${figure(name, 'graphql')} | ${figure(name, 'ratio')} | ≤ ${goal} |`);
  const figures = ['| | REST, CPU µs | GraphQL, CPU µs | to REST | goal |', '|---|--:|--:|--:|---|', ...lines, ''].join('\n');
  console.log(figures);
  replaceFigures('docs/bench.md', 'make bench BENCH=graphql', `\n${figures}\n`);
}

try { await main(); } finally { removeFiles(); }
