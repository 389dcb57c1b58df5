// Texts that are no keys of their type, on every way of an import and a sort: none becomes the key of another row.

import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import {
  type ImportReport,
  importCsv,
  importNdjson,
  type KeyOption,
  keys,
  sortCsv,
  sortNdjson,
} from 'btree-store';
import { expect } from 'chai';
import { z } from 'zod';
import { raised, rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();
const bytes = (...lines: string[]) => Readable.from([Buffer.from(`${lines.join('\n')}\n`)]);
const messages = ({ rejects }: ImportReport) => rejects.map(({ line, message }) => [line, message]);

describe('texts that are no keys', () => {
  const WRONG: ReadonlyArray<[type: 'number' | 'date' | 'boolean', texts: string[], right: string]> = [
    ['number', ['', '0x10', ' 7 ', '0b11', '1_000'], '7'],
    ['date', ['', 'March 1, 2024', '2024/03/01', '5'], '2024-03-01T00:00Z'],
    ['boolean', ['', 'no', '0'], 'true'],
  ];
  for (const [type, texts, right] of WRONG)
    it(`are made none by a schema that coerces them: ${type}`, async () => {
      const db = await stores.openMemory();
      const value = z.object({ id: z.coerce[type](), n: z.string() });
      const format = type === 'date' ? 'msgpack' : 'json';
      const bucket = db.bucket('typed', { key: keys[type], value, format } as never);
      const rows = [...texts, right].map((text, n) => `"${text}",${n}`);
      const { rejects, rows: taken } = await importCsv(bucket, bytes('id,n', ...rows), { key: 'id' });
      expect(rejects.map(({ line }) => line)).to.deep.equal(texts.map((_, index) => index + 2));
      expect(taken).to.equal(1);
    });

  it('are keys by rules of a schema’s own', async () => {
    const db = await stores.openMemory();
    const id = z.codec(z.string(), z.number(), {
      decode: (text) => Number(text.slice(2)),
      encode: (number) => `A-${number}`,
    });
    const bucket = db.bucket('typed', { key: keys.number, value: z.object({ id }) });
    expect(await importCsv(bucket, bytes('id', 'A-12', 'A-7'), { key: 'id' })).to.include({ rows: 2 });
    expect([...bucket.range().keys()]).to.deep.equal([7, 12]);
  });
});

describe('dates of rows', () => {
  const cells = ['2024-02-30', '2024-03-01', '2024-07-01T12:00:00', '2024-07-01T25:00:00'];
  const taken = ['2024-03-01T00:00:00.000Z', '2024-07-01T12:00:00.000Z'];
  const refused = [
    [2, 'day of the key must be a date, not "2024-02-30": there is no such day or time'],
    [5, 'day of the key must be a date, not "2024-07-01T25:00:00": there is no such day or time'],
  ];
  const lines = cells.map((day) => JSON.stringify({ day }));
  const days = { key: keys.date, value: z.object({ day: z.string() }) };

  it('are rejects where there is no such day, and overwrite none', async () => {
    const db = await stores.openMemory();
    const csv = await importCsv(db.bucket('csv'), bytes('day', ...cells), { key: 'day:date' });
    const json = await importNdjson(db.bucket('json'), bytes('', ...lines), { key: 'day:date' });
    const typed = await importCsv(db.bucket('typed', days), bytes('day', ...cells), { key: 'day' });
    for (const report of [csv, json, typed]) expect(messages(report)).to.deep.equal(refused);
    for (const name of ['csv', 'json', 'typed'])
      expect(Array.from(db.bucket(name, days).range().keys(), (day) => day.toISOString())).to.deep.equal(
        taken,
      );
  });

  it('are rejects also where a schema makes another day of them', async () => {
    const db = await stores.openMemory();
    const lenient = { key: keys.date, value: z.object({ day: z.coerce.date() }), format: 'msgpack' } as const;
    const report = await importCsv(db.bucket('b', lenient), bytes('day', ...cells.slice(0, 2)), {
      key: 'day',
    });
    expect(messages(report)).to.deep.equal(refused.slice(0, 1));
  });

  it('end a sort', async () => {
    const csv = sortCsv(bytes('day', ...cells), { key: 'day:date' });
    expect((await rejected('ROW_REJECTED', text(csv))).message)
      .to.contain('line 2')
      .and.contain('no such day');
    const json = sortNdjson(bytes(...lines), { key: 'day:date' });
    expect((await rejected('ROW_REJECTED', text(json))).message).to.contain('no such day');
  });
});

describe('numbers of rows', () => {
  const cells = ['1234567890123456788', '1234567890123456789', '1e400', '0.1', '9007199254740992', '1e300'];
  const taken = [0.1, 9007199254740992, 1e300];
  const lines = cells.map((id) => `{"id":${id}}`);
  const refused = [
    [2, /"1234567890123456788": a number does not hold all of its digits.*id:bigint/],
    [3, /"1234567890123456789": a number does not hold all of its digits.*id:bigint/],
    [4, /"1e400": it is past the largest number.*id:bigint/],
  ] as const;

  const expectRefused = (report: ImportReport): void => {
    expect(report).to.include({ rows: 3, rejected: 3, duplicates: 0 });
    for (const [at, [line, message]] of refused.entries()) {
      expect(report.rejects[at]).to.include({ line, reason: 'NO_KEY' });
      expect(report.rejects[at].message).to.match(message);
    }
  };

  it('are rejects where they would be rounded, of CSV and of NDJSON', async () => {
    const db = await stores.openMemory();
    expectRefused(await importCsv(db.bucket('csv'), bytes('id', ...cells), { key: 'id:number' }));
    expectRefused(await importNdjson(db.bucket('json'), bytes('', ...lines), { key: 'id:number' }));
    expectRefused(
      await importNdjson(db.bucket('tuples'), bytes('', ...lines), { key: ['id:number', 'id:string'] }),
    );
    for (const name of ['csv', 'json'])
      expect(Array.from(db.bucket(name, { key: keys.number }).range().keys())).to.deep.equal(taken);
  });

  it('are rejects in typed buckets too, where the schema has made a number of them', async () => {
    const db = await stores.openMemory();
    const types = { key: keys.number, value: z.object({ id: z.coerce.number() }) };
    // Infinity is no number for a schema of numbers.
    const [csv, json] = [bytes('id', ...cells.toSpliced(2, 1)), bytes('', ...lines.toSpliced(2, 1))];
    const reports = [
      await importCsv(db.bucket('csv', types), csv, { key: 'id' }),
      await importNdjson(db.bucket('json', types), json, { key: 'id' }),
    ];
    for (const [at, name] of ['csv', 'json'].entries()) {
      expect(reports[at]).to.include({ rows: 3, rejected: 2 });
      expect(reports[at].rejects[1].message).to.match(refused[1][1]);
      expect(Array.from(db.bucket(name, types).range().keys())).to.deep.equal(taken);
    }
  });

  it('are rejects where a schema makes a large number of a text by rules of its own', async () => {
    const db = await stores.openMemory();
    const grouped = z.codec(z.string(), z.number(), {
      decode: (text) => Number(text.replaceAll('.', '')),
      encode: String,
    });
    const types = { key: keys.number, value: z.object({ id: grouped }), format: 'msgpack' } as const;
    const rows = bytes('id', '1.234', '1.234.567.890.123.456.789');
    const report = await importCsv(db.bucket('b', types), rows, { key: 'id' });
    expect(report.rejects.map(({ line }) => line)).to.deep.equal([3]);
    expect(report.rejects[0].message).to.contain('all of its digits');
    expect(Array.from(db.bucket('b', types).range().keys())).to.deep.equal([1234]);
  });

  it('are keys with all their digits in typed buckets of bigints and strings, or rejects', async () => {
    const db = await stores.openMemory();
    const rows = () => bytes(...lines.slice(0, 2));
    const plain = { key: keys.bigint, value: z.object({ id: z.number() }) };
    await importNdjson(db.bucket('plain', plain), rows(), { key: 'id' });
    const found = Array.from(db.bucket('plain', plain).range().keys());
    expect(found).to.deep.equal([1234567890123456788n, 1234567890123456789n]);
    const coerced = { key: keys.string, value: z.object({ id: z.coerce.string() }) };
    const report = await importNdjson(db.bucket('coerced', coerced), rows(), { key: 'id' });
    expect(messages(report)[0]).to.deep.equal([
      1,
      'id of the key is 1234567890123456788, of which the schema makes 1234567890123456800, as numbers of JSON are rounded: write it as a text',
    ]);
    expect(report).to.include({ rows: 0, rejected: 2 });
  });

  it('end a sort where they would be rounded', async () => {
    for (const sorted of [
      sortCsv(bytes('id', ...cells), { key: 'id:number' }),
      sortNdjson(bytes('', ...lines), { key: 'id:number' }),
    ]) {
      const { message } = await rejected('ROW_REJECTED', text(sorted));
      expect(message).to.contain('line 2').and.match(refused[0][1]);
    }
    const sorted = sortNdjson(bytes(...lines.slice(0, 2).toReversed()), { key: 'id:bigint' });
    expect(await text(sorted)).to.equal(`${lines[0]}\n${lines[1]}\n`);
  });
});

describe('types of keys that there are not', () => {
  const types = 'there is no type "int": behind "id" may stand :string, number, bigint, date or boolean';

  it('are told where the column before the colon exists', async () => {
    const db = await stores.openMemory();
    const rows = () => bytes('id,n', '1,2');
    const failing: Array<[key: string, ...says: string[]]> = [
      ['id:int', 'no column "id:int"', types],
      ['ident:int', 'no column "ident:int"; the columns are "id", "n"'],
      ['id:a b', 'no column "id:a b"'],
    ];
    for (const [key, ...says] of failing) {
      const { message } = await rejected(
        'INVALID_OPTION',
        importCsv(db.bucket('b'), rows(), { key: ['n', key] }),
      );
      for (const part of says) expect(message).to.contain(part);
      expect(message.includes('there is no type')).to.equal(says.includes(types));
    }
    const sorted = sortCsv(rows(), { key: 'id:int' });
    expect((await rejected('INVALID_OPTION', text(sorted))).message).to.contain(types);
  });

  it('are told in the rejects of NDJSON', async () => {
    const db = await stores.openMemory();
    for (const key of ['id:int', ['n:number', 'id:int']]) {
      const report = await importNdjson(db.bucket('b'), bytes('{"id":1,"n":1}', '{"n":1}'), { key });
      expect(messages(report)).to.deep.equal([
        [1, `id:int of the key is missing; ${types}`],
        [2, 'id:int of the key is missing'],
      ]);
    }
    const odd = await importNdjson(db.bucket('b'), bytes('{"a":1}'), { key: 'a.:int' });
    expect(messages(odd)).to.deep.equal([[1, 'a.:int of the key is missing']]);
  });

  it('and types that are the bucket’s own', async () => {
    const db = await stores.openMemory();
    const types = { key: keys.number, value: z.object({ id: z.coerce.number() }) };
    const run = importCsv(db.bucket('b', types), bytes('id', '1'), { key: 'id:number' });
    expect((await rejected('INVALID_OPTION', run)).message).to.contain(
      'the keys have the types of the bucket: name "id" alone',
    );
  });
});

describe('errors that name keys of types', () => {
  const rows = ['PT,5,2024-03-01', 'DE,5,2024-03-01', 'PT,5,2024-03-01'];
  const csv = () => bytes('country,n,day', ...rows);
  const both = 'comes after';
  const cases: Array<[key: KeyOption, duplicate: string, order: string]> = [
    ['n:number', 'the key 5 comes twice', ''],
    ['n:bigint', 'the key 5 comes twice', ''],
    ['day:date', 'the key 2024-03-01 comes twice', ''],
    [['country:string', 'n:number'], 'the key ["PT",5] comes twice', `["DE",5] ${both} ["PT",5]`],
    [
      ['n:number', 'country', 'day:date'],
      '[5,"PT",2024-03-01]',
      `[5,"DE",2024-03-01] ${both} [5,"PT",2024-03-01]`,
    ],
  ];

  it('show them as the type has them, for each way that finds them', async () => {
    for (const [key, duplicate, order] of cases) {
      for (const options of [{}, { atomic: true }, { sorted: false }, { sorted: false, checkpoint: 'c' }]) {
        const db = await stores.openMemory();
        const run = importCsv(db.bucket('b'), csv(), { key, onDuplicate: 'error', ...options });
        const { message, details } = await rejected('DUPLICATE_KEY', run);
        expect(message, JSON.stringify({ key, options })).to.contain(duplicate);
        expect(message).to.contain('nothing was imported').and.not.contain('\ufffd');
        expect(Buffer.isBuffer(details.key)).to.equal(true);
      }
      if (order === '') continue;
      const db = await stores.openMemory();
      const run = importCsv(db.bucket('b'), csv(), { key, sorted: true });
      const error = await rejected('KEY_OUT_OF_ORDER', run);
      expect(error.message).to.contain(`the key ${order} but sorts before it`);
      expect(error.details).to.include.keys('key', 'previous', 'rows');
    }
  });

  it('do so in imports into typed buckets, and in loads of them', async () => {
    const db = await stores.openMemory();
    const value = z.object({ n: z.coerce.number() });
    const numbers = db.bucket('numbers', { key: keys.number, value });
    const imported = importCsv(numbers, csv(), { key: 'n', onDuplicate: 'error' });
    expect((await rejected('DUPLICATE_KEY', imported)).message).to.contain('the key 5 comes twice');

    const writer = numbers.bulkWriter({ sorted: true });
    for (const key of [7, -1.5]) writer.add(key, { n: 1 });
    const failure = await rejected('KEY_OUT_OF_ORDER', writer.finish());
    expect(failure.message).to.contain('the key -1.5 comes after 7');
    expect(await rejected('KEY_OUT_OF_ORDER', writer.drained())).to.equal(failure);
    expect(raised('KEY_OUT_OF_ORDER', () => writer.add(8, { n: 1 }))).to.equal(failure);

    const entries = Readable.from([1, 2, 1].map((key) => [key, { n: 1 }]));
    const piped = pipeline(entries, numbers.bulkWriter({ onDuplicate: 'error' }));
    expect((await rejected('DUPLICATE_KEY', piped)).message).to.contain('the key 1 comes twice');
  });

  it('show bytes where those are no key of the type', async () => {
    const db = await stores.openMemory();
    const key = {
      encode: (text: string) => Buffer.from(text),
      decode: (): string => {
        throw new Error('these bytes are no key');
      },
    };
    const bucket = db.bucket('b', { key });
    const writer = bucket.bulkWriter({ sorted: true });
    for (const text of ['b', 'a']) writer.add(text, Buffer.from(''));
    expect((await rejected('KEY_OUT_OF_ORDER', writer.finish())).message).to.contain(
      'the key "a" comes after "b"',
    );
  });
});
