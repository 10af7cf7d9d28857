// values.mjs - for each kind of field: values that fit, few enough that rows tie, and values that don't. The edges of every type are among them.
const digits38 = '99999999999999999999999999999999999999';

// `type`: as the contract says it. `good`, `bad`: JSON values. `literal`: in the rule language; absent where there is none.
// Times stay away from today, so that what a server makes up itself can be told from what it was given.
export const kinds = {
  text: {
    type: 'String', good: ['a', 'A', 'b', 'Zebra', 'é', 'e\u0301', 'apple 😀', '100%', '_x', "O'Hara", 'a\\b', '\ufffd', '𐀀', 'tab\there', 'line\nbreak', '"q"', ' ', 'true', 'null', '12'],
    bad: [5, true, ['a'], { a: 1 }, 'x'.repeat(60)], attributes: ['@length(max: 50)'], literal: (v) => JSON.stringify(v),
  },
  code: { type: 'String', good: ['A-1', 'A-2', 'B-10', 'C-3'], bad: ['', 'a-1', 'A-', 'A-12345', 7], attributes: ['@pattern(regex: "^[A-Z]-[0-9]{1,4}$")', '@length(min: 2, max: 6)'], literal: (v) => JSON.stringify(v) },
  whole: { type: 'Int', good: [0, 1, -1, 2, 7, 100, 2147483647, -2147483648, 5.0], bad: ['5', 1.5, 2147483648, -2147483649, true, []], literal: (v) => (v < 0 ? `(${v})` : String(v)) },
  small: { type: 'Int', good: [0, 1, 2, 3, 10], bad: [-1, 11, 1e10, '1'], attributes: ['@range(min: 0, max: 10)'], literal: String },
  big: {
    type: 'BigInt', good: ['0', '1', '-1', '9223372036854775807', '-9223372036854775807', '9007199254740993', '42', 42], bad: ['9223372036854775808', '1.5', 'x', true, 1.5, ''],
    literal: (v) => (String(v).startsWith('-') ? `(${v})` : String(v)),
  },
  real: { type: 'Float', good: [0, 1, 1.5, -1.5, 0.1, 3, -1.5e-7, 1e308, 5e-324, 123456789.125], bad: ['1', true, []], literal: (v) => (v < 0 ? `(${v.toString().includes('.') || v.toString().includes('e') ? v : `${v}.0`})` : v.toString().includes('.') || v.toString().includes('e') ? String(v) : `${v}.0`) },
  amount: {
    type: 'Decimal', good: ['0', '1', '1.10', '9.5', '9.50', '-9.5', '-0.000000000000000000000000000000000001', digits38, `-${digits38}`, '100', '1e3'].slice(0, 10),
    bad: ['x', '', '1.', 'NaN', `${digits38}9`, true],
  },
  price: { type: 'Decimal', good: ['0', '1', '1.1', '19.90', '-3.5', '99999999.99', '2'], bad: ['1.005', '100000000', 'one', [], 'Infinity'], attributes: ['@decimal(precision: 10, scale: 2)'] },
  flag: { type: 'Boolean', good: [true, false], bad: [0, 'true', 1], literal: String },
  moment: {
    type: 'DateTime', good: ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000001Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999999Z', '2023-12-31T22:00:00-02:00', '1969-12-31T23:59:59.5Z', '1999-12-31T23:59:59Z'],
    bad: ['2024-02-30T00:00:00Z', '2024-01-01', '2016-12-31T23:59:60Z', '0000-01-01T00:00:00Z', 5, '2024-01-01T00:00:00', '2024-01-01T00:00:00.1234567Z'], literal: (v) => `timestamp(${JSON.stringify(v)})`,
  },
  day: { type: 'Date', good: ['2024-02-29', '0001-01-01', '9999-12-31', '1970-01-01', '2000-01-01'], bad: ['2023-02-29', '24-01-01', '0000-01-01', 20240101], literal: (v) => `date(${JSON.stringify(v)})` },
  uuid: { type: 'UUID', good: ['01890a5d-ac96-774b-bcce-b302099a8057', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'], bad: ['x', '01890a5d', 7] },
  mail: { type: 'Email', good: ['ann@example.org', 'bob@example.org', 'Ann@Example.org'], bad: ['ann', 'ann@', 5] },
  link: { type: 'URL', good: ['https://example.org/a?b=c#d', 'http://example.org/'], bad: ['example', 'ht tp://x', 5] },
  bytes: { type: 'Bytes', good: ['AP8B', '', 'AAAA', 'AQID'], bad: ['!', 'A', 5] },
  json: { type: 'JSON', good: [{ a: [1, 'x', null, true] }, [], {}, 'text', 5, 1.5, false, { b: { c: 'é😀' }, a: 1 }, [[1], [2]], 12345678901234567000, { '': '', ' ': 1 }], bad: [] },
  tags: { type: '[String!]', good: [[], ['a'], ['b', 'a', 'b'], ['é', "O'Hara", 'a,b', '{x}', '"'], ['NULL', '']], bad: ['a', [null], [5], ['a', 'b', 'c', 'd', 'e', 'f']], attributes: ['@length(max: 5)'], isList: true },
  numbers: { type: '[Int]', good: [[], [1], [1, null, -2147483648], [3, 2, 1]], bad: [1, ['1'], [1.5], [2147483648]], isList: true },
  state: { type: 'State', good: ['OPEN', 'CLOSED', 'PENDING'], bad: ['open', 'GONE', 5, 'PG-13'], literal: (v) => JSON.stringify(v) },
  address: {
    type: 'Address', good: [{ street: 'Rue 1', city: 'Paris' }, { street: 'x', city: 'y', zip: '75001' }, { street: "O'Hara", city: '😀', zip: null }],
    bad: [{ street: 'x' }, { street: 'x', city: 'y', zip: '7' }, { street: 'x', city: 'y', more: 1 }, 'Paris', []], isEmbedded: true,
  },
};

const orderless = new Set(['json', 'tags', 'numbers', 'address']);
export const canOrder = (field) => !orderless.has(field.kind);
// A key that a client chooses: its values as texts are what a path says.
export const keyKinds = ['code', 'uuid', 'whole', 'text'];
