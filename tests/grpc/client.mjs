// client.mjs - a contract's services as others' clients call them, made from what `caisson proto --descriptor` writes.
import { spawnSync } from 'node:child_process';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import protobuf from 'protobufjs';

export { grpc };

export function describe(program, contractPath) {
  const made = spawnSync(program, ['proto', contractPath, '--descriptor'], { timeout: 60000, maxBuffer: 64 * 1024 * 1024 });
  if (made.status !== 0) throw new Error(made.stderr.toString());
  return made.stdout;
}

// For @bufbuild/protobuf and @connectrpc.
export const registryOf = (descriptor) => createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptor));

// For @grpc/grpc-js.
export const packageOf = (descriptor) => grpc.loadPackageDefinition(protoLoader.loadFileDescriptorSetFromBuffer(descriptor, { keepCase: true, longs: String, enums: String, oneofs: true, defaults: true, arrays: true }));

// google.rpc.Status and its details, as their .proto files have them.
const rpc = protobuf.parse(`
syntax = "proto3";
package google.rpc;
message Any { string type_url = 1; bytes value = 2; }
message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
message ErrorInfo { string reason = 1; string domain = 2; map<string, string> metadata = 3; }
message BadRequest { message FieldViolation { string field = 1; string description = 2; string reason = 3; } repeated FieldViolation field_violations = 1; }
message RequestInfo { string request_id = 1; }
message Duration { int64 seconds = 1; }
message RetryInfo { Duration retry_delay = 1; }
`, { keepCase: true }).root;

// The rich details of an error of grpc-js: { code, message, ErrorInfo, BadRequest … }.
export function detailsOf(error) {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  return bytes === undefined ? {} : readStatus(bytes);
}

export function readStatus(bytes) {
  const status = rpc.lookupType('google.rpc.Status').decode(bytes);
  const details = Object.fromEntries(status.details.map(({ type_url: url, value }) => {
    const name = url.slice(url.lastIndexOf('/') + 1);
    const type = rpc.lookupType(name);
    return [name.replace('google.rpc.', ''), type.toObject(type.decode(value))];
  }));
  return { code: status.code, message: status.message, ...details };
}

// A unary call as a promise: { answer, headers, trailers }, or the error with its code.
export function call(client, method, request, { token, metadata = {}, deadlineMs } = {}) {
  const sent = new grpc.Metadata();
  if (token) sent.set('authorization', `Bearer ${token}`);
  for (const [name, value] of Object.entries(metadata)) sent.set(name, value);
  return new Promise((resolve, reject) => {
    const result = {};
    const options = deadlineMs === undefined ? { deadline: Date.now() + 30000 } : { deadline: Date.now() + deadlineMs };
    const made = client[method](request, sent, options, (error, answer) => (error ? reject(error) : resolve({ answer, ...result })));
    made.on('metadata', (headers) => { result.headers = headers; });
  });
}

export async function fails(promise, code) {
  try { await promise; } catch (error) {
    if (error.code !== code) throw new Error(`expected the code ${code}, got ${error.code}: ${error.message}`);
    return error;
  }
  throw new Error(`expected the code ${code}, and it was answered`);
}

export async function collect(stream) {
  const messages = [];
  for await (const message of stream) messages.push(message);
  return messages;
}
