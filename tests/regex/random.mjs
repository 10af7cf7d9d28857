// random.mjs - random regular expressions of the language that the contract takes, some bent so that perhaps they are none, and texts in
// which they may be found.
const characters = ['a', 'a', 'a', 'b', 'b', 'c', 'A', 'B', 'k', 'K', '\u212a', 's', '\u017f', '1', '_', ' ', '\n', '\t', '\v', '-', 'é', 'É', 'σ', 'ς', 'Σ', 'ß', '日', '٣', '🍵', '\u0301', 'ǅ', 'ǆ', 'ⓐ', '\u2028'];
const marks = ['\\.', '\\\\', '\\]', '\\[', '\\^', '\\$', '\\-', '\\*', '\\{', '\\(', '\\|', '\\n', '\\t', '\\v', '\\r', '\\f', '\\a', '\\x61', '\\x{e9}', '\\x{1F375}', '\\_', '"', "'", '#', '}', ']', '/', '&&', '--', '~'];
const sets = ['\\d', '\\w', '\\s', '\\D', '\\W', '\\S', '\\pL', '\\p{Lu}', '\\p{Ll}', '\\P{Lu}', '\\p{^Ll}', '\\PL', '\\p{Nd}', '\\p{M}', '\\pZ', '\\p{So}', '\\pP'];
const posix = ['alnum', 'alpha', 'ascii', 'blank', 'cntrl', 'digit', 'graph', 'lower', 'print', 'punct', 'space', 'upper', 'word', 'xdigit', '^alpha', '^upper', '^word'];
const ranges = ['a-c', 'A-Z', 'a-z', '0-9', 'é-ü', '\\x{0}-\\x{1f}', 'À-ß', '一-龥', 'k-s', '\\t-\\r', '!-/', 'Α-ω', '\\x{d000}-\\x{ffff}'];

function set(random) {
  let text = '[' + (random.chance(30) ? '^' : '') + (random.chance(5) ? ']' : '');
  for (let i = random.between(1, 3); i > 0; i--)
    text += random.weighted([[5, () => random.pick(characters)], [1, () => random.pick(marks).replace(/^[\]"'#}~/&-]+$/, '.')], [4, () => random.pick(ranges)], [2, () => random.pick(sets)], [1, () => `[:${random.pick(posix)}:]`]])();
  return `${text}${random.chance(5) ? '-' : ''}]`;
}

function group(random, depth) {
  const begin = random.weighted([[4, '('], [4, '(?:'], [1, '(?i:'], [1, '(?s:'], [1, '(?m:'], [1, '(?-i:'], [1, '(?im-s:'], [1, '(?P<name>'], [1, '(?<name>']]);
  const flags = random.chance(8) ? random.pick(['(?i)', '(?s)', '(?m)', '(?-m)', '(?U)']) : '';
  return `${begin}${flags}${choice(random, depth - 1)})`;
}

function atom(random, depth) {
  return random.weighted([
    [10, () => [random.pick(characters), true]],
    [2, () => [random.pick(marks), true]],
    [2, () => ['.', true]],
    [3, () => [random.pick(sets), true]],
    [4, () => [set(random), true]],
    [2, () => [random.pick(['^', '$', '\\A', '\\z', '\\b', '\\B']), false]],
    [depth > 0 ? 6 : 0, () => [group(random, depth), true]],
    [0.3, () => [`\\Q${random.pick(['a.b', 'a', '[x', '(', 'a|b'])}\\E`, false]],
  ])();
}

function sequence(random, depth) {
  let text = '';
  for (let i = random.weighted([[1, 0], [5, 1], [4, 2], [2, 3], [1, 4]]); i > 0; i--) {
    const [term, isRepeatable] = atom(random, depth);
    text += term;
    if (!isRepeatable || !random.chance(35)) continue;
    text += random.weighted([[3, '*'], [3, '+'], [3, '?'], [1, '{2}'], [1, '{1,2}'], [1, '{2,}'], [0.5, '{0}'], [0.5, '{0,3}'], [0.2, '{300}'], [0.2, '{0,260}'], [0.2, '{3,511}'], [0.1, '{256,}'], [0.1, '{1000}']]);
    if (random.chance(20)) text += '?';
  }
  return text;
}

function choice(random, depth) {
  const branches = [];
  for (let i = random.weighted([[6, 1], [3, 2], [1, 3]]); i > 0; i--) branches.push(sequence(random, depth));
  return branches.join('|');
}

const bits = [...'()[]{}|*+?^$.\\-,:=!<>0123456789pdwsbBAzZGKRQECPigx&#~_ \n', '\\', '(?', '(?=', '(?<!', '(?>', '\\1', '*+', '{,2}', '[:', ':]', '[^', '\\x{', '(?i', '\\p{'];

// Something put in, left out or put twice.
function bend(random, pattern) {
  const letters = [...pattern], at = random.below(letters.length + 1);
  return random.weighted([
    [3, () => [...letters.slice(0, at), random.pick(bits), ...letters.slice(at)]],
    [2, () => letters.filter((_, i) => i !== at)],
    [1, () => [...letters, ...letters.slice(at)]],
  ])().join('');
}

export function randomPattern(random) {
  const pattern = (random.chance(25) ? random.pick(['(?i)', '(?s)', '(?m)', '(?im)', '(?ims)']) : '') + (random.chance(25) ? `^${choice(random, 3)}$` : choice(random, 3));
  return random.chance(20) ? bend(random, pattern) : pattern;
}

export function randomTexts(random, count) {
  return Array.from({ length: count }, () => {
    const some = Array.from({ length: random.between(1, 4) }, () => random.pick(characters));
    return Array.from({ length: random.weighted([[1, 0], [3, 1], [3, 2], [3, 3], [2, 5], [1, 8], [0.1, 600]]) }, () => random.pick(some)).join('');
  });
}
