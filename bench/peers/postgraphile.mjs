// postgraphile.mjs - PostGraphile over the table, without its watcher, logs and browser page. PORT CONNECTION-STRING
import http from 'node:http';
import { postgraphile } from 'postgraphile';

const [port, connectionString] = process.argv.slice(2);
const handler = postgraphile({ connectionString, max: 10 }, 'public', { graphiql: false, disableQueryLog: true, watchPg: false, dynamicJson: true, ignoreRBAC: false });
http.createServer(handler).listen(Number(port), '127.0.0.1');
