// Stores draw their id and salt from the system. Where a failure is to be had again exactly, a seed gives them.

import crypto from 'node:crypto';
import type { Random } from '../helpers/random.js';

/** Runs `work` with `crypto.randomBytes` drawing from `random`. One at a time. */
export async function withRandomBytes<T>(random: Random, work: () => Promise<T>): Promise<T> {
  const original = crypto.randomBytes;
  crypto.randomBytes = ((size: number) => random.bytes(size)) as typeof crypto.randomBytes;
  try {
    return await work();
  } finally {
    crypto.randomBytes = original;
  }
}
