// Sorts for specs: entries in blocks, runs in files of memory, and what must come out.

import type { OnDuplicate } from '../../lib/sort/duplicate.js';
import type { BlockLimits } from '../../lib/sort/entry-source.js';
import type { ExternalSort, RunFiles, SortSettings } from '../../lib/sort/external-sort.js';
import type { SortShape } from '../../lib/sort/sort-shape.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { EntryBlock } from '../../lib/tree/entry-block.js';

export type Item = readonly [key: Buffer, value: Buffer];

/** So small that a few hundred entries take many runs and several passes. */
export const TINY: SortShape = { memoryBytes: 4096, pieceBytes: 256, writeBytes: 512, fanIn: 3 };

export const NO_LIMITS: BlockLimits = { entries: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY };

/** Runs in memory; `made` are all files that ever were. */
export class MemoryRuns implements RunFiles {
  readonly made: StoreFile[] = [];
  readonly kept = new Set<StoreFile>();
  private readonly make: (path: string) => StoreFile;

  constructor(make: (path: string) => StoreFile = (path) => new MemoryFile(path)) {
    this.make = make;
  }

  create(): StoreFile {
    const file = this.make(`run-${this.made.length}`);
    this.made.push(file);
    this.kept.add(file);
    return file;
  }

  async remove(file: StoreFile): Promise<void> {
    this.kept.delete(file);
  }
}

export function settingsOf(files: RunFiles, more: Partial<SortSettings> = {}): SortSettings {
  return { shape: TINY, onDuplicate: 'replace', files, pause: async () => undefined, ...more };
}

/** The items in one block after the other, at most `perBlock` in each. */
export function* blocksOf(items: readonly Item[], perBlock = 50): Generator<EntryBlock> {
  let block = new EntryBlock(1 << 20);
  for (const [key, value] of items) {
    if (block.count === perBlock || !block.hasRoom(key.length, value.length)) {
      yield block;
      block = new EntryBlock(1 << 20);
    }
    block.add(key, value);
  }
  if (!block.isEmpty) yield block;
}

export async function addAll(sort: ExternalSort, items: readonly Item[], perBlock?: number): Promise<void> {
  for (const block of blocksOf(items, perBlock)) await sort.add(block);
}

/** All that a sort hands out, and how many entries each block had. */
export async function drained(
  sort: ExternalSort,
  limits: BlockLimits = NO_LIMITS,
): Promise<{ items: Item[]; counts: number[] }> {
  const items: Item[] = [];
  const counts: number[] = [];
  await sort.drain(
    async (block) => {
      counts.push(block.count);
      for (let i = 0; i < block.count; i++)
        items.push([Buffer.from(block.keyView(i)), Buffer.from(block.valueView(i))]);
    },
    () => limits,
  );
  return { items, counts };
}

/** The items by key, one of each: the last or the first that came. */
export function sortedOnce(items: readonly Item[], onDuplicate: OnDuplicate): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) {
    const key = item[0].toString('latin1');
    if (onDuplicate === 'replace' || !byKey.has(key)) byKey.set(key, item);
  }
  return [...byKey.values()].sort(([a], [b]) => Buffer.compare(a, b));
}
