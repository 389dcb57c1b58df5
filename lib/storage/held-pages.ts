/**
 * Pages that commits freed and that may not be used yet, because the file, as it would be found after
 * a crash, or a live snapshot still reaches them.
 */
import type { NumberList } from './number-list.js';

/** Whether someone still reaches a page that was made at `birth` and freed at `death`. */
export type NeedsPage = (birth: number, death: number) => boolean;

/** Pages of a chunk: few enough to be gone through often, many enough that chunks are few. */
const CHUNK_PAGES = 1024;

/** Three numbers a page side by side: a long snapshot can hold very many. */
class Chunk {
  readonly pages = new Float64Array(CHUNK_PAGES);
  readonly births = new Float64Array(CHUNK_PAGES);
  readonly deaths = new Float64Array(CHUNK_PAGES);
  length = 0;

  get isFull(): boolean {
    return this.length === CHUNK_PAGES;
  }

  push(page: number, birth: number, death: number): void {
    const at = this.length++;
    this.pages[at] = page;
    this.births[at] = birth;
    this.deaths[at] = death;
  }
}

export class HeldPages {
  /** None of them empty; ascending by death over all of them. */
  private readonly chunks: Chunk[] = [];
  private total = 0;

  get count(): number {
    return this.total;
  }

  /** `death` is the sequence of the commit that freed them, no smaller than any before. */
  add(pages: NumberList, births: NumberList, death: number): void {
    for (let i = 0; i < pages.length; i++) {
      let chunk = this.chunks.at(-1);
      if (chunk === undefined || chunk.isFull) {
        chunk = new Chunk();
        this.chunks.push(chunk);
      }
      chunk.push(pages.at(i), births.at(i), death);
    }
    this.total += pages.length;
  }

  /**
   * Hands every page to `makeAvailable`, which must not raise, that no one needs any more. Looks only at
   * those freed after `sequence` and not after `last`: for the others nothing can have changed, and there
   * may be very many of them.
   */
  collect(
    sequence: number,
    needs: NeedsPage,
    makeAvailable: (page: number) => void,
    last = Number.POSITIVE_INFINITY,
  ): void {
    const { chunks } = this;
    const first = this.firstChunkAfter(sequence);
    // What is kept moves up within these chunks: it never comes before what is still to be looked at.
    let filled = first;
    let next = first;
    for (; next < chunks.length && chunks[next].deaths[0] <= last; next++) {
      const { pages, births, deaths, length } = chunks[next];
      const from = next === first ? indexAfter(deaths, length, sequence) : 0;
      chunks[next].length = from;
      for (let i = from; i < length; i++) {
        if (deaths[i] <= last && !needs(births[i], deaths[i])) {
          this.total--;
          makeAvailable(pages[i]);
          continue;
        }
        if (chunks[filled].isFull) filled++;
        chunks[filled].push(pages[i], births[i], deaths[i]);
      }
    }
    if (filled < next && chunks[filled].length > 0) filled++;
    chunks.splice(filled, next - filled);
  }

  /** How many pages were freed after `sequence`. */
  countAfter(sequence: number): number {
    const first = this.firstChunkAfter(sequence);
    let count = 0;
    for (let i = first; i < this.chunks.length; i++) {
      const { deaths, length } = this.chunks[i];
      count += length - (i === first ? indexAfter(deaths, length, sequence) : 0);
    }
    return count;
  }

  /** How many of the pages a reader of one of these sequences, which ascend, reaches. */
  countReached(sequences: readonly number[]): number {
    let count = 0;
    for (const { births, deaths, length } of this.chunks) {
      for (let i = 0; i < length; i++) {
        const reader = indexAfter(sequences, sequences.length, births[i] - 1);
        if (reader < sequences.length && sequences[reader] < deaths[i]) count++;
      }
    }
    return count;
  }

  /** The index of the first chunk that holds a page freed after `sequence`. */
  private firstChunkAfter(sequence: number): number {
    let low = 0;
    let high = this.chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { deaths, length } = this.chunks[middle];
      if (deaths[length - 1] > sequence) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** The index of the first of the ascending numbers that is greater than `least`. */
export function indexAfter(ascending: ArrayLike<number>, length: number, least: number): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] > least) high = middle;
    else low = middle + 1;
  }
  return low;
}
