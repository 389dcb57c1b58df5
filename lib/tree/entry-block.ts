/**
 * Entries on their way into a tree, side by side in one memory: what a bulk sink takes at a time. No
 * object an entry; values begin at multiples of four, where whole words can be copied.
 */
import { copyAligned, copyBytes, PageMemory } from '../format/page-memory.js';
import type { KeyBounds } from './key-bounds.js';

/** Strings shorter than this are encoded by a loop, which beats the call into the runtime. */
const LOOP_CHARS_MAX = 40;
const ENTRIES_MAX = 16384;
/** Values longer than this are kept as Buffers of their own beside the block. */
const INLINE_BYTES_MAX = 16384;

export class EntryBlock {
  readonly memory: PageMemory;
  readonly keyOffsets: Uint32Array;
  readonly keyLengths: Uint32Array;
  readonly valueOffsets: Uint32Array;
  readonly valueLengths: Uint32Array;
  count = 0;
  /** So many entries, from the first on, are known to ascend, none with the key of another. */
  ascending = 0;
  private readonly entriesMax: number;
  private used = 0;
  private longBytes = 0;
  private payload = 0;
  private readonly longValues = new Map<number, Uint8Array>();

  constructor(byteLength: number) {
    this.memory = new PageMemory(byteLength + 2 * INLINE_BYTES_MAX + 64);
    this.entriesMax = Math.min(ENTRIES_MAX, byteLength >>> 3);
    this.keyOffsets = new Uint32Array(this.entriesMax);
    this.keyLengths = new Uint32Array(this.entriesMax);
    this.valueOffsets = new Uint32Array(this.entriesMax);
    this.valueLengths = new Uint32Array(this.entriesMax);
  }

  /** Bytes that the entries take here: their keys and values, and what aligns them. */
  get bytes(): number {
    return this.payload;
  }

  /** Whether so much is taken that the block should be handed over. */
  isFilled(bytes: number): boolean {
    return this.used + this.longBytes >= bytes;
  }

  /** Bytes of keys and values. */
  get contentBytes(): number {
    let bytes = 0;
    for (let i = 0; i < this.count; i++) bytes += this.keyLengths[i] + this.valueLengths[i];
    return bytes;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  clear(): void {
    this.count = 0;
    this.ascending = 0;
    this.used = 0;
    this.longBytes = 0;
    this.payload = 0;
    this.longValues.clear();
  }

  /** Whether an entry with a key and value of these byte lengths fits still. */
  hasRoom(keyBytes: number, valueBytes: number): boolean {
    const inline = valueBytes > INLINE_BYTES_MAX ? 0 : valueBytes;
    return this.count < this.entriesMax && this.used + keyBytes + inline + 16 <= this.memory.bytes.length;
  }

  /** Appends copies of the bytes; the caller has asked `hasRoom` with upper bounds of the lengths. */
  add(key: string | Uint8Array, value: string | Uint8Array): void {
    const index = this.count++;
    const keyAt = this.used;
    const keyLength = this.put(key, keyAt);
    this.keyOffsets[index] = keyAt;
    this.keyLengths[index] = keyLength;
    const valueAt = (keyAt + keyLength + 3) & ~3;
    this.valueOffsets[index] = valueAt;
    if (value.length > INLINE_BYTES_MAX / 3 && byteLength(value) > INLINE_BYTES_MAX) {
      this.keepLong(index, typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value));
      this.used = valueAt;
      return;
    }
    const valueLength = this.put(value, valueAt);
    this.valueLengths[index] = valueLength;
    this.payload += keyLength + valueLength;
    this.used = (valueAt + valueLength + 3) & ~3;
  }

  /** Whether the entry's value is kept beside the block: then it does not lie behind its key. */
  isLong(index: number): boolean {
    return this.valueLengths[index] > INLINE_BYTES_MAX;
  }

  /**
   * Appends a copy of an entry that lies in `source` as entries lie here: the key at a multiple of four, the
   * value at the next one behind it. The caller has asked `hasRoom`.
   */
  addAligned(source: PageMemory, keyAt: number, keyLength: number, valueLength: number): void {
    const keyBytes = (keyLength + 3) & ~3;
    if (valueLength > INLINE_BYTES_MAX) {
      const valueAt = keyAt + keyBytes;
      const key = source.bytes.subarray(keyAt, keyAt + keyLength);
      this.addOwned(key, Buffer.from(source.bytes.subarray(valueAt, valueAt + valueLength)));
      return;
    }
    const index = this.count++;
    const { used } = this;
    copyAligned(this.memory, used, source, keyAt, keyBytes + valueLength);
    this.keyOffsets[index] = used;
    this.keyLengths[index] = keyLength;
    this.valueOffsets[index] = used + keyBytes;
    this.valueLengths[index] = valueLength;
    this.payload += keyLength + valueLength;
    this.used = (used + keyBytes + valueLength + 3) & ~3;
  }

  /** Appends an entry whose value is the block's from now on: a long one is not copied. */
  addOwned(key: Uint8Array, value: Buffer): void {
    if (value.length <= INLINE_BYTES_MAX) {
      this.add(key, value);
      return;
    }
    const index = this.count++;
    copyBytes(this.memory.bytes, this.used, key, 0, key.length);
    this.keyOffsets[index] = this.used;
    this.keyLengths[index] = key.length;
    this.used = (this.used + key.length + 3) & ~3;
    this.valueOffsets[index] = this.used;
    this.keepLong(index, value);
  }

  private keepLong(index: number, value: Buffer): void {
    this.longValues.set(index, value);
    this.longBytes += value.length;
    this.valueLengths[index] = value.length;
    this.payload += this.keyLengths[index] + value.length;
  }

  /** Appends a copy of an entry of another block. */
  addFrom(other: EntryBlock, index: number): void {
    const valueLength = other.valueLengths[index];
    if (valueLength > INLINE_BYTES_MAX) {
      this.add(other.keyView(index), other.valueView(index));
      return;
    }
    const added = this.count++;
    const keyAt = this.used;
    const keyLength = other.keyLengths[index];
    const valueAt = (keyAt + keyLength + 3) & ~3;
    this.keyOffsets[added] = keyAt;
    this.keyLengths[added] = keyLength;
    this.valueOffsets[added] = valueAt;
    this.valueLengths[added] = valueLength;
    copyBytes(this.memory.bytes, keyAt, other.memory.bytes, other.keyOffsets[index], keyLength);
    copyAligned(this.memory, valueAt, other.memory, other.valueOffsets[index], valueLength);
    this.payload += keyLength + valueLength;
    this.used = (valueAt + valueLength + 3) & ~3;
  }

  /** Takes back the entry added last. */
  removeLast(): void {
    const index = --this.count;
    this.ascending = Math.min(this.ascending, index);
    this.payload -= this.keyLengths[index] + this.valueLengths[index];
    this.longBytes -= this.longValues.get(index)?.length ?? 0;
    this.longValues.delete(index);
    this.used = this.keyOffsets[index];
  }

  keyView(index: number): Buffer {
    const at = this.keyOffsets[index];
    return this.memory.bytes.subarray(at, at + this.keyLengths[index]);
  }

  valueView(index: number): Uint8Array {
    const long = this.longValues.get(index);
    if (long !== undefined) return long;
    const at = this.valueOffsets[index];
    return this.memory.bytes.subarray(at, at + this.valueLengths[index]);
  }

  /** Compares the keys of two entries of this block. */
  compare(a: number, b: number): number {
    const bytes = this.memory.bytes;
    const aAt = this.keyOffsets[a];
    const bAt = this.keyOffsets[b];
    const aLength = this.keyLengths[a];
    const bLength = this.keyLengths[b];
    const shared = aLength < bLength ? aLength : bLength;
    // Whole words first, since keys begin at multiples of four, and side by side mostly begin alike.
    const words = this.memory.u32;
    let word = 0;
    while (word < shared >>> 2 && words[(aAt >>> 2) + word] === words[(bAt >>> 2) + word]) word++;
    for (let i = word << 2; i < shared; i++) {
      const difference = bytes[aAt + i] - bytes[bAt + i];
      if (difference !== 0) return difference;
    }
    return aLength - bLength;
  }

  /**
   * The first entry that sorts before the one in front of it; `count` if there is none. Whoever takes the entries in
   * order then need not compare those that ascend again.
   */
  findDisorder(): number {
    const { count } = this;
    let ascending = count;
    let at = 1;
    for (; at < count; at++) {
      const order = this.compare(at - 1, at);
      if (order >= 0 && ascending > at) ascending = at;
      if (order > 0) break;
    }
    this.ascending = ascending;
    return Math.min(at, count);
  }

  /** Compares an entry's key with that of an entry of another block. */
  compareAcross(index: number, other: EntryBlock, otherIndex: number): number {
    const at = other.keyOffsets[otherIndex];
    return this.compareBytes(index, other.memory.bytes, at, other.keyLengths[otherIndex]);
  }

  /** The first entry in [from, to) whose key does not sort before that of another block's entry; `to` if none. */
  firstFrom(other: EntryBlock, otherIndex: number, from: number, to: number): number {
    const at = other.keyOffsets[otherIndex];
    return this.firstFromBytes(other.memory.bytes, at, other.keyLengths[otherIndex], from, to);
  }

  /** As `firstFrom`, for a key elsewhere. */
  firstFromKey(key: Uint8Array, from: number, to: number): number {
    return this.firstFromBytes(key, 0, key.length, from, to);
  }

  /** Looks near `from` first: in runs that interleave the next entry is close. */
  private firstFromBytes(bytes: Uint8Array, at: number, length: number, from: number, to: number): number {
    let low = from;
    let step = 1;
    while (low + step <= to && this.compareBytes(low + step - 1, bytes, at, length) < 0) {
      low += step;
      step *= 2;
    }
    let high = Math.min(low + step - 1, to);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compareBytes(middle, bytes, at, length) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compareBytes(index: number, bytes: Uint8Array, at: number, length: number): number {
    const own = this.memory.bytes;
    const ownAt = this.keyOffsets[index];
    const ownLength = this.keyLengths[index];
    const shared = ownLength < length ? ownLength : length;
    for (let i = 0; i < shared; i++) {
      const difference = own[ownAt + i] - bytes[at + i];
      if (difference !== 0) return difference;
    }
    return ownLength - length;
  }

  /** Compares an entry's key with a key elsewhere. */
  compareWith(index: number, key: Uint8Array): number {
    return this.compareBytes(index, key, 0, key.length);
  }

  /** The smallest and the greatest key, copied. The block is not empty. */
  keyBounds(): KeyBounds {
    let smallest = 0;
    let greatest = 0;
    for (let i = 1; i < this.count; i++) {
      if (this.compare(i, smallest) < 0) smallest = i;
      if (this.compare(i, greatest) > 0) greatest = i;
    }
    return { lower: Buffer.from(this.keyView(smallest)), upper: Buffer.from(this.keyView(greatest)) };
  }

  private put(bytes: string | Uint8Array, at: number): number {
    if (typeof bytes !== 'string') {
      copyBytes(this.memory.bytes, at, bytes, 0, bytes.length);
      return bytes.length;
    }
    return encodeUtf8(this.memory.bytes, at, bytes);
  }
}

/** Writes a string's UTF-8 bytes; returns how many. */
export function encodeUtf8(target: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length > LOOP_CHARS_MAX) return target.write(text, at, 'utf8');
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return target.write(text, at, 'utf8');
    target[at + i] = code;
  }
  return length;
}

/** Bytes that a string or byte string takes. */
export function byteLength(bytes: string | Uint8Array): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes, 'utf8') : bytes.length;
}
