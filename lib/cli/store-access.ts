// Opens the store for the length of a command.

import { existsSync, realpathSync, rmSync } from 'node:fs';
import { type Bucket, type Database, type OpenOptions, open } from '../index.js';
import { CommandFailure } from './failure.js';

const NAMES_SHOWN = 20;

/** Runs a command that only reads: it makes no store, changes none, and goes together with other readers. */
export function withReadStore<T>(path: string, run: (db: Database) => T | Promise<T>): Promise<T> {
  return withStore(path, { readOnly: true, create: false }, run);
}

/** Runs a command on an open store, and closes it however the command ends. */
export async function withStore<T>(
  path: string,
  options: OpenOptions,
  run: (db: Database) => T | Promise<T>,
): Promise<T> {
  const db = await open(path, options);
  try {
    return await run(db);
  } finally {
    await db.close();
  }
}

/**
 * As {@link withStore}, for a command that may make the store: one that it made and that holds no commit goes again
 * where the command fails, as a mistyped option is to leave nothing behind.
 */
export async function withMadeStore<T>(
  path: string,
  options: OpenOptions,
  run: (db: Database) => T | Promise<T>,
): Promise<T> {
  const isMade = !existsSync(path);
  return withStore(path, options, async (db) => {
    const before = sequenceOf(db);
    try {
      return await run(db);
    } catch (error) {
      // While the lock is held: whoever opens the path from now on makes a store of its own.
      if (isMade && sequenceOf(db) === before) remove(db.path);
      throw error;
    }
  });
}

function sequenceOf(db: Database): number {
  return db.read(({ sequence }) => sequence);
}

/** A file that cannot be removed is an empty store: no reason to hide why the command failed. */
function remove(path: string): void {
  try {
    rmSync(realpathSync(path));
  } catch {
    return;
  }
}

/** The bucket, which must exist: a mistyped name would read as empty otherwise. */
export function existingBucket(db: Database, name: string): Bucket {
  const bucket = db.bucket(name);
  const others: string[] = [];
  for (const { name: other } of db.buckets()) {
    if (other === name) return bucket;
    if (others.length <= NAMES_SHOWN) others.push(JSON.stringify(other));
  }
  const more = others.length > NAMES_SHOWN ? ', …' : '';
  const found =
    others.length === 0 ? 'it has none' : `it has ${others.slice(0, NAMES_SHOWN).join(', ')}${more}`;
  throw new CommandFailure(`there is no bucket ${JSON.stringify(name)} in ${db.path}: ${found}`);
}
