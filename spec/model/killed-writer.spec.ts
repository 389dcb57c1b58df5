// A process that commits is killed at any moment: whatever it was told is in the store, nothing is there in
// part, the lock is free, and no page is lost.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectEntries } from '../helpers/bytes.js';
import { Child } from '../helpers/child.js';
import type { ModelBucket } from '../helpers/model.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { modelAfter, STEP_KINDS, type StepKind } from '../helpers/steps.js';
import { useStores } from '../helpers/store.js';

describe('a writer that is killed', () => {
  const stores = useStores();
  const children: Child[] = [];

  afterEach('no other process is left', async () => {
    for (const child of children.splice(0)) await child.kill();
  });

  /** Lets a process commit, from step `first` on, and kills it; resolves to how many steps it has told of. */
  async function killedAfter(
    file: string,
    kind: StepKind,
    first: number,
    milliseconds: number,
  ): Promise<number> {
    const child = new Child('./child-committer.ts', [file, kind, String(first)]);
    children.push(child);
    expect(await child.line()).to.equal('open');
    const told = [await child.line()];
    await sleep(milliseconds);
    await child.kill();
    told.push(...(await child.rest()));
    told.forEach((line, index) => {
      expect(line).to.equal(String(first + index));
    });
    return first + told.length;
  }

  for (const kind of STEP_KINDS) {
    it(`has all that it was told, and at most one step more: ${kind}`, async function () {
      this.timeout(scaledMilliseconds(30_000));
      const file = await stores.path();
      let steps = 0;
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 300 }), async (milliseconds) => {
          const told = await killedAfter(file, kind, steps, milliseconds);
          const db = await stores.openAt(file, { cacheBytes: 1 });
          expect(db.recovery.clean).to.equal(false);
          // A step may have been committed that the process did not live to tell.
          const found = db.bucket('b').range().toArray();
          const models: ModelBucket[] = [modelAfter(kind, told), modelAfter(kind, told + 1)];
          const same = models.findIndex(
            (model) =>
              model.size === found.length &&
              model.range().every(([key, value], i) => key.equals(found[i][0]) && value.equals(found[i][1])),
          );
          if (same < 0) expectEntries(found, models[0].range(), `after ${told} steps`);
          if (kind === 'bulk loads') {
            const position = db.bucket('b').bulkCheckpoint('steps');
            expect(position).to.equal(told + same === 0 ? undefined : told + same - 1);
          }
          steps = told + same;
          // It is as good as any other store.
          const { pages } = db.stats();
          await db.bucket('other').put('a', String(steps));
          expect(db.stats().pages).to.be.at.least(pages);
          await stores.close(db);
        }),
        // The runs are one story: a shorter one would be another.
        seeded(1, { endOnFailure: true }),
      );
    });
  }
});
