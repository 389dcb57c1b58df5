// lib/sort/sort-shape.ts: whatever a sort may take, its parts fit into it.

import { expect } from 'chai';
import { readBytes, sortShape } from '../../lib/sort/sort-shape.js';

describe('the shape of a sort', () => {
  for (const sortBytes of [1, 100_000, 256 << 10, 300_001, 1 << 20, 5_000_000, 64 << 20, 1 << 30, 2 ** 31]) {
    it(`divides ${sortBytes} bytes`, () => {
      const shape = sortShape(sortBytes);
      const { memoryBytes, pieceBytes, writeBytes, fanIn } = shape;
      expect(memoryBytes).to.be.at.most(Math.max(sortBytes, 256 << 10));
      expect(memoryBytes).to.be.above(Math.max(sortBytes, 256 << 10) - 4096);
      expect(memoryBytes % 4).to.equal(0);
      // A key of 16 KiB, the longest of any page size, with its lengths and the header.
      expect(pieceBytes).to.be.at.least(16384 + 24);
      expect(writeBytes % pieceBytes).to.equal(0);
      expect(fanIn).to.be.within(2, 128);
      for (let runs = 1; runs <= fanIn; runs++) {
        const bytes = readBytes(shape, runs);
        expect(bytes % pieceBytes, `${runs} runs`).to.equal(0);
        expect(bytes, `${runs} runs`).to.be.at.least(pieceBytes);
        expect(2 * runs * bytes + 2 * writeBytes, `${runs} runs`).to.be.at.most(memoryBytes);
      }
    });
  }

  it('reads and writes long at 64 MiB', () => {
    const shape = sortShape(64 << 20);
    expect(shape).to.deep.equal({
      memoryBytes: 64 << 20,
      pieceBytes: 256 << 10,
      writeBytes: 1 << 20,
      fanIn: 124,
    });
    expect(readBytes(shape, 20)).to.equal(1 << 20);
    expect(readBytes(shape, 124)).to.equal(256 << 10);
  });
});
