/**
 * Builds a tree from the bottom up out of ascending entries, or extends one past its last key: full
 * leaves, then branches, each page written once, in constant memory.
 */
import { nodeLevel } from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { separatorLength } from '../format/key.js';
import { leafRecord, readLeafKey, recordIsLarge, recordValue, recordValueLength } from '../format/leaf.js';
import { NODE_LARGE_VALUES, nodeCount } from '../format/node.js';
import { KIND_BRANCH, KIND_LEAF, NO_PAGE, pageStamp } from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import { pageNumberAt } from '../storage/pager.js';
import { RunWriter } from '../storage/run-writer.js';
import { ValueWriter } from '../storage/value-writer.js';
import { BranchList, type Child } from './branch-list.js';
import { loadChild } from './descend.js';
import { EntryBlock } from './entry-block.js';
import { LeafFill, packLeaf } from './leaf-packer.js';
import { isLargeValue } from './new-entry.js';

const keyBuffer = Buffer.alloc(65536);

export class TreeBuilder {
  private readonly pages: PageTransaction;
  private readonly fill: number;
  private readonly runs: RunWriter;
  /** Entries that do not fill a leaf yet, in front of those to come. */
  private carry: EntryBlock;
  private carryBytes: number;
  /** Trades places with `carry` when its front goes. */
  private spare: EntryBlock;
  private readonly carryLarge = new Map<number, Buffer>();
  /** What the entries carried take in a leaf; undefined once any of them were taken away. */
  private carryFill: LeafFill | undefined;
  /** The children of the branch being filled on each level, level 1 first. */
  private readonly levels: BranchList[] = [];
  private entries: number;
  private large: boolean;
  /** The last key of the last finished leaf: the left side of the next separator. */
  private lastKey = new Uint8Array(0);
  private hasLeaves = false;

  /** `root` is the tree to extend; all keys to come sort after its last. */
  constructor(pages: PageTransaction, root: TreeRoot, fill: number) {
    this.pages = pages;
    this.fill = fill;
    this.runs = new RunWriter(pages);
    this.carryBytes = 4 * pages.pageSize;
    this.carry = new EntryBlock(this.carryBytes);
    this.spare = new EntryBlock(this.carryBytes);
    this.entries = root.entries;
    this.large = root.large;
    if (root.page !== NO_PAGE) this.openRightEdge(root);
  }

  /** Takes the last leaf's entries and the right-most branches' children up again, and frees those pages. */
  private openRightEdge(root: TreeRoot): void {
    const { pages } = this;
    const { memory, pageSize } = pages;
    let base = pages.load(root.page, root.stamp);
    const edge: { page: number; stamp: number }[] = [];
    let separator: Uint8Array = new Uint8Array(0);
    for (;;) {
      edge.push({ page: pageNumberAt(memory, base), stamp: pageStamp(memory, base) });
      const level = nodeLevel(memory, base);
      if (level === 0) break;
      const list = new BranchList(pageSize).appendBranch(memory, base, separator);
      const last = list.children.pop();
      this.levels[level - 1] = list;
      separator = last?.separator ?? separator;
      base = loadChild(pages, base, nodeCount(memory, base) - 1);
    }
    this.takeUpLeaf(base);
    this.hasLeaves = true;
    this.firstSeparator = separator;
    for (const { page, stamp } of edge) pages.freeNode(page, stamp);
  }

  /** The separator of the leaf taken up from the right edge: its place in the parent must stay. */
  private firstSeparator: Uint8Array | undefined;

  private takeUpLeaf(base: number): void {
    const { memory, pageSize } = this.pages;
    for (let i = 0; i < nodeCount(memory, base); i++) {
      const keyLength = readLeafKey(memory, base, pageSize, i, keyBuffer, 0);
      const record = leafRecord(memory, base, i);
      const value = memory.bytes.subarray(
        recordValue(record),
        recordValue(record) + recordValueLength(memory, record),
      );
      const isLarge = recordIsLarge(memory, record);
      if (!this.carry.hasRoom(keyLength, isLarge ? 0 : value.length)) this.growCarry();
      if (isLarge) this.carryLarge.set(this.carry.count, Buffer.from(value));
      this.carry.add(keyBuffer.subarray(0, keyLength), isLarge ? '' : value);
    }
  }

  /** Entries of the tree so far, those it had before included. */
  get entryCount(): number {
    return this.entries;
  }

  /** The greatest key so far, or undefined while there is none. */
  get greatestKey(): Uint8Array | undefined {
    return this.carry.isEmpty
      ? undefined
      : Uint8Array.prototype.slice.call(this.carry.keyView(this.carry.count - 1));
  }

  /** Drops the greatest entry again, for an equal key that replaces it. It is always still at hand. */
  removeGreatest(): void {
    const index = this.carry.count - 1;
    const record = this.carryLarge.get(index);
    if (record !== undefined) throw new Error('a large value was to be replaced by the builder');
    this.carry.removeLast();
    this.carryFill = undefined;
    this.entries--;
  }

  /** Whether the greatest entry's value is in extents, which only a transaction can give up. */
  get greatestIsLarge(): boolean {
    return this.carryLarge.has(this.carry.count - 1);
  }

  /** Takes the block's entries [from, to); they ascend, and sort after all taken before. */
  async append(block: EntryBlock, from: number, to: number): Promise<void> {
    this.entries += to - from;
    const whole = block.count;
    block.count = to;
    try {
      await this.take(block, from, this.writeLargeValues(block, from));
    } finally {
      block.count = whole;
    }
  }

  /** Takes an entry whose value is in extents already; `record` is what its leaf keeps of it. */
  async appendLarge(key: Uint8Array, record: Buffer): Promise<void> {
    const single = new EntryBlock(2 * this.pages.pageSize);
    single.add(key, '');
    this.entries++;
    await this.take(single, 0, new Map([[0, record]]));
  }

  private async take(block: EntryBlock, from: number, large: ReadonlyMap<number, Buffer>): Promise<void> {
    let next = await this.completeCarry(block, from, large);
    for (;;) {
      if (next >= block.count) return;
      const leaf = new LeafFill(block, next, this.pages.pageSize, this.fill, large);
      if (!leaf.takeAll()) break;
      await this.writeLeaf(block, next, leaf.next, large);
      next = leaf.next;
    }
    for (; next < block.count; next++) this.carryOver(block, next, large);
  }

  private carryOver(block: EntryBlock, index: number, large: ReadonlyMap<number, Buffer>): void {
    const record = large.get(index);
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
  private async completeCarry(
    block: EntryBlock,
    from: number,
    large: ReadonlyMap<number, Buffer>,
  ): Promise<number> {
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
      for (let i = 0; i < returned; i++) {
        this.carryLarge.delete(this.carry.count - 1);
        this.carry.removeLast();
      }
      next -= returned;
    }
    return next;
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

  private writeLargeValues(block: EntryBlock, from: number): ReadonlyMap<number, Buffer> {
    const { pageSize } = this.pages;
    let records: Map<number, Buffer> | undefined;
    for (let i = from; i < block.count; i++) {
      const length = block.valueLengths[i];
      if (!isLargeValue(pageSize, block.keyLengths[i], length)) continue;
      const writer = new ValueWriter(this.pages, length);
      writer.append(block.valueView(i));
      records ??= new Map();
      records.set(i, writer.finish());
    }
    return records ?? NO_LARGE;
  }

  private async writeLeaf(
    block: EntryBlock,
    from: number,
    to: number,
    large: ReadonlyMap<number, Buffer>,
  ): Promise<void> {
    if (this.runs.isFull) await this.runs.flush();
    const { pageSize, stamp, sequence } = this.pages;
    const base = this.runs.next(KIND_LEAF);
    const { memory } = this.runs;
    const page = pageNumberAt(memory, base);
    packLeaf(memory, base, pageSize, { page, stamp, sequence }, block, from, to, large);
    const hasLarge = memory.u16[(base + NODE_LARGE_VALUES) >>> 1] > 0;
    this.large ||= hasLarge;
    const separator = this.separatorFor(block.keyView(from));
    this.lastKey = Uint8Array.prototype.slice.call(block.keyView(to - 1));
    await this.addChild(1, { separator, page, stamp, entries: to - from, large: hasLarge });
  }

  private separatorFor(first: Uint8Array): Uint8Array {
    const kept = this.firstSeparator;
    this.firstSeparator = undefined;
    if (kept !== undefined) return kept;
    if (!this.hasLeaves) {
      this.hasLeaves = true;
      return new Uint8Array(0);
    }
    return Uint8Array.prototype.slice.call(
      first,
      0,
      separatorLength(this.lastKey, this.lastKey.length, first, first.length),
    );
  }

  /** Adds a finished page to the branch being filled on `level`, writing that out first if it is full. */
  private async addChild(level: number, child: Child): Promise<void> {
    const list = this.level(level);
    list.children.push(child);
    const count = list.children.length;
    // One child more is kept back, so that the last branch of a level never has a single child only.
    if (count < 4 || list.fits(0, count, this.fill)) return;
    await this.writeBranch(level, count - 2);
  }

  private level(level: number): BranchList {
    let list = this.levels[level - 1];
    if (list === undefined) {
      list = new BranchList(this.pages.pageSize);
      this.levels[level - 1] = list;
    }
    return list;
  }

  /** Writes the first `count` children of a level as a branch and hands it to the level above. */
  private async writeBranch(level: number, count: number): Promise<void> {
    if (this.runs.isFull) await this.runs.flush();
    const list = this.level(level);
    const base = this.runs.next(KIND_BRANCH);
    const { memory } = this.runs;
    const page = pageNumberAt(memory, base);
    const { stamp, sequence } = this.pages;
    list.write(memory, base, 0, count, { page, stamp, sequence, level });
    const done = list.children.splice(0, count);
    const entries = done.reduce((sum, child) => sum + child.entries, 0);
    const child: Child = {
      separator: done[0].separator,
      page,
      stamp,
      entries,
      large: hasLargeBelow(memory, base),
    };
    await this.addChild(level + 1, child);
  }

  /** Writes all that is pending; returns the root of the whole tree. */
  async finish(): Promise<TreeRoot> {
    if (!this.carry.isEmpty) await this.writeLeaf(this.carry, 0, this.carry.count, this.carryLarge);
    this.carry.clear();
    this.carryLarge.clear();
    const root = await this.finishLevels();
    await this.runs.finish();
    return { page: root?.page ?? NO_PAGE, stamp: root?.stamp ?? 0, entries: this.entries, large: this.large };
  }

  /** Waits for writes under way; their pages are the transaction's to give back. */
  abandon(): Promise<void> {
    return this.runs.abandon();
  }

  private async finishLevels(): Promise<Child | undefined> {
    for (let level = 1; ; level++) {
      const list = this.level(level);
      const isTop = level >= this.levels.length;
      if (isTop && list.children.length <= 1) return list.children[0];
      if (list.children.length > 0) await this.finishLevel(level, list);
    }
  }

  private async finishLevel(level: number, list: BranchList): Promise<void> {
    const count = list.children.length;
    // After a right edge was taken up, what is left of a level may be more than one branch holds.
    if (!list.fits(0, count)) await this.writeBranch(level, list.findCut(true));
    await this.writeBranch(level, list.children.length);
  }
}

const NO_LARGE: ReadonlyMap<number, Buffer> = new Map();

function hasLargeBelow(memory: PageMemory, base: number): boolean {
  return memory.u16[(base + NODE_LARGE_VALUES) >>> 1] !== 0;
}
