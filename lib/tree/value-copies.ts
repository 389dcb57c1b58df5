/**
 * Copies of small values, cut from slabs: one allocation of memory serves many of them, as the
 * runtime's own pool does, and words are copied where it would call into native code for each.
 */
import type { PageMemory } from '../format/page-memory.js';

/** What one small value that is kept keeps with it at the most: twice the runtime's pool. */
const SLAB_BYTES = 16_384;
/** Longer values get memory of their own: a call is then less than the loop. */
const SLAB_VALUE_BYTES_MAX = 512;

let slab = new ArrayBuffer(SLAB_BYTES);
let words = new Uint32Array(slab);
let used = 0;

/** The bytes at a multiple of four in page memory, up to three of padding behind them, as a Buffer of the caller's own. */
export function copyOfValue(memory: PageMemory, value: number, length: number): Buffer {
  if (length > SLAB_VALUE_BYTES_MAX) {
    const copy = Buffer.allocUnsafe(length);
    copy.set(memory.bytes.subarray(value, value + length));
    return copy;
  }
  if (used + length > SLAB_BYTES) startSlab();
  const source = memory.u32;
  let read = value >>> 2;
  const end = read + ((length + 3) >>> 2);
  for (let write = used >>> 2; read < end; read++, write++) words[write] = source[read];
  const copy = Buffer.from(slab, used, length);
  // Eight, so that a caller can lay any typed array over what it was given.
  used = (used + length + 7) & ~7;
  return copy;
}

function startSlab(): void {
  slab = new ArrayBuffer(SLAB_BYTES);
  words = new Uint32Array(slab);
  used = 0;
}
