/** Where a sort's entries come out, in order and one for each key. */
import type { EntryBlock } from '../tree/entry-block.js';

/** When a block is to be handed over: a commit is due behind it, or it is long enough. */
export interface BlockLimits {
  readonly entries: number;
  /** Of keys and values. */
  readonly bytes: number;
}

export interface EntrySource {
  /** Entries that were dropped because of another with the same key, so far. */
  readonly duplicates: number;
  /** Fills the empty block; leaves it empty when there are no more entries. */
  fill(block: EntryBlock, limits: BlockLimits): Promise<void>;
}

/** Bytes of a block that is handed over. */
export const BLOCK_BYTES = 256 * 1024;

/** Whether the block, not empty, is to be handed over before an entry with these lengths. */
export function isFull(
  block: EntryBlock,
  limits: BlockLimits,
  keyLength: number,
  valueLength: number,
): boolean {
  return (
    block.count >= limits.entries ||
    block.bytes >= limits.bytes ||
    block.isFilled(BLOCK_BYTES) ||
    !block.hasRoom(keyLength, valueLength)
  );
}
