/** The records of a sorted buffer, one for each key: straight into blocks, or into a run. */
import type { PageMemory } from '../format/page-memory.js';
import type { EntryBlock } from '../tree/entry-block.js';
import { duplicateKey, type OnDuplicate } from './duplicate.js';
import { RECORD_KEY, RECORD_VALUE_LENGTH, recordBytes, sameKeys } from './entry-record.js';
import { type BlockLimits, type EntrySource, isFull } from './entry-source.js';
import type { RunOutput } from './run-output.js';

/** Records that are touched ahead, all at once: a memory answers many requests in the time of one. */
const TOUCHED = 32;
/** Words of a cache line. */
const LINE_WORDS = 16;

export class SortedRecords implements EntrySource {
  duplicates = 0;
  private readonly memory: PageMemory;
  /** Offsets of records by key, those of one key as they came. */
  private readonly order: Uint32Array;
  private readonly onDuplicate: OnDuplicate;
  private next = 0;
  /** Records before this place in the order were touched. */
  private touchedTo = 0;
  private touched = 0;
  /** The record whose turn it is; -1 at the end. */
  private at = -1;

  constructor(memory: PageMemory, order: Uint32Array, onDuplicate: OnDuplicate) {
    this.memory = memory;
    this.order = order;
    this.onDuplicate = onDuplicate;
    this.advance();
  }

  async fill(block: EntryBlock, limits: BlockLimits): Promise<void> {
    const { memory } = this;
    const { u32 } = memory;
    while (this.at >= 0) {
      const keyLength = u32[this.at >>> 2];
      const valueLength = u32[(this.at + RECORD_VALUE_LENGTH) >>> 2];
      if (!block.isEmpty && isFull(block, limits, keyLength, valueLength)) return;
      block.addAligned(memory, this.at + RECORD_KEY, keyLength, valueLength);
      this.advance();
    }
  }

  /** Writes all records to a run. */
  async writeTo(output: RunOutput, pause: () => Promise<void>): Promise<void> {
    const { u32 } = this.memory;
    while (this.at >= 0) {
      const bytes = recordBytes(u32[this.at >>> 2], u32[(this.at + RECORD_VALUE_LENGTH) >>> 2]);
      if (output.isLong(bytes)) await this.putLong(output);
      else {
        if (!output.fits(bytes)) {
          await output.nextPiece();
          await pause();
        }
        output.put(this.at, bytes);
      }
      this.advance();
    }
  }

  private async putLong(output: RunOutput): Promise<void> {
    const { bytes, u32 } = this.memory;
    const keyEnd = this.at + RECORD_KEY + u32[this.at >>> 2];
    const value = (keyEnd + 3) & ~3;
    const valueLength = u32[(this.at + RECORD_VALUE_LENGTH) >>> 2];
    await output.putLong(
      bytes.subarray(this.at + RECORD_KEY, keyEnd),
      bytes.subarray(value, value + valueLength),
    );
  }

  /** Moves on to the next key. */
  private advance(): void {
    const { order } = this;
    const { u32 } = this.memory;
    if (this.next === order.length) {
      this.at = -1;
      return;
    }
    if (this.next >= this.touchedTo) this.touchAhead();
    this.at = order[this.next++];
    while (this.next < order.length) {
      const other = order[this.next];
      const keyLength = u32[this.at >>> 2];
      if (keyLength !== u32[other >>> 2] || !sameKeys(u32, this.at, other, keyLength)) return;
      if (this.onDuplicate === 'error') throw duplicateKey(this.key(other));
      this.next++;
      this.duplicates++;
      if (this.onDuplicate === 'replace') this.at = other;
    }
  }

  /**
   * Reads a word of each of the next records. In key order they lie all over the memory, and one read after the
   * other, each with work behind it, would wait for the memory each time.
   */
  private touchAhead(): void {
    const { order, next } = this;
    const { u32 } = this.memory;
    const end = Math.min(next + TOUCHED, order.length);
    let { touched } = this;
    for (let i = next; i < end; i++) {
      const word = order[i] >>> 2;
      touched = (touched + u32[word] + u32[word + LINE_WORDS] + u32[word + 2 * LINE_WORDS]) | 0;
    }
    // Kept, so that the reads are not left out.
    this.touched = touched;
    this.touchedTo = end;
  }

  private key(at: number): Uint8Array {
    return this.memory.bytes.subarray(at + RECORD_KEY, at + RECORD_KEY + this.memory.u32[at >>> 2]);
  }
}
