// Whether what a process holds, and the file that it writes, go on growing.

import fs from 'node:fs';
import { Violation } from '../crash/oracle.js';
import { collectGarbage } from '../helpers/collect.js';

export interface Sample {
  /** What is in use after a collection. */
  readonly memoryBytes: number;
  readonly residentBytes: number;
  /** undefined where the system does not tell. */
  readonly descriptors: number | undefined;
  readonly fileBytes: number;
}

/** Above these a growth counts, beside a part of what there was. */
const SLACK = { memoryBytes: 6 << 20, residentBytes: 96 << 20, fileBytes: 3 << 20 };
const GROWTH_PART = 1.25;

export function takeSample(file: string): Sample {
  collectGarbage();
  const { heapUsed, external, rss } = process.memoryUsage();
  return {
    memoryBytes: heapUsed + external,
    residentBytes: rss,
    descriptors: fs.existsSync('/proc/self/fd') ? fs.readdirSync('/proc/self/fd').length : undefined,
    fileBytes: fs.statSync(file).size,
  };
}

/**
 * Compares the last quarter of the samples with the second: in the first all that is kept comes to be. Raises a
 * Violation.
 */
export function expectNoGrowth(samples: readonly Sample[]): void {
  const quarter = Math.floor(samples.length / 4);
  if (quarter === 0) throw new Error(`${samples.length} samples say nothing of growth`);
  const before = samples.slice(quarter, 2 * quarter);
  const after = samples.slice(-quarter);
  for (const [name, slack] of Object.entries(SLACK) as [keyof typeof SLACK, number][]) {
    const most = Math.max(...before.map((sample) => sample[name]));
    const last = Math.min(...after.map((sample) => sample[name]));
    if (last > most * GROWTH_PART + slack) throw new Violation(`${name} grew from ${most} to ${last}`);
  }
  const most = Math.max(...before.map(({ descriptors }) => descriptors ?? 0));
  const last = Math.min(...after.map(({ descriptors }) => descriptors ?? 0));
  if (last > most) throw new Violation(`descriptors grew from ${most} to ${last}`);
}
