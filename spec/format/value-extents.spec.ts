// lib/format/value-extents.ts: there and back, and records that contradict themselves.

import { expect } from 'chai';
import fc from 'fast-check';
import { leafRecordBytes, leafRecordBytesMax } from '../../lib/format/leaf.js';
import { keyBytesMax } from '../../lib/format/node.js';
import { PAGE_SIZES } from '../../lib/format/page.js';
import {
  decodeValueExtents,
  type Extent,
  encodeValueExtents,
  VALUE_EXTENTS_MAX,
  type ValueExtents,
  valueExtentPages,
  valueExtentsBytes,
  valuePageBytes,
  valueTailLength,
} from '../../lib/format/value-extents.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

const AT = 8;
const PAGE = 41;

/** A value of the length, its pages dealt out to extents of at most so many. */
function valueAt(pageSize: number, length: number, extentPagesMax: number): ValueExtents {
  const extents: Extent[] = [];
  for (let pages = valueExtentPages(pageSize, length); pages > 0; ) {
    const taken = Math.min(pages, extentPagesMax);
    extents.push({ page: 100 + extents.length * 1000, pages: taken });
    pages -= taken;
  }
  return { length, stamp: 0x8000_0001, extents, tailLength: valueTailLength(pageSize, length) };
}

function encode(value: ValueExtents): { bytes: Buffer; length: number } {
  const length = valueExtentsBytes(value.extents.length, value.tailLength);
  const bytes = Buffer.alloc(AT + length + 8, 0xa5);
  const tailAt = encodeValueExtents(bytes, AT, value);
  expect(tailAt).to.equal(AT + length - value.tailLength);
  expect(bytes.subarray(tailAt).equals(Buffer.alloc(bytes.length - tailAt, 0xa5))).to.equal(true);
  return { bytes, length };
}

describe('value extents', () => {
  for (const pageSize of PAGE_SIZES) {
    it(`come back as they were, with pages of ${pageSize}`, () => {
      const payload = valuePageBytes(pageSize);
      const lengths = fc.oneof(
        fc.integer({ min: payload, max: 40 * payload }),
        fc
          .tuple(
            fc.integer({ min: 1, max: 40 }),
            fc.constantFrom(-1, 0, 1, pageSize >>> 3, (pageSize >>> 3) + 1),
          )
          .map(([pages, more]) => pages * payload + more),
      );
      fc.assert(
        fc.property(lengths, fc.integer({ min: 1, max: 50 }), (length, extentPagesMax) => {
          const value = valueAt(pageSize, length, extentPagesMax);
          const { bytes, length: recordLength } = encode(value);
          expect(decodeValueExtents(bytes, AT, recordLength, pageSize, PAGE)).to.deep.equal(value);
        }),
        seeded(60),
      );
    });

    it(`put every byte into a page or the tail, with pages of ${pageSize}`, () => {
      const payload = valuePageBytes(pageSize);
      for (let length = 0; length < 3 * payload; length += length % payload < 20 ? 1 : 7) {
        const tail = valueTailLength(pageSize, length);
        const pages = valueExtentPages(pageSize, length);
        expect(tail).to.be.within(0, pageSize / 8);
        expect(pages * payload + tail).to.be.at.least(length);
        expect((pages - 1) * payload + tail).to.be.below(length === 0 ? 1 : length);
        if (tail > 0) expect(pages * payload + tail).to.equal(length);
      }
    });

    it(`fit beside a key of the greatest length, with pages of ${pageSize}`, () => {
      const record = valueExtentsBytes(VALUE_EXTENTS_MAX, pageSize >>> 3);
      const bytes = leafRecordBytes(keyBytesMax(pageSize), record);
      expect(bytes).to.be.at.most(leafRecordBytesMax(pageSize));
    });
  }

  it('hold lengths up to 48 bits', () => {
    const pageSize = 65536;
    const length = 2 ** 48 - 1;
    const value = valueAt(pageSize, length, 0xffff_ffff);
    const { bytes, length: recordLength } = encode(value);
    expect(decodeValueExtents(bytes, AT, recordLength, pageSize, PAGE)).to.deep.equal(value);
  });

  describe('are refused', () => {
    const pageSize = 4096;
    const good = valueAt(pageSize, 10 * 4064 + 100, 4);
    const damages: ReadonlyArray<[what: string, damage: (bytes: Buffer) => void]> = [
      ['a length one longer', (bytes) => bytes.writeUIntLE(good.length + 1, 0, 6)],
      ['a length one shorter', (bytes) => bytes.writeUIntLE(good.length - 1, 0, 6)],
      ['a length of a page more', (bytes) => bytes.writeUIntLE(good.length + 4064, 0, 6)],
      ['the greatest length', (bytes) => bytes.writeUIntLE(2 ** 48 - 1, 0, 6)],
      ['no length', (bytes) => bytes.writeUIntLE(0, 0, 6)],
      ['no extents', (bytes) => bytes.writeUInt16LE(0, 6)],
      ['an extent less', (bytes) => bytes.writeUInt16LE(2, 6)],
      ['an extent more', (bytes) => bytes.writeUInt16LE(4, 6)],
      ['more extents than the record has bytes', (bytes) => bytes.writeUInt16LE(50, 6)],
      ['more extents than can be', (bytes) => bytes.writeUInt16LE(0xffff, 6)],
      ['a page more in an extent', (bytes) => bytes.writeUInt32LE(5, 16)],
      ['all pages in an extent', (bytes) => bytes.writeUInt32LE(0xffff_ffff, 16)],
      ['no pages in an extent', (bytes) => bytes.writeUInt32LE(0, 16)],
    ];
    for (const [what, damage] of damages) {
      it(`with ${what}`, () => {
        const { bytes, length } = encode(good);
        damage(bytes.subarray(AT));
        const error = raised('PAGE_CORRUPT', () => decodeValueExtents(bytes, AT, length, pageSize, PAGE));
        expect(error.details.page).to.equal(PAGE);
      });
    }

    it('with any other record length', () => {
      const { bytes, length } = encode(good);
      for (let other = 0; other < length + 8; other++) {
        if (other === length) continue;
        raised('PAGE_CORRUPT', () => decodeValueExtents(bytes, AT, other, pageSize, PAGE));
      }
    });

    it('or come back, from any bytes, and nothing else happens', () => {
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 0, maxLength: 60 }), (random) => {
          const bytes = Buffer.from(random);
          try {
            decodeValueExtents(bytes, 0, bytes.length, pageSize, PAGE);
          } catch (error) {
            raised('PAGE_CORRUPT', () => {
              throw error;
            });
          }
        }),
        seeded(500),
      );
    });
  });
});
