// All workloads, in the order in which they are told of.

import { COSTS } from './costs.js';
import { ETL } from './etl.js';
import { READS } from './reads.js';
import { SCANS } from './scans.js';
import type { Workload } from './workload.js';
import { WRITES } from './writes.js';

export const WORKLOADS: readonly Workload[] = [
  ...WRITES.slice(0, 1),
  ...SCANS,
  ...READS,
  ...WRITES.slice(1),
  ...ETL,
  ...COSTS,
];

export function workloadNamed(name: string): Workload {
  const found = WORKLOADS.find((workload) => workload.name === name);
  if (found === undefined)
    throw new Error(`there is no workload ${name}; there are ${WORKLOADS.map((w) => w.name).join(', ')}`);
  return found;
}
