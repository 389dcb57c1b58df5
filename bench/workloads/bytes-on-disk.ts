// What a store takes on the disk: its file and those beside it, or its folder; blocks that were never written do not count.

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const BLOCK_BYTES = 512;

/** Files of the store at a path: those whose names begin with its own. */
export function storeFiles(path: string): string[] {
  const folder = dirname(path);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.startsWith(basename(path)))
    .map((name) => join(folder, name));
}

export function bytesOnDisk(path: string): number {
  return storeFiles(path).reduce((sum, file) => sum + bytesOf(file), 0);
}

function bytesOf(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return Math.min(stats.size, stats.blocks * BLOCK_BYTES);
  return readdirSync(path).reduce((sum, name) => sum + bytesOf(join(path, name)), 0);
}
