// diff.test.mjs - caisson diff: what it prints, and its exit status.
import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { makeFolder, removeFolder, run } from '../support/server.mjs';

const contract = (rules, fields) => `extend schema @service(name: "shop")\ntype Product @resource @access(${rules}) { id: ID! ${fields} }\n`;
const base = contract('read: "true"', 'name: String!');

function diff(old, current, ...options) {
  const folder = makeFolder();
  fs.writeFileSync(path.join(folder, 'old.graphql'), old);
  fs.writeFileSync(path.join(folder, 'new.graphql'), current);
  const result = run(['diff', 'old.graphql', 'new.graphql', ...options], { cwd: folder });
  removeFolder(folder);
  return result;
}

test('0 where nothing breaks or widens, 1 where something does', () => {
  assert.deepEqual(diff(base, base), { status: 0, stdout: 'Nothing changes\n', stderr: '' });
  assert.equal(diff(base, contract('read: "true"', 'name: String! size: Int')).status, 0);
  assert.equal(diff(base, contract('read: "auth.id != null"', 'name: String!')).status, 0, 'narrowed');
  assert.equal(diff(base, contract('read: "true"', 'name: String')).status, 1);
  const widened = diff(base, contract('read: "true", delete: "auth.id != null"', 'name: String!'));
  assert.equal(widened.status, 1);
  assert.match(widened.stdout, /^Access widened \(1\)\n  new\.graphql:2:\d+: Product\.delete: was refused, is "auth\.id != null"\n$/);
});

test('--allow tolerates a class', () => {
  const nullable = contract('read: "true"', 'name: String');
  assert.equal(diff(base, nullable, '--allow', 'breaking-readers').status, 0);
  assert.equal(diff(base, nullable, '--allow', 'breaking-writers').status, 1);
  assert.equal(diff(base, nullable, '--allow', 'everything').status, 2);
});

test('--format json is JSON', () => {
  const result = diff(base, contract('read: "true"', ''), '--format', 'json');
  assert.equal(result.status, 1);
  const { changes, counts } = JSON.parse(result.stdout);
  assert.deepEqual(changes.map((change) => [change.class, change.kind, change.subject, change.new]), [['breaking-readers', 'field-removed', 'Product.name', null], ['breaking-writers', 'field-removed', 'Product.name', null]]);
  assert.deepEqual(changes[0].old, { file: 'old.graphql', line: 2, column: base.split('\n')[1].indexOf('name') + 1 });
  assert.deepEqual(counts, { 'breaking-readers': 1, 'breaking-writers': 1, 'access-widened': 0, 'access-narrowed': 0, compatible: 0 });
});

test('a contract with mistakes is 1, a file that is missing 3', () => {
  const broken = diff(base, 'type Product @resource {');
  assert.equal(broken.status, 1);
  assert.match(broken.stderr, /new\.graphql:1:\d+: error/);
  assert.equal(run(['diff', '/nowhere/a.graphql', '/nowhere/b.graphql']).status, 3);
  assert.equal(run(['diff', 'one.graphql']).status, 2);
});
