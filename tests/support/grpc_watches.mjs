// grpc_watches.mjs - very many gRPC watches as bare frames: a client library's own objects would take more memory than the server.
import { DATA, END_HEADERS, END_STREAM, FrameClient, HEADERS, field, frame, requestFields } from './http2.mjs';

const empty = Buffer.alloc(5); // a gRPC message of no bytes

// Opens `each` watches on each of so many connections, all at once. `method`: /package.Service/Method. What they hear is counted: `heads`, and
// `messages` (frames with bytes, not credit); `refused` are those that were ended at once.
export function openWatches(port, method, connections, each) {
  const head = Buffer.concat([requestFields('POST', method), field('content-type', 'application/grpc'), field('te', 'trailers')]);
  const clients = Array.from({ length: connections }, () => {
    const client = new FrameClient(port);
    client.write(...Array.from({ length: each }, (_, i) => [frame(HEADERS, END_HEADERS, 2 * i + 1, head), frame(DATA, END_STREAM, 2 * i + 1, empty)]).flat());
    return client;
  });
  const count = (wanted) => clients.reduce((sum, { frames }) => sum + frames.filter(wanted).length, 0);
  return {
    heads: () => count(({ type, flags }) => type === HEADERS && (flags & END_STREAM) === 0),
    refused: () => count(({ type, flags }) => type === HEADERS && (flags & END_STREAM) !== 0),
    messages: () => count(({ type, payload }) => type === DATA && payload.length > 5),
    goaways: () => clients.filter(({ goaway }) => goaway !== null).length,
    close: () => clients.forEach((client) => client.close()),
  };
}
