// lib/storage/checkpointer.ts, checkpoint.ts and store.ts: what goes on beside a checkpoint must not disturb it.

import { finished } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import type { Entry } from '../../lib/options.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { patterned } from '../helpers/bytes.js';
import { raised, rejected } from '../helpers/errors.js';
import { bytesOf, fileOf, openBytes, openFile, openFileStore } from '../helpers/store-bytes.js';

type Call = 'write' | 'sync' | 'truncate';

/** A file whose asynchronous calls stop before they do anything, until they are told to go on. */
class StoppingFile extends MemoryFile {
  stopAt: Call | undefined;
  truncates = 0;
  private reached: (() => void) | undefined;
  private goOn: (() => void) | undefined;

  /** Resolves when a call of the kind has stopped. */
  stopped(call: Call): Promise<void> {
    this.stopAt = call;
    return new Promise((resolve) => {
      this.reached = resolve;
    });
  }

  release(): void {
    this.stopAt = undefined;
    this.goOn?.();
  }

  private async pass(call: Call): Promise<void> {
    if (this.stopAt !== call) return;
    this.stopAt = undefined;
    await new Promise<void>((resolve) => {
      this.goOn = resolve;
      this.reached?.();
    });
  }

  override async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    await this.pass('write');
    this.writeSync(source, offset, length, position);
  }

  override async sync(): Promise<void> {
    await this.pass('sync');
  }

  override async truncate(size: number): Promise<void> {
    this.truncates++;
    const resized = super.truncate(size);
    await this.pass('truncate');
    await resized;
  }
}

const keyOf = (index: number): string => `key ${String(index).padStart(5, '0')}`;

async function fill(db: StoreDatabase, from: number, to: number, salt: number): Promise<void> {
  await db.write((tx) => {
    for (let i = from; i < to; i++) tx.bucket('b').put(keyOf(i), patterned(300, salt + i));
  });
}

function expectFilled(db: StoreDatabase, from: number, to: number, salt: number): void {
  for (let i = from; i < to; i++)
    expect(
      db
        .bucket('b')
        .get(keyOf(i))
        ?.equals(patterned(300, salt + i)),
      keyOf(i),
    ).to.equal(true);
}

describe('checkpoint', () => {
  for (const call of ['write', 'sync'] as const) {
    it(`goes on while the last reader of pages that it ${call}s lets go of them`, async () => {
      const file = new StoppingFile();
      const { store, recovery } = await openFileStore(file, { durable: false });
      const db = new StoreDatabase(store, recovery);
      await fill(db, 0, 100, 1);
      const snapshot = db.snapshot();
      await fill(db, 0, 100, 2);
      const stopped = file.stopped(call);
      const closed = db.close();
      await stopped;
      // The pages of the first commit are in memory only; now nobody needs them any more.
      snapshot.release();
      file.release();
      await closed;
      expect(store.pager.cache.dirtyFrames, 'dirty pages after a checkpoint').to.equal(0);
      const again = await openBytes(bytesOf(file));
      expectFilled(again, 0, 100, 2);
      expect((await again.check()).problems).to.deep.equal([]);
      await again.close();
    });
  }

  it('keeps what it is writing from others, though its last reader lets go of it', async () => {
    const file = new StoppingFile();
    const db = await openFile(file, { durable: false });
    await fill(db, 0, 300, 1);
    const snapshot = db.snapshot();
    const stopped = file.stopped('write');
    // More than half of the pages that may be changed in memory: a checkpoint begins by itself.
    await fill(db, 0, 300, 2);
    await stopped;
    snapshot.release();
    // More pages than memory may hold, so they go to the file while the checkpoint's own write is under way.
    await fill(db, 300, 2500, 3);
    file.release();
    await db.close();
    const again = await openBytes(bytesOf(file));
    expectFilled(again, 0, 300, 2);
    expectFilled(again, 300, 2500, 3);
    expect((await again.check()).problems).to.deep.equal([]);
    await again.close();
  });

  it('has none of its pages written again by a transaction beside it', async () => {
    /** Remembers which pages were written while it is asked to. */
    class WatchedFile extends StoppingFile {
      written: number[] | undefined;

      override writeSync(source: Buffer, offset: number, length: number, position: number): void {
        for (let at = position; at < position + length; at += 4096) this.written?.push(at / 4096);
        super.writeSync(source, offset, length, position);
      }
    }
    const file = new WatchedFile();
    const db = await openFile(file, { durable: false, dirtyBytesMax: 1 });
    file.written = [];
    const stopped = file.stopped('sync');
    // More than half of the pages that may be changed in memory: a checkpoint begins by itself.
    await fill(db, 0, 500, 1);
    await stopped;
    const byCheckpoint = new Set(file.written);
    expect(byCheckpoint.size).to.be.above(10);
    file.written = [];
    // Its pages are written, its meta page is not yet: what goes to the file now must not touch them.
    await fill(db, 500, 1500, 1);
    expect(file.written.length).to.be.above(10);
    expect(file.written.filter((page) => byCheckpoint.has(page))).to.deep.equal([]);
    file.release();
    await db.close();
    const again = await openBytes(bytesOf(file));
    expectFilled(again, 0, 1500, 1);
    await again.close();
  });

  it('leaves alone what a transaction writes past its end meanwhile', async () => {
    const file = new StoppingFile();
    const db = await openFile(file, { durable: false });
    const pages = (): number => db.stats().pages;
    // A bulk load takes pages by the run and gives the rest back: the file must be made to span them.
    const load = db.bucket('c').bulkWriter();
    load.add('a', 'b');
    await load.finish();
    expect(file.size()).to.be.below(pages() * 4096);
    const stopped = file.stopped('sync');
    file.truncates = 0;
    const before = pages();
    // More than half of the pages that may be changed in memory: a checkpoint begins by itself.
    await fill(db, 0, 500, 3);
    await stopped;
    await db.write((tx) => tx.bucket('b').put('later', patterned(400 * 4064, 7)));
    expect(pages()).to.be.above(before);
    // To resize the file so late would cut off what others write past its end at the same time.
    expect(file.truncates).to.equal(0);
    file.release();
    await new Promise<void>((resolve) => setTimeout(resolve, 20));
    expect(
      db
        .bucket('b')
        .get('later')
        ?.equals(patterned(400 * 4064, 7)),
    ).to.equal(true);
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });

  it('leaves alone what a value that is streamed in writes past the end that a compaction gives back', async () => {
    const file = new StoppingFile();
    const db = await openFile(file, { durable: false });
    await db.bucket('b').put('kept', patterned(100, 1));
    await fill(db, 0, 800, 1);
    await db.write((tx) => tx.bucket('b').deleteRange({ prefix: 'key' }));
    const value = patterned(300_000, 5);
    const upload = db.bucket('b').createValueWriteStream('streamed');
    const stopped = file.stopped('truncate');
    const compacted = db.compact();
    await stopped;
    for (let from = 0; from < value.length; from += 50_000) {
      await new Promise<void>((resolve, reject) =>
        upload.write(value.subarray(from, from + 50_000), (error) => (error ? reject(error) : resolve())),
      );
    }
    file.release();
    await compacted;
    await finished(upload.end());
    expect(db.bucket('b').get('streamed')?.equals(value)).to.equal(true);
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });

  it('is made by a close that has something to write, and by no other', async () => {
    const file = new MemoryFile();
    const db = await openFile(file, { durable: false });
    await fill(db, 0, 10, 1);
    await db.close();
    const bytes = bytesOf(file);
    const again = await openFile(fileOf(bytes));
    expectFilled(again, 0, 10, 1);
    await again.close();
    const once = fileOf(bytes);
    await (await openFile(once)).close();
    expect(bytesOf(once).equals(bytes)).to.equal(true);
  });

  it('writes to no page that the one before reaches', async () => {
    /** Keeps the bytes as a crash just before each write of a meta page would leave them. */
    class WatchedFile extends MemoryFile {
      readonly beforeMeta: Buffer[] = [];

      override async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
        if (position < 2 * 4096) this.beforeMeta.push(bytesOf(this));
        await super.write(source, offset, length, position);
      }
    }
    const entriesOf = async (bytes: Buffer): Promise<Entry[]> => {
      const db = await openBytes(bytes);
      const entries = db.bucket('b').range().toArray();
      expect((await db.check()).problems).to.deep.equal([]);
      await db.close();
      return entries;
    };
    const file = new WatchedFile();
    let db = await openFile(file);
    await fill(db, 0, 200, 1);
    await db.close();
    for (let round = 2; round < 12; round++) {
      const before = await entriesOf(bytesOf(file));
      file.beforeMeta.length = 0;
      db = await openFile(file);
      await db.write((tx) => {
        for (let i = 0; i < 200; i += round) tx.bucket('b').put(keyOf(i), patterned(300, round + i));
      });
      await db.close();
      const after = await entriesOf(bytesOf(file));
      expect(after).to.not.deep.equal(before);
      expect(file.beforeMeta.length).to.be.at.least(1);
      for (const [index, bytes] of file.beforeMeta.entries())
        expect(await entriesOf(bytes)).to.deep.equal(index === 0 ? before : after);
    }
  });

  describe('that fails', () => {
    class FailingFile extends MemoryFile {
      failing: Call | undefined;

      private check(call: Call): void {
        if (this.failing === call) throw new StoreError('DISK_FULL', `no space to ${call}`);
      }

      override async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
        this.check('write');
        await super.write(source, offset, length, position);
      }

      override async sync(): Promise<void> {
        this.check('sync');
      }
    }

    it('before its meta page leaves the store as it was, and usable', async () => {
      const file = new FailingFile();
      const db = await openFile(file);
      await fill(db, 0, 100, 1);
      const before = db.stats();
      file.failing = 'write';
      for (let round = 0; round < 3; round++) await rejected('DISK_FULL', fill(db, 50, 150, 2));
      expectFilled(db, 0, 100, 1);
      expect(db.bucket('b').has(keyOf(120))).to.equal(false);
      expect(db.stats().sequence).to.equal(before.sequence);
      file.failing = undefined;
      await fill(db, 50, 150, 3);
      expectFilled(db, 0, 50, 1);
      expectFilled(db, 50, 150, 3);
      expect((await db.check()).problems).to.deep.equal([]);
      await db.close();
      const again = await openBytes(bytesOf(file));
      expectFilled(again, 50, 150, 3);
      await again.close();
    });

    it('in a sync makes the handle refuse writes, with that as the cause', async () => {
      const file = new FailingFile();
      const db = await openFile(file);
      await fill(db, 0, 100, 1);
      file.failing = 'sync';
      const first = await rejected('DISK_FULL', fill(db, 0, 50, 2));
      file.failing = undefined;
      const later = await rejected('STORE_FAILED', fill(db, 0, 50, 3));
      expect(later.cause).to.equal(first);
      raised('STORE_FAILED', () => db.bucket('b').bulkWriter());
      expectFilled(db, 0, 100, 1);
      await db.close();
    });

    it('beside commits that nothing else keeps makes close tell that they are lost', async () => {
      const file = new FailingFile();
      const db = await openFile(file, { durable: false, dirtyBytesMax: 1 });
      file.failing = 'sync';
      // Resolves at once; the checkpoint that it makes due fails with no one waiting for it.
      await fill(db, 0, 600, 1);
      await nextTurn();
      expectFilled(db, 0, 600, 1);
      const closing = await rejected('STORE_FAILED', db.close());
      expect(closing.cause).to.include({ code: 'DISK_FULL' });
      file.failing = undefined;
      const again = await openBytes(bytesOf(file));
      expect(again.bucket('b').has(keyOf(0))).to.equal(false);
      await again.close();
    });
  });
});
