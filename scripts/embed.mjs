// embed.mjs OUTPUT.S FILE… - gzips files and writes an assembler source with each as a symbol: swagger-ui.css is web_swagger_ui_css and
// web_swagger_ui_css_end, its entity tag (with its quotes) web_swagger_ui_css_etag: made here, so that nobody reads the files at start. The
// same files give the same bytes.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

const [output, ...files] = process.argv.slice(2);
const lines = ['/* Written by scripts/embed.mjs. */', '.section .rodata'];
for (const file of files) {
  const name = path.basename(file);
  const bytes = zlib.gzipSync(fs.readFileSync(file), { level: 9 });
  bytes.fill(0, 4, 8); // no time
  bytes[9] = 255; // no system
  const packed = path.resolve(path.dirname(output), `${name}.gz`);
  fs.writeFileSync(packed, bytes);
  const symbol = `web_${name.replace(/[^a-z0-9]/gi, '_')}`;
  lines.push(`.global ${symbol}`, `.global ${symbol}_end`, '.balign 16', `${symbol}:`, `.incbin ${JSON.stringify(packed)}`, `${symbol}_end:`, '.byte 0');
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  lines.push(`.global ${symbol}_etag`, `${symbol}_etag:`, `.ascii "\\"${etag}\\""`);
}
lines.push('.section .note.GNU-stack,"",%progbits', '');
fs.writeFileSync(output, lines.join('\n'));
