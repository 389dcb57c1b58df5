// lib/storage/value-writer.ts and value-reader.ts: values of every length around the ends of pages and tails.

import { expect } from 'chai';
import fc from 'fast-check';
import { sealPage } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import {
  decodeValueExtents,
  VALUE_EXTENTS_MAX,
  type ValueExtents,
  valuePageBytes,
  valueTailLength,
} from '../../lib/format/value-extents.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { PageCache } from '../../lib/storage/page-cache.js';
import { PageTransaction } from '../../lib/storage/page-transaction.js';
import { PageWriter } from '../../lib/storage/page-writer.js';
import { Pager } from '../../lib/storage/pager.js';
import { Snapshots } from '../../lib/storage/snapshots.js';
import { Space } from '../../lib/storage/space.js';
import { readWholeValue, ValueReader } from '../../lib/storage/value-reader.js';
import { ValueWriter } from '../../lib/storage/value-writer.js';
import { patterned } from '../helpers/bytes.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

/** A transaction over an empty file, without a store around it: pages may be of 64 bytes. */
class Pages {
  readonly file = new MemoryFile();
  readonly space: Space;
  readonly transaction: PageTransaction;
  readonly pageSize: number;

  constructor(pageSize: number) {
    this.pageSize = pageSize;
    const none = (): never => expect.fail('nothing is in the file that could be read');
    this.space = new Space(pageSize, { readMap: none, readDirectory: none }, 0, 0, new Uint32Array(512));
    const pager = new Pager(new PageCache(pageSize, 1, 1), this.file);
    const writer = new PageWriter(this.file, pageSize);
    let sequence = 0;
    this.transaction = new PageTransaction(
      pager,
      this.space,
      writer,
      new Snapshots(() => undefined),
      0xffff_fff0,
      () => ++sequence,
    );
  }

  /** Pages of the file that are in use, but for the fixed ones. */
  get usedPages(): number {
    let used = 0;
    for (let page = 0; page < this.space.pageCount; page++)
      if (!this.space.geometry.isFixed(page) && !this.space.isFree(page)) used++;
    return used;
  }

  write(
    value: Buffer,
    isKnown: boolean,
    cuts: readonly number[] = [],
  ): { record: Buffer; extents: ValueExtents } {
    const writer = new ValueWriter(this.transaction, isKnown ? value.length : undefined);
    let from = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      writer.append(value.subarray(from, cut));
      from = Math.max(from, cut);
    }
    writer.append(value.subarray(from));
    const record = writer.finish();
    return { record, extents: decodeValueExtents(record, 0, record.length, this.pageSize, 1) };
  }

  read({ record, extents }: { record: Buffer; extents: ValueExtents }): Buffer {
    const tail = record.subarray(record.length - extents.tailLength);
    return readWholeValue(this.file, this.pageSize, extents, tail);
  }
}

/** Lengths on both sides of every end of a page and of a tail, up to some pages. */
function edgeLengths(pageSize: number, pagesMax: number): number[] {
  const payload = valuePageBytes(pageSize);
  const lengths: number[] = [];
  for (let pages = 0; pages <= pagesMax; pages++) {
    for (const more of [0, 1, pageSize >>> 4, pageSize >>> 3, payload - 1, payload >>> 1])
      for (const around of [-1, 0, 1]) lengths.push(pages * payload + more + around);
  }
  // Shorter ones stay in their leaf: a record has at least one extent.
  return [...new Set(lengths)].filter((length) => length > pageSize >>> 3).sort((a, b) => a - b);
}

describe('value', () => {
  for (const pageSize of [4096, 8192, 16384, 32768, 65536]) {
    it(`comes back at every length around the ends of pages of ${pageSize}`, () => {
      const pages = new Pages(pageSize);
      for (const length of edgeLengths(pageSize, pageSize > 8192 ? 2 : 4)) {
        for (const isKnown of [true, false]) {
          const before = pages.usedPages;
          const value = patterned(length, length);
          const written = pages.write(value, isKnown);
          expect(pages.read(written).equals(value), `${length}`).to.equal(true);
          expect(written.extents.tailLength).to.equal(valueTailLength(pageSize, length));
          const inPages = written.extents.extents.reduce((sum, extent) => sum + extent.pages, 0);
          expect(pages.usedPages - before, `pages in use for ${length} bytes`).to.equal(inPages);
        }
      }
    });
  }

  it('comes back at every single length, with the smallest pages', () => {
    const pages = new Pages(64);
    for (let length = 9; length < 20 * 32; length++) {
      for (const isKnown of [true, false]) {
        const value = patterned(length, length);
        expect(pages.read(pages.write(value, isKnown)).equals(value), `${length}`).to.equal(true);
      }
    }
  });

  it('comes back in whatever pieces it came, into whatever space there was', () => {
    const lengths = fc.integer({ min: 9, max: 40_000 });
    const holes = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 40 })), {
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        lengths,
        fc.boolean(),
        fc.array(fc.nat(40_000), { maxLength: 12 }),
        holes,
        (length, isKnown, cuts, runs) => {
          const pages = new Pages(64);
          // Free space in pieces: each hole lies between pages that stay in use.
          for (const [used, free] of runs) {
            pages.transaction.allocateRun(used, used);
            const hole = pages.transaction.allocateRun(free, free);
            runs.length % 2 === 0
              ? pages.transaction.releaseRun(hole.page, hole.pages)
              : pages.transaction.releaseRun(hole.page, 1);
          }
          const before = pages.usedPages;
          const value = patterned(length, length);
          const inside = cuts.map((cut) => Math.min(cut, length));
          const written = pages.write(value, isKnown, inside);
          expect(pages.read(written).equals(value)).to.equal(true);
          const inPages = written.extents.extents.reduce((sum, extent) => sum + extent.pages, 0);
          expect(pages.usedPages - before).to.equal(inPages);
        },
      ),
      seeded(120),
    );
  });

  it('comes back where it was said to be longer or shorter than it is', () => {
    for (const said of [0, 1, 100, 5000, 20_000]) {
      const pages = new Pages(4096);
      const value = patterned(9000, 3);
      const writer = new ValueWriter(pages.transaction, said);
      writer.append(value);
      const record = writer.finish();
      const extents = decodeValueExtents(record, 0, record.length, 4096, 1);
      expect(pages.read({ record, extents }).equals(value), `${said}`).to.equal(true);
      expect(pages.usedPages).to.equal(3);
    }
  });

  for (const isKnown of [true, false]) {
    it(`is cut once at each boundary of a group at the most, its length ${isKnown ? 'known' : 'not known'}`, () => {
      // At 4 KiB, 4 GiB cross 33 boundaries; of 64 bytes, so many groups are a quarter of a megabyte.
      const groups = 34;
      const pages = new Pages(64);
      const value = patterned(groups * 252 * 32, 5);
      const written = pages.write(value, isKnown);
      expect(written.extents.extents.length).to.be.at.most(groups + 2);
      expect(groups + 2).to.be.at.most(VALUE_EXTENTS_MAX);
      expect(pages.read(written).equals(value)).to.equal(true);
    });
  }

  for (const isKnown of [true, false]) {
    it(`is not cut up for free pages that lie alone, its length ${isKnown ? 'known' : 'not known'}`, () => {
      const pages = new Pages(64);
      const holes: number[] = [];
      for (let i = 0; i < 4 * VALUE_EXTENTS_MAX; i++) {
        holes.push(pages.transaction.allocateRun(1, 1).page);
        pages.transaction.allocateRun(1, 1);
      }
      for (const page of holes) pages.transaction.releaseRun(page, 1);
      const value = patterned(20_000, 1);
      const written = pages.write(value, isKnown);
      expect(pages.read(written).equals(value)).to.equal(true);
      expect(written.extents.extents.length).to.be.below(VALUE_EXTENTS_MAX - 20);
    });
  }

  describe('reader', () => {
    const value = patterned(70 * 4064 + 300, 9);
    const written = (): { pages: Pages; record: Buffer; extents: ValueExtents } => {
      const pages = new Pages(4096);
      return { pages, ...pages.write(value, true) };
    };

    it('hands over the bytes in order, a bounded number of pages at a time', () => {
      const { pages, extents, record } = written();
      const reader = new ValueReader(pages.file, 4096, extents);
      const parts: Buffer[] = [];
      let steps = 0;
      while (reader.readSome((bytes, from, to) => parts.push(Buffer.from(bytes.subarray(from, to))))) steps++;
      expect(steps).to.equal(2);
      expect(Buffer.concat([...parts, record.subarray(record.length - 300)]).equals(value)).to.equal(true);
      expect(reader.readSome(() => expect.fail('there is nothing left'))).to.equal(false);
    });

    it('names the page in which a bit is changed', () => {
      const { pages, extents, record } = written();
      const first = extents.extents[0].page;
      for (const page of [first, first + 1, first + 63, first + 64, first + 69]) {
        for (const at of [0, 5, 9, 17, 18, 31, 32, 4095]) {
          const byte = Buffer.alloc(1);
          pages.file.readSync(byte, 0, 1, page * 4096 + at);
          byte[0] ^= 0x10;
          pages.file.writeSync(byte, 0, 1, page * 4096 + at);
          const error = raised('PAGE_CORRUPT', () => pages.read({ record, extents }));
          expect(error.details.page).to.equal(page);
          byte[0] ^= 0x10;
          pages.file.writeSync(byte, 0, 1, page * 4096 + at);
        }
      }
      expect(pages.read({ record, extents }).equals(value)).to.equal(true);
    });

    it('takes no page of another kind, another place or another version', () => {
      const damages: ReadonlyArray<(header: Buffer) => unknown> = [
        (header) => header.writeUInt8(2, 18),
        (header) => header.writeUInt32LE(header.readUInt32LE(4) + 1, 4),
        (header) => header.writeUInt32LE(header.readUInt32LE(8) + 1, 8),
      ];
      for (const damage of damages) {
        const { pages, extents, record } = written();
        const page = extents.extents[0].page + 3;
        const memory = new PageMemory(4096);
        pages.file.readSync(memory.bytes, 0, 4096, page * 4096);
        damage(memory.bytes);
        sealPage(memory, 0, 4096);
        pages.file.writeSync(memory.bytes, 0, 4096, page * 4096);
        const error = raised('PAGE_CORRUPT', () => pages.read({ record, extents }));
        expect(error.details.page).to.equal(page);
      }
    });

    it('names the page before which the file ends', async () => {
      const { pages, extents } = written();
      const first = extents.extents[0].page;
      for (const missing of [first + 69, first + 64, first + 1, first]) {
        await pages.file.truncate(missing * 4096 + 100);
        const reader = new ValueReader(pages.file, 4096, extents);
        const read = (): void => {
          while (reader.readSome(() => undefined));
        };
        expect(raised('PAGE_CORRUPT', read).details.page).to.equal(missing);
      }
    });

    it('takes no memory for a length that the file cannot hold', () => {
      const { pages, extents, record } = written();
      const length = 4_000_000_000;
      const claims = {
        ...extents,
        length,
        extents: [{ page: 6, pages: Math.ceil(length / 4064) }],
        tailLength: 0,
      };
      const before = process.memoryUsage().arrayBuffers;
      raised('PAGE_CORRUPT', () => pages.read({ record, extents: claims }));
      expect(process.memoryUsage().arrayBuffers - before).to.be.below(100_000_000);
      const beyond = { ...extents, length: 2 ** 40 };
      raised('VALUE_TOO_LARGE', () => pages.read({ record, extents: beyond }));
    });
  });
});
