// proxy.mjs - a TCP proxy of the test's own, for faults of a network: it can hold everything back, and cut connections.
import net from 'node:net';

// `target`: { port, host }. `cut(bytes)`: every connection is cut once so many bytes more have come from its client; cut(0): at once.
export async function startProxy(target) {
  const pairs = new Set();
  const proxy = { isStalled: false, cutAfter: Infinity, cuts: 0, accepted: 0 };
  const server = net.createServer({ pauseOnConnect: true }, (client) => {
    proxy.accepted++;
    const upstream = net.connect({ ...target, noDelay: true });
    const pair = { client, upstream, sent: 0 };
    pairs.add(pair);
    const end = () => { pairs.delete(pair); client.destroy(); upstream.destroy(); };
    pair.end = end;
    for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
    client.setNoDelay(true);
    client.on('data', (chunk) => {
      pair.sent += chunk.length;
      if (pair.sent > proxy.cutAfter) {
        // What came before the cut still goes out: a connection breaks in the midst of what it carries.
        upstream.write(chunk.subarray(0, Math.max(0, chunk.length - (pair.sent - proxy.cutAfter))), () => { proxy.cuts++; end(); });
        return;
      }
      upstream.write(chunk);
    });
    upstream.on('data', (chunk) => client.write(chunk));
    if (proxy.isStalled) upstream.pause();
    else client.resume();
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  proxy.port = server.address().port;
  proxy.stall = () => { proxy.isStalled = true; for (const { client, upstream } of pairs) { client.pause(); upstream.pause(); } };
  proxy.flow = () => { proxy.isStalled = false; for (const { client, upstream } of pairs) { client.resume(); upstream.resume(); } };
  proxy.cut = (bytes = 0) => {
    proxy.cutAfter = bytes;
    for (const pair of [...pairs]) { pair.sent = 0; if (bytes === 0) { proxy.cuts++; pair.end(); } }
  };
  proxy.mend = () => { proxy.cutAfter = Infinity; };
  proxy.close = async () => { for (const pair of [...pairs]) pair.end(); await new Promise((resolve) => server.close(resolve)); };
  return proxy;
}
