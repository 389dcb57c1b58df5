// lib/tree/rank.ts, leaf-cursor.ts and range-cursor.ts: counts and walks over every kind of bounds.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../lib/errors.js';
import { readLeafKey } from '../../lib/format/leaf.js';
import { nodeCount } from '../../lib/format/node.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { isInBounds, type KeyBounds } from '../../lib/tree/key-bounds.js';
import { LeafCursor } from '../../lib/tree/leaf-cursor.js';
import { RangeCursor } from '../../lib/tree/range-cursor.js';
import { countEntries } from '../../lib/tree/rank.js';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { rejected } from '../helpers/errors.js';
import { nodeKeys, sortedKeys, tyingKeys } from '../helpers/format-keys.js';
import { seeded } from '../helpers/seed.js';
import { TreeLab } from '../helpers/tree-lab.js';

const pairedKey = (index: number): Buffer =>
  Buffer.from(`${String(index >>> 1).padStart(5, '0')}${'y'.repeat(1015)}${index & 1}`);

/** A tree of several levels. */
async function paired(entries: number, file = new MemoryFile()): Promise<TreeLab> {
  const lab = await TreeLab.open(4096, file);
  await lab.edit((edits) => {
    for (let i = 0; i < entries; i++) edits.put(pairedKey(i), patterned(5, i));
  });
  return lab;
}

function boundsFrom(end: fc.Arbitrary<Buffer>): fc.Arbitrary<KeyBounds> {
  return fc.record(
    { lower: end, lowerOpen: fc.boolean(), upper: end, upperOpen: fc.boolean() },
    { requiredKeys: [] },
  );
}

describe('bounds over a tree', () => {
  let lab: TreeLab;
  const all = Array.from({ length: 400 }, (_, i): [Buffer, Buffer] => [pairedKey(i), patterned(5, i)]);
  before(async () => {
    lab = await paired(400);
    expect(lab.depth).to.be.at.least(3);
  });
  after(() => lab.close());

  // Keys that are there, that lie between two, and that begin with one or are its beginning.
  const ends = fc
    .tuple(
      fc.nat(405),
      fc.oneof({ weight: 3, arbitrary: fc.constant(1021) }, { weight: 2, arbitrary: fc.nat(1021) }),
      fc.oneof(
        { weight: 3, arbitrary: fc.constant('') },
        { weight: 2, arbitrary: fc.constantFrom('\0', '\xff') },
      ),
    )
    .map(([index, length, more]) =>
      Buffer.concat([pairedKey(index).subarray(0, length), Buffer.from(more, 'latin1')]),
    );

  it('counts what lies inside', () => {
    fc.assert(
      fc.property(boundsFrom(ends), (bounds) => {
        const inside = all.filter(([key]) => isInBounds(bounds, key));
        expect(countEntries(lab.pager, lab.root, bounds)).to.equal(inside.length);
      }),
      seeded(300),
    );
  });

  it('walks what lies inside, forwards and backwards, a bounded number at a time', async () => {
    const limits = fc.option(fc.nat(420), { nil: undefined });
    await fc.assert(
      fc.asyncProperty(
        boundsFrom(ends),
        fc.boolean(),
        limits,
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (bounds, reverse, limit, max, wait) => {
          const expected = all.filter(([key]) => isInBounds(bounds, key));
          if (reverse) expected.reverse();
          let closed = 0;
          const cursor = new RangeCursor(lab.pager, lab.root, { bounds, reverse, limit }, () => closed++);
          const entries: Array<[Buffer, Buffer]> = [];
          for (;;) {
            const batch = wait ? await cursor.nextBatch(max) : cursor.nextBatchSync(max);
            if (batch === null) break;
            expect(batch.length).to.be.within(1, max);
            for (let i = 0; i < batch.length; i++) {
              entries.push([Buffer.from(batch.key(i)), Buffer.from(batch.value(i))]);
              expect(batch.keyLength(i)).to.equal(batch.key(i).length);
            }
            expect(() => batch.key(batch.length)).to.throw(RangeError);
          }
          expectEntries(entries, expected.slice(0, limit));
          expect(closed).to.equal(1);
          expect(cursor.nextBatchSync(1)).to.equal(null);
        },
      ),
      seeded(60),
    );
  });

  it('counts and walks small trees of any keys', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(nodeKeys(1024), { maxLength: 40 }),
        fc.array(boundsFrom(fc.oneof(tyingKeys, nodeKeys(300))), { maxLength: 8 }),
        async (given, ranges) => {
          const small = await TreeLab.open();
          const keys = sortedKeys(given);
          await small.edit((edits) => {
            for (const key of keys) edits.put(key, key);
          });
          for (const bounds of ranges) {
            const inside = keys.filter((key) => isInBounds(bounds, key));
            expect(countEntries(small.pager, small.root, bounds)).to.equal(inside.length);
            const entries = inside.map((key): [Buffer, Buffer] => [key, key]);
            expectEntries(small.entries(bounds), entries);
            expectEntries(small.entries(bounds, true), entries.reverse());
          }
          await small.close();
        },
      ),
      seeded(40),
    );
  });

  it('is empty in an empty tree', async () => {
    const empty = await TreeLab.open();
    expect(countEntries(empty.pager, empty.root, {})).to.equal(0);
    expect(empty.entries()).to.deep.equal([]);
    const cursor = new LeafCursor(empty.pager, empty.root);
    expect([cursor.seekFirst(), cursor.seekLast(), cursor.seek(Buffer.from('a'), 1)]).to.deep.equal([
      false,
      false,
      false,
    ]);
    await empty.close();
  });

  it('lets go of its snapshot when the disk fails while it reads ahead', async () => {
    class FailingFile extends MemoryFile {
      failing = false;

      override async readMany(targets: readonly Buffer[], position: number): Promise<number> {
        if (this.failing) throw new StoreError('IO_ERROR', 'the spec wants it so');
        return super.readMany(targets, position);
      }
    }
    const file = new FailingFile();
    const first = await TreeLab.open(4096, file);
    await first.edit((edits) => {
      for (let i = 0; i < 3000; i++) edits.put(Buffer.from(numbered(i)), patterned(300, i));
    });
    await first.close();
    const again = await TreeLab.open(4096, file);
    file.failing = true;
    let closed = 0;
    const cursor = new RangeCursor(again.pager, again.root, { bounds: {} }, () => closed++);
    const walk = async (): Promise<void> => {
      while ((await cursor.nextBatch(1000)) !== null);
    };
    await rejected('IO_ERROR', walk());
    expect(closed).to.equal(1);
    const read = async (): Promise<void> => {
      for await (const _ of again.db.bucket('tree').range());
    };
    await rejected('IO_ERROR', read());
    expect(again.store.snapshots.count).to.equal(0);
    file.failing = false;
    await again.close();
  });
});

describe('a long walk', () => {
  /** A file whose reads of many pages are told, and fail from one on. */
  class ToldFile extends MemoryFile {
    reads = 0;
    bytesAtOnce = 0;
    bytesBeside = 0;
    failsFrom = Number.POSITIVE_INFINITY;

    override async readMany(targets: readonly Buffer[], position: number): Promise<number> {
      this.count();
      const before = this.bytesAtOnce;
      const read = await super.readMany(targets, position);
      this.bytesAtOnce = before;
      this.bytesBeside += read;
      return read;
    }

    override async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
      this.count();
      const before = this.bytesAtOnce;
      const read = await super.read(target, offset, length, position);
      this.bytesAtOnce = before;
      this.bytesBeside += read;
      return read;
    }

    override readManySync(targets: readonly Buffer[], position: number): number {
      const read = super.readManySync(targets, position);
      this.bytesAtOnce += read;
      return read;
    }

    override readSync(target: Buffer, offset: number, length: number, position: number): number {
      const read = super.readSync(target, offset, length, position);
      this.bytesAtOnce += read;
      return read;
    }

    private count(): void {
      if (++this.reads >= this.failsFrom) throw new StoreError('IO_ERROR', 'the spec wants it so');
    }
  }

  async function long(): Promise<[file: ToldFile, lab: TreeLab]> {
    const file = new ToldFile();
    const first = await TreeLab.open(4096, file);
    const writer = first.db.bucket('tree').bulkWriter({ sorted: true });
    for (let i = 0; i < 6000; i++) writer.add(Buffer.from(numbered(i)), patterned(300, i));
    await writer.finish();
    await first.close();
    return [file, await TreeLab.open(4096, file)];
  }

  for (const reverse of [false, true])
    it(`reads on while what has come is worked on${reverse ? ', in reverse' : ''}`, async () => {
      const [file, lab] = await long();
      const cursor = new RangeCursor(lab.pager, lab.root, { bounds: {}, reverse });
      let [entries, waits] = [0, 0];
      for (;;) {
        const next = cursor.nextBatch(1000);
        if (next instanceof Promise) waits++;
        const batch = await next;
        if (batch === null) break;
        for (let i = 0; i < batch.length; i++, entries++) {
          const n = reverse ? 5999 - entries : entries;
          expect(batch.key(i).toString()).to.equal(numbered(n).toString());
          expect(batch.value(i).equals(patterned(300, n))).to.equal(true);
        }
      }
      expect(entries).to.equal(6000);
      // Every wait but the first few has begun another read.
      expect(file.reads).to.be.above(waits);
      expect(lab.pager.cache.canReadAhead).to.equal(true);
      await lab.close();
    });

  for (const pauses of [0, 1, 3])
    it(`reads each page once, and hardly any at once, with ${pauses} turns between two leaves`, async () => {
      const [file, lab] = await long();
      const { pagesRead } = lab.pager.counts;
      file.bytesAtOnce = 0;
      file.bytesBeside = 0;
      const cursor = new RangeCursor(lab.pager, lab.root, { bounds: {} });
      let leaves = 0;
      for (; (await cursor.nextBatch(1000)) !== null; leaves++)
        for (let pause = 0; pause < pauses; pause++) await nextTurn();
      expect(lab.pager.counts.pagesRead - pagesRead).to.be.at.most(leaves + 20);
      expect(file.bytesBeside + file.bytesAtOnce).to.be.at.most((leaves + 20) * 4096);
      expect(file.bytesAtOnce).to.be.at.most(20 * 4096);
      await lab.close();
    });

  it('tells a read ahead that failed when it needs what that should have brought, and not if it ends before', async () => {
    for (let failsFrom = 1; failsFrom < 40; failsFrom++) {
      const [file, lab] = await long();
      file.failsFrom = failsFrom;
      let closed = 0;
      const cursor = new RangeCursor(lab.pager, lab.root, { bounds: {} }, () => closed++);
      const walk = async (): Promise<void> => {
        while ((await cursor.nextBatch(1000)) !== null) if (file.reads >= 40) break;
      };
      await walk().catch((error) => expect(error.code).to.equal('IO_ERROR'));
      cursor.close();
      expect(closed).to.equal(1);
      await new Promise((resolve) => setImmediate(resolve));
      expect(lab.pager.cache.canReadAhead).to.equal(true);
      await lab.close();
    }
  });
});

describe('leaf cursor', () => {
  it('goes over every leaf in order, in both directions', async () => {
    const lab = await paired(300);
    const cursor = new LeafCursor(lab.pager, lab.root);
    const forwards: number[] = [];
    expect(cursor.seekFirst()).to.equal(true);
    do forwards.push(cursor.page);
    while (cursor.next());
    expect(cursor.next()).to.equal(false);
    const backwards: number[] = [];
    expect(cursor.seekLast()).to.equal(true);
    do backwards.push(cursor.page);
    while (cursor.previous());
    expect(backwards.reverse()).to.deep.equal(forwards);
    expect(new Set(forwards).size).to.equal((await lab.db.check()).pages.leaf - 1);
    await lab.close();
  });

  for (const step of [1, -1] as const) {
    it(`tells of the leaves ahead, past the parent too, ${step === 1 ? 'forwards' : 'backwards'}`, async () => {
      const lab = await paired(300);
      const { memory, pageSize } = lab.pager;
      let areBranchesHere = true;
      const load = (page: number, stamp: number): number => lab.pager.load(page, stamp);
      const cursor = new LeafCursor({ memory, pageSize, load, has: () => areBranchesHere }, lab.root);
      const move = (): boolean => (step === 1 ? cursor.next() : cursor.previous());
      const start = (): boolean => (step === 1 ? cursor.seekFirst() : cursor.seekLast());
      const leaves: number[] = [];
      start();
      do leaves.push(cursor.page);
      while (move());
      const isLeaf = new Set(leaves);
      let parentsPassed = 0;
      start();
      for (let at = 0; at < leaves.length; at++, move()) {
        expect(cursor.page).to.equal(leaves[at]);
        const ahead = leaves.slice(at + 1);
        const present = cursor.presentAhead(step, 1000, () => true);
        expect(present).to.be.at.most(ahead.length);
        expect(present === 0, 'present').to.equal(ahead.length === 0);
        expect(cursor.presentAhead(step, 2, () => true)).to.equal(Math.min(2, present));
        // Branches are here, leaves are not.
        const branchesAlone = (page: number): boolean => !isLeaf.has(page);
        expect(cursor.presentAhead(step, 1000, branchesAlone)).to.equal(0);
        for (let skip = 0; skip < present; skip++)
          expect(cursor.runAhead(step, 1, branchesAlone, skip)?.first).to.equal(ahead[skip]);
        const run = cursor.runAhead(step, 64, branchesAlone);
        const pages = run?.stamps.map((_, index) => run.first + index) ?? [];
        if (step === -1) pages.reverse();
        expect(pages).to.deep.equal(ahead.slice(0, pages.length));
        expect(pages.length === 0).to.equal(ahead.length === 0);
        // Nothing is here: past the last leaf of a parent a branch has to come first.
        areBranchesHere = false;
        const first = cursor.runAhead(step, 64, () => false);
        areBranchesHere = true;
        if (first === undefined) expect(ahead).to.deep.equal([]);
        else if (first.isBranch) {
          expect([isLeaf.has(first.first), first.stamps.length]).to.deep.equal([false, 1]);
          parentsPassed++;
        } else expect(step === 1 ? first.first : first.first + first.stamps.length - 1).to.equal(ahead[0]);
        expect(cursor.runAhead(step, 64, () => true)).to.equal(undefined);
      }
      expect(parentsPassed).to.be.greaterThan(5);
      await lab.close();
    });
  }

  it('finds the leaf of each key, and its neighbours from there', async () => {
    const lab = await paired(200);
    const { memory, pageSize } = lab.pager;
    const cursor = new LeafCursor(lab.pager, lab.root);
    const firstOf = (): string => {
      const key = Buffer.alloc(pageSize);
      return key.toString('latin1', 0, readLeafKey(memory, cursor.load(), pageSize, 0, key, 0));
    };
    for (let i = 0; i < 200; i++) {
      const key = pairedKey(i);
      expect(cursor.seek(key, key.length)).to.equal(true);
      const base = cursor.load();
      const last = Buffer.alloc(pageSize);
      const length = readLeafKey(memory, base, pageSize, nodeCount(memory, base) - 1, last, 0);
      const here = firstOf();
      expect(here <= key.toString('latin1')).to.equal(true);
      expect(key.toString('latin1') <= last.toString('latin1', 0, length)).to.equal(true);
      if (cursor.next()) {
        expect(firstOf() > key.toString('latin1')).to.equal(true);
        expect(cursor.previous()).to.equal(true);
      } else cursor.seek(key, key.length);
      expect(firstOf()).to.equal(here);
    }
    await lab.close();
  });
});
