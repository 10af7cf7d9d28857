// bundle.mjs FOLDER ENTRY OUTPUT.js OUTPUT.css - one script and one style of an entry and the npm packages that it imports, by the esbuild
// of FOLDER's node_modules. Nothing is asked of another host when a page uses them. The same input gives the same bytes.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [folder, entry, script, style] = process.argv.slice(2).map((file) => path.resolve(file));
const require = createRequire(path.join(folder, 'package.json'));
const esbuild = require('esbuild');
const { outputFiles } = await esbuild.build({
  absWorkingDir: folder,
  entryPoints: [entry],
  bundle: true,
  minify: true,
  write: false,
  format: 'iife',
  target: 'es2020',
  outdir: path.dirname(script),
  define: { 'process.env.NODE_ENV': '"production"' },
  // One React, whatever a package asks for.
  alias: { react: path.join(folder, 'node_modules/react'), 'react-dom': path.join(folder, 'node_modules/react-dom') },
  legalComments: 'none',
  logLevel: 'error',
});
const text = (ending) => outputFiles.find((file) => file.path.endsWith(ending)).text;
fs.writeFileSync(script, text('.js'));
// Fonts are the system's: those of the packages would be four fifths of the style.
fs.writeFileSync(style, text('.css').replace(/@font-face\s*\{[^}]*\}/g, ''));
