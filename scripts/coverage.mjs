// coverage.mjs - gcovr's summary as a table of modules: lines, and the branches that were taken. SUMMARY.json
import fs from 'node:fs';

const { files } = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const modules = new Map();
for (const file of files) {
  for (const name of [file.filename.split('/')[1], 'all']) {
    const sum = modules.get(name) ?? { lines: 0, lit: 0, branches: 0, taken: 0 };
    modules.set(name, { lines: sum.lines + file.line_total, lit: sum.lit + file.line_covered, branches: sum.branches + file.branch_total, taken: sum.taken + file.branch_covered });
  }
}
const percent = (part, whole) => `${(whole === 0 ? 100 : (part / whole) * 100).toFixed(1)} %`.padStart(8);
console.log(`${'module'.padEnd(12)}${'lines'.padStart(8)}${'of'.padStart(8)}${'branches'.padStart(10)}`);
for (const [name, { lines, lit, branches, taken }] of [...modules].sort(([a], [b]) => (a === 'all') - (b === 'all') || a.localeCompare(b))) {
  console.log(`${name.padEnd(12)}${percent(lit, lines)}${String(lines).padStart(8)}${percent(taken, branches).padStart(10)}`);
}
