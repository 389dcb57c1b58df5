/**
 * Large values: where a value does not fit into its leaf, the leaf's record holds this instead.
 *
 *      0         4         6         8        12                                12 + 8 × extents
 *      +---------+---------+---------+--------+----------------+----------------+- - - - - -+
 *      | length of value   | extents | stamp  | page   | pages |  ...           | tail      |
 *      | (48 bits)         |         |        | (u32)  | (u32) |                |           |
 *      +---------+---------+---------+--------+----------------+----------------+- - - - - -+
 *
 * An extent is a run of consecutive pages, each with a header, its checksum and then its part of the
 * value. All of them carry the one stamp. The tail, up to an eighth of a page, stays in the record,
 * so that a value slightly longer than whole pages does not cost another page.
 */
import { StoreError } from '../errors.js';
import { PAGE_HEADER_BYTES } from './page.js';

const LENGTH_AT = 0;
const EXTENTS_AT = 6;
const STAMP_AT = 8;
const FIRST_EXTENT_AT = 12;
const EXTENT_BYTES = 8;

/** With more the record could outgrow what a leaf takes beside a key of the greatest length. */
export const VALUE_EXTENTS_MAX = 56;

export interface Extent {
  readonly page: number;
  readonly pages: number;
}

export interface ValueExtents {
  readonly length: number;
  readonly stamp: number;
  readonly extents: readonly Extent[];
  /** Bytes at the value's end that stand in the record itself. */
  readonly tailLength: number;
}

/** Bytes of a value that a page of its extents holds. */
export function valuePageBytes(pageSize: number): number {
  return pageSize - PAGE_HEADER_BYTES;
}

/** How many bytes of a value of `length` stay in the record as its tail. */
export function valueTailLength(pageSize: number, length: number): number {
  const rest = length % valuePageBytes(pageSize);
  return rest <= pageSize >>> 3 ? rest : 0;
}

export function valueExtentPages(pageSize: number, length: number): number {
  return Math.ceil((length - valueTailLength(pageSize, length)) / valuePageBytes(pageSize));
}

/** Bytes of the record for a value in `extents` extents with a tail of `tailLength` bytes. */
export function valueExtentsBytes(extents: number, tailLength: number): number {
  return FIRST_EXTENT_AT + EXTENT_BYTES * extents + tailLength;
}

/** The length of the value whose record begins at `at`. */
export function valueExtentsLength(bytes: Buffer, at: number): number {
  return bytes.readUIntLE(at + LENGTH_AT, 6);
}

/** Writes the record without its tail; returns the offset where the tail goes. */
export function encodeValueExtents(bytes: Buffer, at: number, value: ValueExtents): number {
  bytes.writeUIntLE(value.length, at + LENGTH_AT, 6);
  bytes.writeUInt16LE(value.extents.length, at + EXTENTS_AT);
  bytes.writeUInt32LE(value.stamp, at + STAMP_AT);
  let offset = at + FIRST_EXTENT_AT;
  for (const extent of value.extents) {
    bytes.writeUInt32LE(extent.page, offset);
    bytes.writeUInt32LE(extent.pages, offset + 4);
    offset += EXTENT_BYTES;
  }
  return offset;
}

/** Reads a record of `recordLength` bytes; raises PAGE_CORRUPT, naming `page`, if it is not one. */
export function decodeValueExtents(
  bytes: Buffer,
  at: number,
  recordLength: number,
  pageSize: number,
  page: number,
): ValueExtents {
  const extentCount = recordLength < FIRST_EXTENT_AT ? 0 : bytes.readUInt16LE(at + EXTENTS_AT);
  const tailLength = recordLength - FIRST_EXTENT_AT - EXTENT_BYTES * extentCount;
  if (extentCount === 0 || extentCount > VALUE_EXTENTS_MAX || tailLength < 0) throw badRecord(page);
  const extents: Extent[] = [];
  let pages = 0;
  for (let i = 0; i < extentCount; i++) {
    const offset = at + FIRST_EXTENT_AT + EXTENT_BYTES * i;
    const extent = { page: bytes.readUInt32LE(offset), pages: bytes.readUInt32LE(offset + 4) };
    extents.push(extent);
    pages += extent.pages;
  }
  const length = bytes.readUIntLE(at + LENGTH_AT, 6);
  if (valueTailLength(pageSize, length) !== tailLength || valueExtentPages(pageSize, length) !== pages)
    throw badRecord(page);
  return { length, stamp: bytes.readUInt32LE(at + STAMP_AT), extents, tailLength };
}

function badRecord(page: number): StoreError {
  const message = `page ${page} is damaged: the record of a large value in it contradicts itself. Restore the store from a backup`;
  return new StoreError('PAGE_CORRUPT', message, { details: { page } });
}
