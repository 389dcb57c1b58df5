// lib/etl/csv-bytes.ts: the search by words, held against the table that says what each byte is.

import { expect } from 'chai';
import fc from 'fast-check';
import { endOfPlain, PLAIN, QUOTE, QUOTED_KINDS, unquotedKinds } from '../../lib/etl/csv-bytes.js';
import { fourTimes } from '../../lib/stream/word-bytes.js';

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** The end of plain text by the table alone. */
function expected(bytes: Buffer, at: number, kinds: Uint8Array): number {
  return bytes.findIndex((byte, index) => index >= at && kinds[byte] !== PLAIN);
}

const DELIMITERS = [',', ';', '\t', '|', 'x', '\x80', '\xff'].map((each) => Buffer.from(each, 'latin1')[0]);

describe('end of plain text', () => {
  for (const delimiter of DELIMITERS) {
    it(`is at each byte that is not plain, and at no other, with the delimiter ${delimiter}`, () => {
      const kinds = unquotedKinds(delimiter);
      for (let before = 0; before < 256; before++) {
        for (let byte = 0; byte < 256; byte++) {
          const bytes = Buffer.from([before, byte, 0x61, byte, before, 0x0a, 0, 0, 0]);
          for (const at of [0, 1, 2, 3])
            if (endOfPlain(viewOf(bytes), at, fourTimes(delimiter)) !== expected(bytes, at, kinds))
              expect.fail(`${before} ${byte} from ${at}`);
        }
      }
    });
  }

  it('is that of the table, for any bytes, from anywhere', () => {
    const bytesAnywhere = fc.tuple(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(3),
      fc.constantFrom(QUOTE, ...DELIMITERS),
    );
    fc.assert(
      fc.property(bytesAnywhere, ([text, at, delimiter]) => {
        const bytes = Buffer.from([0x61, 0x61, 0x61, ...text, 0x0a, 0, 0, 0]);
        const kinds = delimiter === QUOTE ? QUOTED_KINDS : unquotedKinds(delimiter);
        expect(endOfPlain(viewOf(bytes), at, fourTimes(delimiter))).to.equal(expected(bytes, at, kinds));
      }),
    );
  });
});
