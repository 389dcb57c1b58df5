/** Copies a tree into another store, packed anew from the bottom up, in constant memory. */
import { EMPTY_TREE, type TreeRoot } from '../format/catalog-record.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import type { Pager } from '../storage/pager.js';
import { ValueReader } from '../storage/value-reader.js';
import { ValueWriter } from '../storage/value-writer.js';
import { EntryBlock } from './entry-block.js';
import { ALL_KEYS } from './key-bounds.js';
import type { LargeValue, LeafBatch } from './leaf-batch.js';
import { RangeCursor } from './range-cursor.js';
import { SortedLoad } from './sorted-load.js';

const BLOCK_BYTES = 256 * 1024;

/** `pause` is awaited between batches: it lets the event loop go on, and may raise to stop the copy. */
export async function copyTree(
  source: Pager,
  root: TreeRoot,
  target: PageTransaction,
  pause: () => Promise<void>,
): Promise<TreeRoot> {
  const load = new SortedLoad(target, EMPTY_TREE, 1);
  const block = new EntryBlock(BLOCK_BYTES);
  const flush = async (): Promise<void> => {
    if (!block.isEmpty) await load.append(block, 0);
    block.clear();
  };
  const cursor = new RangeCursor(source, root, { bounds: ALL_KEYS });
  try {
    for (;;) {
      const batch = await cursor.nextBatch(Number.POSITIVE_INFINITY);
      if (batch === null) break;
      await copyBatch(source, batch, target, load, block, flush);
      await pause();
    }
    await flush();
    return await load.finish();
  } catch (error) {
    await load.abandon();
    throw error;
  } finally {
    cursor.close();
  }
}

async function copyBatch(
  source: Pager,
  batch: LeafBatch,
  target: PageTransaction,
  load: SortedLoad,
  block: EntryBlock,
  flush: () => Promise<void>,
): Promise<void> {
  for (let i = 0; i < batch.length; i++) {
    const large = batch.largeValue(i);
    const key = batch.key(i);
    if (large !== undefined) {
      const copied = Buffer.from(key);
      await flush();
      await load.appendLarge(copied, copyValue(source, large, target));
      continue;
    }
    const value = batch.value(i);
    if (!block.hasRoom(key.length, value.length)) {
      await flush();
      // The batch may have been read again meanwhile: its Buffers are asked for anew.
      block.add(batch.key(i), batch.value(i));
    } else block.add(key, value);
  }
}

/** Copies a large value's pages; returns the record for its leaf. */
function copyValue(source: Pager, large: LargeValue, target: PageTransaction): Buffer {
  const writer = new ValueWriter(target, large.extents.length);
  const reader = new ValueReader(source.file, source.pageSize, large.extents);
  while (reader.readSome((bytes, from, to) => writer.append(bytes.subarray(from, to))));
  writer.append(large.tail);
  return writer.finish();
}
