// npm run crash:shutdown: shuts an ext4 file system down without flushing, again and again, while a process commits
// to a store on it. Needs root. Ends with one line of JSON; with what is wrong, if something is.
//
//   --rounds 50       shutdowns
//   --seed 1          of their times; what a process has done by then is not repeatable
//   --defect NAME     'syncs do nothing', to see that it is found

import { parseArgs } from 'node:util';
import { Random } from '../../helpers/random.js';
import { tellResult } from '../../helpers/run-result.js';
import type { CommitterDefect } from './committer.js';
import { Ext4, reasonAgainst } from './mounts.js';
import { shutDownOnce } from './shut-down.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
    defect: { type: 'string' },
  },
});

/** Steps are compared from the first on, so a store is not used for ever. */
const STEPS_MAX = 200;

const started = performance.now();
const seed = Number(values.seed);
const counts = { shutdowns: 0, stores: 0, steps: 0 };
const skipped = reasonAgainst(() => new Ext4());
let system: Ext4 | undefined;
let where = '';

try {
  let steps = STEPS_MAX;
  for (let round = 0; skipped === undefined && round < Number(values.rounds); round++) {
    if (steps >= STEPS_MAX) {
      system?.remove();
      system = new Ext4();
      steps = 0;
      counts.stores++;
    }
    if (system === undefined) break;
    const milliseconds = Random.of(seed, round).below(500);
    where = `\n  round ${round}, from step ${steps}, after ${milliseconds} ms`;
    const before = steps;
    steps = await shutDownOnce(system, steps, milliseconds, values.defect as CommitterDefect | undefined);
    counts.steps += steps - before;
    counts.shutdowns++;
  }
} catch (error) {
  console.error(`${error instanceof Error ? (error.stack ?? error.message) : error}${where}`);
  process.exitCode = 1;
} finally {
  system?.remove();
}

if (skipped !== undefined) console.error(`skipped: no ext4 file system can be shut down here: ${skipped}`);
tellResult(started, {
  seed,
  ...counts,
  skipped: skipped !== undefined,
});
