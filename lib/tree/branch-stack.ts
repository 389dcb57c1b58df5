/**
 * The branches over leaves that come in key order: one being filled on each level, written and handed to the
 * level above when it is full. Children of an older tree can be taken over whole.
 */
import type { TreeRoot } from '../format/catalog-record.js';
import { NODE_LARGE_VALUES } from '../format/node.js';
import { KIND_BRANCH, NO_PAGE, pageNumberAt } from '../format/page.js';
import type { BuildPages } from '../storage/build-pages.js';
import type { RunWriter } from '../storage/run-writer.js';
import { BranchList, type Child } from './branch-list.js';

export class BranchStack {
  private readonly pages: BuildPages;
  private readonly runs: RunWriter;
  private readonly fill: number;
  /** The children of the branch being filled on each level, level 1 first. */
  private readonly levels: BranchList[] = [];
  /** How many of each level's children fit into one branch, as far as was seen. */
  private readonly fitting: number[] = [];
  /** What comes later may be pages of an older tree: so much is kept back that no branch is nearly empty. */
  spreads = false;

  constructor(pages: BuildPages, runs: RunWriter, fill: number) {
    this.pages = pages;
    this.runs = runs;
    this.fill = fill;
  }

  /**
   * Adds a page to the branch being filled on `level`, writing that out first if it is full. Returns what is to be
   * awaited, if anything: a promise for each leaf would cost more than the rest of it.
   */
  add(level: number, child: Child): Promise<void> | undefined {
    const list = this.level(level);
    list.children.push(child);
    const count = list.children.length;
    if (this.fitting[level - 1] === count - 1 && (count < 4 || list.fitsFirst(count, this.fill))) {
      this.fitting[level - 1] = count;
      return undefined;
    }
    // One child more is kept back, so that the last branch of a level never has a single child only.
    if (!this.spreads) return this.write(level, Math.min(this.fitting[level - 1], count - 2));
    if (!list.fits(this.fitting[level - 1], count, 0.5)) return this.write(level, this.fitting[level - 1]);
    return undefined;
  }

  /** Takes a page of the older tree over as it is; what is being filled below it ends in front of it. */
  async share(level: number, child: Child): Promise<void> {
    for (let below = 1; below < level; below++) await this.finishLevel(below);
    await this.add(level, child);
  }

  private level(level: number): BranchList {
    while (this.levels.length < level) {
      this.levels.push(new BranchList(this.pages.pageSize));
      this.fitting.push(0);
    }
    return this.levels[level - 1];
  }

  /** Writes the first `count` children of a level as a branch and hands it to the level above. */
  private async write(level: number, count: number): Promise<void> {
    if (this.runs.isFull) await this.runs.flush();
    const list = this.level(level);
    const base = this.runs.next(KIND_BRANCH);
    const { memory } = this.runs;
    const page = pageNumberAt(memory, base);
    const { stamp, sequence } = this.pages;
    list.write(memory, base, 0, count, { page, stamp, sequence, level });
    const done = list.takeFirst(count);
    // The rest may be too much for one branch: what its separators share shrinks with each that comes.
    this.fitting[level - 1] = list.countFitting(this.fill);
    const entries = done.reduce((sum, child) => sum + child.entries, 0);
    const large = memory.u16[(base + NODE_LARGE_VALUES) >>> 1] !== 0;
    await this.add(level + 1, { separator: done[0].separator, page, stamp, entries, large });
  }

  /** Writes all that is left; returns the page over all others, where there is any. */
  async finish(): Promise<Pick<TreeRoot, 'page' | 'stamp'>> {
    for (let level = 1; ; level++) {
      const { children } = this.level(level);
      const isTop = level >= this.levels.length;
      if (isTop && children.length === 0) return { page: NO_PAGE, stamp: 0 };
      if (isTop && children.length === 1) return children[0];
      await this.finishLevel(level);
    }
  }

  /** Writes what a level has: of what is more than one branch takes, even parts where pages are shared. */
  private async finishLevel(level: number): Promise<void> {
    const list = this.level(level);
    while (list.children.length > 0) {
      const count = list.children.length;
      if (list.fits(0, count)) {
        await this.write(level, count);
        return;
      }
      const fitting = list.countFitting(1);
      await this.write(level, list.fits(fitting, count) ? list.findCut(!this.spreads) : fitting);
    }
  }
}
