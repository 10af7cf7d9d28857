// http.test.mjs - GraphQL over HTTP, held against the audits of its reference implementation (npm graphql-http): what a server must do, should and may.
import assert from 'node:assert';
import { after, before, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { removeFolder, startServer } from '../support/server.mjs';

const timeout = 60000;
const contract = `
extend schema @service(name: "shop")
type Product @resource @access(read: "true", write: "true") { id: ID! @id name: String! }
`;
let server;
before(async () => { server = await startServer({ contract, options: ['--threads', '1'] }); }, { timeout });
after(async () => { await server?.stop(); if (server) removeFolder(server.folder); }, { timeout });

const audits = serverAudits({ url: () => `${server.addresses[0]}/graphql` });
test('all of its audits are here', () => assert.equal(audits.length, 61));
for (const { id, name, fn } of audits) {
  test(`${id} ${name}`, { timeout }, async () => {
    const result = await fn();
    assert.equal(result.status, 'ok', result.reason);
  });
}
