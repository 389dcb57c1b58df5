// npm run crash:kill: kills a process that commits again and again, in every call in turn and at random times. Ends
// with one line of JSON; with what is wrong, if something is.
//
//   --rounds 200      kills
//   --seed 1          of calls, counts and times; what a process has done by a random time is not repeatable
//   --defect NAME     'acknowledges before the commit', to see that it is found

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../../helpers/random.js';
import { tellResult } from '../../helpers/run-result.js';
import type { CommitterDefect } from './committer.js';
import { KILL_CALLS, type KillPoint, killOnce, noKills, planOf } from './killed.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    defect: { type: 'string' },
  },
});

/** Steps are compared from the first on, so a store is not used for ever. */
const STEPS_MAX = 200;

const started = performance.now();
const seed = Number(values.seed);
const counts = noKills();
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'killed-'));
let where = '';

try {
  let steps = STEPS_MAX;
  for (let round = 0; round < Number(values.rounds); round++) {
    const random = Random.of(seed, round);
    if (steps >= STEPS_MAX) {
      steps = 0;
      counts.stores++;
    }
    const point: KillPoint =
      round % 2 === 0 ? KILL_CALLS[(round >>> 1) % KILL_CALLS.length] : random.below(600);
    const plan = planOf(point, random, values.defect as CommitterDefect | undefined);
    where = `\n  round ${round}, from step ${steps}, ${typeof point === 'number' ? `after ${point} ms` : JSON.stringify(plan)}`;
    const file = path.join(folder, `store ${counts.stores}`);
    steps = await killOnce(file, steps, point, plan, counts);
  }
} catch (error) {
  console.error(`${error instanceof Error ? (error.stack ?? error.message) : error}${where}`);
  process.exitCode = 1;
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}

tellResult(started, {
  seed,
  ...counts,
});
