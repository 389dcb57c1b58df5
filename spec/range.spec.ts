// lib/range.ts: what a range covers, and that all of its faces have that.

import { type Bucket, type RangeOptions, StoreError } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned } from './helpers/bytes.js';
import { raised } from './helpers/errors.js';
import { ModelBucket } from './helpers/model.js';
import { FACES, filled, numberedKeys } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

const ff = (length: number) => Buffer.alloc(length, 0xff);

/** Keys with empty ones, prefixes of each other, and bytes at both ends. */
const FEW: readonly Buffer[] = [
  '',
  '\x00',
  '\x00\x00',
  'a',
  'a\x00',
  'a\xff',
  'ab',
  'abc',
  'b',
  'ba',
  '\xfe\xff',
  '\xff',
  '\xff\x00',
  '\xff\xff',
  '\xff\xff\xff',
].map((key) => Buffer.from(key, 'latin1'));

const hex = (key: string) => Buffer.from(key, 'latin1');

const BOUNDS: Array<[what: string, options: RangeOptions]> = [
  ['no bound', {}],
  ['gt a key', { gt: 'a' }],
  ['gte a key', { gte: 'a' }],
  ['lt a key', { lt: 'ab' }],
  ['lte a key', { lte: 'ab' }],
  ['gt between keys', { gt: 'aaa' }],
  ['gte between keys', { gte: 'aaa' }],
  ['lt between keys', { lt: 'aaa' }],
  ['lte between keys', { lte: 'aaa' }],
  ['gt the empty key', { gt: '' }],
  ['gte the empty key', { gte: '' }],
  ['lt the empty key', { lt: '' }],
  ['lte the empty key', { lte: '' }],
  ['gt the last key', { gt: ff(3) }],
  ['gte the last key', { gte: ff(3) }],
  ['lt the last key', { lt: ff(3) }],
  ['lte the last key', { lte: ff(3) }],
  ['gt past all keys', { gt: ff(4) }],
  ['lt past all keys', { lt: ff(4) }],
  ['both ends open', { gt: 'a', lt: 'b' }],
  ['both ends closed', { gte: 'a', lte: 'b' }],
  ['one key', { gte: 'ab', lte: 'ab' }],
  ['one key, open below', { gt: 'ab', lte: 'ab' }],
  ['one key, open above', { gte: 'ab', lt: 'ab' }],
  ['one key, open twice', { gt: 'ab', lt: 'ab' }],
  ['inverted', { gte: 'b', lte: 'a' }],
  ['inverted, open', { gt: 'b', lt: 'a' }],
  ['inverted, past both ends', { gte: ff(9), lte: '' }],
  ['gt and gte, gt narrower', { gt: 'ab', gte: 'a' }],
  ['gt and gte, gte narrower', { gt: 'a', gte: 'ab' }],
  ['gt and gte the same', { gt: 'a', gte: 'a' }],
  ['lt and lte, lt narrower', { lt: 'a', lte: 'ab' }],
  ['lt and lte, lte narrower', { lt: 'ab', lte: 'a' }],
  ['lt and lte the same', { lt: 'ab', lte: 'ab' }],
  ['all four', { gt: '', gte: 'a', lt: 'b', lte: 'ba' }],
  ['prefix', { prefix: 'a' }],
  ['the empty prefix', { prefix: '' }],
  ['a prefix that is a key with nothing behind', { prefix: 'abc' }],
  ['a prefix without keys', { prefix: 'zz' }],
  ['a prefix longer than all keys', { prefix: 'abcd' }],
  ['a prefix that ends in 0xFF', { prefix: hex('a\xff') }],
  ['a prefix of 0x00', { prefix: hex('\x00') }],
  ['a prefix of one 0xFF', { prefix: ff(1) }],
  ['a prefix of many 0xFF', { prefix: ff(3) }],
  ['a prefix of more 0xFF than any key', { prefix: ff(4) }],
  ['a prefix that carries over', { prefix: hex('\xfe\xff') }],
  ['prefix with gt inside', { prefix: 'a', gt: 'a' }],
  ['prefix with gte before', { prefix: 'a', gte: '' }],
  ['prefix with lt inside', { prefix: 'a', lt: 'ab' }],
  ['prefix with lte behind', { prefix: 'a', lte: 'z' }],
  ['prefix with bounds outside of it', { prefix: 'a', gte: 'b' }],
  ['prefix and upper bound before it', { prefix: 'b', lt: 'a' }],
  ['a prefix of 0xFF with a lower bound', { prefix: ff(1), gt: hex('\xff\x00') }],
  ['lower bound longer than a key may be', { gte: Buffer.alloc(5000, 0x61) }],
  ['upper bound longer than a key may be', { lte: Buffer.alloc(5000, 0x61) }],
  ['upper bound of many 0xFF', { lt: ff(5000) }],
  ['lower bound of many 0xFF', { gt: ff(5000) }],
  ['prefix longer than a key may be', { prefix: Buffer.alloc(5000, 0x61) }],
  ['prefix of more 0xFF than a key may have', { prefix: ff(5000) }],
];

const LIMITS: readonly (number | undefined)[] = [undefined, 0, 1, 3, 1000];

describe('range', () => {
  const stores = useStores();

  describe('bounds, over one leaf', () => {
    let bucket: Bucket;
    let model: ModelBucket;
    beforeEach(async () => {
      ({ bucket, model } = await filled(await stores.openMemory(), FEW));
    });

    for (const [what, options] of BOUNDS) {
      it(what, () => {
        for (const reverse of [false, true]) {
          for (const limit of LIMITS) {
            const asked = { ...options, reverse, ...(limit === undefined ? {} : { limit }) };
            const expected = model.range(asked);
            const where = `reverse ${reverse} limit ${limit}`;
            expectEntries(bucket.range(asked).toArray(), expected, where);
            expect(bucket.range(asked).count(), where).to.equal(expected.length);
            expect(bucket.range(asked).first()?.[0], where).to.deep.equal(expected[0]?.[0]);
          }
        }
      });
    }
  });

  describe('bounds, over many leaves of long keys', () => {
    // 1,000 bytes of prefix: three entries a leaf, and so many levels.
    const long = (end: string) => Buffer.concat([Buffer.alloc(1000, 0x70), Buffer.from(end)]);
    const keys = Array.from({ length: 400 }, (_, index) => long(String(index * 2).padStart(4, '0')));
    const some = [0, 1, 2, 3, 399, 400, 401, 797, 798, 799].map((index) =>
      long(String(index).padStart(4, '0')),
    );
    let bucket: Bucket;
    let model: ModelBucket;
    beforeEach(async () => {
      ({ bucket, model } = await filled(await stores.openMemory({ cacheBytes: 1 }), keys, 300));
    });

    for (const [lower, upper] of [
      ['gt', 'lt'],
      ['gte', 'lte'],
      ['gt', 'lte'],
      ['gte', 'lt'],
    ] as const) {
      it(`${lower} and ${upper}`, () => {
        for (const from of some) {
          for (const to of some) {
            for (const reverse of [false, true]) {
              const options = { [lower]: from, [upper]: to, reverse, limit: 7 };
              const expected = model.range(options);
              expectEntries(bucket.range(options).toArray(), expected);
              const all = { [lower]: from, [upper]: to };
              expect(bucket.range(all).count()).to.equal(model.range(all).length);
            }
          }
        }
      });
    }
  });

  describe('faces', () => {
    const cases: Array<[what: string, options: RangeOptions]> = [
      ['all', {}],
      ['all, reversed', { reverse: true }],
      ['the middle', { gt: numbered(50), lte: numbered(450) }],
      ['the middle, reversed', { gt: numbered(50), lte: numbered(450), reverse: true }],
      ['a few', { gte: numbered(300), limit: 5 }],
      ['a few, reversed', { lt: numbered(300), limit: 5, reverse: true }],
      ['none, by its limit', { limit: 0 }],
      ['none, by its bounds', { gt: 'x', lt: 'y' }],
      ['none, inverted', { gt: 'y', lt: 'a' }],
    ];
    for (const place of ['memory', 'file'] as const) {
      for (const [face, entriesOf] of Object.entries(FACES)) {
        it(`${face} has what the bucket has, from a small cache over a ${place}`, async () => {
          const db = await stores.openIn(place, { cacheBytes: 1 });
          // More pages than the 64 that the smallest cache keeps.
          const { bucket, model } = await filled(db, numberedKeys(600), 500);
          for (const [what, options] of cases) {
            expectEntries(await entriesOf(bucket.range(options)), model.range(options), what);
            expect(db.stats().snapshots, what).to.equal(0);
          }
        });

        it(`${face} has large values between small ones, in a ${place}`, async () => {
          const db = await stores.openIn(place, { cacheBytes: 1 });
          const bucket = db.bucket('b');
          const model = new ModelBucket();
          const lengths = [0, 1024, 1025, 4064, 4065, 9000, 300_000];
          await db.write((tx) => {
            for (let i = 0; i < 200; i++) {
              const value = patterned(i % 10 === 0 ? lengths[(i / 10) % lengths.length] : 50, i);
              tx.bucket('b').put(numbered(i), value);
              model.put(numbered(i), value);
            }
          });
          expectEntries(await entriesOf(bucket.range()), model.range());
          expectEntries(await entriesOf(bucket.range({ reverse: true })), model.range({ reverse: true }));
        });
      }
    }

    for (const [face, entriesOf] of Object.entries(FACES)) {
      it(`${face} of a bucket that is not there is empty`, async () => {
        const db = await stores.openMemory();
        expect(await entriesOf(db.bucket('none').range())).to.deep.equal([]);
        expect(db.bucket('none').range().count()).to.equal(0);
        expect(db.bucket('none').range().first()).to.equal(undefined);
        expect([...db.buckets()]).to.deep.equal([]);
      });

      it(`${face} can be had again and again from one range, each time of the latest commit`, async () => {
        const db = await stores.openMemory();
        const { bucket, model } = await filled(db, ['a', 'c']);
        const range = bucket.range();
        expectEntries(await entriesOf(range), model.range());
        await bucket.put('b', 'new');
        model.put('b', Buffer.from('new'));
        expectEntries(await entriesOf(range), model.range());
      });
    }

    it('count is the real count, for all bounds, also of deep trees', async () => {
      const { bucket, model } = await filled(await stores.openMemory(), numberedKeys(5000), 8);
      for (const [from, to] of [
        [0, 4999],
        [1, 4998],
        [37, 38],
        [2500, 2499],
        [4999, 9999],
      ]) {
        for (const options of [
          { gte: numbered(from), lte: numbered(to) },
          { gt: numbered(from), lt: numbered(to) },
          { gt: numbered(from), lt: numbered(to), limit: 10 },
        ]) {
          let counted = 0;
          for (const _ of bucket.range(options)) counted++;
          expect(bucket.range(options).count()).to.equal(counted).and.equal(model.range(options).length);
        }
      }
    });
  });

  describe('options', () => {
    const invalid: Array<[name: string, options: Record<string, unknown>]> = [
      ['gt', { gt: 1 }],
      ['gte', { gte: null }],
      ['lt', { lt: [1] }],
      ['lte', { lte: {} }],
      ['prefix', { prefix: true }],
      ['reverse', { reverse: 'yes' }],
      ['limit', { limit: -1 }],
      ['limit', { limit: 1.5 }],
      ['limit', { limit: Number.NaN }],
      ['limit', { limit: '3' }],
      ['start', { start: 'a' }],
    ];
    for (const [name, options] of invalid) {
      it(`refuses ${name}: ${JSON.stringify(Object.values(options)[0]) ?? 'NaN'}`, async () => {
        const db = await stores.openMemory();
        await db.bucket('b').put('a', '1');
        using snapshot = db.snapshot();
        await using tx = await db.begin();
        for (const bucket of [db.bucket('b'), snapshot.bucket('b'), tx.bucket('b')]) {
          const error = raised('INVALID_OPTION', () => bucket.range(options));
          expect(error.message).to.contain(name);
        }
      });
    }

    it('takes undefined for what is not given', async () => {
      const { bucket } = await filled(await stores.openMemory(), ['a', 'b']);
      const none = { gt: undefined, gte: undefined, lt: undefined, lte: undefined, prefix: undefined };
      expect(bucket.range({ ...none, reverse: undefined, limit: undefined }).count()).to.equal(2);
    });
  });

  it('raises STORE_CLOSED after close, from every face', async () => {
    const db = await stores.openMemory();
    const { bucket } = await filled(db, ['a', 'b']);
    const range = bucket.range();
    await stores.close(db);
    for (const [face, entriesOf] of Object.entries(FACES)) {
      let code = 'none';
      await entriesOf(range).catch((error: unknown) => {
        code = error instanceof StoreError ? error.code : String(error);
      });
      expect(code, face).to.equal('STORE_CLOSED');
    }
    raised('STORE_CLOSED', () => range.count());
    raised('STORE_CLOSED', () => range.first());
    raised('STORE_CLOSED', () => bucket.range().toArray());
  });
});
