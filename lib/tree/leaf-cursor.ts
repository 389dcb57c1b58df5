/**
 * Moves from leaf to leaf through a tree that does not change (a snapshot, or a transaction's frozen
 * state). It keeps page numbers, not memory: frames may be evicted between two steps.
 */
import { childPage, childStamp, nodeLevel, searchBranch } from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { nodeCount } from '../format/node.js';
import { pageNumberAt, pageStamp } from '../format/page.js';
import type { PageReader } from '../storage/pager.js';
import { loadChild } from './descend.js';

export class LeafCursor {
  readonly reader: PageReader;
  private readonly root: TreeRoot;
  // The branches above the leaf, root first, and the slot taken in each.
  private readonly pages: number[] = [];
  private readonly stamps: number[] = [];
  private readonly indexes: number[] = [];
  private depth = 0;
  /** The leaf that the cursor is at. */
  page = 0;
  stamp = 0;

  constructor(reader: PageReader, root: TreeRoot) {
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

  /** How many leaves that come next under the same parent are in memory, up to `most`, before one that is not. */
  presentAhead(step: 1 | -1, most: number, has: (page: number) => boolean): number {
    if (this.depth === 0) return 0;
    const { memory } = this.reader;
    const at = this.depth - 1;
    const base = this.reader.load(this.pages[at], this.stamps[at]);
    const count = nodeCount(memory, base);
    let present = 0;
    for (let index = this.indexes[at] + step; index >= 0 && index < count && present < most; index += step) {
      if (!has(childPage(memory, base, index))) break;
      present++;
    }
    return present;
  }

  /**
   * The leaves that come after the present one under the same parent and lie one behind the other in
   * the file, as far as they are not in memory: what one read can bring. Undefined if the next one is here.
   * `skip`: how many that are here come first (see `presentAhead`).
   */
  runAhead(
    step: 1 | -1,
    pagesMax: number,
    has: (page: number) => boolean,
    skip = 0,
  ): { first: number; stamps: number[] } | undefined {
    if (this.depth === 0) return undefined;
    const { memory } = this.reader;
    const at = this.depth - 1;
    const base = this.reader.load(this.pages[at], this.stamps[at]);
    const count = nodeCount(memory, base);
    let index = this.indexes[at] + step * (1 + skip);
    if (index < 0 || index >= count || has(childPage(memory, base, index))) return undefined;
    const stamps: number[] = [];
    let page = 0;
    for (; index >= 0 && index < count && stamps.length < pagesMax; index += step) {
      const child = childPage(memory, base, index);
      if (has(child) || (stamps.length > 0 && child !== page + step)) break;
      page = child;
      stamps.push(childStamp(memory, base, index));
    }
    // Backwards the run was gathered from its end; one read goes forward.
    if (step === -1) stamps.reverse();
    return { first: step === 1 ? page - stamps.length + 1 : page, stamps };
  }
}
