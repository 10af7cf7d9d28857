// scenario.test.mjs - runs every *.scenario file of this folder, over every face and store that it is meant for.
// CAISSON_STORES: the stores' names, comma-separated (sqlite, postgres, memory). SCENARIO: a part of a file's name, to run those only.
// SCENARIO_LATER=1 runs what is marked as a later version's, too.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startPostgres } from '../support/postgres.mjs';
import { makeFolder, makeToken, removeFolder, startServer } from '../support/server.mjs';
import { graphql } from './face_graphql.mjs';
import { rest } from './face_rest.mjs';
import { parseScenario, parseTests } from './format.mjs';
import { counts, openSession } from './session.mjs';

const folder = path.dirname(fileURLToPath(import.meta.url));
// CAISSON_FACES: the faces' names, comma-separated (rest, graphql, grpc); gRPC's clients are packages of tests/grpc.
const wantedFaces = (process.env.CAISSON_FACES ?? 'rest,graphql').split(',');
const faces = { rest, graphql, ...(wantedFaces.includes('grpc') ? { grpc: (await import('./face_grpc.mjs')).grpc } : {}) };
// One server for all files, a database for each.
let postgres;
const stores = {
  sqlite: (place) => ({ store: `sqlite:${path.join(place, 'test.db')}`, options: [] }),
  postgres: async () => {
    postgres ??= startPostgres();
    const server = await postgres;
    return { store: server.url(server.createDatabase()), options: ['--migrate'] };
  },
  memory: () => ({ store: 'sqlite::memory:', options: [] }),
};
const wantedStores = (process.env.CAISSON_STORES ?? 'sqlite,postgres').split(',');
after(async () => { if (postgres) await (await postgres).remove(); });

function runScenario(scenario, faceName, storeName) {
  const place = makeFolder();
  const contract = scenario.contract ?? fs.readFileSync(path.join(folder, scenario.contractFile), 'utf8');
  let server;
  let session;
  before(async () => {
    if (scenario.isLater && !process.env.SCENARIO_LATER) return;
    const { store, options } = await stores[storeName](place);
    server = await startServer({ contract, folder: place, store, options: ['--threads', '2', ...options, ...scenario.options] });
    const tokens = new Map([...scenario.callers].map(([name, claims]) => [name, makeToken(claims)]));
    session = openSession(faces[faceName], server, tokens);
  });
  after(async () => {
    session?.close();
    await server?.stop();
    removeFolder(place);
  });
  const variables = new Map();
  const given = scenario.givenFile ? parseTests(fs.readFileSync(path.join(folder, scenario.givenFile), 'utf8'), scenario.givenFile) : [];
  for (const { name, tags, steps } of [...given, ...scenario.tests]) {
    const isLater = (scenario.isLater || tags.includes('later')) && !process.env.SCENARIO_LATER;
    test(name, { skip: isLater ? 'a later version' : false, todo: tags.includes('todo') }, async () => {
      for (const step of steps) {
        const difference = await session.play(step, variables);
        assert.equal(difference, null, `${scenario.file}:${step.request.line}: ${step.request.method} ${step.request.target}\n${difference}`);
      }
    });
  }
}

for (const file of fs.readdirSync(folder).filter((name) => name.endsWith('.scenario')).sort()) {
  if (!file.includes(process.env.SCENARIO ?? '')) continue;
  const scenario = parseScenario(fs.readFileSync(path.join(folder, file), 'utf8'), file);
  for (const face of (scenario.faces ?? wantedFaces).filter((name) => name in faces && wantedFaces.includes(name))) {
    for (const store of (scenario.stores ?? wantedStores).filter((name) => name in stores)) {
      describe(`${file.replace('.scenario', '')} (${face}, ${store})`, () => runScenario(scenario, face, store));
    }
  }
}

// A face that leaves most of its steps to REST shows little: the share that it plays itself is held against its `least`, where it has one.
for (const { name, least = 0 } of Object.values(faces)) {
  if (name === 'rest' || !wantedFaces.includes(name) || process.env.SCENARIO) continue;
  test(`${name} plays at least ${least * 100} % of the steps itself`, (t) => {
    const { played, left } = counts(name);
    t.diagnostic(`${name}: ${played} steps played, ${left} left to REST`);
    assert.ok(played >= least * (played + left), `${played} steps played, ${left} left to REST`);
  });
}
