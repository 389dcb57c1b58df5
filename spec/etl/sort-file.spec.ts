// lib/etl/sort-file.ts and what it is made of: rows come out as they stood, in the order of their keys, and nothing is
// left behind.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { type CsvSortOptions, importCsv, type SortOptions, sortCsv, sortNdjson } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';
import { cutAt, cutEvery } from '../helpers/chunks.js';
import { raised, rejected } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import { seeded } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';
import { csvOf, csvRow, orders, shuffled } from '../helpers/tables.js';

const stores = useStores();

const sortedCsv = (csv: string | Buffer, options: CsvSortOptions): Promise<string> =>
  text(sortCsv(Readable.from([Buffer.from(csv)]), options));
const sortedNdjson = (lines: string, options: SortOptions): Promise<string> =>
  text(sortNdjson(Readable.from([Buffer.from(lines)]), options));

describe('sortCsv and sortNdjson', () => {
  it('put rows in the order of their keys, as they stand, the header first', async () => {
    const csv = 'id, "x" \r\n'.replace(' "x" ', '"n ""x"""');
    const rows = ['10,"a\nb"', '9,"plain"', '010,', '1,"q"""'];
    const found = await sortedCsv(`${csv}${rows.join('\r\n')}`, { key: 'id' });
    expect(found).to.equal(`${csv}${[rows[2], rows[3], rows[0], rows[1]].join('\r\n')}\r\n`);
    const byNumber = await sortedCsv(`${csv}${rows.join('\r\n')}\r\n\r\n`, { key: 'id:number' });
    expect(byNumber).to.equal(`${csv}${[rows[3], rows[1], rows[0], rows[2]].join('\r\n')}\r\n`);
  });

  it('take semicolons, rows without a header, a byte order mark, gzip and nothing at all', async () => {
    const options = { key: 'b', header: false, columns: ['a', 'b'], delimiter: ';' };
    expect(await sortedCsv('1;z\n2;y', options)).to.equal('2;y\n1;z\n');
    expect(await sortedCsv('\ufeffid\n2\n1\n', { key: 'id' })).to.equal('id\n1\n2\n');
    expect(await sortedCsv(gzipSync('id\r2\r1'), { key: 'id' })).to.equal('id\r1\r2\r');
    expect(await sortedCsv('id', { key: 'id' })).to.equal('id\n');
    expect(await sortedCsv('', options)).to.equal('');
    expect(await sortedNdjson('', { key: 'id' })).to.equal('');
  });

  it('keep the lines of NDJSON, sorted by paths and types', async () => {
    const lines = [' {"a":{"n":10}, "d":"2024-02-01"}', '{"a":{"n":9},"d":"2023-01-01"}', '{"a":{"n":-1.5}}'];
    expect(await sortedNdjson(`${lines.join('\n')}\n\n`, { key: 'a.n:number' })).to.equal(
      `${[lines[2], lines[1], lines[0]].join('\n')}\n`,
    );
    expect(await sortedNdjson(lines.slice(0, 2).join('\r\n'), { key: ['d:date', 'a.n'] })).to.equal(
      `${lines[1]}\r\n${lines[0]}\r\n`,
    );
  });

  it('keep rows with one key in their order, or the first or last of them', async () => {
    // Of keys with zero bytes, and those that begin so, the order shows whether the row's number stays behind them.
    const names = ['a', 'a\0', 'a\0\0', 'a\0\xff', 'ab', '\0', 'b'];
    const rows = Array.from({ length: 70 }, (_, index) => [names[(index * 3) % 7], String(69 - index)]);
    const columns = ['key', 'n'];
    const byKey = (a: string[], b: string[]) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0]));
    const expected = [...rows].sort(byKey);
    expect(await sortedCsv(csvOf({ columns, rows }), { key: 'key' })).to.equal(
      csvOf({ columns, rows: expected }),
    );
    for (const unique of ['first', 'last'] as const) {
      const kept = expected.filter((row, at) =>
        unique === 'first' ? expected[at - 1]?.[0] !== row[0] : expected[at + 1]?.[0] !== row[0],
      );
      const sorted = sortCsv(Readable.from([Buffer.from(csvOf({ columns, rows }))]), { key: 'key', unique });
      expect(await text(sorted)).to.equal(csvOf({ columns, rows: kept }));
      expect(sorted.progress).to.include({ rows: 70, rowsOut: 7, duplicates: 63 });
    }
  });

  it('give the order that a bucket has, of keys of any types, however the source is cut', async () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.string({ maxLength: 4 }),
    );
    const row = fc.tuple(
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      cell,
      fc.nat(5).map(String),
    );
    const property = fc.asyncProperty(
      fc.array(row, { maxLength: 40 }),
      fc.constantFrom(['n:number'], ['n:number', 'same'], ['same', 'n:number']),
      fc.infiniteStream(fc.nat(4000)),
      async (cells, key, places) => {
        const table = { columns: ['n', 'any', 'same'], rows: cells };
        const bytes = Buffer.from(csvOf(table));
        const cut = [...places.take(5)].map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
        const db = await stores.openMemory();
        await importCsv(db.bucket('rows'), Readable.from([bytes]), { key });
        const unique = await text(sortCsv(cutAt(bytes, cut), { key, unique: 'last' }));
        expect(unique).to.equal(
          cells.length === 0 ? csvOf(table) : await text(db.bucket('rows').range().toCsv()),
        );
        const all = await text(sortCsv(cutAt(bytes, cut), { key }));
        expect(all.length).to.equal(bytes.length);
        await stores.close(db);
      },
    );
    await fc.assert(property, seeded(60));
  }).timeout(60_000);

  it('sort more than their memory in files that have no name, in several passes', async () => {
    const folder = mkdtempSync(join(os.tmpdir(), 'btree-store-'));
    try {
      const random = new Random(7);
      const table = shuffled(orders(60_000));
      const rows = table.rows.map((cells) => [...cells, String(random.below(50))]);
      const columns = [...table.columns, 'group'];
      const options = {
        key: 'group:number',
        sortBytes: 256 * 1024,
        temporaryPath: join(folder, 'out.csv'),
      };
      const sorted = sortCsv(cutEvery(Buffer.from(csvOf({ columns, rows })), 100_000), options);
      const found = await buffer(sorted);
      const expected = [...rows].sort((a, b) => Number(a[4]) - Number(b[4]));
      expect(found.equals(Buffer.from(csvOf({ columns, rows: expected })))).to.equal(true);
      expect(readdirSync(folder)).to.deep.equal([]);
      const missing = { ...options, temporaryPath: join(folder, 'no', 'such') };
      await rejected(
        'IO_ERROR',
        text(sortCsv(cutEvery(Buffer.from(csvOf({ columns, rows })), 1e6), missing)),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  }).timeout(60_000);

  it('hand out no faster than they are read, and end when they are destroyed or stopped', async () => {
    const csv = Buffer.from(csvOf(shuffled(orders(40_000))));
    const slow = sortCsv(cutEvery(csv, 65_536), { key: 'id' });
    for await (const _ of slow) {
      await sleep(5);
      expect(slow.readableLength).to.be.below(1 << 20);
      if (slow.progress.rowsOut > 20_000) break;
    }
    expect(slow.destroyed).to.equal(true);
    expect(slow.progress.rowsOut).to.be.below(40_000);

    let closed = false;
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        yield Buffer.from('id\n');
        for (let id = 0; ; id++) yield Buffer.from(`${id}\n`);
      } finally {
        closed = true;
      }
    }
    const stop = new AbortController();
    const reading = sortCsv(endless(), { key: 'id', signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    await rejected('ABORTED', text(reading));
    expect(closed).to.equal(true);
    const early = sortCsv(endless(), { key: 'id', signal: AbortSignal.abort() });
    await rejected('ABORTED', text(early));
  }).timeout(60_000);

  it('refuse a row that is malformed or has no key: none is left out', async () => {
    const csv = `id,n\n${csvRow(['1', 'x'])}2\n3,y\n`;
    const refused = await rejected('ROW_REJECTED', sortedCsv(csv, { key: 'id' }));
    expect(refused.details).to.deep.equal({ line: 3, byteOffset: 9, reason: 'COLUMN_COUNT' });
    const noKey = await rejected('ROW_REJECTED', sortedCsv('id,n\n,x\n2\n', { key: 'id' }));
    expect(noKey.details).to.include({ line: 2, reason: 'NO_KEY' });
    const noNumber = await rejected('ROW_REJECTED', sortedNdjson('{"a":"x"}\n', { key: 'a:number' }));
    expect(noNumber.message).to.contain('a of the key must be a number');
    const long = await rejected('ROW_REJECTED', sortedCsv(`id\n${'k'.repeat(17_000)}\n`, { key: 'id' }));
    expect(long.details).to.include({ line: 2, reason: 'KEY_TOO_LARGE' });
    expect(await sortedCsv(`id\n${'k'.repeat(16_000)}\n1\n`, { key: 'id' })).to.match(/^id\n1\nk+\n$/);
  });

  it('refuse options and sources that are none', async () => {
    raised('INVALID_OPTION', () => sortCsv('a.csv', { key: [] }));
    raised('INVALID_OPTION', () => sortCsv('a.csv', { key: 'id', unique: true as unknown as 'first' }));
    raised('INVALID_OPTION', () => sortNdjson('a.ndjson', { key: 'a..b' }));
    const missing = await rejected('INVALID_OPTION', sortedCsv('id\n1\n', { key: 'nosuch' }));
    expect(missing.message).to.contain('there is no column "nosuch"');
    await rejected('SOURCE_INVALID', text(sortCsv('/nowhere/at/all.csv', { key: 'id' })));
    await rejected('SOURCE_INVALID', sortedCsv('', { key: 'id' }));
  });
});
