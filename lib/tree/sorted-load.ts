/**
 * A sorted run on its way into a tree, in one pass: leaves that it touches are merged with it and written anew,
 * all other pages are shared with the tree as it was. Past the tree's last key, or where there is no tree, it
 * becomes full pages from the bottom up.
 */
import type { TreeRoot } from '../format/catalog-record.js';
import type { BuildPages } from '../storage/build-pages.js';
import { RunWriter } from '../storage/run-writer.js';
import { ValueWriter } from '../storage/value-writer.js';
import { BranchStack } from './branch-stack.js';
import { EntryBlock } from './entry-block.js';
import { LeafBuilder } from './leaf-builder.js';
import type { LargeRecords } from './leaf-packer.js';
import { isLargeValue } from './new-entry.js';
import { OldTree } from './old-tree.js';

/** Says what becomes of an entry whose key was there before, in the tree or the run; may raise. */
export type OnDuplicate = (block: EntryBlock, index: number) => 'replace' | 'keep';

export class SortedLoad {
  private readonly pages: BuildPages;
  private readonly runs: RunWriter;
  private readonly branches: BranchStack;
  private readonly leaves: LeafBuilder;
  private readonly old: OldTree;
  private readonly onDuplicate: OnDuplicate;
  private entries: number;
  private large: boolean;
  /** The last key that was taken. */
  private lastKey: Uint8Array | undefined;

  constructor(pages: BuildPages, root: TreeRoot, fill: number, onDuplicate: OnDuplicate = () => 'replace') {
    this.pages = pages;
    this.runs = new RunWriter(pages);
    this.branches = new BranchStack(pages, this.runs, fill);
    this.leaves = new LeafBuilder(pages, this.runs, this.branches, fill);
    this.old = new OldTree(pages, root, this.leaves, this.branches);
    this.onDuplicate = onDuplicate;
    this.entries = root.entries;
    this.large = root.large;
  }

  /**
   * Takes the block's entries from `from` on as long as none sorts before the one in front of it. Returns the
   * index of the first that does, or the block's count.
   */
  async append(block: EntryBlock, from: number): Promise<number> {
    for (let next = from; next < block.count; ) {
      const { lastKey } = this;
      const order = lastKey === undefined ? 1 : block.compareWith(next, lastKey);
      if (order < 0) return next;
      if (order === 0) {
        next = await this.takeAgain(block, next);
        continue;
      }
      let end = Math.max(next + 1, block.ascending);
      while (end < block.count && block.compare(end, end - 1) > 0) end++;
      await this.merge(block, next, end);
      this.lastKey = Uint8Array.prototype.slice.call(block.keyView(end - 1));
      next = end;
    }
    return block.count;
  }

  /** An entry with the key of the one before it. */
  private async takeAgain(block: EntryBlock, index: number): Promise<number> {
    if (this.onDuplicate(block, index) === 'replace') {
      this.leaves.removeLast();
      this.entries--;
      await this.take(block, index, index + 1);
    }
    return index + 1;
  }

  /** Takes ascending entries, each in its place among those of the tree. */
  private async merge(block: EntryBlock, from: number, to: number): Promise<void> {
    const { old } = this;
    for (let next = from; next < to; ) {
      if (old.isAtEnd) {
        await this.take(block, next, to);
        return;
      }
      if (old.isPassedBy(block, next)) {
        await this.takeOld(old.entries.count);
        await old.moveTo(block.keyView(next));
        this.branches.spreads = old.upper !== undefined;
      }
      // Most entries need no wait, and a promise for each would cost more than the rest of it.
      const before = this.takeOld(old.entries.firstFrom(block, next, old.next, old.entries.count));
      if (before !== undefined) await before;
      const end = this.endBeforeOld(block, next, to);
      const done = end > next ? this.take(block, next, end) : this.meet(block, next);
      if (done !== undefined) await done;
      next = Math.max(end, next + 1);
    }
  }

  /** The end of the entries from `next` on that come before the tree's next one; `next` if that has its key. */
  private endBeforeOld(block: EntryBlock, next: number, to: number): number {
    const { old } = this;
    if (old.next < old.entries.count) return block.firstFrom(old.entries, old.next, next, to);
    const { upper } = old;
    return upper === undefined ? to : block.firstFromKey(upper, next, to);
  }

  /** An entry with the key of the tree's next one. */
  private meet(block: EntryBlock, index: number): Promise<void> | undefined {
    if (this.onDuplicate(block, index) === 'keep') return this.takeOld(this.old.next + 1);
    this.old.dropNext();
    this.entries--;
    return this.take(block, index, index + 1);
  }

  /** Takes the entries of the opened leaf up to `to`. Returns what is to be awaited, if anything. */
  private takeOld(to: number): Promise<void> | undefined {
    const { old } = this;
    const from = old.next;
    old.next = to;
    return to > from ? this.leaves.gather(old.entries, from, to, old.large) : undefined;
  }

  /** Takes entries that come next. Returns what is to be awaited, if anything. */
  private take(block: EntryBlock, from: number, to: number): Promise<void> | undefined {
    const large = this.writeLargeValues(block, from, to);
    this.entries += to - from;
    if (large.size > 0) this.large = true;
    if (this.old.isAtEnd) return this.leaves.append(block, from, to, large);
    return this.leaves.gather(block, from, to, large);
  }

  private writeLargeValues(block: EntryBlock, from: number, to: number): LargeRecords {
    const { pageSize } = this.pages;
    let records: Map<number, Buffer> | undefined;
    for (let i = from; i < to; i++) {
      const length = block.valueLengths[i];
      if (!isLargeValue(pageSize, block.keyLengths[i], length)) continue;
      const writer = new ValueWriter(this.pages, length);
      writer.append(block.valueView(i));
      records ??= new Map();
      records.set(i, writer.finish());
    }
    return records ?? NO_LARGE;
  }

  /**
   * Takes an entry that sorts after all before it and all of the tree, whose value is in extents already;
   * `record` is what its leaf keeps of it.
   */
  async appendLarge(key: Uint8Array, record: Buffer): Promise<void> {
    const single = new EntryBlock(2 * this.pages.pageSize);
    single.add(key, '');
    this.entries++;
    this.large = true;
    this.lastKey = Uint8Array.prototype.slice.call(key);
    await this.leaves.append(single, 0, 1, new Map([[0, record]]));
  }

  /** Writes what is pending; returns the root of the whole tree. */
  async finish(): Promise<TreeRoot> {
    await this.takeOld(this.old.entries.count);
    await this.leaves.flush();
    await this.old.finish();
    const { page, stamp } = await this.branches.finish();
    await this.runs.finish();
    return { page, stamp, entries: this.entries, large: this.large };
  }

  /** Waits for writes under way, before the transaction is rolled back. */
  abandon(): Promise<void> {
    return this.runs.abandon();
  }
}

const NO_LARGE: LargeRecords = new Map();
