// Shuts a file system down under a process that commits, as a loss of power would, and looks at what it left.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../../helpers/child.js';
import { Violation } from '../oracle.js';
import type { CommitterDefect } from './committer.js';
import type { Ext4 } from './mounts.js';
import { verifyTold } from './told-store.js';

/** Commits from step `first` on until the shutdown; returns how many steps the store has after it. */
export async function shutDownOnce(
  system: Ext4,
  first: number,
  milliseconds: number,
  defect?: CommitterDefect,
): Promise<number> {
  const file = path.join(system.folder, 'store.db');
  const child = new Child('../crash/real/committer.ts', [file, String(first), JSON.stringify({ defect })], {
    // It ends with what the file system says.
    errors: 'ignore',
  });
  try {
    await child.line();
    await sleep(milliseconds);
    system.shutDown();
  } finally {
    await child.kill();
  }
  const told = (await child.rest()).filter((line) => /^\d+$/.test(line)).map(Number);
  for (const [i, step] of told.entries())
    if (step !== first + i) throw new Violation(`it told of step ${step} after ${i} from ${first}`);
  system.startAgain();
  return verifyTold(file, first + told.length);
}
