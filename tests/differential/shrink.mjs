// shrink.mjs - a difference, made small: operations before it that it doesn't need are left out, then parts of it; what remains is printed as curl.
import { callers, Pair } from './pair.mjs';

const CURL_HEADERS = new Set(['X-Request-Id']);

// Plays operations to fresh servers; the difference that the last one makes, or null.
async function replay(contract, postgres, operations) {
  const pair = new Pair(contract, postgres);
  try {
    await pair.start();
    for (const operation of operations) {
      const answers = await pair.ask(operation);
      const isLast = operation === operations.at(-1);
      if (answers === null) { if (isLast) return null; continue; }
      const difference = pair.difference(operation, answers);
      if (isLast) return difference;
    }
    return null;
  } finally { await pair.stop().catch(() => {}); }
}

const references = (operation) => [...JSON.stringify([operation.target, operation.headers, operation.body]).matchAll(/\{\{(\d+):/g)].map((match) => Number(match[1]));

// Reads change nothing: only those that a later operation speaks of are kept.
function withoutIdleReads(operations) {
  const needed = new Set();
  const kept = [];
  for (const operation of [...operations].reverse()) {
    if (kept.length > 0 && !operation.isWrite && !needed.has(operation.number)) continue;
    references(operation).forEach((number) => needed.add(number));
    kept.unshift(operation);
  }
  return kept;
}

// Leaves out ever smaller runs while the last operation still differs (delta debugging), as long as there is time.
async function fewer(operations, differs, hasTime) {
  let kept = operations;
  for (let size = Math.ceil((kept.length - 1) / 2); size >= 1 && hasTime(); size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let end = kept.length - 1; end > 0 && hasTime(); end -= size) {
      const trial = [...kept.slice(0, Math.max(0, end - size)), ...kept.slice(end)];
      if (trial.length < kept.length && (await differs(trial))) kept = trial;
    }
  }
  return kept;
}

function* simpler(operation) {
  const [path, query] = operation.target.split('?');
  const parameters = query?.split('&') ?? [];
  for (let i = 0; i < parameters.length; i++) {
    const left = parameters.filter((_, n) => n !== i);
    yield { ...operation, target: left.length > 0 ? `${path}?${left.join('&')}` : path };
  }
  for (const name of Object.keys(operation.headers ?? {})) {
    if (name === 'Content-Type') continue;
    const { [name]: _, ...headers } = operation.headers;
    yield { ...operation, headers };
  }
  let body;
  try { body = JSON.parse(operation.body ?? 'null'); } catch { return; }
  if (body === null || typeof body !== 'object') return;
  for (const name of Object.keys(body)) {
    const less = Array.isArray(body) ? body.filter((_, i) => String(i) !== name) : Object.fromEntries(Object.entries(body).filter(([other]) => other !== name));
    yield { ...operation, body: JSON.stringify(less) };
  }
}

async function smaller(operations, differs, hasTime) {
  let kept = operations;
  for (let isSmaller = true; isSmaller && hasTime();) {
    isSmaller = false;
    for (const trial of simpler(kept.at(-1))) {
      if (!hasTime() || !(await differs([...kept.slice(0, -1), trial]))) continue;
      kept = [...kept.slice(0, -1), trial];
      isSmaller = true;
      break;
    }
  }
  return kept;
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// A shell's line; what an earlier answer gave stands as $A12_id.
function curl(operation) {
  const variable = (text) => quote(text).replace(/\{\{(\d+):([^}]*)\}\}/g, (_, number, place) => `'"$A${number}${place.replace(/\W/g, '_')}"'`);
  const headers = Object.entries(operation.headers ?? {}).filter(([name]) => !CURL_HEADERS.has(name)).map(([name, value]) => ` -H ${variable(`${name}: ${value}`)}`).join('');
  const caller = callers[operation.caller] === null ? '' : ` -H "Authorization: Bearer $TOKEN_${operation.caller}"`;
  return `curl -i -X ${operation.method}${caller}${headers}${operation.body == null ? '' : ` --data-binary ${variable(operation.body)}`} "$SERVER"${variable(operation.target)}   # answer ${operation.number}${operation.face ? `, over ${operation.face} too` : ''}`;
}

// → the text that tells a person how to see it.
export async function explain({ contract, postgres, history, operation, difference, budgetMs }) {
  const deadline = Date.now() + budgetMs;
  const hasTime = () => Date.now() < deadline;
  const kind = difference.split('\n')[0];
  const differs = async (operations) => { const found = await replay(contract, postgres, operations).catch(() => null); return found !== null && found.split('\n')[0] === kind; };
  let operations = withoutIdleReads([...history, operation]);
  let note = '';
  if (budgetMs > 0) {
    if (await differs(operations)) operations = await smaller(await fewer(operations, differs, hasTime), differs, hasTime);
    else note = '(not seen again when it was replayed alone)\n';
  }
  const shown = operations.slice(-12);
  return `${difference}\n${note}${shown.length < operations.length ? `… ${operations.length - shown.length} operations before\n` : ''}${shown.map(curl).join('\n')}\n`;
}
