// lib/sort/external-sort.ts and what it stands on: order, duplicates, passes, damage, failing files.

import { expect } from 'chai';
import fc from 'fast-check';
import { StoreError } from '../../lib/errors.js';
import type { OnDuplicate } from '../../lib/sort/duplicate.js';
import { ExternalSort } from '../../lib/sort/external-sort.js';
import type { SortShape } from '../../lib/sort/sort-shape.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { expectEntries, numbered, patterned } from '../helpers/bytes.js';
import { rejected } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { seed, seeded } from '../helpers/seed.js';
import { addAll, drained, type Item, MemoryRuns, settingsOf, sortedOnce, TINY } from '../helpers/sort-lab.js';

const SHAPES: SortShape[] = [
  TINY,
  { memoryBytes: 4096, pieceBytes: 256, writeBytes: 256, fanIn: 2 },
  { memoryBytes: 8192, pieceBytes: 512, writeBytes: 1024, fanIn: 6 },
  { memoryBytes: 65_536, pieceBytes: 256, writeBytes: 2048, fanIn: 100 },
];

const random = Random.of(seed, 72);

function shuffledItems(count: number, valueBytes = 40): Item[] {
  return random.shuffle(
    Array.from({ length: count }, (_, i): Item => [Buffer.from(numbered(i)), patterned(valueBytes, i)]),
  );
}

function expectItems(found: readonly Item[], expected: readonly Item[]): void {
  expectEntries(
    found.map(([key, value]) => [key, value]),
    expected.map(([key, value]) => [key, value]),
  );
}

/** A file that fails at one of its calls, as the disk would. */
class FailingFile extends MemoryFile {
  constructor(
    path: string,
    private readonly countdown: { left: number; readonly call: 'read' | 'write' },
    private readonly failure: StoreError,
  ) {
    super(path);
  }

  override async read(target: Buffer, offset: number, length: number, position: number): Promise<number> {
    await this.maybeFail('read');
    return super.read(target, offset, length, position);
  }

  override async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    await this.maybeFail('write');
    return super.write(source, offset, length, position);
  }

  private async maybeFail(call: 'read' | 'write'): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.countdown.call === call && this.countdown.left-- === 0) throw this.failure;
  }
}

describe('an external sort', () => {
  describe('with entries of every kind', () => {
    const key = fc.oneof(
      fc.nat(40).map((index) => Buffer.from(numbered(index))),
      fc.array(fc.constantFrom(0, 1, 97, 255), { maxLength: 14 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(9).map((index) => Buffer.concat([Buffer.alloc(90, 'p'), Buffer.from(String(index))])),
    );
    const length = fc.oneof(
      { weight: 20, arbitrary: fc.nat(60) },
      { weight: 3, arbitrary: fc.integer({ min: 200, max: 260 }) },
      { weight: 1, arbitrary: fc.integer({ min: 400, max: 9000 }) },
      { weight: 1, arbitrary: fc.integer({ min: 16_380, max: 20_000 }) },
    );
    const items = fc
      .array(fc.tuple(key, length), { maxLength: 500, size: 'max' })
      .map((shapes) => shapes.map(([itemKey, bytes], i): Item => [itemKey, patterned(bytes, i)]));

    for (const onDuplicate of ['replace', 'keep'] as const) {
      it(`hands out each key once, in order: ${onDuplicate}`, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.array(items, { minLength: 1, maxLength: 3 }),
            fc.constantFrom(...SHAPES),
            fc.integer({ min: 1, max: 100 }),
            async (parts, shape, perBlock) => {
              const files = new MemoryRuns();
              const sort = new ExternalSort(settingsOf(files, { shape, onDuplicate }));
              let duplicates = 0;
              for (const part of parts) {
                await addAll(sort, part, perBlock);
                expect(sort.isEmpty).to.equal(part.length === 0);
                const expected = sortedOnce(part, onDuplicate);
                expectItems((await drained(sort)).items, expected);
                duplicates += part.length - expected.length;
                expect(sort.duplicates).to.equal(duplicates);
                expect(sort.isEmpty).to.equal(true);
                expect(files.kept.size).to.equal(0);
              }
            },
          ),
          seeded(40),
        );
      });
    }

    it('error: raises for the first key that comes twice, and only then', async () => {
      await fc.assert(
        fc.asyncProperty(items, fc.constantFrom(...SHAPES), async (part, shape) => {
          const files = new MemoryRuns();
          const sort = new ExternalSort(settingsOf(files, { shape, onDuplicate: 'error' }));
          const expected = sortedOnce(part, 'keep');
          const run = async (): Promise<Item[]> => {
            await addAll(sort, part);
            return (await drained(sort)).items;
          };
          if (expected.length === part.length) expectItems(await run(), expected);
          else {
            const error = await rejected('DUPLICATE_KEY', run());
            const twice = part.filter(([itemKey]) => itemKey.equals(error.details.key as Buffer));
            expect(twice.length).to.be.at.least(2);
          }
          await sort.discard();
          expect(files.kept.size).to.equal(0);
        }),
        seeded(60),
      );
    });
  });

  it('takes no file for what fits into its memory', async () => {
    const files = new MemoryRuns();
    const sort = new ExternalSort(settingsOf(files));
    const items = shuffledItems(30);
    await addAll(sort, items);
    expectItems((await drained(sort)).items, sortedOnce(items, 'replace'));
    expect(files.made).to.deep.equal([]);
  });

  it('merges in several passes where there are too many runs, and drops each file once it was read', async () => {
    const files = new MemoryRuns();
    const sort = new ExternalSort(settingsOf(files));
    const items = shuffledItems(1500);
    await addAll(sort, items);
    expect(files.made.length).to.equal(1);
    let keptMost = 0;
    await sort.drain(
      async () => {
        keptMost = Math.max(keptMost, files.kept.size);
      },
      () => ({ entries: 100, bytes: 1e9 }),
    );
    // 40 runs, three at a time: 14 and less after the first pass, 5 after the second, 3 after the third.
    expect(files.made.length).to.be.at.least(4);
    expect(keptMost).to.be.at.most(2);
    expect(files.kept.size).to.equal(0);
  });

  it('hands out blocks that end where a commit is due', async () => {
    for (const count of [20, 700]) {
      const sort = new ExternalSort(settingsOf(new MemoryRuns()));
      await addAll(sort, shuffledItems(count, 91));
      const byEntries = await drained(sort, { entries: 9, bytes: 1e9 });
      expect(new Set(byEntries.counts.slice(0, -1)), 'entries').to.deep.equal(new Set([9]));
      await addAll(sort, shuffledItems(count, 91));
      const byBytes = await drained(sort, { entries: 1e9, bytes: 550 });
      // 100 bytes an entry: the sixth is the one that reaches 550.
      expect(new Set(byBytes.counts.slice(0, -1)), 'bytes').to.deep.equal(new Set([6]));
    }
  });

  for (const onDuplicate of ['replace', 'keep'] as const) {
    it(`drops duplicates of values longer than all its memory: ${onDuplicate}`, async () => {
      const sort = new ExternalSort(settingsOf(new MemoryRuns(), { onDuplicate }));
      const items = ['b', 'a', 'b', 'c', 'a', 'b'].map(
        (key, i): Item => [Buffer.from(key), patterned(i % 2 === 0 ? 10_000 + i : 30_000 + i, i)],
      );
      await addAll(sort, items, 2);
      expectItems((await drained(sort)).items, sortedOnce(items, onDuplicate));
      expect(sort.duplicates).to.equal(3);
    });
  }

  describe('finds damage in a run', () => {
    const items = shuffledItems(120, 30);
    const longOnes = [...items.slice(0, 30), [Buffer.from('long'), patterned(5000, 1)] as const];
    const expected = sortedOnce(items, 'replace');

    /** Sorts with the damage done between writing and reading. */
    async function sortDamaged(
      given: readonly Item[],
      damage: (file: StoreFile) => unknown,
    ): Promise<Item[]> {
      const files = new MemoryRuns();
      const sort = new ExternalSort(settingsOf(files, { shape: { ...TINY, fanIn: 6 } }));
      await addAll(sort, given);
      await damage(files.made[0]);
      try {
        return (await drained(sort)).items;
      } finally {
        await sort.discard();
        expect(files.kept.size).to.equal(0);
      }
    }

    function flip(file: StoreFile, position: number, bits: number): void {
      const byte = Buffer.alloc(1);
      file.readSync(byte, 0, 1, position);
      byte[0] ^= bits;
      file.writeSync(byte, 0, 1, position);
    }

    for (const [what, given] of [
      ['short records', items],
      ['a record of many pieces', longOnes],
    ] as const) {
      it(`in any byte of it: ${what}`, async () => {
        const goal = sortedOnce(given, 'replace');
        let size = Number.POSITIVE_INFINITY;
        let found = 0;
        let left = 0;
        // Seven and the length of a piece have no divisor in common: places of every kind get their turn.
        for (let position = random.below(7); position < size; position += 7) {
          let isUsed = false;
          const result = sortDamaged(given, (file) => {
            size = file.size();
            const header = Buffer.alloc(8);
            file.readSync(header, 0, 8, position - (position % 256));
            isUsed = position % 256 < 16 + header.readUInt32LE(4);
            flip(file, position, 1 << random.below(8));
          });
          const outcome = await result.then(
            (items) => ({ items }),
            (error: unknown) => ({ error }),
          );
          if (isUsed) {
            const error = await rejected('RUN_CORRUPT', result);
            expect(error.details).to.deep.equal({ path: 'run-0', piece: Math.floor(position / 256) });
            found++;
          } else if ('items' in outcome) {
            // What is behind a piece's records is never looked at.
            expectItems(outcome.items, goal);
            left++;
          } else throw outcome.error;
        }
        expect(found).to.be.above(100);
        expect(left).to.be.above(0);
      });
    }

    it('where pieces have changed places', async () => {
      for (const other of [1, 5]) {
        const error = await rejected(
          'RUN_CORRUPT',
          sortDamaged(items, (file) => {
            const bytes = Buffer.alloc(512);
            file.readSync(bytes, 0, 256, 0);
            file.readSync(bytes, 256, 256, other * 256);
            file.writeSync(bytes, 256, 256, 0);
            file.writeSync(bytes, 0, 256, other * 256);
          }),
        );
        expect(error.message).to.contain('not the one');
      }
    });

    it('where the file was cut off', async () => {
      for (const cut of [256, 1000, 2000])
        await rejected(
          'RUN_CORRUPT',
          sortDamaged(items, (file) => file.truncate(file.size() - cut)),
        );
    });

    it('and none where there is none', async () => {
      expectItems(await sortDamaged(items, () => undefined), expected);
    });
  });

  describe('where the system refuses', () => {
    const items = shuffledItems(700);
    const failures = [
      ['write', new StoreError('DISK_FULL', 'no space left')],
      ['read', new StoreError('IO_ERROR', 'the disk is gone')],
    ] as const;
    for (const [call, failure] of failures) {
      it(`to ${call} at any time: raises ${failure.code}, and lets everything go`, async () => {
        let failed = 0;
        for (let left = 0; ; left += 3) {
          const countdown = { left, call };
          const files = new MemoryRuns((path) => new FailingFile(path, countdown, failure));
          const sort = new ExternalSort(settingsOf(files));
          const handed: Item[] = [];
          const run = async (): Promise<void> => {
            await addAll(sort, items);
            await sort.drain(
              async (block) => {
                for (let i = 0; i < block.count; i++)
                  handed.push([Buffer.from(block.keyView(i)), Buffer.from(block.valueView(i))]);
              },
              () => ({ entries: 20, bytes: 1e9 }),
            );
          };
          const error = await run().then(
            () => undefined,
            (raised: unknown) => raised,
          );
          await sort.discard();
          expect(files.kept.size).to.equal(0);
          // What was handed out before is right as far as it goes.
          expectItems(handed, sortedOnce(items, 'replace').slice(0, handed.length));
          if (error === undefined) break;
          expect(error).to.equal(failure);
          failed++;
        }
        expect(failed).to.be.above(20);
      });
    }

    it('to make a file: raises that', async () => {
      const failure = new StoreError('IO_ERROR', 'the folder may not be written');
      const files = new MemoryRuns(() => {
        throw failure;
      });
      const sort = new ExternalSort(settingsOf(files));
      expect(await addAll(sort, items).catch((error: unknown) => error)).to.equal(failure);
      await sort.discard();
    });
  });

  it('ends at any breath, and lets everything go', async () => {
    const items = shuffledItems(700);
    const stopped = new Error('stopped');
    let ended = 0;
    for (let left = 0; ; left += 7) {
      let breaths = left;
      const files = new MemoryRuns();
      const pause = async (): Promise<void> => {
        if (breaths-- === 0) throw stopped;
      };
      const sort = new ExternalSort(settingsOf(files, { pause }));
      const run = addAll(sort, items).then(() => drained(sort, { entries: 50, bytes: 1e9 }));
      const error = await run.then(
        () => undefined,
        (raised: unknown) => raised,
      );
      await sort.discard();
      expect(files.kept.size).to.equal(0);
      if (error === undefined) break;
      expect(error).to.equal(stopped);
      ended++;
    }
    expect(ended).to.be.above(20);
  });

  it('is stable over runs: of one key in each run the one that is to stay does', async () => {
    for (const onDuplicate of ['replace', 'keep'] satisfies OnDuplicate[]) {
      const sort = new ExternalSort(settingsOf(new MemoryRuns(), { onDuplicate }));
      const items = Array.from({ length: 800 }, (_, i): Item => [Buffer.from('k'), patterned(100, i)]);
      await addAll(sort, items);
      expectItems((await drained(sort)).items, [onDuplicate === 'replace' ? items[799] : items[0]]);
      expect(sort.duplicates).to.equal(799);
    }
  });
});
