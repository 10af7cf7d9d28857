// coverage.mjs - what the tests run through, by module: lines and branches from gcovr's summary, error branches from gcov's graphs
// (error_branches.mjs). Those never taken go to OUT, a line each. SUMMARY.json BUILD_FOLDER OUT
import fs from 'node:fs';
import { readErrorBranches } from './error_branches.mjs';

// Parsers: codec, http, contract, auth (tokens), api (requests); the engine: sql, query; stores: store.
const JUDGED = ['codec', 'http', 'contract', 'auth', 'api', 'sql', 'query', 'store'];
const TREE = 'the tree';
const PARTS = 'parsers, engine, stores';

const [summary, folder, out] = process.argv.slice(2);
const rows = new Map();
const rowsOf = (file) => {
  const module = file.split('/')[1];
  return [module, TREE, ...(JUDGED.includes(module) ? [PARTS] : [])].map((name) => {
    if (!rows.has(name)) rows.set(name, { lines: [0, 0], branches: [0, 0], errors: [0, 0] });
    return rows.get(name);
  });
};
const add = (sum, taken, total) => { sum[0] += taken; sum[1] += total; };

for (const file of JSON.parse(fs.readFileSync(summary, 'utf8')).files) {
  for (const row of rowsOf(file.filename)) {
    add(row.lines, file.line_covered, file.line_total);
    add(row.branches, file.branch_covered, file.branch_total);
  }
}
const errors = readErrorBranches(folder);
for (const { file, isTaken } of errors) for (const row of rowsOf(file)) add(row.errors, isTaken ? 1 : 0, 1);
fs.writeFileSync(out, errors.filter(({ isTaken }) => !isTaken).map(({ file, line, name }) => `${file}:${line} ${name}\n`).sort().join(''));

const percent = ([taken, total]) => (total === 0 ? '–' : `${((taken / total) * 100).toFixed(1)} %`).padStart(9);
const count = ([, total]) => String(total).padStart(7);
const isSum = (name) => name === TREE || name === PARTS;
console.log(`${'module'.padEnd(24)}${'lines'.padStart(9)}${'of'.padStart(7)}${'branches'.padStart(9)}${'of'.padStart(7)}${'errors'.padStart(9)}${'of'.padStart(7)}`);
for (const [name, row] of [...rows].sort(([a], [b]) => isSum(a) - isSum(b) || a.localeCompare(b))) {
  console.log(name.padEnd(24) + [row.lines, row.branches, row.errors].map((sum) => percent(sum) + count(sum)).join(''));
}
console.log(`\nLines of the tree: ${percent(rows.get(TREE).lines).trim()} (wanted: 90 %). Error branches of parsers, engine and stores: ${percent(rows.get(PARTS).errors).trim()} (wanted: 85 %).`);
console.log(`Each file's lines: ${folder}/report/index.html. Error branches never taken: ${out}.`);
