// lib/codec/: keys come back as they were, and their bytes sort as they do.

import { type KeyCodec, type KeyPart, keys } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { typedName } from '../../lib/codec/keys.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

type Compare<Key> = (a: Key, b: Key) => number;

const byNumber: Compare<number | bigint> = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const byTime: Compare<Date> = (a, b) => a.getTime() - b.getTime();
const byCodePoint: Compare<string> = (a, b) => {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at].codePointAt(0) ?? 0) - (right[at].codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
};

const numbers = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer(),
  fc.constantFrom(
    0,
    -0,
    1,
    -1,
    Infinity,
    -Infinity,
    Number.MIN_VALUE,
    -Number.MIN_VALUE,
    Number.MAX_VALUE,
    2 ** 53,
  ),
);
const bigints = fc.oneof(
  fc.bigInt({ min: -(1n << 1015n), max: 1n << 1015n }),
  fc.bigInt({ min: -70_000n, max: 70_000n }),
  fc.nat(1000).map((bits) => 1n << BigInt(bits)),
  fc.nat(1000).map((bits) => -(1n << BigInt(bits)) - 1n),
);
const strings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc
    .array(fc.constantFrom('\0', '\u0001', 'a', '\u00ff', '\ue000', '😀'), { maxLength: 6 })
    .map((all) => all.join('')),
);
const dates = fc.date({ noInvalidDate: true });
const byteStrings = fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes));

/** Shows that keys come back, and that their bytes sort as `compare` says. */
function expectOrder<Key>(codec: KeyCodec<Key>, all: fc.Arbitrary<Key>, compare: Compare<Key>): void {
  const property = fc.property(all, all, (a, b) => {
    const [left, right] = [codec.encode(a), codec.encode(b)];
    expect(Math.sign(Buffer.compare(left, right))).to.equal(Math.sign(compare(a, b)));
    expect(compare(codec.decode(left), a)).to.equal(0);
  });
  fc.assert(property, seeded(2000));
}

describe('keys sort as their type does, and come back:', () => {
  it('numbers', () => expectOrder(keys.number, numbers, byNumber));
  it('bigints', () => expectOrder(keys.bigint, bigints, byNumber));
  it('dates', () => expectOrder(keys.date, dates, byTime));
  it('strings', () => expectOrder(keys.string, strings, byCodePoint));
  it('booleans', () => expectOrder(keys.boolean, fc.boolean(), (a, b) => Number(a) - Number(b)));
  it('bytes', () => expectOrder<Uint8Array>(keys.bytes, byteStrings, Buffer.compare));

  it('tuples, of parts that tell their length and parts that do not, in any order', () => {
    const parts: Array<[part: KeyPart<unknown>, all: fc.Arbitrary<unknown>, compare: Compare<never>]> = [
      [keys.string, strings, byCodePoint as Compare<never>],
      [
        keys.number as KeyPart<unknown>,
        fc.oneof(fc.constantFrom(0, 1, -1, 256), numbers),
        byNumber as Compare<never>,
      ],
      [keys.bytes, byteStrings, Buffer.compare as Compare<never>],
      [
        keys.bigint as KeyPart<unknown>,
        fc.oneof(fc.constantFrom(0n, 1n, -1n), bigints),
        byNumber as Compare<never>,
      ],
      [keys.boolean, fc.boolean(), ((a, b) => Number(a) - Number(b)) as Compare<never>],
      [keys.date, dates, byTime as Compare<never>],
    ];
    const chosen = fc.array(fc.nat(parts.length - 1), { minLength: 1, maxLength: 4 });
    const pairs = chosen.chain((indexes) => {
      const tuple = fc.tuple(...indexes.map((index) => parts[index][1]));
      // Equal parts before the one that differs are what a tuple is about.
      const pair = fc.tuple(tuple, tuple, fc.nat(indexes.length)).map(([a, b, same]) => {
        return [a, [...a.slice(0, same), ...b.slice(same)]] as const;
      });
      return fc.tuple(fc.constant(indexes), pair);
    });
    const property = fc.property(pairs, ([indexes, [a, b]]) => {
      const codec = keys.tuple(...indexes.map((index) => parts[index][0])) as KeyCodec<unknown>;
      const compare = (left: readonly unknown[], right: readonly unknown[]): number => {
        for (const [at, index] of indexes.entries()) {
          const difference = parts[index][2](left[at] as never, right[at] as never);
          if (difference !== 0) return difference;
        }
        return 0;
      };
      const [left, right] = [codec.encode(a), codec.encode(b)];
      expect(Math.sign(Buffer.compare(left, right))).to.equal(Math.sign(compare(a, b)));
      expect(compare(codec.decode(left) as unknown[], a)).to.equal(0);
      for (let count = 1; count < indexes.length; count++) {
        const prefix = codec.encodePrefix?.(a.slice(0, count)) ?? expect.fail('tuples have prefixes');
        expect(Buffer.from(left).subarray(0, prefix.length).equals(prefix)).to.equal(true);
        const shares = compare(a, b) === 0 || compare([...a.slice(0, count), ...b.slice(count)], b) === 0;
        if (count <= indexes.length) {
          expect(
            Buffer.from(right).subarray(0, prefix.length).equals(prefix),
            'only keys that begin so',
          ).to.equal(shares);
        }
      }
    });
    fc.assert(property, seeded(3000));
  });
});

describe('keys have these bytes, which stores hold:', () => {
  const table: Array<[what: string, bytes: Uint8Array, hex: string]> = [
    ['0', keys.number.encode(0), '8000000000000000'],
    ['-0', keys.number.encode(-0), '8000000000000000'],
    ['1', keys.number.encode(1), 'bff0000000000000'],
    ['-1', keys.number.encode(-1), '400fffffffffffff'],
    ['a date', keys.date.encode(new Date(1)), 'bff0000000000000'],
    ['0n', keys.bigint.encode(0n), '80'],
    ['256n', keys.bigint.encode(256n), '820100'],
    ['-1n', keys.bigint.encode(-1n), '7efe'],
    ['-256n', keys.bigint.encode(-256n), '7dfeff'],
    ['true', keys.boolean.encode(true), '01'],
    ['a string', keys.string.encode('é\0'), 'c3a900'],
    ['strings', keys.tuple(keys.string, keys.string).encode(['DE', 'Berlin']), '444500004265726c696e'],
    ['strings with zeros', keys.tuple(keys.string, keys.string).encode(['a\0', '\0']), '6100ff000000ff'],
    ['one string', keys.tuple(keys.string).encode(['a\0']), '6100'],
    ['a mixture', keys.tuple(keys.boolean, keys.string, keys.bigint).encode([true, 'a', 1n]), '016100008101'],
  ];
  for (const [what, bytes, hex] of table)
    it(what, () => expect(Buffer.from(bytes).toString('hex')).to.equal(hex));
});

describe('keys that cannot be', () => {
  const wrong: Array<[what: string, encode: () => unknown, message: RegExp]> = [
    ['NaN', () => keys.number.encode(Number.NaN), /must be a number, not NaN/],
    ['a string for a number', () => keys.number.encode('7' as never), /must be a number, not 7/],
    ['an invalid date', () => keys.date.encode(new Date(Number.NaN)), /must be a valid Date/],
    ['a number for a bigint', () => keys.bigint.encode(7 as never), /must be a bigint, not 7/],
    ['a bigint that is too long', () => keys.bigint.encode(1n << 1016n), /at most 1016 bits/],
    ['half of a surrogate pair', () => keys.string.encode('a\ud800'), /surrogate/],
    [
      'undefined for a string',
      () => keys.string.encode(undefined as never),
      /must be a string, not undefined/,
    ],
    ['1 for a boolean', () => keys.boolean.encode(1 as never), /must be true or false, not 1/],
    ['text for bytes', () => keys.bytes.encode('a' as never), /must be a Uint8Array/],
    [
      'a short tuple',
      () => keys.tuple(keys.string, keys.number).encode(['a'] as never),
      /a tuple of a string, a number/,
    ],
    ['a long tuple', () => keys.tuple(keys.string).encode(['a', 'b'] as never), /a tuple of a string/],
    [
      'a part of another type',
      () => keys.tuple(keys.string, keys.number).encode(['a', Number.NaN]),
      /^part 2 of the key: .*not NaN/,
    ],
    ['no tuple', () => keys.tuple(keys.string).encode('a' as never), /a tuple of a string/],
    ['a long prefix', () => keys.tuple(keys.string).encodePrefix?.(['a', 'b']), /first parts/],
  ];
  for (const [what, encode, message] of wrong)
    it(`are refused: ${what}`, () => expect(raised('INVALID_KEY', encode).message).to.match(message));

  it('are refused where others put them: no bytes are taken for a key that would not be written so', () => {
    const pair = keys.tuple(keys.string, keys.string);
    const codecs: Array<[codec: KeyCodec<unknown>, hexes: string[]]> = [
      [keys.number, ['', '00', 'ffffffffffffffff', '0000000000000000', '800000000000000000']],
      [keys.date, ['ffe0000000000000']],
      [keys.bigint, ['', '81', '8100', '7eff', '820001', '8001', '7f']],
      [keys.boolean, ['', '02', '0000']],
      [keys.string, ['ff', 'c3']],
      [pair, ['', '61', '610000620000', '6100', '610001', '610000ff']],
      [keys.tuple(keys.number, keys.string), ['', '80', '80000000000000']],
      [keys.tuple(keys.string, keys.bigint), ['610000', '61000082', '6100008000']],
    ];
    for (const [codec, hexes] of codecs) {
      for (const hex of hexes) {
        const bytes = Buffer.from(hex, 'hex');
        let decoded: unknown;
        try {
          decoded = codec.decode(bytes);
        } catch {
          raised('INVALID_KEY', () => codec.decode(bytes));
          continue;
        }
        expect(Buffer.from(codec.encode(decoded)).toString('hex'), `taken for ${String(decoded)}`).to.equal(
          hex,
        );
      }
    }
  });
});

describe('keys of texts', () => {
  const made: Array<[part: KeyPart<unknown>, value: unknown, key: unknown]> = [
    [keys.number, '12', 12],
    [keys.number, '-1.5e3', -1500],
    [keys.number, 7, 7],
    [keys.number, '', undefined],
    [keys.number, ' 1', undefined],
    [keys.number, '0x10', undefined],
    [keys.number, '1,5', undefined],
    [keys.number, true, undefined],
    [keys.number, '9007199254740991', 9007199254740991],
    [keys.number, '-9007199254740992', -9007199254740992],
    [keys.number, '9007199254740993', undefined],
    [keys.number, '9007199254740993e0', undefined],
    [keys.number, '90071992547409.93e2', undefined],
    [keys.number, '9007199254740992.5', undefined],
    [keys.number, '9007199254740991.7', undefined],
    [keys.number, '90071992547409.92e2', 2 ** 53],
    [keys.number, '9007199254740992.0', 2 ** 53],
    [keys.number, '1e-400', undefined],
    [keys.number, '0.10000000000000000001', 0.1],
    [keys.number, '0.00e-999', 0],
    [keys.number, '+1234567890123456788', undefined],
    [keys.number, '1234567890123456789.00', undefined],
    [keys.number, '1152921504606847000', 2 ** 60],
    [keys.number, '1152921504606846976', undefined],
    [keys.number, '1500000000000000000000000', 1.5e24],
    [keys.number, '-1500000000000000000000001', undefined],
    [keys.number, '00018014398509481984', 2 ** 54],
    [keys.number, '00000000000000000000000000000012', 12],
    [keys.number, '0.1', 0.1],
    [keys.number, '0.12345678901234567890', 0.12345678901234568],
    [keys.number, '1e300', 1e300],
    [keys.number, '1e400', undefined],
    [keys.number, '-1e400', undefined],
    [keys.number, '9'.repeat(400), undefined],
    [keys.number, 2 ** 53, undefined],
    [keys.number, Number.POSITIVE_INFINITY, undefined],
    [keys.bigint, '-12345678901234567890', -12345678901234567890n],
    [keys.bigint, 7, 7n],
    [keys.bigint, 1.5, undefined],
    [keys.bigint, '1.0', undefined],
    [keys.boolean, 'true', true],
    [keys.boolean, false, false],
    [keys.boolean, '1', undefined],
    [keys.string, 'a', 'a'],
    [keys.string, 7, '7'],
    [keys.string, '', undefined],
    [keys.string, 'a\ud800', undefined],
    [keys.string, null, undefined],
    [keys.date, '2024-03-01', new Date('2024-03-01')],
    [keys.date, '2024-03-01T10:00:00+02:00', new Date('2024-03-01T08:00:00Z')],
    [keys.date, '2024-13-01', undefined],
    [keys.date, '2024-02-29', new Date(Date.UTC(2024, 1, 29))],
    [keys.date, '2024-02-30', undefined],
    [keys.date, '2023-02-29', undefined],
    [keys.date, '1900-02-29', undefined],
    [keys.date, '2024-04-31', undefined],
    [keys.date, '2024-00-10', undefined],
    [keys.date, '2024-01-00', undefined],
    [keys.date, '2024-02-30T12:00:00Z', undefined],
    [keys.date, '2024-07-01T12:00:00', new Date(Date.UTC(2024, 6, 1, 12))],
    [keys.date, '2024-07-01 12:00', new Date(Date.UTC(2024, 6, 1, 12))],
    [keys.date, '2024-07-01T12:00:00.5', new Date(Date.UTC(2024, 6, 1, 12, 0, 0, 500))],
    [keys.date, '2024-07-01T12:00:00.123-0330', new Date(Date.UTC(2024, 6, 1, 15, 30, 0, 123))],
    [keys.date, '2024-02-28T24:00:00', new Date(Date.UTC(2024, 1, 29))],
    [keys.date, '2024-02-28T24:00:01', undefined],
    [keys.date, '2024-02-28T25:00:00', undefined],
    [keys.date, '2024-02-28T23:60:00', undefined],
    [keys.date, '2024-02-28T23:59:60', undefined],
    [keys.date, '2024-02-28T23:59:59+24:00', undefined],
    [keys.date, '2024-02-28T23:59:59+01:60', undefined],
    [keys.date, '0099-01-01', new Date('0099-01-01T00:00:00Z')],
    [keys.date, '-000001-01-01', new Date('-000001-01-01T00:00:00Z')],
    [keys.date, '+275760-09-13', new Date(8.64e15)],
    [keys.date, '+275760-09-14', undefined],
    [keys.date, '-2024-01-01', undefined],
    [keys.date, '12345-01-01', undefined],
    [keys.date, new Date(Number.NaN), undefined],
    [keys.date, '3/1/2024', undefined],
    [keys.date, 7, undefined],
  ];
  for (const [part, value, key] of made)
    it(`${JSON.stringify(value)} as ${part.words} is ${String(key)}`, () =>
      expect(part.from(value)).to.deep.equal(key));

  it('say of a date that does not exist that there is none', () => {
    expect(keys.date.problemOf?.('2024-02-30')).to.equal('there is no such day or time');
    for (const text of ['2024-02-29', '30.2.2024', ''])
      expect(keys.date.problemOf?.(text)).to.equal(undefined);
  });

  it('say of a number that it has too many digits, or is too large', () => {
    expect(keys.number.problemOf?.('1234567890123456789')).to.match(/all of its digits.*id:bigint/);
    expect(keys.number.problemOf?.('1e400')).to.match(/past the largest number.*id:bigint/);
    expect(keys.number.problemOf?.('1e-400')).to.match(/not 0, but so near/);
    for (const text of ['12', '0.1', 'x', '']) expect(keys.number.problemOf?.(text)).to.equal(undefined);
  });

  it('are of whole numbers those whose digits come back, so that no two are one key', () => {
    const wholes = fc.bigInt({ min: -(1n << 66n), max: 1n << 66n });
    const property = fc.property(wholes, (whole) => {
      const key = keys.number.from(String(whole));
      expect(key === undefined || key === Number(whole)).to.equal(true);
      if (Number.isSafeInteger(Number(whole))) expect(key).to.equal(Number(whole));
      if (key === undefined) return;
      for (const other of [whole - 1n, whole + 1n])
        if (Number(other) === key) expect(keys.number.from(String(other))).to.equal(undefined);
    });
    fc.assert(property, seeded(2000));
  });

  it('are of any number as JavaScript writes it', () => {
    const property = fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(keys.number.from(String(number))).to.equal(number + 0);
      const whole = Math.trunc(number % 2 ** 80);
      expect(keys.number.from(String(whole))).to.equal(whole + 0);
    });
    fc.assert(property, seeded(2000));
  });

  it('are the same dates as those of JavaScript, where that reads them in UTC', () => {
    const property = fc.property(fc.date({ noInvalidDate: true }), (date) => {
      expect(keys.date.from(date.toISOString())).to.deep.equal(date);
      expect(keys.date.from(date.toISOString().replace('Z', ''))).to.deep.equal(date);
    });
    fc.assert(property, seeded(1000));
  });

  it('names may say their type', () => {
    expect(typedName('id:number')).to.deep.equal({ name: 'id', type: 'number' });
    expect(typedName('a:b:date')).to.deep.equal({ name: 'a:b', type: 'date' });
    for (const name of ['id', 'id:', ':number', 'id:int', 'id:number '])
      expect(typedName(name)).to.deep.equal({ name, type: undefined });
  });
});
