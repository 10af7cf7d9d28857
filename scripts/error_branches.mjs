// error_branches.mjs - how many of the branches that end in an error were taken, told from gcov's graphs of the functions.
//
// A branch is an edge out of a basic block that has several. It is an error branch where what it leads to, up to the next branch or the next
// place where ways meet, is a line that gives up: `return false`, NULL, -1 or a Code that is not CODE_OK, a TRY's way out, or a call of what
// refuses (error_set, refuse, fail …). That a TRY is come to is no error branch, nor that a condition is looked at in which something may fail:
// only the way out is, of that statement. In `return a && b` of a function that does something, each operand that may be false is one; in one that
// only tells (is_, has_ …) "no" is an answer and none of its branches counts. Where edges on one line can't be told apart, they count as one
// branch, taken where all were. What can't be reached (an assertion's failure) doesn't count.
//
// What is chosen among a call's arguments is words: `refuse(err, "%.*s", STR_ARGS(name))` has a branch in it (STR_ARGS gives an empty text a
// pointer), whose ways meet again before anything is refused. It is no error branch, and what leads to it is looked for behind it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

// error_form and error_form_by_slug look up how a code is told; is_ and has_ ask.
const REFUSES = /\b(?!error_form(_\w+)?\(|(\w+_)?(is|has)_\w+\()(\w+_)?(error_set|error_no_memory|refuse|refused|fail|failed|bad|error|reject|abort)(_\w+)?\(/;
const LEAVES = /\breturn (\(?false\b|NULL\b|-1\b|CODE_(?!OK\b))|\b(TRY|TRY_ALLOC)\(|\bgoto \w+;/;
const ONLY_TELLS = /(^|_)(is|are|has|have|can|may|must|needs|wants|takes|asks|allows|equal|equals|matches|contains|starts|ends|same|knows|fits|accepts|lacks|leads|implies|imply)(_|$)/;

// gcov-dump's text: functions with blocks, arcs (destination, flags) and the lines of each block.
function readGraphs(file) {
  const functions = [];
  let current;
  for (const line of execFileSync('gcov-dump', ['-l', file], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n')) {
    const head = /FUNCTION ident=(\d+).*?cfg_checksum=(0x[0-9a-f]+), `([^']*)'/.exec(line);
    const arcs = /\tblock (\d+): (\d+:[0-9a-f]{4}.*)$/.exec(line) ?? / block (\d+): (\d+:[0-9a-f]{4}.*)$/.exec(line);
    const lines = / block (\d+):(`.*)$/.exec(line);
    const blocks = /BLOCKS (\d+) blocks/.exec(line);
    if (head) functions.push((current = { ident: head[1], checksum: head[2], name: head[3], blocks: [], arcs: [] }));
    else if (blocks) current.blocks = Array.from({ length: Number(blocks[1]) }, () => ({ out: [], in: [], lines: [] }));
    else if (arcs) {
      for (const [, to, flags] of arcs[2].matchAll(/(\d+):([0-9a-f]{4})/g)) {
        const bits = parseInt(flags, 16);
        const arc = { from: Number(arcs[1]), to: Number(to), isOnTree: (bits & 1) !== 0, isFake: (bits & 2) !== 0, count: undefined };
        current.arcs.push(arc);
        current.blocks[arc.from].out.push(arc);
        current.blocks[arc.to].in.push(arc);
      }
    } else if (lines) {
      for (const [, name, numbers] of lines[2].matchAll(/`([^']*)':([\d, ]*)/g)) {
        for (const number of numbers.match(/\d+/g) ?? []) current.blocks[Number(lines[1])].lines.push(`${name}:${number}`);
      }
    }
  }
  return functions;
}

function readCounts(file) {
  const counts = new Map();
  if (!fs.existsSync(file)) return counts;
  let current;
  for (const line of execFileSync('gcov-dump', ['-l', file], { encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n')) {
    const head = /FUNCTION ident=(\d+)/.exec(line);
    const row = /:\s+\d+: ((?:-?\d+ ?)+)$/.exec(line);
    if (head) counts.set(head[1], (current = []));
    else if (row && current) current.push(...row[1].trim().split(' ').map(Number));
    else if (/COUNTERS/.test(line) && !/COUNTERS arcs/.test(line)) current = undefined;
  }
  return counts;
}

// Counters stand on the edges off the spanning tree; the others follow, as what comes into a block goes out of it.
function solve({ blocks, arcs }, counts) {
  let next = 0;
  for (const arc of arcs) if (!arc.isOnTree) arc.count = counts?.[next++] ?? 0;
  const sum = (list) => list.reduce((total, { count }) => total + count, 0);
  for (let isNew = counts !== undefined; isNew;) {
    isNew = false;
    for (const [index, block] of blocks.entries()) {
      const open = [...block.in, ...block.out].filter(({ count }) => count === undefined);
      if (index < 2 || open.length !== 1) continue;
      const difference = block.in.includes(open[0]) ? sum(block.out) - sum(block.in.filter((arc) => arc !== open[0])) : sum(block.in) - sum(block.out.filter((arc) => arc !== open[0]));
      open[0].count = Math.max(0, difference);
      isNew = true;
    }
  }
  for (const arc of arcs) arc.count ??= 0;
}

const sources = new Map();
// The statement that a line belongs to, which may stand on several.
function statementAt(place, folder) {
  const [file, number] = [place.slice(0, place.lastIndexOf(':')), Number(place.slice(place.lastIndexOf(':') + 1))];
  if (!sources.has(file)) {
    const full = path.resolve(folder, file);
    sources.set(file, fs.existsSync(full) ? fs.readFileSync(full, 'utf8').split('\n').map((line) => line.replace(/\/\*.*?\*\/|\/\/.*$/g, '').replace(/"(\\.|[^"\\])*"/g, '""').trim()) : []);
  }
  const lines = sources.get(file);
  const ends = (line) => line === undefined || line === '' || /[;{}:]$|^#/.test(line);
  let [from, to] = [number - 1, number - 1];
  while (from > 0 && !ends(lines[from - 1])) from--;
  while (to < lines.length - 1 && !ends(lines[to])) to++;
  return lines.slice(from, to + 1).join(' ');
}

// What a call is given is not of the chain that the call stands in.
function withoutArguments(text) {
  for (let longer; longer !== text;) [longer, text] = [text, text.replace(/\([^()]*\)/g, '')];
  return text;
}

const onward = (block) => block.out.filter(({ isFake }) => !isFake);
// A call may not return: gcov has a fake edge for that.
const calls = (block) => block.out.some(({ isFake }) => isFake);

// Where the ways out of a branch meet again, if none of them does anything and what is done behind that is a call or a branch of the same line:
// what is chosen is an argument, or a value that is looked at there (what VEC_PUSH says). Undefined otherwise.
function meetingOfWords(graph, block) {
  const place = block.lines.at(-1);
  const meeting = (arc) => {
    const way = graph.blocks[arc.to];
    if (way.in.length > 1) return way;
    return calls(way) || onward(way).length !== 1 ? undefined : graph.blocks[onward(way)[0].to];
  };
  const [first, ...others] = onward(block).map(meeting);
  if (first === undefined || others.length === 0 || others.some((other) => other !== first)) return undefined;
  if (!first.lines.includes(place) && first.lines.length > 0) return undefined;
  return calls(first) || onward(first).length > 1 ? first : undefined;
}

// Behind all words.
function behindWords(graph, block) {
  for (let steps = 0; steps < 100 && onward(block).length > 1; steps++) {
    const meeting = meetingOfWords(graph, block);
    if (meeting === undefined) break;
    block = meeting;
  }
  return block;
}

// What an edge leads to: the lines up to the next branch or meeting of ways, and whether each is of the statement that branches there; undefined
// where that is another branch at once. A call whose answer is looked at stands in a block of its own, in front of the one that branches.
function linesAfter(graph, arc, folder) {
  const lines = [];
  let looked = '';
  let block = graph.blocks[arc.to];
  if (!block.in.every(({ from }) => onward(graph.blocks[from]).length > 1)) return undefined;
  block = behindWords(graph, block);
  if (onward(block).length > 1) return undefined;
  for (let steps = 0; steps < 100; steps++) {
    const out = onward(block);
    lines.push(...block.lines);
    // An assertion's failure goes nowhere.
    if (out.length === 0) return graph.blocks.indexOf(block) === 1 ? lines.map((line) => ({ line, isBranching: false })) : undefined;
    if (out.length > 1) {
      looked = statementAt(block.lines.at(-1) ?? '', folder);
      break;
    }
    block = graph.blocks[out[0].to];
    if (block.in.length > 1 || out[0].to < 2) break;
    block = behindWords(graph, block);
  }
  return lines.map((line) => ({ line, isBranching: looked !== '' && statementAt(line, folder) === looked }));
}

function errorBranches(graph, folder) {
  const found = [];
  if (ONLY_TELLS.test(graph.name)) return found;
  for (const block of graph.blocks) {
    const edges = block.out.filter(({ isFake }) => !isFake);
    if (edges.length < 2 || meetingOfWords(graph, block) !== undefined) continue;
    const place = block.lines.at(-1) ?? '';
    const statement = statementAt(place, folder);
    const isChain = /\breturn\b.*&&/.test(statement) && !statement.includes('||') && !withoutArguments(statement).includes('?');
    const errors = edges.filter((arc) => {
      const lines = linesAfter(graph, arc, folder);
      if (lines === undefined) return false;
      if (isChain && lines.length > 0 && lines.every(({ line }) => statementAt(line, folder) === statement)) return graph.blocks[arc.to].in.length > 1;
      return lines.some(({ line, isBranching }) => {
        const text = statementAt(line, folder);
        return isBranching ? REFUSES.test(text) && !/^\W*(if|while|for|TRY)\b|\b(TRY|TRY_ALLOC)\(/.test(text) : REFUSES.test(text) || LEAVES.test(text);
      });
    });
    if (errors.length === 0) continue;
    if (errors.length === edges.length) found.push({ place, isTaken: edges.every(({ count }) => count > 0) });
    else for (const { count } of errors) found.push({ place, isTaken: count > 0 });
  }
  return found;
}

// Each module's error branches: { file, line, isTaken }. A header's functions are compiled into many objects; a branch counts once, as taken
// where any of them took it.
export function readErrorBranches(folder) {
  const branches = new Map();
  for (const library of fs.readdirSync(folder).filter((name) => /^libcaisson_\w+\.a\.p$/.test(name))) {
    for (const name of fs.readdirSync(path.join(folder, library)).filter((file) => file.endsWith('.gcno'))) {
      const file = path.join(folder, library, name);
      const counts = readCounts(file.replace(/gcno$/, 'gcda'));
      for (const graph of readGraphs(file)) {
        solve(graph, counts.get(graph.ident));
        for (const [index, { place, isTaken }] of errorBranches(graph, folder).entries()) {
          const colon = place.lastIndexOf(':');
          const source = path.relative('.', path.resolve(folder, place.slice(0, colon)));
          if (!source.startsWith('src/')) continue;
          const key = `${source}:${graph.name}:${index}`;
          branches.set(key, { file: source, line: Number(place.slice(colon + 1)), name: graph.name, isTaken: isTaken || (branches.get(key)?.isTaken ?? false) });
        }
      }
    }
  }
  return [...branches.values()];
}
