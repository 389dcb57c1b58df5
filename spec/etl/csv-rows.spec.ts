// lib/etl/csv-rows.ts and what it stands on: the scanner, the batches, the splitter, header and delimiter.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { CsvOptions } from '../../lib/etl/csv-options.js';
import { openCsv } from '../../lib/etl/csv-rows.js';
import { cutAt, cutEvery, cuts } from '../helpers/chunks.js';
import { outcome, readCsv } from './csv-reading.js';

const read = (text: string | Buffer, options?: CsvOptions) => readCsv(cutAt(Buffer.from(text), []), options);
const error = (text: string | Buffer, options?: CsvOptions) =>
  read(text, options).then(
    () => expect.fail('it was read'),
    (thrown: unknown) => thrown as Error & { code: string; details: Record<string, unknown> },
  );

describe('csv rows', () => {
  const tables: Array<[what: string, csv: string, rows: string[][], options?: CsvOptions]> = [
    [
      'rows that end with a line feed',
      'a,b\n1,2\n3,4\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'a last row that has no line end',
      'a,b\n1,2\n3,4',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'CRLF',
      'a,b\r\n1,2\r\n3,4\r\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'CR alone',
      'a,b\r1,2\r3,4\r',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    [
      'all of them in one source',
      'a,b\r1,2\n3,4\r\n5,6',
      [
        ['1', '2'],
        ['3', '4'],
        ['5', '6'],
      ],
    ],
    [
      'empty cells',
      'a,b,c\n,,\n1,,\n,,3',
      [
        ['', '', ''],
        ['1', '', ''],
        ['', '', '3'],
      ],
    ],
    ['empty cells in quotes', 'a,b\n"",""\n', [['', '']]],
    ['one column', 'a\n1\n""\n2\n', [['1'], [''], ['2']]],
    ['quotes around delimiters', 'a,b\n"1,2",3\n', [['1,2', '3']]],
    ['doubled quotes', 'a,b\n"""x""","a""b"\n', [['"x"', 'a"b']]],
    ['line ends in quotes', 'a,b\n"1\n2\r\n3\r4",5\n', [['1\n2\r\n3\r4', '5']]],
    ['a cell of nothing but quotes', 'a,b\n"""""",""""\n', [['""', '"']]],
    ['spaces, which are kept', 'a, b\n 1 , 2 \n', [[' 1 ', ' 2 ']]],
    ['NUL, backslash and control characters', 'a,b\n\0\\,\x01\x1f\n', [['\0\\', '\x01\x1f']]],
    ['characters of every length', 'é,€\n😀,日本\n', [['😀', '日本']]],
    ['a byte order mark before the header', '\ufeffa,b\n1,2\n', [['1', '2']]],
    ['a byte order mark before a quoted name', '\ufeff"a",b\n1,2\n', [['1', '2']]],
    ['a byte order mark that is text', 'a,b\n\ufeff1,2\n', [['\ufeff1', '2']]],
    [
      'blank lines before the header and between rows',
      '\n\r\na,b\n\n1,2\n\r\n\n3,4\n\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
    ],
    ['a header and nothing else', 'a,b\n', []],
    ['a header without a line end', 'a,b', []],
    ['names that JavaScript treats apart', '__proto__,2,1\nx,y,z\n', [['x', 'y', 'z']]],
    ['a semicolon', 'a;b\n1,0;2\n', [['1,0', '2']], { delimiter: ';' }],
    ['a tab, also inside quotes', 'a\tb\n"1\t2"\t3\n', [['1\t2', '3']], { delimiter: '\t' }],
    ['a backslash as the delimiter', 'a\\b\n"1\\2"\\3\n', [['1\\2', '3']], { delimiter: '\\' }],
    [
      'no header',
      '1,2\n3,4\n',
      [
        ['1', '2'],
        ['3', '4'],
      ],
      { header: false, columns: ['a', 'b'] },
    ],
    ['no header and no row', '', [], { header: false, columns: ['a', 'b'] }],
  ];
  for (const [what, csv, rows, options] of tables) {
    it(`reads ${what}`, async () => {
      const whole = await read(csv, options);
      expect(whole.rows.map((row) => row.cells)).to.deep.equal(rows);
      expect(whole.rejects).to.deep.equal([]);
    });

    it(`reads ${what}, cut at any byte`, async () => {
      const bytes = Buffer.from(csv);
      const whole = outcome(await read(csv, options));
      for (let size = 1; size <= Math.min(4, bytes.length); size++) {
        expect(outcome(await readCsv(cutEvery(bytes, size), options))).to.deep.equal(whole);
      }
      for (let place = 0; place <= bytes.length; place++) {
        expect(outcome(await readCsv(cutAt(bytes, [place]), options)), `at ${place}`).to.deep.equal(whole);
      }
    });
  }

  it('gives a row as an object that has every column as its own', async () => {
    const csv = await openCsv(cutAt(Buffer.from('__proto__,2,1\nx,y,"é"""\n'), []));
    for await (const batch of csv) {
      expect(Object.entries(batch.object(0))).to.deep.equal([
        ['1', 'é"'],
        ['2', 'y'],
        ['__proto__', 'x'],
      ]);
    }
  });

  describe('csv-spectrum', () => {
    const folder = dirname(createRequire(import.meta.url).resolve('csv-spectrum/package.json'));
    const names = readdirSync(join(folder, 'csvs')).map((file) => basename(file, '.csv'));

    it('has cases', () => expect(names).to.have.length.greaterThan(10));

    // Its JSON is of other data than its CSV, which has quotes inside an unquoted cell.
    const strange = 'location_coordinates';

    it(`refuses the one row of ${strange}`, async () => {
      const { rows, rejects } = await read(readFileSync(join(folder, 'csvs', `${strange}.csv`)));
      expect(rows).to.deep.equal([]);
      expect(rejects.map(({ line, reason }) => [line, reason])).to.deep.equal([[2, 'MALFORMED_CSV']]);
    });

    for (const name of names.filter((each) => each !== strange)) {
      it(`reads ${name}`, async () => {
        const expected: unknown = JSON.parse(readFileSync(join(folder, 'json', `${name}.json`), 'utf8'));
        const bytes = readFileSync(join(folder, 'csvs', `${name}.csv`));
        for (const size of [bytes.length, 1, 3]) {
          const { columns, rows, rejects } = await readCsv(cutEvery(bytes, size));
          const objects = rows.map(({ cells }) =>
            Object.fromEntries(columns.map((column, index) => [column, cells[index]])),
          );
          expect(objects).to.deep.equal(expected);
          expect(rejects).to.deep.equal([]);
        }
      });
    }
  });
});

describe('csv rejects', () => {
  type Expected = [line: number, byteOffset: number, reason: string, raw: string];
  const header = 'a,b\n';
  const tables: Array<[what: string, body: string | Buffer, rows: number, rejects: Expected[]]> = [
    ['too few cells', '1\n2,3\n', 1, [[2, 4, 'COLUMN_COUNT', '1']]],
    ['too many cells', '1,2,3\r\n4,5\n', 1, [[2, 4, 'COLUMN_COUNT', '1,2,3']]],
    ['a quote in an unquoted cell', '1,5" pipe\n2,3\n', 1, [[2, 4, 'MALFORMED_CSV', '1,5" pipe']]],
    ['text after a closing quote', '"1"x,2\n3,4', 1, [[2, 4, 'MALFORMED_CSV', '"1"x,2']]],
    ['a space before a quote', '1, "2"\n3,4', 1, [[2, 4, 'MALFORMED_CSV', '1, "2"']]],
    [
      'text after a quote that closes lines below',
      '"1\n2"x,3\n4,5',
      1,
      [
        [2, 4, 'MALFORMED_CSV', '"1'],
        [3, 7, 'MALFORMED_CSV', '2"x,3'],
      ],
    ],
    ['a quote never closed', '1,2\n3,"4\n5,6\n', 2, [[3, 8, 'UNTERMINATED_QUOTE', '3,"4']]],
    ['a quote never closed, with CRLF', '3,"4\r\n5,6\r\n7,8', 2, [[2, 4, 'UNTERMINATED_QUOTE', '3,"4']]],
    [
      'two quotes never closed, of which the second makes the first one malformed',
      '1,"2\n3,4\n5,"6\n7,8\n',
      2,
      [
        [2, 4, 'MALFORMED_CSV', '1,"2'],
        [4, 13, 'UNTERMINATED_QUOTE', '5,"6'],
      ],
    ],
    ['a quote at the very end', '1,2\n3,"', 1, [[3, 8, 'UNTERMINATED_QUOTE', '3,"']]],
    [
      'bytes that are not UTF-8',
      Buffer.from('1,\xff\n2,\xe9\xe9\n3,4\n', 'latin1'),
      1,
      [
        [2, 4, 'INVALID_UTF8', '1,\xff'],
        [3, 8, 'INVALID_UTF8', '2,\xe9\xe9'],
      ],
    ],
    [
      'a character cut off by a delimiter',
      Buffer.from('\xe2\x82,1\n2,3', 'latin1'),
      1,
      [[2, 4, 'INVALID_UTF8', '\xe2\x82,1']],
    ],
    [
      'a surrogate encoded by itself',
      Buffer.from('\xed\xa0\x80,1\n2,3', 'latin1'),
      1,
      [[2, 4, 'INVALID_UTF8', '\xed\xa0\x80,1']],
    ],
    [
      'several in the order of the source',
      Buffer.from('1\n\xff,2\n3\n4,5\n', 'latin1'),
      1,
      [
        [2, 4, 'COLUMN_COUNT', '1'],
        [3, 6, 'INVALID_UTF8', '\xff,2'],
        [4, 10, 'COLUMN_COUNT', '3'],
      ],
    ],
    ['white space on a line, which is a cell', '  \n1,2', 1, [[2, 4, 'COLUMN_COUNT', '  ']]],
  ];
  for (const [what, body, rows, expected] of tables) {
    it(`has ${what}, however the source is cut`, async () => {
      const bytes = Buffer.concat([Buffer.from(header), Buffer.from(body)]);
      for (const size of [bytes.length, 1, 2, 3, 5]) {
        const { rows: good, rejects } = await readCsv(cutEvery(bytes, size));
        expect(good).to.have.length(rows);
        const found = rejects.map(({ line, byteOffset, reason, raw }) => [
          line,
          byteOffset,
          reason,
          raw.toString('latin1'),
        ]);
        expect(found).to.deep.equal(expected);
      }
    });
  }

  const messages: Array<[body: string | Buffer, message: RegExp]> = [
    ['1,2,3', /3 cells where there are 2 columns/],
    ['1', /1 cell where/],
    ['1,x"', /cell 2 has a quote/],
    ['"1"x,2', /cell 1 has text after/],
    ['"1\n\n","2\n3",4\n', /3 cells where there are 2 columns; it spans 4 lines/],
    ['1,2\n3,"x\ny,z\n', /opens on line 3 is not closed before the source ends; its row was refused up to/],
    [Buffer.from('1,€', 'utf8').subarray(0, 4), /byte 3 of the row, 0xe2/],
    [Buffer.from('1,\xef\xbf', 'latin1'), /byte 3 of the row, 0xef/],
  ];
  for (const [body, message] of messages) {
    it(`says of ${JSON.stringify(body.toString())}: ${message.source}`, async () => {
      const { rejects } = await read(Buffer.concat([Buffer.from(header), Buffer.from(body)]));
      expect(rejects.at(-1)?.message).to.match(message);
    });
  }
});

describe('csv rows that are too large', () => {
  const rowBytesMax = 8;
  const tables: Array<
    [
      what: string,
      body: string,
      rows: string[][],
      rejects: Array<[line: number, byteLength: number, message: RegExp]>,
    ]
  > = [
    [
      'at the bound is a row',
      '1234,678\n1,2',
      [
        ['1234', '678'],
        ['1', '2'],
      ],
      [],
    ],
    ['past it is a reject', '1234,6789\n1,2', [['1', '2']], [[2, 9, /longer than 8 bytes$/]]],
    [
      'past it with CRLF',
      '1234,678\r\n1234,6789\r\n1,2',
      [
        ['1234', '678'],
        ['1', '2'],
      ],
      [[3, 9, /longer/]],
    ],
    ['far past it', `${'x'.repeat(100)},1\r\n1,2`, [['1', '2']], [[2, 102, /longer/]]],
    ['at the end of the source', `1,2\n${'x'.repeat(100)}`, [['1', '2']], [[3, 100, /longer/]]],
    ['with quotes that end', '"12345",6789\n1,2', [['1', '2']], [[2, 12, /longer than 8 bytes$/]]],
    [
      'with a quote that is open at the bound',
      '1,"456789\n1,2\n3,"4"\n5,6',
      [
        ['1', '2'],
        ['3', '4'],
        ['5', '6'],
      ],
      [[2, 9, /line 2 is not closed/]],
    ],
    ['with a malformed beginning', '1"345678901\n1,2', [['1', '2']], [[2, 11, /longer than 8 bytes$/]]],
    [
      'of two in a row',
      '123456789\n1234567890\n1,2',
      [['1', '2']],
      [
        [2, 9, /longer/],
        [3, 10, /longer/],
      ],
    ],
  ];
  for (const [what, body, rows, rejects] of tables) {
    it(`${what}, however the source is cut`, async () => {
      const bytes = Buffer.from(`a,b\n${body}`);
      const whole = await read(bytes, { rowBytesMax });
      expect(whole.rows.map((row) => row.cells)).to.deep.equal(rows);
      expect(whole.rejects.map((reject) => [reject.line, reject.byteLength])).to.deep.equal(
        rejects.map(([line, byteLength]) => [line, byteLength]),
      );
      whole.rejects.forEach((reject, index) => {
        expect(reject.reason).to.equal('ROW_TOO_LARGE');
        expect(reject.message).to.match(rejects[index][2]);
        expect(reject.raw.toString()).to.equal(
          body.slice(reject.byteOffset - 4, reject.byteOffset - 4 + reject.byteLength),
        );
      });
      for (let size = 1; size < bytes.length; size++) {
        expect(outcome(await readCsv(cutEvery(bytes, size), { rowBytesMax })), `size ${size}`).to.deep.equal(
          outcome(whole),
        );
      }
    });
  }

  it('costs its first line alone where a quote is open at the bound', async () => {
    const bytes = Buffer.from('a,b\n1,"45\n6\r7,8\n9,10\n"1\n2",12345\n3,4');
    for (const size of [bytes.length, 1, 2, 3, 5]) {
      const { rows, rejects } = await readCsv(cutEvery(bytes, size), { rowBytesMax });
      const facts = rejects.map(({ line, reason, raw }) => [line, reason, raw.toString()]);
      expect(facts).to.deep.equal([
        [2, 'UNTERMINATED_QUOTE', '1,"45'],
        [3, 'COLUMN_COUNT', '6'],
        [6, 'ROW_TOO_LARGE', '"1'],
        [7, 'MALFORMED_CSV', '2",12345'],
      ]);
      expect(rejects[0].message).to.contain('line 2 is not closed within 8 bytes');
      expect(rows.map(({ cells }) => cells)).to.deep.equal([
        ['7', '8'],
        ['9', '10'],
        ['3', '4'],
      ]);
    }
  });

  it('keeps only the beginning of a row without end, in bounded memory', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a,b\n');
      for (let index = 0; index < 40; index++) yield chunk;
      yield Buffer.from('\n1,2\n');
    }
    const before = process.memoryUsage().arrayBuffers;
    let highest = 0;
    const csv = await openCsv(endless(), { rowBytesMax: 1024 * 1024 });
    let rows = 0;
    for await (const batch of csv) {
      highest = Math.max(highest, process.memoryUsage().arrayBuffers);
      rows += batch.length;
      for (const reject of batch.rejects) {
        expect(reject.byteLength).to.equal(40 * chunk.length);
        expect(reject.raw).to.have.length(64 * 1024);
      }
    }
    expect(rows).to.equal(1);
    expect(highest - before).to.be.lessThan(16 * 1024 * 1024);
  });
});

describe('csv quotes that are not closed', () => {
  const rowsAfter = (count: number): string =>
    Array.from({ length: count }, (_, index) => `${index},row\n`).join('');

  it('cost one row of a large source, which says so early', async () => {
    const count = 200_000;
    const bytes = Buffer.from(`a,b\n0,"open\n${rowsAfter(count)}`);
    for (const size of [bytes.length, 65_536, 4099]) {
      const csv = await openCsv(cutEvery(bytes, size));
      let rows = 0;
      let read = 0;
      for await (const batch of csv) {
        read++;
        rows += batch.length;
        for (const reject of batch.rejects) {
          expect(reject).to.include({ line: 2, byteOffset: 4, byteLength: 7, reason: 'UNTERMINATED_QUOTE' });
          expect(reject.raw.toString()).to.equal('0,"open');
          expect(reject.message)
            .to.contain('line 2 is not closed within 1000 lines')
            .and.contain('quotedLinesMax');
          // The rows behind it were not waited for longer than that takes.
          expect(read * size).to.be.at.most(Math.max(size, 40_000));
        }
      }
      expect(rows).to.equal(count);
    }
  });

  it('are told from cells of as many lines as may be', async () => {
    const cell = (lines: number, end: string): string =>
      `"${Array.from({ length: lines }, () => 'x,y').join(end)}"`;
    for (const end of ['\n', '\r\n', '\r']) {
      const bytes = Buffer.from(`a,b${end}1,${cell(3, end)}${end}2,${cell(4, end)}${end}3,4`);
      for (let size = 1; size <= bytes.length; size++) {
        const { rows, rejects } = await readCsv(cutEvery(bytes, size), { quotedLinesMax: 3 });
        expect(rows.map(({ line, cells }) => [line, cells[0]])).to.deep.equal([
          [2, '1'],
          [6, 'x'],
          [7, 'x'],
          [9, '3'],
        ]);
        const found = rejects.map(({ line, reason, raw }) => [line, reason, raw.toString()]);
        expect(found).to.deep.equal([
          [5, 'UNTERMINATED_QUOTE', '2,"x,y'],
          [8, 'MALFORMED_CSV', 'x,y"'],
        ]);
      }
    }
  });

  it('take time in proportion to the source, however many there are', async () => {
    // Each of them is looked for a thousand lines far: were every line after it looked at as often, this took minutes.
    const bytes = Buffer.from(`a,b\n${`0,"open\n${rowsAfter(1500)}`.repeat(200)}`);
    const { rows, rejects } = await readCsv(cutEvery(bytes, 65_536));
    expect(rejects).to.have.length(200);
    expect(rows).to.have.length(300_000);
  });
});

describe('csv columns', () => {
  const failures: Array<
    [what: string, csv: string | Buffer, options: CsvOptions, code: string, message: RegExp]
  > = [
    ['an empty source', '', {}, 'SOURCE_INVALID', /no header row, as it is empty/],
    ['blank lines only', '\n\r\n', {}, 'SOURCE_INVALID', /no header row/],
    [
      'a column named twice',
      'a,b,a,c,c\n',
      {},
      'SOURCE_INVALID',
      /line 1 has more than one column named "a", "c"/,
    ],
    ['columns without a name', 'a,,b,""\n', {}, 'SOURCE_INVALID', /no name for column 2, 4/],
    ['a malformed header', 'a,b"\n1,2\n', {}, 'SOURCE_INVALID', /header on line 1 cannot be read: cell 2/],
    [
      'a header that is not UTF-8',
      Buffer.from('\n\xff,b\n1,2\n', 'latin1'),
      {},
      'SOURCE_INVALID',
      /line 2 cannot/,
    ],
    ['a header that never ends', '"a,b\n1,2\n', {}, 'SOURCE_INVALID', /opens on line 1/],
    ['a header that is too long', 'a,b\n1,2\n', { rowBytesMax: 2 }, 'SOURCE_INVALID', /longer than 2 bytes/],
    ['a header of very many columns', `${'a,'.repeat(70_000)}\n`, {}, 'SOURCE_INVALID', /70001 columns/],
    ['UTF-16', Buffer.from('\ufeffa,b\n', 'utf16le'), {}, 'SOURCE_INVALID', /UTF-16/],
    [
      'UTF-16, the other way round',
      Buffer.from('\ufeffa,b\n', 'utf16le').swap16(),
      {},
      'SOURCE_INVALID',
      /UTF-16/,
    ],
    ['columns and a header', 'a\n', { columns: ['a'] }, 'INVALID_OPTION', /header: false/],
    [
      'neither columns nor a header',
      'a\n',
      { header: false },
      'INVALID_OPTION',
      /names of the columns are needed/,
    ],
    ['no column', 'a\n', { header: false, columns: [] }, 'INVALID_OPTION', /at least one/],
    [
      'columns given twice',
      'a\n',
      { header: false, columns: ['a', 'a'] },
      'INVALID_OPTION',
      /columns: more than one column named "a"/,
    ],
    [
      'a column given without a name',
      'a\n',
      { header: false, columns: ['a', ''] },
      'INVALID_OPTION',
      /no name for column 2/,
    ],
    ['a delimiter of two characters', 'a\n', { delimiter: ',,' }, 'INVALID_OPTION', /delimiter: ",,"/],
    ['a quote as the delimiter', 'a\n', { delimiter: '"' }, 'INVALID_OPTION', /delimiter/],
    ['a line end as the delimiter', 'a\n', { delimiter: '\n' }, 'INVALID_OPTION', /delimiter/],
    ['a delimiter beyond ASCII', 'a\n', { delimiter: '§' }, 'INVALID_OPTION', /delimiter/],
    ['no bytes a row', 'a\n', { rowBytesMax: 0 }, 'INVALID_OPTION', /rowBytesMax: 0/],
    ['no lines a quote', 'a\n', { quotedLinesMax: 0 }, 'INVALID_OPTION', /quotedLinesMax: 0/],
    [
      'a position and a header',
      'a\n',
      { position: { byteOffset: 4, line: 2 } },
      'INVALID_OPTION',
      /header: false/,
    ],
    [
      'a position and a delimiter to be found',
      'a\n',
      { delimiter: 'auto', header: false, columns: ['a'], position: { byteOffset: 4, line: 2 } },
      'INVALID_OPTION',
      /auto/,
    ],
  ];
  for (const [what, csv, options, code, message] of failures) {
    it(`refuses ${what}`, async () => {
      const thrown = await error(csv, options);
      expect(thrown.code).to.equal(code);
      expect(thrown.message).to.match(message);
    });
  }

  it('names the columns before the first row is read', async () => {
    const csv = await openCsv(cutAt(Buffer.from('"a ""1""",b\n'), []));
    expect(csv.columns).to.deep.equal(['a "1"', 'b']);
    await csv.close();
  });

  const sniffed: Array<[csv: string, delimiter: string]> = [
    ['a,b;c\n1,2;3\n', ','],
    ['a;b;c\n1,0;2;3\n', ';'],
    ['a\tb\n1,0\t2,5\n', '\t'],
    ['a|b\n1|2\n', '|'],
    ['"a;b;c",d\n1,2\n', ','],
    ['a,b;c;d\n1;2;3\n', ';'],
    ['a;b', ';'],
    ['a\n1\n', ','],
    ['', ','],
    ['\ufeff"x,y";b\n1;2\n', ';'],
  ];
  for (const [csv, delimiter] of sniffed) {
    it(`finds ${JSON.stringify(delimiter)} in ${JSON.stringify(csv)}`, async () => {
      const bytes = Buffer.from(csv || '\n');
      for (const size of [bytes.length, 1]) {
        const options = { delimiter: 'auto', header: false, columns: ['x'] };
        expect((await readCsv(cutEvery(bytes, size), options)).delimiter).to.equal(delimiter);
      }
    });
  }
});

describe('leaving csv rows early', () => {
  const ways: Array<[what: string, options: CsvOptions]> = [
    ['with a header', {}],
    ['without', { header: false, columns: ['a', 'b'] }],
    ['with a delimiter to be found', { delimiter: 'auto', header: false, columns: ['a', 'b'] }],
  ];
  const source = () => {
    const state = { closed: false };
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Buffer.from('a,b\n'.repeat(20_000));
      } finally {
        state.closed = true;
      }
    }
    return { state, chunks: chunks() };
  };

  for (const [what, options] of ways) {
    it(`closes the source, ${what}, when the loop is left`, async () => {
      const { state, chunks } = source();
      for await (const _ of await openCsv(chunks, options)) break;
      expect(state.closed).to.equal(true);
    });
  }

  it('closes the source when nothing was asked for but the header', async () => {
    const { state, chunks } = source();
    await (await openCsv(chunks, {})).close();
    expect(state.closed).to.equal(true);
  });

  it('closes the source that was only looked at for its delimiter', async () => {
    const { state, chunks } = source();
    await (await openCsv(chunks, { delimiter: 'auto', header: false, columns: ['a'] })).close();
    expect(state.closed).to.equal(true);
  });

  it('closes the source whose header is refused', async () => {
    const { state, chunks } = source();
    const first = (async function* () {
      yield Buffer.from('a,a\n');
      yield* chunks;
    })();
    const thrown = await openCsv(first).catch((failure: unknown) => failure);
    expect(thrown).to.have.property('code', 'SOURCE_INVALID');
    // The second generator was never begun, so only the outer one can tell.
    expect((await first.next()).done).to.equal(true);
    expect(state.closed).to.equal(false);
  });
});

describe('csv, whatever it holds', () => {
  // Weighted towards what has a meaning in CSV.
  const garbage = fc
    .array(fc.constantFrom('a', 'b', ',', '"', '\n', '\r', '\r\n', '""', 'é', '😀', '\\', '\0', ' '), {
      maxLength: 60,
    })
    .map((pieces) => Buffer.from(pieces.join('')));
  const spoilt = fc
    .tuple(garbage, fc.array(fc.nat(255), { maxLength: 3 }), fc.nat(60))
    .map(([bytes, raw, at]) => {
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(raw), bytes.subarray(at)]);
    });
  const options = fc.record({
    header: fc.constant(false),
    columns: fc.constantFrom(['x'], ['x', 'y']),
    rowBytesMax: fc.constantFrom(1, 3, 10, 1000),
    quotedLinesMax: fc.constantFrom(1, 2, 3, 1000),
  });

  it('comes out the same, however it is cut', () =>
    fc.assert(
      fc.asyncProperty(
        spoilt.chain((bytes) => fc.tuple(fc.constant(bytes), cuts(bytes.length))),
        options,
        async ([bytes, places], how) => {
          // A source may not begin as UTF-16 does.
          fc.pre(bytes[0] < 0xfe || bytes.length < 2);
          const whole = outcome(await readCsv(cutAt(bytes, []), how));
          expect(outcome(await readCsv(cutAt(bytes, places), how))).to.deep.equal(whole);
        },
      ),
      { numRuns: 1000 },
    ));

  it('is accounted for, byte by byte and line by line', () =>
    fc.assert(
      fc.asyncProperty(spoilt, options, async (bytes, how) => {
        fc.pre(bytes[0] < 0xef || bytes.length < 2);
        const { rows, rejects } = await readCsv(cutEvery(bytes, 7), how);
        const found = [
          ...rows.map(({ line, byteOffset, raw }) => ({ line, byteOffset, raw: Buffer.from(raw, 'latin1') })),
          ...rejects,
        ].sort((a, b) => a.byteOffset - b.byteOffset);
        let end = 0;
        for (const { line, byteOffset, raw } of found) {
          expect(byteOffset).to.be.at.least(end);
          expect(bytes.subarray(byteOffset, byteOffset + raw.length).equals(raw)).to.equal(true);
          expect(line).to.equal(linesBefore(bytes, byteOffset) + 1);
          // Between rows there is nothing but line ends.
          expect(bytes.toString('latin1', end, byteOffset)).to.match(/^[\r\n]*$/);
          end = byteOffset + raw.length;
        }
        expect(bytes.toString('latin1', end)).to.match(/^[\r\n]*$/);
      }),
      { numRuns: 1000 },
    ));

  it('goes on from after any batch as if it had never stopped', () =>
    fc.assert(
      fc.asyncProperty(
        spoilt.chain((bytes) => fc.tuple(fc.constant(bytes), cuts(bytes.length))),
        options,
        async ([bytes, places], how) => {
          fc.pre(bytes[0] < 0xef || bytes.length < 2);
          const whole = await readCsv(cutAt(bytes, places), how);
          for (const { next, rows, rejects } of whole.places) {
            const rest = bytes.subarray(next.byteOffset);
            const resumed = await readCsv(cutEvery(rest, 5), { ...how, position: next });
            expect(resumed.rows).to.deep.equal(whole.rows.slice(rows));
            expect(resumed.rejects).to.deep.equal(whole.rejects.slice(rejects));
          }
        },
      ),
      { numRuns: 1000 },
    ));

  it('gives back the cells of a well-formed source, with their lines and offsets', () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc
        .array(fc.constantFrom(',', '"', '\n', '\r', ';', ' ', 'x', '\0', '\ufeff'), { maxLength: 8 })
        .map((all) => all.join('')),
    );
    const table = fc.integer({ min: 1, max: 5 }).chain((width) =>
      fc.array(fc.array(fc.tuple(cell, fc.boolean()), { minLength: width, maxLength: width }), {
        minLength: 1,
        maxLength: 12,
      }),
    );
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    return fc.assert(
      fc.asyncProperty(
        table,
        lineEnd,
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        async (cells, end, ended, size) => {
          const columns = cells[0].map((_, index) => `c${index}`);
          const lines = cells.map((row) =>
            row.map(([text, quoted]) => written(text, quoted || row.length === 1)).join(','),
          );
          const bytes = Buffer.from(lines.join(end) + (ended ? end : ''));
          // First in the source it would be a byte order mark.
          fc.pre(bytes[0] !== 0xef);
          const { rows, rejects } = await readCsv(cutEvery(bytes, size), { header: false, columns });
          expect(rejects).to.deep.equal([]);
          expect(rows.map((row) => row.cells)).to.deep.equal(cells.map((row) => row.map(([text]) => text)));
          expect(rows.map((row) => row.raw)).to.deep.equal(
            lines.map((line) => Buffer.from(line).toString('latin1')),
          );
          for (const { line, byteOffset } of rows) expect(line).to.equal(linesBefore(bytes, byteOffset) + 1);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('comes in blocks: large sources, large rows and large chunks', async () => {
    const lines = Array.from({ length: 30_000 }, (_, index) => {
      const note = index % 1000 === 0 ? `"${'x,""\n'.repeat(20_000)}"` : `row ${index}`;
      return `${index},${note}`;
    });
    const bytes = Buffer.from(`id,note\n${lines.join('\n')}\n`);
    for (const size of [bytes.length, 1_000_003, 65_536, 4_099]) {
      const csv = await openCsv(cutEvery(bytes, size), { quotedLinesMax: 20_001 });
      let row = 0;
      for await (const batch of csv) {
        for (let index = 0; index < batch.length; index++, row++) {
          if (batch.raw(index).toString() !== lines[row]) expect.fail(`row ${row} differs`);
          if (batch.cell(index, 0) !== String(row)) expect.fail(`row ${row} has another id`);
        }
        expect(batch.rejects).to.deep.equal([]);
      }
      expect(row).to.equal(lines.length);
    }
  });
});

function written(text: string, quoted: boolean): string {
  return quoted || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Line ends before a place, as a text editor counts them. */
function linesBefore(bytes: Buffer, place: number): number {
  return bytes.toString('latin1', 0, place).split(/\r\n|\n|\r/).length - 1;
}
