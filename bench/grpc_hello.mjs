// grpc_hello.mjs - grpc-js's own server with a method that answers a constant, to be held beside ours. Its messages are bytes as they are.
import { createRequire } from 'node:module';

const require = createRequire(new URL('../tests/grpc/package.json', import.meta.url));
const grpc = require('@grpc/grpc-js');
const answer = Buffer.from(process.argv[2], 'hex');
const same = (bytes) => bytes;
const server = new grpc.Server();
server.addService({ Get: { path: '/bench.v1.ProductService/GetProduct', requestStream: false, responseStream: false, requestDeserialize: same, requestSerialize: same, responseDeserialize: same, responseSerialize: same } }, { Get: (call, done) => done(null, answer) });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${port}`);
});
