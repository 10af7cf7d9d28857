// face_rest.mjs - plays a scenario's steps over REST, whose notation they are written in.
import { fill, matchJson, matchText } from './match.mjs';

function targetOf(request, variables) {
  const target = fill(request.target, variables);
  if (request.query.length === 0) return target;
  const query = request.query.map(([name, value]) => `${name}=${encodeURIComponent(fill(value, variables))}`).join('&');
  return `${target}${target.includes('?') ? '&' : '?'}${query}`;
}

function headersOf(request, tokens, variables) {
  const headers = Object.fromEntries(request.headers.map(([name, value]) => [name, fill(value, variables)]));
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  if (request.caller !== null && request.caller !== 'nobody') {
    if (!tokens.has(request.caller)) throw new Error(`line ${request.line}: no caller ${request.caller}`);
    headers.Authorization = `Bearer ${tokens.get(request.caller)}`;
  }
  if (request.body !== null && !names.includes('content-type')) headers['Content-Type'] = 'application/json';
  return headers;
}

// What every problem document must have (RFC 9457, INTERFACE.md §3).
function checkProblem(answer, response, problem) {
  if (!(response.headers.get('content-type') ?? '').startsWith('application/problem+json')) return `expected application/problem+json, got ${response.headers.get('content-type')}`;
  for (const name of ['type', 'title', 'status', 'code', 'requestId']) if (!(name in problem)) return `the problem has no "${name}"`;
  if (problem.status !== answer.status) return `the problem's status is ${problem.status}, the answer's ${answer.status}`;
  if (problem.code !== answer.code) return `expected the code ${answer.code}, got ${problem.code}`;
  for (const [name, text] of answer.members) {
    for (const word of name === 'rule' ? text.split(' ') : [text]) {
      if (!String(problem[name] ?? '').includes(word)) return `expected "${name}" to name "${word}", got ${JSON.stringify(problem[name])}`;
    }
  }
  if (answer.errors.length === 0) return null;
  return matchJson({ 'errors~': answer.errors.map(({ pointer, code }) => ({ pointer, code: code === '*' ? '$string' : code, '...': 1 })), '...': 1 }, problem, new Map());
}

function checkHeaders(answer, response, variables) {
  for (const [name, expected] of answer.headers) {
    if (!matchText(expected, response.headers.get(name), variables)) return `header ${name}: expected ${expected}, got ${response.headers.get(name)}`;
  }
  for (const name of answer.absent) if (response.headers.has(name)) return `header ${name} is not expected: ${response.headers.get(name)}`;
  return null;
}

function checkBody(answer, response, variables) {
  if (answer.isEmpty) return response.body.length === 0 ? null : 'expected no body';
  if (answer.exact !== null && response.text !== fill(answer.exact, variables)) return `expected the body ${fill(answer.exact, variables)}`;
  for (const pattern of answer.patterns) if (!new RegExp(fill(pattern, variables), 's').test(response.text)) return `the body does not match ${pattern}`;
  if (answer.code === null && answer.body === undefined) return null;
  let body;
  try { body = JSON.parse(response.text); } catch { return 'the body is not JSON'; }
  const difference = answer.code === null ? null : checkProblem(answer, response, body);
  if (difference || answer.body === undefined) return difference;
  return matchJson(answer.body, body, variables, { isOrdered: answer.code === null });
}

async function play({ request, answer }, client, tokens, variables) {
  const body = request.body === null ? null : fill(request.body, variables);
  const target = targetOf(request, variables);
  const response = await client.request(request.method, target, { headers: headersOf(request, tokens, variables), body });
  const difference = response.status !== answer.status
    ? `expected the status ${answer.status}, got ${response.status}`
    : checkHeaders(answer, response, variables) ?? checkBody(answer, response, variables);
  return difference === null ? null : `${difference}\nsent: ${request.method} ${target.slice(0, 300)}\nanswer: ${response.status} ${response.text.slice(0, 1500)}`;
}

export const rest = {
  name: 'rest',
  open(server, tokens) {
    const client = server.client();
    return { play: (step, variables) => play(step, client, tokens, variables), close: () => client.close() };
  },
};
