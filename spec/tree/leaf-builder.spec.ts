// lib/tree/sorted-load.ts, leaf-builder.ts, leaf-packer.ts and branch-stack.ts: what is built from the bottom up is
// what inserts make.

import { expect } from 'chai';
import fc from 'fast-check';
import { keyBytesMax } from '../../lib/format/node.js';
import { EntryBlock } from '../../lib/tree/entry-block.js';
import { SortedLoad } from '../../lib/tree/sorted-load.js';
import { expectEntries, numbered, patterned, valueLengths } from '../helpers/bytes.js';
import { nodeKeys, sortedKeys } from '../helpers/format-keys.js';
import { Random } from '../helpers/random.js';
import { scaledMilliseconds, seed, seeded } from '../helpers/seed.js';
import { TreeLab, TreeModel } from '../helpers/tree-lab.js';
import { BLOCK_BYTES, blocksOf, type Pair, shapes } from '../helpers/tree-shapes.js';

/** Builds the tree on from its last key. */
function extend(lab: TreeLab, entries: readonly Pair[], fill = 1, entriesMax = 10_000): Promise<void> {
  return lab.build(async (pages, root) => {
    const builder = new SortedLoad(pages, root, fill);
    for (const block of blocksOf(entries, entriesMax)) await builder.append(block, 0);
    return builder.finish();
  });
}

async function expectBuilt(lab: TreeLab, entries: readonly Pair[]): Promise<void> {
  expectEntries(
    lab.entries(),
    entries.map(([key, value]): [Buffer, Buffer] => [key, value]),
  );
  expect(lab.root.entries).to.equal(entries.length);
  await lab.expectWhole();
}

describe('tree builder', () => {
  for (const [what, pageSize, count, entryOf] of shapes) {
    describe(`with ${what}`, () => {
      const entries = Array.from({ length: count }, (_, index) => entryOf(index));

      it('builds a whole tree at once', async () => {
        const lab = await TreeLab.open(pageSize);
        await extend(lab, entries);
        await expectBuilt(lab, entries);
        await lab.close();
      });

      it('extends a tree again and again, from within its last leaf on', async () => {
        const lab = await TreeLab.open(pageSize);
        const random = new Random(seed);
        for (let from = 0; from < count; ) {
          const to = Math.min(count, from + 1 + random.below(Math.ceil(count / 4)));
          await extend(lab, entries.slice(from, to), 1, 1 + random.below(200));
          from = to;
          await expectBuilt(lab, entries.slice(0, to));
        }
        await lab.close();
      });

      it('extends a tree that inserts made, and inserts and deletes go on after it', async () => {
        const lab = await TreeLab.open(pageSize);
        const model = new TreeModel();
        const half = count >>> 1;
        await lab.edit((edits) => {
          for (const [key, value] of entries.slice(0, half)) edits.put(key, value);
        });
        await extend(lab, entries.slice(half));
        await expectBuilt(lab, entries);
        for (const [key, value] of entries) model.put(key, value);
        await lab.edit((edits) => {
          entries.forEach(([key], index) => {
            if (index % 3 === 0) expect(edits.delete(key)).to.equal(model.delete(key));
            if (index % 3 === 1)
              expect(edits.put(key, patterned(30, index))).to.equal(model.put(key, patterned(30, index)));
          });
        });
        expectEntries(lab.entries(), model.entries());
        await lab.close();
      });

      it('leaves the part of each page free that it was told to', async () => {
        const lab = await TreeLab.open(pageSize);
        const full = await TreeLab.open(pageSize);
        await extend(lab, entries, 0.5);
        await extend(full, entries);
        await expectBuilt(lab, entries);
        const pages = (await lab.db.check()).pages;
        const fullPages = (await full.db.check()).pages;
        expect(pages.leaf).to.be.within(fullPages.leaf, fullPages.leaf * 4);
        if (fullPages.leaf > 20) expect(pages.leaf).to.be.above(fullPages.leaf * 1.3);
        await lab.close();
        await full.close();
      });
    });
  }

  it('builds the same whatever blocks the entries come in', async () => {
    const limit = keyBytesMax(4096);
    const lengths = fc.oneof(
      fc.nat(40),
      fc.constantFrom(...valueLengths(4096).filter((length) => length < 20_000)),
    );
    const pairs = fc.array(fc.tuple(nodeKeys(limit), lengths), { maxLength: 120, size: 'max' });
    await fc.assert(
      fc.asyncProperty(
        pairs,
        fc.nat(120),
        fc.integer({ min: 1, max: 50 }),
        fc.double({ min: 0.3, max: 1, noNaN: true }),
        async (given, cut, entriesMax, fill) => {
          const length = new Map(given.map(([key, bytes]) => [key.toString('latin1'), bytes]));
          const entries = sortedKeys(given.map(([key]) => key)).map(
            (key, index): Pair => [key, patterned(length.get(key.toString('latin1')) ?? 0, index)],
          );
          const lab = await TreeLab.open();
          await extend(lab, entries.slice(0, cut), fill, entriesMax);
          await extend(lab, entries.slice(cut), fill, entriesMax);
          await expectBuilt(lab, entries);
          await lab.close();
        },
      ),
      seeded(40),
    );
  }).timeout(scaledMilliseconds(20_000));

  it('fills pages to the last entry that fits', async () => {
    const lab = await TreeLab.open();
    const entries = Array.from(
      { length: 20_000 },
      (_, i): Pair => [Buffer.from(numbered(i)), Buffer.alloc(40)],
    );
    await extend(lab, entries);
    const { pages } = await lab.db.check();
    // 6 bytes a slot and 4 + 40 + a rest of the key a record: at least 75 of 4,064 bytes' worth in each.
    expect(pages.leaf).to.be.at.most(Math.ceil(20_000 / 75));
    expect(pages.branch).to.be.below(5);
    await lab.close();
  });

  it('makes nothing of nothing', async () => {
    const lab = await TreeLab.open();
    await extend(lab, []);
    expect(lab.root.page).to.equal(0);
    await extend(lab, [[Buffer.from('a'), Buffer.from('b')]]);
    const before = lab.root;
    await extend(lab, []);
    expectEntries(lab.entries(), [[Buffer.from('a'), Buffer.from('b')]]);
    expect(lab.root.entries).to.equal(before.entries);
    await lab.close();
  });

  it('replaces its greatest entry', async () => {
    const lab = await TreeLab.open();
    await lab.build(async (pages, root) => {
      const load = new SortedLoad(pages, root, 1);
      const block = new EntryBlock(BLOCK_BYTES);
      for (let i = 0; i < 600; i++) {
        block.clear();
        // Every seventh is so long that its pages are to be free again.
        block.add(numbered(i), patterned(i % 7 === 0 ? 9000 : 10, i));
        block.add(numbered(i), `kept ${i}`);
        expect(await load.append(block, 0)).to.equal(2);
      }
      return load.finish();
    });
    const expected = Array.from(
      { length: 600 },
      (_, i): Pair => [Buffer.from(numbered(i)), Buffer.from(`kept ${i}`)],
    );
    await expectBuilt(lab, expected);
    await lab.close();
  });

  it('stops at a key that does not ascend, and asks about an equal one', async () => {
    const lab = await TreeLab.open();
    const asked: string[] = [];
    await lab.build(async (pages, root) => {
      const load = new SortedLoad(pages, root, 1, (block, index) => {
        asked.push(`${block.keyView(index)}=${block.valueView(index)}`);
        return 'keep';
      });
      const block = new EntryBlock(BLOCK_BYTES);
      for (const [key, value] of ['b1', 'c1', 'c2', 'd1', 'a1']) block.add(key, value);
      expect(await load.append(block, 0)).to.equal(4);
      expect(await load.append(block, 4)).to.equal(4);
      expect(await load.append(block, 3)).to.equal(4);
      return load.finish();
    });
    expect(asked).to.deep.equal(['c=2', 'd=1']);
    expect(lab.entries().map(([key, value]) => `${key}${value}`)).to.deep.equal(['b1', 'c1', 'd1']);
    await lab.close();
  });
});
