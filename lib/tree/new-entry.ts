/** Makes an entry ready for a leaf: a value that does not fit into one goes to extents first. */
import { leafRecordBytes, leafRecordBytesMax } from '../format/leaf.js';
import type { PageTransaction } from '../storage/page-transaction.js';
import { ValueWriter } from '../storage/value-writer.js';
import type { NewEntry } from './leaf-rebuild.js';

/** Whether a value must go to extents: longer than a quarter page, or too long beside its key. */
export function isLargeValue(pageSize: number, keyLength: number, valueLength: number): boolean {
  return (
    valueLength > pageSize >>> 2 || leafRecordBytes(keyLength, valueLength) > leafRecordBytesMax(pageSize)
  );
}

export function newEntry(pages: PageTransaction, key: Uint8Array, value: Uint8Array): NewEntry {
  const keyLength = key.length;
  if (!isLargeValue(pages.pageSize, keyLength, value.length))
    return { key, keyLength, value, valueLength: value.length, large: false };
  const writer = new ValueWriter(pages, value.length);
  writer.append(value);
  const record = writer.finish();
  return { key, keyLength, value: record, valueLength: record.length, large: true };
}
