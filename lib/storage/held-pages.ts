/**
 * Pages that commits freed and that may not be used yet, because the file, as it would be found after
 * a crash, or a live snapshot still reaches them.
 */
import { NumberList } from './number-list.js';

interface Held {
  readonly pages: NumberList;
  readonly births: NumberList;
  /** Sequence of the commit that freed them. */
  readonly death: number;
}

/** Whether someone still reaches a page that was made at `birth` and freed at `death`. */
export type NeedsPage = (birth: number, death: number) => boolean;

export class HeldPages {
  /** Ascending by death. */
  private readonly held: Held[] = [];
  private total = 0;

  get count(): number {
    return this.total;
  }

  add(pages: NumberList, births: NumberList, death: number): void {
    if (pages.length === 0) return;
    this.held.push({ pages, births, death });
    this.total += pages.length;
  }

  /**
   * Hands every page to `makeAvailable` that no one needs any more. Looks only at those freed after
   * `sequence`: for the others nothing can have changed, and there may be very many of them.
   */
  collect(sequence: number, needs: NeedsPage, makeAvailable: (page: number) => void): void {
    let first = this.held.length;
    while (first > 0 && this.held[first - 1].death > sequence) first--;
    const looked = this.held.splice(first);
    for (const held of looked) {
      const kept = this.sift(held, needs, makeAvailable);
      if (kept.pages.length > 0) this.held.push(kept);
    }
  }

  private sift(held: Held, needs: NeedsPage, makeAvailable: (page: number) => void): Held {
    const kept: Held = { pages: new NumberList(), births: new NumberList(), death: held.death };
    for (let i = 0; i < held.pages.length; i++) {
      const birth = held.births.at(i);
      if (needs(birth, held.death)) {
        kept.pages.push(held.pages.at(i));
        kept.births.push(birth);
      } else {
        makeAvailable(held.pages.at(i));
        this.total--;
      }
    }
    return kept;
  }
}
