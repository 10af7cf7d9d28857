// reference.test.mjs - documents from a seed, held against graphql-js: what is refused, by which rules, at which places; variables as they are
// coerced; the schema that is printed against the one that is told. CAISSON_SEED begins elsewhere, CAISSON_DOCUMENTS makes more of them.
import assert from 'node:assert';
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildClientSchema, buildSchema, getIntrospectionQuery, getNamedType, GraphQLError, isInputObjectType, Kind, lexicographicSortSchema, parse, printSchema, specifiedRules, typeFromAST, validate, validateSchema, valueFromASTUntyped } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { makeFolder, program, removeFolder, root, run, startServer } from '../support/server.mjs';
import { damage, Documents, Random } from './random.mjs';

const contract = path.join(root, 'tests/clients/library.graphql');
const documents = path.join(path.dirname(program), 'tests/graphql/documents');
const count = Number(process.env.CAISSON_DOCUMENTS ?? 2000);
const seed = Number(process.env.CAISSON_SEED ?? 20261126);

// Which rule of the reference each of our sentences belongs to.
const rules = [
  [/^A definition of/, 'ExecutableDefinitions'],
  [/^There can be only one operation named/, 'UniqueOperationNames'],
  [/^An operation without a name/, 'LoneAnonymousOperation'],
  [/^There can be only one fragment named/, 'UniqueFragmentNames'],
  [/^There can be only one variable named/, 'UniqueVariableNames'],
  [/^There can be only one argument named/, 'UniqueArgumentNames'],
  [/^There can be only one input field named/, 'UniqueInputFieldNames'],
  [/^There can be only one directive here/, 'UniqueDirectivesPerLocation'],
  [/^There is no type/, 'KnownTypeNames'],
  [/^There is no fragment/, 'KnownFragmentNames'],
  [/^There is no directive|^The directive .* can't stand here/, 'KnownDirectives'],
  [/^A fragment can't be on/, 'FragmentsOnCompositeTypes'],
  [/^A variable can't be/, 'VariablesAreInputTypes'],
  [/has fields of its own|has no fields of its own/, 'ScalarLeafs'],
  [/^The type ".*" has no field/, 'FieldsOnCorrectType'],
  [/^The fragment ".*" is never used/, 'NoUnusedFragments'],
  [/^The fragment ".*" contains itself/, 'NoFragmentCycles'],
  [/is never a/, 'PossibleFragmentSpreads'],
  [/is not defined by the operation/, 'NoUndefinedVariables'],
  [/^The variable ".*" is never used/, 'NoUnusedVariables'],
  [/has no argument/, 'KnownArgumentNames'],
  [/^".*" needs the argument/, 'ProvidedRequiredArguments'],
  [/^A value of type|^The input ".*" has no field|^The field ".*" needs a value|^Exactly one field/, 'ValuesOfCorrectType'],
  [/stands where|must not be nullable/, 'VariablesInAllowedPosition'],
  [/can't be merged/, 'OverlappingFieldsCanBeMerged'],
  [/^A subscription must ask for one field/, 'SingleFieldSubscriptions'],
];
const ruleOf = (message) => rules.find(([pattern]) => pattern.test(message))?.[1] ?? `unknown: ${message}`;

// What the interface says of scalars that the reference does not know (§2: values in JSON); forms of text are the input's matter, not the language's.
function teach(schema) {
  const literal = (kinds) => (node) => { if (!kinds.includes(node.kind)) throw new GraphQLError('no value of this type', { nodes: node }); return valueFromASTUntyped(node); };
  const value = (...types) => (given) => { if (!types.includes(typeof given)) throw new GraphQLError('no value of this type'); return given; };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.constructor.name !== 'GraphQLScalarType' || ['Int', 'Float', 'String', 'Boolean', 'ID', 'JSON', '_Any'].includes(type.name)) continue;
    const isNumber = type.name === 'Decimal' || type.name === 'BigInt';
    type.parseLiteral = literal([Kind.STRING, ...(isNumber ? [Kind.INT] : []), ...(type.name === 'Decimal' ? [Kind.FLOAT] : [])]);
    type.parseValue = isNumber ? value('string', 'number') : value('string');
  }
  return schema;
}

// Types whose made names would clash with those of others, and some of which little can be made.
const open = '@resource @access(read: "true", write: "true")';
const names = `
extend schema @service(name: "names")
type Product ${open} { id: ID! @id price: Decimal place: Place self: Product meta: JSON items: [ProductList!]! }
type ProductList ${open} { id: ID! @id n: Int product: Product sums: [ProductSum!]! sale: Sale }
type ProductSum ${open} { id: ID! @id n: Int list: ProductList a_b: ProductMin a: ProductValue }
type ProductMin ${open} { id: ID! @id c: Int }
type ProductValue ${open} { id: ID! @id b_c: Int }
type Sale ${open} { id: ID! @id items: [ProductList!]! }
type SaleList ${open} { id: ID! @id n: Int }
type Order ${open} { id: ID! @id n: Int }
type OrderNumber ${open} { id: ID! @id n: Int }
type IntComparison ${open} { id: ID! @id }
type Log @resource @access(read: "true") { data: JSON }
type Place { inner: Place n: Int more: Blob }
type Blob { inner: Blob raw: JSON }
type Only ${open} { id: ID! @id blob: Blob page: Info }
type Info { x: String }
type Page ${open} { id: ID! @id Info: Int }
`;

const placesOf = (error) => (error.locations ?? []).map(({ line, column }) => `${line}:${column}`);
const key = (rule, places) => `${rule} ${[...places].sort().join(' ')}`;

// The reference looks for the object's type only where it is neither required nor an item (16.15); the specification (§5.8.5) makes no difference.
function OneOfVariablesRule(context) {
  return {
    OperationDefinition: {
      leave(operation) {
        for (const { node, type, parentType } of context.getRecursiveVariableUsages(operation)) {
          const definition = operation.variableDefinitions?.findLast(({ variable }) => variable.name.value === node.name.value);
          if (!definition || definition.type.kind === Kind.NON_NULL_TYPE || isInputObjectType(parentType) || !getNamedType(parentType)?.isOneOf) continue;
          // A whole object as an item is another matter.
          if (getNamedType(type) === getNamedType(parentType)) continue;
          if (typeFromAST(context.getSchema(), definition.type)) context.reportError(new GraphQLError('must not be nullable', { nodes: [definition, node] }));
        }
      },
    },
  };
}
const allRules = [...specifiedRules, OneOfVariablesRule];

// The reference collects a subscription's fields without any variable, and throws where a condition names one, or is none at all: that other rules tell.
function validateBy(schema, document, rule) {
  try {
    return validate(schema, document, [rule]);
  } catch (error) {
    if (rule.name !== 'SingleFieldSubscriptionsRule' || !(error instanceof GraphQLError)) throw error;
    return error.nodes?.[0]?.kind === Kind.VARIABLE ? [error] : [];
  }
}

function errorsByRule(schema, document) {
  return allRules.flatMap((rule) => validateBy(schema, document, rule).map((error) => ({ rule: rule === OneOfVariablesRule ? 'VariablesInAllowedPosition' : rule.name.replace(/Rule$/, ''), places: placesOf(error), message: error.message })));
}

function reference(schema, { query, variables }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return { stage: 'parse', errors: [{ rule: 'Syntax', places: placesOf(error) }] };
  }
  if (allRules.some((rule) => validateBy(schema, document, rule).length > 0)) return { stage: 'validate', errors: errorsByRule(schema, document) };
  const operation = document.definitions.find(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables, { maxErrors: 1000 });
  if (coerced.errors) return { stage: 'variables', errors: coerced.errors.map((error) => ({ rule: 'Variables', places: placesOf(error), message: error.message })) };
  return { stage: 'done', errors: [], variables: JSON.parse(JSON.stringify(coerced.coerced)) };
}

function ours(answer) {
  const ruleAt = (message) => (answer.stage === 'parse' ? 'Syntax' : answer.stage === 'variables' ? 'Variables' : ruleOf(message));
  return { ...answer, errors: answer.errors.map(({ message, locations }) => ({ rule: ruleAt(message), places: placesOf({ locations }), message })) };
}

const merges = ({ rule }) => rule === 'OverlappingFieldsCanBeMerged';

// The reference tells every pair of fields that can't be merged with all that leads to it, ours the pairs that clash: one of theirs each.
function compareMerges(one, two) {
  const theirs = one.errors.filter(merges), own = two.errors.filter(merges);
  if ((theirs.length > 0) !== (own.length > 0)) return `merging: ${theirs.length} refusals there, ${own.length} here`;
  const lost = own.find(({ places }) => !theirs.some((error) => places.every((place) => error.places.includes(place))));
  return lost ? `merging: nobody there says ${lost.places.join(' ')}` : null;
}

function compare(one, two) {
  if (one.stage !== two.stage) return `${one.stage} there, ${two.stage} here`;
  const keys = (answer) => [...new Set(answer.errors.filter((error) => !merges(error)).map(({ rule, places }) => key(rule, places)))].sort();
  const theirs = keys(one), own = keys(two);
  if (theirs.join('; ') !== own.join('; ')) return `errors there: ${theirs.filter((text) => !own.includes(text)).join('; ')}\nerrors here: ${own.filter((text) => !theirs.includes(text)).join('; ')}`;
  if (one.stage === 'done') {
    try { assert.deepEqual(two.variables, one.variables); } catch { return `variables there: ${JSON.stringify(one.variables)}\nhere: ${JSON.stringify(two.variables)}`; }
  }
  return compareMerges(one, two);
}

function askAll(requests) {
  const input = requests.map((request) => `${JSON.stringify(request)}\n`).join('');
  const result = spawnSync(documents, [contract], { input, encoding: 'utf8', maxBuffer: 1024 * 1024 * 1024, timeout: 300000 });
  assert.equal(result.status, 0, result.stderr?.slice(-3000));
  return result.stdout.trim().split('\n').map((line) => ours(JSON.parse(line)));
}

describe('documents and variables', () => {
  let schema;
  before(() => { schema = teach(buildSchema(run(['graphql', contract]).stdout)); });

  function hold(requests) {
    const answers = askAll(requests);
    const stages = {}, found = [];
    requests.forEach((request, i) => {
      const expected = reference(schema, request);
      stages[expected.stage] = (stages[expected.stage] ?? 0) + 1;
      for (const { rule } of expected.errors) stages[rule] = (stages[rule] ?? 0) + 1;
      const difference = compare(expected, answers[i]);
      if (difference !== null) found.push(`--- ${difference}\n${request.query}\n${JSON.stringify(request.variables)}`);
    });
    assert.equal(found.length, 0, `${found.length} of ${requests.length} differ\n${found.sort((a, b) => a.length - b.length).slice(0, Number(process.env.CAISSON_SHOW ?? 5)).join('\n')}`);
    return stages;
  }

  test(`${count} documents: the same refusals at the same places, the same variables`, { timeout: 600000 }, () => {
    const random = new Random(seed);
    const requests = Array.from({ length: count }, (_, i) => {
      const kind = i % 5;
      const made = new Documents(schema, random, [0, 0, 0.01, 0.06, 0.02][kind]).document();
      return kind === 4 ? { ...made, query: damage(made.query, random) } : made;
    });
    const stages = hold(requests);
    // The generator reaches what it is meant to.
    for (const name of ['done', 'parse', 'validate', 'variables', ...new Set(rules.map(([, rule]) => rule))]) assert.ok(stages[name] > 0, `nothing was refused by ${name}: ${JSON.stringify(stages)}`);
  });
});

describe('the schema', () => {
  let server;
  before(async () => { server = await startServer({ contractPath: contract, options: ['--threads', '1'] }); }, { timeout: 60000 });
  after(async () => { await server.stop(); removeFolder(server.folder); }, { timeout: 60000 });

  test('what is printed is a valid schema, and the same as what is told', { timeout: 120000 }, async () => {
    const text = run(['graphql', contract]).stdout;
    const printed = buildSchema(text);
    assert.deepEqual(validateSchema(printed), []);
    const client = server.client();
    const query = getIntrospectionQuery({ descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true });
    const response = await client.request('POST', '/graphql', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query }) });
    client.close();
    const { data, errors } = JSON.parse(response.text);
    assert.equal(errors, undefined);
    assert.equal(printSchema(lexicographicSortSchema(buildClientSchema(data))), printSchema(lexicographicSortSchema(printed)));
  });
  test('it is valid whatever types are named, and where there is nothing to sort by, to group by or to write', () => {
    const folder = makeFolder();
    const file = path.join(folder, 'names.graphql');
    fs.writeFileSync(file, names);
    const printed = run(['graphql', file]);
    removeFolder(folder);
    assert.equal(printed.status, 0, printed.stderr);
    const schema = buildSchema(printed.stdout);
    assert.deepEqual(validateSchema(schema), []);
    const fieldsOf = (type) => Object.keys(schema.getType(type).getFields());
    const argumentsOf = (field) => schema.getQueryType().getFields()[field].args.map(({ name }) => name);
    // Those that lists are asked by keep their names.
    assert.deepEqual(fieldsOf('ProductListWhere').slice(0, 4), ['and', 'or', 'not', 'id']);
    assert.deepEqual(fieldsOf(String(schema.getType('SaleWhere').getFields().items.type)), ['some', 'every', 'none']);
    assert.deepEqual(argumentsOf('logs'), ['where', 'filter', 'first', 'after', 'last', 'before', 'distinct']);
    assert.deepEqual(argumentsOf('logsAggregate'), ['where', 'filter', 'having', 'orderBy', 'first']);
    assert.deepEqual(fieldsOf('LogAggregate'), ['count']);
    assert.deepEqual(fieldsOf('ProductOrder'), ['id', 'price', 'place', 'self', 'selfId']);
    assert.deepEqual(fieldsOf('PlaceOrder'), ['inner', 'n']);
    assert.equal(schema.getType('BlobOrder'), undefined);
    // Two ways to one name: the first one has it.
    assert.deepEqual(fieldsOf('ProductSumGroup').filter((name) => name.startsWith('a_b_')), ['a_b_id', 'a_b_c']);
    assert.ok(!schema.getType('Mutation').getFields().createLog);
  });
  test('what is printed is what it says of types, fields, keys and deprecation', () => {
    const schema = buildSchema(run(['graphql', contract]).stdout);
    const fieldsOf = (type) => Object.values(schema.getType(type).getFields()).map(({ name, type: of }) => `${name}: ${of}`);
    assert.deepEqual(fieldsOf('BookConnection'), ['nodes: [Book!]!', 'edges: [BookEdge!]!', 'pageInfo: PageInfo!', 'totalCount: Int!']);
    assert.deepEqual(schema.getQueryType().getFields().copy.args.map(({ name, type: of }) => `${name}: ${of}`), ['branch: String!', 'number: Int!']);
    assert.equal(String(schema.getQueryType().getFields().memberByEmail.type), 'Member');
    assert.equal(schema.getType('Book').getFields().code.deprecationReason, 'ask for isbn');
    assert.equal(schema.getType('Book').description, 'A title; its copies are what is lent.');
    assert.equal(schema.getType('BookOrder').isOneOf, true);
    // A row that a rule may hide is null in its place; what the server alone sets is no input.
    assert.equal(String(schema.getType('Copy').getFields().book.type), 'Book!');
    assert.equal(schema.getType('BookCreate').getFields().addedAt, undefined);
    assert.equal(schema.getType('Member').getFields().pin, undefined);
    assert.equal(String(schema.getType('MemberCreate').getFields().pin.type), 'String!');
  });
});
