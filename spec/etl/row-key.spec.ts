// lib/etl/row-key.ts, key-tuple.ts and json-path.ts.

import { expect } from 'chai';
import fc from 'fast-check';
import { openCsv } from '../../lib/etl/csv-rows.js';
import { parseJsonPath } from '../../lib/etl/json-path.js';
import { appendKeyPart, appendKeySeparator } from '../../lib/etl/key-tuple.js';
import { openNdjson } from '../../lib/etl/ndjson-rows.js';
import { csvKeyWriter, type KeyOption, ndjsonKeyWriter } from '../../lib/etl/row-key.js';
import { ByteArena } from '../../lib/stream/byte-arena.js';
import { cutAt } from '../helpers/chunks.js';

/** The key of each row, or why it has none. */
async function csvKeys(csv: string, key: KeyOption): Promise<Array<Buffer | string>> {
  const rows = await openCsv(cutAt(Buffer.from(csv), []));
  const writer = csvKeyWriter(key, rows.columns);
  const keys: Array<Buffer | string> = [];
  for await (const batch of rows) {
    for (let row = 0; row < batch.length; row++) {
      const arena = new ByteArena(1);
      const written = writer.write(batch, row, arena);
      keys.push(written ? Buffer.from(arena.bytes.subarray(0, arena.length)) : writer.problem);
      if (!written) expect(arena.length).to.equal(0);
    }
  }
  return keys;
}

/** The key of a row, which is the same whether its members were asked for or an object is made of it. */
async function ndjsonKey(line: string, key: KeyOption): Promise<Buffer | string> {
  const writer = ndjsonKeyWriter(key);
  const keys: (Buffer | string)[] = [];
  for (const members of [undefined, writer.members])
    for await (const batch of openNdjson(cutAt(Buffer.from(line), []), { members })) {
      const arena = new ByteArena(1);
      const written = writer.write(batch, 0, arena);
      if (!written) expect(arena.length).to.equal(0);
      keys.push(written ? Buffer.from(arena.bytes.subarray(0, arena.length)) : writer.problem);
    }
  expect(keys).to.have.length(2);
  expect(keys[0]).to.deep.equal(keys[1]);
  return keys[0];
}

describe('keys of csv rows', () => {
  const tables: Array<[csv: string, key: KeyOption, keys: string[]]> = [
    ['id,n\n1,x\n2,y\n', 'id', ['1', '2']],
    ['id,n\n1,x\n2,y\n', ['n'], ['x', 'y']],
    ['id,n\n"a""b",x\n"c\nd",y\n"e\\f",z\n', 'id', ['a"b', 'c\nd', 'e\\f']],
    ['id,n\né😀,x\n', 'id', ['é😀']],
    ['id,n\na\0b,x\n', 'id', ['a\0b']],
    ['id,n\n1,x\n', ['n', 'id'], ['x\0\x001']],
    ['a.b,[0]\n1,2\n', ['[0]', 'a.b'], ['2\0\x001']],
  ];
  for (const [csv, key, keys] of tables) {
    it(`of ${JSON.stringify(csv)} by ${JSON.stringify(key)}`, async () => {
      expect(await csvKeys(csv, key)).to.deep.equal(keys.map((each) => Buffer.from(each)));
    });
  }

  it('mark zero bytes where a key has several parts', async () => {
    const [key] = await csvKeys('a,b\nx\0y,"\0"\n', ['a', 'b']);
    expect(key).to.deep.equal(Buffer.from('x\0\xffy\0\0\0\xff', 'latin1'));
  });

  it('are none where a part is empty', async () => {
    expect(await csvKeys('a,b\n,1\n1,""\n', 'a')).to.deep.equal([
      'column "a" of the key is empty',
      Buffer.from('1'),
    ]);
    expect(await csvKeys('a,b\n,1\n1,""\n', ['a', 'b'])).to.deep.equal([
      'column "a" of the key is empty',
      'column "b" of the key is empty',
    ]);
  });

  const refused: Array<[key: KeyOption, message: RegExp]> = [
    ['x', /no column "x"; the columns are "a", "b"$/],
    [['a', 'x', 'y'], /no column "x", "y"/],
    [[], /one or more/],
    [['a', 'a'], /different/],
  ];
  for (const [key, message] of refused) {
    it(`refuse ${JSON.stringify(key)}`, () => {
      expect(() => csvKeyWriter(key, ['a', 'b']))
        .to.throw(message)
        .with.property('code', 'INVALID_OPTION');
    });
  }
});

describe('keys of ndjson rows', () => {
  const tables: Array<[line: string, key: KeyOption, expected: string]> = [
    ['{"id":"a"}', 'id', 'a'],
    ['{"user":{"id":"a"}}', 'user.id', 'a'],
    ['{"items":[{"sku":"a"},{"sku":"b"}]}', 'items[1].sku', 'b'],
    ['{"a":[[1,2],[3,4]]}', 'a[1][0]', '3'],
    ['{"a.b":{"[0]":"x"}}', '["a.b"]["[0]"]', 'x'],
    ['{"__proto__":{"x":"1"}}', '__proto__.x', '1'],
    ['{"id":7}', 'id', '7'],
    ['{"id":-0.10}', 'id', '-0.1'],
    ['{"id":1e2}', 'id', '100'],
    ['{"id":9007199254740991}', 'id', '9007199254740991'],
    ['{"id":9007199254740993}', 'id', '9007199254740993'],
    ['{"x":[{"id":1},{ "id" : 12345678901234567890 }]}', 'x[1].id', '12345678901234567890'],
    ['{"id":1,"\\u0069d":-18446744073709551616}', 'id', '-18446744073709551616'],
    ['{"id":1e400}', 'id', '1e400'],
    ['{"id":true}', 'id', 'true'],
    ['{"id":false}', 'id', 'false'],
    ['{"id":"\\ud83d\\ude00"}', 'id', '😀'],
    ['{"id":"a\\u0000"}', 'id', 'a\0'],
    ['{"id":"1","id":"2"}', 'id', '2'],
    ['{"a":"x","b":1}', ['b', 'a'], '1\0\0x'],
  ];
  for (const [line, key, expected] of tables) {
    it(`of ${line} by ${JSON.stringify(key)} is ${JSON.stringify(expected)}`, async () => {
      expect(await ndjsonKey(line, key)).to.deep.equal(Buffer.from(expected));
    });
  }

  const none: Array<[line: string, key: KeyOption, problem: RegExp]> = [
    ['{}', 'id', /^id of the key is missing$/],
    ['{"id":null}', 'id', /is null/],
    ['{"id":""}', 'id', /is empty/],
    ['{"id":{}}', 'id', /is an object/],
    ['{"id":[]}', 'id', /is an array/],
    ['{"id":"\\ud83d"}', 'id', /surrogate/],
    ['{"a":1}', 'toString', /is missing/],
    ['{"a":[1]}', 'a.length', /is missing/],
    ['{"a":[1]}', 'a.0', /is missing/],
    ['{"a":{"0":1}}', 'a[0]', /is missing/],
    ['{"a":[1]}', 'a[1]', /is missing/],
    ['{"a":"xyz"}', 'a[0]', /is missing/],
    ['{"a":null}', 'a.b', /is missing/],
    ['{"a":1}', ['a', 'b'], /^b of the key is missing/],
  ];
  for (const [line, key, problem] of none) {
    it(`of ${line} by ${JSON.stringify(key)} are none`, async () => {
      expect(await ndjsonKey(line, key)).to.match(problem);
    });
  }

  const paths: Array<[path: string, steps: Array<string | number> | null]> = [
    ['id', ['id']],
    ['a.b.c', ['a', 'b', 'c']],
    ['a[0].b[12]', ['a', 0, 'b', 12]],
    ['[0]', [0]],
    ['["a.b"].c', ['a.b', 'c']],
    ['["\\"\\u0041"]', ['"A']],
    ['a b-c', ['a b-c']],
    ['0', ['0']],
    ['', null],
    ['.a', null],
    ['a.', null],
    ['a..b', null],
    ['a[', null],
    ['a[x]', null],
    ['a[-1]', null],
    ['a]', null],
    ['a[0]b', null],
    ['["\\x"]', null],
  ];
  for (const [path, steps] of paths) {
    it(steps ? `take the path ${path}` : `refuse the path ${JSON.stringify(path)}`, () => {
      if (steps) expect(parseJsonPath(path)).to.deep.equal(steps);
      else
        expect(() => ndjsonKeyWriter(path))
          .to.throw(/is not a path/)
          .with.property('code', 'INVALID_OPTION');
    });
  }
});

describe('keys of several parts', () => {
  const part = fc.oneof(
    fc.string({
      unit: fc.constantFrom('\0', '\x01', 'a', 'b', 'é', '\uffff', '😀'),
      minLength: 1,
      maxLength: 4,
    }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
  );
  const tuples = fc
    .integer({ min: 2, max: 3 })
    .chain((size) => fc.tuple(...[0, 1].map(() => fc.array(part, { minLength: size, maxLength: size }))));

  const encoded = (parts: readonly string[]): Buffer => {
    const arena = new ByteArena(1);
    parts.forEach((text, index) => {
      if (index > 0) appendKeySeparator(arena);
      appendKeyPart(text, parts.length > 1, arena);
    });
    return Buffer.from(arena.bytes.subarray(0, arena.length));
  };

  it('sort as the tuples of their parts do, so that no two share a key', () =>
    fc.assert(
      fc.property(tuples, ([a, b]) => {
        let order = 0;
        for (let index = 0; order === 0 && index < a.length; index++) {
          order = Buffer.compare(Buffer.from(a[index]), Buffer.from(b[index]));
        }
        expect(Math.sign(Buffer.compare(encoded(a), encoded(b)))).to.equal(order);
      }),
      { numRuns: 5000 },
    ));

  it('are the same from csv and from ndjson', () =>
    fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 2, maxLength: 2 }), async ([a, b]) => {
        const quoted = [a, b].map((text) => `"${text.replaceAll('"', '""')}"`).join(',');
        const [fromCsv] = await csvKeys(`a,b\n${quoted}\n`, ['a', 'b']);
        expect(fromCsv).to.deep.equal(encoded([a, b]));
        expect(await ndjsonKey(JSON.stringify({ a, b }), ['a', 'b'])).to.deep.equal(fromCsv);
      }),
      { numRuns: 500 },
    ));
});
