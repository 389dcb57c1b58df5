// A process that commits is killed at any moment: whatever it was told is in the store, nothing is there in
// part, the lock is free, and no page is lost.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { expectEntries } from '../helpers/bytes.js';
import { Child } from '../helpers/child.js';
import { scaledMilliseconds, seeded } from '../helpers/seed.js';
import { kindOf, modelAfter, STEP_KINDS } from '../helpers/steps.js';
import { useStores } from '../helpers/store.js';

describe('a writer that is killed', () => {
  const stores = useStores();
  const children: Child[] = [];

  afterEach('no other process is left', async () => {
    for (const child of children.splice(0)) await child.kill();
  });

  /** Lets a process commit, from step `first` on, and kills it; resolves to the step that it did not tell of. */
  async function killedAfter(file: string, first: number, milliseconds: number): Promise<number> {
    const child = new Child('./child-committer.ts', [file, String(first)]);
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

  /** How many steps are in the store: those that were told of, and perhaps the one that was under way. */
  function stepsIn(db: Database, told: number): number {
    const kind = kindOf(told);
    const found = db.bucket(kind).range().toArray();
    const model = modelAfter(kind, told + 1);
    const isNext =
      model.size === found.length &&
      model.range().every(([key, value], i) => key.equals(found[i][0]) && value.equals(found[i][1]));
    return isNext ? told + 1 : told;
  }

  it('has all that it was told, and at most one step more', async function () {
    this.timeout(scaledMilliseconds(30_000));
    const file = await stores.path();
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 500 }), async (milliseconds) => {
        const told = await killedAfter(file, steps, milliseconds);
        const db = await stores.openAt(file, { cacheBytes: 1 });
        expect(db.recovery.clean).to.equal(false);
        steps = stepsIn(db, told);
        for (const kind of STEP_KINDS) {
          const expected = modelAfter(kind, steps).range();
          expectEntries(db.bucket(kind).range().toArray(), expected, `${kind} after ${steps} steps`);
        }
        const loads = Array.from({ length: steps }, (_, step) => step).filter(
          (step) => kindOf(step) === 'bulk loads',
        );
        expect(db.bucket('bulk loads').bulkCheckpoint('steps')).to.equal(loads.at(-1));
        // It is as good as any other store.
        await db.bucket('other').put('a', String(steps));
        await stores.close(db);
      }),
      // The runs are one story: a shorter one would be another.
      seeded(2, { endOnFailure: true }),
    );
  });
});
