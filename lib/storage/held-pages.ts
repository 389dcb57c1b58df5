/**
 * Pages that commits freed and that may not be used yet, because the file, as it would be found after
 * a crash, or a live snapshot still reaches them.
 */
import { NumberList } from './number-list.js';

/** Whether someone still reaches a page that was made at `birth` and freed at `death`. */
export type NeedsPage = (birth: number, death: number) => boolean;

export class HeldPages {
  // Three numbers a page side by side, ascending by death: a long snapshot can hold very many.
  private readonly pages = new NumberList();
  private readonly births = new NumberList();
  private readonly deaths = new NumberList();

  get count(): number {
    return this.pages.length;
  }

  /** `death` is the sequence of the commit that freed them, no smaller than any before. */
  add(pages: NumberList, births: NumberList, death: number): void {
    for (let i = 0; i < pages.length; i++) {
      this.pages.push(pages.at(i));
      this.births.push(births.at(i));
      this.deaths.push(death);
    }
  }

  /**
   * Hands every page to `makeAvailable` that no one needs any more. Looks only at those freed after
   * `sequence`: for the others nothing can have changed, and there may be very many of them.
   */
  collect(sequence: number, needs: NeedsPage, makeAvailable: (page: number) => void): void {
    const { pages, births, deaths } = this;
    const { length } = pages;
    let kept = this.firstAfter(sequence);
    let next = kept;
    try {
      for (; next < length; next++) {
        if (needs(births.at(next), deaths.at(next))) this.move(next, kept++);
        else makeAvailable(pages.at(next));
      }
    } finally {
      // Where `makeAvailable` raised, the page it raised for and those after it are still held.
      for (; next < length; next++) this.move(next, kept++);
      for (const list of [pages, births, deaths]) list.truncate(kept);
    }
  }

  /** How many of the pages a reader of one of these sequences, which ascend, reaches. */
  countReached(sequences: readonly number[]): number {
    const { births, deaths } = this;
    let count = 0;
    for (let i = 0; i < births.length; i++) {
      const reader = firstFrom(sequences, births.at(i));
      if (reader < sequences.length && sequences[reader] < deaths.at(i)) count++;
    }
    return count;
  }

  /** The index of the first page freed after `sequence`. */
  private firstAfter(sequence: number): number {
    let low = 0;
    let high = this.deaths.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.deaths.at(middle) > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  private move(from: number, to: number): void {
    if (from === to) return;
    for (const list of [this.pages, this.births, this.deaths]) list.set(to, list.at(from));
  }
}

/** The index of the first number that is at least `least`. */
function firstFrom(ascending: readonly number[], least: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] >= least) high = middle;
    else low = middle + 1;
  }
  return low;
}
