// lib/format/page.ts: the header, and what its checksum, number and stamp find.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  initPage,
  KIND_VALUE,
  PAGE_HEADER_BYTES,
  PAGE_SIZES,
  pageKind,
  pageSequence,
  pageStamp,
  sealPage,
  verifyPage,
} from '../../lib/format/page.js';
import { patterned } from '../helpers/bytes.js';
import { raised } from '../helpers/errors.js';
import { GuardedPage } from '../helpers/guarded-page.js';
import { seeded } from '../helpers/seed.js';

function sealed(pageSize: number, page: number, stamp: number, sequence: number): GuardedPage {
  const guarded = new GuardedPage(pageSize);
  const { memory, base } = guarded;
  initPage(memory, base, KIND_VALUE, page, stamp, sequence);
  memory.bytes.set(patterned(pageSize - PAGE_HEADER_BYTES, page), base + PAGE_HEADER_BYTES);
  sealPage(memory, base, pageSize);
  return guarded;
}

const u32 = fc.oneof(fc.nat(), fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
const sequences = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 48 - 1));

describe('page', () => {
  it('keeps its number, stamp, sequence and kind', () => {
    fc.assert(
      fc.property(u32, u32, sequences, fc.integer({ min: 1, max: 6 }), (page, stamp, sequence, kind) => {
        const guarded = new GuardedPage(4096);
        const { memory, base } = guarded;
        initPage(memory, base, kind, page, stamp, sequence);
        expect(pageKind(memory, base)).to.equal(kind);
        expect(pageStamp(memory, base)).to.equal(stamp);
        expect(pageSequence(memory, base)).to.equal(sequence);
        expect(guarded.bytes.readUInt32LE(4)).to.equal(page);
        expect(guarded.bytes.subarray(19, 32).equals(Buffer.alloc(13))).to.equal(true);
        guarded.expectNeighboursUntouched();
      }),
      seeded(200),
    );
  });

  for (const pageSize of PAGE_SIZES) {
    it(`holds once it is sealed, with pages of ${pageSize}`, () => {
      const { memory, base } = sealed(pageSize, 7, 70, 700);
      verifyPage(memory, base, pageSize, 7, 70);
    });
  }

  it('does not hold with any bit changed', () => {
    const { memory, base, bytes } = sealed(4096, 7, 70, 700);
    for (let bit = 0; bit < 4096 * 8; bit++) {
      // Every bit of the header and of the last bytes, and one of each byte between.
      const byte = bit >>> 3;
      if (byte >= 64 && byte < 4090 && (bit & 7) !== byte % 8) continue;
      bytes[byte] ^= 1 << (bit & 7);
      const error = raised('PAGE_CORRUPT', () => verifyPage(memory, base, 4096, 7, 70));
      expect(error.details.page).to.equal(7);
      bytes[byte] ^= 1 << (bit & 7);
    }
    verifyPage(memory, base, 4096, 7, 70);
  });

  it('does not hold in the place of another', () => {
    const { memory, base } = sealed(4096, 7, 70, 700);
    const error = raised('PAGE_CORRUPT', () => verifyPage(memory, base, 4096, 8, 70));
    expect(error.details.page).to.equal(8);
    expect(error.message).to.contain('page 7');
  });

  it('does not hold for a parent that knows another version of it', () => {
    const { memory, base } = sealed(4096, 7, 70, 700);
    for (const stamp of [69, 71, 0, 0xffff_ffff])
      expect(raised('PAGE_CORRUPT', () => verifyPage(memory, base, 4096, 7, stamp)).details.page).to.equal(7);
  });

  it('gives the checksum that it stored', () => {
    const { memory, base, bytes } = sealed(4096, 7, 70, 700);
    const checksum = sealPage(memory, base, 4096);
    expect(bytes.readUInt32LE(0)).to.equal(checksum);
    expect(checksum).to.be.at.least(0);
  });
});
