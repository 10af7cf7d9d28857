// random.mjs - documents over a schema from a seed, with variables for them: mostly valid, with mistakes of every rule at a chosen rate.
import { getNamedType, getNullableType, isAbstractType, isCompositeType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType } from 'graphql';

export class Random {
  constructor(seed) { this.state = seed >>> 0; }
  // mulberry32
  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(n) { return Math.floor(this.next() * n); }
  chance(p) { return this.next() < p; }
  pick(list) { return list[this.below(list.length)]; }
}

const strings = ['""', '"a"', '"2026-01-01"', '"x\\u00e9\\n"', '"""block "quoted" text"""', '"tea"'];
const literals = {
  _Any: ['{__typename: "Book", isbn: "1"}', '{__typename: "Copy", branch: "A", number: 1}'],
  Int: ['0', '1', '-7', '2147483647'], Float: ['1.5', '2', '-0.25e3', '1E-2'], Boolean: ['true', 'false'], ID: ['"k"', '5'],
  BigInt: ['"12345678901"', '9'], Decimal: ['"3.50"', '4', '1.25'], JSON: ['{a: [1, {b: null}], c: X}', '[1, "b"]', 'true', '"s"', '1.5'],
};
const wrong = ['2147483648', '1.5', '"text"', 'true', 'NOTHING', '{a: 1}', '[1]', '[]', 'null', '-99999999999', '{}', '[[1]]', '{a: 1, a: 2}'];
const values = {
  _Any: [{ __typename: 'Book', isbn: '1' }, { a: 1 }],
  Int: [0, 1, -7, 2147483647, 5.0], Float: [1.5, 2, -250], Boolean: [true, false], ID: ['k', 5, '05'], BigInt: ['12345678901', 9],
  Decimal: ['3.50', 4], JSON: [{ a: [1, { b: null }] }, [1], true, 's', null],
};
const wrongValues = [2147483648, 1.5, 'text', true, 'NOTHING', { a: 1 }, [1], [], null, {}, [[1]], -99999999999, 1e40];

export class Documents {
  constructor(schema, random, rate) {
    Object.assign(this, { schema, random, rate, variables: new Map(), fragments: [], fragmentCount: 0, aliasCount: 0 });
    this.types = Object.values(schema.getTypeMap());
    this.composites = this.types.filter((type) => isCompositeType(type) && !type.name.startsWith('__'));
  }
  wrongly(factor = 1) { return this.random.chance(this.rate * factor); }

  // ---- values ----

  literal(type, depth = 0) {
    const { random } = this;
    if (this.wrongly()) return random.pick(wrong);
    if (depth < 4 && random.chance(0.15)) return this.variable(type);
    if (isNonNullType(type)) return this.literal(type.ofType, depth);
    if (random.chance(0.06)) return 'null';
    if (isListType(type)) {
      if (random.chance(0.2)) return this.literal(type.ofType, depth);
      return `[${Array.from({ length: random.below(3) }, () => this.literal(type.ofType, depth + 1)).join(', ')}]`;
    }
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (!isInputObjectType(type)) return random.pick(literals[type.name] ?? strings);
    return this.object(type, depth);
  }

  object(type, depth) {
    const { random } = this;
    const fields = Object.values(type.getFields());
    let chosen = type.isOneOf ? [random.pick(fields)] : fields.filter((field) => (isNonNullType(field.type) ? !this.wrongly() : random.chance(depth > 2 ? 0 : 1.5 / fields.length)));
    if (type.isOneOf && this.wrongly(3)) chosen = random.chance(0.5) ? [] : [random.pick(fields), random.pick(fields)];
    const members = chosen.map((field) => {
      if (!type.isOneOf) return `${field.name}: ${this.literal(field.type, depth + 1)}`;
      return `${field.name}: ${random.chance(0.2) && !this.wrongly() ? this.variable(isNonNullType(field.type) || this.wrongly(5) ? field.type : { toString: () => `${field.type}!` }) : this.oneOfValue(field.type, depth)}`;
    });
    if (this.wrongly()) members.push(`${random.pick(['nothing', 'nam', 'id'])}: 1`);
    if (this.wrongly() && members.length > 0) members.push(random.pick(members));
    return `{${members.join(', ')}}`;
  }

  // null is never one of several.
  oneOfValue(type, depth) {
    const text = depth > 5 && isInputObjectType(type) ? this.leafOrder(type) : this.literal(type, depth + 1);
    return (text === 'null' || text.startsWith('$')) && !this.wrongly() ? (isInputObjectType(type) ? this.leafOrder(type) : this.leafOf(type)) : text;
  }
  leafOrder(type) {
    const leaf = Object.values(type.getFields()).find((field) => isLeafType(getNamedType(field.type)));
    return `{${leaf.name}: ${this.leafOf(getNamedType(leaf.type))}}`;
  }
  leafOf(type) { return isEnumType(type) ? type.getValues()[0].name : 'true'; }

  variable(type) {
    const { random } = this;
    if (this.wrongly()) return '$nowhere';
    let written = String(type);
    if (this.wrongly(2)) written = random.pick(['Int', 'String!', '[ID!]', `[${written}]`, written.replace(/!$/, ''), 'Book', 'Nothing', '[[Int]]!']);
    const known = [...this.variables].filter(([, variable]) => variable.written === written);
    if (known.length > 0 && random.chance(0.5)) return `$${random.pick(known)[0]}`;
    const name = `v${this.variables.size}`;
    // What is not null must be given, or have a default.
    this.variables.set(name, { written, type, fallback: random.chance(0.25) });
    return `$${name}`;
  }

  // ---- selections ----

  directives() {
    const { random } = this;
    let text = '';
    if (random.chance(0.08)) text += ` @${random.pick(['skip', 'include'])}(if: ${random.chance(0.4) ? this.variable({ toString: () => 'Boolean!' }) : 'true'})`;
    if (this.wrongly()) text += random.pick([' @skip', ' @nothing', ' @deprecated', ' @skip(if: "x")', ' @include(if: true, unless: 1)', ' @skip(if: true) @skip(if: false)', ' @oneOf', ' @include(if: null)', ' @specifiedBy(url: 1)']);
    return text;
  }

  arguments(field) {
    const { random } = this;
    const given = field.args.filter((argument) => (isNonNullType(argument.type) && argument.defaultValue === undefined ? !this.wrongly() : random.chance(0.25)));
    const parts = given.map((argument) => `${argument.name}: ${this.literal(argument.type)}`);
    if (this.wrongly()) parts.push(`${random.pick(['frist', 'nothing', 'id'])}: 1`);
    if (this.wrongly(0.5) && parts.length > 0) parts.push(random.pick(parts));
    return parts.length > 0 ? `(${parts.join(', ')})` : '';
  }

  field(type, depth) {
    const { random } = this;
    const fields = Object.values(type.getFields?.() ?? {});
    if (this.wrongly()) return random.pick(['nothing', 'nam', 'titel { x }', 'nothing(a: $lost) { b }']);
    if (random.chance(0.06) || fields.length === 0) return '__typename';
    const shallow = depth > 4 ? fields.filter((field) => isLeafType(getNamedType(field.type))) : fields;
    if (shallow.length === 0) return '__typename';
    const field = random.pick(shallow);
    const named = getNamedType(field.type);
    // Few aliases for many fields, so that some of them meet.
    const alias = this.wrongly(3) ? `${random.pick(['a', 'b', 'id'])}: ` : random.chance(0.6) || field.args.length > 0 ? `x${this.aliasCount++}: ` : '';
    const isComposite = isCompositeType(named) !== this.wrongly(0.5);
    return `${alias}${field.name}${this.arguments(field)}${this.directives()}${isComposite ? ` ${this.selections(named, depth + 1)}` : ''}`;
  }

  fragmentOn(type) {
    const { random } = this;
    if (this.wrongly()) return random.pick([...this.composites.map(({ name }) => name), 'Nothing', 'String', 'CopyState', 'BookWhere']);
    if (isAbstractType(type)) return random.pick(this.schema.getPossibleTypes(type)).name;
    const interfaces = type.getInterfaces?.() ?? [];
    return interfaces.length > 0 && random.chance(0.3) ? interfaces[0].name : type.name;
  }

  selection(type, depth) {
    const { random } = this;
    if (depth < 5 && random.chance(0.08)) {
      const on = this.fragmentOn(type);
      const inner = this.schema.getType(on);
      return `...${random.chance(0.8) ? ` on ${on}` : ''}${this.directives()} ${this.selections(random.chance(0.8) && inner && isCompositeType(inner) ? inner : type, depth + 1)}`;
    }
    if (depth < 5 && random.chance(0.06)) return this.spread(type, depth);
    return this.field(type, depth);
  }

  spread(type, depth) {
    const { random } = this;
    if (this.wrongly()) return '...nowhere';
    const known = this.fragments.filter(({ isDone, on }) => (isDone && on === type.name) || this.wrongly(2));
    if (known.length > 0 && random.chance(0.5)) return `...${random.pick(known).name}${this.directives()}`;
    const on = this.fragmentOn(type);
    const fragment = { name: `f${this.fragmentCount++}`, on, isDone: false };
    this.fragments.push(fragment);
    const inner = this.schema.getType(on);
    fragment.text = `fragment ${this.wrongly(0.3) ? 'f0' : fragment.name} on ${on}${this.wrongly() ? this.directives() : ''} ${this.selections(inner && isCompositeType(inner) ? inner : type, depth + 1)}`;
    fragment.isDone = true;
    return `...${fragment.name}`;
  }

  selections(type, depth) {
    const count = 1 + this.random.below(depth > 3 ? 2 : 4);
    const parts = Array.from({ length: count }, () => this.selection(type, depth));
    return `{${this.random.chance(0.3) ? '\n' : ' '}${parts.join(this.random.chance(0.3) ? ',\n  ' : ' ')} }`;
  }

  // ---- definitions ----

  definitions() {
    const { random } = this;
    const parts = [...this.variables].map(([name, variable]) => {
      const inner = typeof variable.type === 'object' && variable.type.constructor?.name !== 'Object' ? getNullableType(variable.type) : null;
      const isOwn = inner !== null && String(variable.type) === variable.written;
      const saved = this.variables;
      this.variables = new Map();
      let fallback = '';
      if (variable.fallback && isOwn) fallback = ` = ${this.constant(inner)}`;
      if (this.wrongly()) fallback = random.pick([' = 1', ' = null', ' = "x"', ' = {a: 1}']);
      this.variables = saved;
      return `$${name}: ${variable.written}${fallback}${this.wrongly(0.3) ? ' @skip(if: true)' : ''}`;
    });
    if (this.wrongly(2)) parts.push('$unused: Int');
    if (this.wrongly() && parts.length > 0) parts.push(random.pick(parts));
    return parts.length > 0 ? `(${parts.join(', ')})` : '';
  }

  constant(type) {
    for (let i = 0; i < 20; i++) {
      this.variables.clear();
      const text = this.literal(type);
      if (this.variables.size === 0 && !text.includes('$')) return text;
    }
    return 'null';
  }

  operation(kind, name) {
    const root = { query: this.schema.getQueryType(), mutation: this.schema.getMutationType(), subscription: this.schema.getSubscriptionType() }[kind];
    this.variables = new Map();
    const selections = kind === 'subscription' && this.random.chance(0.7) ? `{ ${this.selection(root, 0)} }` : this.selections(root, 0);
    // Fragments use variables too: what they need is defined by the one operation there is.
    const definitions = this.definitions();
    const head = name === '' && definitions === '' && kind === 'query' && this.random.chance(0.5) ? '' : `${kind} ${name}${definitions}${this.wrongly() ? this.directives() : ''} `;
    return { text: `${head}${selections}`, variables: this.variables };
  }

  document() {
    const { random } = this;
    const kind = random.chance(0.25) ? 'mutation' : random.chance(0.15) ? 'subscription' : 'query';
    const main = this.operation(kind, random.chance(0.5) ? 'Main' : '');
    const parts = [main.text];
    const used = main.variables;
    if (this.wrongly(2)) parts.push(random.pick(['query Main { __typename }', '{ __typename }', 'query Other { book(isbn: "1") { isbn } }', 'query Other { ...f0 }']));
    if (this.wrongly(2)) parts.push(random.pick(['fragment lonely on Book { isbn }', 'fragment g on Book { ...h } fragment h on Book { isbn ...g }', 'fragment self on Book { author { books { nodes { ...self } } } }', 'type T { a: Int }', 'extend type Book { a: Int }', 'enum E { A }', 'scalar S']));
    for (const fragment of this.fragments) parts.splice(random.below(parts.length + 1), 0, fragment.text);
    return { query: parts.join('\n'), variables: this.variableValues(used) };
  }

  // ---- variables as sent ----

  value(type, depth = 0) {
    const { random } = this;
    if (this.wrongly(2)) return random.pick(wrongValues);
    if (isNonNullType(type)) {
      const value = this.value(type.ofType, depth);
      return value === null && !this.wrongly() ? this.value(type.ofType, depth) : value;
    }
    if (random.chance(0.08)) return null;
    if (isListType(type)) return random.chance(0.2) ? this.value(type.ofType, depth) : Array.from({ length: random.below(3) }, () => this.value(type.ofType, depth + 1));
    if (isEnumType(type)) return random.pick(type.getValues()).name;
    if (!isInputObjectType(type)) return random.pick(values[type.name] ?? ['', 'a', '2026-01-01', 'x\u00e9\n']);
    const fields = Object.values(type.getFields());
    const chosen = type.isOneOf && !this.wrongly(3) ? [random.pick(fields)] : fields.filter((field) => (isNonNullType(field.type) ? !this.wrongly() : random.chance(depth > 2 ? 0 : 1.5 / fields.length)));
    const object = Object.fromEntries(chosen.map((field) => [field.name, this.value(field.type, depth + 1)]));
    if (this.wrongly()) object.nothing = 1;
    return object;
  }

  variableValues(variables) {
    const { random } = this;
    const sent = {};
    for (const [name, { type, written, fallback }] of variables) {
      const known = String(type) === written && typeof type.inspect !== 'undefined' ? type : this.schema.getType(written.replace(/[[\]!]/g, ''));
      if (fallback && random.chance(0.5)) continue;
      if (!written.endsWith('!') && random.chance(0.2)) continue;
      if (written === 'Boolean!') sent[name] = this.wrongly(2) ? random.pick(wrongValues) : random.chance(0.5);
      else if (known && typeof type.constructor === 'function' && type.constructor.name !== 'Object') sent[name] = this.value(type);
      else sent[name] = random.pick(wrongValues);
    }
    if (random.chance(0.05)) sent.extra = 1;
    return sent;
  }
}

// A document with a token or a byte of it taken out, put in, or put elsewhere.
export function damage(query, random) {
  const at = random.below(query.length + 1);
  const bits = ['{', '}', '(', ')', '[', ']', ':', '!', '$', '@', '...', '..', '"', '"""', '\\', '#', '&', '|', '=', ' on ', ' null ', '01', '1.', '1e', '-', '.5', '1a', '\n', '%', '~', '"\\q"', '"\\u12"', 'fragment', 'query', ' \t,'];
  switch (random.below(3)) {
    case 0: return query.slice(0, at) + query.slice(at + 1 + random.below(3));
    case 1: return query.slice(0, at) + random.pick(bits) + query.slice(at);
    default: return query.slice(0, at);
  }
}
