// graphql-ws.test.mjs - the client that people use over WebSocket, npm graphql-ws, over the program: in the clear and over TLS.
import assert from 'node:assert';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { makeAuthority, makeCertificate } from '../support/certificates.mjs';
import { makeFolder, makeToken, removeFolder, root, startServer } from '../support/server.mjs';

const require = createRequire(path.join(root, 'tests/clients/package.json'));
const { createClient } = require('graphql-ws');
const WebSocket = require('ws');

const timeout = 60000;
const contract = `
extend schema @service(name: "shop")
type Note @resource @access(read: "true", create: "auth.id != null") { id: ID! @id text: String! owner: String! @default(expr: "auth.id") @readonly }
`;
const ann = makeToken({ sub: 'ann' });

// Everything that comes of one operation: its results, or the error that ended it.
function collect(client, query, variables) {
  return new Promise((resolve, reject) => {
    const results = [];
    client.subscribe({ query, variables }, { next: (result) => results.push(result), error: reject, complete: () => resolve(results) });
  });
}

for (const isSecure of [false, true]) {
  describe(isSecure ? 'over TLS' : 'in the clear', () => {
    const folder = makeFolder();
    const clients = [];
    let server, authority;
    const connect = (more = {}) => {
      const Socket = class extends WebSocket { constructor(url, protocols) { super(url, protocols, isSecure ? { ca: authority.pem, servername: 'localhost' } : {}); } };
      const client = createClient({ url: `${isSecure ? 'wss' : 'ws'}://127.0.0.1:${server.port}/graphql`, webSocketImpl: Socket, lazy: true, retryAttempts: 0, ...more });
      clients.push(client);
      return client;
    };

    before(async () => {
      const options = [];
      if (isSecure) {
        authority = makeAuthority(folder, 'authority');
        const own = makeCertificate(folder, authority, 'localhost', ['localhost', '127.0.0.1']);
        options.push('--tls-cert', own.cert, '--tls-key', own.key);
      }
      server = await startServer({ contract, folder, options });
    });
    after(async () => {
      for (const client of clients) await client.dispose();
      if (server) await server.stop();
      removeFolder(folder);
    });

    test('a query and a mutation with variables, under the token of connectionParams', { timeout }, async () => {
      const client = connect({ connectionParams: { Authorization: `Bearer ${ann}` } });
      const made = await collect(client, 'mutation($input: NoteCreate!) { createNote(input: $input) { id owner } }', { input: { id: '1', text: 'é "quoted"' } });
      assert.deepEqual(made, [{ data: { createNote: { id: '1', owner: 'ann' } } }]);
      assert.deepEqual(await collect(client, '{ note(id: "1") { text } }'), [{ data: { note: { text: 'é "quoted"' } } }]);
    });

    test('twenty at once on one connection', { timeout }, async () => {
      const client = connect({ lazy: false });
      const all = await Promise.all(Array.from({ length: 20 }, (_, i) => collect(client, `{ a${i}: note(id: "1") { id } }`)));
      all.forEach((results, i) => assert.deepEqual(results, [{ data: { [`a${i}`]: { id: '1' } } }]));
    });

    test('what is refused comes as GraphQL errors', { timeout }, async () => {
      const client = connect();
      const errors = await collect(client, '{ note(id: "1") { nothing } }').then(() => assert.fail('must be refused'), (error) => error);
      assert.match(errors[0].message, /nothing/);
    });

    test('a bad token closes with 4403', { timeout }, async () => {
      const client = connect({ connectionParams: { Authorization: 'Bearer nonsense' } });
      const event = await collect(client, '{ __typename }').then(() => assert.fail('must be refused'), (error) => error);
      assert.equal(event.code, 4403);
    });

    test('keep-alive pings are answered', { timeout }, async () => {
      let pongs = 0;
      const client = connect({ lazy: false, keepAlive: 20, on: { pong: () => { pongs++; } } });
      await collect(client, '{ __typename }');
      for (let left = 200; pongs < 2; left--) {
        assert.ok(left > 0, 'no pong came');
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
  });
}
