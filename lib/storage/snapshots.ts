/**
 * The live snapshots: how many readers still look at the store as of each sequence. Pages that one
 * of them reaches are not used again.
 */
export class Snapshots {
  private readonly readers = new Map<number, number>();
  /** Called with a sequence when its last reader is gone. */
  private readonly onRelease: (sequence: number) => void;

  constructor(onRelease: (sequence: number) => void) {
    this.onRelease = onRelease;
  }

  pin(sequence: number): void {
    this.readers.set(sequence, (this.readers.get(sequence) ?? 0) + 1);
  }

  unpin(sequence: number): void {
    const readers = this.readers.get(sequence) ?? 0;
    if (readers > 1) {
      this.readers.set(sequence, readers - 1);
      return;
    }
    this.readers.delete(sequence);
    this.onRelease(sequence);
  }

  get count(): number {
    let count = 0;
    for (const readers of this.readers.values()) count += readers;
    return count;
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
