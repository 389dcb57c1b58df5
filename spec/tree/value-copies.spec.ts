import { expect } from 'chai';
import { PageMemory } from '../../lib/format/page-memory.js';
import { copyOfValue } from '../../lib/tree/value-copies.js';

const memory = new PageMemory(8192);
for (let i = 0; i < memory.bytes.length; i++) memory.bytes[i] = (i * 7 + (i >>> 8)) & 0xff;

describe('copyOfValue', () => {
  for (const length of [0, 1, 3, 4, 5, 100, 511, 512, 513, 4096])
    it(`copies ${length} bytes`, () => {
      const copy = copyOfValue(memory, 1024, length);
      expect(copy).to.be.instanceOf(Buffer);
      expect(copy.equals(memory.bytes.subarray(1024, 1024 + length))).to.equal(true);
    });

  it('gives each caller bytes that no other copy reaches, over many slabs', () => {
    const lengths = Array.from({ length: 2000 }, (_, i) => (i * 37) % 513);
    const copies = lengths.map((length) => copyOfValue(memory, 0, length));
    copies.forEach((copy, i) => {
      copy.fill(i & 0xff);
    });
    copies.forEach((copy, i) => {
      expect(
        copy.every((byte) => byte === (i & 0xff)),
        `copy ${i}`,
      ).to.equal(true);
    });
  });

  it('leaves the memory that it copies from as it was', () => {
    const before = Buffer.from(memory.bytes.subarray(0, 512));
    copyOfValue(memory, 0, 512).fill(0);
    expect(memory.bytes.subarray(0, 512).equals(before)).to.equal(true);
  });

  it('begins each copy where any typed array can be laid over it', () => {
    for (let i = 0; i < 100; i++) expect(copyOfValue(memory, 4, i).byteOffset % 8).to.equal(0);
  });
});
