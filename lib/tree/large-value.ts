/** Large values as a leaf's record refers to them: read, written, given up. */
import { recordValue, recordValueLength } from '../format/leaf.js';
import { pageNumberAt } from '../format/page.js';
import { decodeValueExtents, type ValueExtents } from '../format/value-extents.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import type { PageReader } from '../storage/pager.js';
import type { StoreFile } from '../storage/store-file.js';
import { readWholeValue } from '../storage/value-reader.js';
import type { ValueScan } from '../storage/value-scan.js';
import type { ReusedBytes } from './reused-bytes.js';

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
  return readWholeValue(file, reader.pageSize, value, tailOf(reader, value, record));
}

/** As `readLargeValue`, within a scan; where `reused` is given, a value that is not too long is read into it. */
export function readScannedValue(
  reader: PageReader,
  file: StoreFile,
  scan: ValueScan,
  leaf: number,
  record: number,
  reused?: ReusedBytes,
): Buffer {
  const value = largeValueExtents(reader, leaf, record);
  const tail = tailOf(reader, value, record);
  if (!scan.takes(value)) return readWholeValue(file, reader.pageSize, value, tail);
  reused?.reserve(value.length);
  const whole = reused?.view(value.length) ?? Buffer.allocUnsafe(value.length);
  scan.read(value, whole);
  whole.set(tail, value.length - tail.length);
  return whole;
}

function tailOf({ memory }: PageReader, { tailLength }: ValueExtents, record: number): Buffer {
  const end = recordValue(record) + recordValueLength(memory, record);
  return memory.bytes.subarray(end - tailLength, end);
}

/** Gives up the extents of a large value that is about to be replaced or deleted. */
export function freeLargeValue(pages: PageTransaction, leaf: number, record: number): void {
  pages.freeValue(largeValueExtents(pages, leaf, record));
}
