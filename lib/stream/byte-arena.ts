// A buffer that grows, which bytes of many entries are written into one after the other.

import { PageMemory } from '../format/page-memory.js';

/** Beyond so many bytes a call of the runtime's copy beats a loop over bytes, and one over words. */
const COPY_NATIVE_BYTES = 96;
const COPY_BY_WORDS_MAX = 512;

/** Bytes appended one after the other; what was written stays in place until `clear`. */
export class ByteArena {
  /** Holds what was written in its first `length` bytes. Replaced when it grows: read it after writing. */
  bytes: Buffer;
  /** The same bytes, for words that begin at any of them. */
  view: DataView;
  /** The same bytes, for copies of whole words; they are a multiple of four. */
  memory: PageMemory;
  length = 0;

  constructor(bytes = 64 * 1024) {
    this.memory = uninitialized(bytes);
    this.bytes = this.memory.bytes;
    this.view = new DataView(this.bytes.buffer);
  }

  /** Forgets what was written and keeps the memory. */
  clear(): void {
    this.length = 0;
  }

  /** Makes sure that so many more bytes fit. */
  reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.bytes.length) return;
    const larger = uninitialized(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(larger.bytes, 0, 0, this.length);
    this.memory = larger;
    this.bytes = larger.bytes;
    this.view = new DataView(larger.bytes.buffer);
  }

  /** Goes on at the next multiple of four. */
  align(): void {
    this.reserve(3);
    this.length = (this.length + 3) & ~3;
  }

  /** Appends a stretch of other bytes. A short one is copied by a loop, which beats the call into native code. */
  append(source: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    const target = this.bytes;
    let at = this.length;
    if (end - start > COPY_NATIVE_BYTES) target.set(source.subarray(start, end), at);
    else for (let from = start; from < end; from++) target[at++] = source[from];
    this.length += end - start;
  }

  /** As `append`, for stretches of some length: by words, so that three more bytes of the source are read. */
  appendByWords(source: DataView, start: number, end: number): void {
    const length = end - start;
    this.reserve(length + 3);
    const { view: target, length: at } = this;
    if (length > COPY_BY_WORDS_MAX)
      this.bytes.set(new Uint8Array(source.buffer, source.byteOffset + start, length), at);
    else
      for (let byte = 0; byte < length; byte += 4)
        target.setInt32(at + byte, source.getInt32(start + byte, true), true);
    this.length += length;
  }

  appendByte(byte: number): void {
    this.reserve(1);
    this.bytes[this.length++] = byte;
  }

  /** Appends text as UTF-8. */
  appendText(text: string): void {
    // A UTF-16 unit takes three bytes at most: a pair of them makes four.
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length, 'utf8');
  }
}

function uninitialized(byteLength: number): PageMemory {
  const bytes = Math.ceil(byteLength / 4) * 4;
  return new PageMemory(bytes, Buffer.allocUnsafeSlow(bytes).buffer);
}
