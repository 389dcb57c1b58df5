// What must hold of any image that a crash left: the store opens, for reading and for writing, with the content
// of an allowed step; its check finds nothing; and it takes a write, a close and another opening.

import { type Database, StoreError } from 'btree-store';
import { openOnDisk, type SessionOptions } from './disk-session.js';
import type { DiskState } from './disk-state.js';
import { memoryIsFree } from './reused-memory.js';
import { SimulatedDisk } from './simulated-disk.js';
import { bucketHash, digestOf, entryHash, StateDigest } from './state-digest.js';

/** The steps that a store may be found at. */
export interface Allowed {
  /** Content after the acknowledged step, and after each one since that was attempted. */
  readonly digests: readonly string[];
  /** Whether the store had been made: before that, there may be none to read. */
  readonly made: boolean;
  /** The content of a backup, if one was begun, and whether it is done. */
  readonly copy?: { readonly digest: string; readonly done: boolean };
}

/** What an image was found to be that it must not be. */
export class Violation extends Error {}

/** What is written after recovery, into a bucket that no workload has. */
const AFTER = { bucket: 'after', key: 'key', value: 'written after recovery' } as const;

const META_DAMAGED = /^only 1 of 2 meta pages hold$/;

/** Raises a Violation if the image is not as it must be; returns the content that was found. */
export async function verifyImage(
  state: DiskState,
  options: SessionOptions,
  allowed: Allowed,
): Promise<string> {
  memoryIsFree();
  await verifyCopy(state, options, allowed.copy);
  const read = await readOnly(state, options, allowed);
  const disk = new SimulatedDisk({}, state);
  const db = await openForWriting(disk, options, allowed, state);
  if (db === undefined) return allowed.digests[0];
  const found = digestOf(db);
  expectAllowed(found, allowed, 'opened for writing');
  if (read !== undefined && read !== found)
    throw new Violation(`opened read-only it had ${read}, opened for writing it has ${found}`);
  await expectWhole(db, 'after recovery', false);
  await writeOn(disk, db, options, found);
  expectHonest(disk);
  return found;
}

export function expectAllowed(found: string, { digests }: Allowed, how: string): void {
  if (digests.includes(found)) return;
  throw new Violation(`${how} it has ${found}, which is none of ${digests.join(' ')}`);
}

/** A backup that has its name is whole; one that was acknowledged has it. */
async function verifyCopy(state: DiskState, options: SessionOptions, copy: Allowed['copy']): Promise<void> {
  const file = state.names.get('copy');
  if (file === undefined) {
    if (copy?.done === true) throw new Violation('the backup that was made is gone');
    return;
  }
  if (copy === undefined) return;
  const alone = state.clone();
  alone.names.clear();
  alone.names.set('store', file);
  const disk = new SimulatedDisk({}, alone);
  try {
    const db = await openOnDisk(disk, { ...options, logHalfBytes: undefined });
    if (!db.recovery.clean) throw new Violation('it says that it was interrupted');
    const found = digestOf(db);
    if (found !== copy.digest) throw new Violation(`it has ${found}, not ${copy.digest}`);
    await expectWhole(db, 'as a backup', false);
    await db.close();
  } catch (error) {
    const violation = violationOf('opening the backup', error);
    violation.message = `the backup: ${violation.message}`;
    throw violation;
  }
}

/** Opens read-only; undefined where there is nothing to read, which is allowed only before the store was made. */
async function readOnly(
  state: DiskState,
  options: SessionOptions,
  allowed: Allowed,
): Promise<string | undefined> {
  const disk = new SimulatedDisk({}, state);
  let db: Database;
  try {
    db = await openOnDisk(disk, options, true);
  } catch (error) {
    if (isUnmade(error) && !allowed.made) return undefined;
    throw violationOf('opening read-only', error);
  }
  const found = digestOf(db);
  expectAllowed(found, allowed, 'opened read-only');
  await expectWhole(db, 'read-only', true);
  await db.close();
  expectHonest(disk);
  return found;
}

function isUnmade(error: unknown): boolean {
  return (
    error instanceof StoreError && ['NOT_A_STORE', 'STORE_NOT_FOUND', 'PAGE_CORRUPT'].includes(error.code)
  );
}

/** Garbage where a store was only begun is no sign of one; it holds nothing, and is not to be overwritten. */
export function mayRefuse(error: unknown, allowed: Allowed, state: DiskState): boolean {
  return isUnmade(error) && !allowed.made && (state.files[0]?.durable.length ?? 0) > 0;
}

async function openForWriting(
  disk: SimulatedDisk,
  options: SessionOptions,
  allowed: Allowed,
  state: DiskState,
): Promise<Database | undefined> {
  try {
    return await openOnDisk(disk, options);
  } catch (error) {
    if (mayRefuse(error, allowed, state)) return undefined;
    throw violationOf('opening for writing', error);
  }
}

async function expectWhole(db: Database, when: string, mayLackMeta: boolean): Promise<void> {
  const report = await db.check();
  const problems = report.problems.filter(({ what }) => !(mayLackMeta && META_DAMAGED.test(what)));
  if (problems.length > 0) throw new Violation(`its check ${when}: ${JSON.stringify(problems.slice(0, 5))}`);
}

/** One more write, then a clean end, then all is there and nothing is left over. */
async function writeOn(
  disk: SimulatedDisk,
  db: Database,
  options: SessionOptions,
  before: string,
): Promise<void> {
  const expected = withOneMore(before);
  try {
    await db.bucket(AFTER.bucket).put(AFTER.key, AFTER.value);
    await db.close();
    if (disk.exists('log')) throw new Violation('the log is still there after a clean close');
    const again = await openOnDisk(disk, options);
    if (!again.recovery.clean) throw new Violation('it was closed, but says that it was interrupted');
    const found = digestOf(again);
    if (found !== expected)
      throw new Violation(`after one more write and the close it has ${found}, not ${expected}`);
    const value = again.bucket(AFTER.bucket).get(AFTER.key)?.toString();
    if (value !== AFTER.value) throw new Violation(`the key written after recovery has ${value}`);
    await expectWhole(again, 'after the close', false);
    await again.close();
  } catch (error) {
    throw violationOf('going on after recovery', error);
  }
}

function withOneMore(before: string): string {
  const digest = StateDigest.parse(before);
  digest.add(bucketHash(AFTER.bucket));
  digest.add(entryHash(AFTER.bucket, Buffer.from(AFTER.key), Buffer.from(AFTER.value)));
  return digest.toString();
}

export function expectHonest(disk: SimulatedDisk): void {
  if (disk.violations.length > 0) throw new Violation(disk.violations.join('; '));
}

export function violationOf(during: string, error: unknown): Violation {
  if (error instanceof Violation) return error;
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const code = error instanceof StoreError ? ` ${error.code}` : '';
  return new Violation(`${during} raised${code}: ${what}`, { cause: error });
}
