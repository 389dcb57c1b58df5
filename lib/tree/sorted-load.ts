/** A sorted run on its way past the last key of a tree: the builder, and the watch over the order. */
import type { TreeRoot } from '../format/catalog-record.js';
import { compareKeys } from '../format/key.js';
import { readLeafKey } from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import type { EntryBlock } from './entry-block.js';
import { LeafCursor } from './leaf-cursor.js';
import { TreeBuilder } from './tree-builder.js';

export class SortedLoad {
  private readonly builder: TreeBuilder;

  /** Whether a run that begins with `key` lies past the tree's last key. */
  static canExtend(pages: PageTransaction, root: TreeRoot, key: Uint8Array): boolean {
    const cursor = new LeafCursor(pages, root);
    if (!cursor.seekLast()) return true;
    const leaf = cursor.load();
    const last = Buffer.alloc(pages.pageSize);
    const length = readLeafKey(
      pages.memory,
      leaf,
      pages.pageSize,
      nodeCount(pages.memory, leaf) - 1,
      last,
      0,
    );
    return compareKeys(last, length, key, key.length) < 0;
  }

  constructor(pages: PageTransaction, root: TreeRoot, fill: number) {
    this.builder = new TreeBuilder(pages, root, fill);
  }

  /**
   * Takes the block's entries from `from` on as long as each sorts after the one before. Returns the
   * index of the first that does not (the block's count if there is none), and whether it is equal.
   */
  async append(block: EntryBlock, from: number): Promise<{ end: number; equal: boolean }> {
    const previous = this.builder.greatestKey;
    let order = previous === undefined ? 1 : block.compareWith(from, previous);
    let end = from;
    while (order > 0) {
      end++;
      if (end === block.count) break;
      order = block.compare(end, end - 1);
    }
    if (end > from) await this.builder.append(block, from, end);
    return { end, equal: order === 0 };
  }

  /** Takes an entry that sorts after all before, whose value is in extents already. */
  appendLarge(key: Uint8Array, record: Buffer): Promise<void> {
    return this.builder.appendLarge(key, record);
  }

  /** Whether the last entry can be taken back for an equal key: not if its value is in extents. */
  get canReplaceLast(): boolean {
    return !this.builder.greatestIsLarge;
  }

  removeLast(): void {
    this.builder.removeGreatest();
  }

  /** Writes what is pending; returns the root of the whole tree. */
  finish(): Promise<TreeRoot> {
    return this.builder.finish();
  }

  /** Waits for writes under way, before the transaction is rolled back. */
  abandon(): Promise<void> {
    return this.builder.abandon();
  }
}
