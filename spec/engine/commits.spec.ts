// What a commit costs: one sync of the log for a small one, shared by those that come together; what a checkpoint
// and a recovery cost.

import os from 'node:os';
import { type Database, StoreError } from 'btree-store';
import { expect } from 'chai';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { LOG_HALF_BYTES } from '../../lib/storage/pending-log.js';
import { numbered, patterned } from '../helpers/bytes.js';
import {
  type CountedStore,
  GatedFile,
  openCounted,
  openCountedOn,
  SparseFile,
} from '../helpers/counted-store.js';
import { rejected } from '../helpers/errors.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

/** Checks the store before it is closed, as every spec does with its stores. */
async function closeChecked({ db }: CountedStore): Promise<void> {
  expect((await db.check()).problems).to.deep.equal([]);
  await db.close();
}

describe('commits', () => {
  const stores = useStores();

  const small: Record<string, (db: Database) => Promise<unknown>> = {
    'a put': (db) => db.bucket('b').put('new', 'value'),
    'a put over a value': (db) => db.bucket('b').put(numbered(5), 'value'),
    'a put of a value in extents': (db) => db.bucket('b').put('large', patterned(10_000, 1)),
    'a delete': (db) => db.bucket('b').delete(numbered(5)),
    'an update': (db) => db.bucket('b').update(numbered(5), 'value'),
    'a bucket made': (db) => db.createBucket('new'),
    'a bucket dropped': (db) => db.dropBucket('b'),
    'a range deleted': (db) => db.write((tx) => tx.bucket('b').deleteRange({ lt: numbered(700) })),
    'a transaction of a thousand puts': (db) => putAll(db, 'c', numberedKeys(1000), (i) => patterned(100, i)),
  };
  for (const [what, commit] of Object.entries(small)) {
    it(`sync once, and nothing but the log: ${what}`, async () => {
      const counted = await openCounted(await stores.path());
      const { db, file, log } = counted;
      await putAll(db, 'b', numberedKeys(1000), (i) => patterned(50, i));
      const isLarge = what.includes('extents');
      for (let i = 0; i < 2; i++) {
        if (i === 1) {
          await db.dropBucket('new');
          await putAll(db, 'b', numberedKeys(1000), (at) => patterned(60, at));
        }
        file.reset();
        log.reset();
        const before = db.stats();
        await commit(db);
        expect(log.syncs, 'syncs of the log').to.equal(1);
        expect(file.syncs, 'syncs of the file').to.equal(0);
        // The pages of a value in extents go to the file beside the log, and need not be there yet.
        expect(file.bytesWritten, 'bytes written to the file').to.equal(isLarge ? 3 * 4096 : 0);
        const after = db.stats();
        expect(after.syncs - before.syncs).to.equal(1);
        expect(after.commits - before.commits).to.equal(1);
        expect(after.checkpoints).to.equal(before.checkpoints);
      }
      await closeChecked(counted);
    });
  }

  it('that change nothing cost nothing', async () => {
    const counted = await openCounted(await stores.path());
    const { db, file, log } = counted;
    await db.bucket('b').put('key', 'value');
    log.reset();
    const { sequence, commits } = db.stats();
    const told: number[] = [];
    db.commits$.subscribe((event) => told.push(event.sequence));
    expect(await db.bucket('b').delete('other')).to.equal(false);
    expect(await db.bucket('b').update('other', 'value')).to.equal(false);
    expect(await db.dropBucket('other')).to.equal(false);
    expect(await db.write((tx) => tx.bucket('b').deleteRange({ gt: 'key' }))).to.equal(0);
    expect(log.syncs + log.writes + file.syncs + file.writes).to.equal(0);
    expect(db.stats()).to.include({ sequence, commits });
    expect(told).to.deep.equal([]);
    await closeChecked(counted);
  });

  it('that come together share a sync', async () => {
    const counted = await openCounted(await stores.path());
    const { db, log } = counted;
    await db.bucket('b').put('first', '1');
    log.reset();
    const { commits } = db.stats();
    const writes = numberedKeys(2000).map((key, i) => db.bucket('b').put(key, patterned(50, i)));
    await Promise.all(writes);
    expect(log.syncs).to.equal(db.stats().commits - commits);
    expect(log.syncs, 'syncs for 2,000 puts').to.be.at.most(3);
    expect(db.bucket('b').range().count()).to.equal(2001);
    await closeChecked(counted);
  });

  describe('that the event loop syncs itself', () => {
    it('cost what others do, and let everyone have a turn between them', async () => {
      const counted = await openCounted(await stores.path(), { syncOn: 'loop' });
      const { db, file, log } = counted;
      await db.bucket('b').put('first', '1');
      file.reset();
      log.reset();
      let turns = 0;
      const counting = setInterval(() => turns++, 0);
      const until = performance.now() + 50;
      let puts = 0;
      while (performance.now() < until) await db.bucket('b').put(numbered(puts++), 'value');
      clearInterval(counting);
      expect([log.syncs, log.syncsOnLoop, file.syncs]).to.deep.equal([puts, puts, 0]);
      expect(turns, 'turns of a timer').to.be.at.least(10);
      await Promise.all(numberedKeys(2000).map((key) => db.bucket('b').put(key, 'together')));
      expect(log.syncsOnLoop - puts, 'syncs for 2,000 puts').to.be.at.most(3);
      await closeChecked(counted);
    });

    it('leave loads and checkpoints to a thread', async () => {
      const counted = await openCounted(await stores.path(), { syncOn: 'loop' });
      const { db, file, log } = counted;
      await putAll(db, 'b', numberedKeys(20_000), (i) => patterned(100, i));
      const load = db.bucket('loaded').bulkWriter();
      for (let i = 0; i < 1000; i++) if (!load.add(numbered(i), 'value')) await load.drained();
      await load.finish();
      await closeChecked(counted);
      expect(file.syncs).to.be.at.least(4);
      expect(file.syncsOnLoop + log.syncsOnLoop).to.equal(0);
    });

    it('fail for good where the sync does', async () => {
      class FailingLog extends MemoryFile {
        isBroken = false;

        override syncSync(): void {
          if (this.isBroken) throw new StoreError('IO_ERROR', 'the disk is gone');
        }
      }
      const log = new FailingLog('log');
      const { db } = await openCountedOn({ file: new MemoryFile(), log }, { syncOn: 'loop' });
      await db.bucket('b').put('key', 'value');
      log.isBroken = true;
      const first = await rejected('IO_ERROR', db.bucket('b').put('key', 'other'));
      expect(db.bucket('b').get('key')?.toString()).to.equal('value');
      log.isBroken = false;
      expect((await rejected('STORE_FAILED', db.bucket('b').put('key', 'third'))).cause).to.equal(first);
      await db.close();
    });
  });

  it('sync nothing without durability, until they are closed', async () => {
    const counted = await openCounted(await stores.path(), { durable: false });
    const { db, file, log } = counted;
    for (let i = 0; i < 100; i++) await db.bucket('b').put(numbered(i), 'value');
    expect(file.syncs + log.syncs).to.equal(0);
    await closeChecked(counted);
    expect(file.syncs).to.be.at.least(2);
    const again = await openCounted(file.path);
    expect(again.db.bucket('b').range().count()).to.equal(100);
    await closeChecked(again);
  });

  it('too large for the log cost a checkpoint: two syncs, and their pages once', async () => {
    const counted = await openCounted(await stores.path());
    const { db, file, log } = counted;
    await putAll(db, 'b', numberedKeys(10), () => 'small');
    file.reset();
    log.reset();
    await putAll(db, 'b', numberedKeys(20_000), (i) => patterned(100, i));
    expect(file.syncs).to.equal(2);
    expect(log.syncs).to.equal(0);
    const { pages } = await db.check();
    const written = file.bytesWritten / 4096;
    expect(written, 'pages written').to.be.at.most(pages.leaf + pages.branch + 6);
    await closeChecked(counted);
  });

  it('go on while a checkpoint is under way', async () => {
    const file = new GatedFile();
    const counted = await openCountedOn({ file, log: new MemoryFile('log') });
    const { db } = counted;
    const put = (i: number): Promise<void> => db.bucket('b').put(numbered(i % 1000), patterned(1000, i));
    file.shut();
    let puts = 0;
    while (!file.isWaiting) await put(puts++);
    expect(puts, 'puts before a checkpoint is due').to.be.within(1000, 10_000);
    expect(db.stats().checkpoints).to.equal(0);
    for (let more = 0; more < 1000; more++) await put(puts++);
    expect(file.isWaiting).to.equal(true);
    for (let i = puts - 1000; i < puts; i++)
      expect(
        db
          .bucket('b')
          .get(numbered(i % 1000))
          ?.equals(patterned(1000, i)),
      ).to.equal(true);
    file.letThrough();
    while (db.stats().checkpoints === 0) await put(puts++);
    await closeChecked(counted);
  });

  it('are done again in less memory than they take, under the sequence of the last', async () => {
    const [file, log] = [new SparseFile(), new MemoryFile('log')];
    const { db, store } = await openCountedOn({ file, log });
    for (let step = 0; step < 3; step++)
      await putAll(db, 'b', numberedKeys(5000).reverse(), (i) => patterned(100, i + step));
    const { sequence } = db.stats();
    await store.abandon();
    const again = await openCountedOn({ file, log }, { dirtyBytesMax: 1 });
    expect(again.opening.bytesWritten, 'bytes written while it was opened').to.be.above(2_000_000);
    expect(again.db.recovery).to.include({ commitsReplayed: 3, sequence });
    expect(again.db.stats().sequence).to.equal(sequence);
    await again.db.bucket('b').put('later', '1');
    await again.store.abandon();
    const last = await openCountedOn({ file, log });
    expect(last.db.recovery.commitsReplayed).to.equal(1);
    expect(last.db.bucket('b').range().count()).to.equal(5001);
    await closeChecked(last);
  });

  it('are done again from a full log in well under a second, in a file of any length', async function () {
    // Not all of its file systems keep files with holes.
    if (os.platform() === 'win32') this.skip();
    const opened: Record<string, { read: number; written: number }> = {};
    for (const [name, pagesBetween] of Object.entries({ short: 0, long: 2_700_000 })) {
      const path = await stores.path();
      const counted = await openCounted(path);
      const reservation = counted.store.reserve();
      for (let pages = 0; pages < pagesBetween; ) pages += reservation.allocateRun(1, 32_000).pages;
      // The entries come after the pages that are never written.
      await putAll(counted.db, 'b', numberedKeys(20_000), (i) => patterned(100, i));
      reservation.abandon();
      await counted.store.checkpointNow();
      // Ten puts a commit, until just before a checkpoint is due. What is synced here does not matter.
      counted.log.sync = async () => undefined;
      const full = counted.db.stats().bytesWritten + LOG_HALF_BYTES / 2 - 2000;
      let commits = 0;
      for (; counted.db.stats().bytesWritten < full; commits++) {
        await Promise.all(
          Array.from({ length: 10 }, (_, i) =>
            counted.db
              .bucket('b')
              .put(numbered(((commits * 10 + i) * 7919) % 20_000), patterned(50, commits)),
          ),
        );
      }
      // As a kill would leave it.
      await counted.store.abandon();
      const before = process.cpuUsage();
      const again = await openCounted(path);
      const { user, system } = process.cpuUsage(before);
      expect(again.db.recovery.commitsReplayed).to.equal(commits).and.be.greaterThan(4000);
      expect(user + system, 'microseconds of work').to.be.below(1_000_000);
      expect(again.db.stats().pages).to.be.within(pagesBetween, 1.02 * pagesBetween + 3000);
      expect(again.db.bucket('b').range().count()).to.equal(20_000);
      opened[name] = { read: again.opening.bytesRead, written: again.opening.bytesWritten };
      await closeChecked(again);
    }
    // Some maps of free space more.
    expect(opened.long.read).to.be.below(1.1 * opened.short.read);
    expect(opened.long.written).to.be.below(1.1 * opened.short.written);
  });
});
