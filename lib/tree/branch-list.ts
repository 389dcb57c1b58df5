/**
 * The children of one or more branches as plain arrays, for the rare work that rebuilds a branch: a
 * new prefix, a split, a merge, a build from the bottom up.
 */
import { StoreError } from '../errors.js';
import {
  BRANCH_SLOT_BYTES,
  branchRecordBytes,
  childEntries,
  childHasLarge,
  childPage,
  childStamp,
  initBranch,
  insertChild,
  readSeparator,
  setChildEntries,
} from '../format/branch.js';
import { commonPrefixLength } from '../format/key.js';
import { heapEnd, NODE_SLOTS, nodeCount, setPrefix } from '../format/node.js';
import type { PageMemory } from '../format/page-memory.js';

export interface Child {
  /** Empty for the first child of a branch: it has no separator. */
  separator: Uint8Array;
  readonly page: number;
  readonly stamp: number;
  readonly entries: number;
  readonly large: boolean;
}

const NO_SEPARATOR = new Uint8Array(0);
const keyBuffer = Buffer.alloc(65536);

/** Identity of the page that children are written to. */
export interface BranchIdentity {
  readonly page: number;
  readonly stamp: number;
  readonly sequence: number;
  readonly level: number;
}

export class BranchList {
  readonly children: Child[] = [];
  private readonly pageSize: number;
  /** What `fitsFirst` has added up: bytes of the first so many children, beside the prefix that they share. */
  private readonly sum = { count: 0, prefix: 0, bytes: 0 };

  constructor(pageSize: number) {
    this.pageSize = pageSize;
  }

  /** Appends the children of a branch; `separator` becomes that of the first. */
  appendBranch(memory: PageMemory, base: number, separator: Uint8Array = NO_SEPARATOR): this {
    const count = nodeCount(memory, base);
    for (let index = 0; index < count; index++) {
      const length = index === 0 ? 0 : readSeparator(memory, base, this.pageSize, index, keyBuffer, 0);
      this.children.push({
        separator: index === 0 ? separator : new Uint8Array(keyBuffer.subarray(0, length)),
        page: childPage(memory, base, index),
        stamp: childStamp(memory, base, index),
        entries: childEntries(memory, base, index),
        large: childHasLarge(memory, base, index),
      });
    }
    return this;
  }

  /** The prefix that the separators within [from, to) share. */
  private prefixOf(from: number, to: number): number {
    if (to - from < 2) return 0;
    const first = this.children[from + 1].separator;
    const last = this.children[to - 1].separator;
    return commonPrefixLength(first, first.length, last, last.length);
  }

  /** Whether the children [from, to) fit into one branch, filled to `fill` at the most. */
  fits(from: number, to: number, fill = 1): boolean {
    const prefix = this.prefixOf(from, to);
    let bytes = BRANCH_SLOT_BYTES * (to - from);
    for (let i = from + 1; i < to; i++)
      bytes += branchRecordBytes(this.children[i].separator.length - prefix);
    return bytes <= this.capacity(prefix, fill);
  }

  /**
   * Whether the first `count` children fit into one branch, filled to `fill`: as `fits`, for one who adds children
   * at the end and asks each time. What was added up before is used again while the prefix stays what it was.
   */
  fitsFirst(count: number, fill: number): boolean {
    const { sum } = this;
    const prefix = this.prefixOf(0, count);
    if (sum.count === 0 || sum.count > count || sum.prefix !== prefix) {
      sum.count = 1;
      sum.prefix = prefix;
      sum.bytes = BRANCH_SLOT_BYTES;
    }
    for (; sum.count < count; sum.count++)
      sum.bytes += BRANCH_SLOT_BYTES + branchRecordBytes(this.children[sum.count].separator.length - prefix);
    return sum.bytes <= this.capacity(prefix, fill);
  }

  /** Takes the first `count` children out. */
  takeFirst(count: number): Child[] {
    this.sum.count = 0;
    return this.children.splice(0, count);
  }

  private capacity(prefix: number, fill: number): number {
    return (heapEnd(this.pageSize, prefix) - NODE_SLOTS) * fill;
  }

  /** How many of the children, from the first on, fit into one branch filled to `fill`. */
  countFitting(fill: number): number {
    // Three always do: a separator takes no more than about a quarter of a page.
    let count = Math.min(this.children.length, 3);
    while (count < this.children.length && this.fitsFirst(count + 1, fill)) count++;
    return count;
  }

  /**
   * Where to cut in two so that both parts fit: near the end if `growsAtEnd` (ascending inserts leave
   * full branches behind), else as near to the middle as can be.
   */
  findCut(growsAtEnd: boolean): number {
    const count = this.children.length;
    const end = count - 2;
    if (growsAtEnd && end >= 2 && this.fits(0, end)) return end;
    const middle = count >>> 1;
    for (let distance = 0; distance < count; distance++) {
      for (const cut of [middle + distance, middle - distance]) {
        if (cut >= 1 && cut < count && this.fits(0, cut) && this.fits(cut, count)) return cut;
      }
    }
    throw new Error(`no cut of ${count} children fits into two branches`);
  }

  /** Writes the children [from, to) as a whole branch at `base`. */
  write(memory: PageMemory, base: number, from: number, to: number, identity: BranchIdentity): void {
    // Past the page's end lie the bytes of another.
    if (!this.fits(from, to))
      throw new StoreError(
        'INTERNAL',
        `${to - from} children do not fit into the branch page ${identity.page}`,
      );
    const { pageSize } = this;
    initBranch(memory, base, pageSize, identity.page, identity.stamp, identity.sequence, identity.level);
    const prefix = this.prefixOf(from, to);
    if (prefix > 0) setPrefix(memory, base, pageSize, this.children[from + 1].separator, prefix);
    for (let i = from; i < to; i++) {
      const child = this.children[i];
      insertChild(memory, base, i - from, child.separator, child.separator.length, child.page, child.stamp);
      setChildEntries(memory, base, i - from, child.entries, child.large);
    }
  }
}
