// lib/etl/import-ndjson.ts: lines of JSON into a bucket, and out again as the same lines.

import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { importNdjson } from 'btree-store';
import { expect } from 'chai';
import { readable } from '../helpers/bytes.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

/** Lines of every make, with keys that ascend. */
const lines = Array.from({ length: 3000 }, (_, index) => {
  const id = String(index).padStart(6, '0');
  const forms = [
    `{"id":"${id}","n":${index}}`,
    `{ "n" : 1.0 , "id" : "${id}" }`,
    `{"id":"${id}","big":12345678901234567890,"10":1,"9":2}`,
    `{"id":"${id}","nested":{"list":[1,{"a":null}],"text":"é \\u00e9 \\n"}}`,
  ];
  return forms[index % forms.length];
});
const ndjson = lines.map((line) => `${line}\n`).join('');

describe('importNdjson', () => {
  it('stores each row as its own bytes, and gives the same lines back', async () => {
    const db = await stores.open();
    const path = await stores.path('rows.ndjson.gz');
    await writeFile(path, gzipSync(ndjson));
    const report = await importNdjson(db.bucket('rows'), path, { key: 'id', sorted: true });
    expect(report).to.include({ rows: 3000, rejected: 0, sorted: true });
    expect(await text(db.bucket('rows').range().toNdjson())).to.equal(ndjson);
  });

  it('leaves out what is around a row: space, blank lines, carriage returns', async () => {
    const db = await stores.openMemory();
    const source = Readable.from(['  {"id":2}  \r\n\r\n\n', '{"id":1}']);
    const report = await importNdjson(db.bucket('rows'), source, { key: 'id' });
    expect(report).to.include({ rows: 2, rejected: 0, blankLines: 2 });
    expect(readable(db.bucket('rows').range())).to.deep.equal([
      ['1', '{"id":1}'],
      ['2', '{"id":2}'],
    ]);
  });

  it('finds keys at paths', async () => {
    const db = await stores.openMemory();
    const source = () => Readable.from(['{"user":{"id":7},"tags":["b","a"],"x.y":true}\n']);
    for (const [key, expected] of [
      ['user.id', '7'],
      ['tags[1]', 'a'],
      ['["x.y"]', 'true'],
      [['user.id', 'tags[0]'], '7\0\0b'],
    ] as const) {
      const bucket = db.bucket(`by ${key}`);
      await importNdjson(bucket, source(), { key });
      expect(Array.from(bucket.range().keys(), String)).to.deep.equal([expected]);
    }
  });

  it('takes rows in no order', async () => {
    const db = await stores.openMemory();
    const backwards = [...lines].reverse().map((line) => `${line}\n`);
    const report = await importNdjson(db.bucket('rows'), Readable.from(backwards), { key: 'id' });
    expect(report).to.include({ rows: 3000, duplicates: 0, sorted: false });
    expect(await text(db.bucket('rows').range().toNdjson())).to.equal(ndjson);
  });
});
