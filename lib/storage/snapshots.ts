/**
 * The live snapshots: how many readers still look at the store as of each sequence. Pages that one
 * of them reaches are not used again.
 */
import { indexAfter } from './held-pages.js';

interface Reader {
  /** When it came, on the clock of `performance.now`. */
  readonly since: number;
}

/** Told when the last reader of a sequence is gone; `next` is the next one that has any, or infinite. */
export type OnRelease = (sequence: number, next: number) => void;

export class Snapshots {
  /** How many readers each sequence has. */
  private readonly readers = new Map<number, number>();
  /** The sequences that have readers. */
  private readonly ascending: number[] = [];
  /** In the order in which they came. */
  private readonly held = new Set<Reader>();
  private readonly onRelease: OnRelease;

  constructor(onRelease: OnRelease) {
    this.onRelease = onRelease;
  }

  /** Keeps what a reader of `sequence` needs until the function that is returned is called; twice does no harm. */
  hold(sequence: number): () => void {
    const reader = { since: performance.now() };
    this.held.add(reader);
    this.pin(sequence);
    return () => {
      if (this.held.delete(reader)) this.unpin(sequence);
    };
  }

  pin(sequence: number): void {
    const readers = this.readers.get(sequence) ?? 0;
    this.readers.set(sequence, readers + 1);
    if (readers === 0) this.ascending.splice(this.placeAfter(sequence), 0, sequence);
  }

  unpin(sequence: number): void {
    const readers = this.readers.get(sequence) ?? 0;
    if (readers > 1) {
      this.readers.set(sequence, readers - 1);
      return;
    }
    const after = this.placeAfter(sequence);
    const next = this.ascending[after] ?? Number.POSITIVE_INFINITY;
    if (this.readers.delete(sequence)) this.ascending.splice(after - 1, 1);
    this.onRelease(sequence, next);
  }

  /** The oldest sequence that a reader looks at; infinite where there is none. */
  get oldest(): number {
    return this.ascending[0] ?? Number.POSITIVE_INFINITY;
  }

  get count(): number {
    let count = 0;
    for (const readers of this.readers.values()) count += readers;
    return count;
  }

  /** For how long the reader has been here that came first; 0 where there is none. */
  get oldestMilliseconds(): number {
    for (const { since } of this.held) return performance.now() - since;
    return 0;
  }

  /** The sequences that readers look at, ascending. */
  get sequences(): readonly number[] {
    return this.ascending;
  }

  /** Whether a reader looks at this sequence or a later one. */
  reaches(sequence: number): boolean {
    return this.needs(sequence, Number.POSITIVE_INFINITY);
  }

  /** Whether a page made by `birth` and freed by `death` is reached by a snapshot: birth <= s < death. */
  needs(birth: number, death: number): boolean {
    const { ascending } = this;
    if (ascending.length === 0) return false;
    const first = this.placeAfter(birth - 1);
    return first < ascending.length && ascending[first] < death;
  }

  private placeAfter(sequence: number): number {
    return indexAfter(this.ascending, this.ascending.length, sequence);
  }
}
