/**
 * Pages that commits freed and that may not be used yet, because the last durable meta page or a
 * live snapshot still reaches them.
 */
import { NumberList } from './number-list.js';
import type { Snapshots } from './snapshots.js';

interface Held {
  readonly pages: NumberList;
  readonly births: NumberList;
  /** Sequence of the commit that freed them. */
  readonly death: number;
}

export class HeldPages {
  private held: Held[] = [];
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
   * Hands every page to `makeAvailable` that nothing reaches any more. `durable` is the sequence of
   * the last durable meta page: it reaches what was made up to then and freed after.
   */
  collect(durable: number, snapshots: Snapshots, makeAvailable: (page: number) => void): void {
    const rest: Held[] = [];
    const unread = snapshots.count === 0;
    for (const held of this.held) {
      if (held.death <= durable && unread) {
        for (let i = 0; i < held.pages.length; i++) makeAvailable(held.pages.at(i));
        this.total -= held.pages.length;
        continue;
      }
      const kept = this.sift(held, durable, snapshots, makeAvailable);
      if (kept.pages.length > 0) rest.push(kept);
    }
    this.held = rest;
  }

  private sift(
    held: Held,
    durable: number,
    snapshots: Snapshots,
    makeAvailable: (page: number) => void,
  ): Held {
    const kept: Held = { pages: new NumberList(), births: new NumberList(), death: held.death };
    for (let i = 0; i < held.pages.length; i++) {
      const birth = held.births.at(i);
      const durableNeeds = birth <= durable && held.death > durable;
      if (durableNeeds || snapshots.needs(birth, held.death)) {
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
