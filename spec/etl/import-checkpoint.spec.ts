// lib/etl/import-checkpoint.ts: imports that are stopped, by whatever, and run again, end as those that were not.

import { appendFile, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CsvImportOptions,
  type Database,
  type ImportProgress,
  type ImportReport,
  importCsv,
  importNdjson,
} from 'btree-store';
import { expect } from 'chai';
import { rejected } from '../helpers/errors.js';
import { Random } from '../helpers/random.js';
import {
  csvWith,
  REJECTS_BUCKET,
  ROWS_BUCKET,
  resumableOptions,
  type Shape,
  stateAfter,
  writeSource,
} from '../helpers/resumable.js';
import { seed } from '../helpers/seed.js';
import { useStores } from '../helpers/store.js';

const COUNT = 30_000;

const SHAPES: Readonly<Record<string, Shape>> = {
  'a sorted file': { order: 'sorted', zipped: false, onDuplicate: 'replace', rejects: 'file' },
  'a sorted file that keeps the first': {
    order: 'sorted',
    zipped: false,
    onDuplicate: 'keep',
    rejects: 'bucket',
  },
  'a sorted file without duplicates': {
    order: 'sorted',
    zipped: false,
    onDuplicate: 'error',
    rejects: 'file',
  },
  'a sorted gzip file': { order: 'sorted', zipped: true, onDuplicate: 'replace', rejects: 'bucket' },
  'an unsorted file': { order: 'unsorted', zipped: false, onDuplicate: 'replace', rejects: 'bucket' },
  'an unsorted file that keeps the first': {
    order: 'unsorted',
    zipped: false,
    onDuplicate: 'keep',
    rejects: 'file',
  },
  'an unsorted gzip file without duplicates': {
    order: 'unsorted',
    zipped: true,
    onDuplicate: 'error',
    rejects: 'file',
  },
};

describe('an import with a checkpoint', () => {
  const stores = useStores();

  async function whole(shape: Shape, source: string): Promise<string> {
    const [path, rejects] = [await stores.path(), await stores.path('rejects of the whole.ndjson')];
    const db = await stores.openAt(path);
    await importCsv(db.bucket(ROWS_BUCKET), source, resumableOptions(db, shape, rejects));
    await stores.close(db);
    return stateAfter(path, rejects);
  }

  /** Imports, and gives the signal once so many rows were read; returns the report if it came to its end. */
  async function stopped(
    db: Database,
    source: string,
    options: CsvImportOptions,
    rows: number,
  ): Promise<ImportReport | undefined> {
    const stop = new AbortController();
    const job = importCsv(db.bucket(ROWS_BUCKET), source, { ...options, signal: stop.signal });
    const subscription = db.commits$.subscribe(() => {
      if (db.bucket(ROWS_BUCKET).range().count() >= rows) stop.abort();
    });
    if (rows === 0) stop.abort();
    try {
      return await job;
    } catch {
      return undefined;
    } finally {
      subscription.unsubscribe();
    }
  }

  for (const [what, shape] of Object.entries(SHAPES)) {
    it(`goes on where it was stopped: ${what}`, async () => {
      const source = await stores.path('rows.csv');
      await writeSource(source, shape, COUNT);
      const [path, rejects] = [await stores.path(), await stores.path('rejects.ndjson')];
      const random = Random.of(seed, COUNT);
      let report: ImportReport | undefined;
      for (let round = 0; report === undefined; round++) {
        const db = await stores.openAt(path);
        const options = resumableOptions(db, shape, rejects);
        const rows = round >= 4 ? Number.POSITIVE_INFINITY : random.below(COUNT);
        report = await stopped(db, source, options, rows);
        await stores.close(db);
      }
      expect(await stateAfter(path, rejects)).to.equal(await whole(shape, source));
    });
  }

  it('tells what the earlier run had done, and counts it in', async () => {
    const source = await stores.path('rows.csv');
    await writeSource(source, SHAPES['a sorted file'], COUNT);
    const db = await stores.open();
    const options = resumableOptions(db, SHAPES['a sorted file'], await stores.path('rejects.ndjson'));
    expect(await stopped(db, source, options, 500)).to.equal(undefined);
    const before = db.bucket(ROWS_BUCKET).bulkCheckpoint('import') as { rows: number; line: number };
    const job = importCsv(db.bucket(ROWS_BUCKET), source, options);
    let last: ImportProgress | undefined;
    job.progress$.subscribe((progress) => {
      last = progress;
    });
    const report = await job;
    // The rate is that of this run alone.
    const taken = report.rows - before.rows;
    expect(last?.rowsPerSecond).to.be.closeTo((taken / (last?.elapsedMilliseconds ?? 0)) * 1000, 1);
    expect(report.earlier).to.include({ rows: before.rows, line: before.line, complete: false });
    expect(before.rows).to.be.within(500, COUNT - 1);
    const twice = Array.from({ length: COUNT }, (_, i) => i).filter((i) => i % 89 === 3 && i % 97 !== 5);
    expect(report.rows).to.equal(COUNT + twice.length);
    expect(report.rows - report.duplicates).to.equal(COUNT);
    const again = await importCsv(db.bucket(ROWS_BUCKET), source, options);
    expect(again.earlier).to.include({ rows: report.rows, complete: true });
    expect(again).to.include({ rows: report.rows, rejected: report.rejected, bytesRead: 0, commits: 0 });
  });

  for (const onDuplicate of ['replace', 'error'] as const) {
    it(`saves a position with every commit, with the rows that it tells of: ${onDuplicate}`, async () => {
      const source = await stores.path('rows.csv');
      await writeSource(source, { ...SHAPES['a sorted file'], onDuplicate: 'error' }, COUNT);
      const db = await stores.open();
      const bucket = db.bucket(ROWS_BUCKET);
      const told: Array<[there: number, saved: unknown]> = [];
      const subscription = db.commits$.subscribe(() => {
        const position = bucket.bulkCheckpoint('import') as { rows: number } | undefined;
        told.push([bucket.range().count(), position?.rows]);
      });
      const options = {
        key: 'id',
        checkpoint: 'import',
        commitEvery: { entries: 100 },
        sorted: true,
        onDuplicate,
      };
      await rejected('ROW_REJECTED', importCsv(bucket, source, { ...options, rejectsMax: 150 }));
      const { rows, duplicates, earlier } = await importCsv(bucket, source, options);
      subscription.unsubscribe();
      expect(told.length).to.be.above(3);
      for (const [there, saved] of told) expect(saved).to.equal(there);
      expect([rows, duplicates]).to.deep.equal([COUNT, 0]);
      expect(earlier?.rows).to.be.above(0);
    });
  }

  it('goes back to its last position where a batch fails half-way, also while the signal is given', async () => {
    const source = await stores.path('rows.csv');
    const shape = SHAPES['a sorted file'];
    await writeSource(source, shape, COUNT);
    const db = await stores.open();
    const bucket = db.bucket(ROWS_BUCKET);
    const stop = new AbortController();
    let count = 0;
    const options = { ...resumableOptions(db, shape, ''), signal: stop.signal };
    const rejects = (): void => {
      if (++count < 200) return;
      stop.abort();
      throw new Error('no more');
    };
    await importCsv(bucket, source, { ...options, rejects }).then(
      () => expect.fail('it was to fail'),
      () => undefined,
    );
    const { rows, rejected: refused } = await importCsv(bucket, source, {
      ...options,
      signal: undefined,
      rejects: () => undefined,
    });
    const whole = await importCsv(db.bucket('whole'), source, {
      ...options,
      signal: undefined,
      rejects: undefined,
    });
    expect([rows, refused]).to.deep.equal([whole.rows, whole.rejected]);
  });

  it('has the rejects of a bucket in the commits of the rows', async () => {
    const db = await stores.open();
    const into = db.bucket('refused');
    const source = Readable.from([Buffer.from('id,a\n1,2\nlonely\n3,4\n')]);
    await importCsv(db.bucket('rows'), source, { key: 'id', rejects: into });
    expect(into.range().toArray().map(String)).to.deep.equal([
      '000000000000009,{"line":3,"byteOffset":9,"byteLength":6,"reason":"COLUMN_COUNT","message":"the row has 1 cell where there are 2 columns","raw":"lonely"}',
    ]);
    const other = await stores.openMemory();
    for (const bucket of [db.bucket('rows'), other.bucket('refused')])
      await rejected(
        'INVALID_OPTION',
        importCsv(db.bucket('rows'), Readable.from([Buffer.from('id\n1\n')]), { key: 'id', rejects: bucket }),
      );
  });

  it('goes on in a stream that begins as the one that failed, and refuses another', async () => {
    const shape: Shape = { order: 'sorted', zipped: false, onDuplicate: 'replace', rejects: 'bucket' };
    const csv = csvWith(shape, COUNT);
    async function* broken(bytes: Buffer, end: number): AsyncGenerator<Uint8Array> {
      for (let from = 0; from < end; from += 70_001) yield bytes.subarray(from, Math.min(from + 70_001, end));
      if (end < bytes.length) throw new Error('the line is dead');
    }
    const db = await stores.open();
    const options = resumableOptions(db, shape, '');
    const bucket = db.bucket(ROWS_BUCKET);
    await rejected('IO_ERROR', importCsv(bucket, broken(csv, Math.floor(csv.length * 0.7)), options));
    expect(bucket.range().count()).to.be.within(300, COUNT * 0.7);
    const other = Buffer.from(csv);
    other[10_000] ^= 1;
    await rejected('SOURCE_INVALID', importCsv(bucket, broken(other, other.length), options));
    await rejected('SOURCE_INVALID', importCsv(bucket, broken(csv.subarray(0, 5000), 5000), options));
    const { rows, earlier } = await importCsv(bucket, broken(csv, csv.length), options);
    expect(earlier?.rows).to.be.above(300);
    expect(bucket.range().count()).to.equal(COUNT);
    expect(db.bucket(REJECTS_BUCKET).range().count()).to.equal(Math.ceil((COUNT - 5) / 97));
    // A stream that came to its end is not known again.
    expect((await importCsv(bucket, broken(csv, csv.length), options)).rows).to.equal(rows);
  });

  it('refuses a source or options that changed half-way, until it is begun anew', async () => {
    const source = await stores.path('rows.ndjson');
    const lines = Array.from(
      { length: COUNT },
      (_, i) => `{"id":"${String(i).padStart(6, '0')}","n":${i}}\n`,
    );
    await writeFile(source, `${lines.join('')}{"id":{}}\n`);
    const db = await stores.open();
    const bucket = db.bucket(ROWS_BUCKET);
    const options = { key: 'id', checkpoint: 'import', commitEvery: { entries: 1000 } };
    const failed = await rejected(
      'ROW_REJECTED',
      importNdjson(bucket, source, { ...options, rejectsMax: 0 }),
    );
    expect(failed.details.rows).to.be.within(1000, COUNT);
    expect(bucket.range().count()).to.equal(failed.details.rows);
    await rejected('INVALID_OPTION', importNdjson(bucket, source, { ...options, onDuplicate: 'keep' }));
    const at = new Date(Date.now() + 5000);
    await utimes(source, at, at);
    const refused = await rejected('SOURCE_INVALID', importNdjson(bucket, source, options));
    expect(refused.message).to.contain('restart: true');
    expect((await importNdjson(bucket, source, { ...options, restart: true })).earlier).to.equal(undefined);
    expect(bucket.range().count()).to.equal(COUNT);
    await appendFile(source, '{"id":"more"}\n');
    const { rows, earlier } = await importNdjson(bucket, source, options);
    expect([rows, earlier]).to.deep.equal([COUNT + 1, undefined]);
  });

  it('leaves alone a position that is not an import’s', async () => {
    const db = await stores.open();
    const writer = db.bucket(ROWS_BUCKET).bulkWriter({ checkpoint: 'import' });
    await writer.finish({ mine: 1 });
    const source = Readable.from([Buffer.from('id\n1\n')]);
    await rejected(
      'CONFLICT',
      importCsv(db.bucket(ROWS_BUCKET), source, { key: 'id', checkpoint: 'import' }),
    );
    expect(db.bucket(ROWS_BUCKET).bulkCheckpoint('import')).to.deep.equal({ mine: 1 });
  });

  it('replaces its own file of rejects when it begins anew, and that of no other import', async () => {
    const [source, other] = [await stores.path('rows.csv'), await stores.path('other.csv')];
    const rejects = await stores.path('rejects.ndjson');
    const lines = async (): Promise<number> => (await readFile(rejects, 'utf8')).split('\n').length - 1;
    await writeFile(source, 'id,a\nx\nb,1\ny\n');
    await writeFile(other, 'id,a\nother\n');
    const db = await stores.open();
    const options = { key: 'id', checkpoint: 'import', rejects };
    const [bucket, another] = [db.bucket(ROWS_BUCKET), db.bucket('another')];
    await importCsv(bucket, source, options);
    const refusals = [
      () => importCsv(another, other, options),
      () => importCsv(another, other, { ...options, restart: true }),
      () => importCsv(another, other, { ...options, checkpoint: undefined }),
      () => importCsv(bucket, other, { ...options, checkpoint: 'other' }),
      () => importCsv(bucket, source, { ...options, checkpoint: undefined, restart: true }),
    ];
    for (const refusal of refusals) {
      const error = await rejected('CONFLICT', refusal());
      expect(error.message).to.contain(rejects).and.contain('name another file');
      expect([await lines(), another.range().count()]).to.deep.equal([2, 0]);
    }
    await importCsv(bucket, source, { ...options, restart: true });
    expect(await lines()).to.equal(2);
    await writeFile(source, 'id,a\nx\nb,1\ny\nz\nc,1\n');
    await importCsv(bucket, source, options);
    expect(await lines()).to.equal(3);

    // Moved away, and used by another import meanwhile: that one's rejects are safe too.
    await rm(rejects);
    await importCsv(another, other, options);
    for (const restart of [true, false]) {
      await writeFile(source, `id,a\n${'q'.repeat(200 + Number(restart))}\n`);
      await rejected('CONFLICT', importCsv(bucket, source, { ...options, restart }));
      expect(await lines()).to.equal(1);
    }
    await rm(rejects);
    await importCsv(bucket, source, { ...options, restart: true });
    expect(await lines()).to.equal(1);
  });

  it('knows its file of rejects again that was stopped before its first commit', async () => {
    const rejects = await stores.path('rejects.ndjson');
    const db = await stores.open();
    const stopping = (): Readable =>
      Readable.from(
        (async function* () {
          yield Buffer.from(`id,a\n${'lonely\n'.repeat(60_000)}`);
          // What an earlier run left there is gone by then.
          await sleep(100);
          while (((await stat(rejects).catch(() => undefined))?.size ?? 0) === 0) await sleep(10);
          throw new Error('the line is dead');
        })(),
      );
    const options = { key: 'id', checkpoint: 'import', rejects, commitEvery: { entries: 1e9 } };
    for (const more of [{}, {}, { atomic: true }, { restart: true }, { onDuplicate: 'error' }] as const) {
      const error = await rejected(
        'IO_ERROR',
        importCsv(db.bucket(ROWS_BUCKET), stopping(), { ...options, ...more }),
      );
      expect(error.message).to.contain('the line is dead').and.contain('nothing was imported');
      expect((await stat(rejects)).size).to.be.above(0);
    }
    const source = Readable.from([Buffer.from('id,a\nx\nb,1\n')]);
    const { rows, rejected: count } = await importCsv(db.bucket(ROWS_BUCKET), source, options);
    expect([rows, count]).to.deep.equal([1, 1]);
    expect((await readFile(rejects, 'utf8')).split('\n')).to.have.length(2);
  });

  it('counts keys that came again over both runs', async () => {
    const db = await stores.open();
    const source = await stores.path('rows.csv');
    const keys = Array.from({ length: 60_000 }, (_, i) => String(Math.floor(i / 2)).padStart(6, '0'));
    await writeFile(source, `id,a\n${keys.map((key) => `${key},x\n`).join('')}`);
    for (const sorted of ['auto', false] as const) {
      const bucket = db.bucket(`sorted ${sorted}`);
      const options = { key: 'id', checkpoint: 'c', sorted, commitEvery: { entries: 10_000 } };
      const stop = new AbortController();
      const job = importCsv(bucket, source, { ...options, signal: stop.signal });
      job.progress$.subscribe(({ rowsCommitted }) => {
        if (rowsCommitted > 10_000) stop.abort();
      });
      await job.catch(() => undefined);
      const { duplicates, rows } = await importCsv(bucket, source, options);
      expect([rows, duplicates]).to.deep.equal([60_000, 30_000]);
      expect((await importCsv(bucket, source, options)).duplicates).to.equal(30_000);
    }
  });

  it('wants the file of rejects as it left it', async () => {
    const [source, rejects] = [await stores.path('rows.csv'), await stores.path('rejects.ndjson')];
    const shape = SHAPES['a sorted file'];
    await writeSource(source, shape, COUNT);
    const db = await stores.open();
    const options = resumableOptions(db, shape, rejects);
    await stopped(db, source, options, COUNT / 2);
    const left = await readFile(rejects);
    await writeFile(rejects, left.subarray(0, 10));
    const refused = await rejected('INVALID_OPTION', importCsv(db.bucket(ROWS_BUCKET), source, options));
    expect(refused.message).to.contain('shorter');
    await rm(rejects);
    const missed = await rejected('INVALID_OPTION', importCsv(db.bucket(ROWS_BUCKET), source, options));
    expect(missed.message)
      .to.contain(rejects)
      .and.contain('is missing')
      .and.contain('put it back')
      .and.contain('restart: true');
    expect(missed.details.restart).to.equal(true);
    await writeFile(rejects, left);
    expect((await importCsv(db.bucket(ROWS_BUCKET), source, options)).rejected).to.equal(
      Math.ceil((COUNT - 5) / 97),
    );
  });
});
