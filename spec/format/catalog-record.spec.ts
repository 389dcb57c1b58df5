// lib/format/catalog-record.ts: there and back, and records that are none.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  type CatalogRecord,
  decodeCatalogRecord,
  EMPTY_TREE,
  encodeCatalogRecord,
} from '../../lib/format/catalog-record.js';
import { raised } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';

const u32 = fc.oneof(fc.nat(), fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff));
const safe = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER));
const checkpoints = fc.oneof(
  fc.constantFrom(undefined, '', '{}', '\0', 'ü 漢 😀'),
  fc.string({ maxLength: 300, unit: 'grapheme' }),
);
const records: fc.Arbitrary<CatalogRecord> = fc.record({
  root: fc.record({ page: u32, stamp: u32, entries: safe, large: fc.boolean() }),
  created: safe,
  checkpoint: checkpoints,
});

describe('catalog record', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(records, (record) => {
        expect(decodeCatalogRecord(encodeCatalogRecord(record), 'b')).to.deep.equal(record);
      }),
      seeded(400),
    );
  });

  it('tells an empty checkpoint from none', () => {
    for (const checkpoint of ['', undefined]) {
      const record: CatalogRecord = { root: EMPTY_TREE, created: 1, checkpoint };
      expect(decodeCatalogRecord(encodeCatalogRecord(record), 'b').checkpoint).to.equal(checkpoint);
    }
  });

  it('is refused at any other length, by the name of its bucket', () => {
    const bytes = encodeCatalogRecord({ root: EMPTY_TREE, created: 7, checkpoint: 'here' });
    for (let length = 0; length < bytes.length; length++) {
      const error = raised('PAGE_CORRUPT', () => decodeCatalogRecord(bytes.subarray(0, length), 'orders'));
      expect(error.message).to.contain('"orders"');
    }
    raised('PAGE_CORRUPT', () => decodeCatalogRecord(Buffer.concat([bytes, Buffer.alloc(1)]), 'orders'));
  });

  it('is refused with counts and sequences past counting', () => {
    for (const at of [8, 16]) {
      for (const number of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
        const bytes = encodeCatalogRecord({ root: EMPTY_TREE, created: 7, checkpoint: undefined });
        bytes.writeBigUInt64LE(number, at);
        raised('PAGE_CORRUPT', () => decodeCatalogRecord(bytes, 'orders'));
      }
    }
  });

  it('is refused with another length of its checkpoint', () => {
    for (const length of [0, 3, 5, 0x7fff_ffff, 0xffff_ffff]) {
      const bytes = encodeCatalogRecord({ root: EMPTY_TREE, created: 7, checkpoint: 'here' });
      bytes.writeUInt32LE(length, 28);
      raised('PAGE_CORRUPT', () => decodeCatalogRecord(bytes, 'orders'));
    }
  });
});
