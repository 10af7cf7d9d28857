// zstd.mjs - Zstandard by its own program: this Node has none.
import { spawnSync } from 'node:child_process';

function zstd(args, input) {
  const { status, stdout, stderr } = spawnSync('zstd', ['-q', '-c', ...args], { input, maxBuffer: 256 * 1024 * 1024 });
  if (status !== 0) throw new Error(`zstd: ${stderr}`);
  return stdout;
}
export const zstdCompress = (bytes) => zstd([], bytes);
export const zstdDecompress = (bytes) => zstd(['-d'], bytes);
