// Imports as a whole: however the source is cut into chunks, the same entries, the same rejects, the same counts.

import { gzipSync } from 'node:zlib';
import {
  type CsvImportOptions,
  type Database,
  importCsv,
  importNdjson,
  keys,
  type Reject,
} from 'btree-store';
import { expect } from 'chai';
import { z } from 'zod';
import { readable } from '../helpers/bytes.js';
import { cutAt, cutEvery } from '../helpers/chunks.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

const CSV = Buffer.concat([
  Buffer.from('\ufeffid,text\r\n2,"a,\n""b"""\r\n\r\n1,é😀\r3,"open\n4,d\n5\n6,x"y\n"7","'),
  Buffer.from([0xff]),
  Buffer.from('"\n8,"l1\nl2\nl3\nl4"\n9,end'),
]);
const NDJSON = Buffer.concat([
  Buffer.from('{"id":2,"text":"é😀"}\r\n\r\n  {"id":"1"}  \n{"id":\n[1]\n{"id":null}\n{"text":1}\n{"id":"'),
  Buffer.from([0xc3]),
  Buffer.from('"}\n{"id":3,"text":"\\ud83d"}'),
]);

interface Outcome {
  readonly entries: unknown;
  readonly rejects: unknown;
  readonly counts: unknown;
}

describe('an import', function () {
  this.timeout(120_000);

  const row = z.object({ id: z.coerce.string().max(3), text: z.string().optional() });
  type Run = (
    db: Database,
    chunks: AsyncIterable<Uint8Array>,
    rejects: (reject: Reject) => void,
  ) => Promise<unknown>;

  async function outcomeOf(run: Run, chunks: AsyncIterable<Uint8Array>): Promise<Outcome> {
    const db = await stores.openMemory();
    const rejects: unknown[] = [];
    const report = (await run(db, chunks, ({ raw, ...reject }) =>
      rejects.push({ ...reject, raw: raw.toString('latin1') }),
    )) as Awaited<ReturnType<typeof importCsv>>;
    const { rows, rejected, duplicates, blankLines, sorted } = report;
    const entries = readable(db.bucket('rows').range());
    await stores.close(db);
    return { entries, rejects, counts: { rows, rejected, duplicates, blankLines, sorted } };
  }

  const csv =
    (options: CsvImportOptions): Run =>
    (db, chunks, rejects) =>
      importCsv(db.bucket('rows'), chunks, { ...options, rejects });
  const cases: Array<[what: string, bytes: Buffer, run: Run, rows: number, rejected: number]> = [
    ['CSV', CSV, csv({ key: 'id', quotedLinesMax: 3 }), 4, 8],
    [
      'CSV with a delimiter to be found, in gzip',
      gzipSync(CSV),
      csv({ key: 'id', delimiter: 'auto', quotedLinesMax: 3 }),
      4,
      8,
    ],
    ['CSV with keys of a type', CSV, csv({ key: 'id:number' }), 5, 4],
    [
      'NDJSON',
      NDJSON,
      (db, chunks, rejects) => importNdjson(db.bucket('rows'), chunks, { key: 'id', rejects }),
      3,
      5,
    ],
    [
      'NDJSON by a schema',
      NDJSON,
      (db, chunks, rejects) =>
        importNdjson(db.bucket('rows', { key: keys.string, value: row }), chunks, { key: 'id', rejects }),
      3,
      5,
    ],
  ];
  for (const [what, bytes, run, rows, rejected] of cases) {
    it(`of ${what} has one outcome, wherever the source is cut`, async () => {
      const whole = await outcomeOf(run, cutAt(bytes, []));
      expect(whole.counts, JSON.stringify(whole)).to.include({ rows, rejected });
      for (let place = 0; place <= bytes.length; place++)
        expect(await outcomeOf(run, cutAt(bytes, [place])), `cut at ${place}`).to.deep.equal(whole);
      for (const size of [1, 2, 3, 7])
        expect(await outcomeOf(run, cutEvery(bytes, size))).to.deep.equal(whole);
    });
  }
});
