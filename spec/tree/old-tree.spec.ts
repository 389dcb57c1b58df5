// lib/tree/old-tree.ts and sorted-load.ts: sorted runs merged into trees that hold entries already.

import { expect } from 'chai';
import type { OnDuplicate } from '../../lib/tree/sorted-load.js';
import { SortedLoad } from '../../lib/tree/sorted-load.js';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { load, pairs } from '../helpers/loads.js';
import { Random } from '../helpers/random.js';
import { scaledTimes, seed } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';
import { TreeLab, TreeModel } from '../helpers/tree-lab.js';
import { blocksOf, type Pair, shapes } from '../helpers/tree-shapes.js';

function merge(lab: TreeLab, run: readonly Pair[], entriesMax: number, onDuplicate: OnDuplicate, fill = 1) {
  return lab.build(async (pages, root) => {
    const sorted = new SortedLoad(pages, root, fill, onDuplicate);
    for (const block of blocksOf(run, entriesMax))
      expect(await sorted.append(block, 0)).to.equal(block.count);
    return sorted.finish();
  });
}

/** Which of `count` entries a run has. */
const RUNS: Readonly<Record<string, (random: Random, count: number) => (index: number) => boolean>> = {
  'a few anywhere': (random) => () => random.chance(0.02),
  'every other': () => (index) => index % 2 === 1,
  'most of them': (random) => () => random.chance(0.8),
  'a narrow range': (random, count) => {
    const from = random.below(count);
    return (index) => index >= from && index < from + 40;
  },
  'the first ones': (_, count) => (index) => index < count / 20,
  'the last ones': (_, count) => (index) => index > count * 0.95,
  'one alone': (random, count) => {
    const only = random.below(count);
    return (index) => index === only;
  },
  'here and there in groups': (random) => () => random.chance(0.5) && random.below(20) > 17,
};

describe('a sorted run merged into a tree', () => {
  const stores = useStores();

  for (const [what, pageSize, count, entryOf] of shapes) {
    it(`is found there with all that was there before: ${what}`, async () => {
      const random = Random.of(seed, count);
      const lab = await TreeLab.open(pageSize);
      const model = new TreeModel();
      for (let round = 0; round < scaledTimes(12); round++) {
        const has = random.pick(Object.values(RUNS))(random, count);
        const kept = random.chance(0.5);
        const run: Pair[] = [];
        for (let i = 0; i < count; i++) {
          if (!has(i)) continue;
          const [key, value] = entryOf(i);
          // Values of other lengths than those that are replaced, and keys that come twice.
          run.push([key, value.subarray(round % 3)]);
          if (random.chance(0.02)) run.push([key, patterned(random.below(2 * value.length + 2), round)]);
        }
        for (const [key, value] of run) if (!kept || model.get(key) === undefined) model.put(key, value);
        const fill = random.pick([1, 1, 0.7, 0.5, 0.3]);
        await merge(lab, run, 1 + random.below(400), () => (kept ? 'keep' : 'replace'), fill);
        expectEntries(lab.entries(), model.entries());
        await lab.expectWhole();
      }
      // The ordinary ways go on in what merges left.
      await lab.edit((edits) => {
        for (let i = 0; i < count; i += 3)
          expect(edits.delete(entryOf(i)[0])).to.equal(model.delete(entryOf(i)[0]));
        for (let i = 1; i < count; i += 5) {
          const [key] = entryOf(i);
          expect(edits.put(key, patterned(7, i))).to.equal(model.put(key, patterned(7, i)));
        }
      });
      expectEntries(lab.entries(), model.entries());
      await lab.close();
    });
  }

  it('fits branches of separators that share nearly all, until one comes that shares nothing', async () => {
    for (const [turn, fill] of [1, 0.5, 0.3, 1, 0.5, 1].entries()) {
      const lab = await TreeLab.open();
      const model = new TreeModel();
      const random = Random.of(seed, turn);
      const entry = (key: string): Pair => [Buffer.from(key), patterned(700, key.length)];
      const long = (i: number): Pair => entry(numbered(i, 'a'.repeat(960)));
      const short = (prefix: string, count: number): Pair[] =>
        Array.from({ length: count }, (_, i) => entry(numbered(i, prefix)));
      // What ends a branch comes after some more of a kind that fits by far.
      const longs = (count: number): Pair[] => Array.from({ length: count }, (_, i) => long(i * 4));
      const rounds = [
        short('b', 60),
        [...longs(1000 + random.below(600)), ...short('ac', 40)],
        [...Array.from({ length: 300 }, (_, i) => long(i * 4 + 1)), ...short('ab', 20)],
        [entry('aa'), ...Array.from({ length: 200 }, () => long(random.below(4000)))],
      ];
      for (const round of rounds) {
        const run = [...new Map(round.map((pair) => [pair[0].toString(), pair])).values()];
        run.sort(([a], [b]) => Buffer.compare(a, b));
        for (const [key, value] of run) model.put(key, value);
        await merge(lab, run, 50, () => 'replace', fill);
        expectEntries(lab.entries(), model.entries());
        await lab.expectWhole();
      }
      await lab.close();
    }
  });

  it('leaves pages well filled, however narrow or many the runs', async () => {
    for (const each of [1, 3, 40, 500]) {
      const lab = await TreeLab.open();
      const random = Random.of(seed, each);
      const count = 20_000;
      const entry = (i: number): Pair => [Buffer.from(numbered(i)), patterned(100, i)];
      await merge(
        lab,
        Array.from({ length: count / 2 }, (_, i) => entry(2 * i)),
        1000,
        () => 'replace',
      );
      for (let round = 0; round < 60; round++) {
        const from = random.below(count - 2 * each);
        const run = Array.from({ length: each }, (_, i) => entry(((from >>> 1) + i) * 2 + 1));
        await merge(lab, run, 1000, () => 'replace');
      }
      const { bucketReports } = await lab.db.check();
      expect(bucketReports[0].averageLeafFill, `runs of ${each}`).to.be.above(0.6);
      expect(bucketReports[0].averageBranchFill, `runs of ${each}`).to.be.above(0.35);
      await lab.close();
    }
  });

  it('writes the pages that it touches, and shares all others', async () => {
    const db = await stores.open({ durability: 'none' });
    const bucket = db.bucket('b');
    await load(bucket, pairs(0, 1_000_000, 0, 40), { fillFactor: 0.9 });
    const reader = db.snapshot();
    const before = db.stats();
    const writer = bucket.bulkWriter();
    for (let i = 0; i < 1000; i++)
      if (!writer.add(`${numbered(500_000 + i)} more`, patterned(40, i))) await writer.drained();
    const { entries } = await writer.finish();
    expect(entries).to.equal(1000);
    expect(db.stats().pagesWritten - before.pagesWritten).to.be.below(64);
    expect(db.stats().pagesRead - before.pagesRead).to.be.below(100);
    expect(bucket.range().count()).to.equal(1_001_000);
    expect(reader.bucket('b').range().count()).to.equal(1_000_000);
    expect(bucket.range({ gte: numbered(500_000), lt: numbered(501_001) }).count()).to.equal(2001);
    reader.release();
  });
});
