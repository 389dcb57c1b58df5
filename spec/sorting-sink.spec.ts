// lib/sorting-sink.ts: unsorted loads as a whole. What is sorted when, who waits for whom, what is committed, and
// that nothing is left beside the store, however a load ends.

import fs from 'node:fs';
import path from 'node:path';
import type { Bucket, BulkOptions, BulkPhase, BulkReport, Database } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { bulkSettings } from '../lib/bulk-options.js';
import { StoreDatabase } from '../lib/database.js';
import { recover } from '../lib/recover.js';
import { type SinkFiles, SortingSink } from '../lib/sorting-sink.js';
import { fileError, type StoreFile } from '../lib/storage/store-file.js';
import { openStore } from '../lib/storage/store-open.js';
import { TemporaryFiles } from '../lib/storage/temporary-files.js';
import { StoreWriter } from '../lib/store-writer.js';
import { BulkWriter } from '../lib/stream/bulk-writer.js';
import { TreeBulkSink } from '../lib/tree-bulk-sink.js';
import { numbered, patterned } from './helpers/bytes.js';
import { Child } from './helpers/child.js';
import { rejected } from './helpers/errors.js';
import { expectBucket, load, modelOf, type Pair, pairs, shuffled } from './helpers/loads.js';
import { Random } from './helpers/random.js';
import { scaledMilliseconds, seed, seeded } from './helpers/seed.js';
import { useStores } from './helpers/store.js';

/** The least memory there is: 256 KiB, of which about a hundred entries of two kilobytes are a run. */
const LEAST = 1;

/** The temporary files beside a store. */
function runFiles(db: Database): string[] {
  const name = `${path.basename(db.path)}.sort-`;
  return fs.readdirSync(path.dirname(db.path)).filter((file) => file.startsWith(name));
}

async function addAll(writer: BulkWriter, entries: Iterable<Pair>): Promise<void> {
  for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
  await writer.drained();
}

const random = Random.of(seed, 73);
/** Two megabytes, shuffled: a score of runs, merged in three passes. */
const many = (salt = 0): Pair[] => random.shuffle(pairs(0, 1000, salt, 2000));

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

  describe('that end early', () => {
    const phases: Array<[phase: string, run: (db: Database, writer: BulkWriter) => Promise<void>]> = [
      ['while entries go in', (_db, writer) => addAll(writer, pairs(0, 5000))],
      ['while entries are sorted', (_db, writer) => addAll(writer, many())],
      [
        'while runs are merged',
        async (db, writer) => {
          await addAll(writer, many());
          const committed = new Promise((resolve) => db.commits$.subscribe(resolve));
          writer.finish().catch(() => undefined);
          await committed;
        },
      ],
    ];
    const options: BulkOptions = { sortBytes: LEAST, commitEvery: { entries: 100 } };

    for (const [phase, run] of phases) {
      it(`by destroy, ${phase}: what was committed stays, no file does`, async () => {
        const db = await stores.open();
        const writer = db.bucket('b').bulkWriter(options);
        await run(db, writer);
        writer.destroy();
        await new Promise((resolve) => writer.once('close', resolve));
        expect(runFiles(db)).to.deep.equal([]);
        const count = db.bucket('b').range().count();
        expect(count).to.equal(writer.report().entriesCommitted);
        expect(count % 100).to.equal(0);
        if (phase === 'while runs are merged') expect(count).to.be.within(100, 900);
        await load(db.bucket('b'), many(), options);
      });

      it(`by their signal, ${phase}: all that was taken is committed`, async () => {
        const db = await stores.open();
        const controller = new AbortController();
        const writer = db.bucket('b').bulkWriter({ ...options, signal: controller.signal });
        writer.on('error', () => undefined);
        await run(db, writer);
        controller.abort();
        await new Promise((resolve) => writer.once('close', resolve));
        expect(runFiles(db)).to.deep.equal([]);
        expect(writer.report().entriesCommitted).to.equal(writer.report().entries);
        expectBucket(
          db.bucket('b'),
          modelOf(phase === 'while entries go in' ? pairs(0, 5000) : pairs(0, 1000, 0, 2000)),
        );
      });
    }

    for (const moment of ['while entries are sorted', 'while runs are merged']) {
      it(`by their signal, atomic, ${moment}: nothing of it is there`, async () => {
        const db = await stores.open();
        await load(db.bucket('b'), pairs(0, 10));
        const controller = new AbortController();
        const writer = db
          .bucket('b')
          .bulkWriter({ atomic: true, sorted: false, sortBytes: LEAST, signal: controller.signal });
        await addAll(writer, many());
        const finished = moment === 'while runs are merged' ? writer.finish() : undefined;
        if (finished !== undefined) await new Promise((resolve) => setImmediate(resolve));
        controller.abort();
        await rejected('ABORTED', finished ?? writer.finish());
        expect(runFiles(db)).to.deep.equal([]);
        expectBucket(db.bucket('b'), modelOf(pairs(0, 10)));
      });
    }

    it('by their signal while another transaction is open: all is committed in its turn', async () => {
      const db = await stores.open();
      const controller = new AbortController();
      const writer = db.bucket('b').bulkWriter({ ...options, sorted: false, signal: controller.signal });
      writer.on('error', () => undefined);
      await addAll(writer, many());
      const other = await db.begin();
      controller.abort();
      const closed = new Promise((resolve) => writer.once('close', resolve));
      await new Promise((resolve) => setTimeout(resolve, 20));
      // Writers that stand in line get their turn between the commits of the merge.
      const later = Array.from({ length: 5 }, () => db.bucket('other').put('k', 'v'));
      await other.commit();
      await Promise.all([closed, ...later]);
      expectBucket(db.bucket('b'), modelOf(pairs(0, 1000, 0, 2000)));
      expect(writer.report().commits).to.equal(10);
    });

    it('by destroy while they wait for another transaction: at once', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ ...options, sorted: false });
      await addAll(writer, many());
      const other = await db.begin();
      writer.finish().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(writer.report().phase).to.equal('merging');
      writer.destroy();
      await new Promise((resolve) => writer.once('close', resolve));
      expect(runFiles(db)).to.deep.equal([]);
      await other.rollback();
      expect(db.bucket('b').range().count()).to.equal(0);
    });

    for (const [what, commitEvery] of [
      ['with a block that is not full', undefined],
      ['with none', { entries: 1000 }],
    ] as const) {
      it(`because the store is closed, ${what}: their files go with it`, async () => {
        const db = await stores.open();
        const writer = db.bucket('b').bulkWriter({ sorted: false, sortBytes: LEAST, commitEvery });
        await addAll(writer, many());
        expect(runFiles(db).length).to.equal(1);
        await stores.close(db);
        expect(runFiles(db)).to.deep.equal([]);
        await rejected('STORE_CLOSED', writer.finish());
        const again = await stores.openAt(db.path);
        expect(again.recovery.clean).to.equal(true);
        expect(again.bucket('b').range().count()).to.equal(0);
      });
    }

    it('because the store is closed while they merge', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ ...options, sorted: false });
      await addAll(writer, many());
      const committed = new Promise((resolve) => db.commits$.subscribe(resolve));
      const finished = rejected('STORE_CLOSED', writer.finish());
      await committed;
      stores.forget(db);
      await db.close();
      await finished;
      expect(runFiles(db)).to.deep.equal([]);
      const again = await stores.openAt(db.path);
      expect(again.bucket('b').range().count()).to.equal(writer.report().entriesCommitted);
    });

    it('because a run was damaged: nothing wrong goes in', async () => {
      const db = await stores.open();
      await load(db.bucket('b'), pairs(2000, 2010));
      const writer = db.bucket('b').bulkWriter({ ...options, sorted: false });
      await addAll(writer, many());
      const [name] = runFiles(db);
      const file = path.join(path.dirname(db.path), name);
      const bytes = fs.readFileSync(file);
      bytes[Math.floor(bytes.length / 2) + 5000] ^= 4;
      fs.writeFileSync(file, bytes);
      const error = await rejected('RUN_CORRUPT', writer.finish());
      expect(error.message).to.contain(file);
      expect(runFiles(db)).to.deep.equal([]);
      expectBucket(db.bucket('b'), modelOf(pairs(2000, 2010)));
    });

    it('because a process was killed: the next one to write clears up', async () => {
      const file = await stores.path();
      const child = new Child('child-sorter.ts', [file]);
      expect(await child.line()).to.equal('sorting');
      await child.kill();
      const folder = path.dirname(file);
      const leftover = (): string[] => fs.readdirSync(folder).filter((name) => name.includes('.sort-'));
      expect(leftover().length).to.equal(1);
      const mine = path.join(folder, `${path.basename(file)}.sort-mine`);
      fs.writeFileSync(mine, 'not a run');
      const reader = await stores.openAt(file, { readOnly: true });
      expect(leftover().length, 'a reader changes nothing').to.equal(2);
      await stores.close(reader);
      const db = await stores.openAt(file);
      expect(leftover()).to.deep.equal([path.basename(mine)]);
      expect(db.recovery.clean).to.equal(false);
      expectBucket(db.bucket('b'), modelOf([['before', 'stays']]));
      fs.rmSync(mine);
    });
  });

  describe('where a disk refuses', () => {
    /** Temporary files of which one write, counted over all, fails. */
    class FailingFiles implements SinkFiles {
      constructor(
        private readonly files: TemporaryFiles,
        private left: number,
        private readonly code: string,
      ) {}

      create(): StoreFile {
        const file = this.files.create();
        const { write } = file;
        file.write = async (...args) => {
          const cause = Object.assign(new Error('as the system says it'), { code: this.code });
          if (this.left-- === 0) throw fileError('write', file.path, cause);
          return write.apply(file, args);
        };
        return file;
      }

      remove(file: StoreFile): Promise<void> {
        return this.files.remove(file);
      }

      forsake(): void {
        this.files.forsake();
      }
    }

    async function loadInto(
      file: string,
      failAt: number,
      code: string,
      more: BulkOptions,
    ): Promise<{ db: Database; bucket: Bucket; loaded: Promise<BulkReport>; writer: BulkWriter }> {
      const opened = await openStore(file, {
        readOnly: false,
        create: true,
        durable: true,
        pageSize: 4096,
        cacheBytesMax: 1 << 20,
        dirtyBytesMax: 1 << 20,
      });
      await recover(opened);
      const db = new StoreDatabase(opened.store, opened.recovery);
      await load(db.bucket('b'), pairs(5000, 5010));
      const turns = new StoreWriter(opened.store);
      const settings = bulkSettings({ sortBytes: LEAST, ...more });
      const files = new FailingFiles(new TemporaryFiles(file), failAt, code);
      const writer = new BulkWriter(
        new SortingSink(turns, settings, files, (inner) => new TreeBulkSink(turns, 'b', inner)),
        () => undefined,
        settings,
      );
      const run = async (): Promise<BulkReport> => {
        await addAll(writer, [...pairs(6000, 6000 + (settings.sorted === 'auto' ? 20_000 : 0)), ...many()]);
        return writer.finish();
      };
      return { db, bucket: db.bucket('b'), loaded: run(), writer };
    }

    for (const [code, expected] of [
      ['ENOSPC', 'DISK_FULL'],
      ['EDQUOT', 'DISK_FULL'],
      ['EIO', 'IO_ERROR'],
    ] as const) {
      for (const sorted of [false, 'auto'] as const) {
        it(`with ${code}, at any write, raises ${expected}; sorted: ${sorted}`, async () => {
          let failed = 0;
          for (let failAt = 0; ; failAt += 9) {
            const file = await stores.path();
            const { db, bucket, loaded, writer } = await loadInto(file, failAt, code, { sorted });
            const outcome = await loaded.then(
              () => undefined,
              (error: unknown) => error,
            );
            expect(runFiles(db)).to.deep.equal([]);
            if (outcome === undefined) {
              await db.close();
              break;
            }
            failed++;
            const error = await rejected(expected, loaded);
            expect(error.cause).to.include({ code });
            expect(error.details.path).to.match(/\.sort-[0-9a-f]{16}$/);
            // What went in before it fell over was committed then, and stays.
            const committed = writer.report().entriesCommitted;
            expect(committed).to.be.at.least(sorted === 'auto' ? 1000 : 0);
            expectBucket(bucket, modelOf(pairs(5000, 5010), pairs(6000, 6000 + committed)));
            await db.bucket('b').put('after', 'goes in');
            expect((await db.check()).ok).to.equal(true);
            await db.close();
          }
          expect(failed).to.be.above(3);
        });
      }
    }
  });
});
