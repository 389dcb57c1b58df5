// Kills processes that commit, at random and in exact calls, and looks at what they leave.

import { setTimeout as sleep } from 'node:timers/promises';
import type { CallName } from '../../fault/failing-calls.js';
import { Child } from '../../helpers/child.js';
import type { Random } from '../../helpers/random.js';
import { Violation } from '../oracle.js';
import type { CommitterPlan } from './committer.js';
import { verifyTold } from './told-store.js';

/** Calls in which a process that writes a store can be killed. */
export const KILL_CALLS: readonly CallName[] = [
  'openSync',
  'fstatSync',
  'readSync',
  'writeSync',
  'write',
  'fdatasync',
  'ftruncateSync',
  'fsyncSync',
  'rmSync',
  'close',
];
const WRITES: readonly CallName[] = ['writeSync', 'write'];
/** Of calls that come often a later one may be the last, so that commits are cut too, not the opening alone. */
const OFTEN: readonly CallName[] = ['readSync', 'writeSync', 'write', 'fdatasync'];
const COUNT_MAX = 25;

export interface KillCounts {
  kills: number;
  stores: number;
  steps: number;
  /** Kills in each call, and at a random time. */
  readonly calls: Record<string, number>;
}

export function noKills(): KillCounts {
  return { kills: 0, stores: 0, steps: 0, calls: {} };
}

/** When to kill: in this call, or after so many milliseconds. */
export type KillPoint = CallName | number;

export function planOf(point: KillPoint, random: Random, defect: CommitterPlan['defect']): CommitterPlan {
  if (typeof point === 'number') return { defect };
  const count = random.below(OFTEN.includes(point) ? COUNT_MAX : 3);
  return { defect, kill: { call: point, count, part: WRITES.includes(point) && random.chance(0.5) } };
}

/** Lets a process commit from step `first` on, kills it, and returns how many steps the store has then. */
export async function killOnce(
  path: string,
  first: number,
  point: KillPoint,
  plan: CommitterPlan,
  counts: KillCounts,
): Promise<number> {
  const child = new Child('../crash/real/committer.ts', [path, String(first), JSON.stringify(plan)]);
  try {
    if (typeof point === 'number') {
      await child.line();
      await sleep(point);
      await child.kill();
    } else await child.ended();
  } finally {
    await child.kill();
  }
  const lines = await child.rest();
  const steps = lines.filter((line) => /^\d+$/.test(line)).map(Number);
  for (const [i, step] of steps.entries())
    if (step !== first + i) throw new Violation(`it told of step ${step} after ${i} from ${first}`);
  if (typeof point !== 'number' && lines.at(-1) !== `in ${point}`)
    throw new Violation(`it ended elsewhere than in ${point}, after ${lines.at(-1)}`);
  counts.kills++;
  counts.calls[typeof point === 'number' ? 'random' : point] =
    (counts.calls[typeof point === 'number' ? 'random' : point] ?? 0) + 1;
  counts.steps += steps.length;
  return verifyTold(path, first + steps.length);
}
