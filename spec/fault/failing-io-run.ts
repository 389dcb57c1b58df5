// npm run fault:io: lets every system call that the workloads make on real files fail, be interrupted or come back
// short. Ends with one line of JSON; with what is wrong, and how to repeat it, if something is.
//
//   --seed 1            of what is written
//   --step 1            takes every so many-th way only
//   --workload NAME --fault N     only that
//   --defect NAME       plants a defect of failing-io-defects.ts, to see that it is found

import { parseArgs } from 'node:util';
import { tellResult } from '../helpers/run-result.js';

process.env.BTREE_STORE_ASSERT = '1';
const { callsOf, faultsOf, ioWorkloads, runWithFault } = await import('./failing-io.js');

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    step: { type: 'string', default: '1' },
    workload: { type: 'string' },
    fault: { type: 'string' },
    defect: { type: 'string' },
  },
});

if (values.defect !== undefined) {
  const { plantIoDefect } = await import('./failing-io-defects.js');
  plantIoDefect(values.defect);
}
const started = performance.now();
const seed = Number(values.seed);
const counts = { workloads: 0, calls: 0, faults: 0 };
let where = '';
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.on(event, (error) => {
    console.error(`no one handled it${where}:`, error);
    process.exitCode = 1;
  });
}

try {
  let turn = 0;
  for (const workload of ioWorkloads()) {
    if ((values.workload ?? workload.name) !== workload.name) continue;
    const names = await callsOf(workload, seed);
    counts.workloads++;
    counts.calls += names.length;
    for (const [at, fault] of [...faultsOf(names)].entries()) {
      // Over all workloads, so that each of them begins with another way.
      const isTurn = turn++ % Number(values.step) === 0;
      if (values.fault === undefined ? !isTurn : at !== Number(values.fault)) continue;
      where = `\n  ${names[fault.index]}: ${JSON.stringify(fault)}\n  repeat it with: npm run fault:io -- --seed ${seed} --workload ${JSON.stringify(workload.name)} --fault ${at}`;
      await runWithFault(workload, seed, fault);
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
