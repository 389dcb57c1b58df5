// lib/tree/key-bounds.ts: intersections and ends of prefixes, key by key.

import { expect } from 'chai';
import fc from 'fast-check';
import { intersectBounds, isInBounds, type KeyBounds, prefixEnd } from '../../lib/tree/key-bounds.js';
import { nodeKeys, tyingKeys } from '../helpers/format-keys.js';
import { seeded } from '../helpers/seed.js';

const keys = nodeKeys(64);
const bounds: fc.Arbitrary<KeyBounds> = fc.record(
  { lower: tyingKeys, lowerOpen: fc.boolean(), upper: tyingKeys, upperOpen: fc.boolean() },
  { requiredKeys: [] },
);

describe('key bounds', () => {
  it('of two intersect to what lies in both', () => {
    fc.assert(
      fc.property(bounds, bounds, keys, tyingKeys, (a, b, ...probes) => {
        const both = intersectBounds(a, b);
        const ends = [a.lower, a.upper, b.lower, b.upper].filter((end) => end !== undefined);
        for (const key of [...probes, ...ends])
          expect(isInBounds(both, key)).to.equal(isInBounds(a, key) && isInBounds(b, key));
      }),
      seeded(1500),
    );
  });

  it('tell a key inside from one outside', () => {
    fc.assert(
      fc.property(bounds, keys, (range, key) => {
        const { lower, upper } = range;
        const above = lower === undefined ? 1 : Buffer.compare(key, lower);
        const below = upper === undefined ? -1 : Buffer.compare(key, upper);
        const isInside =
          (range.lowerOpen === true ? above > 0 : above >= 0) &&
          (range.upperOpen === true ? below < 0 : below <= 0);
        // Without a bound there is nothing to be open.
        const expected =
          (lower === undefined || (range.lowerOpen === true ? above > 0 : above >= 0)) &&
          (upper === undefined || (range.upperOpen === true ? below < 0 : below <= 0));
        expect(isInBounds(range, key)).to.equal(expected);
        if (lower !== undefined && upper !== undefined) expect(isInside).to.equal(expected);
      }),
      seeded(1000),
    );
  });

  it('of a prefix hold just the keys that begin with it', () => {
    fc.assert(
      fc.property(tyingKeys, keys, tyingKeys, (prefix, key, more) => {
        const range: KeyBounds = { lower: prefix, upper: prefixEnd(prefix), upperOpen: true };
        for (const probe of [key, prefix, Buffer.concat([prefix, more]), Buffer.concat([prefix, key])])
          expect(isInBounds(range, probe)).to.equal(probe.subarray(0, prefix.length).equals(prefix));
      }),
      seeded(1000),
    );
  });

  it('of a prefix of nothing but the greatest byte have no end', () => {
    for (const hex of ['', 'ff', 'ffffff']) expect(prefixEnd(Buffer.from(hex, 'hex'))).to.equal(undefined);
    for (const [hex, end] of [
      ['00', '01'],
      ['61ff', '62'],
      ['ff00ffff', 'ff01'],
      ['fe', 'ff'],
    ]) {
      const given = Buffer.from(hex, 'hex');
      expect(Buffer.from(prefixEnd(given) ?? []).toString('hex')).to.equal(end);
      expect(given.toString('hex'), 'the prefix given').to.equal(hex);
    }
  });
});
