// lib/format/meta-page.ts: there and back, and every field damaged, with the checksum right and wrong.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  claimedPageSize,
  decodeMeta,
  encodeMeta,
  hasMagic,
  META_REFERENCES,
  type Meta,
} from '../../lib/format/meta-page.js';
import { PAGE_SIZES, type PageSize, sealPage } from '../../lib/format/page.js';
import { PageMemory } from '../../lib/format/page-memory.js';
import { patterned } from '../helpers/bytes.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

const BASE = 4096;

function example(pageSize: PageSize): Meta {
  return {
    pageSize,
    storeId: patterned(16, 9),
    sequence: 2 ** 40 + 3,
    generation: 2 ** 35 + 1,
    stamp: 0xdead_beef,
    pageCount: 1000,
    freePages: 17,
    catalogPage: 999,
    catalogStamp: 0xfeed_f00d,
    buckets: 2 ** 33,
    directories: Uint32Array.from({ length: 2 * META_REFERENCES }, (_, index) => index * 0x0101_0101),
  };
}

function encoded(meta: Meta, page: number): PageMemory {
  const memory = new PageMemory(BASE + meta.pageSize);
  memory.bytes.fill(0xa5);
  encodeMeta(memory, BASE, page, meta);
  return memory;
}

describe('meta page', () => {
  for (const pageSize of PAGE_SIZES) {
    for (const page of [0, 1]) {
      it(`comes back as it was, page ${page} of ${pageSize} bytes`, () => {
        const meta = example(pageSize);
        const memory = encoded(meta, page);
        expect(hasMagic(memory.bytes, BASE)).to.equal(true);
        expect(claimedPageSize(memory.bytes, BASE)).to.equal(pageSize);
        expect(decodeMeta(memory, BASE, page, pageSize)).to.deep.equal(meta);
        expect(decodeMeta(memory, BASE, 1 - page, pageSize)).to.equal(undefined);
        expect(memory.bytes.subarray(0, BASE).equals(Buffer.alloc(BASE, 0xa5))).to.equal(true);
      });
    }
  }

  it('comes back whatever its numbers are', () => {
    const u32 = fc.oneof(fc.nat(), fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
    const safe = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32, Number.MAX_SAFE_INTEGER));
    fc.assert(
      fc.property(
        u32,
        u32,
        safe,
        safe,
        fc.integer({ min: 2, max: 0xffff_fffe }),
        (one, two, big, more, pages) => {
          const meta: Meta = {
            ...example(4096),
            stamp: one,
            catalogStamp: two,
            freePages: one,
            generation: big,
            buckets: more,
            pageCount: pages,
            catalogPage: Math.min(two, pages - 1),
            sequence: Math.min(big, 2 ** 48 - 1),
          };
          expect(decodeMeta(encoded(meta, 1), BASE, 1, 4096)).to.deep.equal(meta);
        },
      ),
      seeded(100),
    );
  });

  it('is nothing with any bit of it changed', () => {
    const memory = encoded(example(4096), 0);
    for (let byte = 0; byte < 4096; byte++) {
      for (let bit = 0; bit < 8; bit++) {
        if (byte >= 128 && bit !== byte % 8) continue;
        memory.bytes[BASE + byte] ^= 1 << bit;
        expect(decodeMeta(memory, BASE, 0, 4096), `bit ${bit} of byte ${byte}`).to.equal(undefined);
        memory.bytes[BASE + byte] ^= 1 << bit;
      }
    }
    expect(decodeMeta(memory, BASE, 0, 4096)).to.not.equal(undefined);
  });

  it('is nothing when it is torn at any sector', () => {
    for (const pageSize of PAGE_SIZES) {
      const meta = example(pageSize);
      const older = { ...meta, generation: 5, directories: meta.directories.map((word) => ~word) };
      const old = encoded(older, 0);
      for (let at = 512; at < 4096; at += 512) {
        const torn = encoded(meta, 0);
        old.bytes.copy(torn.bytes, BASE + at, BASE + at);
        expect(decodeMeta(torn, BASE, 0, pageSize), `${pageSize} at ${at}`).to.equal(undefined);
      }
    }
  });

  describe('is refused, though its checksum holds', () => {
    const damages: ReadonlyArray<[what: string, damage: (bytes: Buffer) => void]> = [
      ['another kind', (bytes) => bytes.writeUInt8(2, 18)],
      ['another page number', (bytes) => bytes.writeUInt32LE(1, 4)],
      ['another magic', (bytes) => bytes.write('btreestx', 32, 'latin1')],
      ['another page size', (bytes) => bytes.writeUInt32LE(8192, 44)],
      ['a page size that is none', (bytes) => bytes.writeUInt32LE(4095, 44)],
      ['fewer pages than it has itself', (bytes) => bytes.writeUInt32LE(1, 64)],
      ['more pages than can be', (bytes) => bytes.writeUInt32LE(0xffff_ffff, 64)],
      ['a catalog past the end', (bytes) => bytes.writeUInt32LE(1000, 72)],
      ['more buckets than can be counted', (bytes) => bytes.writeBigUInt64LE(2n ** 53n, 80)],
      ['a generation past counting', (bytes) => bytes.writeBigUInt64LE(2n ** 63n, 88)],
    ];
    for (const [what, damage] of damages) {
      it(`with ${what}`, () => {
        const memory = encoded(example(4096), 0);
        damage(memory.bytes.subarray(BASE));
        sealPage(memory, BASE, 4096);
        expect(decodeMeta(memory, BASE, 0, 4096)).to.equal(undefined);
      });
    }

    it('with the version of a later format, by its name', () => {
      const memory = encoded(example(4096), 0);
      memory.bytes.writeUInt32LE(2, BASE + 40);
      sealPage(memory, BASE, 4096);
      const error = raised('UNSUPPORTED_VERSION', () => decodeMeta(memory, BASE, 0, 4096));
      expect(error.details.version).to.equal(2);
    });

    it('but a torn page of a later format is only torn', () => {
      const memory = encoded(example(4096), 0);
      memory.bytes.writeUInt32LE(2, BASE + 40);
      expect(decodeMeta(memory, BASE, 0, 4096)).to.equal(undefined);
    });
  });

  it('claims no page size without its magic', () => {
    const memory = encoded(example(4096), 0);
    memory.bytes[BASE + 39]++;
    expect(claimedPageSize(memory.bytes, BASE)).to.equal(undefined);
    expect(hasMagic(memory.bytes, BASE)).to.equal(false);
  });
});
