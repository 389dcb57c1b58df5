// npm run crash:faults: lets every call that the workloads make on the disk fail, once and then for good, in every
// way that it can. Ends with one line of JSON; with what is wrong, and how to repeat it, if something is.
//
//   --seed 1            of what is written and of the time that calls take
//   --step 1            takes every so many-th way only
//   --ways 6000         of each workload at the most: of one that has more, ways are left out evenly, and counted
//   --workload NAME --fault N     only that

import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';

process.env.BTREE_STORE_ASSERT = '1';
const { callsOf, faultPlans, runWithFault } = await import('./failing-disk.js');
const { WORKLOADS } = await import('./workloads.js');

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    ways: { type: 'string', default: '6000' },
    workload: { type: 'string' },
    fault: { type: 'string' },
  },
});

const started = performance.now();
const seed = Number(values.seed);
const counts = { workloads: 0, faults: 0, leftOut: 0, images: 0 };
let where = '';
process.on('unhandledRejection', (error) => {
  console.error(`a promise was rejected and no one handled it${where}:`, error);
  process.exitCode = 1;
});

try {
  for (const workload of WORKLOADS) {
    if ((values.workload ?? workload.name) !== workload.name) continue;
    counts.workloads++;
    const plans = [...faultPlans(await callsOf(workload, seed))];
    const step = Number(values.step) * Math.ceil(plans.length / Number(values.ways));
    for (const [at, plan] of plans.entries()) {
      const isTurn = values.fault === undefined ? at % step === 0 : at === Number(values.fault);
      if (!isTurn) {
        counts.leftOut++;
        continue;
      }
      where = `\n  repeat it with: npm run crash:faults -- --seed ${seed} --workload ${JSON.stringify(workload.name)} --fault ${at}`;
      counts.images += await runWithFault(workload, seed, plan);
      counts.faults++;
    }
  }
} catch (error) {
  console.error(`${error instanceof Error ? error.message : error}${where}`);
  process.exitCode = 1;
}

tellResult(started, {
  seed,
  ...counts,
});
