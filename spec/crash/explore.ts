// Runs a workload once and cuts the power after everything that it did to the disk.

import { Random } from '../helpers/random.js';
import { cutPower, type DiskImage } from './disk-image.js';
import { openOnDisk, type SessionOptions } from './disk-session.js';
import { DiskState, isEvent, type Operation } from './disk-state.js';
import { type Allowed, Violation, verifyImage, violationOf } from './oracle.js';
import { withRandomBytes } from './seeded-crypto.js';
import { SimulatedDisk } from './simulated-disk.js';
import { type Ground, WorkloadRun } from './workload-run.js';
import type { Workload } from './workloads.js';

/** How long calls on the two files take: which of them is the slower decides what comes between what. */
const LATENCIES = [
  { store: 0, log: 0 },
  { store: 30, log: 5 },
  { store: 400, log: 8 },
  { store: 6, log: 60 },
  { store: 60, log: 60 },
] as const;

/** What a workload left behind: all that the disk was asked to do, and what was written. */
export interface Recording {
  /** What was on the disk before. */
  readonly start: DiskState;
  readonly operations: readonly Operation[];
  readonly digests: readonly string[];
}

export function groundOn(disk: SimulatedDisk, options: SessionOptions, random: Random): Ground {
  return {
    open: (readOnly) => openOnDisk(disk, options, readOnly),
    kill: () => disk.kill(random),
    mark: (kind, step) => disk.mark(kind, step),
    markCopy: (digest, done) => disk.markCopy(digest, done),
  };
}

export async function record(
  workload: Workload,
  seed: number,
  index: number,
  doubles: Pick<SessionOptions, 'double' | 'backupDouble'> = {},
): Promise<Recording> {
  const options = { ...workload.options, ...doubles };
  const random = Random.of(seed, index);
  const start = new DiskState();
  if (workload.prepare !== undefined) {
    const before = new SimulatedDisk();
    await workload.prepare(before);
    for (const operation of before.operations) start.apply(operation);
  }
  const disk = new SimulatedDisk({ random, turnsMax: random.pick(LATENCIES) }, start);
  const run = new WorkloadRun(groundOn(disk, options, random), random, options);
  try {
    await withRandomBytes(random, async () => {
      await workload.run(run);
      await run.finish();
    });
  } catch (error) {
    throw violationOf('the workload itself', error);
  }
  if (disk.violations.length > 0) throw new Violation(disk.violations.join('; '));
  return { start, operations: disk.operations, digests: run.history.digests };
}

/** A place where the power may be cut. */
export interface Cut {
  /** Operations that were begun before it. */
  readonly at: number;
  readonly state: DiskState;
  readonly allowed: Allowed;
}

/** Every cut, in order: before each operation, and after the last. Its state is good until the next one. */
export function* cutsOf({ start, operations, digests }: Recording): Generator<Cut> {
  const state = start.clone();
  let acknowledged = -1;
  let attempted = 0;
  let copy: Allowed['copy'];
  const cut = (at: number): Cut => ({
    at,
    state,
    allowed: {
      digests: digests.slice(Math.max(0, acknowledged), attempted + 1),
      made: acknowledged >= 0,
      copy,
    },
  });
  for (const [at, operation] of operations.entries()) {
    if (isEvent(operation)) yield cut(at);
    if (operation.kind === 'acknowledge') acknowledged = Math.max(acknowledged, operation.step);
    if (operation.kind === 'attempt') attempted = operation.step;
    if (operation.kind === 'copy') copy = operation;
    state.apply(operation);
  }
  yield cut(operations.length);
}

/** The images of a cut that differ from one another, with the number that makes each again. */
export function* imagesOf(
  cut: Cut,
  variants: number,
  random: (variant: number) => Random,
): Generator<{ variant: number; image: DiskImage }> {
  const seen = new Set<string>();
  for (let variant = 0; variant < variants; variant++) {
    const image = cutPower(cut.state, variant, random(variant));
    // Torn and garbage images of the same story differ all the same.
    const isPlain = !/torn|garbage/.test(image.signature);
    if (isPlain && seen.has(image.signature)) continue;
    seen.add(image.signature);
    yield { variant, image };
  }
}

/** Verifies an image; what is wrong with it is told with its story. */
export async function verify(
  image: DiskImage,
  options: SessionOptions,
  allowed: Allowed,
  random: Random,
): Promise<string> {
  try {
    return await withRandomBytes(random, () => verifyImage(image.state, options, allowed));
  } catch (error) {
    const violation = violationOf('verifying', error);
    violation.message = `${violation.message}\n  ${image.story.join('\n  ')}`;
    throw violation;
  }
}
