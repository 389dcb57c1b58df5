// lib/etl/import-csv.ts: CSV of every kind into a bucket, and out again as the same rows.

import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Bucket, type CsvImportOptions, type ExportOptions, importCsv } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { readable } from '../helpers/bytes.js';
import { cutEvery } from '../helpers/chunks.js';
import { rejected } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';
import { csvOf, csvRow, jsonOf, keyed, orders, shuffled, type Table, tables } from '../helpers/tables.js';

const stores = useStores();

const UNICODE_DATA = '/usr/share/unicode/UnicodeData.txt';
const UNICODE_COLUMNS =
  'code,name,category,class,bidi,decomposition,decimal,digit,numeric,mirrored,old,comment,upper,lower,title'.split(
    ',',
  );

async function memoryBucket(): Promise<Bucket> {
  return (await stores.openMemory()).bucket('rows');
}

const exported = (bucket: Bucket, options?: ExportOptions): Promise<Buffer> =>
  buffer(bucket.range().toCsv(options));

/** Imports text, and tells the entries. */
async function entriesOf(
  csv: string,
  options: CsvImportOptions,
): Promise<Array<[key: string, value: string]>> {
  const bucket = await memoryBucket();
  await importCsv(bucket, Readable.from([Buffer.from(csv)]), options);
  return readable(bucket.range());
}

/** Bytes that are the same without a difference of megabytes where they are not. */
function expectSame(found: Buffer, expected: Buffer | string): void {
  const wanted = Buffer.from(expected);
  if (found.equals(wanted)) return;
  const at = found.findIndex((byte, index) => byte !== wanted[index]);
  const around = (bytes: Buffer) => bytes.toString('utf8', Math.max(0, at - 40), at + 40);
  expect.fail(
    `differs at byte ${at}: ${JSON.stringify(around(found))}, not ${JSON.stringify(around(wanted))}`,
  );
}

describe('importCsv', () => {
  describe('stores', () => {
    it('each row as JSON of strings, its members in the order of the columns, under its key', async () => {
      const entries = await entriesOf('b,1,a\nx,001,"say ""hi"""\ny,,tab\there\n', { key: 'b' });
      expect(entries).to.deep.equal([
        ['x', '{"b":"x","1":"001","a":"say \\"hi\\""}'],
        ['y', '{"b":"y","1":"","a":"tab\\there"}'],
      ]);
    });

    it('keys of several columns so that they sort as the columns do', async () => {
      const csv = 'country,city\nFR,Paris\nF,Zz\nFR,Lyon\n';
      const entries = await entriesOf(csv, { key: ['country', 'city'] });
      expect(entries.map(([key]) => key)).to.deep.equal(['F\0\0Zz', 'FR\0\0Lyon', 'FR\0\0Paris']);
    });

    it('rows of sources without a header, and with other delimiters', async () => {
      const columns = ['id', 'text'];
      expect(
        await entriesOf('1;"a;b"\n', { key: 'id', header: false, columns, delimiter: ';' }),
      ).to.deep.equal([['1', '{"id":"1","text":"a;b"}']]);
      expect(await entriesOf('id\ttext\n1\ta,b\n', { key: 'id', delimiter: 'auto' })).to.deep.equal([
        ['1', '{"id":"1","text":"a,b"}'],
      ]);
    });

    it('nothing of a source that has a header only', async () => {
      const bucket = await memoryBucket();
      const report = await importCsv(bucket, Readable.from(['id,a\n']), { key: 'id' });
      expect(report).to.include({ rows: 0, rejected: 0, commits: 0, bytesRead: 5 });
      expect(bucket.range().count()).to.equal(0);
    });

    it('the later of two rows with one key, the earlier, or neither', async () => {
      const csv = 'id,a\n1,first\n2,other\n1,second\n';
      const source = () => Readable.from([csv]);
      for (const [onDuplicate, stays] of [
        [undefined, 'second'],
        ['replace', 'second'],
        ['keep', 'first'],
      ] as const) {
        const bucket = await memoryBucket();
        const report = await importCsv(bucket, source(), { key: 'id', onDuplicate });
        expect(report, onDuplicate).to.include({ rows: 3, duplicates: 1, sorted: false });
        expect(bucket.get('1')?.toString(), onDuplicate).to.equal(`{"id":"1","a":"${stays}"}`);
      }
      const bucket = await memoryBucket();
      const error = await rejected(
        'DUPLICATE_KEY',
        importCsv(bucket, source(), { key: 'id', onDuplicate: 'error' }),
      );
      expect(error.message).to.contain('"1"').and.contain('nothing was imported');
      expect(bucket.range().count()).to.equal(0);
    });
  });

  describe('goes there and back', () => {
    const sorted = orders(5000);
    const csv = csvOf(sorted);

    it('from a path, plain and gzip, through the tree that is built from the bottom up', async () => {
      for (const [name, bytes] of [
        ['orders.csv', Buffer.from(csv)],
        ['orders.csv.gz', gzipSync(csv)],
      ] as const) {
        const db = await stores.open();
        const path = await stores.path(name);
        await writeFile(path, bytes);
        const report = await importCsv(db.bucket('rows'), path, { key: 'id', sorted: true });
        expect(report).to.include({
          rows: 5000,
          rejected: 0,
          sorted: true,
          bytesRead: bytes.length,
          commits: 1,
        });
        expectSame(await exported(db.bucket('rows')), csv);
      }
    });

    it('from streams in chunks of any size, gzip too', async () => {
      const few = csvOf(orders(200));
      for (const bytes of [Buffer.from(few), gzipSync(few)]) {
        for (const size of [1, 7, 1000, bytes.length]) {
          const bucket = await memoryBucket();
          await importCsv(bucket, cutEvery(bytes, size), { key: 'id' });
          expectSame(await exported(bucket), few);
        }
      }
    });

    it('from rows in no order, in the order of their keys', async () => {
      for (const options of [{}, { sorted: false }, { commitEvery: { entries: 700 } }, { atomic: true }]) {
        const bucket = await memoryBucket();
        const source = Readable.from([csvOf(shuffled(sorted))]);
        const report = await importCsv(bucket, source, { key: 'id', ...options });
        expect(report).to.include({ rows: 5000, duplicates: 0 });
        expectSame(await exported(bucket), csv);
      }
    });

    it('in parts, one behind the other and one over the other', async () => {
      const db = await stores.open();
      const bucket = db.bucket('rows');
      for (const [from, count] of [
        [0, 2000],
        [2000, 2000],
        [1000, 4000],
      ]) {
        const part = orders(count, from);
        await importCsv(bucket, Readable.from([csvOf(part)]), { key: 'id', commitEvery: { bytes: 50_000 } });
      }
      expectSame(await exported((await stores.reopen(db)).bucket('rows')), csv);
    });

    it('with semicolons, without a header', async () => {
      const bucket = await memoryBucket();
      const { columns, rows } = sorted;
      const text = rows.map((cells) => csvRow(cells, ';')).join('');
      const options = { key: 'id', header: false, columns, delimiter: ';' };
      await importCsv(bucket, Readable.from([text]), options);
      expectSame(await exported(bucket, { header: false, delimiter: ';' }), text);
    });

    it('with rows longer than a chunk', async () => {
      const bucket = await memoryBucket();
      const rows = Array.from({ length: 5 }, (_, index) => [String(index), 'long "text", '.repeat(60_000)]);
      const text = csvOf({ columns: ['id', 'text'], rows });
      await importCsv(bucket, cutEvery(Buffer.from(text), 10_000), { key: 'id' });
      expectSame(await exported(bucket), text);
    });

    it('with anything in the cells', async () => {
      const roundTrip = async (table: Table): Promise<void> => {
        const bucket = await memoryBucket();
        const key = table.columns[0];
        const { rejected: count } = await importCsv(bucket, Readable.from([Buffer.from(csvOf(table))]), {
          key,
        });
        expect(count).to.equal(0);
        const stays = keyed(table);
        expect(Array.from(bucket.range().values(), String)).to.deep.equal(
          stays.rows.map((cells) => jsonOf(table.columns, cells)),
        );
        // What comes out goes in again as the same, which says more than its bytes: only quotes may differ.
        const again = await memoryBucket();
        await importCsv(again, bucket.range().toCsv(), { key });
        expect(readable(again.range())).to.deep.equal(readable(bucket.range()));
        await stores.clearUp();
      };
      await fc.assert(fc.asyncProperty(tables(), roundTrip), seeded(40));
    });
  });

  describe('takes real input', () => {
    it('UnicodeData.txt: semicolons, no header, keys in no order of bytes', async function () {
      if (!existsSync(UNICODE_DATA)) {
        console.log(`      skipped: there is no ${UNICODE_DATA} (the package unicode-data has it)`);
        this.skip();
      }
      const bucket = await memoryBucket();
      const options = { key: 'code', header: false, columns: UNICODE_COLUMNS, delimiter: ';' };
      const report = await importCsv(bucket, UNICODE_DATA, options);
      const lines = readFileSync(UNICODE_DATA, 'utf8').trimEnd().split('\n');
      expect(report).to.include({ rows: lines.length, rejected: 0, duplicates: 0, sorted: false });
      const code = (line: string) => line.slice(0, line.indexOf(';'));
      const expected = lines.sort((a, b) => (code(a) < code(b) ? -1 : 1)).map((line) => `${line}\n`);
      expectSame(await exported(bucket, { header: false, delimiter: ';' }), expected.join(''));
    });

    it('a list of the files that are installed here', async () => {
      const modules = dirname(dirname(createRequire(import.meta.url).resolve('mocha/package.json')));
      const rows = readdirSync(modules, { recursive: true, encoding: 'utf8' })
        .filter((path) => lstatSync(join(modules, path)).isFile())
        .map((path) => [path, String(statSync(join(modules, path)).size)]);
      const table = { columns: ['path', 'bytes'], rows };
      const db = await stores.open();
      const report = await importCsv(db.bucket('files'), Readable.from([csvOf(table)]), { key: 'path' });
      expect(report).to.include({ rows: rows.length, rejected: 0, duplicates: 0 });
      expectSame(await exported(db.bucket('files')), csvOf(keyed(table)));
    });

    it('csv-spectrum', async () => {
      const spectrum = dirname(createRequire(import.meta.url).resolve('csv-spectrum/package.json'));
      const names = readdirSync(join(spectrum, 'csvs')).map((file) => basename(file, '.csv'));
      expect(names).to.have.length.above(8);
      // The JSON of this one is of other data than its CSV, which is malformed.
      for (const name of names.filter((each) => each !== 'location_coordinates')) {
        const rows = JSON.parse(readFileSync(join(spectrum, 'json', `${name}.json`), 'utf8')) as object[];
        const columns = Object.keys(rows[0]);
        const bucket = await memoryBucket();
        const path = join(spectrum, 'csvs', `${name}.csv`);
        const report = await importCsv(bucket, path, { key: columns });
        const found = Array.from(bucket.range().values(), (value) => JSON.parse(String(value)) as object);
        const whole = rows.filter((row) => !Object.values(row).includes(''));
        expect(found, name).to.have.deep.members(whole);
        expect(report, name).to.include({ rows: whole.length, rejected: rows.length - whole.length });
      }
    });
  });
});
