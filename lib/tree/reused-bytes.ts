/**
 * Bytes handed out again and again without garbage: one memory, and one Buffer over its beginning for
 * each length that was ever asked for.
 */
import { PageMemory } from '../format/page-memory.js';

/** Lengths up to this get a view that is kept; longer ones are rare and get one each time. */
const KEPT_LENGTH_MAX = 16384;

export class ReusedBytes {
  memory: PageMemory;
  private views: (Buffer | undefined)[] = [];

  constructor(byteLength = 4096) {
    this.memory = new PageMemory(byteLength);
  }

  /** A memory with room for `length` bytes and three more, since whole words are copied. */
  reserve(length: number): PageMemory {
    if (length + 3 > this.memory.bytes.length) {
      this.memory = new PageMemory(2 ** Math.ceil(Math.log2(length + 4)));
      this.views = [];
    }
    return this.memory;
  }

  /** The first `length` bytes as a Buffer: the same one each time for the same length. */
  view(length: number): Buffer {
    const kept = this.views[length];
    if (kept !== undefined) return kept;
    const view = this.memory.bytes.subarray(0, length);
    if (length <= KEPT_LENGTH_MAX) this.views[length] = view;
    return view;
  }
}
