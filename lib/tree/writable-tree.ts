/**
 * A tree in the hands of its writer: where its root is now, and the way to a leaf that may be changed.
 * `insert.ts` and `delete.ts` are its verbs.
 */
import {
  childEntries,
  childHasLarge,
  childPage,
  childStamp,
  nodeLevel,
  searchBranch,
  setChildEntries,
  setChildPage,
} from '../format/branch.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { NO_PAGE, pageNumberAt } from '../format/page.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import { wrongLevel } from './descend.js';
import { TreePath } from './tree-path.js';

export class WritableTree {
  readonly pages: PageTransaction;
  readonly path = new TreePath();
  page: number;
  stamp: number;
  entries: number;
  /** Whether a value may be large; false is certain. */
  large: boolean;

  /** No page of the tree is older than this sequence. */
  readonly since: number;

  constructor(pages: PageTransaction, root: TreeRoot, since: number) {
    this.pages = pages;
    this.since = since;
    this.page = root.page;
    this.stamp = root.stamp;
    this.entries = root.entries;
    this.large = root.large;
  }

  get root(): TreeRoot {
    return { page: this.page, stamp: this.stamp, entries: this.entries, large: this.large };
  }

  get isEmpty(): boolean {
    return this.page === NO_PAGE;
  }

  setRoot(base: number): void {
    this.page = pageNumberAt(this.pages.memory, base);
    this.stamp = this.pages.stamp;
  }

  clearRoot(): void {
    this.page = NO_PAGE;
    this.stamp = 0;
    this.large = false;
  }

  /** Makes every page from the root to the leaf for `key` our own; returns the leaf's base. */
  descend(key: Uint8Array, keyLength: number): number {
    const { pages, path } = this;
    const { memory } = pages;
    path.clear();
    let base = pages.writable(this.page, this.stamp);
    this.setRoot(base);
    for (let level = nodeLevel(memory, base); level > 0; level--) {
      const index = searchBranch(memory, base, pages.pageSize, key, keyLength);
      path.push(base, index);
      base = this.ownChild(base, index, level - 1);
    }
    return base;
  }

  /** Makes a child our own and tells its parent, which must be our own already. */
  ownChild(base: number, index: number, level: number): number {
    const { pages } = this;
    const { memory } = pages;
    const page = childPage(memory, base, index);
    const child = pages.writable(page, childStamp(memory, base, index));
    if (nodeLevel(memory, child) !== level) throw wrongLevel(page, nodeLevel(memory, child), level);
    setChildPage(memory, base, index, pageNumberAt(memory, child), pages.stamp);
    return child;
  }

  /** Adds to the entry counts of every branch on the path, and to the tree's. */
  addEntries(difference: number, large: boolean): void {
    const { memory } = this.pages;
    const { path } = this;
    this.entries += difference;
    this.large ||= large;
    for (let depth = 0; depth < path.depth; depth++) {
      const base = path.bases[depth];
      const index = path.indexes[depth];
      setChildEntries(
        memory,
        base,
        index,
        childEntries(memory, base, index) + difference,
        large || childHasLarge(memory, base, index),
      );
    }
  }
}
