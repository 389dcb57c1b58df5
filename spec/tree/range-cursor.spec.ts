// lib/tree/range-cursor.ts: what scans of a store that is larger than the cache ask of the file.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Database, StoreError } from 'btree-store';
import { expect } from 'chai';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { type CountedStore, openCounted, openCountedOn } from '../helpers/counted-store.js';
import { numberedKeys } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

const PAGE = 4096;
const ENTRIES = 60_000;
const SCANS = 30;

/** A file of which asynchronous reads that begin while it is shut wait until they are let through. */
class GatedReads extends MemoryFile {
  private gate: Promise<void> | undefined;
  private open: () => void = () => undefined;

  shut(): void {
    this.gate = new Promise((resolve) => {
      this.open = resolve;
    });
  }

  /** Has reads that begin from now on go on, and those that wait wait on. */
  unlock(): void {
    this.gate = undefined;
  }

  letThrough(): void {
    this.open();
  }

  override async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    await this.gate;
    return super.read(target, offset, length, position);
  }

  override async readMany(targets: readonly Buffer[], position: number): Promise<number> {
    await this.gate;
    return super.readMany(targets, position);
  }
}

describe('a scan that waits for the disk', () => {
  const LOADED = 20_000;

  async function load(db: Database, round: number): Promise<void> {
    const writer = db.bucket('b').bulkWriter({ sorted: true });
    for (const key of numberedKeys(LOADED))
      if (!writer.add(key, Buffer.alloc(100, round))) await writer.drained();
    await writer.finish();
  }

  type Range = ReturnType<ReturnType<Database['bucket']>['range']>;
  const ways: Array<[what: string, steps: (range: Range) => AsyncIterator<unknown>]> = [
    ['entries', (range) => range[Symbol.asyncIterator]()],
    ['batches', (range) => range.batches()[Symbol.asyncIterator]()],
  ];
  for (const [what, steps] of ways)
    for (const end of ['return', 'a signal'])
      it(`is over when it is ended by ${end}, whatever becomes of its pages: ${what}`, async () => {
        const file = new GatedReads();
        const bounds = { cacheBytesMax: 64 * PAGE, dirtyBytesMax: 64 * PAGE };
        const { db } = await openCountedOn({ file, log: new MemoryFile('log') }, bounds);
        await load(db, 0);
        for (let round = 1; round < 6; round++) {
          const stop = new AbortController();
          const from = numberedKeys(LOADED)[round * 2000];
          const steppingOn = steps(db.bucket('b').range({ gte: from, signal: stop.signal }));
          file.shut();
          let step = steppingOn.next();
          const isWaiting = (): Promise<boolean> =>
            Promise.race([step.then(() => false), nextTurn().then(() => true)]);
          while (!(await isWaiting())) step = steppingOn.next();
          const outcome = step.then(
            ({ done }) => (done === true ? 'over' : 'an entry'),
            (error: unknown) => (error instanceof StoreError ? error.code : String(error)),
          );
          file.unlock();
          if (end === 'return') await steppingOn.return?.();
          else stop.abort();
          for (let again = 0; again < 2; again++) await load(db, round);
          file.letThrough();
          expect(await outcome).to.equal(end === 'return' ? 'over' : 'ABORTED');
        }
        expect((await db.check()).problems).to.deep.equal([]);
        await db.close();
      });
});

describe('scans of more than the cache holds', () => {
  const stores = useStores();

  async function larger(): Promise<CountedStore> {
    const counted = await openCounted(await stores.path(), { cacheBytesMax: 1024 * PAGE });
    const load = counted.db.bucket('b').bulkWriter({ sorted: true });
    const value = Buffer.alloc(100);
    for (const key of numberedKeys(ENTRIES)) if (!load.add(key, value)) await load.drained();
    await load.finish();
    return counted;
  }

  /** Pages that were read, on the event loop and in all, and those of them that nobody needed. */
  async function pagesOf({ db, file }: CountedStore, scan: () => Promise<number>): Promise<number[]> {
    file.reset();
    const before = db.stats().pagesRead;
    for (let i = 0; i < SCANS; i++) expect(await scan()).to.equal(ENTRIES);
    const read = file.bytesRead / PAGE;
    return [read, file.bytesReadSync / PAGE, read - (db.stats().pagesRead - before)];
  }

  for (const reverse of [false, true]) {
    it(`read no page for nothing, and few on the event loop, in async steps${reverse ? ', backwards' : ''}`, async () => {
      const counted = await larger();
      const range = counted.db.bucket('b').range({ reverse });
      const [read, sync, twice] = await pagesOf(counted, async () => {
        let entries = 0;
        for await (const _entry of range) entries++;
        return entries;
      });
      const { leaf, branch } = (await counted.db.check()).pages;
      expect(leaf + branch).to.be.within(1500, 3000);
      expect(read / SCANS, 'pages a scan').to.be.below(leaf);
      expect(twice, 'pages that were there already').to.be.below(0.01 * read);
      // The first leaf and the way to it, and now and then a branch that was given up.
      expect(sync / SCANS, 'pages read on the event loop, a scan').to.be.below(4);
      await counted.db.close();
    });

    it(`read no page for nothing in sync steps${reverse ? ', backwards' : ''}`, async () => {
      const counted = await larger();
      const range = counted.db.bucket('b').range({ reverse });
      const [read, , twice] = await pagesOf(counted, async () => {
        let entries = 0;
        for (const _entry of range) entries++;
        return entries;
      });
      const { leaf } = (await counted.db.check()).pages;
      expect(read / SCANS, 'pages a scan').to.be.below(leaf);
      expect(twice).to.equal(0);
      await counted.db.close();
    });
  }
});
