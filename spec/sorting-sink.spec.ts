import type { BulkOptions, BulkPhase } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { numbered, patterned } from './helpers/bytes.js';
import { rejected } from './helpers/errors.js';
import { expectBucket, load, modelOf, type Pair, pairs, shuffled } from './helpers/loads.js';
import { scaledMilliseconds, seeded } from './helpers/seed.js';
import { useStores } from './helpers/store.js';
import { addAll, LEAST, many, random, runFiles } from './helpers/unsorted-loads.js';

describe('unsorted loads', () => {
  const stores = useStores();

  it('end as a map does, whatever comes, wherever they commit', async function () {
    this.timeout(scaledMilliseconds(240_000));
    const entry = fc.record({
      index: fc.nat(150),
      length: fc.oneof(
        { weight: 8, arbitrary: fc.nat(60) },
        { weight: 8, arbitrary: fc.constantFrom(2000, 3000, 4000) },
        { weight: 1, arbitrary: fc.constantFrom(16_384, 16_385, 40_000, 300_000) },
      ),
    });
    const part = fc.record({
      entries: fc.array(entry, { maxLength: 250, size: 'max' }),
      ascends: fc.boolean(),
    });
    const options = fc.record({
      sorted: fc.constantFrom(false, 'auto' as const),
      onDuplicate: fc.constantFrom('replace' as const, 'keep' as const),
      commitEvery: fc.constantFrom({ entries: 10 }, { entries: 100 }, { bytes: 100_000 }, undefined),
      atomic: fc.boolean(),
    });
    await fc.assert(
      fc
        .asyncProperty(
          fc.array(entry, { maxLength: 40 }),
          fc.array(part, { minLength: 1, maxLength: 4 }),
          options,
          async (held, parts, { sorted, onDuplicate, commitEvery, atomic }) => {
            const db = await stores.open({ cacheBytes: 1 });
            let salt = 0;
            const toPairs = (shapes: typeof held): Pair[] =>
              shapes.map(({ index, length }): Pair => [numbered(index), patterned(length, salt++)]);
            const before = toPairs(held);
            await load(db.bucket('b'), before);
            const model = modelOf(before);
            const writer = db
              .bucket('b')
              .bulkWriter({ sorted, onDuplicate, commitEvery, atomic, sortBytes: LEAST });
            let count = 0;
            let duplicates = 0;
            for (const { entries, ascends } of parts) {
              const shapes = ascends ? [...entries].sort((a, b) => a.index - b.index) : entries;
              const input = toPairs(shapes);
              for (const [key, value] of input) {
                const isThere = model.get(key) !== undefined;
                if (isThere) duplicates++;
                if (!isThere || onDuplicate === 'replace') model.put(key, Buffer.from(value));
              }
              count += input.length;
              await addAll(writer, input);
              if (atomic) continue;
              await writer.commit();
              expectBucket(db.bucket('b'), model);
              expect(writer.report().entriesCommitted).to.equal(count);
            }
            const report = await writer.finish();
            expectBucket(db.bucket('b'), model);
            expect(report).to.include({ entries: count, entriesCommitted: count, duplicates });
            expect(runFiles(db)).to.deep.equal([]);
            await stores.close(db);
          },
        )
        .afterEach(() => stores.abandon()),
      seeded(40),
    );
  });

  describe("sorted: 'auto'", () => {
    for (const [onDuplicate, key] of [
      ['replace', numbered(0)],
      ['keep', numbered(0)],
      ['replace', 'a, the least of all'],
    ] as const) {
      it(`falls over at every place and loses nothing: ${onDuplicate}, ${key}`, async () => {
        const db = await stores.openMemory();
        for (let at = 1; at <= 40; at++) {
          const input = [...pairs(0, at), [key, 'out of order'] as const, ...pairs(at, 40)];
          const bucket = db.bucket(`b${at}`);
          const report = await load(bucket, input, { onDuplicate, commitEvery: { entries: 7 } });
          const kept = onDuplicate === 'keep' ? input.filter((_, i) => i !== at) : input;
          expectBucket(bucket, modelOf(kept));
          expect(report).to.include({
            // A key that comes twice in a row is no step back.
            sorted: key === numbered(0) && at === 1,
            entries: 41,
            entriesCommitted: 41,
            duplicates: key === numbered(0) ? 1 : 0,
          });
        }
      });
    }

    it("finds with 'error' what it has put into the bucket itself", async () => {
      const db = await stores.openMemory();
      const input = [...pairs(0, 40), ...pairs(3, 4)];
      const options: BulkOptions = { onDuplicate: 'error', commitEvery: { entries: 7 } };
      const error = await rejected('DUPLICATE_KEY', load(db.bucket('b'), input, options));
      expect(error.details).to.deep.equal({ key: Buffer.from(numbered(3)) });
    });

    it('puts ascending entries into the bucket as they come, and commits them before it sorts', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ commitEvery: { entries: 1000 }, sortBytes: LEAST });
      await addAll(writer, pairs(0, 2500));
      expect(writer.report()).to.include({ phase: 'loading', sorted: true, entriesCommitted: 2000 });
      await addAll(writer, [...pairs(100, 101, 5), ...pairs(2500, 4000, 0, 2000)]);
      expect(writer.report().phase).to.equal('sorting');
      const { entriesCommitted } = writer.report();
      expect(entriesCommitted).to.be.within(2000, 2500);
      expect(db.bucket('b').range().count()).to.equal(entriesCommitted);
      expect(runFiles(db).length).to.equal(1);
      const report = await writer.finish();
      expect(report).to.include({ phase: 'merging', sorted: false, entriesCommitted: 4001, duplicates: 1 });
      expectBucket(db.bucket('b'), modelOf(pairs(0, 2500), pairs(100, 101, 5), pairs(2500, 4000, 0, 2000)));
    });

    it('keeps what is atomic to itself when it falls over', async () => {
      const db = await stores.open();
      await load(db.bucket('b'), pairs(0, 10));
      const writer = db.bucket('b').bulkWriter({ atomic: true, sortBytes: LEAST });
      await addAll(writer, [...pairs(10, 5000), ...many(3)]);
      expect(writer.report()).to.include({ phase: 'sorting', commits: 0 });
      expectBucket(db.bucket('b'), modelOf(pairs(0, 10)));
      expect(await writer.finish()).to.include({ commits: 1, entriesCommitted: 5990 });
      expectBucket(db.bucket('b'), modelOf(pairs(0, 5000), pairs(0, 1000, 3, 2000)));
    });
  });

  describe('sorted: false', () => {
    it('reports whether there was something to sort', async () => {
      const db = await stores.openMemory();
      expect((await load(db.bucket('a'), pairs(0, 9000), { sorted: false })).sorted).to.equal(true);
      expect((await load(db.bucket('b'), shuffled(pairs(0, 9000)), { sorted: false })).sorted).to.equal(
        false,
      );
    });

    it('commits as often as asked while it merges, and nothing before', async () => {
      for (const sortBytes of [LEAST, 64 << 20]) {
        const db = await stores.open();
        const counts: number[] = [];
        db.commits$.subscribe(() => counts.push(db.bucket('b').range().count()));
        const writer = db.bucket('b').bulkWriter({ sorted: false, sortBytes, commitEvery: { entries: 300 } });
        await addAll(writer, many());
        expect(counts).to.deep.equal([]);
        await writer.finish();
        expect(counts).to.deep.equal([300, 600, 900, 1000]);
        expectBucket(db.bucket('b'), modelOf(pairs(0, 1000, 0, 2000)));
      }
    });

    it('commits in the middle, with a position, and goes on', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ sorted: false, checkpoint: 'c', sortBytes: LEAST });
      await addAll(writer, many(1).slice(0, 600));
      await writer.commit({ line: 600 });
      expect(db.bucket('b').bulkCheckpoint('c')).to.deep.equal({ line: 600 });
      expect(db.bucket('b').range().count()).to.equal(600);
      expect(runFiles(db)).to.deep.equal([]);
      await addAll(writer, many(2));
      expect(runFiles(db).length).to.be.above(0);
      expect(db.bucket('b').range().count()).to.equal(600);
      await writer.commit({ line: 1600 });
      expect(db.bucket('b').bulkCheckpoint('c')).to.deep.equal({ line: 1600 });
      await addAll(writer, [['last', 'one']]);
      const report = await writer.finish();
      expect(report).to.include({ entries: 1601, entriesCommitted: 1601, duplicates: 600, commits: 3 });
      expectBucket(db.bucket('b'), modelOf(pairs(0, 1000, 2, 2000), [['last', 'one']]));
    });

    it('merges nothing for a position that cannot be saved', async () => {
      const db = await stores.open();
      const writer = db
        .bucket('b')
        .bulkWriter({ sorted: false, sortBytes: LEAST, commitEvery: { entries: 10 } });
      await addAll(writer, many());
      await rejected('INVALID_OPTION', writer.commit(1));
      await rejected('INVALID_OPTION', writer.finish());
      expect(db.bucket('b').range().count()).to.equal(0);
      expect(runFiles(db)).to.deep.equal([]);
    });

    it('atomic: shows nothing before its end, and refuses to commit before', async () => {
      const db = await stores.open();
      await load(db.bucket('b'), pairs(0, 10));
      const writer = db.bucket('b').bulkWriter({ sorted: false, atomic: true, sortBytes: LEAST });
      let commits = 0;
      db.commits$.subscribe(() => commits++);
      await addAll(writer, many(9));
      expectBucket(db.bucket('b'), modelOf(pairs(0, 10)));
      expect(await writer.finish()).to.include({ commits: 1, duplicates: 10 });
      expect(commits).to.equal(1);
      expectBucket(db.bucket('b'), modelOf(pairs(0, 1000, 9, 2000)));
      const other = db.bucket('b').bulkWriter({ sorted: false, atomic: true, sortBytes: LEAST });
      await addAll(other, many(4));
      await rejected('INVALID_OPTION', other.commit());
      expectBucket(db.bucket('b'), modelOf(pairs(0, 1000, 9, 2000)));
      expect(runFiles(db)).to.deep.equal([]);
    });

    const KiB = 1024;
    for (const [sortBytes, length] of [
      [260 * KiB, 10],
      [264 * KiB, 120],
      [300_000, 400],
      [320 * KiB, 60],
      [4096 * KiB + 64 * KiB, 2000],
    ]) {
      it(`keeps to its memory where that is a little more than it begins with: ${sortBytes} bytes`, async () => {
        const db = await stores.openMemory();
        // More than the memory holds, by a little and by some runs.
        for (const share of [1.05, 3]) {
          const entries = pairs(0, Math.ceil((share * sortBytes) / (length + 16)), share, length);
          await load(db.bucket(`${share}`), shuffled(entries), { sorted: false, sortBytes });
          expectBucket(db.bucket(`${share}`), modelOf(entries));
        }
      });
    }

    it('takes values that are longer than its memory', async () => {
      const db = await stores.open();
      const input = [5, 3, 9, 3, 1, 5].map((n, i): Pair => [numbered(n), patterned(1_000_000 + i, i)]);
      const report = await load(db.bucket('b'), input, { sorted: false, sortBytes: LEAST });
      expect(report.duplicates).to.equal(2);
      expectBucket(db.bucket('b'), modelOf(input));
    });

    it('takes keys and values of no bytes, and keys of all that a page size allows', async () => {
      for (const [pageSize, longest] of [
        [4096, 1024],
        [65536, 16384],
      ] as const) {
        const db = await stores.open({ pageSize });
        const input = Array.from(
          { length: 300 },
          (_, i): Pair => [
            'k'.repeat(((i * 7) % 300) * Math.floor(longest / 299)) + (i % 2 === 0 ? '' : '\0'),
            i % 3 === 0 ? '' : patterned(1000, i),
          ],
        );
        input.push(['k'.repeat(longest), ''], ['', 'the empty key']);
        await load(
          db.bucket('b'),
          input.filter(([key]) => key.length <= longest),
          { sorted: false, sortBytes: LEAST },
        );
        expectBucket(db.bucket('b'), modelOf(input.filter(([key]) => key.length <= longest)));
      }
    });
  });

  it('hold no transaction while they sort: other writers have their turn', async () => {
    const db = await stores.open();
    for (const sorted of [false, 'auto'] as const) {
      const writer = db.bucket('b').bulkWriter({ sorted, sortBytes: LEAST });
      const input = many();
      for (let i = 0; i < input.length; i += 100) {
        await addAll(writer, input.slice(i, i + 100));
        const transaction = await db.begin({ waitMilliseconds: 0 });
        transaction.bucket('other').put(numbered(i), 'in between');
        await transaction.commit();
      }
      await writer.finish();
      expect(db.bucket('other').range().count()).to.equal(10);
      expectBucket(db.bucket('b'), modelOf(pairs(0, 1000, 0, 2000)));
    }
  });

  describe('tell progress', () => {
    it('in every phase, also in a merge that nothing is added to any more', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ sortBytes: LEAST, commitEvery: { entries: 50 } });
      const phases: BulkPhase[] = [];
      const merging: number[] = [];
      let completed = false;
      writer.progress$.subscribe({
        next: ({ phase, entriesCommitted }) => {
          if (phases.at(-1) !== phase) phases.push(phase);
          if (phase === 'merging') merging.push(entriesCommitted);
        },
        complete: () => {
          completed = true;
        },
      });
      await addAll(writer, pairs(0, 6000));
      await new Promise((resolve) => setTimeout(resolve, 110));
      await addAll(writer, random.shuffle(pairs(0, 6000, 1, 2000)));
      await writer.finish();
      expect(phases).to.deep.equal(['loading', 'sorting', 'merging']);
      expect(merging.length).to.be.above(1);
      expect(merging.at(-1)).to.equal(12_000);
      expect(completed).to.equal(true);
    });
  });
});
