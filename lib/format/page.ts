/**
 * The header that every page carries, of whatever kind, and the checksum over it.
 *
 *      0        4        8       12       16       18     19      20      24      28       32
 *      +--------+--------+--------+--------+--------+------+-------+-------+-------+--------+
 *      | CRC32C | page   | stamp  | sequence (48 bits) | kind | level | four 16-bit |  kind's |
 *      |        | number |        |  low     | high    |      |       | fields      |  own    |
 *      +--------+--------+--------+--------+--------+------+-------+-------+-------+--------+
 *
 * The CRC32C covers bytes 4 to the end of the page: the page's own number (a misdirected write is
 * found), its stamp and its content. The stamp says which transaction wrote the page; whoever
 * refers to a page holds the stamp too, so an old page that is whole in itself (a lost write) is
 * found as well. Stamps are drawn from the sequence and a random number of each opening of the
 * store, so a transaction that a crash cut off does not share its stamps with its successor.
 *
 * A page is written at most once under one number and stamp. Were it written twice, a lost second
 * write could not be told from the first.
 */
import { StoreError } from '../errors.js';
import { crc32c } from './checksum.js';
import type { PageMemory } from './page-memory.js';

export const PAGE_CHECKSUM = 0;
export const PAGE_NUMBER = 4;
export const PAGE_STAMP = 8;
export const PAGE_SEQUENCE_LOW = 12;
export const PAGE_SEQUENCE_HIGH = 16;
export const PAGE_KIND = 18;
export const PAGE_LEVEL = 19;
/** Bytes of the header; what follows belongs to the kind. */
export const PAGE_HEADER_BYTES = 32;

export const KIND_META = 1;
export const KIND_LEAF = 2;
export const KIND_BRANCH = 3;
export const KIND_VALUE = 4;
export const KIND_SPACE_MAP = 5;
export const KIND_SPACE_DIRECTORY = 6;

/** Page numbers are 32-bit; 0 and 1 are the meta pages, so 0 serves as "no page" in references. */
export const NO_PAGE = 0;
export const PAGE_COUNT_MAX = 0xffff_fffe;

export const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536] as const;
export type PageSize = (typeof PAGE_SIZES)[number];

const TWO_32 = 0x1_0000_0000;

/** Writes the header of a new page; the checksum comes with `sealPage`. */
export function initPage(
  memory: PageMemory,
  base: number,
  kind: number,
  page: number,
  stamp: number,
  sequence: number,
): void {
  const word = base >>> 2;
  memory.u32.fill(0, word, word + (PAGE_HEADER_BYTES >>> 2));
  memory.u32[(base + PAGE_NUMBER) >>> 2] = page;
  memory.u32[(base + PAGE_STAMP) >>> 2] = stamp;
  memory.u32[(base + PAGE_SEQUENCE_LOW) >>> 2] = sequence >>> 0;
  memory.u16[(base + PAGE_SEQUENCE_HIGH) >>> 1] = (sequence / TWO_32) & 0xffff;
  memory.bytes[base + PAGE_KIND] = kind;
}

/** The number that a page in memory carries. */
export function pageNumberAt(memory: PageMemory, base: number): number {
  return memory.u32[(base + PAGE_NUMBER) >>> 2];
}

export function pageKind(memory: PageMemory, base: number): number {
  return memory.bytes[base + PAGE_KIND];
}

export function pageStamp(memory: PageMemory, base: number): number {
  return memory.u32[(base + PAGE_STAMP) >>> 2];
}

export function pageSequence(memory: PageMemory, base: number): number {
  return (
    memory.u16[(base + PAGE_SEQUENCE_HIGH) >>> 1] * TWO_32 + memory.u32[(base + PAGE_SEQUENCE_LOW) >>> 2]
  );
}

/** Computes and stores the checksum: the last thing done to a page before it is written. */
export function sealPage(memory: PageMemory, base: number, pageSize: number): number {
  const checksum = crc32c(memory.bytes.subarray(base + PAGE_NUMBER, base + pageSize));
  memory.u32[base >>> 2] = checksum;
  return checksum;
}

/** Checks a page that was just read: its checksum, that it is the page asked for, and its stamp. */
export function verifyPage(
  memory: PageMemory,
  base: number,
  pageSize: number,
  page: number,
  stamp: number,
): void {
  const checksum = crc32c(memory.bytes.subarray(base + PAGE_NUMBER, base + pageSize));
  if (checksum !== memory.u32[base >>> 2]) throw pageCorrupt(page, 'its checksum does not match its content');
  const found = memory.u32[(base + PAGE_NUMBER) >>> 2];
  if (found !== page) throw pageCorrupt(page, `it holds page ${found}, written to the wrong place`);
  if (memory.u32[(base + PAGE_STAMP) >>> 2] !== stamp) {
    throw pageCorrupt(
      page,
      'it is not the version that its parent refers to: a write was lost or an old page came back',
    );
  }
}

/** The error for a page that cannot be trusted; nothing of it is used. */
export function pageCorrupt(page: number, what: string, cause?: unknown): StoreError {
  const message = `page ${page} is damaged: ${what}. Restore the store from a backup, or copy out the buckets that can still be read`;
  return new StoreError('PAGE_CORRUPT', message, { details: { page }, cause });
}
