// lib/etl/ndjson-rows.ts and the scanner below it.

import { expect } from 'chai';
import fc from 'fast-check';
import { type NdjsonOptions, openNdjson } from '../../lib/etl/ndjson-rows.js';
import type { Reject } from '../../lib/etl/reject.js';
import type { SourcePosition } from '../../lib/etl/row-batch.js';
import { cutAt, cutEvery, cuts } from '../helpers/chunks.js';

interface NdjsonRead {
  rows: Array<{ line: number; byteOffset: number; raw: string; value: string; object: object }>;
  rejects: Reject[];
  blankLines: number;
}
type Place = { next: SourcePosition; rows: number; rejects: number };

async function readWithPlaces(
  chunks: AsyncIterable<Uint8Array>,
  options?: NdjsonOptions,
): Promise<{ read: NdjsonRead; places: Place[] }> {
  const read: NdjsonRead = { rows: [], rejects: [], blankLines: 0 };
  const places: Place[] = [];
  for await (const batch of openNdjson(chunks, options)) {
    for (let row = 0; row < batch.length; row++) {
      read.rows.push({
        line: batch.line(row),
        byteOffset: batch.byteOffset(row),
        raw: batch.raw(row).toString('latin1'),
        value: batch.value(row).toString('latin1'),
        object: batch.object(row),
      });
    }
    read.rejects.push(...batch.rejects);
    read.blankLines += batch.blankLines;
    places.push({ next: batch.next, rows: read.rows.length, rejects: read.rejects.length });
  }
  return { read, places };
}

const readNdjson = async (chunks: AsyncIterable<Uint8Array>, options?: NdjsonOptions) =>
  (await readWithPlaces(chunks, options)).read;

describe('ndjson rows', () => {
  const tables: Array<[what: string, text: string, values: string[], blankLines: number]> = [
    ['a line each', '{"a":1}\n{"a":2}\n', ['{"a":1}', '{"a":2}'], 0],
    ['a last line without its end', '{"a":1}\n{"a":2}', ['{"a":1}', '{"a":2}'], 0],
    ['CRLF', '{"a":1}\r\n{"a":2}\r\n', ['{"a":1}', '{"a":2}'], 0],
    ['a carriage return at the very end', '{"a":1}\r', ['{"a":1}'], 0],
    [
      'white space around, which is cut, and inside, which stays',
      ' \t{ "a" : 1.0 }\t \r\n',
      ['{ "a" : 1.0 }'],
      0,
    ],
    ['blank lines', '\n\r\n{"a":1}\n \t\n\n{"a":2}\n  ', ['{"a":1}', '{"a":2}'], 5],
    [
      'what JavaScript would write otherwise',
      '{"2":1e0,"1":"\\u0041","1":12345678901234567890}',
      ['{"2":1e0,"1":"\\u0041","1":12345678901234567890}'],
      0,
    ],
    ['a byte order mark', '\ufeff{"a":1}\n', ['{"a":1}'], 0],
    ['text beyond ASCII', '{"é":"😀"}\n{"日":"\u2028"}', ['{"é":"😀"}', '{"日":"\u2028"}'], 0],
    ['an empty object', '{}', ['{}'], 0],
    ['a carriage return between tokens', '{"a":\r1}\n', ['{"a":\r1}'], 0],
    ['nothing', '', [], 0],
  ];
  for (const [what, text, values, blankLines] of tables) {
    it(`reads ${what}, cut at any byte`, async () => {
      const bytes = Buffer.from(text);
      const whole = await readNdjson(cutAt(bytes, []));
      expect(whole.rows.map(({ value }) => Buffer.from(value, 'latin1').toString())).to.deep.equal(values);
      expect(whole.rows.map(({ object }) => object)).to.deep.equal(
        values.map((value) => JSON.parse(value) as object),
      );
      expect(whole.rejects).to.deep.equal([]);
      expect(whole.blankLines).to.equal(blankLines);
      for (let place = 0; place <= bytes.length; place++) {
        expect(await readNdjson(cutAt(bytes, [place]))).to.deep.equal(whole);
      }
      expect(await readNdjson(cutEvery(bytes, 1))).to.deep.equal(whole);
    });
  }

  const rejected: Array<[what: string, line: string | Buffer, reason: string, message: RegExp]> = [
    ['what is not JSON', '{a:1}', 'INVALID_JSON', /not JSON: /],
    ['half an object', '{"a":', 'INVALID_JSON', /not JSON: /],
    ['two objects', '{} {}', 'INVALID_JSON', /not JSON: /],
    ['white space that is not JSON’s', '\u00a0{}', 'INVALID_JSON', /not JSON: /],
    ['an array', '[1]', 'NOT_AN_OBJECT', /an array, not an object/],
    ['null', 'null', 'NOT_AN_OBJECT', /null, not/],
    ['a number', '1', 'NOT_AN_OBJECT', /a number, not/],
    ['a string', '"{}"', 'NOT_AN_OBJECT', /a string, not/],
    [
      'bytes that are not UTF-8',
      Buffer.from('{"a":"\xff"}', 'latin1'),
      'INVALID_UTF8',
      /byte 9 of the row, 0xff/,
    ],
  ];
  for (const [what, line, reason, message] of rejected) {
    it(`rejects ${what}, and nothing else`, async () => {
      const bytes = Buffer.concat([
        Buffer.from('{"é":1}\n \n  '),
        Buffer.from(line),
        Buffer.from(' \r\n{"b":2}'),
      ]);
      for (const size of [bytes.length, 1, 3]) {
        const { rows, rejects } = await readNdjson(cutEvery(bytes, size));
        expect(rows.map(({ line: at }) => at)).to.deep.equal([1, 4]);
        expect(rejects).to.have.length(1);
        expect(rejects[0]).to.include({ line: 3, byteOffset: 11, reason });
        expect(rejects[0].message).to.match(message);
        expect(
          rejects[0].raw.equals(Buffer.concat([Buffer.from('  '), Buffer.from(line), Buffer.from(' ')])),
        ).to.equal(true);
      }
    });
  }

  it('rejects lines that are too large and keeps the others, however the source is cut', async () => {
    const long = `{"a":"${'x'.repeat(100)}"}`;
    const bytes = Buffer.from(`{"a":1}\r\n${long}\r\n{"a":2}\n{"a":12}\n\n${long}`);
    const whole = await readNdjson(cutAt(bytes, []), { rowBytesMax: 7 });
    expect(whole.rows.map(({ line }) => line)).to.deep.equal([1, 3]);
    const found = whole.rejects.map(({ line, byteLength, reason }) => [line, byteLength, reason]);
    expect(found).to.deep.equal([
      [2, 108, 'ROW_TOO_LARGE'],
      [4, 8, 'ROW_TOO_LARGE'],
      [6, 108, 'ROW_TOO_LARGE'],
    ]);
    for (let size = 1; size < bytes.length; size++) {
      expect(await readNdjson(cutEvery(bytes, size), { rowBytesMax: 7 }), `size ${size}`).to.deep.equal(
        whole,
      );
    }
  });

  it('refuses UTF-16', async () => {
    const thrown = await readNdjson(cutAt(Buffer.from('\ufeff{}\n', 'utf16le'), [])).catch(
      (error: unknown) => error,
    );
    expect(thrown).to.have.property('code', 'SOURCE_INVALID');
  });

  it('refuses a bound that is none', () => {
    expect(() => openNdjson(cutAt(Buffer.from(''), []), { rowBytesMax: 1.5 })).to.throw(/rowBytesMax: 1.5/);
  });
});

describe('ndjson, whatever it holds', () => {
  const source = fc
    .array(
      fc.constantFrom('{"a":1}', '{"é":"😀"}', '{', '}', '"', '\n', '\n', '\r\n', ' ', '\r', '[1]', '\xff'),
      { maxLength: 30 },
    )
    .map((pieces) =>
      Buffer.concat(pieces.map((piece) => Buffer.from(piece, piece === '\xff' ? 'latin1' : 'utf8'))),
    );
  const options = fc.record({ rowBytesMax: fc.constantFrom(1, 7, 1000) });
  const cutSource = source.chain((bytes) => fc.tuple(fc.constant(bytes), cuts(bytes.length)));

  it('comes out the same, however it is cut', () =>
    fc.assert(
      fc.asyncProperty(cutSource, options, async ([bytes, places], how) => {
        const whole = await readNdjson(cutAt(bytes, []), how);
        expect(await readNdjson(cutAt(bytes, places), how)).to.deep.equal(whole);
      }),
      { numRuns: 1000 },
    ));

  it('is accounted for, byte by byte and line by line', () =>
    fc.assert(
      fc.asyncProperty(source, options, async (bytes, how) => {
        const { rows, rejects } = await readNdjson(cutEvery(bytes, 7), how);
        const found = [...rows.map((row) => ({ ...row, raw: Buffer.from(row.raw, 'latin1') })), ...rejects];
        let end = 0;
        for (const { line, byteOffset, raw } of found.sort((a, b) => a.byteOffset - b.byteOffset)) {
          expect(bytes.subarray(byteOffset, byteOffset + raw.length).equals(raw)).to.equal(true);
          expect(line).to.equal(bytes.toString('latin1', 0, byteOffset).split('\n').length);
          expect(bytes.toString('latin1', end, byteOffset)).to.match(/^[\r\n \t]*$/);
          end = byteOffset + raw.length;
        }
        expect(bytes.toString('latin1', end)).to.match(/^[\r\n \t]*$/);
      }),
      { numRuns: 1000 },
    ));

  it('goes on from after any batch as if it had never stopped', () =>
    fc.assert(
      fc.asyncProperty(cutSource, options, async ([bytes, cutPlaces], how) => {
        const { read, places } = await readWithPlaces(cutAt(bytes, cutPlaces), how);
        for (const { next, rows, rejects } of places) {
          const rest = cutEvery(bytes.subarray(next.byteOffset), 5);
          const resumed = await readNdjson(rest, { ...how, position: next });
          expect(resumed.rows).to.deep.equal(read.rows.slice(rows));
          expect(resumed.rejects).to.deep.equal(read.rejects.slice(rejects));
        }
      }),
      { numRuns: 500 },
    ));

  it('comes in blocks: many lines, long lines, large chunks', async () => {
    const lines = Array.from({ length: 20_000 }, (_, index) =>
      JSON.stringify({ id: index, note: index % 1000 === 0 ? 'é'.repeat(100_000) : `row ${index}` }),
    );
    const bytes = Buffer.from(`${lines.join('\n')}\n`);
    for (const size of [bytes.length, 65_536, 4_099]) {
      let row = 0;
      for await (const batch of openNdjson(cutEvery(bytes, size))) {
        for (let index = 0; index < batch.length; index++, row++) {
          if (batch.value(index).toString() !== lines[row]) expect.fail(`row ${row} differs`);
        }
        expect(batch.rejects).to.deep.equal([]);
      }
      expect(row).to.equal(lines.length);
    }
  });
});
