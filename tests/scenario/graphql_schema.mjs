// graphql_schema.mjs - what the GraphQL face has to know of a schema, asked of the server itself by introspection.
import { notHere } from './session.mjs';

const ask = `{ __schema { types { kind name
  fields { name args { name type { ...Ref } } type { ...Ref } } inputFields { name type { ...Ref } } enumValues { name } } } }
fragment Ref on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;

const named = (type) => (type.ofType ? named(type.ofType) : type.name);
const written = (type) => (type.kind === 'NON_NULL' ? `${written(type.ofType)}!` : type.kind === 'LIST' ? `[${written(type.ofType)}]` : type.name);
const kebab = (name) => name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2').toLowerCase();

function readFields(types, type) {
  return types.get(type).fields.filter(({ name }) => name !== 'nodeId').map((field) => {
    const target = types.get(named(field.type));
    const nodes = target.fields?.find(({ name }) => name === 'nodes');
    const isList = nodes !== undefined && target.fields.some(({ name }) => name === 'pageInfo');
    const isOne = !isList && target.fields?.some(({ name }) => name === 'nodeId');
    return { name: field.name, args: readArguments(field), isList, rowType: isList ? named(nodes.type) : isOne ? target.name : undefined, valueType: target };
  });
}

const readArguments = (field) => field.args.map(({ name, type }) => ({ name, type: written(type), named: named(type) }));

function readRoots(types, resource, list) {
  const root = (type) => (types.get(type)?.fields ?? []).map((field) => ({ name: field.name, args: readArguments(field), named: named(field.type), type: written(field.type) }));
  const query = root('Query');
  const mutation = root('Mutation');
  const { name } = resource;
  const one = query.find((field) => field.named === name && field.name === name[0].toLowerCase() + name.slice(1));
  const create = mutation.filter((field) => field.named === name && field.name.startsWith('create'));
  return {
    ...resource, list, one,
    aggregate: query.find((field) => field.named === `${name}Aggregate`),
    create: create.find(({ args }) => args[0].name === 'input'),
    createMany: create.find(({ args }) => args[0].name === 'inputs'),
    update: mutation.find((field) => field.named === name && field.name === `update${name}`),
    delete: mutation.find((field) => field.named === name && field.name === `delete${name}`),
  };
}

// `contract`: its text, for the paths that it gives.
export async function readSchema(client, contract) {
  const response = await client.request('POST', '/graphql', { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ query: ask }) });
  const answer = JSON.parse(response.text);
  if (answer.errors?.[0].extensions.code === 'TOO_LARGE') notHere('a schema beyond --result-max');
  const types = new Map(answer.data.__schema.types.map((type) => [type.name, type]));
  const resources = new Map();
  for (const field of types.get('Query').fields) {
    const nodes = types.get(named(field.type)).fields?.find(({ name }) => name === 'nodes');
    if (!nodes) continue;
    const name = named(nodes.type);
    const header = new RegExp(`^type ${name}\\b([^{]*)\\{`, 'm').exec(contract)?.[1] ?? '';
    const path = /@resource\([^)]*path:\s*"([^"]+)"/.exec(header)?.[1] ?? kebab(field.name);
    resources.set(path, readRoots(types, { name, fields: readFields(types, name) }, { name: field.name, args: readArguments(field) }));
  }
  const byName = (name) => [...resources.values()].find((resource) => resource.name === name);
  const inputs = new Map([...types.values()].filter(({ kind }) => kind === 'INPUT_OBJECT').map((type) => [type.name, new Map(type.inputFields.map(({ name, type: of }) => [name, named(of)]))]));
  return {
    types, inputs, resources, byName, pathOf: kebab,
    isList: (type, name) => /^\[/.test(written(types.get(type).inputFields.find((field) => field.name === name)?.type ?? { name: '' })),
    isField: (name) => [...resources.values()].some(({ fields }) => fields.some((field) => field.name === name)),
    // Whether a parameter's name is a path to a field that can be filtered by.
    isFilterPath: (resource, path) => path.split('.').reduce((where, name) => inputs.get(where ?? '')?.get(name), `${resource.name}Where`) !== undefined,
  };
}
