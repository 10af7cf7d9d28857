// contract.mjs - a random contract: types with fields of every kind, constraints, defaults, relations both ways, keys of every sort, and rules.
import { canOrder, kinds } from './values.mjs';

const typeNames = ['Depot', 'Parcel', 'Ticket', 'OrderLine', 'Vendor'];
const kebab = (name) => name.replace(/(.)([A-Z])/g, '$1-$2').toLowerCase();
export const lowerFirst = (name) => name[0].toLowerCase() + name.slice(1);

const head = `extend schema @service(name: "differ")
enum State { OPEN CLOSED PENDING @value(name: "PG-13") }
type Address { street: String! @length(max: 20) city: String! zip: String @pattern(regex: "^[0-9]{5}$") }
`;

const rules = ['true', 'true', 'open || auth.id != null', "'staff' in auth.roles || owner == auth.id || open", 'auth.id != null', "'staff' in auth.roles"];
const checks = [['small', (n) => `${n} == null || ${n} < 9`], ['text', (n) => `${n} != "Zebra"`], ['whole', (n) => `${n} == null || ${n} + 1 > 0`], ['tags', (n) => `!("NULL" in ${n})`]];
const defaults = { text: ['"it\'s"'], whole: ['7'], small: ['3'], big: ['"42"'], real: ['1.5'], price: ['"9.5"'], flag: ['true', 'false'], state: ['OPEN', 'PENDING'], day: ['"2000-01-01"'], moment: ['"2024-02-29T00:00:00Z"'] };

function makeField(random, kind, number) {
  const { attributes = [], ...rest } = kinds[kind];
  const field = { name: `${kind}${number}`, kind, ...rest, isRequired: random.chance(25), attributes: [...attributes] };
  if (defaults[kind] && random.chance(35)) {
    field.hasDefault = true;
    field.attributes.push(`@default(value: ${random.pick(defaults[kind])})`);
  }
  if (['text', 'code', 'whole', 'mail', 'uuid'].includes(kind) && random.chance(15)) field.isUnique = true;
  const special = random.weighted([[80, null], [5, '@immutable'], [4, '@hidden'], [7, '@access(read: "auth.id != null")'], [4, `@access(create: "true", update: "'staff' in auth.roles")`]]);
  if (special === '@hidden') field.isHidden = true;
  if (special !== null && !(special === '@hidden' && field.isRequired)) field.attributes.push(special);
  else field.isHidden = false;
  return field;
}

function makeType(random, name, index, earlier) {
  const type = { name, path: `${kebab(name)}s`, fields: [], toOne: [], toMany: [], keys: [], readRule: index === 0 ? 'true' : random.pick(rules), writeRule: index < 2 ? random.pick(['true', 'auth.id != null']) : random.pick(rules) };
  const kindNames = Object.keys(kinds);
  const fieldCount = random.between(5, 9);
  for (let i = 0; i < fieldCount; i++) type.fields.push(makeField(random, random.pick(kindNames), i));
  type.fields.push({ name: 'owner', kind: 'text', ...kinds.text, good: ['ann', 'bob'], bad: [5], attributes: [], isRequired: false });
  type.fields.push({ name: 'open', kind: 'flag', ...kinds.flag, attributes: ['@default(value: true)'], isRequired: true, hasDefault: true });
  if (random.chance(30)) type.fields.push({ name: 'made', kind: 'moment', ...kinds.moment, attributes: ['@default(expr: "now()")', '@readonly'], isRequired: true, hasDefault: true, isServerSet: true });
  const style = index === 0 ? 'code' : random.weighted([[4, 'server'], [2, 'code'], [1, 'whole'], [1, 'uuid'], [index > 1 ? 3 : 0, 'composite']]);
  makeKey(random, type, style, earlier);
  for (const target of earlier) if (type.toOne.every((relation) => relation.target !== target) && random.chance(60)) addRelation(random, type, target);
  if (type.keys.length === 1 && random.chance(40)) addRelation(random, type, type, { name: 'parent', many: 'children', isRequired: false });
  return type;
}

const keyPools = {
  code: Array.from({ length: 40 }, (_, i) => `${'ABCDEFGHZ'[i % 9]}-${(i * 37) % 1000}`),
  whole: [1, 2, 3, 4, 5, 10, 11, -1, 0, 99, ...Array.from({ length: 30 }, (_, i) => 1000 + i * 7)],
  uuid: Array.from({ length: 40 }, (_, i) => `01890a5d-ac96-774b-bcce-b302099a8${String(i).padStart(2, '0')}7`),
};

function makeKey(random, type, style, earlier) {
  if (style === 'server') return void type.keys.push({ name: 'id', type: 'ID', isServerMade: true });
  if (style !== 'composite') return void type.keys.push({ name: 'code', kind: style, type: kinds[style].type, good: keyPools[style], bad: kinds[style].bad, attributes: style === 'code' ? ['@pattern(regex: "^[A-Z]-[0-9]{1,4}$")'] : [] });
  const target = random.pick(earlier.filter((other) => other.keys.length === 1));
  addRelation(random, type, target, { isRequired: true, isKey: true });
  type.keys.push({ relation: type.toOne[0], name: type.toOne[0].keyName, type: target.keys[0].type });
  type.keys.push({ name: 'part', kind: 'small', type: 'Int', good: [0, 1, 2, 3], bad: [-1, 'x', 11], attributes: ['@range(min: 0, max: 10)'] });
}

function addRelation(random, type, target, details = {}) {
  const name = details.name ?? lowerFirst(target.name);
  const many = details.many ?? `${lowerFirst(type.name)}s`;
  const isRequired = details.isRequired ?? random.chance(25);
  const onDelete = random.weighted([[5, null], [2, 'CASCADE'], [isRequired ? 0 : 2, 'SET_NULL']]);
  const upper = (s) => s[0].toUpperCase() + s.slice(1);
  const relation = { name, target, source: type, many, isRequired, isKey: details.isKey ?? false, onDelete, keyNames: target.keys.map((key) => `${name}${upper(key.name)}`) };
  relation.keyName = relation.keyNames[0];
  type.toOne.push(relation);
  target.toMany.push(relation);
}

function renderType(random, type) {
  const lines = [];
  for (const key of type.keys) {
    if (key.relation) continue;
    lines.push(key.isServerMade ? '  id: ID!' : `  ${key.name}: ${key.type}! @id ${key.attributes.join(' ')}`);
  }
  for (const field of type.fields) lines.push(`  ${field.name}: ${field.type}${field.isRequired ? '!' : ''}${field.isUnique ? ' @unique' : ''} ${field.attributes.join(' ')}`);
  const relations = type.toOne.map((relation) => `  ${relation.name}: ${relation.target.name}${relation.isRequired ? '!' : ''}${relation.isKey ? ' @id' : ''} @relation(inverse: "${relation.many}"${relation.onDelete ? `, onDelete: ${relation.onDelete}` : ''})`);
  // The key's order is that of its fields, and the relation is its first part.
  const isRelationKey = type.toOne[0]?.isKey;
  const first = isRelationKey ? [relations.shift()] : [];
  const many = type.toMany.map((relation) => `  ${relation.many}: [${relation.source.name}!]!`);
  const directives = [];
  for (const [kind, make] of checks) {
    const field = type.fields.find((candidate) => candidate.kind === kind && !candidate.isHidden);
    if (field && random.chance(40)) directives.push(`@check(expr: ${JSON.stringify(make(field.name))}, message: "no ${field.name} like that")`);
  }
  const pair = type.fields.filter((field) => ['small', 'state', 'flag'].includes(field.kind) && !field.isHidden && field.name !== 'open');
  if (pair.length > 1 && random.chance(40)) {
    type.uniqueGroup = pair.slice(0, 2).map((field) => field.name);
    directives.push(`@unique(fields: ${JSON.stringify(type.uniqueGroup)})`);
  }
  return `type ${type.name} @resource @access(read: "${type.readRule}", write: "${type.writeRule}") ${directives.join(' ')} {\n${[...first, ...lines, ...relations, ...many].join('\n')}\n}\n`;
}

// → { text, types }
export function makeContract(random) {
  const types = [];
  for (const name of typeNames.slice(0, random.between(3, 5))) types.push(makeType(random, name, types.length, types.slice()));
  return { text: head + types.map((type) => renderType(random, type)).join('\n'), types };
}

export const readable = (type) => type.fields.filter((field) => !field.isHidden);
export const sortable = (type) => [...readable(type).filter(canOrder), ...type.keys.filter((key) => !key.relation).map((key) => ({ ...key, kind: key.kind ?? 'id', good: key.good ?? [] }))];
