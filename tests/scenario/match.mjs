// match.mjs - holds an answer against what is expected. Returns null, or a sentence that says where they part.

const masks = {
  $any: () => true,
  $string: (value) => typeof value === 'string',
  $number: (value) => typeof value === 'number',
  $uuid: (value) => typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(value),
  $time: (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(value),
};

const variable = /\$[A-Z][A-Z0-9_]*/g;
const escapeRegex = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// Puts variables into a text that is sent. An unknown one is the scenario's mistake.
export function fill(text, variables) {
  return text
    .replace(/\{\{repeat:(.*?):(\d+)\}\}/gs, (_, part, count) => part.repeat(Number(count)))
    .replace(variable, (name) => {
      if (!variables.has(name)) throw new Error(`${name} has no value yet`);
      return variables.get(name);
    });
}

// A text with $NAME (taken, or compared when it is known), $any and $string in it.
export function matchText(expected, actual, variables) {
  if (expected === '*') return actual !== undefined;
  const taken = [];
  const source = expected.split(/(\$[A-Z][A-Z0-9_]*|\$any|\$string|\$uuid|\$time)/).map((part) => {
    if (/^\$[A-Z]/.test(part)) {
      if (variables.has(part)) return escapeRegex(variables.get(part));
      taken.push(part);
      return '(.+?)';
    }
    return /^\$(any|string|uuid|time)$/.test(part) ? '.*?' : escapeRegex(part);
  }).join('');
  const match = new RegExp(`^${source}$`, 's').exec(actual ?? '');
  if (actual === undefined || !match) return false;
  taken.forEach((name, index) => variables.set(name, match[index + 1]));
  return true;
}

const show = (value) => { const text = JSON.stringify(value); return text === undefined ? 'nothing' : text.length > 400 ? `${text.slice(0, 400)}…` : text; };

function matchString(expected, actual, variables, at) {
  if (masks[expected]) return masks[expected](actual) ? null : `${at}: expected ${expected}, got ${show(actual)}`;
  if (!/\$[A-Z]/.test(expected)) return expected === actual ? null : `${at}: expected ${show(expected)}, got ${show(actual)}`;
  if (typeof actual !== 'string') return `${at}: expected a string like ${expected}, got ${show(actual)}`;
  const known = expected.replace(variable, (name) => variables.get(name) ?? name);
  return matchText(expected, actual, variables) ? null : `${at}: expected ${show(known)}, got ${show(actual)}`;
}

function matchUnordered(expected, actual, variables, options, at) {
  if (!Array.isArray(actual)) return `${at}: expected a list, got ${show(actual)}`;
  if (expected.length !== actual.length) return `${at}: expected ${expected.length} items, got ${actual.length}: ${show(actual)}`;
  const left = [...actual];
  for (const item of expected) {
    const index = left.findIndex((candidate) => matchJson(item, candidate, new Map(variables), options) === null);
    if (index < 0) return `${at}: nothing matches ${show(item)} in ${show(left)}`;
    matchJson(item, left.splice(index, 1)[0], variables, options);
  }
  return null;
}

function matchList(expected, actual, variables, options, at) {
  if (!Array.isArray(actual)) return `${at}: expected a list, got ${show(actual)}`;
  if (expected.length !== actual.length) return `${at}: expected ${expected.length} items, got ${actual.length}: ${show(actual)}`;
  for (let i = 0; i < expected.length; i++) {
    const difference = matchJson(expected[i], actual[i], variables, options, `${at}/${i}`);
    if (difference) return difference;
  }
  return null;
}

function matchObject(expected, actual, variables, options, at) {
  if (actual === null || typeof actual !== 'object' || Array.isArray(actual)) return `${at}: expected an object, got ${show(actual)}`;
  const isOpen = '...' in expected;
  const names = Object.keys(expected).filter((name) => name !== '...').map((name) => (name.endsWith('~') ? name.slice(0, -1) : name));
  const extra = Object.keys(actual).filter((name) => !names.includes(name));
  if (!isOpen && extra.length > 0) return `${at}: not expected: ${extra.join(', ')} in ${show(actual)}`;
  for (const name of names) {
    if (!(name in actual)) return `${at}/${name}: missing in ${show(actual)}`;
    const difference = `${name}~` in expected
      ? matchUnordered(expected[`${name}~`], actual[name], variables, options, `${at}/${name}`)
      : matchJson(expected[name], actual[name], variables, options, `${at}/${name}`);
    if (difference) return difference;
  }
  // "Fields come in the contract's order": an object without "..." is compared with its order.
  const order = Object.keys(actual).filter((name) => names.includes(name));
  if (options.isOrdered && !isOpen && order.join() !== names.join()) return `${at}: expected the order ${names.join(', ')}, got ${order.join(', ')}`;
  return null;
}

export function matchJson(expected, actual, variables, options = { isOrdered: true }, at = '') {
  if (typeof expected === 'string') return matchString(expected, actual, variables, at || '(the body)');
  if (Array.isArray(expected)) return matchList(expected, actual, variables, options, at);
  if (expected !== null && typeof expected === 'object') return matchObject(expected, actual, variables, options, at);
  return Object.is(expected, actual) ? null : `${at || '(the body)'}: expected ${show(expected)}, got ${show(actual)}`;
}
