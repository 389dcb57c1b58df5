// A reader of stores that was written from docs/format.md alone: it uses nothing of the library, so that what both
// agree on is what the page says. It is for small files: it takes them whole, and does not aim at speed.

const PAGE_SIZES = [4096, 8192, 16384, 32768, 65536];
const HEADER = 32;

const META = 1;
const LEAF = 2;
const BRANCH = 3;
const VALUE = 4;
const MAP = 5;
const DIRECTORY = 6;

export type PageUse = 'meta' | 'leaf' | 'branch' | 'value' | 'map' | 'directory';

export interface ReadBucket {
  readonly entries: Array<[key: Buffer, value: Buffer]>;
  /** Entries that the catalog counts. */
  readonly counted: number;
  readonly created: number;
  readonly checkpoint: string | undefined;
}

export interface ReadStore {
  readonly pageSize: number;
  readonly pageCount: number;
  readonly freePages: number;
  readonly storeId: Buffer;
  readonly generation: number;
  readonly sequence: number;
  /** By name, in the order of the catalog. */
  readonly buckets: Map<string, ReadBucket>;
  /** What each page is for that is reached from the newest meta page; of pairs only the valid copy. */
  readonly uses: Map<number, PageUse>;
  readonly free: Set<number>;
  /** Levels of the deepest tree. */
  readonly levels: number;
}

class Damage extends Error {}

function expect(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Damage(what);
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) !== 0 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
  return crc;
});

export function crc32c(...parts: readonly Uint8Array[]): number {
  let crc = 0xffff_ffff;
  for (const part of parts) for (const byte of part) crc = crcTable[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffff_ffff) >>> 0;
}

const u48 = (bytes: Buffer, at: number): number => bytes.readUIntLE(at, 6);
const u64 = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

interface Meta {
  readonly pageSize: number;
  readonly page: Buffer;
  readonly generation: number;
}

function validMeta(file: Buffer, at: number, number: number, pageSize: number): Meta | undefined {
  const page = file.subarray(at, at + pageSize);
  if (page.length < pageSize || page.readUInt32LE(0) !== crc32c(page.subarray(4))) return undefined;
  if (page.toString('latin1', 32, 40) !== 'btreestr') return undefined;
  expect(page.readUInt32LE(40) === 1, 'a later format');
  const pageCount = page.readUInt32LE(64);
  const isRight =
    page[18] === META &&
    page.readUInt32LE(4) === number &&
    page.readUInt32LE(44) === pageSize &&
    pageCount >= 2 &&
    pageCount <= 0xffff_fffe &&
    page.readUInt32LE(72) < pageCount;
  return isRight ? { pageSize, page, generation: u64(page, 88) } : undefined;
}

function newestMeta(file: Buffer): { meta: Meta; number: number } {
  const claimed = file.readUInt32LE(44);
  const first = PAGE_SIZES.includes(claimed) ? validMeta(file, 0, 0, claimed) : undefined;
  const sizes = first === undefined ? PAGE_SIZES : [first.pageSize];
  let second: Meta | undefined;
  for (const size of sizes) second ??= validMeta(file, size, 1, size);
  if (first !== undefined && (second === undefined || first.generation > second.generation))
    return { meta: first, number: 0 };
  expect(second !== undefined, 'no meta page holds');
  return { meta: second, number: 1 };
}

class Reader {
  private readonly file: Buffer;
  private readonly pageSize: number;
  private readonly pageCount: number;
  readonly uses = new Map<number, PageUse>();
  levels = 0;

  constructor(file: Buffer, pageSize: number, pageCount: number) {
    this.file = file;
    this.pageSize = pageSize;
    this.pageCount = pageCount;
  }

  private page(number: number, use: PageUse): Buffer {
    expect(number < this.pageCount, `page ${number} is past the end`);
    expect(!this.uses.has(number), `page ${number} is reached twice`);
    const page = this.file.subarray(number * this.pageSize, (number + 1) * this.pageSize);
    expect(page.length === this.pageSize, `page ${number} is not in the file`);
    expect(page.readUInt32LE(0) === crc32c(page.subarray(4)), `page ${number} is damaged`);
    expect(page.readUInt32LE(4) === number, `page ${number} is another`);
    this.uses.set(number, use);
    return page;
  }

  private pageOfVersion(number: number, stamp: number, use: PageUse): Buffer {
    const page = this.page(number, use);
    expect(page.readUInt32LE(8) === stamp, `page ${number} is another version`);
    return page;
  }

  *walk(number: number, stamp: number, level?: number): Generator<[key: Buffer, value: Buffer]> {
    const at = number * this.pageSize;
    const isLeaf = this.file[at + 18] === LEAF;
    const node = this.pageOfVersion(number, stamp, isLeaf ? 'leaf' : 'branch');
    expect(isLeaf || node[18] === BRANCH, `page ${number} is no node`);
    expect((node[19] === 0) === isLeaf, `the level of page ${number} is wrong`);
    expect(level === undefined || node[19] === level, `page ${number} is at another level`);
    this.levels = Math.max(this.levels, node[19] + 1);
    if (isLeaf) yield* this.leafEntries(node);
    else yield* this.children(node);
  }

  private *children(node: Buffer): Generator<[key: Buffer, value: Buffer]> {
    const count = node.readUInt16LE(20);
    const column = (before: number): number => 32 + before * count;
    for (let slot = 0; slot < count; slot++) {
      const page = node.readUInt32LE(column(4) + 4 * slot);
      const stamp = node.readUInt32LE(column(8) + 4 * slot);
      const low = node.readUInt32LE(column(12) + 4 * slot);
      const high = node.readUInt16LE(column(16) + 2 * slot) & 0x7fff;
      const separator = slot === 0 ? undefined : this.separator(node, slot);
      const next = slot + 1 < count ? this.separator(node, slot + 1) : undefined;
      let entries = 0;
      for (const entry of this.walk(page, stamp, node[19] - 1)) {
        expect(
          separator === undefined || Buffer.compare(separator, entry[0]) <= 0,
          'a key before its separator',
        );
        expect(
          next === undefined || Buffer.compare(entry[0], next) < 0,
          'a key not before the next separator',
        );
        entries++;
        yield entry;
      }
      expect(entries === high * 2 ** 32 + low, `a child of ${entries} entries counts ${low}`);
    }
  }

  private separator(node: Buffer, slot: number): Buffer {
    const count = node.readUInt16LE(20);
    const offset = node.readUInt16LE(32 + 18 * count + 2 * slot);
    const length = offset <= 4 ? offset : node.readUInt16LE(offset);
    return this.wholeKey(node, slot, length, offset + 2);
  }

  /** A key from prefix, head, and the bytes from `restAt` on where its suffix is longer than its head. */
  private wholeKey(node: Buffer, slot: number, suffixLength: number, restAt: number): Buffer {
    const prefixLength = node.readUInt16LE(22);
    const prefixAt = this.pageSize - 4 * Math.ceil(prefixLength / 4);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(node.readUInt32LE(32 + 4 * slot));
    const rest = node.subarray(restAt, restAt + Math.max(0, suffixLength - 4));
    return Buffer.concat([
      node.subarray(prefixAt, prefixAt + prefixLength),
      head.subarray(0, Math.min(4, suffixLength)),
      rest,
    ]);
  }

  private *leafEntries(node: Buffer): Generator<[key: Buffer, value: Buffer]> {
    const count = node.readUInt16LE(20);
    for (let slot = 0; slot < count; slot++) {
      const record = node.readUInt16LE(32 + 4 * count + 2 * slot);
      const suffixLength = node.readUInt16LE(record);
      const valueLength = node.readUInt16LE(record + 2) & 0x7fff;
      const isLarge = node.readUInt16LE(record + 2) >= 0x8000;
      const value = node.subarray(record + 4, record + 4 + valueLength);
      const key = this.wholeKey(node, slot, suffixLength, record + 4 + valueLength);
      yield [key, isLarge ? this.largeValue(value) : Buffer.from(value)];
    }
  }

  private largeValue(record: Buffer): Buffer {
    const length = u48(record, 0);
    const extents = record.readUInt16LE(6);
    const stamp = record.readUInt32LE(8);
    const payload = this.pageSize - HEADER;
    const rest = length % payload;
    const tail = rest <= this.pageSize / 8 ? rest : 0;
    expect(record.length === 12 + 8 * extents + tail, 'the record of a large value has another length');
    const parts: Buffer[] = [];
    for (let extent = 0; extent < extents; extent++) {
      const first = record.readUInt32LE(12 + 8 * extent);
      const pages = record.readUInt32LE(12 + 8 * extent + 4);
      for (let number = first; number < first + pages; number++) {
        const page = this.pageOfVersion(number, stamp, 'value');
        expect(page[18] === VALUE, `page ${number} is no page of a value`);
        parts.push(page.subarray(HEADER));
      }
    }
    expect(parts.length === Math.ceil((length - tail) / payload), 'a large value has another count of pages');
    const inPages = Buffer.concat(parts).subarray(0, length - tail);
    return Buffer.concat([inPages, record.subarray(record.length - tail)]);
  }

  /** The pages that the maps say are free. */
  freePages(meta: Buffer): Set<number> {
    const groupPages = (this.pageSize - HEADER) * 8;
    const runGroups = (this.pageSize - HEADER) / 8;
    const free = new Set<number>();
    for (let group = 0; group * groupPages < this.pageCount; group++) {
      const run = Math.floor(group / runGroups);
      const runStart = run * runGroups * groupPages;
      const directory = this.referred(meta, 2048 + 8 * run, runStart + 4, DIRECTORY);
      const map = this.referred(directory, HEADER + 8 * (group % runGroups), group * groupPages + 2, MAP);
      for (let index = 0; index < groupPages; index++) {
        const word = map.readUInt32LE(HEADER + 4 * Math.floor(index / 32));
        if (((word >>> (index % 32)) & 1) === 1) free.add(group * groupPages + index);
      }
    }
    return free;
  }

  private referred(page: Buffer, at: number, firstCopy: number, kind: number): Buffer {
    const copy = page.readUInt32LE(at + 4) >>> 31;
    const number = firstCopy + copy;
    const use = kind === MAP ? 'map' : 'directory';
    if (this.uses.get(number) === use) this.uses.delete(number);
    const found = this.page(number, use);
    expect(found[18] === kind, `page ${number} is of another kind`);
    expect(found.readUInt32LE(0) === page.readUInt32LE(at), `page ${number} is not the one referred to`);
    return found;
  }
}

function readBucket(reader: Reader, record: Buffer): ReadBucket {
  const length = record.readUInt32LE(28);
  expect(record.length === 32 + length, 'the record of a bucket has another length');
  const root = record.readUInt32LE(0);
  const flags = record.readUInt32LE(24);
  return {
    entries: root === 0 ? [] : [...reader.walk(root, record.readUInt32LE(4))],
    counted: u64(record, 8),
    created: u64(record, 16),
    checkpoint: (flags & 2) !== 0 ? record.toString('utf8', 32) : undefined,
  };
}

/** Reads a whole store from the bytes of its file; raises where anything contradicts the format. */
export function readStore(file: Buffer): ReadStore {
  const { meta, number } = newestMeta(file);
  const { page, pageSize, generation } = meta;
  const pageCount = page.readUInt32LE(64);
  const reader = new Reader(file, pageSize, pageCount);
  reader.uses.set(number, 'meta');
  const buckets = new Map<string, ReadBucket>();
  const catalog = page.readUInt32LE(72);
  if (catalog !== 0) {
    for (const [name, record] of reader.walk(catalog, page.readUInt32LE(76)))
      buckets.set(name.toString('utf8'), readBucket(reader, record));
  }
  expect(buckets.size === u64(page, 80), 'the catalog has another count of buckets');
  return {
    pageSize,
    pageCount,
    freePages: page.readUInt32LE(68),
    storeId: Buffer.from(page.subarray(48, 64)),
    generation,
    sequence: page.readUInt32LE(12) + page.readUInt16LE(16) * 2 ** 32,
    buckets,
    free: reader.freePages(page),
    uses: reader.uses,
    levels: reader.levels,
  };
}
