/**
 * The live snapshots: how many readers still look at the store as of each sequence. Pages that one
 * of them reaches are not used again.
 */
interface Readers {
  count: number;
  /** When the first of them came, on the clock of `performance.now`. */
  readonly since: number;
}

export class Snapshots {
  /** By sequence. */
  private readonly readers = new Map<number, Readers>();
  /** Called with a sequence when its last reader is gone. */
  private readonly onRelease: (sequence: number) => void;

  constructor(onRelease: (sequence: number) => void) {
    this.onRelease = onRelease;
  }

  pin(sequence: number): void {
    const readers = this.readers.get(sequence);
    if (readers === undefined) this.readers.set(sequence, { count: 1, since: performance.now() });
    else readers.count++;
  }

  unpin(sequence: number): void {
    const readers = this.readers.get(sequence);
    if (readers !== undefined && readers.count > 1) {
      readers.count--;
      return;
    }
    this.readers.delete(sequence);
    this.onRelease(sequence);
  }

  get count(): number {
    let count = 0;
    for (const readers of this.readers.values()) count += readers.count;
    return count;
  }

  /** The sequences that readers look at, ascending. */
  sequences(): number[] {
    return [...this.readers.keys()].sort((a, b) => a - b);
  }

  /** For how long the oldest commit that is still looked at has been; 0 if there is none. */
  get oldestMilliseconds(): number {
    let oldest = Number.POSITIVE_INFINITY;
    let since = 0;
    for (const [sequence, readers] of this.readers) {
      if (sequence > oldest) continue;
      oldest = sequence;
      since = readers.since;
    }
    return oldest === Number.POSITIVE_INFINITY ? 0 : performance.now() - since;
  }

  /** Whether a reader looks at this sequence or a later one. */
  reaches(sequence: number): boolean {
    for (const pinned of this.readers.keys()) if (pinned >= sequence) return true;
    return false;
  }

  /** Whether a page made by `birth` and freed by `death` is reached by a snapshot: birth <= s < death. */
  needs(birth: number, death: number): boolean {
    for (const sequence of this.readers.keys()) if (birth <= sequence && sequence < death) return true;
    return false;
  }
}
