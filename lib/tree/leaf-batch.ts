/**
 * A run of entries in one leaf, read in place: what a cursor hands out. The object and its Buffers are
 * used again for the next batch and the next entry.
 */

import {
  readSuffixOf,
  recordIsLarge,
  recordSuffixLength,
  recordValue,
  recordValueLength,
} from '../format/leaf.js';
import { heapEnd, NODE_PREFIX_LENGTH, NODE_SLOTS, nodeCount } from '../format/node.js';
import { copyAligned, PageMemory } from '../format/page-memory.js';
import { type ValueExtents, valueExtentsLength } from '../format/value-extents.js';
import type { PageCache } from '../storage/page-cache.js';
import type { PageReader } from '../storage/pager.js';
import { largeValueExtents } from './large-value.js';
import { ReusedBytes } from './reused-bytes.js';

/** A large value as its leaf tells of it. */
export interface LargeValue {
  readonly extents: ValueExtents;
  readonly tail: Buffer;
}

/** Reads a large value whose record is at `record` in the leaf at `leaf`; into `reused`, if that is given. */
export type ReadLarge = (leaf: number, record: number, reused?: ReusedBytes) => Buffer;

export class LeafBatch {
  /** How many entries the batch has. */
  length = 0;
  private readonly reader: PageReader;
  private readonly memory: PageMemory;
  private readonly cache: PageCache;
  private readonly readLarge: ReadLarge;
  private readonly keys = new ReusedBytes();
  private readonly values = new ReusedBytes();
  private page = 0;
  private stamp = 0;
  private base = 0;
  private first = 0;
  private step = 1;
  private prefix = 0;
  private offsets = 0;
  /** The leaf for callers to read in place, once it was asked for: frames are not theirs to write to. */
  private copy: PageMemory | undefined;
  private isCopied = false;

  constructor(reader: PageReader, cache: PageCache, readLarge: ReadLarge) {
    this.reader = reader;
    this.memory = reader.memory;
    this.cache = cache;
    this.readLarge = readLarge;
  }

  /** Takes `length` entries of a leaf, from slot `first` on, upwards or downwards. */
  set(page: number, stamp: number, base: number, first: number, length: number, step: 1 | -1): void {
    this.page = page;
    this.stamp = stamp;
    this.first = first;
    this.length = length;
    this.step = step;
    this.isCopied = false;
    this.settle(base);
  }

  private settle(base: number): void {
    this.base = base;
    this.prefix = this.memory.u16[(base + NODE_PREFIX_LENGTH) >>> 1];
    this.offsets = (base + NODE_SLOTS + 4 * nodeCount(this.memory, base)) >>> 1;
  }

  /** The frame may have been given to another page since: then the leaf is read again. */
  private slot(index: number): number {
    if (!this.cache.holds(this.base, this.page)) this.settle(this.reader.load(this.page, this.stamp));
    if (index < 0 || index >= this.length) throw outside(index, this.length);
    return this.first + this.step * index;
  }

  /** The key of an entry, in a Buffer that the next call of `key` uses again. */
  key(index: number): Buffer {
    if (this.isCopied) return this.ownKey(index);
    const slot = this.slot(index);
    const { prefix, memory, base } = this;
    const record = base + memory.u16[this.offsets + slot];
    const target = this.keys.reserve(prefix + memory.u16[record >>> 1]);
    copyAligned(target, 0, memory, base + heapEnd(this.reader.pageSize, prefix), prefix);
    return this.keys.view(prefix + readSuffixOf(memory, base, slot, record, target.bytes, prefix));
  }

  /** As `key`, out of the copy of the leaf, which is there for sure. */
  private ownKey(index: number): Buffer {
    const own = this.own();
    const record = this.ownRecord(index);
    const { prefix } = this;
    const target = this.keys.reserve(prefix + own.u16[record >>> 1]);
    copyAligned(target, 0, own, heapEnd(this.reader.pageSize, prefix), prefix);
    const slot = this.first + this.step * index;
    return this.keys.view(prefix + readSuffixOf(own, 0, slot, record, target.bytes, prefix));
  }

  /** The value of an entry, in a Buffer that the next call of `value` uses again. */
  value(index: number): Buffer {
    const slot = this.slot(index);
    const record = this.base + this.memory.u16[this.offsets + slot];
    if (recordIsLarge(this.memory, record)) return this.readLarge(this.base, record, this.values);
    const length = recordValueLength(this.memory, record);
    copyAligned(this.values.reserve(length), 0, this.memory, recordValue(record), length);
    return this.values.view(length);
  }

  /** The page that the entries are in, as a copy that stays as it is until the next batch. */
  get bytes(): Buffer {
    return this.own().bytes;
  }

  /** Where in `bytes` an entry's value begins; -1 where it is larger than a page takes. */
  valueStart(index: number): number {
    const record = this.ownRecord(index);
    return recordIsLarge(this.own(), record) ? -1 : recordValue(record);
  }

  /** Bytes of an entry's value, without reading it. */
  valueLength(index: number): number {
    const record = this.ownRecord(index);
    const own = this.own();
    if (recordIsLarge(own, record)) return valueExtentsLength(own.bytes, recordValue(record));
    return recordValueLength(own, record);
  }

  private ownRecord(index: number): number {
    if (index < 0 || index >= this.length) throw outside(index, this.length);
    return this.own().u16[this.offsets - (this.base >>> 1) + this.first + this.step * index];
  }

  private own(): PageMemory {
    if (this.copy === undefined || !this.isCopied) return this.copied();
    return this.copy;
  }

  private copied(): PageMemory {
    const { pageSize } = this.reader;
    this.copy ??= new PageMemory(pageSize);
    if (!this.cache.holds(this.base, this.page)) this.settle(this.reader.load(this.page, this.stamp));
    this.copy.bytes.set(this.memory.bytes.subarray(this.base, this.base + pageSize), 0);
    this.isCopied = true;
    return this.copy;
  }

  /** The key of an entry, in a Buffer of the caller's own. */
  keyCopy(index: number): Buffer {
    return Buffer.from(this.key(index));
  }

  /** The value of an entry, in a Buffer of the caller's own. */
  valueCopy(index: number): Buffer {
    const slot = this.slot(index);
    const record = this.base + this.memory.u16[this.offsets + slot];
    // What is read from its extents belongs to nobody else.
    if (recordIsLarge(this.memory, record)) return this.readLarge(this.base, record);
    const start = recordValue(record);
    return Buffer.from(this.memory.bytes.subarray(start, start + recordValueLength(this.memory, record)));
  }

  /** The extents of an entry's value, and the tail beside them; undefined for a value that is in its leaf. */
  largeValue(index: number): LargeValue | undefined {
    const slot = this.slot(index);
    const record = this.base + this.memory.u16[this.offsets + slot];
    if (!recordIsLarge(this.memory, record)) return undefined;
    const extents = largeValueExtents(this.reader, this.base, record);
    const end = recordValue(record) + recordValueLength(this.memory, record);
    return { extents, tail: Buffer.from(this.memory.bytes.subarray(end - extents.tailLength, end)) };
  }

  /** Bytes of an entry's key, without reading it. */
  keyLength(index: number): number {
    const slot = this.slot(index);
    return this.prefix + recordSuffixLength(this.memory, this.base + this.memory.u16[this.offsets + slot]);
  }

  *[Symbol.iterator](): Generator<[key: Buffer, value: Buffer]> {
    const entry: [key: Buffer, value: Buffer] = [EMPTY, EMPTY];
    for (let i = 0; i < this.length; i++) {
      entry[0] = this.key(i);
      entry[1] = this.value(i);
      yield entry;
    }
  }
}

function outside(index: number, length: number): RangeError {
  return new RangeError(`entry ${index} of a batch of ${length}`);
}

const EMPTY = Buffer.alloc(0);
