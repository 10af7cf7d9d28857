// format.mjs - the scenarios' notation, read into steps (README.md says it in words).

const blockEnd = '>>';

class Reader {
  constructor(text, file) { this.lines = text.split('\n'); this.at = 0; this.file = file; }
  get line() { return this.lines[this.at]; }
  get isOver() { return this.at >= this.lines.length; }
  fail(message) { throw new Error(`${this.file}:${this.at + 1}: ${message}`); }

  // The lines up to `>>`.
  block() {
    const begin = ++this.at;
    while (!this.isOver && this.line.trim() !== blockEnd) this.at++;
    if (this.isOver) this.fail('a block is not closed by >>');
    return this.lines.slice(begin, this.at++).join('\n');
  }

  // Text that belongs to a request or an answer: up to the next line that begins one, a test, or a comment at the margin.
  text() {
    const begin = this.at;
    while (!this.isOver && !/^(> |< |== |# )/.test(this.line)) this.at++;
    return this.lines.slice(begin, this.at).join('\n').trim();
  }
}

function readRequest(reader) {
  const match = /^> (\S+) (\S.*?)(?: as (\w+))?$/.exec(reader.line);
  if (!match) reader.fail('expected: > METHOD /path [as CALLER]');
  const request = { method: match[1], target: match[2], caller: match[3] ?? null, query: [], headers: [], body: null, line: reader.at + 1 };
  reader.at++;
  for (; !reader.isOver && reader.line.startsWith('> '); reader.at++) {
    const query = /^> \? (\S+) =(?: (.*))?$/.exec(reader.line);
    const header = /^> ([A-Za-z0-9-]+): ?(.*)$/.exec(reader.line);
    if (query) request.query.push([query[1], query[2] ?? '']);
    else if (header) request.headers.push([header[1], header[2]]);
    else reader.fail('expected: > ? parameter = value, or > Header: value');
  }
  const text = reader.text();
  if (text !== '') request.body = text;
  return request;
}

function readAnswerLine(reader, answer) {
  const line = reader.line.slice(2);
  let match;
  if ((match = /^error (\S+) ([A-Z_]+|\*)$/.exec(line))) answer.errors.push({ pointer: match[1] === '""' ? '' : match[1], code: match[2] });
  else if ((match = /^(rule|hint|detail) (.+)$/.exec(line))) answer.members.push([match[1], match[2]]);
  else if ((match = /^body ~ (.+)$/.exec(line))) answer.patterns.push(match[1]);
  else if ((match = /^body = (.+)$/.exec(line))) answer.exact = match[1];
  else if (line === 'no body') answer.isEmpty = true;
  else if ((match = /^!([A-Za-z0-9-]+)$/.exec(line))) answer.absent.push(match[1].toLowerCase());
  else if ((match = /^([A-Za-z0-9-]+): (.*)$/.exec(line))) answer.headers.push([match[1].toLowerCase(), match[2]]);
  else reader.fail('expected: < Header: value, < !Header, < error /pointer CODE, < rule|hint|detail text, < body ~ regex, < body = text, < no body');
}

function readAnswer(reader) {
  const match = /^< (\d{3})(?: ([A-Z_]+))?$/.exec(reader.line ?? '');
  if (!match) reader.fail('expected an answer: < STATUS [CODE]');
  const answer = { status: Number(match[1]), code: match[2] ?? null, headers: [], absent: [], errors: [], members: [], patterns: [], exact: null, isEmpty: false, body: undefined };
  for (reader.at++; !reader.isOver && reader.line.startsWith('< '); reader.at++) readAnswerLine(reader, answer);
  const text = reader.text();
  if (text !== '') {
    try { answer.body = JSON.parse(text); } catch (error) { reader.fail(`the expected body is not JSON: ${error.message}`); }
  }
  return answer;
}

function skipIdle(reader) {
  while (!reader.isOver && (reader.line.trim() === '' || reader.line.startsWith('#'))) reader.at++;
}

function readTest(reader) {
  const match = /^== (.+?)(?: \[(.+)\])?$/.exec(reader.line);
  const test = { name: match[1], tags: match[2]?.split(/[ ,]+/) ?? [], steps: [] };
  reader.at++;
  for (skipIdle(reader); !reader.isOver && reader.line.startsWith('> '); skipIdle(reader)) {
    const request = readRequest(reader);
    skipIdle(reader);
    test.steps.push({ request, answer: readAnswer(reader) });
  }
  return test;
}

// The tests of a file that only prepares: `== …` and nothing else.
export function parseTests(text, file) {
  const reader = new Reader(text, file);
  const tests = [];
  for (skipIdle(reader); !reader.isOver; skipIdle(reader)) {
    if (!reader.line.startsWith('== ')) reader.fail(`not understood: ${reader.line}`);
    tests.push(readTest(reader));
  }
  return tests;
}

export function parseScenario(text, file) {
  const reader = new Reader(text, file);
  const scenario = { file, contract: null, options: [], callers: new Map(), faces: null, stores: null, tests: [] };
  for (skipIdle(reader); !reader.isOver; skipIdle(reader)) {
    let match;
    if (reader.line === 'contract <<') scenario.contract = reader.block();
    else if ((match = /^contract (\S+)$/.exec(reader.line))) { scenario.contractFile = match[1]; reader.at++; }
    else if (reader.line === 'later') { scenario.isLater = true; reader.at++; }
    else if ((match = /^given (\S+)$/.exec(reader.line))) { scenario.givenFile = match[1]; reader.at++; }
    else if ((match = /^option (.+)$/.exec(reader.line))) { scenario.options.push(...match[1].split(' ')); reader.at++; }
    else if ((match = /^caller (\w+) (\{.*\})$/.exec(reader.line))) { scenario.callers.set(match[1], JSON.parse(match[2])); reader.at++; }
    else if ((match = /^(faces|stores) (.+)$/.exec(reader.line))) { scenario[match[1]] = match[2].split(' '); reader.at++; }
    else if (reader.line.startsWith('== ')) scenario.tests.push(readTest(reader));
    else reader.fail(`not understood: ${reader.line}`);
  }
  if (!scenario.contract && !scenario.contractFile) throw new Error(`${file}: a scenario needs a contract`);
  return scenario;
}
