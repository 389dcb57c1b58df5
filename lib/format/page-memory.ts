/**
 * Memory that holds pages, seen at once as bytes, as 16-bit and as 32-bit words. Every function of
 * this folder takes such a memory and the byte offset (`base`) of a page in it, so that one and the
 * same code works on cache frames, on write staging and on scratch pages, without an object a page.
 */
export class PageMemory {
  readonly bytes: Buffer;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;

  /** Over `byteLength` bytes of `memory` from `at` on, both multiples of four; memory of its own where none is given. */
  constructor(byteLength: number, memory: ArrayBufferLike = new ArrayBuffer(byteLength), at = 0) {
    this.bytes = Buffer.from(memory, at, byteLength);
    this.u16 = new Uint16Array(memory, at, byteLength >>> 1);
    this.u32 = new Uint32Array(memory, at, byteLength >>> 2);
  }

  /** Memory that reader threads can be given too; files, checksums and views take either. */
  static shared(byteLength: number): PageMemory {
    return new PageMemory(byteLength, new SharedArrayBuffer(byteLength));
  }
}

/** Below this many bytes a loop over words beats a call of the runtime's copy. */
const LOOP_BYTES_MAX = 192;

/**
 * Copies bytes between two 4-byte aligned offsets. It may write up to three bytes past `length`
 * (whole words), so both sides must be padded to four bytes, as records are.
 */
export function copyAligned(
  target: PageMemory,
  targetOffset: number,
  source: PageMemory,
  sourceOffset: number,
  length: number,
): void {
  if (length > LOOP_BYTES_MAX) {
    target.bytes.set(source.bytes.subarray(sourceOffset, sourceOffset + length), targetOffset);
    return;
  }
  const from = source.u32;
  const to = target.u32;
  const words = (length + 3) >>> 2;
  let read = sourceOffset >>> 2;
  let write = targetOffset >>> 2;
  const end = read + words;
  for (; read + 4 <= end; read += 4, write += 4) {
    to[write] = from[read];
    to[write + 1] = from[read + 1];
    to[write + 2] = from[read + 2];
    to[write + 3] = from[read + 3];
  }
  for (; read < end; read++, write++) to[write] = from[read];
}

/** Copies bytes between any two offsets and writes not one byte more. */
export function copyBytes(
  target: Uint8Array,
  targetOffset: number,
  source: Uint8Array,
  sourceOffset: number,
  length: number,
): void {
  if (length <= LOOP_COPY_BYTES_MAX) {
    for (let i = 0; i < length; i++) target[targetOffset + i] = source[sourceOffset + i];
    return;
  }
  // A view is garbage, so none is made where the whole source is copied.
  const whole = sourceOffset === 0 && length === source.length;
  target.set(whole ? source : source.subarray(sourceOffset, sourceOffset + length), targetOffset);
}

/** Below this many bytes a loop over bytes beats a call of the runtime's copy. */
const LOOP_COPY_BYTES_MAX = 32;
