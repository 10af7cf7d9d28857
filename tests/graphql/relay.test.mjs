// relay.test.mjs - the printed schemas against GraphQL ESLint's rules of Relay's connections, cursors and edges.
import assert from 'node:assert';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { parser, rules } from '@graphql-eslint/eslint-plugin';
import { Linter } from 'eslint';
import { program, root } from '../support/server.mjs';

// Else the plugin keeps the first schema that it sees for all that follow.
process.env.NODE_ENV = 'test';

// A list without edges is not refused: `nodes` stands beside `edges`, as in most schemas of today, and groups and tags are no connections.
const wanted = {
  'relay-arguments': ['error', { includeBoth: true }],
  'relay-connection-types': ['error'],
  'relay-edge-types': ['error', { withEdgeSuffix: true, shouldImplementNode: true, listTypeCanWrapOnlyEdgeType: false }],
  'relay-page-info': ['error'],
};

function lint(code) {
  const messages = new Linter({ configType: 'flat' }).verify(code, [{
    files: ['**/*.graphql'], languageOptions: { parser, parserOptions: { graphQLConfig: { schema: code, documents: [] } } }, plugins: { graphql: { rules } },
    rules: Object.fromEntries(Object.entries(wanted).map(([name, options]) => [`graphql/${name}`, options])),
  }], { filename: 'schema.graphql' });
  return messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`);
}

for (const contract of ['tests/clients/library.graphql', 'examples/shop/shop.graphql', 'tests/scenario/contracts/notes.graphql']) {
  test(`${contract} keeps Relay's rules`, { timeout: 60000 }, () => {
    const { status, stdout, stderr } = spawnSync(program, ['graphql', path.join(root, contract)], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^type \w+Connection \{$/m);
    assert.deepEqual(lint(stdout), []);
  });
}
test('the rules are asked: a schema that breaks each is told so', { timeout: 60000 }, () => {
  const broken = 'type Query { things(first: Int): ThingConnection }\ntype ThingConnection { edges: [Thing] pageInfo: PageInfo }\ntype Thing { id: ID }\ntype PageInfo { hasNextPage: Boolean }\n';
  assert.deepEqual(new Set(lint(broken).map((line) => line.split(': ')[1].replace('graphql/', ''))), new Set(Object.keys(wanted)));
});
