// lib/etl/typed-*.ts: imports whose keys are of types, and imports into typed buckets.

import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { importCsv, importNdjson, type KeyOption, keys } from 'btree-store';
import { expect } from 'chai';
import { z } from 'zod';
import { cutEvery } from '../helpers/chunks.js';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();
const source = (text: string) => Readable.from([Buffer.from(text)]);

describe('imports with keys of types', () => {
  const CSV = 'id,country,born,ok\n10,DE,2001-05-06,true\n9,FR,1999-01-01,false\n-1.5,DE,1980-02-03,true\n';
  const NDJSON = CSV.split('\n')
    .slice(1, -1)
    .map((line) => {
      const [id, country, born, ok] = line.split(',');
      return `{"id":${id},"country":"${country}","born":"${born}","ok":${ok}}\n`;
    })
    .join('');

  it('sort as their types do, and are those of the typed bucket', async () => {
    for (const [format, text] of [
      ['csv', CSV],
      ['ndjson', NDJSON],
    ] as const) {
      const db = await stores.openMemory();
      const take = async (bucket: string, key: KeyOption): Promise<void> => {
        const run = format === 'csv' ? importCsv : importNdjson;
        expect(await run(db.bucket(bucket), source(text), { key })).to.include({ rows: 3, rejected: 0 });
      };
      await take('a', 'id:number');
      expect(Array.from(db.bucket('a', { key: keys.number }).range().keys())).to.deep.equal([-1.5, 9, 10]);
      await take('b', ['country', 'born:date', 'ok:boolean']);
      const stays = db.bucket('b', { key: keys.tuple(keys.string, keys.date, keys.boolean) });
      expect(Array.from(stays.range({ prefix: ['DE'] }).keys())).to.deep.equal([
        ['DE', new Date('1980-02-03'), true],
        ['DE', new Date('2001-05-06'), true],
      ]);
      await take('c', ['country:string', 'born']);
      await take('d', ['country', 'born']);
      expect(Array.from(db.bucket('c').range().keys(), String)).to.deep.equal(
        Array.from(db.bucket('d').range().keys(), String),
      );
      expect(Array.from(db.bucket('a').range().values(), String)[0]).to.contain('"country":"DE"');
    }
  });

  it('that are not of their type are rejects, each with its reason', async () => {
    const db = await stores.openMemory();
    const csv = 'n,b,d\nx,1,2024-01-01\n1,1.5,2024-01-01\n,1,2024-01-01\n1,1,1/2/2024\n1,1,2024-01-01\n';
    const report = await importCsv(db.bucket('a'), source(csv), { key: ['n:number', 'b:bigint', 'd:date'] });
    expect(report.rows).to.equal(1);
    expect(report.rejects.map(({ line, reason, message }) => [line, reason, message])).to.deep.equal([
      [2, 'NO_KEY', 'n of the key must be a number, not "x"'],
      [3, 'NO_KEY', 'b of the key must be a bigint, not "1.5"'],
      [4, 'NO_KEY', 'n of the key is empty'],
      [5, 'NO_KEY', 'd of the key must be a date, not "1/2/2024"'],
    ]);
    const json = '{"n":true}\n{}\n{"n":null}\n{"n":[1]}\n{"n":12345678901234567890}\n';
    const second = await importNdjson(db.bucket('b'), source(json), { key: 'n:bigint' });
    expect(Array.from(db.bucket('b', { key: keys.bigint }).range().keys())).to.deep.equal([
      12345678901234567890n,
    ]);
    expect(second.rejects.map(({ message }) => message)).to.deep.equal([
      'n of the key must be a bigint, not true',
      'n of the key is missing',
      'n of the key must be a bigint, not null',
      'n of the key must be a bigint, not an array',
    ]);
  });

  it('name columns that have a colon of their own', async () => {
    const db = await stores.openMemory();
    await importCsv(db.bucket('a'), source('t:date,u:date:number\nx,5\n'), {
      key: ['t:date', 'u:date:number'],
    });
    expect(String(db.bucket('a').range().first()?.[0])).to.equal('x\0\x005');
    await importNdjson(db.bucket('b'), source('{"t:date":"x"}\n'), { key: '["t:date"]' });
    expect(String(db.bucket('b').range().first()?.[0])).to.equal('x');
    const missing = importCsv(db.bucket('a'), source('id\n1\n'), { key: 'ident:number' });
    expect((await rejected('INVALID_OPTION', missing)).message).to.contain(
      'no column "ident"; the columns are "id"',
    );
  });
});

describe('imports into typed buckets', () => {
  const order = z.object({
    id: z.coerce.number().int(),
    customer: z.string().min(1),
    total: z.coerce.number(),
  });
  const CSV = 'id,customer,total,extra\n10,ada,1.5,x\n9,grace,2,\n';

  it('store what the schema makes of a row, under keys of the bucket', async () => {
    for (const size of [1, 7, 1000]) {
      const db = await stores.openMemory();
      const orders = db.bucket('orders', { key: keys.number, value: order });
      expect(await importCsv(orders, cutEvery(Buffer.from(CSV), size), { key: 'id' })).to.include({
        rows: 2,
      });
      expect(orders.range().toArray()).to.deep.equal([
        [9, { id: 9, customer: 'grace', total: 2 }],
        [10, { id: 10, customer: 'ada', total: 1.5 }],
      ]);
      expect(String(orders.bytes.range().first()?.[1])).to.equal('{"id":9,"customer":"grace","total":2}');
    }
  });

  it('refuse rows with what JSON cannot hold, also where the schema lets anything through', async () => {
    const db = await stores.openMemory();
    const bucket = db.bucket('orders', { key: keys.number, value: z.looseObject({ id: z.number() }) });
    const lines = ['{"id":1,"a":{"b":[0,1e400]}}', '{"id":2,"a":1e300}'];
    const { rejects } = await importNdjson(bucket, source(lines.join('\n')), { key: 'id' });
    expect(rejects.map(({ line, reason, issues }) => [line, reason, issues?.[0].path])).to.deep.equal([
      [1, 'SCHEMA', 'a.b[1]'],
    ]);
    expect(bucket.range().toArray()).to.deep.equal([[2, { id: 2, a: 1e300 }]]);
  });

  it('refuse rows with the paths of what is wrong, in the report and in the file', async () => {
    const db = await stores.openMemory();
    const path = await stores.path('rejects.ndjson');
    const nested = z.object({ id: z.number(), items: z.array(z.object({ sku: z.string() })) });
    const bucket = db.bucket('orders', { key: keys.number, value: nested });
    const lines = [
      '{"id":1,"items":[{"sku":"a"}]}',
      '{"id":"2","items":[{"sku":"a"},{"sku":7}]}',
      '{"id":3}',
    ];
    const report = await importNdjson(bucket, source(lines.join('\n')), { key: 'id', rejects: path });
    expect(report).to.include({ rows: 1, rejected: 2 });
    const facts = report.rejects.map(({ line, reason, issues }) => [
      line,
      reason,
      issues?.map((issue) => issue.path),
    ]);
    expect(facts).to.deep.equal([
      [2, 'SCHEMA', ['id', 'items[1].sku']],
      [3, 'SCHEMA', ['items']],
    ]);
    expect(report.rejects[0].message).to.contain('items[1].sku: ');
    const written = (await readFile(path, 'utf8')).trimEnd().split('\n');
    const paths = written.map((line) => (JSON.parse(line) as { issues: { path: string }[] }).issues[0].path);
    expect(paths).to.deep.equal(['id', 'items']);
  });

  it('take keys from the row where the schema keeps no such member, and of several parts', async () => {
    const db = await stores.openMemory();
    const types = {
      key: keys.tuple(keys.string, keys.bigint),
      value: z.object({ total: z.coerce.number() }),
    };
    const orders = db.bucket('orders', types);
    const report = await importCsv(orders, source(`${CSV}1x,eve,3,\n`), { key: ['customer', 'id'] });
    expect(orders.range().toArray()).to.deep.equal([
      [['ada', 10n], { total: 1.5 }],
      [['grace', 9n], { total: 2 }],
    ]);
    expect(report.rejects.map(({ reason, message, issues }) => [reason, message, issues])).to.deep.equal([
      ['NO_KEY', 'id of the key must be a bigint, not "1x"', undefined],
    ]);
    const short = importCsv(orders, source(CSV), { key: 'id' });
    expect((await rejected('INVALID_OPTION', short)).message).to.contain('have 2 parts; key names 1');
    const unknown = importCsv(orders, source(CSV), { key: ['customer', 'ident'] });
    expect((await rejected('INVALID_OPTION', unknown)).message).to.contain('no column "ident"');
  });

  it('need to be told what a row becomes', async () => {
    const db = await stores.openMemory();
    const bytes = db.bucket('b', { key: keys.number });
    expect(
      (await rejected('INVALID_OPTION', importCsv(bytes, source(CSV), { key: 'id' }))).message,
    ).to.contain('fromRow');
  });

  it('work with codecs of one’s own', async () => {
    const db = await stores.openMemory();
    const bucket = db.bucket('b', {
      key: {
        encode: (key: string) => Buffer.from(key.toUpperCase()),
        decode: (found: Uint8Array) => Buffer.from(found).toString(),
      },
      value: {
        encode: (value: string) => Buffer.from(value),
        decode: (found: Uint8Array) => Buffer.from(found).toString(),
        fromRow: (row: unknown) => Object.keys(row as object).join(),
      },
    });
    await importCsv(bucket, source(CSV), { key: 'customer' });
    expect(bucket.range().toArray()).to.deep.equal([
      ['ADA', 'id,customer,total,extra'],
      ['GRACE', 'id,customer,total,extra'],
    ]);
  });
});
