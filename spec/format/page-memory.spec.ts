// lib/format/page-memory.ts: copies that touch what they are told to and no byte more.

import { expect } from 'chai';
import fc from 'fast-check';
import { copyAligned, copyBytes, PageMemory } from '../../lib/format/page-memory.js';
import { patterned } from '../helpers/bytes.js';
import { seeded } from '../helpers/seed.js';

const size = 1024;
// Around the lengths where a loop gives way to the runtime's own copy, and those in between.
const lengths = fc.oneof(fc.nat(260), fc.constantFrom(0, 1, 47, 48, 49, 191, 192, 193));

function memory(salt: number): PageMemory {
  const made = new PageMemory(size);
  made.bytes.set(patterned(size, salt));
  return made;
}

describe('page memory', () => {
  it('shows the same bytes as bytes, 16-bit and 32-bit words', () => {
    const { bytes, u16, u32 } = memory(5);
    for (let i = 0; i < size; i += 4) {
      expect(u32[i >>> 2]).to.equal(bytes.readUInt32LE(i));
      expect(u16[(i + 2) >>> 1]).to.equal(bytes.readUInt16LE(i + 2));
    }
  });

  it('begins with zeros', () => expect(new PageMemory(64).bytes.equals(Buffer.alloc(64))).to.equal(true));

  it('copies between any two offsets', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), lengths, (to, from, length) => {
        const source = patterned(size, 1);
        const target = patterned(size, 2);
        const expected = Buffer.from(target);
        source.copy(expected, to, from, from + length);
        copyBytes(target, to, source, from, length);
        expect(target.equals(expected)).to.equal(true);
      }),
      seeded(500),
    );
  });

  it('copies between aligned offsets, and at most to the end of the last word', () => {
    fc.assert(
      fc.property(fc.nat(75), fc.nat(75), lengths, (toWord, fromWord, length) => {
        const source = memory(1);
        const target = memory(2);
        const to = toWord * 4;
        const before = Buffer.from(target.bytes);
        copyAligned(target, to, source, fromWord * 4, length);
        const copied = source.bytes.subarray(fromWord * 4, fromWord * 4 + length);
        expect(target.bytes.subarray(to, to + length).equals(copied)).to.equal(true);
        const end = to + ((length + 3) & ~3);
        expect(target.bytes.subarray(0, to).equals(before.subarray(0, to))).to.equal(true);
        expect(target.bytes.subarray(end).equals(before.subarray(end))).to.equal(true);
      }),
      seeded(500),
    );
  });

  it('copies within one memory between places that do not overlap', () => {
    const one = memory(3);
    const expected = Buffer.from(one.bytes.subarray(512, 512 + 130));
    copyAligned(one, 0, one, 512, 130);
    expect(one.bytes.subarray(0, 130).equals(expected)).to.equal(true);
  });
});
