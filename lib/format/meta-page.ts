/**
 * The meta page: where a reader of the file begins. Pages 0 and 1 are written in turn, and the valid
 * one of the higher generation tells the newest checkpoint; a torn write of one leaves the other.
 *
 *      32               40        44        48             64       68       72       76
 *      +----------------+---------+---------+--------------+--------+--------+--------+--------+
 *      | magic          | format  | page    | store's id   | page   | free   | catalog root    |
 *      | "btreestr"     | version | size    | (16 bytes)   | count  | pages  | page   | stamp  |
 *      +----------------+---------+---------+--------------+--------+--------+--------+--------+
 *      80               88              96                       2048                    4096
 *      +----------------+---------------+-- - - - - - - - - - - -+-----------------------+- - -
 *      | buckets        | generation    | zeros                  | 256 references to     | zeros
 *      | (64 bits)      | (64 bits)     |                        | space directories     |
 *      +----------------+---------------+-- - - - - - - - - - - -+-----------------------+- - -
 *
 * A reference is eight bytes, see `space-page.ts`. The header's sequence is that of the last commit
 * in the checkpoint; the generation counts checkpoints.
 */
import { StoreError } from '../errors.js';
import { crc32c } from './checksum.js';
import {
  initPage,
  KIND_META,
  PAGE_CHECKSUM,
  PAGE_COUNT_MAX,
  PAGE_NUMBER,
  PAGE_SIZES,
  type PageSize,
  pageKind,
  pageSequence,
  pageStamp,
  sealPage,
} from './page.js';
import type { PageMemory } from './page-memory.js';

export const META_PAGES = 2;
export const FORMAT_VERSION = 1;
export const STORE_ID_BYTES = 16;
export const META_REFERENCES = 256;

const MAGIC = Buffer.from('btreestr', 'latin1');
const MAGIC_AT = 32;
const VERSION_AT = 40;
const PAGE_SIZE_AT = 44;
const STORE_ID_AT = 48;
const PAGE_COUNT_AT = 64;
const FREE_PAGES_AT = 68;
const CATALOG_PAGE_AT = 72;
const CATALOG_STAMP_AT = 76;
const BUCKETS_AT = 80;
const GENERATION_AT = 88;
const REFERENCES_AT = 2048;
/** The bytes that tell a meta page of this store's kind from any other file's beginning. */
export const META_PROBE_BYTES = STORE_ID_AT;

/** What a checkpoint made durable. */
export interface Meta {
  readonly pageSize: PageSize;
  readonly storeId: Buffer;
  readonly sequence: number;
  /** Counts checkpoints; also the generation of the log that continues from this one. */
  readonly generation: number;
  readonly stamp: number;
  /** Pages of the file, whether used or free. */
  readonly pageCount: number;
  readonly freePages: number;
  readonly catalogPage: number;
  readonly catalogStamp: number;
  readonly buckets: number;
  /** Two 32-bit numbers a space directory. */
  readonly directories: Uint32Array;
}

function putNumber(bytes: Buffer, at: number, value: number): void {
  bytes.writeBigUInt64LE(BigInt(value), at);
}

/** Writes and seals the meta page `page` (0 or 1) at `base`. */
export function encodeMeta(memory: PageMemory, base: number, page: number, meta: Meta): void {
  const bytes = memory.bytes;
  bytes.fill(0, base, base + meta.pageSize);
  initPage(memory, base, KIND_META, page, meta.stamp, meta.sequence);
  MAGIC.copy(bytes, base + MAGIC_AT);
  bytes.writeUInt32LE(FORMAT_VERSION, base + VERSION_AT);
  bytes.writeUInt32LE(meta.pageSize, base + PAGE_SIZE_AT);
  meta.storeId.copy(bytes, base + STORE_ID_AT);
  bytes.writeUInt32LE(meta.pageCount, base + PAGE_COUNT_AT);
  bytes.writeUInt32LE(meta.freePages, base + FREE_PAGES_AT);
  bytes.writeUInt32LE(meta.catalogPage, base + CATALOG_PAGE_AT);
  bytes.writeUInt32LE(meta.catalogStamp, base + CATALOG_STAMP_AT);
  putNumber(bytes, base + BUCKETS_AT, meta.buckets);
  putNumber(bytes, base + GENERATION_AT, meta.generation);
  memory.u32.set(meta.directories, (base + REFERENCES_AT) >>> 2);
  sealPage(memory, base, meta.pageSize);
}

/** Whether the bytes at `base` begin like a meta page: right magic, though perhaps damaged after it. */
export function hasMagic(bytes: Buffer, base: number): boolean {
  const end = base + MAGIC_AT + MAGIC.length;
  return end <= bytes.length && bytes.compare(MAGIC, 0, MAGIC.length, base + MAGIC_AT, end) === 0;
}

/** The page size that a meta page claims, or undefined where there is no magic or no such size. */
export function claimedPageSize(bytes: Buffer, base: number): PageSize | undefined {
  if (!hasMagic(bytes, base)) return undefined;
  const claimed = bytes.readUInt32LE(base + PAGE_SIZE_AT);
  return PAGE_SIZES.find((size) => size === claimed);
}

/**
 * Reads the meta page `page` of a file with pages of `pageSize`; undefined if it is torn, damaged or
 * another page. Raises UNSUPPORTED_VERSION for a whole page of a format that is not known here.
 */
export function decodeMeta(
  memory: PageMemory,
  base: number,
  page: number,
  pageSize: PageSize,
): Meta | undefined {
  const bytes = memory.bytes;
  const checksum = crc32c(bytes.subarray(base + PAGE_NUMBER, base + pageSize));
  if (checksum !== bytes.readUInt32LE(base + PAGE_CHECKSUM) || !hasMagic(bytes, base)) return undefined;
  const version = bytes.readUInt32LE(base + VERSION_AT);
  if (version !== FORMAT_VERSION) {
    const message = `the store has format version ${version}, this library reads version ${FORMAT_VERSION}: open it with a newer release`;
    throw new StoreError('UNSUPPORTED_VERSION', message, { details: { version } });
  }
  const meta: Meta = {
    pageSize,
    storeId: Buffer.from(bytes.subarray(base + STORE_ID_AT, base + STORE_ID_AT + STORE_ID_BYTES)),
    sequence: pageSequence(memory, base),
    generation: Number(bytes.readBigUInt64LE(base + GENERATION_AT)),
    stamp: pageStamp(memory, base),
    pageCount: bytes.readUInt32LE(base + PAGE_COUNT_AT),
    freePages: bytes.readUInt32LE(base + FREE_PAGES_AT),
    catalogPage: bytes.readUInt32LE(base + CATALOG_PAGE_AT),
    catalogStamp: bytes.readUInt32LE(base + CATALOG_STAMP_AT),
    buckets: Number(bytes.readBigUInt64LE(base + BUCKETS_AT)),
    directories: memory.u32.slice(
      (base + REFERENCES_AT) >>> 2,
      ((base + REFERENCES_AT) >>> 2) + 2 * META_REFERENCES,
    ),
  };
  return isPlausible(memory, base, page, pageSize, meta) ? meta : undefined;
}

function isPlausible(
  memory: PageMemory,
  base: number,
  page: number,
  pageSize: PageSize,
  meta: Meta,
): boolean {
  return (
    pageKind(memory, base) === KIND_META &&
    memory.u32[(base + PAGE_NUMBER) >>> 2] === page &&
    claimedPageSize(memory.bytes, base) === pageSize &&
    meta.pageCount >= META_PAGES &&
    meta.pageCount <= PAGE_COUNT_MAX &&
    meta.catalogPage < meta.pageCount &&
    Number.isSafeInteger(meta.generation) &&
    Number.isSafeInteger(meta.buckets)
  );
}
