// The entries that all engines store: 16-byte keys that ascend with their number, and values that tell which version
// of which entry they are. What an engine reads is told by a tally; what it should have read can be reckoned without it.

export const KEY_BYTES = 16;
const KEY_DIGITS = 9;
const PREFIX = Buffer.from('key:000');
/** Values begin with four bytes that no two versions of an entry share; the rest is one of so many texts. */
const TEXTS = 1024;

/** A number from two, its bits all over the place. */
function mixed(index: number, version: number): number {
  let value = Math.imul(index + 1, 0x9e37_79b1) ^ Math.imul(version + 1, 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b_3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a_2d39);
  return (value ^ (value >>> 15)) >>> 0;
}

/** Text-like bytes, so that a peer that compresses has something to do, and not too much; whole words of them. */
function text(number: number, bytes: number): Uint8Array {
  const filled = new Uint8Array(Math.ceil(bytes / 4) * 4);
  for (let i = 0; i < filled.length; i++) filled[i] = 0x20 + (mixed(number * filled.length + i, 77) % 95);
  return filled;
}

/**
 * Makes entries without an object each: `key` and `value` give the same Buffers again and again. What making one costs
 * is in every engine's time, so it is kept small: digits in a plain loop, and texts that are there already.
 */
export class Entries {
  readonly valueBytes: number;
  private readonly keyBuffer = Buffer.alloc(KEY_BYTES);
  private readonly valueBuffers: readonly Buffer[];
  private readonly valueHeads: readonly Uint32Array[];

  constructor(valueBytes: number) {
    this.valueBytes = valueBytes;
    const texts = Array.from({ length: TEXTS }, (_, number) => text(number, valueBytes).buffer);
    this.valueBuffers = texts.map((buffer) => Buffer.from(buffer, 0, valueBytes));
    this.valueHeads = texts.map((buffer) => new Uint32Array(buffer, 0, 1));
    PREFIX.copy(this.keyBuffer);
  }

  /** The key of a number below 10^9; valid until the next call. */
  key(index: number): Buffer {
    const { keyBuffer } = this;
    let rest = index | 0;
    for (let at = KEY_BYTES - 1; at >= KEY_BYTES - KEY_DIGITS; at--) {
      const next = (rest / 10) | 0;
      keyBuffer[at] = 0x30 + rest - 10 * next;
      rest = next;
    }
    return keyBuffer;
  }

  /** The value of an entry at a version; valid until the next call. */
  value(index: number, version = 0): Buffer {
    const head = mixed(index, version);
    const number = head % TEXTS;
    this.valueHeads[number][0] = head;
    return this.valueBuffers[number];
  }

  /** Copies, for engines that keep what they are given. */
  keyCopy(index: number): Buffer {
    return Buffer.from(this.key(index));
  }

  valueCopy(index: number, version = 0): Buffer {
    return Buffer.from(this.value(index, version));
  }
}

/** What was read: how many entries, how many bytes, and a sum over the beginnings of values. */
export class Tally {
  entries = 0;
  bytes = 0;
  sum = 0;

  add(key: Uint8Array, value: Uint8Array): void {
    this.addInPlace(key, value, 0, value.length);
  }

  /** A value that was read where it lies. */
  addInPlace(key: Uint8Array, bytes: Uint8Array, start: number, length: number): void {
    this.entries++;
    this.bytes += key.length + length;
    const sum = bytes[start] | (bytes[start + 1] << 8) | (bytes[start + 2] << 16) | (bytes[start + 3] << 24);
    this.sum = (this.sum + sum) | 0;
  }

  /** Only a value was read. */
  addValue(value: Uint8Array): void {
    this.add(NO_KEY, value);
  }

  equals(other: Tally): boolean {
    return this.entries === other.entries && this.bytes === other.bytes && this.sum === other.sum;
  }

  toString(): string {
    return `${this.entries} entries, ${this.bytes} bytes, sum ${this.sum}`;
  }

  /** Adds what reading an entry should have added. */
  expect(index: number, version: number, valueBytes: number, keyBytes = KEY_BYTES): void {
    this.entries++;
    this.bytes += keyBytes + valueBytes;
    this.sum = (this.sum + mixed(index, version)) | 0;
  }
}

const NO_KEY = new Uint8Array(0);

/** Whether what an engine found is these bytes: a buffer that it uses for every read says by its length how much was read. */
export function isSame(found: Uint8Array | undefined, expected: Uint8Array): boolean {
  return found !== undefined && Buffer.compare(found.subarray(0, found.length), expected) === 0;
}

/** The numbers from 0 to `count` in an order that jumps about, each once, without a table. */
export class Shuffle {
  private readonly half: number;
  private readonly mask: number;

  constructor(
    readonly count: number,
    private readonly seed = 1,
  ) {
    this.half = Math.max(1, Math.ceil(Math.log2(Math.max(2, count)) / 2));
    this.mask = 2 ** this.half - 1;
  }

  at(position: number): number {
    let at = position;
    do at = this.rounds(at);
    while (at >= this.count);
    return at;
  }

  private rounds(value: number): number {
    let left = Math.floor(value / (this.mask + 1));
    let right = value & this.mask;
    for (let round = 0; round < 4; round++) {
      const next = left ^ (mixed(right, this.seed * 4 + round) & this.mask);
      left = right;
      right = next;
    }
    return left * (this.mask + 1) + right;
  }
}

/** A number below `limit`, the same for the same position. */
export function drawn(position: number, limit: number, seed = 7): number {
  return mixed(position, seed) % limit;
}
