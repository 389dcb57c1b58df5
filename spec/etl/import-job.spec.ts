// An import as its caller holds it: a promise with progress, which can be stopped, and what stays when it fails.

import { writeFile } from 'node:fs/promises';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import {
  type Bucket,
  type CsvImportOptions,
  type ImportProgress,
  importCsv,
  importNdjson,
  StoreError,
} from 'btree-store';
import { expect } from 'chai';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { cutEvery } from '../helpers/chunks.js';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';
import { csvOf, jsonOf, orders, shuffled, type Table } from '../helpers/tables.js';

const stores = useStores();

const table = orders(20_000);
const csv = Buffer.from(csvOf(table));

/** The bucket has the first rows of the table, so many of them. */
function expectFirstRows(bucket: Bucket, { columns, rows }: Table, count: number): void {
  const found = Array.from(bucket.range().values(), String);
  expect(found.length).to.equal(count);
  const wrong = found.findIndex((value, index) => value !== jsonOf(columns, rows[index]));
  expect(wrong, `row ${wrong}`).to.equal(-1);
}

describe('import job', () => {
  it('is a promise', async () => {
    const db = await stores.openMemory();
    const job = importCsv(db.bucket('rows'), Readable.from([csv]), { key: 'id' });
    expect(job).to.be.instanceOf(Promise);
    let ended = false;
    const [report, rows] = await Promise.all([
      job.finally(() => {
        ended = true;
      }),
      job.then(({ rows }) => rows),
    ]);
    expect(ended).to.equal(true);
    expect(rows).to.equal(20_000);
    expect(report).to.include({ rows: 20_000, bytesRead: csv.length });
    expect(report.elapsedMilliseconds).to.be.above(0);
    const failed = importCsv(db.bucket('rows'), 'nowhere.csv', { key: 'id' });
    expect(await failed.catch((error: StoreError) => error.code)).to.equal('SOURCE_INVALID');
  });

  it('starts at once, watched or not', async () => {
    const db = await stores.openMemory();
    let begun = false;
    const source = (async function* () {
      begun = true;
      yield csv;
    })();
    const job = importCsv(db.bucket('rows'), source, { key: 'id' });
    await delay(0);
    expect(begun).to.equal(true);
    await job;
  });

  describe('tells progress', () => {
    it('that grows to the end, with the size of a file', async () => {
      const db = await stores.open();
      const many = csvOf(orders(100_000));
      for (const bytes of [Buffer.from(many), gzipSync(many, { level: 1 })]) {
        const path = await stores.path('rows');
        await writeFile(path, bytes);
        const job = importCsv(db.bucket('rows'), path, { key: 'id' });
        const all = await lastValueFrom(job.progress$.pipe(toArray()));
        expect(all.length).to.be.above(1);
        for (const [index, progress] of all.entries()) {
          expect(progress.bytesTotal).to.equal(bytes.length);
          expect(progress.rowsPerSecond).to.be.closeTo(
            (progress.rows / progress.elapsedMilliseconds) * 1000,
            1,
          );
          expect(progress.remainingMilliseconds).to.be.at.least(0);
          if (index > 0) expect(progress.rows).to.be.at.least(all[index - 1].rows);
        }
        const last: Partial<ImportProgress> = { rows: 100_000, rejected: 0, bytesRead: bytes.length };
        expect(all.at(-1)).to.include({ ...last, remainingMilliseconds: 0 });
        await job;
      }
    });

    it('in every phase of rows that are sorted', async () => {
      const db = await stores.open();
      const path = await stores.path('rows');
      const { columns, rows } = orders(30_000);
      await writeFile(
        path,
        csvOf({ columns, rows: [...rows.slice(0, 15_000), ...shuffled({ columns, rows }).rows] }),
      );
      const commitEvery = { entries: 1000 };
      const job = importCsv(db.bucket('rows'), path, { key: 'id', sortBytes: 1, commitEvery });
      const all = await lastValueFrom(job.progress$.pipe(toArray()));
      const report = await job;
      expect(report).to.include({ rows: 45_000, duplicates: 15_000, sorted: false });
      expect(all.at(-1)).to.include({ phase: 'merging', rows: 45_000, rowsCommitted: 45_000 });
      for (const phase of ['loading', 'sorting', 'merging'])
        expect(all.map((progress) => progress.phase)).to.include(phase);
      for (const { phase, rows: taken, rowsCommitted, remainingMilliseconds } of all.slice(0, -1)) {
        expect(rowsCommitted).to.be.at.most(taken);
        if (phase === 'merging') expect(remainingMilliseconds).to.equal(undefined);
      }
      expectFirstRows(db.bucket('rows'), { columns, rows }, 30_000);
    });

    it('without a size for streams, and the latest to who comes late', async () => {
      const db = await stores.openMemory();
      const job = importCsv(db.bucket('rows'), Readable.from([csv]), { key: 'id' });
      await job;
      const progress = await firstValueFrom(job.progress$);
      expect(progress).to.include({ rows: 20_000, bytesRead: csv.length });
      expect(progress.bytesTotal).to.equal(undefined);
      expect(progress.remainingMilliseconds).to.equal(undefined);
    });

    it('and completes where the import fails, which ends no process that only watches', async () => {
      const db = await stores.openMemory();
      const unhandled: unknown[] = [];
      const note = (error: unknown): void => void unhandled.push(error);
      process.on('unhandledRejection', note).on('uncaughtExceptionMonitor', note);
      try {
        const completed = new Promise<void>((resolve) => {
          const job = importCsv(db.bucket('rows'), 'nowhere.csv', { key: 'id' });
          job.progress$.subscribe({ complete: resolve });
        });
        await completed;
        await delay(20);
        expect(unhandled).to.deep.equal([]);
      } finally {
        process.off('unhandledRejection', note).off('uncaughtExceptionMonitor', note);
      }
    });
  });

  describe('stopped by its signal', () => {
    /** Chunks without end of the source, and the signal given once so many of them were asked for. */
    async function* chunksUntil(count: number, stop: () => void): AsyncGenerator<Uint8Array> {
      for await (const chunk of cutEvery(csv, 10_000)) {
        if (count-- === 0) stop();
        yield chunk;
      }
    }

    it('has committed what it took, and says how much that is', async () => {
      for (const options of [{}, { commitEvery: { entries: 100 } }, { sorted: false }]) {
        const db = await stores.open();
        const controller = new AbortController();
        const reason = new Error('enough');
        const source = chunksUntil(30, () => controller.abort(reason));
        const job = importCsv(db.bucket('rows'), source, {
          key: 'id',
          signal: controller.signal,
          ...options,
        });
        const error = await rejected('ABORTED', job);
        expect(error.cause).to.equal(reason);
        const { rows, commits } = error.details;
        expect(rows).to.be.a('number').above(5000).and.below(10_000);
        expect(commits).to.be.at.least(1);
        expect(error.message).to.contain(`${rows} rows were committed before and stay`);
        expectFirstRows((await stores.reopen(db)).bucket('rows'), table, Number(rows));
      }
    });

    it('has all committed that came before, to the last row', async () => {
      const db = await stores.open();
      for (const commitEvery of [{ entries: 1000 }, { bytes: 1_000_000 }]) {
        const controller = new AbortController();
        const source = (async function* () {
          yield Buffer.from(csvOf(orders(9000)));
          // More is asked for once all of that was taken, of which the end stands in a block that is not full.
          controller.abort();
          await new Promise(() => {});
        })();
        const job = importCsv(db.bucket('rows'), source, {
          key: 'id',
          signal: controller.signal,
          commitEvery,
        });
        expect((await rejected('ABORTED', job)).details).to.include({ rows: 9000 });
        expectFirstRows(db.bucket('rows'), table, 9000);
      }
    });

    it('has nothing committed where it is atomic', async () => {
      const db = await stores.open();
      await db.bucket('rows').put('before', '{}');
      const controller = new AbortController();
      const source = chunksUntil(30, () => controller.abort());
      const options = { key: 'id', signal: controller.signal, atomic: true };
      const error = await rejected('ABORTED', importCsv(db.bucket('rows'), source, options));
      expect(error.details).to.include({ rows: 0, commits: 0 });
      expect(error.message).to.contain('nothing was imported');
      expect(db.bucket('rows').range().count()).to.equal(1);
    });

    it('does not wait for a source that gives nothing', async () => {
      const db = await stores.open();
      for (const count of [undefined, 0, 10]) {
        const source = new PassThrough();
        const begin = count === undefined ? '' : csvOf(orders(count));
        if (begin !== '') source.write(begin);
        const job = importCsv(db.bucket('rows'), source, { key: 'id', signal: AbortSignal.timeout(50) });
        const error = await rejected('ABORTED', job);
        expect(error.details).to.include({
          rejected: 0,
          bytesRead: Buffer.byteLength(begin),
          rows: count ?? 0,
        });
        expect(source.destroyed).to.equal(true);
        expectFirstRows(db.bucket('rows'), table, count ?? 0);
      }
    });

    it('takes nothing where it was given before', async () => {
      const db = await stores.openMemory();
      const job = importNdjson(db.bucket('rows'), Readable.from(['{"id":1}\n']), {
        key: 'id',
        signal: AbortSignal.abort(),
      });
      const error = await rejected('ABORTED', job);
      expect(error.details).to.include({ rows: 0 });
      expect(db.bucket('rows').range().count()).to.equal(0);
    });

    it('gives up its turn while another transaction writes', async () => {
      const db = await stores.openMemory();
      const other = await db.begin();
      const job = importCsv(db.bucket('rows'), Readable.from([csv]), {
        key: 'id',
        signal: AbortSignal.timeout(30),
      });
      const error = await rejected('ABORTED', job);
      expect(error.details).to.include({ rows: 0 });
      await other.rollback();
      expect(db.bucket('rows').range().count()).to.equal(0);
    });

    it('leaves the store to the next import, which ends as one that was never stopped', async () => {
      const db = await stores.open();
      const controller = new AbortController();
      const source = chunksUntil(20, () => controller.abort());
      await rejected(
        'ABORTED',
        importCsv(db.bucket('rows'), source, { key: 'id', signal: controller.signal }),
      );
      const report = await importCsv(db.bucket('rows'), Readable.from([csv]), { key: 'id' });
      expect(report.rows).to.equal(20_000);
      expectFirstRows(db.bucket('rows'), table, 20_000);
    });
  });

  describe('that fails', () => {
    const failures: Array<
      [what: string, code: 'SOURCE_INVALID' | 'IO_ERROR', source: () => Promise<string | Readable>]
    > = [
      [
        'where gzip is cut off',
        'SOURCE_INVALID',
        async () => {
          const path = await stores.path('cut.csv.gz');
          await writeFile(path, gzipSync(csv).subarray(0, -20_000));
          return path;
        },
      ],
      [
        'where gzip is damaged',
        'SOURCE_INVALID',
        async () => {
          const bytes = gzipSync(csv);
          bytes.fill(0xff, bytes.length - 20_000, bytes.length - 19_000);
          const path = await stores.path('damaged.csv.gz');
          await writeFile(path, bytes);
          return path;
        },
      ],
      [
        'where the stream fails',
        'IO_ERROR',
        async () =>
          Readable.from(
            (async function* () {
              yield csv.subarray(0, 500_000);
              throw new Error('the line is dead');
            })(),
          ),
      ],
    ];
    for (const [what, code, source] of failures) {
      it(`${what}, keeps what was committed, and says how much that is`, async () => {
        const db = await stores.open();
        const options: CsvImportOptions = { key: 'id', commitEvery: { entries: 500 } };
        const error = await rejected(code, importCsv(db.bucket('rows'), await source(), options));
        const rows = Number(error.details.rows);
        expect(rows).to.be.above(0);
        expect(error.message).to.contain(`${rows} rows were committed before and stay`);
        expect(error.cause).to.be.instanceOf(StoreError);
        expectFirstRows((await stores.reopen(db)).bucket('rows'), table, rows);
      });
    }

    it('before the first commit, keeps nothing and says so', async () => {
      const db = await stores.open();
      const gone = await rejected(
        'SOURCE_INVALID',
        importCsv(db.bucket('rows'), 'nowhere.csv', { key: 'id' }),
      );
      expect(gone.message)
        .to.contain('nowhere.csv')
        .and.contain('no such file')
        .and.contain('nothing was imported');
      const source = Readable.from([csvOf(orders(100)), Buffer.from('0000001,back,1,\n')]);
      const error = await rejected(
        'KEY_OUT_OF_ORDER',
        importCsv(db.bucket('rows'), source, { key: 'id', sorted: true }),
      );
      expect(error.message)
        .to.contain('"0000001"')
        .and.contain('"0000099"')
        .and.contain('nothing was imported');
      expect([...db.buckets()]).to.deep.equal([]);
    });

    it('where the store cannot be written to', async () => {
      const db = await stores.open();
      await db.createBucket('rows');
      const readOnly = await stores.reopen(db, { readOnly: true });
      await rejected('READ_ONLY', importCsv(readOnly.bucket('rows'), Readable.from([csv]), { key: 'id' }));
      stores.forget(readOnly);
      await readOnly.close();
      await rejected('STORE_CLOSED', importCsv(readOnly.bucket('rows'), Readable.from([csv]), { key: 'id' }));
    });
  });

  describe('with options that are wrong', () => {
    const wrong: Array<[options: object, names: string]> = [
      [{}, 'key'],
      [{ key: [] }, 'key'],
      [{ key: 7 }, 'key'],
      [{ key: ['id', 'id'] }, 'key'],
      [{ key: 'ident' }, '"ident"; the columns are "id", "customer", "total", "note"'],
      [{ key: 'id', sorted: 'yes' }, 'sorted'],
      [{ key: 'id', sortBytes: 0 }, 'sortBytes'],
      [{ key: 'id', sortBytes: 2 ** 31 + 1 }, 'sortBytes'],
      [{ key: 'id', onDuplicate: 'drop' }, 'onDuplicate'],
      [{ key: 'id', commitEvery: { entries: 0 } }, 'commitEvery.entries'],
      [{ key: 'id', fillFactor: 2 }, 'fillFactor'],
      [{ key: 'id', rejectsMax: -1 }, 'rejectsMax'],
      [{ key: 'id', onReject: 'ignore' }, 'onReject'],
      [{ key: 'id', rejects: 7 }, 'rejects'],
      [{ key: 'id', rowBytesMax: 0.5 }, 'rowBytesMax'],
      [{ key: 'id', delimiter: ';;' }, 'delimiter'],
      [{ key: 'id', columns: ['a'] }, 'columns'],
      [{ key: 'id', header: false }, 'columns'],
      [{ key: 'id', signal: {} }, 'signal'],
      [{ key: 'id', limit: 1 }, 'limit'],
    ];
    for (const [options, names] of wrong) {
      it(`rejects, naming what is: ${JSON.stringify(options)}`, async () => {
        const db = await stores.openMemory();
        // What callers without types may pass.
        const job = importCsv(db.bucket('rows'), Readable.from([csv]), options as CsvImportOptions);
        const error = await rejected('INVALID_OPTION', job);
        expect(error.message).to.contain(names);
        expect([...db.buckets()]).to.deep.equal([]);
      });
    }

    it('rejects paths that are none, and sources that are none', async () => {
      const bucket = (await stores.openMemory()).bucket('rows');
      await rejected('INVALID_OPTION', importNdjson(bucket, Readable.from(['{}\n']), { key: 'a..b' }));
      await rejected('INVALID_OPTION', importNdjson(bucket, 7 as unknown as string, { key: 'id' }));
    });
  });
});
