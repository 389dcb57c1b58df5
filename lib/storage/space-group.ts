/**
 * One group of the file in memory: which of its pages are free, and which of those may be used now.
 *
 * `free` is what the next checkpoint writes: pages that the tree does not reach. `available` is a
 * subset: a page that the last durable meta page or a live snapshot still reaches is free, but not
 * yet available. After a crash there are no snapshots and the map is right as it stands.
 */
const NO_RUN = { index: -1, length: 0 };

export class SpaceGroup {
  readonly free: Uint32Array;
  readonly available: Uint32Array;
  /** Pages in use that no tree reaches yet, for work that outlasts transactions; free as the file sees it. */
  private reserved: Uint32Array | undefined;
  reservedCount = 0;
  freeCount = 0;
  availableCount = 0;
  /** Whether `free` differs from the map in the file. */
  changed = false;
  /** Words before this one have no available page. */
  private firstWord = 0;
  /** No run of available pages is longer: what searches in vain have shown since one became available. */
  private runPagesMax: number;

  constructor(pages: number) {
    this.free = new Uint32Array(pages >>> 5);
    this.available = new Uint32Array(pages >>> 5);
    this.runPagesMax = pages;
  }

  /** Takes over a map that was read from the file: all that is free is available. */
  load(bits: Uint32Array): void {
    this.free.set(bits);
    this.available.set(bits);
    this.freeCount = countBits(bits);
    this.availableCount = this.freeCount;
    this.changed = false;
    this.firstWord = 0;
    this.runPagesMax = bits.length << 5;
  }

  isFree(index: number): boolean {
    return (this.free[index >>> 5] & (1 << (index & 31))) !== 0;
  }

  isAvailable(index: number): boolean {
    return (this.available[index >>> 5] & (1 << (index & 31))) !== 0;
  }

  setFree(index: number): void {
    if (this.isFree(index)) return;
    this.free[index >>> 5] |= 1 << (index & 31);
    this.freeCount++;
    this.changed = true;
  }

  clearFree(index: number): void {
    if (!this.isFree(index)) return;
    this.free[index >>> 5] &= ~(1 << (index & 31));
    this.freeCount--;
    this.changed = true;
  }

  setAvailable(index: number): void {
    if (this.isAvailable(index)) return;
    this.available[index >>> 5] |= 1 << (index & 31);
    this.availableCount++;
    this.runPagesMax = this.available.length << 5;
    if (index >>> 5 < this.firstWord) this.firstWord = index >>> 5;
  }

  clearAvailable(index: number): void {
    if (!this.isAvailable(index)) return;
    this.available[index >>> 5] &= ~(1 << (index & 31));
    this.availableCount--;
  }

  isReserved(index: number): boolean {
    return this.reserved !== undefined && (this.reserved[index >>> 5] & (1 << (index & 31))) !== 0;
  }

  reserve(index: number): void {
    if (this.isReserved(index)) return;
    this.reserved ??= new Uint32Array(this.free.length);
    this.reserved[index >>> 5] |= 1 << (index & 31);
    this.reservedCount++;
    this.changed = true;
  }

  unreserve(index: number): void {
    if (this.reserved === undefined || !this.isReserved(index)) return;
    this.reserved[index >>> 5] &= ~(1 << (index & 31));
    this.reservedCount--;
    this.changed = true;
  }

  /** The bits as the file is to have them: after a crash nothing that is reserved is in use. */
  bitsToWrite(): Uint32Array {
    const { reserved } = this;
    return reserved === undefined || this.reservedCount === 0
      ? this.free
      : this.free.map((word, i) => word | reserved[i]);
  }

  /** Takes the first available page of the group, or returns -1. */
  take(): number {
    const index = this.firstAvailable();
    this.firstWord = index < 0 ? this.available.length : index >>> 5;
    if (index >= 0) this.use(index);
    return index;
  }

  /** The first available page of the group, or -1. */
  firstAvailable(): number {
    const words = this.available;
    for (let word = this.firstWord; word < words.length; word++) {
      const bits = words[word];
      if (bits !== 0) return (word << 5) + (31 - Math.clz32(bits & -bits));
    }
    return -1;
  }

  /** The first run of at least `pagesMin` available pages, cut at `pagesMax`; length 0 if there is none. */
  findRun(pagesMin: number, pagesMax: number): { index: number; length: number } {
    // Free space in many short runs would be searched again for each long one that is asked for.
    if (pagesMin > this.runPagesMax) return NO_RUN;
    const pages = this.available.length << 5;
    let start = 0;
    let length = 0;
    for (let index = this.firstWord << 5; index < pages && length < pagesMax; index++) {
      if ((index & 31) === 0 && this.available[index >>> 5] === 0) {
        if (length >= pagesMin) break;
        length = 0;
        index += 31;
      } else if (!this.isAvailable(index)) {
        if (length >= pagesMin) break;
        length = 0;
      } else if (length++ === 0) start = index;
    }
    if (length >= pagesMin) return { index: start, length };
    this.runPagesMax = pagesMin - 1;
    return NO_RUN;
  }

  use(index: number): void {
    this.clearAvailable(index);
    this.clearFree(index);
  }
}

export function countBits(words: Uint32Array): number {
  let count = 0;
  for (let i = 0; i < words.length; i++) {
    let bits = words[i];
    bits -= (bits >>> 1) & 0x5555_5555;
    bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
    count += Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
  }
  return count;
}
