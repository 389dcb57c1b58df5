// lib/stream/csv-encoder.ts: stored values as CSV, and back to the bytes that were imported.

import { expect } from 'chai';
import fc from 'fast-check';
import { openCsv } from '../../lib/etl/csv-rows.js';
import { RowJsonWriter } from '../../lib/etl/row-json.js';
import { ByteArena } from '../../lib/stream/byte-arena.js';
import { CsvEncoder, type CsvExportOptions } from '../../lib/stream/csv-encoder.js';
import { cutAt } from '../helpers/chunks.js';

const text = (arena: ByteArena) => arena.bytes.toString('utf8', 0, arena.length);

function encode(values: ReadonlyArray<string | Uint8Array>, options?: CsvExportOptions): string {
  const encoder = new CsvEncoder(options);
  const arena = new ByteArena(1);
  values.forEach((value, index) => {
    encoder.write(Buffer.from(`k${index}`), Buffer.from(value), arena);
  });
  encoder.end(arena);
  return text(arena);
}

/** What comes out of an import that is exported. */
async function imported(
  csv: string | Buffer,
  how: { delimiter?: string; columns?: readonly string[] } = {},
): Promise<string> {
  const { delimiter, columns } = how;
  const rows = await openCsv(
    cutAt(Buffer.from(csv), []),
    columns ? { header: false, columns, delimiter } : { delimiter },
  );
  const writer = new RowJsonWriter(rows.columns);
  const values: Buffer[] = [];
  for await (const batch of rows) {
    expect(batch.rejects).to.deep.equal([]);
    for (let row = 0; row < batch.length; row++) {
      const arena = new ByteArena(1);
      writer.write(batch, row, arena);
      values.push(Buffer.from(arena.bytes.subarray(0, arena.length)));
    }
  }
  return encode(values, { delimiter, columns: rows.columns, header: !columns });
}

describe('csv encoder', () => {
  const tables: Array<[what: string, values: string[], csv: string, options?: CsvExportOptions]> = [
    ['strings', ['{"a":"1","b":"x"}', '{"a":"2","b":"y"}'], 'a,b\n1,x\n2,y\n'],
    ['members in the order of the text, not of JavaScript', ['{"b":"1","2":"x","1":"y"}'], 'b,2,1\n1,x,y\n'],
    ['later rows in another order', ['{"a":1,"b":2}', '{"b":4,"a":3}'], 'a,b\n1,2\n3,4\n'],
    ['missing members and null as empty cells', ['{"a":1,"b":null}', '{"b":2}', '{}'], 'a,b\n1,\n,2\n,\n'],
    [
      'numbers and booleans as written',
      ['{"a":1.0,"b":12345678901234567890,"c":true,"d":-1E+2}'],
      'a,b,c,d\n1.0,12345678901234567890,true,-1E+2\n',
    ],
    [
      'nested values as their JSON',
      ['{"a":{"x":[1, 2]},"b":[],"c":[1]}'],
      'a,b,c\n"{""x"":[1, 2]}",[],[1]\n',
    ],
    ['nested JSON over several lines', ['{"a":[1,\n2]}'], 'a\n"[1,\n2]"\n'],
    ['white space in the JSON', [' {\n"a" : "x" ,\t"b":\r1 } '], 'a,b\nx,1\n'],
    [
      'quotes where needed',
      ['{"a":"x,y","b":"\\"","c":"\\n","d":"\\r","e":" x ","f":"a;b"}'],
      'a,b,c,d,e,f\n"x,y","""","\n","\r", x ,a;b\n',
    ],
    ['quotes for another delimiter', ['{"a":"x,y","b":"a;b"}'], 'a;b\nx,y;"a;b"\n', { delimiter: ';' }],
    ['a tab', ['{"a":"x\\ty","b":"z"}'], 'a\tb\n"x\ty"\tz\n', { delimiter: '\t' }],
    ['escapes', ['{"\\u0061":"\\u00e9\\ud83d\\ude00\\\\\\/"}', '{"a":"x"}'], 'a\né😀\\/\nx\n'],
    ['columns that need quotes', ['{"a,b":"1","\\"":"2"}'], '"a,b",""""\n1,2\n'],
    ['one column, empty', ['{"a":""}', '{"a":null}', '{}', '{"a":" "}'], 'a\n""\n""\n""\n \n'],
    ['given columns', ['{"b":2,"a":1}'], 'a,b,c\n1,2,\n', { columns: ['a', 'b', 'c'] }],
    ['no header', ['{"a":1,"b":2}', '{"a":3}'], '1,2\n3,\n', { header: false }],
    ['no rows', [], ''],
    ['no rows, but columns', [], 'a,b\n', { columns: ['a', 'b'] }],
    ['no rows, columns and no header', [], '', { columns: ['a', 'b'], header: false }],
    [
      'a member that comes twice, of which the last counts',
      ['{"a":1,"b":2,"a":3}', '{"a":1,"a":null}'],
      'a,b\n3,2\n,\n',
    ],
    ['__proto__', ['{"__proto__":1}'], '__proto__\n1\n'],
    [
      'a byte order mark at the very beginning',
      ['{"\ufeffa":"\ufeff"}', '{"\ufeffa":"\ufeff"}'],
      '"\ufeffa"\n\ufeff\n\ufeff\n',
    ],
    [
      'a byte order mark in the first row',
      ['{"a":"\ufeff","b":"\ufeff"}'],
      '"\ufeff",\ufeff\n',
      { header: false },
    ],
  ];
  for (const [what, values, csv, options] of tables) {
    it(`writes ${what}`, () => expect(encode(values, options)).to.equal(csv));
  }

  const rejected: Array<[what: string, value: string | Buffer, message: RegExp, options?: CsvExportOptions]> =
    [
      ['what is not JSON', '{"a":1', /value of key "k" is not a JSON object: not JSON at byte 7/],
      ['nothing', '', /is not a JSON object/],
      ['an array', '[1]', /is not a JSON object: it is an array/],
      ['a string', '"x"', /is not a JSON object/],
      ['no members to begin with', '{}', /has no members/],
      ['a member without a name', '{"":1}', /has a member named ""/],
      ['bytes that are not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1'), /is not UTF-8/],
      ['half a surrogate pair', '{"a":"\\ud83d"}', /half of a surrogate pair in "a"/],
    ];
  for (const [what, value, message, options] of rejected) {
    it(`refuses ${what}, and writes nothing`, () => {
      const arena = new ByteArena(1);
      const encoder = new CsvEncoder(options);
      expect(() => encoder.write(Buffer.from('k'), Buffer.from(value), arena))
        .to.throw(message)
        .with.property('code', 'ROW_REJECTED');
      expect(arena.length).to.equal(0);
    });
  }

  it('leaves out members that are not among the columns that were chosen', () => {
    const arena = new ByteArena(1);
    const encoder = new CsvEncoder({ columns: ['c', 'a'] });
    encoder.write(Buffer.from('1'), Buffer.from('{"a":1,"b":2,"c":3}'), arena);
    encoder.write(Buffer.from('2'), Buffer.from('{"x":{"a":9},"c":4,"a":5,"z":6}'), arena);
    encoder.write(Buffer.from('3'), Buffer.from('{"b":7}'), arena);
    expect(arena.bytes.toString('utf8', 0, arena.length)).to.equal('c,a\n3,1\n4,5\n,\n');
  });

  it('refuses a column that comes up later, naming the row and the column', () => {
    const encoder = new CsvEncoder();
    const arena = new ByteArena(1);
    encoder.write(Buffer.from('1'), Buffer.from('{"a":1}'), arena);
    expect(() => encoder.write(Buffer.from('2'), Buffer.from('{"a":1,"new":2}'), arena))
      .to.throw(/key "2" has "new"/)
      .with.property('details')
      .that.deep.equals({ key: Buffer.from('2'), column: 'new' });
    encoder.write(Buffer.from('3'), Buffer.from('{"a":3}'), arena);
    expect(text(arena)).to.equal('a\n1\n3\n');
  });

  const options: Array<[options: CsvExportOptions, message: RegExp]> = [
    [{ columns: [] }, /columns/],
    [{ columns: ['a', 'a'] }, /columns/],
    [{ columns: [''] }, /columns/],
    [{ columns: ['\ud800'] }, /columns/],
    [{ delimiter: '' }, /delimiter/],
    [{ delimiter: '"' }, /delimiter/],
    [{ delimiter: '\n' }, /delimiter/],
  ];
  for (const [option, message] of options) {
    it(`refuses the options ${JSON.stringify(option)}`, () => {
      expect(() => new CsvEncoder(option))
        .to.throw(message)
        .with.property('code', 'INVALID_OPTION');
    });
  }
});

describe('csv that is imported and exported', () => {
  const cell = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc
      .array(fc.constantFrom(',', ';', '\t', '"', '\n', '\r', '\0', '\ufeff', 'x', 'é', '\\'), {
        maxLength: 8,
      })
      .map((all) => all.join('')),
  );
  const name = fc.string({ unit: 'binary', minLength: 1, maxLength: 6 });
  const table = fc.integer({ min: 1, max: 4 }).chain((width) =>
    fc.tuple(
      fc.uniqueArray(fc.oneof(name, fc.constantFrom('1', '2', '__proto__', 'a,b', '"')), {
        minLength: width,
        maxLength: width,
      }),
      fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
    ),
  );

  it('has the bytes it had, where only what must be is quoted', () =>
    fc.assert(
      fc.asyncProperty(table, fc.constantFrom(',', ';', '\t', '|'), async ([columns, rows], delimiter) => {
        const quoted = (each: string) => each.includes(delimiter) || /["\r\n]/.test(each);
        const line = (cells: readonly string[]) => {
          const written = cells
            .map((each) => (quoted(each) ? `"${each.replaceAll('"', '""')}"` : each))
            .join(delimiter);
          return `${written || '""'}\n`;
        };
        const body = rows.map(line).join('');
        const csv = line(columns) + body;
        // Unquoted at the very beginning it would be a mark and not text.
        fc.pre(!csv.startsWith('\ufeff') && !body.startsWith('\ufeff'));
        expect(await imported(csv, { delimiter })).to.equal(csv);
        expect(await imported(body, { delimiter, columns })).to.equal(body);
      }),
      { numRuns: 1000 },
    ));

  it('comes back with its text even where it begins with a byte order mark', async () => {
    const csv = '"\ufeffa",b\n1,2\n';
    expect(await imported(csv)).to.equal(csv);
  });
});
