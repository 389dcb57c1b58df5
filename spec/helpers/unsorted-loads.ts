// Loads that sort in so little memory that they take many runs and several passes.

import fs from 'node:fs';
import path from 'node:path';
import type { BulkWriter, Database } from 'btree-store';
import { type Pair, pairs } from './loads.js';
import { Random } from './random.js';
import { seed } from './seed.js';

/** The least memory there is: 256 KiB, of which about a hundred entries of two kilobytes are a run. */
export const LEAST = 1;

/** The temporary files beside a store. */
export function runFiles(db: Database): string[] {
  const name = `${path.basename(db.path)}.sort-`;
  return fs.readdirSync(path.dirname(db.path)).filter((file) => file.startsWith(name));
}

export async function addAll(writer: BulkWriter, entries: Iterable<Pair>): Promise<void> {
  for (const [key, value] of entries) if (!writer.add(key, value)) await writer.drained();
  await writer.drained();
}

export const random = Random.of(seed, 73);
/** Two megabytes, shuffled: a score of runs, merged in three passes. */
export const many = (salt = 0): Pair[] => random.shuffle(pairs(0, 1000, salt, 2000));
