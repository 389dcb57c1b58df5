/**
 * Bytes handed out again and again without garbage: one memory, and one Buffer over its beginning for
 * each length that was asked for.
 */
import { PageMemory } from '../format/page-memory.js';

/** Lengths up to this get a view that is kept; longer ones are rare and get one each time. */
const KEPT_LENGTH_MAX = 16384;
/** What a cursor begins with. A range over a few entries is made and left often: more would be most of its cost. */
const FIRST_BYTES = 256;
/** Where first memories are cut from: memory of its own for each would cost more than all the rest of it. */
const SLAB_BYTES = 64 * FIRST_BYTES;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

function firstMemory(): PageMemory {
  if (used === SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const memory = new PageMemory(FIRST_BYTES, slab, used);
  // No part is given twice: what was handed out last stays as it is after its cursor has ended.
  used += FIRST_BYTES;
  return memory;
}

export class ReusedBytes {
  memory = firstMemory();
  // Most entries are as long as the one before.
  private latest: Buffer = EMPTY;
  /** Those of other lengths. */
  private views: (Buffer | undefined)[] | undefined;

  /** A memory with room for `length` bytes and three more, since whole words are copied. */
  reserve(length: number): PageMemory {
    if (length + 3 > this.memory.bytes.length) {
      this.memory = new PageMemory(2 ** Math.ceil(Math.log2(length + 4)));
      this.latest = EMPTY;
      this.views = undefined;
    }
    return this.memory;
  }

  /** The first `length` bytes as a Buffer: the same one each time for the same length. */
  view(length: number): Buffer {
    return length === this.latest.length ? this.latest : this.viewOf(length);
  }

  private viewOf(length: number): Buffer {
    const view = this.views?.[length] ?? this.memory.bytes.subarray(0, length);
    const before = this.latest;
    if (before !== EMPTY && before.length <= KEPT_LENGTH_MAX) {
      this.views ??= [];
      this.views[before.length] = before;
    }
    this.latest = view;
    return view;
  }
}

const EMPTY = Buffer.alloc(0);
