/**
 * Packs entries that come in key order into leaves, each written once, in constant memory. Entries that do not
 * fill a leaf yet are carried until more come.
 */
import { separatorLength } from '../format/key.js';
import { NODE_LARGE_VALUES } from '../format/node.js';
import { KIND_LEAF, pageNumberAt } from '../format/page.js';
import { decodeValueExtents } from '../format/value-extents.js';
import type { BuildPages } from '../storage/build-pages.js';
import type { RunWriter } from '../storage/run-writer.js';
import type { BranchStack } from './branch-stack.js';
import { EntryBlock } from './entry-block.js';
import { type LargeRecords, LeafFill, packLeaf } from './leaf-packer.js';

const NO_SEPARATOR = new Uint8Array(0);

export class LeafBuilder {
  private readonly pages: BuildPages;
  private readonly runs: RunWriter;
  private readonly fill: number;
  private readonly branches: BranchStack;
  private carry: EntryBlock;
  private carryBytes: number;
  /** Trades places with `carry` when its front goes. */
  private spare: EntryBlock;
  private readonly carryLarge = new Map<number, Buffer>();
  /** What the entries carried take in a leaf; undefined once any of them were taken away. */
  private carryFill: LeafFill | undefined;
  /** The last key of the last finished leaf, the left side of the next separator; undefined where none is known. */
  private lastKey: Uint8Array | undefined;
  /** The separator of the next leaf where it cannot be told from the keys on both sides. */
  private nextSeparator: Uint8Array = NO_SEPARATOR;

  constructor(pages: BuildPages, runs: RunWriter, branches: BranchStack, fill: number) {
    this.pages = pages;
    this.runs = runs;
    this.branches = branches;
    this.fill = fill;
    this.carryBytes = 4 * pages.pageSize;
    this.carry = new EntryBlock(this.carryBytes);
    this.spare = new EntryBlock(this.carryBytes);
  }

  get isEmpty(): boolean {
    return this.carry.isEmpty;
  }

  /** The next leaf takes a place in the older tree that has this separator. */
  startAt(separator: Uint8Array): void {
    this.lastKey = undefined;
    this.nextSeparator = separator;
  }

  /**
   * Takes the block's entries [from, to); they sort after all taken before. `large` has the records of those
   * whose values are in extents.
   */
  async append(block: EntryBlock, from: number, to: number, large: LargeRecords): Promise<void> {
    const whole = block.count;
    block.count = to;
    try {
      await this.take(block, from, large);
    } finally {
      block.count = whole;
    }
  }

  private async take(block: EntryBlock, from: number, large: LargeRecords): Promise<void> {
    let next = await this.completeCarry(block, from, large);
    for (;;) {
      if (next >= block.count) return;
      const leaf = new LeafFill(block, next, this.pages.pageSize, this.fill, large);
      if (!leaf.takeAll()) break;
      const written = this.writeLeaf(block, next, leaf.next, large);
      if (written !== undefined) await written;
      next = leaf.next;
    }
    for (; next < block.count; next++) this.carryOver(block, next, large);
  }

  /**
   * As `append`, where what comes next may be leaves of the older tree: so much is carried that the last leaves
   * before those are never nearly empty. Returns what is to be awaited, if anything.
   */
  gather(block: EntryBlock, from: number, to: number, large: LargeRecords): Promise<void> | undefined {
    for (let next = from; next < to; next++) {
      this.carryOver(block, next, large);
      if (this.carry.bytes > 2 * this.pages.pageSize) return this.gatherOn(block, next + 1, to, large);
    }
    return undefined;
  }

  private async gatherOn(block: EntryBlock, from: number, to: number, large: LargeRecords): Promise<void> {
    await this.writeCarriedLeaf();
    for (let next = from; next < to; next++) {
      this.carryOver(block, next, large);
      if (this.carry.bytes > 2 * this.pages.pageSize) await this.writeCarriedLeaf();
    }
  }

  /** Writes a full leaf of the entries carried, if there are more than one takes. */
  private async writeCarriedLeaf(): Promise<void> {
    const leaf = new LeafFill(this.carry, 0, this.pages.pageSize, this.fill, this.carryLarge);
    if (!leaf.takeAll()) return;
    await this.writeLeaf(this.carry, 0, leaf.next, this.carryLarge);
    this.dropCarried(leaf.next);
  }

  private carryOver(block: EntryBlock, index: number, large: LargeRecords): void {
    const record = large.size > 0 ? large.get(index) : undefined;
    if (!this.carry.hasRoom(block.keyLengths[index], record === undefined ? block.valueLengths[index] : 0))
      this.growCarry();
    if (record === undefined) this.carry.addFrom(block, index);
    else {
      this.carryLarge.set(this.carry.count, record);
      this.carry.add(block.keyView(index), '');
    }
  }

  /** A leaf keeps what its keys share once, the carry with each key: it can need many times a page. */
  private growCarry(): void {
    this.carryBytes *= 2;
    this.carryFill = undefined;
    const grown = new EntryBlock(this.carryBytes);
    for (let i = 0; i < this.carry.count; i++) grown.addFrom(this.carry, i);
    this.carry = grown;
    this.spare = new EntryBlock(this.carryBytes);
  }

  /** Moves entries behind those carried until they fill a leaf; returns the index that comes next. */
  private async completeCarry(block: EntryBlock, from: number, large: LargeRecords): Promise<number> {
    let next = from;
    while (!this.carry.isEmpty && next < block.count) {
      this.carryOver(block, next++, large);
      this.carryFill ??= new LeafFill(this.carry, 0, this.pages.pageSize, this.fill, this.carryLarge);
      if (!this.carryFill.takeAll()) continue;
      const end = this.carryFill.next;
      await this.writeLeaf(this.carry, 0, end, this.carryLarge);
      const back = this.carry.count - end;
      this.dropCarried(end);
      // What was moved here in vain is taken from the block again; what was here before must stay.
      const returned = Math.min(back, next - from);
      for (let i = 0; i < returned; i++) this.dropLast();
      next -= returned;
    }
    return next;
  }

  private dropLast(): void {
    this.carryLarge.delete(this.carry.count - 1);
    this.carry.removeLast();
  }

  /** Drops the first `count` entries carried. */
  private dropCarried(count: number): void {
    this.carryFill = undefined;
    const rest = this.spare;
    const restLarge = new Map<number, Buffer>();
    rest.clear();
    for (let i = count; i < this.carry.count; i++) {
      const record = this.carryLarge.get(i);
      if (record !== undefined) restLarge.set(rest.count, record);
      rest.addFrom(this.carry, i);
    }
    this.spare = this.carry;
    this.carry = rest;
    this.carryLarge.clear();
    for (const [index, record] of restLarge) this.carryLarge.set(index, record);
  }

  /** Drops the entry taken last, for an equal key that replaces it. It is always carried still. */
  removeLast(): void {
    const record = this.carryLarge.get(this.carry.count - 1);
    if (record !== undefined)
      this.pages.freeValue(decodeValueExtents(record, 0, record.length, this.pages.pageSize, 0));
    this.dropLast();
    this.carryFill = undefined;
  }

  /** Returns what is to be awaited, if anything. */
  private writeLeaf(
    block: EntryBlock,
    from: number,
    to: number,
    large: LargeRecords,
  ): Promise<void> | undefined {
    if (!this.runs.isFull) return this.layOut(block, from, to, large);
    return this.runs.flush().then(() => this.layOut(block, from, to, large));
  }

  private layOut(
    block: EntryBlock,
    from: number,
    to: number,
    large: LargeRecords,
  ): Promise<void> | undefined {
    const { pageSize, stamp, sequence } = this.pages;
    const base = this.runs.next(KIND_LEAF);
    const { memory } = this.runs;
    const page = pageNumberAt(memory, base);
    packLeaf(memory, base, pageSize, { page, stamp, sequence }, block, from, to, large);
    const hasLarge = memory.u16[(base + NODE_LARGE_VALUES) >>> 1] > 0;
    const separator = this.separatorFor(block.keyView(from));
    this.lastKey = Uint8Array.prototype.slice.call(block.keyView(to - 1));
    return this.branches.add(1, { separator, page, stamp, entries: to - from, large: hasLarge });
  }

  private separatorFor(first: Uint8Array): Uint8Array {
    const { lastKey } = this;
    if (lastKey === undefined) return this.nextSeparator;
    const length = separatorLength(lastKey, lastKey.length, first, first.length);
    return Uint8Array.prototype.slice.call(first, 0, length);
  }

  /** Writes what is carried: as one leaf, or as several of about the same size. */
  async flush(): Promise<void> {
    const { carry, carryLarge } = this;
    let from = 0;
    while (from < carry.count) {
      const leaf = new LeafFill(carry, from, this.pages.pageSize, 1, carryLarge);
      const end = leaf.takeAll() ? this.cutOf(from, leaf.next) : carry.count;
      await this.writeLeaf(carry, from, end, carryLarge);
      from = end;
    }
    carry.clear();
    carryLarge.clear();
    this.carryFill = undefined;
  }

  /** Where to end a leaf that could go on to `end`, so that the next one has as much if it takes all the rest. */
  private cutOf(from: number, end: number): number {
    const { carry, carryLarge } = this;
    const bytesOf = (index: number): number =>
      carry.keyLengths[index] + (carryLarge.get(index)?.length ?? carry.valueLengths[index]);
    let bytes = 0;
    for (let i = from; i < carry.count; i++) bytes += bytesOf(i);
    let cut = from + 1;
    for (let left = bytesOf(from); cut < end && left < bytes / 2; cut++) left += bytesOf(cut);
    const rest = new LeafFill(carry, cut, this.pages.pageSize, 1, carryLarge);
    return rest.takeAll() ? end : cut;
  }
}
