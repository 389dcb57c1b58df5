// Cuts the power while a store recovers from an earlier crash, and again while it recovers from that.

import type { Database } from 'btree-store';
import { numbered } from '../helpers/bytes.js';
import type { Random } from '../helpers/random.js';
import { type Double, openOnDisk, type SessionOptions } from './disk-session.js';
import type { DiskState } from './disk-state.js';
import { type Cut, cutsOf, imagesOf, type Recording } from './explore.js';
import { type Allowed, expectAllowed, expectHonest, mayRefuse, verifyImage, violationOf } from './oracle.js';
import { withRandomBytes } from './seeded-crypto.js';
import { SimulatedDisk } from './simulated-disk.js';
import { bucketHash, digestOf, entryHash, StateDigest } from './state-digest.js';

/** Makes the generator for one part of the exploration; the same numbers, the same generator. */
export type RandomOf = (...parts: readonly number[]) => Random;

export interface RecoveryPlan {
  readonly options: SessionOptions;
  /** What stands between the store that is cut and its disk. */
  readonly double?: Double;
  /** Images made of each cut: of a first recovery, of the second one, and so on. */
  readonly variants: readonly number[];
  /** Cuts and variants, in turn, to which it is narrowed. */
  readonly only?: readonly number[];
  readonly randomOf: RandomOf;
  readonly onImage: () => void;
}

/**
 * Recovers from `state` and goes on, cuts that everywhere, and recovers from each of those images, as deep
 * as the plan has numbers; what comes after the recovery is cut once. Raises a Violation, its message ending with the cuts that led to it.
 */
export async function crashRecovery(
  state: DiskState,
  allowed: Allowed,
  plan: RecoveryPlan,
  path: readonly number[] = [],
): Promise<void> {
  const [variants, ...rest] = plan.variants;
  try {
    const recording = await recordRecovery(state, allowed, plan, path);
    if (recording === undefined) return;
    for (const cut of cutsOf(recording.recording)) {
      const inner = recording.allowedAt(cut);
      const images = imagesOf(cut, variants, (variant) => plan.randomOf(...path, cut.at, variant));
      for (const { variant, image } of images) {
        const here = [...path, cut.at, variant];
        if (plan.only?.slice(0, here.length).some((part, i) => part !== here[i])) continue;
        plan.onImage();
        await told(here, image.story, () =>
          withRandomBytes(plan.randomOf(...here, 1), () => verifyImage(image.state, plan.options, inner)),
        );
        if (rest.length > 0 && !cut.allowed.made)
          await crashRecovery(image.state, inner, { ...plan, variants: rest }, here);
      }
    }
  } catch (error) {
    throw violationOf('recovering', error);
  }
}

async function told(
  path: readonly number[],
  story: readonly string[],
  work: () => Promise<unknown>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    const violation = violationOf('recovering', error);
    violation.message = `${violation.message}\n  ${story.join('\n  ')}\n  in recovery: --path ${path.join('.')}`;
    throw violation;
  }
}

interface RecoveryRecording {
  readonly recording: Recording;
  allowedAt(cut: Cut): Allowed;
}

/**
 * Opens the store and, the first time, goes on with it, so that later cuts meet what recovery left; undefined where
 * there is no store yet, and what is there is refused.
 */
async function recordRecovery(
  state: DiskState,
  allowed: Allowed,
  plan: RecoveryPlan,
  path: readonly number[],
): Promise<RecoveryRecording | undefined> {
  const random = plan.randomOf(...path, 0x5ec0);
  const disk = new SimulatedDisk({ random, turnsMax: { store: 40, log: 10 } }, state);
  const digests: string[] = [];
  let isRefused = false;
  await withRandomBytes(random, async () => {
    const db = await openOnDisk(disk, { ...plan.options, double: plan.double }).catch((error: unknown) => {
      if (!mayRefuse(error, allowed, state)) throw error;
      isRefused = true;
    });
    if (db === undefined) return;
    const found = digestOf(db);
    expectAllowed(found, allowed, 'after recovery');
    digests.push(found);
    disk.mark('acknowledge', 0);
    if (path.length === 0) await goOn(db, found, digests, disk, plan.options.durable !== false);
  });
  expectHonest(disk);
  if (isRefused) return undefined;
  return {
    recording: { start: state, operations: disk.operations, digests },
    // What opening has shown stays; until it has, the store may be at any step that was allowed before.
    allowedAt: (cut) => (cut.allowed.made ? cut.allowed : allowed),
  };
}

/** Writes into a bucket of its own, small and large, and closes: pages that recovery freed are used again. */
async function goOn(
  db: Database,
  found: string,
  digests: string[],
  disk: SimulatedDisk,
  durable: boolean,
): Promise<void> {
  const digest = StateDigest.parse(found);
  const write = async (keys: readonly string[], bytes: number): Promise<void> => {
    if (digests.length === 1) digest.add(bucketHash('later'));
    const value = Buffer.alloc(bytes, `${digests.length}.`);
    for (const key of keys) digest.add(entryHash('later', Buffer.from(key), value));
    digests.push(digest.toString());
    const step = digests.length - 1;
    disk.mark('attempt', step);
    await db.write((tx) => {
      for (const key of keys) tx.bucket('later').put(key, value);
    });
    if (durable) disk.mark('acknowledge', step);
  };
  await write(['first'], 30);
  await write(
    Array.from({ length: 150 }, (_, index) => numbered(index)),
    900,
  );
  await write(['last'], 2000);
  await db.close();
  disk.mark('acknowledge', digests.length - 1);
}
