// lib/sorting-sink.ts: however an unsorted load ends, what was committed stays and no file does.

import fs from 'node:fs';
import path from 'node:path';
import type { Bucket, BulkOptions, BulkReport, Database } from 'btree-store';
import { expect } from 'chai';
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
import { Child } from './helpers/child.js';
import { rejected } from './helpers/errors.js';
import { expectBucket, load, modelOf, pairs } from './helpers/loads.js';
import { useStores } from './helpers/store.js';
import { addAll, LEAST, many, runFiles } from './helpers/unsorted-loads.js';

describe('unsorted loads', () => {
  const stores = useStores();

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
