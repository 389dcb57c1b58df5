// Free space: what is given up is used again, whatever comes and goes, in whatever way, for however long.

import fs from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Bucket, BucketReport, Database, TransactionBucket } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { Space } from '../../lib/storage/space.js';
import { SpaceGroup } from '../../lib/storage/space-group.js';
import { numbered, patterned } from '../helpers/bytes.js';
import { type CountedStore, openCountedOn, SparseFile } from '../helpers/counted-store.js';
import { Random } from '../helpers/random.js';
import { numberedKeys, putAll } from '../helpers/ranges.js';
import { scaledTimes, seed, seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

async function load(bucket: Bucket, count: number, valueLength: number): Promise<void> {
  const writer = bucket.bulkWriter();
  for (let i = 0; i < count; i++)
    if (!writer.add(numbered(i), patterned(valueLength, i))) await writer.drained();
  await writer.finish();
}

/** Puts and deletes the same entries in transactions of so many, in orders of their own. */
async function putAndDelete(db: Database, count: number, each: number): Promise<void> {
  for (const [isPut, step] of [
    [true, 7919],
    [false, 31],
  ] as const) {
    for (let from = 0; from < count; from += each) {
      await db.write((tx) => {
        for (let i = from; i < from + each; i++) {
          const key = numbered((i * step) % count);
          if (isPut) tx.bucket('b').put(key, patterned(250, i));
          else tx.bucket('b').delete(key);
        }
      });
    }
  }
}

describe('free space', () => {
  const stores = useStores();

  describe('the same data, loaded and deleted twenty times,', () => {
    const rounds: Record<string, (db: Database) => Promise<unknown>> = {
      'in large transactions': (db) => putAndDelete(db, 4200, 4200),
      'in bulk, and deleted as a range': async (db) => {
        await load(db.bucket('b'), 8000, 100);
        await db.write((tx) => tx.bucket('b').deleteRange({}));
      },
      'in bulk, and dropped': async (db) => {
        await load(db.bucket('b'), 8000, 100);
        await db.dropBucket('b');
      },
      'as large values': async (db) => {
        await putAll(db, 'b', numberedKeys(60), (i) => patterned(5000 + i * 700, i));
        await db.write((tx) => {
          for (const key of numberedKeys(60)) tx.bucket('b').delete(key);
        });
      },
      'as streams': async (db) => {
        for (const key of numberedKeys(5))
          await pipeline(async function* () {
            for (let i = 0; i < 10; i++) yield patterned(30_000, i);
          }, db.bucket('b').createValueWriteStream(key));
        await db.write((tx) => tx.bucket('b').deleteRange({}));
      },
    };
    const pagesOf = async (db: Database, round: (db: Database) => Promise<unknown>): Promise<number[]> => {
      const pages: number[] = [];
      for (let i = 0; i < 20; i++) {
        await round(db);
        expect(db.bucket('b').range().count()).to.equal(0);
        pages.push(db.stats().pages);
      }
      return pages;
    };
    for (const [what, round] of Object.entries(rounds)) {
      it(`takes no more pages of a file after the third time: ${what}`, async () => {
        const pages = await pagesOf(await stores.open(), round);
        expect(pages[19], pages.join(' ')).to.equal(pages[2]);
      });

      it(`takes no more pages of memory after some time: ${what}`, async () => {
        const db = await stores.openMemory();
        // Makes a checkpoint, after which it cannot be told that pages are younger than it.
        await db.bucket('b').put('key', 'value');
        await db.compact();
        await db.bucket('b').delete('key');
        const pages = await pagesOf(db, round);
        // Checkpoints come when they are due here, not with each commit.
        expect(pages[19], pages.join(' ')).to.be.at.most(1.2 * Math.max(...pages.slice(0, 8)));
      });
    }

    it('takes no more of a file after the third time: in many small transactions', async () => {
      const path = await stores.path();
      const pages: number[] = [];
      for (let i = 0; i < 20; i++) {
        const db = await stores.openAt(path, { durability: 'none' });
        await putAndDelete(db, 1500, 100);
        pages.push(db.stats().pages);
        await stores.close(db);
      }
      expect(Math.max(...pages), pages.join(' ')).to.equal(Math.max(...pages.slice(0, 3)));
    });
  });

  describe('a queue', () => {
    const LENGTH = 3000;
    const kinds: Record<
      string,
      (db: Database, head: number, tail: number, count: number) => Promise<unknown>
    > = {
      'of single deletes': (db, head, tail, count) =>
        db.write((tx) => {
          for (let i = 0; i < count; i++) {
            tx.bucket('q').put(numbered(tail + i), patterned(200, i));
            tx.bucket('q').delete(numbered(head + i));
          }
        }),
      'of deleted ranges': (db, head, tail, count) =>
        db.write((tx) => {
          for (let i = 0; i < count; i++) tx.bucket('q').put(numbered(tail + i), patterned(200, i));
          tx.bucket('q').deleteRange({ lt: numbered(head + count) });
        }),
      'that is filled in bulk': async (db, head, tail, count) => {
        const writer = db.bucket('q').bulkWriter();
        for (let i = 0; i < count; i++) writer.add(numbered(tail + i), patterned(200, i));
        await writer.finish();
        await db.write((tx) => tx.bucket('q').deleteRange({ lt: numbered(head + count) }));
      },
      'of large values': (db, head, tail, count) =>
        db.write((tx) => {
          for (let i = 0; i < count / 10; i++) {
            const place = i * 10;
            tx.bucket('q').put(numbered(tail + place), patterned(2000 + ((tail + i) % 7) * 1000, i));
            tx.bucket('q').deleteRange({ lt: numbered(head + place + 10) });
          }
        }),
    };
    for (const durability of ['commit', 'none'] as const) {
      for (const [what, step] of Object.entries(kinds)) {
        it(`${what}, with durability ${durability}, takes a few times its length, however long it runs`, async () => {
          const db = await stores.open({ durability });
          let tail = 0;
          for (; tail < LENGTH; tail += 100) await step(db, tail - LENGTH, tail, 100);
          const lengths: number[] = [];
          for (let round = 0; round < 120; round++, tail += 100) {
            await step(db, tail - LENGTH, tail, 100);
            lengths.push(db.bucket('q').range().count());
          }
          expect(Math.max(...lengths)).to.equal(Math.min(...lengths));
          const { pages, freePages } = db.stats();
          // At the most the present state, that of the last checkpoint, and what is written beside that one.
          expect(pages, `${freePages} of them free`).to.be.below(3.5 * (pages - freePages));
        });
      }
    }
  });

  it('is used again by large values of every length, replaced for as long as one likes', async () => {
    const random = Random.of(seed, 1);
    const db = await stores.openMemory();
    const round = (): Promise<void> =>
      db.write((tx) => {
        for (let i = 0; i < 40; i++) {
          const bytes = 2000 + random.below(random.chance(0.1) ? 400_000 : 60_000);
          tx.bucket('b').put(numbered(random.below(100)), Buffer.alloc(bytes, i));
        }
      });
    for (let i = 0; i < 20; i++) await round();
    const { pages } = db.stats();
    for (let i = 0; i < scaledTimes(60); i++) await round();
    const after = db.stats();
    expect(after.pages, `pages, of which ${after.freePages} free`).to.be.below(1.3 * pages);
  });

  it('is used again by one transaction that replaces large values over and over, its readers unharmed', async () => {
    const db = await stores.open();
    const value = (round: number, i: number) => Buffer.alloc(20_000, 50 * round + i);
    await db.write((tx) => {
      const bucket = tx.bucket('b');
      for (let round = 0; round < 40; round++)
        for (let i = 0; i < 50; i++) bucket.put(numbered(i), value(round, i));
    });
    const { pages } = db.stats();
    expect(pages).to.be.below(2 * 50 * 5 + 300);
    await db.write((tx) => {
      const bucket = tx.bucket('b');
      const reader = bucket.range()[Symbol.iterator]();
      for (let round = 40; round < 50; round++)
        for (let i = 0; i < 50; i++) bucket.put(numbered(i), value(round, i));
      for (let i = 0; i < 50; i++)
        expect(value(39, i).equals(reader.next().value?.[1] ?? ''), `value ${i}`).to.equal(true);
      expect(reader.next().done).to.equal(true);
    });
    for (let i = 0; i < 50; i++) expect(db.bucket('b').get(numbered(i))?.equals(value(49, i))).to.equal(true);
  });

  it('takes a bucket that is made and dropped a thousand times', async () => {
    const db = await stores.open({ durability: 'none' });
    for (let i = 0; i < 1000; i++) {
      await db.write((tx) => {
        const bucket = tx.createBucket(numbered(i % 7, 'made'));
        for (const key of numberedKeys(30)) bucket.put(key, patterned(100, i));
      });
      await db.dropBucket(numbered(i % 7, 'made'));
    }
    expect([...db.buckets()]).to.deep.equal([]);
    expect(db.stats().pages).to.be.below(20);
  });

  it('takes ten thousand buckets, made and dropped again and again', async () => {
    const COUNT = 10_000;
    const db = await stores.open({ durability: 'none' });
    const make = async (): Promise<void> => {
      for (let from = 0; from < COUNT; from += 1000)
        await db.write((tx) => {
          for (let i = from; i < from + 1000; i++) tx.bucket(numbered(i)).put('key', numbered(i));
        });
    };
    const pages: number[] = [];
    for (let round = 0; round < 5; round++) {
      await make();
      const infos = [...db.buckets()];
      expect(infos.length).to.equal(COUNT);
      expect(infos.every(({ name, entries }, i) => name === numbered(i) && entries === 1)).to.equal(true);
      for (let i = 0; i < COUNT; i += 97)
        expect(db.bucket(numbered(i)).get('key')?.toString()).to.equal(numbered(i));
      pages.push(db.stats().pages);
      await db.write((tx) => {
        for (let i = 0; i < COUNT; i++) tx.dropBucket(numbered(i));
      });
    }
    // At the most the buckets, what the last checkpoint has, and what is written beside that one: how much of
    // it there is depends on when checkpoints end. A bucket's page lost in each round would be more.
    expect(Math.max(...pages), pages.join(' ')).to.be.below(3.3 * COUNT);
    expect((await db.check()).pages.leaf).to.equal(0);
  });

  it('stays well filled when most of the keys go, and holds them again in no more', async () => {
    const COUNT = 200_000;
    const LEFT = COUNT / 10;
    const order = Random.of(seed, 2).shuffle(Array.from({ length: COUNT }, (_, i) => numbered(i)));
    const path = await stores.path();
    const session = async (
      work: (bucket: TransactionBucket) => void,
    ): Promise<BucketReport & { file: number }> => {
      const db = await stores.openAt(path, { durability: 'none' });
      await db.write((tx) => work(tx.bucket('b')));
      const [report] = (await db.check()).bucketReports;
      await stores.close(db);
      return { ...report, file: (await fs.stat(path)).size / 4096 };
    };
    const loaded = await session((bucket) => {
      for (const key of order) bucket.put(key, patterned(20, key.length));
    });
    const left = await session((bucket) => {
      for (const key of order.slice(LEFT)) bucket.delete(key);
    });
    expect(left.entries).to.equal(LEFT);
    expect(left.averageLeafFill, 'fill after the deletes').to.be.at.least(0.5);
    expect(left.leafPages).to.be.below(loaded.leafPages / 5);
    const again = await session((bucket) => {
      for (const key of order.slice(LEFT)) bucket.put(key, patterned(20, key.length));
    });
    expect(again.entries).to.equal(COUNT);
    expect(again.averageLeafFill, 'fill after they were put again').to.be.at.least(0.6);
    expect(again.file, 'pages of the file after they were put again').to.be.at.most(1.1 * loaded.file);
  });

  it('of a million pages in scattered extents costs a commit and a checkpoint at most 16 page writes', async () => {
    const HOLE = 50;
    const HOLES = 20_000;
    // 4 GB long, of which the values alone take memory.
    const file = new SparseFile();
    const open = (): Promise<CountedStore> => openCountedOn({ file, log: new MemoryFile('log') });
    const counted = await open();
    const transaction = await counted.db.begin();
    const reservation = counted.store.reserve();
    for (let i = 0; i < HOLES; i++) {
      // A value of one page, then pages that are never written: a hole in the file.
      transaction.bucket('b').put(numbered(i), Buffer.alloc(3000, i));
      reservation.allocateRun(HOLE, HOLE);
    }
    reservation.abandon();
    await transaction.commit();
    await counted.db.close();
    for (const close of [false, true]) {
      const { db, store, file, log } = await open();
      expect(db.stats().freePages).to.be.within(990_000, 1_001_000);
      await db.bucket('b').put(numbered(close ? 7777 : 3333), 'a small value');
      expect(file.bytesWritten, 'bytes that a small commit writes to the file').to.equal(0);
      expect(log.syncs).to.equal(1);
      if (!close) {
        await store.checkpointNow();
        expect(file.bytesWritten / 4096, 'pages that a checkpoint writes').to.be.within(4, 16);
        expect(db.stats().pagesWritten).to.equal(file.bytesWritten / 4096);
        expect((await db.check()).ok).to.equal(true);
      }
      file.reset();
      await db.close();
      expect(file.bytesWritten / 4096, 'pages that closing writes').to.be.at.most(16);
    }
  });

  it('is taken in one piece where there is one that is long enough, else in the longest gaps asked for', () => {
    const none = (): never => expect.fail('nothing was to be read');
    const space = new Space(4096, { readMap: none, readDirectory: none }, 0, 0, new Uint32Array(1024));
    const { page: from } = space.allocateRun(500, 500);
    // Gaps of 1, 2, 3, 8 and 5 pages, in this order.
    const gaps: [at: number, pages: number][] = [
      [10, 1],
      [20, 2],
      [30, 3],
      [40, 8],
      [60, 5],
    ];
    for (const [at, pages] of gaps) for (let i = 0; i < pages; i++) space.release(from + at + i);
    const taken = (least: number, most: number): [at: number, pages: number] => {
      const { page, pages } = space.allocateRun(least, most);
      return [page - from, pages];
    };
    expect(taken(1, 5), 'the first that holds all five').to.deep.equal([40, 5]);
    expect(taken(1, 5)).to.deep.equal([60, 5]);
    expect(taken(3, 5), 'the first with three of five').to.deep.equal([30, 3]);
    expect(taken(7, 2), 'two, though more were the least').to.deep.equal([20, 2]);
    expect(taken(2, 4)).to.deep.equal([45, 3]);
    expect(taken(2, 4), 'new pages').to.deep.equal([500, 4]);
    expect(taken(1, 4), 'the last that is left').to.deep.equal([10, 1]);
    expect(space.freePages).to.equal(0);
  });

  it('in runs that are too short is not searched over and over', () => {
    const bit = fc.boolean();
    const search = fc.record({ least: fc.integer({ min: 1, max: 12 }), more: fc.nat(4) });
    const change = fc.record({ page: fc.nat(255), free: fc.boolean() });
    fc.assert(
      fc.property(
        fc.array(bit, { minLength: 256, maxLength: 256 }),
        fc.array(fc.oneof(search, change), { maxLength: 40 }),
        (bits, steps) => {
          const group = new SpaceGroup(256);
          const free = [...bits];
          const set = (page: number): void => {
            group.setFree(page);
            group.setAvailable(page);
          };
          for (let page = 0; page < 256; page++) if (free[page]) set(page);
          for (const step of steps) {
            if ('page' in step) {
              if (step.free) set(step.page);
              else group.use(step.page);
              free[step.page] = step.free;
              continue;
            }
            const { least, more } = step;
            expect(group.findRun(least, least + more)).to.deep.equal(firstRun(free, least, least + more));
          }
        },
      ),
      seeded(100),
    );
  });
});

function firstRun(free: readonly boolean[], least: number, most: number): { index: number; length: number } {
  for (let index = 0; index < free.length; index++) {
    let length = 0;
    while (length < most && free[index + length] === true) length++;
    if (length >= least) return { index, length };
  }
  return { index: -1, length: 0 };
}
