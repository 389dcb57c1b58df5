// lib/format/key.ts, against the order that the runtime gives Buffers.

import { expect } from 'chai';
import fc from 'fast-check';
import { commonPrefixLength, compareKeys, keyHead, separatorLength } from '../../lib/format/key.js';
import { nodeKeys } from '../helpers/format-keys.js';
import { seeded } from '../helpers/seed.js';

const keys = nodeKeys(1024);
const compare = (a: Buffer, b: Buffer): number => Math.sign(compareKeys(a, a.length, b, b.length));

describe('key', () => {
  it('compares as Buffers do', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        expect(compare(a, b)).to.equal(Buffer.compare(a, b));
      }),
      seeded(3000),
    );
  });

  it('sorts a prefix before what it begins, and takes bytes as unsigned', () => {
    const sorted = ['', '00', '0000', '01', '61', '6100', '6161', '7f', '80', 'fe', 'ff', 'ff00', 'ffff'];
    const bytes = sorted.map((hex) => Buffer.from(hex, 'hex'));
    for (let i = 0; i < bytes.length; i++)
      for (let j = 0; j < bytes.length; j++)
        expect(compare(bytes[i], bytes[j]), `${sorted[i]} ${sorted[j]}`).to.equal(Math.sign(i - j));
  });

  it('compares no further than the lengths it is told', () => {
    const a = Buffer.from('abcX');
    const b = Buffer.from('abcY');
    expect(compareKeys(a, 3, b, 3)).to.equal(0);
    expect(compareKeys(a, 3, b, 4)).to.be.below(0);
    expect(commonPrefixLength(a, 2, b, 4)).to.equal(2);
  });

  it('counts the bytes that two keys share', () => {
    fc.assert(
      fc.property(keys, keys, (a, b) => {
        const shared = commonPrefixLength(a, a.length, b, b.length);
        expect(a.subarray(0, shared).equals(b.subarray(0, shared))).to.equal(true);
        if (shared < a.length && shared < b.length) expect(a[shared]).to.not.equal(b[shared]);
        else expect(shared).to.equal(Math.min(a.length, b.length));
      }),
      seeded(2000),
    );
  });

  it('makes a head of the next four bytes, with zeros past the end', () => {
    fc.assert(
      fc.property(keys, fc.nat(12), (key, from) => {
        const padded = Buffer.concat([key, Buffer.alloc(16)]);
        if (from <= key.length) expect(keyHead(key, key.length, from)).to.equal(padded.readUInt32BE(from));
      }),
      seeded(2000),
    );
  });

  it('has heads whose order is the order of the keys, where they differ', () => {
    fc.assert(
      fc.property(keys, keys, fc.nat(6), (a, b, prefix) => {
        const from = Math.min(prefix, commonPrefixLength(a, a.length, b, b.length));
        const difference = keyHead(a, a.length, from) - keyHead(b, b.length, from);
        if (difference !== 0) expect(Math.sign(difference)).to.equal(Buffer.compare(a, b));
      }),
      seeded(3000),
    );
  });

  it('finds the shortest separator of two keys', () => {
    fc.assert(
      fc.property(keys, keys, (one, other) => {
        fc.pre(!one.equals(other));
        const [left, right] = Buffer.compare(one, other) < 0 ? [one, other] : [other, one];
        const length = separatorLength(left, left.length, right, right.length);
        const separator = right.subarray(0, length);
        expect(Buffer.compare(left, separator)).to.equal(-1);
        expect(Buffer.compare(separator, right)).to.be.at.most(0);
        expect(Buffer.compare(left, right.subarray(0, length - 1))).to.be.at.least(0);
      }),
      seeded(3000),
    );
  });
});
