// lib/tree-bulk-sink.ts: what a bulk load takes in which order, what it does with keys that come twice, and when it
// commits.

import type { Entry } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned } from './helpers/bytes.js';
import { rejected } from './helpers/errors.js';
import { expectBucket, load, modelOf, type Pair, pairs, shuffled } from './helpers/loads.js';
import { useStores } from './helpers/store.js';

describe('bulk load', () => {
  const stores = useStores();

  describe('order', () => {
    const cases: Array<[what: string, before: Pair[], input: Pair[], sorted: boolean]> = [
      ['sorted, into an empty bucket', [], pairs(0, 2000), true],
      ['sorted, past the last key', pairs(0, 1000), pairs(1000, 2000), true],
      ['sorted, past the last key of one leaf', pairs(0, 3), pairs(3, 2000), true],
      ['sorted, before the first key', pairs(1000, 2000), pairs(0, 1000), true],
      ['sorted, between the keys', pairs(0, 10).concat(pairs(2000, 2010)), pairs(10, 2000), true],
      ['sorted, over the same keys', pairs(0, 1000), pairs(0, 1000, 7), true],
      ['sorted, over the last key and on', pairs(0, 1000), pairs(999, 2000, 7), true],
      ['unsorted, into an empty bucket', [], shuffled(pairs(0, 2000)), false],
      ['unsorted, into a filled one', pairs(500, 1500), shuffled(pairs(0, 2000, 7)), false],
      [
        'sorted, then not',
        [],
        [...pairs(0, 1500), ...shuffled(pairs(500, 1000, 7)), ...pairs(1500, 2000)],
        false,
      ],
      ['descending', [], pairs(0, 2000).reverse(), false],
      ['one key over and over', [], Array.from({ length: 1000 }, (_, i): Pair => ['k', String(i)]), true],
      [
        'each key twice',
        [],
        pairs(0, 1000).flatMap(([key]): Pair[] => [
          [key, 'first'],
          [key, 'second'],
        ]),
        true,
      ],
      ['nothing', pairs(0, 10), [], true],
      [
        'the empty key and value',
        [],
        [
          ['', ''],
          ['\0', ''],
          ['a', ''],
        ],
        true,
      ],
    ];
    for (const [what, before, input, ascends] of cases) {
      for (const sorted of ['auto', false, true] as const) {
        if (sorted === true && !ascends) continue;
        for (const place of ['memory', 'file'] as const) {
          it(`takes what is ${what}; sorted: ${sorted}, in a ${place}`, async () => {
            const db = await stores.openIn(place, { cacheBytes: 1 });
            await load(db.bucket('b'), before);
            const report = await load(db.bucket('b'), input, { sorted });
            expect(report.entries).to.equal(input.length);
            expect(report.entriesCommitted).to.equal(input.length);
            const model = modelOf(before, input);
            expect(report.duplicates).to.equal(before.length + input.length - model.size);
            expectBucket(db.bucket('b'), model);
          });
        }
      }
    }

    it('reports whether the input ascended', async () => {
      const db = await stores.openMemory();
      expect((await load(db.bucket('a'), pairs(0, 1000))).sorted).to.equal(true);
      expect((await load(db.bucket('b'), pairs(0, 1000).reverse())).sorted).to.equal(false);
      expect((await load(db.bucket('c'), [...pairs(0, 20_000), ...pairs(5, 6)])).sorted).to.equal(false);
    });

    for (const [what, input, previous, next] of [
      ['in one block', [...pairs(0, 5), ...pairs(3, 4)], numbered(4), numbered(3)],
      ['across blocks', [...pairs(0, 30_000), ...pairs(77, 78)], numbered(29_999), numbered(77)],
      [
        'at once',
        [
          ['b', '1'],
          ['a', '2'],
        ],
        'b',
        'a',
      ],
      [
        'by a key that begins with the other',
        [
          ['aa', '1'],
          ['a', '2'],
        ],
        'aa',
        'a',
      ],
    ] as Array<[string, Pair[], string, string]>) {
      it(`sorted: true refuses what is not with KEY_OUT_OF_ORDER and commits none of it: ${what}`, async () => {
        const db = await stores.openMemory();
        await load(db.bucket('b'), pairs(0, 2));
        const before = modelOf(pairs(0, 2));
        const error = await rejected('KEY_OUT_OF_ORDER', load(db.bucket('b'), input, { sorted: true }));
        expect(error.message).to.contain(JSON.stringify(previous)).and.contain(JSON.stringify(next));
        expect(error.details).to.deep.equal({ previous: Buffer.from(previous), key: Buffer.from(next) });
        expectBucket(db.bucket('b'), before);
        expect((await db.check()).ok).to.equal(true);
        await load(db.bucket('b'), pairs(0, 100));
      });
    }

    it('sorted: true keeps what was committed before the key out of order', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ sorted: true });
      for (const [key, value] of pairs(0, 10)) writer.add(key, value);
      await writer.commit();
      for (const [key, value] of pairs(10, 20)) writer.add(key, value);
      writer.add(numbered(5), 'back');
      await rejected('KEY_OUT_OF_ORDER', writer.finish());
      expectBucket(db.bucket('b'), modelOf(pairs(0, 10)));
    });
  });

  describe('onDuplicate', () => {
    const twice: Pair[] = [
      ['b', 'first'],
      ['b', 'second'],
      ['c', 'other'],
    ];
    const apart: Pair[] = [
      ['b', 'first'],
      ['c', 'other'],
      ['b', 'second'],
    ];
    const far: Pair[] = [['b', 'first'], ...pairs(0, 6000), ['b', 'second']];
    const held: Pair[] = [['b', 'second']];
    const large: Pair[] = [
      ['b', patterned(5000, 1)],
      ['b', patterned(9000, 2)],
      ['c', 'other'],
    ];
    const cases: Array<
      [what: string, before: Pair[], input: Pair[], keep: string | Buffer, replace: string | Buffer]
    > = [
      ['one behind the other', [], twice, 'first', 'second'],
      ['apart', [], apart, 'first', 'second'],
      ['far apart', [], far, 'first', 'second'],
      [
        'in the bucket',
        [
          ['a', '1'],
          ['b', 'first'],
          ['d', '1'],
        ],
        held,
        'first',
        'second',
      ],
      [
        'the last of the bucket',
        [
          ['a', '1'],
          ['b', 'first'],
        ],
        held,
        'first',
        'second',
      ],
      ['the only one of the bucket', [['b', 'first']], held, 'first', 'second'],
      ['with large values', [], large, patterned(5000, 1), patterned(9000, 2)],
      [
        'large, the last of the bucket',
        [['b', patterned(5000, 1)]],
        [
          ['b', 'x'],
          ['c', 'y'],
        ],
        patterned(5000, 1),
        'x',
      ],
      [
        'small to large',
        [],
        [
          ['b', 'x'],
          ['b', patterned(5000, 1)],
          ['c', 'y'],
        ],
        'x',
        patterned(5000, 1),
      ],
    ];
    for (const [what, before, input, keep, replace] of cases) {
      for (const sorted of ['auto', false] as const) {
        for (const [onDuplicate, kept] of [
          ['keep', keep],
          ['replace', replace],
          [undefined, replace],
        ] as const) {
          it(`${onDuplicate ?? 'by default'}: a key ${what}; sorted: ${sorted}`, async () => {
            const db = await stores.openMemory();
            await load(db.bucket('b'), before);
            const report = await load(db.bucket('b'), input, { sorted, onDuplicate });
            expect(report.duplicates).to.equal(1);
            expect(report.entries).to.equal(input.length);
            expect(db.bucket('b').get('b')).to.deep.equal(Buffer.from(kept));
            expect(db.bucket('b').range().count()).to.equal(modelOf(before, input).size);
          });
        }

        it(`error: a key ${what}; sorted: ${sorted}`, async () => {
          const db = await stores.openMemory();
          await load(db.bucket('b'), before);
          const error = await rejected(
            'DUPLICATE_KEY',
            load(db.bucket('b'), input, { sorted, onDuplicate: 'error' }),
          );
          expect(error.message).to.contain('"b"');
          expect(error.details).to.deep.equal({ key: Buffer.from('b') });
          // What ascended before an input fell over to being sorted was committed then, a block or more.
          const committed = input === far && sorted === 'auto' ? db.bucket('b').range().count() : 0;
          expect(committed).to.be.below(input.length);
          expectBucket(db.bucket('b'), modelOf(before, input.slice(0, committed)));
        });
      }
    }

    it('replaces and counts many, one by one, across blocks and levels', async () => {
      const db = await stores.openMemory({ cacheBytes: 1 });
      const input = pairs(0, 6000).flatMap(([key, value]): Pair[] => [
        [key, 'gone'],
        [key, value],
      ]);
      const report = await load(db.bucket('b'), input);
      expect(report.duplicates).to.equal(6000);
      expectBucket(db.bucket('b'), modelOf(input));
    });
  });

  describe('commits', () => {
    it('commitEvery.entries publishes after so many', async () => {
      const db = await stores.open();
      const counts: number[] = [];
      db.commits$.subscribe(() => counts.push(db.bucket('b').range().count()));
      const report = await load(db.bucket('b'), pairs(0, 1050), { commitEvery: { entries: 100 } });
      expect(counts).to.deep.equal([100, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1050]);
      expect(report.commits).to.equal(11);
      expect(report.entriesCommitted).to.equal(1050);
    });

    it('commitEvery.bytes publishes after about so many', async () => {
      const db = await stores.open();
      // 70 bytes an entry, 7 MB in all.
      const report = await load(db.bucket('b'), pairs(0, 100_000, 0, 61), {
        commitEvery: { bytes: 1_000_000 },
      });
      expect(report.bytes).to.equal(7_000_000);
      expect(report.commits).to.be.within(5, 8);
      const few = await load(db.bucket('c'), pairs(0, 1000, 0, 61), { commitEvery: { bytes: 7000 } });
      expect(few.commits).to.be.within(8, 11);
    });

    it('commit publishes at once, and may be called with nothing to commit', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      await writer.commit();
      expect([...db.buckets()]).to.deep.equal([]);
      writer.add('a', '1');
      await writer.commit();
      expect(db.bucket('b').get('a')?.toString()).to.equal('1');
      await writer.commit();
      writer.add('b', '2');
      expect(db.bucket('b').has('b')).to.equal(false);
      const report = await writer.finish();
      expect(report.commits).to.equal(2);
      expect(db.bucket('b').has('b')).to.equal(true);
    });

    it('leave others their turn between two of them', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      for (const [key, value] of pairs(0, 10)) writer.add(key, value);
      const other = db.bucket('other').put('a', '1');
      await writer.commit();
      await other;
      for (const [key, value] of pairs(10, 20)) writer.add(key, value);
      await db.bucket('b').put('own', '1');
      await writer.finish();
      expect(db.bucket('b').range().count()).to.equal(21);
    });

    it('takes up what others wrote to the bucket between two commits', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('b', '1');
      await writer.commit();
      await db.bucket('b').put('z', 'last now');
      writer.add('c', '2');
      await writer.commit();
      await db.dropBucket('b');
      writer.add('d', '3');
      await writer.finish();
      expectBucket(db.bucket('b'), modelOf([['d', '3']]));
    });

    it('two loads into one bucket at once both go in', async () => {
      const db = await stores.openMemory();
      const options = { commitEvery: { entries: 500 } };
      await Promise.all([
        load(db.bucket('b'), pairs(0, 3000), options),
        load(db.bucket('b'), pairs(3000, 6000), options),
      ]);
      expectBucket(db.bucket('b'), modelOf(pairs(0, 6000)));
    });
  });

  it('loads large values between small ones, in order, over the last one and on', async () => {
    const db = await stores.open({ cacheBytes: 1 });
    const lengths = [0, 1024, 1025, 4064, 4065, 4096, 8128, 8129, 9000, 100, 300_000, 50, 1_000_000];
    const input: Pair[] = Array.from({ length: 200 }, (_, i) => [
      numbered(i),
      patterned(lengths[i % lengths.length], i),
    ]);
    await load(db.bucket('b'), input.slice(0, 100));
    await load(db.bucket('b'), input.slice(99));
    const entries: Entry[] = db.bucket('b').range().toArray();
    expectEntries(entries, modelOf(input).range());
    await load(db.bucket('c'), shuffled(input));
    expectEntries(db.bucket('c').range().toArray(), modelOf(input).range());
  });

  it('loads texts of every length as their UTF-8 bytes', async () => {
    const db = await stores.openMemory();
    const texts = Array.from({ length: 120 }, (_, i) =>
      ['a', 'ü', '\u20ac', '\u{1f33e}'][i % 4].repeat(i * (i % 5 === 0 ? 150 : 1)),
    );
    const input: Pair[] = texts.map((text, i) => [`${numbered(i)}${text.slice(0, 100)}`, text]);
    await load(db.bucket('b'), input);
    expectBucket(db.bucket('b'), modelOf(input));
  });
});
