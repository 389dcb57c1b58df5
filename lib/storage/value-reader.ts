/** Reads large values from their extents, page by page verified, past the cache. */
import { StoreError } from '../errors.js';
import {
  KIND_VALUE,
  PAGE_HEADER_BYTES,
  pageCorrupt,
  pageKind,
  pageSequence,
  verifyPage,
} from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { type ValueExtents, valuePageBytes } from '../format/value-extents.js';
import type { StoreFile } from './store-file.js';

/** Bytes of one read, but for pages that are longer. */
export const READ_BYTES_MAX = 256 * 1024;
/** Longer values do not fit into one Buffer on every supported runtime. */
const BUFFER_BYTES_MAX = 2 ** 32 - 1;

/** The part of a page's payload that belongs to the value, handed to `take` in order. */
type TakePayload = (bytes: Buffer, from: number, to: number) => void;

export class ValueReader {
  private readonly file: StoreFile;
  private readonly pageSize: number;
  private readonly memory: PageMemory;
  private readonly value: ValueExtents;
  private extent = 0;
  private pageInExtent = 0;
  private bytesLeft: number;

  constructor(file: StoreFile, pageSize: number, value: ValueExtents) {
    this.file = file;
    this.pageSize = pageSize;
    this.value = value;
    this.bytesLeft = value.length - value.tailLength;
    const pages = Math.ceil(this.bytesLeft / valuePageBytes(pageSize));
    this.memory = new PageMemory(Math.min(READ_BYTES_MAX / pageSize, Math.max(1, pages)) * pageSize);
  }

  /** Bytes that the next `readSome` hands over, in all. */
  get bytesOfNext(): number {
    return Math.min(this.bytesLeft, this.pagesOfNext * valuePageBytes(this.pageSize));
  }

  private get pagesOfNext(): number {
    const extent = this.value.extents[this.extent];
    if (extent === undefined) return 0;
    return Math.min(extent.pages - this.pageInExtent, this.memory.bytes.length / this.pageSize);
  }

  /** Reads some pages on and hands over their payloads; returns false once all extents were read. */
  readSome(take: TakePayload): boolean {
    const extent = this.value.extents[this.extent];
    if (extent === undefined || this.bytesLeft === 0) return false;
    const { pageSize, memory } = this;
    const first = extent.page + this.pageInExtent;
    const pages = this.pagesOfNext;
    const read = this.file.readSync(memory.bytes, 0, pages * pageSize, first * pageSize);
    for (let i = 0; i < pages; i++) {
      if (read < (i + 1) * pageSize) throw pageCorrupt(first + i, 'the file ends before it');
      verifyValuePage(memory, i * pageSize, pageSize, first + i, this.value.stamp);
      const from = i * pageSize + PAGE_HEADER_BYTES;
      const bytes = Math.min(this.bytesLeft, valuePageBytes(pageSize));
      this.bytesLeft -= bytes;
      take(memory.bytes, from, from + bytes);
    }
    this.pageInExtent += pages;
    if (this.pageInExtent === extent.pages) {
      this.extent++;
      this.pageInExtent = 0;
    }
    return true;
  }
}

/** Raises PAGE_CORRUPT where the page in memory is not that page of a value with this stamp. */
export function verifyValuePage(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  stamp: number,
): void {
  verifyPage(memory, base, pageSize, page, stamp);
  const kind = pageKind(memory, base);
  if (kind !== KIND_VALUE) throw pageCorrupt(page, `a page of a value was expected, it is of kind ${kind}`);
}

/**
 * The sequence that wrote a value's pages, as its first page tells; 0 if that does not hold, which must
 * not keep the value from being given up.
 */
export function readValueSequence(file: StoreFile, pageSize: number, value: ValueExtents): number {
  const memory = new PageMemory(pageSize);
  const { page } = value.extents[0];
  const read = file.readSync(memory.bytes, 0, pageSize, page * pageSize);
  try {
    if (read < pageSize) return 0;
    verifyPage(memory, 0, pageSize, page, value.stamp);
    return pageSequence(memory, 0);
  } catch {
    return 0;
  }
}

/** The whole value in one Buffer; `tail` is the part that stands in the record. */
export function readWholeValue(
  file: StoreFile,
  pageSize: number,
  value: ValueExtents,
  tail: Uint8Array,
): Buffer {
  if (value.length > BUFFER_BYTES_MAX) {
    throw new StoreError(
      'VALUE_TOO_LARGE',
      `a value of ${value.length} bytes does not fit into one Buffer: read it with createValueReadStream`,
    );
  }
  // Before much memory is taken: a damaged record can claim any length.
  if (value.length > READ_BYTES_MAX) {
    const pagesInFile = file.size() / pageSize;
    for (const { page, pages } of value.extents)
      if (page + pages > pagesInFile)
        throw pageCorrupt(page, 'the file ends before the value that begins in it');
  }
  const whole = Buffer.allocUnsafe(value.length);
  const reader = new ValueReader(file, pageSize, value);
  let at = 0;
  const take: TakePayload = (bytes, from, to) => {
    whole.set(bytes.subarray(from, to), at);
    at += to - from;
  };
  while (reader.readSome(take));
  whole.set(tail, at);
  return whole;
}
