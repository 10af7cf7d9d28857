// client.mjs - gRPC without a proxy: the client knows several addresses, spreads its calls over them and asks again where one is gone.
// node client.mjs FILE_DESCRIPTOR_SET ADDRESS,ADDRESS CALLS   (caisson proto shop.graphql --descriptor > shop.binpb)
import fs from 'node:fs';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';

const [descriptor, addresses, calls] = process.argv.slice(2);
const { shop } = grpc.loadPackageDefinition(protoLoader.loadFileDescriptorSetFromBuffer(fs.readFileSync(descriptor)));

// What reads may be sent twice; a write may not, unless its sender knows that it is safe.
const serviceConfig = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [{
    name: ['GetProduct', 'ListProducts', 'AggregateProducts'].map((method) => ({ service: 'shop.v1.ProductService', method })),
    timeout: '10s',
    retryPolicy: { maxAttempts: 4, initialBackoff: '0.05s', maxBackoff: '1s', backoffMultiplier: 2, retryableStatusCodes: ['UNAVAILABLE'] },
  }],
};
const client = new shop.v1.ProductService(`ipv4:${addresses}`, grpc.credentials.createInsecure(), { 'grpc.service_config': JSON.stringify(serviceConfig) });
const get = (id) => new Promise((resolve, reject) => client.GetProduct({ id }, (error, product) => (error ? reject(error) : resolve(product))));

let failed = 0;
for (let i = 0; i < Number(calls); i++) {
  try { await get('p1'); } catch (error) {
    failed++;
    console.error(error.message);
  }
  if (i % 50 === 49) console.log(`${i + 1} calls, ${failed} failed`);
}
client.close();
process.exit(failed === 0 ? 0 : 1);
