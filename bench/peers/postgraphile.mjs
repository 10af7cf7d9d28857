// postgraphile.mjs - PostGraphile as its documentation has it for production: no GraphiQL, no watching.
import http from 'node:http';
import { postgraphile } from 'postgraphile';

const server = http.createServer(postgraphile(process.argv[2], 'public', { disableQueryLog: true, graphiql: false }));
server.listen(0, '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on('SIGTERM', () => process.exit(0));
