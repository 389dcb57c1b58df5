/** Large values as a leaf's record refers to them: read, written, given up. */
import { recordValue, recordValueLength } from '../format/leaf.js';
import { decodeValueExtents, type ValueExtents } from '../format/value-extents.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import { type PageReader, pageNumberAt } from '../storage/pager.js';
import type { StoreFile } from '../storage/store-file.js';
import { readWholeValue } from '../storage/value-reader.js';

/** What the record of a large value says; `leaf` is the base of its leaf, for errors. */
export function largeValueExtents(reader: PageReader, leaf: number, record: number): ValueExtents {
  const { memory, pageSize } = reader;
  return decodeValueExtents(
    memory.bytes,
    recordValue(record),
    recordValueLength(memory, record),
    pageSize,
    pageNumberAt(memory, leaf),
  );
}

export function readLargeValue(reader: PageReader, file: StoreFile, leaf: number, record: number): Buffer {
  const value = largeValueExtents(reader, leaf, record);
  const end = recordValue(record) + recordValueLength(reader.memory, record);
  return readWholeValue(
    file,
    reader.pageSize,
    value,
    reader.memory.bytes.subarray(end - value.tailLength, end),
  );
}

/** Gives up the extents of a large value that is about to be replaced or deleted. */
export function freeLargeValue(pages: PageTransaction, leaf: number, record: number): void {
  pages.freeValue(largeValueExtents(pages, leaf, record));
}
