/**
 * Entries on their way into a sorted run, as records one behind the other in one memory, which grows up to its
 * bound. Behind them stays room for what sorts them. The bound's last part is for what goes to a run.
 *
 *     0                      used                                  bound - reserved          bound
 *     ┌─────────────────────┬──────────────────────┬──────────────┬──────────────────────────┐
 *     │ records             │ two lanes of the sort │ free         │ pieces on their way out │
 *     └─────────────────────┴──────────────────────┴──────────────┴──────────────────────────┘
 */
import { copyAligned, PageMemory } from '../format/page-memory.js';
import type { EntryBlock } from '../tree/entry-block.js';
import { RECORD_KEY, recordBytes, recordValueAt } from './entry-record.js';
import { KeySort, SORT_BYTES_PER_RECORD } from './key-sort.js';

const BYTES_FIRST = 256 * 1024;
/** So that a small load does not take what only a large one needs. */
const GROWTH = 16;

export class EntryBuffer {
  memory: PageMemory;
  count = 0;
  private used = 0;
  private end: number;
  /** Bytes that all keys begin with in common. */
  private prefix = 0;
  private readonly bytesMax: number;
  private readonly reserved: number;

  constructor(bytesMax: number, reserved: number) {
    this.bytesMax = bytesMax;
    this.reserved = reserved;
    this.memory = new PageMemory(Math.min(BYTES_FIRST, bytesMax));
    this.end = this.endOf(this.memory);
  }

  /** Where records, and what sorts them, end. */
  private endOf({ bytes }: PageMemory): number {
    // Of every memory, also one that is a little shorter than the bound: an end that moves back as the memory grows
    // would leave records in the place of pieces.
    return Math.min(bytes.length, this.bytesMax - this.reserved);
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
    this.prefix = 0;
  }

  /** Takes entries of the block from `from` on; returns the index of the first that has no room. */
  take(block: EntryBlock, from: number): number {
    let next = from;
    while (next < block.count && this.add(block, next)) next++;
    return next;
  }

  private add(block: EntryBlock, index: number): boolean {
    const keyLength = block.keyLengths[index];
    const valueLength = block.valueLengths[index];
    const bytes = recordBytes(keyLength, valueLength);
    while (this.used + bytes + (this.count + 1) * SORT_BYTES_PER_RECORD > this.end)
      if (!this.grow()) return false;
    const { memory, used } = this;
    memory.u32[used >>> 2] = keyLength;
    memory.u32[(used >>> 2) + 1] = valueLength;
    if (block.isLong(index)) {
      copyAligned(memory, used + RECORD_KEY, block.memory, block.keyOffsets[index], keyLength);
      memory.bytes.set(block.valueView(index), recordValueAt(used, keyLength));
    } else {
      copyAligned(memory, used + RECORD_KEY, block.memory, block.keyOffsets[index], bytes - RECORD_KEY);
    }
    this.notePrefix(used + RECORD_KEY, keyLength);
    this.used += bytes;
    this.count++;
    return true;
  }

  private notePrefix(key: number, keyLength: number): void {
    if (this.count === 0) {
      this.prefix = keyLength;
      return;
    }
    const { bytes } = this.memory;
    const most = keyLength < this.prefix ? keyLength : this.prefix;
    let shared = 0;
    while (shared < most && bytes[RECORD_KEY + shared] === bytes[key + shared]) shared++;
    this.prefix = shared;
  }

  private grow(): boolean {
    const { length } = this.memory.bytes;
    if (length === this.bytesMax) return false;
    this.resize(Math.min(length * GROWTH, this.bytesMax));
    return true;
  }

  /** Takes all the memory that there may be: runs are about to be written or read in it. */
  expand(): void {
    if (this.memory.bytes.length < this.bytesMax) this.resize(this.bytesMax);
  }

  private resize(bytes: number): void {
    const grown = new PageMemory(bytes);
    grown.bytes.set(this.memory.bytes.subarray(0, this.used));
    this.memory = grown;
    this.end = this.endOf(grown);
  }

  /** Sorts what is here, calling `pause` after every short stretch; returns the offsets of the records in order. */
  async sort(pause: () => Promise<void>): Promise<Uint32Array> {
    const sort = new KeySort(this.memory, this.count, this.used);
    for (const _ of sort.steps(this.prefix)) await pause();
    return sort.order;
  }
}
