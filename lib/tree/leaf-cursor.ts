/**
 * Moves from leaf to leaf through a tree that does not change (a snapshot, or a transaction's frozen
 * state). It keeps page numbers, not memory: frames may be evicted between two steps.
 */
import { childPage, childStamp, nodeLevel, searchBranch } from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { nodeCount } from '../format/node.js';
import { pageNumberAt, pageStamp } from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import type { PageReader, Pager } from '../storage/pager.js';
import { loadChild } from './descend.js';

/** Also tells which pages are in memory, so that looking ahead never waits for the disk. */
type LeafReader = PageReader & Pick<Pager, 'has'>;

/** Pages that lie one behind the other in the file. */
export interface PageRun {
  readonly first: number;
  readonly stamps: number[];
  /** Whether it is one branch, the way to more leaves than any scan has ahead. */
  readonly isBranch: boolean;
}

export class LeafCursor {
  readonly reader: LeafReader;
  private readonly root: TreeRoot;
  // The branches above the leaf, root first, and the slot taken in each.
  private readonly pages: number[] = [];
  private readonly stamps: number[] = [];
  private readonly indexes: number[] = [];
  private depth = 0;
  /** The leaf that the cursor is at. */
  page = 0;
  stamp = 0;

  constructor(reader: LeafReader, root: TreeRoot) {
    this.reader = reader;
    this.root = root;
  }

  /** The base of the present leaf, good until the next load. */
  load(): number {
    return this.reader.load(this.page, this.stamp);
  }

  /** Goes to the leaf in whose range the key lies; false if the tree is empty. */
  seek(key: Uint8Array, keyLength: number): boolean {
    const { memory, pageSize } = this.reader;
    return this.start((base) => searchBranch(memory, base, pageSize, key, keyLength));
  }

  seekFirst(): boolean {
    return this.start(() => 0);
  }

  seekLast(): boolean {
    return this.start((base) => nodeCount(this.reader.memory, base) - 1);
  }

  private start(choose: (base: number) => number): boolean {
    this.depth = 0;
    if (this.root.page === 0) return false;
    this.goDown(this.reader.load(this.root.page, this.root.stamp), choose);
    return true;
  }

  private goDown(from: number, choose: (base: number) => number): void {
    const { memory } = this.reader;
    let base = from;
    while (nodeLevel(memory, base) > 0) {
      const index = choose(base);
      this.pages[this.depth] = pageNumberAt(memory, base);
      this.stamps[this.depth] = pageStamp(memory, base);
      this.indexes[this.depth] = index;
      this.depth++;
      base = loadChild(this.reader, base, index);
    }
    this.page = pageNumberAt(memory, base);
    this.stamp = pageStamp(memory, base);
  }

  /** Levels of branches above the leaf. */
  get branchLevels(): number {
    return this.depth;
  }

  /** Goes on to the next leaf; false at the end. */
  next(): boolean {
    return this.move(1);
  }

  /** Goes back to the previous leaf; false at the beginning. */
  previous(): boolean {
    return this.move(-1);
  }

  private move(step: 1 | -1): boolean {
    const { memory } = this.reader;
    while (this.depth > 0) {
      const at = this.depth - 1;
      const base = this.reader.load(this.pages[at], this.stamps[at]);
      const index = this.indexes[at] + step;
      if (index < 0 || index >= nodeCount(memory, base)) {
        this.depth--;
        continue;
      }
      this.indexes[at] = index;
      const child = loadChild(this.reader, base, index);
      this.goDown(child, step === 1 ? () => 0 : (branch) => nodeCount(memory, branch) - 1);
      return true;
    }
    return false;
  }

  /** How many leaves that come next are in memory, up to `most`, before a page that is not. */
  presentAhead(step: 1 | -1, most: number, has: (page: number) => boolean): number {
    let present = 0;
    this.visitAhead(step, (page) => {
      if (present >= most || !has(page)) return false;
      present++;
      return true;
    });
    return present;
  }

  /**
   * The pages that come after the present leaf and lie one behind the other in the file, as far as they are not in
   * memory: what one read can bring. They are leaves, or a branch over leaves further on. Undefined if the next leaf
   * is here. `skip`: how many that are here come first (see `presentAhead`).
   */
  runAhead(step: 1 | -1, pagesMax: number, has: (page: number) => boolean, skip = 0): PageRun | undefined {
    // Most often the next leaf is here.
    if (skip === 0 && this.isNextHere(step, has)) return undefined;
    const stamps: number[] = [];
    let page = 0;
    let left = skip;
    let isBranch = false;
    this.visitAhead(step, (child, stamp, isLeaf) => {
      if (left-- > 0) return true;
      if (stamps.length === pagesMax || has(child)) return false;
      if (stamps.length > 0 && (child !== page + step || !isLeaf)) return false;
      isBranch = !isLeaf;
      page = child;
      stamps.push(stamp);
      return true;
    });
    if (stamps.length === 0) return undefined;
    // Backwards the run was gathered from its end; one read goes forward.
    if (step === -1) stamps.reverse();
    return { first: step === 1 ? page - stamps.length + 1 : page, stamps, isBranch };
  }

  private isNextHere(step: 1 | -1, has: (page: number) => boolean): boolean {
    if (this.depth === 0) return false;
    const { memory } = this.reader;
    const at = this.depth - 1;
    const base = this.reader.load(this.pages[at], this.stamps[at]);
    const index = this.indexes[at] + step;
    return index >= 0 && index < nodeCount(memory, base) && has(childPage(memory, base, index));
  }

  /**
   * Shows the leaves that come next to `visit`, until that returns false: those under the same parent, then those under
   * the parent after it; in place of these the branch on the way to them that is not in memory.
   */
  private visitAhead(step: 1 | -1, visit: Visit): void {
    const { memory } = this.reader;
    for (let at = this.depth - 1; at >= 0; at--) {
      let base = this.reader.load(this.pages[at], this.stamps[at]);
      let index = this.indexes[at] + step;
      const isParent = at === this.depth - 1;
      if (isParent && !visitChildren(memory, base, index, step, visit)) return;
      if (isParent || index < 0 || index >= nodeCount(memory, base)) continue;
      while (nodeLevel(memory, base) > 1) {
        const page = childPage(memory, base, index);
        const stamp = childStamp(memory, base, index);
        if (!this.reader.has(page)) {
          visit(page, stamp, false);
          return;
        }
        base = this.reader.load(page, stamp);
        index = step === 1 ? 0 : nodeCount(memory, base) - 1;
      }
      visitChildren(memory, base, index, step, visit);
      return;
    }
  }
}

type Visit = (page: number, stamp: number, isLeaf: boolean) => boolean;

/** Returns whether all children from `from` on were visited. */
function visitChildren(memory: PageMemory, base: number, from: number, step: 1 | -1, visit: Visit): boolean {
  const count = nodeCount(memory, base);
  for (let index = from; index >= 0 && index < count; index += step)
    if (!visit(childPage(memory, base, index), childStamp(memory, base, index), true)) return false;
  return true;
}
