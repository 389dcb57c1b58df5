// Changes pages of a store's file and makes their checksums right again: damage that only a closer look can find.

import { expect } from 'chai';
import { childPage, childStamp } from '../../lib/format/branch.js';
import type { TreeRoot } from '../../lib/format/catalog-record.js';
import { leafRecord, recordIsLarge, recordValue } from '../../lib/format/leaf.js';
import { nodeCount } from '../../lib/format/node.js';
import { PAGE_HEADER_BYTES, PAGE_LEVEL, sealPage } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import { bucketRoot, catalogRoot } from '../../lib/tree/catalog.js';
import { fileOf, openFileStore } from '../helpers/store-bytes.js';

const MAP_GROUP_PAGES_AT = 2;

export class PageSurgeon {
  readonly memory: PageMemory;
  readonly pageSize: number;
  /** Which meta page is the newest. */
  readonly meta: number;

  constructor(bytes: Buffer, pageSize: number) {
    this.memory = new PageMemory(bytes.length);
    this.memory.bytes.set(bytes);
    this.pageSize = pageSize;
    const generation = (page: number): bigint => bytes.readBigUInt64LE(page * pageSize + 88);
    this.meta = generation(0) > generation(1) ? 0 : 1;
  }

  get bytes(): Buffer {
    return Buffer.from(this.memory.bytes);
  }

  base(page: number): number {
    return page * this.pageSize;
  }

  page(page: number): Buffer {
    return this.memory.bytes.subarray(page * this.pageSize, (page + 1) * this.pageSize);
  }

  level(page: number): number {
    return this.page(page)[PAGE_LEVEL];
  }

  stamp(page: number): number {
    return this.page(page).readUInt32LE(8);
  }

  child(page: number, slot: number): number {
    return childPage(this.memory, this.base(page), slot);
  }

  childStamp(page: number, slot: number): number {
    return childStamp(this.memory, this.base(page), slot);
  }

  count(page: number): number {
    return nodeCount(this.memory, this.base(page));
  }

  /** Changes a page and seals it. */
  change(page: number, work: (page: Buffer) => unknown): void {
    work(this.page(page));
    sealPage(this.memory, this.base(page), this.pageSize);
  }

  /** Changes the valid map of the only group, and all references to it up to the meta page. */
  /** `free` is what its references say then; what they said before if it is not given. */
  changeMap(work: (map: Buffer) => unknown, free?: number): void {
    const meta = this.page(this.meta);
    const directory = 4 + (meta.readUInt32LE(2048 + 4) >>> 31);
    const map = MAP_GROUP_PAGES_AT + (this.page(directory).readUInt32LE(PAGE_HEADER_BYTES + 4) >>> 31);
    this.change(map, work);
    this.refer(directory, PAGE_HEADER_BYTES, map, free);
    this.refer(this.meta, 2048, directory, free);
  }

  private refer(from: number, at: number, page: number, free: number | undefined): void {
    this.change(from, (bytes) => {
      bytes.writeUInt32LE(this.page(page).readUInt32LE(0), at);
      const copy = bytes.readUInt32LE(at + 4) & 0x8000_0000;
      if (free !== undefined) bytes.writeUInt32LE((copy | free) >>> 0, at + 4);
    });
  }

  /** The way from a page down its first children to a leaf, the leaf last. */
  wayDown(page: number): number[] {
    const way = [page];
    for (let at = page; this.level(at) > 0; ) {
      at = this.child(at, 0);
      way.push(at);
    }
    return way;
  }

  /** All leaves below a page, in order. */
  leaves(page: number): number[] {
    if (this.level(page) === 0) return [page];
    return Array.from({ length: this.count(page) }, (_, slot) => this.leaves(this.child(page, slot))).flat();
  }

  /** Offset in a leaf of the record of the first large value in it. */
  largeRecord(leaf: number): number {
    const base = this.base(leaf);
    for (let slot = 0; slot < this.count(leaf); slot++) {
      const record = leafRecord(this.memory, base, slot);
      if (recordIsLarge(this.memory, record)) return recordValue(record) - base;
    }
    return expect.fail('there is no large value in the leaf');
  }
}

/** Roots of the trees of a store, by name, as the library finds them. */
export async function rootsOf(bytes: Buffer): Promise<(name: string) => TreeRoot> {
  const { store } = await openFileStore(fileOf(bytes), { readOnly: true });
  const catalog = catalogRoot(store.committed);
  return (name) => (name === '' ? catalog : bucketRoot(store.pager, catalog, name));
}
