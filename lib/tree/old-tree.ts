/**
 * What is left of a tree while a sorted run is merged into it: the way to the leaf that the run has come to, that
 * leaf's entries, and the pages to the right of the way. What the run passes over is shared, not read.
 */
import { nodeLevel, searchBranch } from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { compareKeys } from '../format/key.js';
import { leafRecord, readLeafKey, recordIsLarge, recordValue, recordValueLength } from '../format/leaf.js';
import { nodeCount } from '../format/node.js';
import { NO_PAGE, pageNumberAt, pageStamp } from '../format/page.js';
import { decodeValueExtents } from '../format/value-extents.js';
import type { BuildPages } from '../storage/build-pages.js';
import { BranchList, type Child } from './branch-list.js';
import type { BranchStack } from './branch-stack.js';
import { wrongLevel } from './descend.js';
import { EntryBlock } from './entry-block.js';
import type { LeafBuilder } from './leaf-builder.js';

const NO_SEPARATOR = new Uint8Array(0);
const keyBuffer = Buffer.alloc(65536);

export class OldTree {
  /** The entries of the leaf that was opened last, of which those before `next` are merged. */
  entries: EntryBlock;
  /** The records of those whose values are in extents, by index. */
  readonly large = new Map<number, Buffer>();
  next = 0;
  private readonly pages: BuildPages;
  private readonly leaves: LeafBuilder;
  private readonly branches: BranchStack;
  /** For each level, level 1 first, the children to the right of the way; the nearest comes last. */
  private readonly right: Child[][] = [];
  private bound: Uint8Array | undefined;
  private entryBytes: number;
  /** Whether the leaf opened last is the neighbour of the one before: then the next may be its neighbour. */
  private isDense = false;
  /** The tree's root while nothing of it was opened. */
  private closed: Child | undefined;

  constructor(pages: BuildPages, root: TreeRoot, leaves: LeafBuilder, branches: BranchStack) {
    this.pages = pages;
    this.leaves = leaves;
    this.branches = branches;
    this.entryBytes = 4 * pages.pageSize;
    this.entries = new EntryBlock(this.entryBytes);
    if (root.page !== NO_PAGE) this.closed = { separator: NO_SEPARATOR, ...root };
  }

  /** Where the pages to the right of the opened leaf begin; undefined if there are none. */
  get upper(): Uint8Array | undefined {
    return this.bound;
  }

  get isAtEnd(): boolean {
    return this.next === this.entries.count && this.bound === undefined && this.closed === undefined;
  }

  /** Whether an entry's key is past what was opened. */
  isPassedBy(block: EntryBlock, index: number): boolean {
    if (this.closed !== undefined) return true;
    return this.bound !== undefined && block.compareWith(index, this.bound) >= 0;
  }

  /** Opens the leaf in whose range the key lies, which is past what was opened before. All of that is taken. */
  async moveTo(key: Uint8Array): Promise<void> {
    this.isDense = true;
    await this.openPast(key);
    this.bound = this.right.find((children) => children.length > 0)?.at(-1)?.separator;
  }

  private async openPast(key: Uint8Array): Promise<void> {
    if (this.closed !== undefined) {
      const root = this.closed;
      this.closed = undefined;
      const { memory } = this.pages;
      await this.open(root, nodeLevel(memory, this.pages.load(root.page, root.stamp)), key);
      return;
    }
    for (let level = 1; ; level++) {
      const children = this.right[level - 1];
      if (!this.endsBefore(level, key)) {
        let child = children.pop();
        for (; child !== undefined && startsBy(children.at(-1), key); child = children.pop())
          await this.share(level, child);
        if (child !== undefined) await this.open(child, level - 1, key);
        return;
      }
      await this.shareAll(level, children);
    }
  }

  /** Whether the branch whose children to the right are those of `level` ends before the key. */
  private endsBefore(level: number, key: Uint8Array): boolean {
    if (this.right[level - 1].length === 0) return true;
    for (let above = level + 1; above <= this.right.length; above++) {
      const next = this.right[above - 1].at(-1);
      if (next !== undefined) return startsBy(next, key);
    }
    return false;
  }

  private async shareAll(level: number, children: Child[]): Promise<void> {
    for (let child = children.pop(); child !== undefined; child = children.pop())
      await this.share(level, child);
  }

  private async share(level: number, child: Child): Promise<void> {
    this.isDense = false;
    await this.leaves.flush();
    await this.branches.share(level, child);
    this.leaves.startAt(NO_SEPARATOR);
  }

  /** Goes down from a node to the leaf for the key. Pages on the way are given up: their children are shared. */
  private async open(child: Child, level: number, key: Uint8Array): Promise<void> {
    const { pages } = this;
    if (level === 0 && this.isDense) await this.readAhead(child);
    const base = pages.load(child.page, child.stamp);
    const found = nodeLevel(pages.memory, base);
    if (found !== level) throw wrongLevel(child.page, found, level);
    if (level === 0) this.openLeaf(base, child.separator);
    else {
      const index = searchBranch(pages.memory, base, pages.pageSize, key, key.length);
      const { children } = new BranchList(pages.pageSize).appendBranch(pages.memory, base, child.separator);
      pages.freeNode(child.page, child.stamp);
      for (let i = 0; i < index; i++) await this.share(level, children[i]);
      while (this.right.length < level) this.right.push([]);
      this.right[level - 1] = children.slice(index + 1).reverse();
      await this.open(children[index], level - 1, key);
    }
  }

  /** Reads the leaves that lie behind this one in the file, where it was written in one run with them. */
  private async readAhead({ page, stamp }: Child): Promise<void> {
    const { pager } = this.pages;
    const children = this.right[0] ?? [];
    if (pager.has(page)) return;
    const stamps = [stamp];
    for (let i = children.length - 1; i >= 0 && stamps.length < pager.runPagesMax; i--) {
      if (children[i].page !== page + stamps.length) break;
      stamps.push(children[i].stamp);
    }
    if (stamps.length > 1) await pager.fetchRunAsync(page, stamps, true);
  }

  private openLeaf(base: number, separator: Uint8Array): void {
    const { memory, pageSize } = this.pages;
    this.entries.clear();
    this.large.clear();
    this.next = 0;
    for (let i = 0; i < nodeCount(memory, base); i++) {
      const keyLength = readLeafKey(memory, base, pageSize, i, keyBuffer, 0);
      const record = leafRecord(memory, base, i);
      const valueAt = recordValue(record);
      const value = memory.bytes.subarray(valueAt, valueAt + recordValueLength(memory, record));
      const isLarge = recordIsLarge(memory, record);
      while (!this.entries.hasRoom(keyLength, isLarge ? 0 : value.length)) this.growEntries();
      if (isLarge) this.large.set(i, Buffer.from(value));
      this.entries.add(keyBuffer.subarray(0, keyLength), isLarge ? '' : value);
    }
    if (this.leaves.isEmpty) this.leaves.startAt(separator);
    this.pages.freeNode(pageNumberAt(memory, base), pageStamp(memory, base));
  }

  private growEntries(): void {
    this.entryBytes *= 2;
    const grown = new EntryBlock(this.entryBytes);
    for (let i = 0; i < this.entries.count; i++) grown.addFrom(this.entries, i);
    this.entries = grown;
  }

  /** Leaves the next entry out: its value's pages, if it has any, are free again. */
  dropNext(): void {
    const record = this.large.get(this.next);
    if (record !== undefined)
      this.pages.freeValue(decodeValueExtents(record, 0, record.length, this.pages.pageSize, 0));
    this.next++;
  }

  /** Shares all that is left. The entries of the opened leaf are taken. */
  async finish(): Promise<void> {
    if (this.closed !== undefined) {
      const { memory } = this.pages;
      const level = nodeLevel(memory, this.pages.load(this.closed.page, this.closed.stamp));
      await this.share(level + 1, this.closed);
      this.closed = undefined;
    }
    for (const [index, children] of this.right.entries()) await this.shareAll(index + 1, children);
  }
}

function startsBy(child: Child | undefined, key: Uint8Array): boolean {
  return child !== undefined && compareKeys(child.separator, child.separator.length, key, key.length) <= 0;
}
