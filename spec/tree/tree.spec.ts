// lib/tree/insert.ts, delete.ts and lookup.ts: a tree against a sorted map, checked after every transaction.

import { expect } from 'chai';
import fc from 'fast-check';
import { keyBytesMax } from '../../lib/format/node.js';
import type { PageSize } from '../../lib/format/page.js';
import { contains, lookup } from '../../lib/tree/lookup.js';
import { expectEntries, numbered, patterned, valueLengths } from '../helpers/bytes.js';
import { nodeKeys } from '../helpers/format-keys.js';
import { Random } from '../helpers/random.js';
import { scaledMilliseconds, seed, seeded } from '../helpers/seed.js';
import { TreeLab, TreeModel } from '../helpers/tree-lab.js';

/** Keys of which some collide, some share nearly all, and some are many and short. */
const keysOf = (pageSize: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 3, arbitrary: nodeKeys(keyBytesMax(pageSize)) },
    { weight: 4, arbitrary: fc.nat(400).map((index) => Buffer.from(numbered(index))) },
    {
      weight: 3,
      arbitrary: fc
        .nat(60)
        .map((index) => Buffer.from(numbered(index, 'p'.repeat(keyBytesMax(pageSize) - 8)))),
    },
  );

const valueLengthsOf = (pageSize: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 6, arbitrary: fc.nat(60) },
    { weight: 3, arbitrary: fc.nat(pageSize >>> 2) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...valueLengths(pageSize).filter((length) => length < 4 * pageSize)),
    },
  );

type Step = { kind: 'put'; key: Buffer; length: number } | { kind: 'delete'; key: Buffer };

const stepsOf = (pageSize: number): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('put' as const),
          key: keysOf(pageSize),
          length: valueLengthsOf(pageSize),
        }),
      },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: keysOf(pageSize) }) },
    ),
    { maxLength: 150, size: 'max' },
  );

async function apply(lab: TreeLab, model: TreeModel, steps: readonly Step[], salt: number): Promise<void> {
  await lab.edit((edits) => {
    steps.forEach((step, index) => {
      if (step.kind === 'put') {
        const value = patterned(step.length, salt + index);
        expect(edits.put(step.key, value)).to.equal(model.put(step.key, value));
      } else expect(edits.delete(step.key)).to.equal(model.delete(step.key));
      expect(edits.tree.entries).to.equal(model.size);
    });
  });
}

async function expectSame(lab: TreeLab, model: TreeModel, probes: Iterable<Buffer> = []): Promise<void> {
  const expected = model.entries();
  expectEntries(lab.entries(), expected, 'forwards');
  expectEntries(lab.entries({}, true), expected.reverse(), 'backwards');
  for (const key of probes) {
    const { pager, root } = lab;
    expect(contains(pager, root, key, key.length)).to.equal(model.get(key) !== undefined);
    expect(lookup(pager, root, key, key.length)).to.deep.equal(model.get(key));
  }
  await lab.expectWhole();
}

/** Two and two share all but their last byte: what separates them is long, and no two pairs share much. */
const pairedKey = (index: number): Buffer =>
  Buffer.from(`${String(index >>> 1).padStart(5, '0')}${'y'.repeat(1015)}${index & 1}`);

describe('tree', () => {
  for (const [pageSize, runs] of [
    [4096, 18],
    [65536, 3],
  ] as const) {
    it(`holds what a sorted map would, with pages of ${pageSize}`, async () => {
      const batches = fc.array(stepsOf(pageSize), { minLength: 1, maxLength: 4 });
      await fc.assert(
        fc.asyncProperty(batches, async (transactions) => {
          const lab = await TreeLab.open(pageSize);
          const model = new TreeModel();
          for (const [salt, steps] of transactions.entries()) {
            await apply(lab, model, steps, salt * 1000);
            await expectSame(
              lab,
              model,
              steps.map(({ key }) => key),
            );
          }
          await lab.close();
        }),
        seeded(runs),
      );
    }).timeout(scaledMilliseconds(20_000));
  }

  describe('emptied', () => {
    const shapes: ReadonlyArray<
      [what: string, pageSize: PageSize, entries: number, key: (index: number) => string]
    > = [
      ['of short keys', 4096, 3000, (index) => numbered(index)],
      ['of keys at the limit', 4096, 350, (index) => `${numbered(index)}${'x'.repeat(1015)}`],
      ['of keys at the limit that share nearly all', 4096, 350, (index) => numbered(index, 'p'.repeat(1016))],
      [
        'of keys that differ in their last bytes only now and then',
        4096,
        600,
        (index) => {
          const group = String(index >>> 3).padStart(4, '0');
          return `${group}${'y'.repeat(700)}${index & 7}`;
        },
      ],
      // A few children a branch: many levels.
      ['of keys of which two share nearly all', 4096, 500, (index) => pairedKey(index).toString()],
      ['of the largest pages', 65536, 400, (index) => `${numbered(index)}${'x'.repeat(16_000)}`],
    ];
    for (const [what, pageSize, entries, keyOf] of shapes) {
      for (const order of ['ascending', 'descending', 'any'] as const) {
        it(`${what}, in ${order} order`, async () => {
          const lab = await TreeLab.open(pageSize);
          const model = new TreeModel();
          const random = new Random(seed);
          const keys = Array.from({ length: entries }, (_, index) => Buffer.from(keyOf(index)));
          await lab.edit((edits) => {
            for (const key of random.shuffle([...keys])) {
              const value = patterned(random.below(30), key.length);
              edits.put(key, value);
              model.put(key, value);
            }
          });
          await expectSame(lab, model);
          const deepest = lab.depth;
          expect(deepest).to.be.at.least(2);
          const doomed =
            order === 'any' ? random.shuffle([...keys]) : order === 'ascending' ? keys : [...keys].reverse();
          const step = Math.ceil(entries / 6);
          for (let from = 0; from < entries; from += step) {
            await lab.edit((edits) => {
              for (const key of doomed.slice(from, from + step))
                expect(edits.delete(key)).to.equal(model.delete(key));
            });
            await expectSame(lab, model);
            expect(lab.depth).to.be.at.most(deepest);
          }
          expect(lab.depth).to.equal(0);
          expect(lab.root).to.deep.equal({ page: 0, stamp: 0, entries: 0, large: false });
          const { pages } = await lab.db.check();
          expect([pages.leaf, pages.branch, pages.value]).to.deep.equal([1, 0, 0]);
          await lab.close();
        });
      }
    }
  });

  it('becomes lower as it becomes smaller, and its pages come free', async () => {
    const lab = await TreeLab.open();
    const keys = Array.from({ length: 2000 }, (_, index) => pairedKey(index));
    await lab.edit((edits) => {
      for (const key of keys) edits.put(key, Buffer.alloc(20));
    });
    const before = (await lab.db.check()).pages;
    const depth = lab.depth;
    expect(depth).to.be.at.least(3);
    await lab.edit((edits) => {
      keys.forEach((key, index) => {
        if (index % 100 !== 0) edits.delete(key);
      });
    });
    const after = (await lab.db.check()).pages;
    expect(lab.depth).to.be.below(depth);
    expect(after.leaf).to.be.below(before.leaf / 10);
    expect(after.branch).to.be.below(before.branch / 5);
    await lab.close();
  });

  it('leaves full leaves behind where keys ascend', async () => {
    const lab = await TreeLab.open();
    await lab.edit((edits) => {
      for (let i = 0; i < 5000; i++) edits.put(Buffer.from(numbered(i)), Buffer.alloc(40));
    });
    const { pages } = await lab.db.check();
    // 6 bytes a slot, 4 + 40 a record and 1 for the key past prefix and head, in 4,064 bytes.
    expect(pages.leaf).to.be.below((5000 * 54) / 4000 + 8);
    await lab.close();
  });

  it('gives up the pages of a large value that is replaced, shortened or deleted', async () => {
    const lab = await TreeLab.open();
    const key = Buffer.from('k');
    for (const length of [100_000, 50_000, 5, 70_000, 9000, 0, 200_000]) {
      await lab.edit((edits) => edits.put(key, patterned(length, length)));
      expect(lookup(lab.pager, lab.root, key, 1)?.equals(patterned(length, length))).to.equal(true);
      const { pages } = await lab.db.check();
      expect(pages.value, `${length}`).to.equal(length > 1024 ? Math.ceil((length - 512) / 4064) : 0);
      await lab.expectWhole();
    }
    await lab.edit((edits) => edits.delete(key));
    expect((await lab.db.check()).pages.value).to.equal(0);
    await lab.close();
  });

  it('copies nothing for the delete of a key that is not there', async () => {
    const lab = await TreeLab.open();
    await lab.edit((edits) => edits.put(Buffer.from('a'), Buffer.alloc(3)));
    await lab.edit((edits) => {
      expect(edits.delete(Buffer.from('b'))).to.equal(false);
      expect(edits.pages.bornPages.length).to.equal(0);
    });
    await lab.close();
  });

  it('takes the empty key, and keys of zeros and of all ones', async () => {
    const lab = await TreeLab.open();
    const model = new TreeModel();
    const keys: Buffer[] = [];
    for (const fill of [0x00, 0xff])
      for (let length = 0; length <= 1024; length += length < 12 ? 1 : 101)
        keys.push(Buffer.alloc(length, fill));
    await lab.edit((edits) => {
      for (const key of keys) expect(edits.put(key, key)).to.equal(model.put(key, key));
    });
    await expectSame(lab, model, keys);
    await lab.close();
  });
});
