// lib/stream/bulk-writer.ts and lib/tree-bulk-sink.ts: bulk loads, as a loop and as a stream.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bucket, BulkOptions, BulkProgress, BulkReport, Database, Entry } from 'btree-store';
import { expect } from 'chai';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { raised, rejected } from '../helpers/errors.js';
import { ModelBucket } from '../helpers/model.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

type Pair = readonly [key: string, value: string | Buffer];

/** Loads entries by `add` and `drained`, as a loop does. */
async function load(bucket: Bucket, entries: Iterable<Pair>, options?: BulkOptions): Promise<BulkReport> {
  const writer = bucket.bulkWriter(options);
  for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
  return writer.finish();
}

function pairs(from: number, to: number, salt = 0, length = 60): Pair[] {
  return Array.from(
    { length: to - from },
    (_, i): Pair => [numbered(from + i), patterned(length, from + i + salt)],
  );
}

/** The entries in another order, the same each time. */
function shuffled<T>(entries: readonly T[]): T[] {
  const { length } = entries;
  const step = [7919, 7907, 7901].find((prime) => length % prime !== 0) ?? 1;
  return entries.map((_, i) => entries[(i * step + 3) % length]);
}

function modelOf(...loads: Iterable<Pair>[]): ModelBucket {
  const model = new ModelBucket();
  for (const entries of loads) for (const [key, value] of entries) model.put(key, Buffer.from(value));
  return model;
}

function expectBucket(bucket: Bucket, model: ModelBucket): void {
  expectEntries(bucket.range().toArray(), model.range());
  expect(bucket.range().count()).to.equal(model.size);
}

/** How full the leaves of the store are on average: entries by their bytes, over the pages they take. */
async function leavesOf(db: Database): Promise<number> {
  return (await db.check()).pages.leaf;
}

describe('bulk writer', () => {
  const stores = useStores();

  describe('order', () => {
    const cases: Array<[what: string, before: Pair[], input: Pair[], sorted: boolean]> = [
      ['sorted, into an empty bucket', [], pairs(0, 5000), true],
      ['sorted, past the last key', pairs(0, 1000), pairs(1000, 5000), true],
      ['sorted, past the last key of one leaf', pairs(0, 3), pairs(3, 5000), true],
      ['sorted, before the first key', pairs(1000, 2000), pairs(0, 1000), true],
      ['sorted, between the keys', pairs(0, 10).concat(pairs(5000, 5010)), pairs(10, 5000), true],
      ['sorted, over the same keys', pairs(0, 2000), pairs(0, 2000, 7), true],
      ['sorted, over the last key and on', pairs(0, 1000), pairs(999, 3000, 7), true],
      ['unsorted, into an empty bucket', [], shuffled(pairs(0, 5000)), false],
      ['unsorted, into a filled one', pairs(500, 1500), shuffled(pairs(0, 3000, 7)), false],
      [
        'sorted, then not',
        [],
        [...pairs(0, 3000), ...shuffled(pairs(1000, 2000, 7)), ...pairs(3000, 4000)],
        false,
      ],
      ['descending', [], pairs(0, 3000).reverse(), false],
      ['one key over and over', [], Array.from({ length: 2000 }, (_, i): Pair => ['k', String(i)]), true],
      [
        'each key twice',
        [],
        pairs(0, 2000).flatMap(([key]): Pair[] => [
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
    const far: Pair[] = [['b', 'first'], ...pairs(0, 20_000), ['b', 'second']];
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
          expectBucket(db.bucket('b'), modelOf(before));
        });
      }
    }

    it('replaces and counts many, one by one, across blocks and levels', async () => {
      const db = await stores.openMemory({ cacheBytes: 1 });
      const input = pairs(0, 20_000).flatMap(([key, value]): Pair[] => [
        [key, 'gone'],
        [key, value],
      ]);
      const report = await load(db.bucket('b'), input);
      expect(report.duplicates).to.equal(20_000);
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

  describe('atomic', () => {
    it('publishes nothing before the end', async () => {
      const db = await stores.openMemory();
      await load(db.bucket('b'), [['before', '1']]);
      const { sequence } = db.stats();
      const writer = db.bucket('b').bulkWriter({ atomic: true, commitEvery: { entries: 10 } });
      for (const [key, value] of pairs(0, 40_000)) if (!writer.add(key, value)) await writer.drained();
      expect(db.stats().sequence).to.equal(sequence);
      expect(db.bucket('b').range().count()).to.equal(1);
      const report = await writer.finish();
      expect(report.commits).to.equal(1);
      expect(db.bucket('b').range().count()).to.equal(40_001);
    });

    it('cannot be committed in parts', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ atomic: true });
      writer.add('a', '1');
      const error = await rejected('INVALID_OPTION', writer.commit());
      expect(error.message).to.contain('atomic');
      expect([...db.buckets()]).to.deep.equal([]);
      writer.destroy();
    });

    const ends: Array<
      [what: string, end: (writer: ReturnType<Bucket['bulkWriter']>, stop: AbortController) => void]
    > = [
      ['destroy', (writer) => void writer.destroy()],
      ['destroy with an error', (writer) => void writer.destroy(new Error('stop'))],
      ['its signal', (_writer, stop) => stop.abort()],
    ];
    for (const [what, end] of ends) {
      it(`leaves nothing behind when it is ended by ${what}`, async () => {
        const db = await stores.open();
        await putAll(db, 'b', numberedKeys(100, 'a'), () => 'before');
        const { pages, freePages } = db.stats();
        const stop = new AbortController();
        const writer = db.bucket('b').bulkWriter({ atomic: true, signal: stop.signal });
        writer.on('error', () => undefined);
        for (const [key, value] of pairs(0, 40_000)) if (!writer.add(key, value)) await writer.drained();
        end(writer, stop);
        await new Promise((resolve) => writer.once('close', resolve));
        expect(db.bucket('b').range().count()).to.equal(100);
        const after = db.stats();
        expect(after.freePages - freePages).to.equal(after.pages - pages);
      });
    }
  });

  describe('an early end', () => {
    it('by destroy drops what is not committed and keeps the rest', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      for (const [key, value] of pairs(0, 100)) writer.add(key, value);
      await writer.commit();
      for (const [key, value] of pairs(100, 20_000)) if (!writer.add(key, value)) await writer.drained();
      writer.destroy();
      await rejected('ABORTED', writer.finish());
      raised('ABORTED', () => writer.add('z', '1'));
      await rejected('ABORTED', writer.drained());
      await rejected('ABORTED', writer.commit());
      expectBucket(db.bucket('b'), modelOf(pairs(0, 100)));
      // The writer's turn was given back.
      await db.bucket('b').put('z', '1');
    });

    it('by destroy with an error rejects with it', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      const stop = new Error('stop');
      const finishing = writer.finish().catch((error: unknown) => error);
      writer.destroy(stop);
      expect(await finishing).to.equal(stop);
    });

    for (const filled of [0, 10, 20_000]) {
      it(`by its signal commits what was added, then rejects with ABORTED: ${filled} entries`, async () => {
        const db = await stores.open();
        const controller = new AbortController();
        const writer = db.bucket('b').bulkWriter({ signal: controller.signal });
        for (const [key, value] of pairs(0, filled)) if (!writer.add(key, value)) await writer.drained();
        const reason = new Error('enough');
        controller.abort(reason);
        const error = await rejected('ABORTED', writer.finish());
        expect(error.cause).to.equal(reason);
        expectBucket(db.bucket('b'), modelOf(pairs(0, filled)));
        raised('ABORTED', () => writer.add('z', '1'));
        await db.bucket('b').put('z', '1');
      });
    }

    it('by a signal that had fired already takes nothing', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ signal: AbortSignal.abort() });
      await rejected('ABORTED', writer.finish());
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('by its signal while another writes does not wait for that', async () => {
      const db = await stores.openMemory();
      const tx = await db.begin();
      const controller = new AbortController();
      const writer = db.bucket('b').bulkWriter({ signal: controller.signal });
      for (const [key, value] of pairs(0, 20_000)) writer.add(key, value);
      await sleep(5);
      controller.abort();
      await rejected('ABORTED', writer.finish());
      await tx.rollback();
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('by a signal after the end changes nothing', async () => {
      const db = await stores.openMemory();
      const controller = new AbortController();
      const report = await load(db.bucket('b'), pairs(0, 10), { signal: controller.signal });
      controller.abort();
      await sleep(1);
      expect(report.entries).to.equal(10);
      expect(db.bucket('b').range().count()).to.equal(10);
    });

    it('by a failure reaches a loop by its calls alone, without an event that nobody hears', async () => {
      const db = await stores.openMemory();
      // An 'error' event without a listener would be an uncaught exception, which fails the test.
      for (const last of ['add', 'drained', 'commit', 'finish'] as const) {
        const writer = db.bucket('b').bulkWriter({ sorted: true });
        writer.add('b', '1');
        writer.add('a', '1');
        await rejected('KEY_OUT_OF_ORDER', writer.commit());
        await sleep(1);
        if (last === 'add') raised('KEY_OUT_OF_ORDER', () => writer.add('c', '1'));
        else await rejected('KEY_OUT_OF_ORDER', writer[last]());
      }
      await sleep(1);
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('by close of the store rejects with STORE_CLOSED', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      await writer.commit();
      writer.add('b', '1');
      stores.forget(db);
      await db.close();
      await rejected('STORE_CLOSED', writer.finish());
      expectBucket((await stores.openAt(db.path)).bucket('b'), modelOf([['a', '1']]));
    });

    it('never comes after finish: add raises TRANSACTION_CLOSED', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      const finishing = writer.finish();
      raised('TRANSACTION_CLOSED', () => writer.add('b', '1'));
      const report = await finishing;
      expect(report.entries).to.equal(1);
      expect(await writer.finish()).to.equal(report);
      raised('TRANSACTION_CLOSED', () => writer.add('b', '1'));
    });
  });

  describe('checkpoints', () => {
    it('are saved with the entries they describe, and read back after reopening', async () => {
      let db = await stores.open();
      const positions: unknown[] = [
        { line: 10, file: 'a.csv' },
        7,
        'text',
        null,
        [1, [2]],
        false,
        'x'.repeat(10_000),
      ];
      for (const [i, position] of positions.entries()) {
        const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
        for (const [key, value] of pairs(i * 10, i * 10 + 10)) writer.add(key, value);
        await writer.commit(position);
        writer.add('lost', '1');
        writer.destroy();
        await new Promise((resolve) => writer.once('close', resolve));
        expect(db.bucket('b').bulkCheckpoint('import')).to.deep.equal(position);
        db = await stores.reopen(db);
        expect(db.bucket('b').bulkCheckpoint('import')).to.deep.equal(position);
        expectBucket(db.bucket('b'), modelOf(pairs(0, i * 10 + 10)));
      }
    });

    it('may be many for one bucket, each under its name, whatever that is', async () => {
      const db = await stores.open();
      for (const [name, position] of [
        ['one', 1],
        ['__proto__', 2],
        ['constructor', 3],
        ['toString', 4],
        ['grün', 5],
      ] as const) {
        expect(db.bucket('b').bulkCheckpoint(name), name).to.equal(undefined);
        const writer = db.bucket('b').bulkWriter({ checkpoint: name });
        await writer.commit(position);
        await writer.finish();
        expect(db.bucket('b').bulkCheckpoint(name), name).to.equal(position);
        expect(db.bucket('b').bulkCheckpoint('one')).to.equal(1);
      }
    });

    it('stay when the bucket is written otherwise, and go with it', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
      writer.add('a', '1');
      await writer.commit('here');
      await writer.finish();
      await db.bucket('b').put('b', '1');
      await load(db.bucket('b'), pairs(0, 100));
      await db.bucket('b').delete('a');
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal('here');
      await db.dropBucket('b');
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(undefined);
      await db.createBucket('b');
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(undefined);
    });

    it('are not saved by a load that is rolled back', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ checkpoint: 'import', sorted: true });
      writer.add('b', '1');
      await writer.commit(1);
      writer.add('a', '1');
      await rejected('KEY_OUT_OF_ORDER', writer.commit(2));
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(1);
    });

    it('need a name, and a position that JSON can hold', async () => {
      const db = await stores.openMemory();
      const unnamed = db.bucket('b').bulkWriter();
      await rejected('INVALID_OPTION', unnamed.commit(1));
      for (const position of [7n, () => 1, Symbol('x')]) {
        const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
        writer.add('a', '1');
        const error = await rejected('INVALID_OPTION', writer.commit(position));
        expect(error.message).to.contain('position');
      }
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(undefined);
      expect([...db.buckets()]).to.deep.equal([]);
    });
  });

  describe('as a stream', () => {
    it('takes pairs from a pipeline, slowly enough', async () => {
      const db = await stores.open();
      let made = 0;
      let aheadMost = 0;
      const writer = db.bucket('b').bulkWriter({ commitEvery: { entries: 5000 } });
      function* source(): Generator<Pair> {
        for (const pair of pairs(0, 100_000, 0, 100)) {
          made++;
          aheadMost = Math.max(aheadMost, made - writer.report().entriesCommitted);
          yield pair;
        }
      }
      await pipeline(Readable.from(source()), writer);
      expect(made).to.equal(100_000);
      expect(db.bucket('b').range().count()).to.equal(100_000);
      // The blocks being filled and taken, a commit's worth of entries, and what the streams hold.
      expect(aheadMost).to.be.lessThan(20_000);
    });

    it('takes a range of another bucket, and of the same', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await putAll(db, 'a', numberedKeys(5000), (i) => patterned(i % 100 === 0 ? 5000 : 60, i));
      await pipeline(db.bucket('a').range().toReadable(), db.bucket('b').bulkWriter());
      expectEntries(db.bucket('b').range().toArray(), db.bucket('a').range().toArray());
      await pipeline(db.bucket('b').range({ reverse: true }).toReadable(), db.bucket('b').bulkWriter());
      expectEntries(db.bucket('b').range().toArray(), db.bucket('a').range().toArray());
    });

    for (const [what, chunk] of [
      ['a string', 'text'],
      ['a number', 1],
      ['an object', { key: 'a', value: 'b' }],
      ['a single', ['a']],
      ['a triple', ['a', 'b', 'c']],
    ] as const) {
      it(`refuses ${what}, and says what it takes`, async () => {
        const db = await stores.openMemory();
        const source = Readable.from([['a', '1'], chunk]);
        const error = await rejected('INVALID_OPTION', pipeline(source, db.bucket('b').bulkWriter()));
        expect(error.message).to.contain('[key, value]');
        expect([...db.buckets()]).to.deep.equal([]);
      });
    }

    it('refuses keys and values that are none, and commits nothing of it', async () => {
      const db = await stores.openMemory();
      for (const [code, pair] of [
        ['INVALID_KEY', [1, 'x']],
        ['KEY_TOO_LARGE', ['k'.repeat(1025), 'x']],
        ['INVALID_OPTION', ['k', null]],
      ] as const) {
        const source = Readable.from([['a', '1'], pair]);
        await rejected(code, pipeline(source, db.bucket('b').bulkWriter()));
      }
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('is destroyed when its source fails, and drops what is not committed', async () => {
      const db = await stores.openMemory();
      const stop = new Error('stop');
      const source = Readable.from(
        (function* () {
          yield* pairs(0, 5000);
          throw stop;
        })(),
      );
      let thrown: unknown;
      await pipeline(source, db.bucket('b').bulkWriter()).catch((error: unknown) => {
        thrown = error;
      });
      expect(thrown).to.equal(stop);
      expect([...db.buckets()]).to.deep.equal([]);
      await db.bucket('b').put('a', '1');
    });

    it('refuses single entries by add, and goes on', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      writer.add('a', '1');
      // From a program without types.
      raised('INVALID_KEY', () => writer.add(1 as never, '1'));
      raised('KEY_TOO_LARGE', () => writer.add('k'.repeat(1025), '1'));
      raised('INVALID_OPTION', () => writer.add('b', 1 as never));
      writer.add('c', '1');
      const report = await writer.finish();
      expect(report.entries).to.equal(2);
      expectBucket(
        db.bucket('b'),
        modelOf([
          ['a', '1'],
          ['c', '1'],
        ]),
      );
    });

    it('takes the bytes before add returns', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      const key = Buffer.from('k0');
      const small = Buffer.from('v0');
      const large = Buffer.alloc(30_000);
      for (let i = 0; i < 10; i++) {
        key[1] = small[1] = 0x30 + i;
        large.fill(i);
        writer.add(key, i % 2 === 0 ? small : large);
      }
      await writer.finish();
      for (let i = 0; i < 10; i++) {
        const expected = i % 2 === 0 ? Buffer.from(`v${i}`) : Buffer.alloc(30_000, i);
        expect(db.bucket('b').get(`k${i}`)?.equals(expected), `k${i}`).to.equal(true);
      }
    });
  });

  describe('a loop', () => {
    it('is told to wait, and waits until there is room', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter();
      let waits = 0;
      let aheadMost = 0;
      let ahead = 0;
      for (const [key, value] of pairs(0, 50_000, 0, 100)) {
        ahead++;
        if (writer.add(key, value)) continue;
        waits++;
        await writer.drained();
        aheadMost = Math.max(aheadMost, ahead);
        ahead = 0;
      }
      await writer.drained();
      await writer.finish();
      expect(waits).to.be.greaterThan(10);
      // Two blocks of 256 KiB at the most.
      expect(aheadMost).to.be.lessThan(6000);
    });

    it('that does not wait loses nothing', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter();
      for (const [key, value] of pairs(0, 50_000)) writer.add(key, value);
      await writer.finish();
      expectBucket(db.bucket('b'), modelOf(pairs(0, 50_000)));
    });

    for (const [what, keys] of [
      ['sorted', numberedKeys(300_000)],
      ['unsorted', shuffled(numberedKeys(50_000))],
    ] as const) {
      it(`lets the event loop go on where no disk is waited for: ${what}`, async () => {
        const db = await stores.openMemory();
        const writer = db.bucket('b').bulkWriter();
        let fired = 0;
        const timer = setInterval(() => fired++, 1);
        for (const key of keys) if (!writer.add(key, 'value')) await writer.drained();
        await writer.finish();
        clearInterval(timer);
        expect(fired, 'timers during the load').to.be.greaterThan(5);
        expect(db.bucket('b').range().count()).to.equal(keys.length);
      });
    }
  });

  describe('progress$', () => {
    it('tells of entries, bytes and commits, and completes with the report', async () => {
      const db = await stores.open();
      const told: BulkProgress[] = [];
      let completed = false;
      const writer = db.bucket('b').bulkWriter({ commitEvery: { entries: 1000 } });
      writer.progress$.subscribe({
        next: (progress) => told.push(progress),
        complete: () => {
          completed = true;
        },
      });
      for (const [key, value] of pairs(0, 5500, 0, 61)) if (!writer.add(key, value)) await writer.drained();
      const report = await writer.finish();
      expect(completed).to.equal(true);
      const last = told.at(-1);
      for (const facts of [report, last]) {
        expect(facts).to.include({ entries: 5500, bytes: 5500 * 70, entriesCommitted: 5500, commits: 6 });
        expect(facts?.elapsedMilliseconds).to.be.greaterThan(0).and.be.lessThan(10_000);
      }
      for (let i = 1; i < told.length; i++) {
        expect(told[i].entries).to.be.at.least(told[i - 1].entries);
        expect(told[i].entriesCommitted).to.be.at.least(told[i - 1].entriesCommitted);
      }
    });

    it('fails with the load', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ sorted: true });
      let failed: unknown;
      writer.progress$.subscribe({
        error: (error: unknown) => {
          failed = error;
        },
      });
      writer.add('b', '1');
      writer.add('a', '1');
      const error = await rejected('KEY_OUT_OF_ORDER', writer.finish());
      expect(failed).to.equal(error);
    });
  });

  describe('pages', () => {
    it('are full after a sorted load, and as full as fillFactor says', async () => {
      const leaves: number[] = [];
      for (const fillFactor of [1, 0.75, 0.5, 0.3]) {
        const db = await stores.openMemory();
        await load(db.bucket('b'), pairs(0, 20_000, 0, 100), { fillFactor });
        leaves.push(await leavesOf(db));
        expectBucket(db.bucket('b'), modelOf(pairs(0, 20_000, 0, 100)));
      }
      const [full] = leaves;
      // 116 bytes an entry with its slot, and 4,064 bytes a page.
      expect(full).to.be.lessThan((20_000 * 116) / 4064);
      for (const [i, factor] of [1, 0.75, 0.5, 0.3].entries())
        expect(leaves[i] / full, `fillFactor ${factor}`).to.be.within(0.95 / factor, 1.1 / factor);
    });

    it('are written once, without being read', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      const before = db.stats();
      await load(db.bucket('b'), pairs(0, 50_000, 0, 100));
      const { pagesWritten, pagesRead } = db.stats();
      const { pages } = await db.check();
      expect(pagesWritten - before.pagesWritten).to.be.lessThan((pages.leaf + pages.branch) * 1.05 + 10);
      expect(pagesRead - before.pagesRead).to.be.lessThan(5);
    });

    it('stay full when many small loads append, one after the other', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      let next = 0;
      for (let round = 0; round < 150; round++) {
        const count = (round * 37) % 61;
        await load(db.bucket('b'), pairs(next, next + count));
        next += count;
      }
      const appended = await leavesOf(db);
      expectBucket(db.bucket('b'), modelOf(pairs(0, next)));
      await load(db.bucket('whole'), pairs(0, next));
      expect(appended * 2).to.be.at.most((await leavesOf(db)) + 5);
    });

    it('of a large bucket are left alone by a load past its last key', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await load(db.bucket('b'), pairs(0, 50_000, 0, 100));
      const before = db.stats();
      await load(db.bucket('b'), pairs(50_000, 50_010, 0, 100));
      const after = db.stats();
      expect(after.pagesRead - before.pagesRead).to.be.lessThan(12);
      expect(after.pagesWritten - before.pagesWritten).to.be.lessThan(12);
    });
  });

  describe('every number of entries', () => {
    /** Keys so long that few fit into a page, with all of their difference at the end. */
    const long = 'p'.repeat(1015);
    const shapes: Array<[what: string, entry: (i: number) => Pair]> = [
      ['small ones', (i) => [numbered(i), patterned(20, i)]],
      ['ones of a few a page', (i) => [numbered(i), patterned(900, i)]],
      ['ones with long keys that begin alike', (i) => [numbered(i, long), patterned(10, i)]],
      ['ones with long keys and values', (i) => [numbered(i, long), patterned(1000, i)]],
      ['keys alone', (i) => [numbered(i), '']],
      ['keys that each begin with the one before', (i) => ['k'.repeat(i), String(i)]],
      ['large values', (i) => [numbered(i), patterned(1025 + ((i * 997) % 7000), i)]],
      [
        'sizes of every kind',
        (i) => [numbered(i, 'p'.repeat((i * 331) % 1000)), patterned((i * 7919) % 1200, i)],
      ],
    ];
    for (const [what, entry] of shapes) {
      it(`is loaded, appended to and deleted from: ${what}`, async function () {
        this.timeout(60_000);
        const db = await stores.openMemory();
        const sorted = Array.from({ length: 340 }, (_, i) => entry(i)).sort(([a], [b]) => (a < b ? -1 : 1));
        for (let count = 0; count <= 300; count += count < 40 ? 1 : 7) {
          const bucket = db.bucket(`b${count}`);
          await load(bucket, sorted.slice(0, count));
          await load(bucket, sorted.slice(count, count + 40));
          const model = modelOf(sorted.slice(0, count + 40));
          await db.write((tx) => {
            for (let i = count % 3; i < count + 40; i += 3) {
              expect(tx.bucket(bucket.name).delete(sorted[i][0])).to.equal(true);
              model.delete(sorted[i][0]);
            }
            for (let i = count % 7; i < count + 40; i += 7) {
              tx.bucket(bucket.name).put(sorted[i][0], 'again');
              model.put(sorted[i][0], Buffer.from('again'));
            }
          });
          expectBucket(bucket, model);
        }
        expect((await db.check()).ok).to.equal(true);
      });
    }
  });

  describe('options', () => {
    const invalid: Array<[name: string, options: Record<string, unknown>]> = [
      ['sorted', { sorted: 'yes' }],
      ['onDuplicate', { onDuplicate: 'ignore' }],
      ['commitEvery', { commitEvery: 5 }],
      ['commitEvery.entries', { commitEvery: { entries: 0 } }],
      ['commitEvery.entries', { commitEvery: { entries: 1.5 } }],
      ['commitEvery.bytes', { commitEvery: { bytes: -1 } }],
      ['rows', { commitEvery: { rows: 5 } }],
      ['atomic', { atomic: 1 }],
      ['fillFactor', { fillFactor: 0 }],
      ['fillFactor', { fillFactor: 1.1 }],
      ['fillFactor', { fillFactor: Number.NaN }],
      ['checkpoint', { checkpoint: '' }],
      ['checkpoint', { checkpoint: 1 }],
      ['signal', { signal: {} }],
      ['sortbytes', { sortbytes: 1 }],
    ];
    for (const [name, options] of invalid) {
      it(`refuses ${name}: ${JSON.stringify(Object.values(options)[0])}`, async () => {
        const db = await stores.openMemory();
        const error = raised('INVALID_OPTION', () => db.bucket('b').bulkWriter(options as BulkOptions));
        expect(error.message).to.contain(name);
      });
    }
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
