// A store whose process is gone, by a kill or with its file system: what the process was told must be in it.

import { type Database, open } from 'btree-store';
import { kindOf, modelAfter, STEP_KINDS } from '../../helpers/steps.js';
import { Violation } from '../oracle.js';

/**
 * Opens the store, of whose first `told` steps it was told that they are committed, and compares it: it has those,
 * and at most the one more that was under way. Then it must be whole, and take a write. Returns how many steps it
 * has. Raises a Violation.
 */
export async function verifyTold(path: string, told: number): Promise<number> {
  const db = await open(path, { cacheBytes: 1 });
  let steps: number;
  try {
    steps = stepsIn(db, told);
    await expectWhole(db, 'after it was opened');
    await db.bucket('after').put('steps', String(steps));
  } finally {
    await db.close();
  }
  const again = await open(path);
  try {
    if (!again.recovery.clean) throw new Violation('it was closed, but says that it was interrupted');
    if (again.bucket('after').get('steps')?.toString() !== String(steps))
      throw new Violation('what was written after it was opened is gone');
    await expectWhole(again, 'after a clean close');
  } finally {
    await again.close();
  }
  return steps;
}

function stepsIn(db: Database, told: number): number {
  const kind = kindOf(told);
  const steps = hasSteps(db, kind, told + 1) ? told + 1 : told;
  for (const other of STEP_KINDS)
    if (!hasSteps(db, other, steps))
      throw new Violation(
        `told of ${told} steps, its ${other} are not those of the first ${steps}, ${likeness(db, other, told)}`,
      );
  return steps;
}

/** Of which steps near by the bucket is, if of any. */
function likeness(db: Database, kind: (typeof STEP_KINDS)[number], told: number): string {
  const near = Array.from({ length: 12 }, (_, i) => told - 8 + i).filter((steps) => steps >= 0);
  const like = near.filter((steps) => hasSteps(db, kind, steps));
  return like.length === 0 ? 'nor of any near by' : `but of ${like.join(', ')}`;
}

function hasSteps(db: Database, kind: (typeof STEP_KINDS)[number], steps: number): boolean {
  const expected = modelAfter(kind, steps).range();
  const found = db.bucket(kind).range().toArray();
  return (
    found.length === expected.length &&
    expected.every(([key, value], i) => key.equals(found[i][0]) && value.equals(found[i][1]))
  );
}

async function expectWhole(db: Database, when: string): Promise<void> {
  const report = await db.check();
  if (!report.ok) throw new Violation(`its check ${when}: ${JSON.stringify(report.problems.slice(0, 5))}`);
}
