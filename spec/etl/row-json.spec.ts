// lib/etl/row-json.ts: JSON text of CSV rows, held against JSON.stringify.

import { expect } from 'chai';
import fc from 'fast-check';
import { openCsv } from '../../lib/etl/csv-rows.js';
import { RowJsonWriter } from '../../lib/etl/row-json.js';
import { ByteArena } from '../../lib/stream/byte-arena.js';
import { cutAt } from '../helpers/chunks.js';

async function rowsJson(csv: string, columns: readonly string[]): Promise<string[]> {
  const rows = await openCsv(cutAt(Buffer.from(csv), []), { header: false, columns });
  const writer = new RowJsonWriter(rows.columns);
  const arena = new ByteArena(1);
  const ends: number[] = [];
  for await (const batch of rows) {
    for (let row = 0; row < batch.length; row++) {
      writer.write(batch, row, arena);
      ends.push(arena.length);
    }
  }
  return ends.map((end, index) => arena.bytes.toString('utf8', ends[index - 1] ?? 0, end));
}

describe('json of csv rows', () => {
  const tables: Array<[what: string, csv: string, columns: string[], json: string]> = [
    ['plain cells', '1,x', ['id', 'n'], '{"id":"1","n":"x"}'],
    ['one column', '""', ['a'], '{"a":""}'],
    ['names that look like integers, in their order', '1,2,3', ['2', 'a', '1'], '{"2":"1","a":"2","1":"3"}'],
    ['__proto__', 'x', ['__proto__'], '{"__proto__":"x"}'],
    ['names that need escapes', '1,2', ['"', 'a\\\n'], '{"\\"":"1","a\\\\\\n":"2"}'],
    ['doubled quotes', '"""a""",""""', ['a', 'b'], '{"a":"\\"a\\"","b":"\\""}'],
    ['line ends', '"a\r\nb",c', ['a', 'b'], '{"a":"a\\r\\nb","b":"c"}'],
    [
      'control characters',
      '\0\x01\x1f\x7f,\t\b\f',
      ['a', 'b'],
      '{"a":"\\u0000\\u0001\\u001f\x7f","b":"\\t\\b\\f"}',
    ],
    ['text beyond ASCII', 'é\u2028,😀', ['a', 'b'], '{"a":"é\u2028","b":"😀"}'],
  ];
  for (const [what, csv, columns, json] of tables) {
    it(`has ${what}`, async () => {
      expect(await rowsJson(csv, columns)).to.deep.equal([json]);
    });
  }

  it('is what JSON.stringify writes, for any cells', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: 'grapheme', maxLength: 200 }),
      fc
        .array(fc.constantFrom('"', '\\', '\n', '\r', '\0', '\x1f', ',', 'x', 'é'), { maxLength: 30 })
        .map((all) => all.join('')),
    );
    const tables = fc.integer({ min: 1, max: 4 }).chain((width) => {
      const names = fc.uniqueArray(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 9 }), {
        minLength: width,
        maxLength: width,
      });
      return fc.tuple(
        names,
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { maxLength: 6 }),
      );
    });
    return fc.assert(
      fc.asyncProperty(tables, async ([columns, table]) => {
        const csv = table
          .map((row) => row.map((text) => `"${text.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        const expected = table.map(
          (row) =>
            `{${row.map((text, index) => `${JSON.stringify(columns[index])}:${JSON.stringify(text)}`).join(',')}}`,
        );
        expect(await rowsJson(csv, columns)).to.deep.equal(expected);
      }),
      { numRuns: 1000 },
    );
  });
});
