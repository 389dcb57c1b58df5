// Rows that an import cannot take: counted, kept, passed on in the order of the source, and when they end it.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type CsvImportOptions, importCsv, importNdjson, type Reject, type RejectReason } from 'btree-store';
import { expect } from 'chai';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';
import { csvOf, orders } from '../helpers/tables.js';

const stores = useStores();

const TOO_LONG = 'k'.repeat(5000);

/** CSV with a reject of each kind, and sound rows between them: line, reason, raw. */
const CSV_REJECTS: ReadonlyArray<[line: number, reason: RejectReason, raw: string | Buffer]> = [
  [3, 'COLUMN_COUNT', '1,2'],
  [5, 'NO_KEY', ',no key,'],
  [6, 'MALFORMED_CSV', '2,a"b,'],
  [7, 'INVALID_UTF8', Buffer.from([0x33, 0x2c, 0xff, 0x2c])],
  [8, 'KEY_TOO_LARGE', `${TOO_LONG},long,`],
  [11, 'ROW_TOO_LARGE', `9,${'x'.repeat(9000)},`],
  [13, 'UNTERMINATED_QUOTE', 'z,"open,'],
];
const CSV = Buffer.concat(
  [
    'id,a,b\n',
    'a,1,\n',
    '1,2\n',
    'b,"two\nlines",\n'.replace('\n', ' '),
    ',no key,\n',
    '2,a"b,\n',
    Buffer.from([0x33, 0x2c, 0xff, 0x2c, 0x0a]),
    `${TOO_LONG},long,\n`,
    '\n',
    'c,3,\n',
    `9,${'x'.repeat(9000)},\n`,
    'd,4,\n',
    'z,"open,\n',
  ].map((part) => Buffer.from(part)),
);
const SOUND_KEYS = ['a', 'b', 'c', 'd'];
const OPTIONS: CsvImportOptions = { key: 'id', rowBytesMax: 8192 };

const source = (): Readable => Readable.from([CSV]);
const bad = (count: number): string => csvOf({ columns: ['id', 'a'], rows: [] }) + 'lonely\n'.repeat(count);
const facts = ({ line, reason, raw }: Reject): [number, RejectReason, string] => [
  line,
  reason,
  raw.toString('latin1'),
];
const expected = CSV_REJECTS.map(([line, reason, raw]): [number, RejectReason, string] => [
  line,
  reason,
  // Of a row that is longer than rows may be only the beginning is kept, which here is all of it.
  Buffer.from(raw).toString('latin1'),
]);

describe('rejects of an import', () => {
  it('are counted and kept, each with its place, reason and bytes, and the rows around them are taken', async () => {
    const db = await stores.open();
    const report = await importCsv(db.bucket('rows'), source(), OPTIONS);
    expect(report).to.include({ rows: SOUND_KEYS.length, rejected: expected.length, blankLines: 1 });
    expect(Array.from(db.bucket('rows').range().keys(), String)).to.deep.equal(SOUND_KEYS);
    const shown = report.rejects.map(facts);
    const first4096 = expected.map(([line, reason, raw]) => [line, reason, raw.slice(0, 4096)]);
    expect(shown).to.deep.equal(first4096);
    for (const { byteOffset, byteLength, raw } of report.rejects) {
      expect(
        CSV.subarray(byteOffset, byteOffset + byteLength)
          .subarray(0, 4096)
          .equals(raw),
      ).to.equal(true);
    }
  });

  it('of NDJSON are those without a key too', async () => {
    const db = await stores.openMemory();
    const lines = ['{"id":1}', '{"id":null}', '{"id":{}}', '[1]', '{"id":', '{"id":"\\ud800"}', '{"id":2}'];
    const text = lines.map((line) => `${line}\n`).join('');
    const report = await importNdjson(db.bucket('rows'), Readable.from([text]), { key: 'id' });
    expect(report.rows).to.equal(2);
    expect(report.rejects.map(({ line, reason }) => [line, reason])).to.deep.equal([
      [2, 'NO_KEY'],
      [3, 'NO_KEY'],
      [4, 'NOT_AN_OBJECT'],
      [5, 'INVALID_JSON'],
      [6, 'NO_KEY'],
    ]);
  });

  it('are in the report up to the first hundred', async () => {
    const db = await stores.openMemory();
    const report = await importCsv(db.bucket('rows'), Readable.from([bad(250)]), { key: 'id' });
    expect(report).to.include({ rows: 0, rejected: 250 });
    expect(report.rejects.map(({ line }) => line)).to.deep.equal(
      Array.from({ length: 100 }, (_, index) => index + 2),
    );
  });

  describe('go to a sink', () => {
    it('that is a function, whose promise is awaited', async () => {
      const db = await stores.openMemory();
      const seen: Reject[] = [];
      let running = 0;
      const rejects = async (reject: Reject): Promise<void> => {
        expect(++running).to.equal(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        seen.push(reject);
        running--;
      };
      await importCsv(db.bucket('rows'), source(), { ...OPTIONS, rejects });
      expect(seen.map(facts)).to.deep.equal(expected);
    });

    it('that is the path of a file, which may be there if it is empty', async () => {
      const db = await stores.openMemory();
      const path = await stores.path('rejects.ndjson');
      for (const [input, count] of [
        [CSV, expected.length],
        [Buffer.from(bad(3)), 3],
        [Buffer.from('id\n1\n'), 0],
      ] as const) {
        await writeFile(path, '');
        await importCsv(db.bucket('rows'), Readable.from([input]), { ...OPTIONS, rejects: path });
        const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
        expect(lines).to.have.length(count);
        for (const line of lines)
          expect(JSON.parse(line)).to.include.keys('line', 'byteOffset', 'reason', 'message');
      }
    });

    it('that is a stream, which stays open, or one of objects', async () => {
      const db = await stores.openMemory();
      const bytes = new PassThrough();
      await importCsv(db.bucket('rows'), Readable.from([bad(2)]), { key: 'id', rejects: bytes });
      expect(bytes.writableEnded).to.equal(false);
      const lines = (await buffer(bytes.end())).toString().split('\n').slice(0, -1);
      expect(lines.map((line) => (JSON.parse(line) as Reject).line)).to.deep.equal([2, 3]);

      const objects: Reject[] = [];
      const rejects = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write: (reject: Reject, _encoding, done) => {
          objects.push(reject);
          setImmediate(done);
        },
      });
      await importCsv(db.bucket('rows'), source(), { ...OPTIONS, rejects });
      expect(objects.map(facts)).to.deep.equal(expected);
    });

    it('that fails, and the import with it', async () => {
      const db = await stores.openMemory();
      const failing = (): Writable =>
        new Writable({
          write: (_chunk, _encoding, done) => setImmediate(() => done(new Error('the pipe is gone'))),
        });
      // With one reject it is the end that finds out, with many it is a later write.
      for (const count of [1, 5000]) {
        const job = importCsv(db.bucket('rows'), Readable.from([bad(count)]), {
          key: 'id',
          rejects: failing(),
        });
        const error = await rejected('IO_ERROR', job);
        expect(error.message).to.contain('the pipe is gone').and.contain('nothing was imported');
      }
      const own = new Error('no more');
      const rejects = (): never => {
        throw own;
      };
      const outcome = await importCsv(db.bucket('rows'), source(), { ...OPTIONS, rejects }).catch(
        (error) => error,
      );
      expect(outcome).to.equal(own);
      expect(db.bucket('rows').range().count()).to.equal(0);
    });

    it('but never over a file that holds something else, nor where none can be', async () => {
      const db = await stores.open();
      const input = await stores.path('rows.csv');
      await writeFile(input, csvOf(orders(3)));
      for (const rejects of [input, db.path, dirname(input), join(dirname(input), 'nowhere', 'rejects')]) {
        const error = await rejected(
          'INVALID_OPTION',
          importCsv(db.bucket('rows'), input, { key: 'id', rejects }),
        );
        expect(error.message).to.contain(rejects);
      }
      expect(await readFile(input, 'utf8')).to.equal(csvOf(orders(3)));
      const bucket = (await stores.reopen(db)).bucket('rows');
      expect(bucket.range().count()).to.equal(0);
    });
  });

  describe('end the import', () => {
    it('at the first, with onReject: stop', async () => {
      const db = await stores.open();
      const seen: Reject[] = [];
      const rejects = (reject: Reject): void => void seen.push(reject);
      const job = importCsv(db.bucket('rows'), source(), { ...OPTIONS, onReject: 'stop', rejects });
      const error = await rejected('ROW_REJECTED', job);
      expect(error.message).to.contain('line 3').and.contain('2 cells').and.contain('nothing was imported');
      expect(error.details).to.include({ line: 3, reason: 'COLUMN_COUNT', rejected: 1, rows: 0 });
      expect(seen.map(({ line }) => line)).to.deep.equal([3]);
      expect(db.bucket('rows').range().count()).to.equal(0);
    });

    it('at one more than rejectsMax, and not before', async () => {
      const db = await stores.openMemory();
      const run = (rejectsMax: number) => importCsv(db.bucket('rows'), source(), { ...OPTIONS, rejectsMax });
      expect(await run(expected.length)).to.include({ rejected: expected.length });
      expect(await run(Number.POSITIVE_INFINITY)).to.include({ rejected: expected.length });
      for (const rejectsMax of [0, 1, 5, expected.length - 1]) {
        const error = await rejected('ROW_REJECTED', run(rejectsMax));
        expect(error.details).to.include({ rejected: rejectsMax + 1, line: expected[rejectsMax][0] });
      }
    });

    it('and what was committed before stays', async () => {
      const db = await stores.open();
      const text = `${csvOf(orders(5000))}short\n`;
      const options = { key: 'id', onReject: 'stop', commitEvery: { entries: 1000 } } as const;
      const error = await rejected(
        'ROW_REJECTED',
        importCsv(db.bucket('rows'), Readable.from([text]), options),
      );
      const rows = db.bucket('rows').range().count();
      expect(rows).to.be.above(0).and.at.most(5000);
      expect(error.details).to.include({ rows, rejected: 1 });
      expect(error.message).to.contain(`${rows} rows were committed before and stay`);
    });
  });

  it('of many long rows are not all kept in memory', async () => {
    const db = await stores.openMemory();
    const folder = dirname(await stores.path());
    await mkdir(folder, { recursive: true });
    const path = join(folder, 'long.ndjson');
    const rows = Readable.from(
      (function* () {
        yield 'id,a\n';
        for (let row = 0; row < 300; row++) yield `${'x'.repeat(100_000)}\n`;
      })(),
    );
    const report = await importCsv(db.bucket('rows'), rows, { key: 'id', rejects: path });
    expect(report.rejected).to.equal(300);
    for (const { raw, byteLength } of report.rejects) {
      expect(byteLength).to.equal(100_000);
      // The memory behind the view counts, not its length.
      expect(raw.length).to.equal(4096);
      expect(raw.buffer.byteLength).to.be.at.most(16_384);
    }
    const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
    expect((JSON.parse(lines[299]) as { raw: string }).raw).to.have.length(100_000);
  });
});
