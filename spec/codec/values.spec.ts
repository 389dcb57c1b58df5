// lib/codec/values.ts and plain-value.ts: values without a schema, and what formats cannot hold of them.

import { type ValueCodec, type ValueFormat, values } from 'btree-store';
import { expect } from 'chai';
import { z } from 'zod';
import { raised, rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

function circle(): object {
  const object: Record<string, unknown> = { id: 1 };
  object.self = [object];
  return object;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

const BOTH: ReadonlyArray<[value: unknown, path: string, what: string]> = [
  [undefined, '', 'undefined'],
  [1n, '', 'bigint'],
  [{ a: [0, 1n] }, 'a[1]', 'bigint'],
  [{ a: { b: Symbol('c') } }, 'a.b', 'symbol'],
  [[() => 1], '[0]', 'function'],
  [{ a: [undefined] }, 'a[0]', 'undefined'],
  [new Array(1), '[0]', 'undefined'],
  [new Map([[1, 2]]), '', 'an object of Map'],
  [{ a: new Set() }, 'a', 'an object of Set'],
  [{ a: /b/ }, 'a', 'an object of RegExp'],
  [{ a: new Date(Number.NaN) }, 'a', 'an invalid Date'],
  [circle(), 'self[0]', 'an object that stands within itself'],
  [
    {
      get a() {
        throw new Error('the getter');
      },
    },
    '',
    'the getter',
  ],
  [
    new Proxy([], {
      get: () => {
        throw new Error('the trap');
      },
    }),
    '',
    'the trap',
  ],
];
const UNHELD: Readonly<Record<ValueFormat, ReadonlyArray<[value: unknown, path: string, what: string]>>> = {
  json: [
    ...BOTH,
    [{ a: Number.NaN }, 'a', 'NaN'],
    [[Number.NEGATIVE_INFINITY], '[0]', '-Infinity'],
    [{ a: new Uint8Array(1) }, 'a', 'an object of Uint8Array'],
  ],
  msgpack: [
    ...BOTH,
    [{ a: '\ud800' }, 'a', 'half a surrogate pair'],
    ['\ufeff', '', 'byte order mark'],
    [{ a: { '\udc00b': 1 } }, 'a', 'a name of half a surrogate pair'],
    [JSON.parse('{"__proto__":1}'), '', '__proto__'],
  ],
};
const twice = { a: 1 };
const PLAIN = [null, true, 'text', 0.5, [], {}, { a: [null, { b: 'c' }] }, [twice, twice]];
const HELD: Readonly<Record<ValueFormat, readonly unknown[]>> = {
  json: [...PLAIN, '\ud800', '\ufeff', JSON.parse('{"__proto__":1}')],
  msgpack: [...PLAIN, Number.NaN, { a: new Date(7) }, [new Uint8Array([1, 2])]],
};

for (const format of ['json', 'msgpack'] as const) {
  describe(`values as ${format}`, () => {
    it('are refused, with their place, where they would come back as something else', () => {
      const { encode } = values[format];
      for (const [value, path, what] of UNHELD[format]) {
        const error = raised('INVALID_VALUE', () => encode(value));
        expect(error.message).to.contain(what);
        expect(error.details.issues).to.have.nested.property('[0].path', path);
      }
      const error = raised('INVALID_VALUE', () => encode(deep(100_000)));
      expect(error.message).to.contain('nested too deeply');
    });

    it('come back as they were', async () => {
      const db = await stores.openMemory();
      const buckets = [
        db.bucket('plain', { value: values[format] }),
        db.bucket('any', { value: z.any(), format }),
      ];
      for (const bucket of buckets) {
        for (const value of HELD[format]) {
          await bucket.put('a', value);
          expect(bucket.get('a')).to.deep.equal(value);
        }
        await bucket.put('a', { b: undefined, c: 1 });
        expect(bucket.get('a')).to.deep.equal({ c: 1 });
      }
    });

    it('that a schema takes are refused, or come back', async () => {
      const db = await stores.openMemory();
      const optional = z.string().optional();
      const given: ReadonlyArray<[schema: z.ZodType, value: unknown]> = [
        [z.tuple([optional, z.string()]), [undefined, 'a']],
        [z.tuple([z.string(), optional]), ['a', undefined]],
        [z.object({ a: optional, b: z.array(optional) }), { b: [undefined] }],
        [z.array(z.intersection(optional, optional)), [undefined]],
        [z.array(z.literal([undefined, 'a'])), ['a', undefined]],
        [z.array(optional.nonoptional()), ['a']],
        [z.literal(Number.NaN), Number.NaN],
        [z.literal(Number.POSITIVE_INFINITY), Number.POSITIVE_INFINITY],
        [z.enum({ A: Number.NaN, B: 1 }), Number.NaN],
        [optional, undefined],
        [z.undefined(), undefined],
        [z.void(), undefined],
        [z.object({ a: optional }), { a: undefined }],
        [z.object({ a: z.string().default('b') }), { a: 'b' }],
        [z.union([z.string(), z.array(z.unknown())]), [undefined]],
      ];
      for (const [schema, value] of given) {
        const bucket = db.bucket('any', { value: schema, format });
        const taken = await bucket.put('a', value as never).then(
          () => true,
          (error) => error.code !== 'INVALID_VALUE',
        );
        if (taken) expect(JSON.stringify(bucket.get('a'))).to.equal(JSON.stringify(value));
      }
    });

    it('are looked at where a schema lets anything through', async () => {
      const db = await stores.openMemory();
      const schemas: ReadonlyArray<[schema: z.ZodType, around: (value: unknown) => unknown, path: string]> = [
        [z.any(), (value) => value, ''],
        [z.looseObject({ id: z.number() }), (value) => ({ id: 1, more: value }), 'more'],
        [z.record(z.string(), z.unknown()), (value) => ({ more: value }), 'more'],
        [z.array(z.custom<unknown>(() => true)), (value) => [value], '[0]'],
        [z.lazy(() => z.object({ a: z.unknown() })), (value) => ({ a: value }), 'a'],
      ];
      for (const [schema, around, place] of schemas) {
        const bucket = db.bucket('any', { value: schema, format });
        const value = around(new Map());
        const error = await rejected('INVALID_VALUE', bucket.put('a', value as never));
        expect(error.details.issues).to.have.nested.property('[0].path', place);
        expect(bucket.has('a')).to.equal(false);
      }
    });
  });
}

describe('a codec of values', () => {
  it('takes rows of imports, of which JSON stays as it stands', () => {
    const codecs: ReadonlyArray<[ValueCodec<unknown>, boolean]> = [
      [values.json, true],
      [values.msgpack, false],
    ];
    for (const [codec, keeps] of codecs)
      expect([codec.fromRow?.({ a: 1 }), codec.keepsRows]).to.deep.equal([{ a: 1 }, keeps]);
  });
});
