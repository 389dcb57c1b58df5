// lib/etl/reject-file-owner.ts: an import takes its own file of rejects again, and never that of another.

import { link, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type Bucket, type CsvImportOptions, importCsv, importNdjson } from 'btree-store';
import { expect } from 'chai';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

/** Rows, and so many rejects after each of them; the source fails after them, or ends. */
const csv = (rows: string[], rejects: number): string =>
  `id,a\n${rows.map((row) => `${row},1\n${'lonely\n'.repeat(rejects)}`).join('')}`;

function failing(text: string, before: () => Promise<unknown> | unknown = () => undefined): Readable {
  return Readable.from(
    (async function* () {
      yield Buffer.from(text);
      await before();
      throw new Error('the line is dead');
    })(),
  );
}

const whole = (text: string): Readable => Readable.from([Buffer.from(text)]);

/** Until something is in the file, which an import writes beside its reading. */
async function filled(path: string): Promise<void> {
  while ((await stat(path)).size === 0) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Fails half-way, with what it had committed. */
async function stopped(bucket: Bucket, source: Readable, options: CsvImportOptions): Promise<void> {
  await rejected('IO_ERROR', importCsv(bucket, source, options));
}

describe('a file of rejects', () => {
  const EVERY_BATCH = { commitEvery: { entries: 1 } };
  const AT_THE_END = { commitEvery: { entries: 1e9 } };
  /** What the first of two imports has saved when it is stopped, by how it commits and what is in its source. */
  const STOPS: ReadonlyArray<
    [name: string, commits: Pick<CsvImportOptions, 'commitEvery'>, first: string, second: string]
  > = [
    ['before its first commit and reject', AT_THE_END, csv(['a'], 0), csv(['a', 'b'], 1)],
    ['before its first commit, after rejects', AT_THE_END, csv(['a'], 3), csv(['a', 'b'], 3)],
    ['after a commit without rejects', EVERY_BATCH, csv(['a'], 0), csv(['a'], 0) + csv(['b'], 2).slice(5)],
    ['after a commit with rejects', EVERY_BATCH, csv(['a'], 3), csv(['a', 'b'], 3)],
  ];

  for (const [name, commits, first, second] of STOPS) {
    for (const [how, take] of [
      ['gone', (path: string) => rm(path)],
      ['empty', (path: string) => writeFile(path, '')],
    ] as const) {
      it(`that is ${how} after an import was stopped ${name}, and is another's now, is left alone`, async () => {
        const [db, rejects] = [await stores.open(), await stores.path('rejects.ndjson')];
        const options = { key: 'id', checkpoint: 'import', rejects, ...commits };
        await stopped(db.bucket('first'), failing(first), options);
        await take(rejects);
        const other = csv(['an', 'other'], 5);
        await importCsv(db.bucket('second'), whole(other), { key: 'id', rejects });
        const text = await readFile(rejects, 'utf8');
        const error = await rejected('CONFLICT', importCsv(db.bucket('first'), whole(second), options));
        expect(error.message).to.contain(rejects).and.contain('move it away');
        expect(await readFile(rejects, 'utf8')).to.equal(text);
      });
    }

    it(`is taken again by an import that was stopped ${name}`, async () => {
      const [db, rejects] = [await stores.open(), await stores.path('rejects.ndjson')];
      const options = { key: 'id', checkpoint: 'import', rejects, ...commits };
      for (let time = 0; time < 3; time++) await stopped(db.bucket('first'), failing(first), options);
      const { rejected: count } = await importCsv(db.bucket('first'), whole(second), options);
      expect((await readFile(rejects, 'utf8')).split('\n')).to.have.length(count + 1);
    });
  }

  it('is known by its content where it was put back, and refused where that was changed', async () => {
    const [db, rejects] = [await stores.open(), await stores.path('rejects.ndjson')];
    const options = { key: 'id', checkpoint: 'import', rejects, ...EVERY_BATCH };
    const bucket = db.bucket('rows');
    await stopped(bucket, failing(csv(['a'], 3)), options);
    const text = await readFile(rejects, 'utf8');
    await writeFile(rejects, text.replaceAll('lonely', 'lovely'));
    const error = await rejected('CONFLICT', importCsv(bucket, whole(csv(['a', 'b'], 3)), options));
    expect(error.message).to.contain('was changed since');
    await rm(rejects);
    await writeFile(rejects, text);
    await stopped(bucket, failing(csv(['a'], 3)), options);
    await importCsv(bucket, whole(csv(['a', 'b'], 3)), options);
    expect((await readFile(rejects, 'utf8')).split('\n')).to.have.length(7);
  });

  it('is one import’s at a time, also while it is empty', async () => {
    const [db, rejects] = [await stores.open(), await stores.path('rejects.ndjson')];
    await writeFile(rejects, '');
    const refused: unknown[] = [];
    const meanwhile = async (): Promise<void> => {
      await filled(rejects);
      const options = { key: 'id', rejects };
      refused.push(await rejected('CONFLICT', importCsv(db.bucket('second'), whole(csv(['a'], 1)), options)));
    };
    const text = csv(['a'], 1);
    await stopped(db.bucket('first'), failing(text, meanwhile), { key: 'id', rejects });
    expect(String(refused[0])).to.contain('is being written to by another import');
    expect(db.bucket('second').range().count()).to.equal(0);

    await writeFile(rejects, '');
    const both = [db.bucket('first'), db.bucket('second')].map((bucket) =>
      importCsv(bucket, whole(text), { key: 'id', rejects }).then(
        () => 'done',
        (error) => error.code,
      ),
    );
    expect((await Promise.all(both)).sort()).to.deep.equal(['CONFLICT', 'done']);
    expect((await readFile(rejects, 'utf8')).split('\n')).to.have.length(2);
  });

  it('keeps its mode; a link is gone behind, and a file of several names refused', async () => {
    const db = await stores.open();
    const [plain, named, other, behind, nowhere] = await Promise.all(
      ['plain', 'named', 'other', 'behind', 'nowhere'].map((name) => stores.path(`${name}.ndjson`)),
    );
    const into = (rejects: string) =>
      importCsv(db.bucket('rows'), whole(csv(['a'], 1)), { key: 'id', rejects });
    await writeFile(plain, '', { mode: 0o600 });
    await symlink(plain, behind);
    await into(behind);
    expect((await stat(plain)).size).to.be.above(0);
    expect((await stat(plain)).mode & 0o777).to.equal(0o600);
    await writeFile(named, '');
    await link(named, other);
    await symlink(`${nowhere}.gone`, nowhere);
    for (const rejects of [named, nowhere])
      expect((await rejected('INVALID_OPTION', into(rejects))).message).to.contain('that is not there yet');
  });

  it('that an import left behind a link is not taken from another that uses the link since', async () => {
    const [db, real, rejects] = [await stores.open(), await stores.path('real'), await stores.path('link')];
    await writeFile(real, '');
    await symlink(real, rejects);
    const options = { key: 'id', checkpoint: 'import', rejects, ...EVERY_BATCH };
    await stopped(db.bucket('first'), failing(csv(['a'], 0)), options);
    await importCsv(db.bucket('second'), whole(csv(['x'], 2)), { key: 'id', rejects });
    await rejected('CONFLICT', importCsv(db.bucket('first'), whole(csv(['a'], 0)), options));
    expect((await readFile(real, 'utf8')).split('\n')).to.have.length(3);
  });

  it('is not taken where it begins alike, goes on, and is another file', async () => {
    const [db, rejects] = [await stores.open(), await stores.path('rejects.ndjson')];
    const options = { key: 'id', checkpoint: 'import', rejects, ...EVERY_BATCH };
    await stopped(db.bucket('first'), failing(csv(['a'], 3)), options);
    await rm(rejects);
    await importCsv(db.bucket('second'), whole(csv(['a'], 4)), { key: 'id', rejects });
    const error = await rejected('CONFLICT', importCsv(db.bucket('first'), whole(csv(['a'], 4)), options));
    expect(error.message).to.contain('cut it to').and.contain('bytes');
    expect((await readFile(rejects, 'utf8')).split('\n')).to.have.length(5);
  });

  it('keeps what it has where an import that is to begin anew does not come to that', async () => {
    const [db, rejects] = [await stores.open(), await stores.path('rejects.ndjson')];
    const source = await stores.path('rows.csv');
    await writeFile(source, csv(['a'], 3));
    const options = { key: 'id', checkpoint: 'import', rejects };
    await importCsv(db.bucket('rows'), source, options);
    const transaction = await db.begin();
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    await rejected(
      'ABORTED',
      importCsv(db.bucket('rows'), source, { ...options, restart: true, signal: stop.signal }),
    );
    await transaction.rollback();
    expect((await readFile(rejects, 'utf8')).split('\n')).to.have.length(4);
    expect((await importCsv(db.bucket('rows'), source, options)).earlier?.rejected).to.equal(3);
  });

  it('is never the file that is imported', async () => {
    const [db, source] = [await stores.open(), await stores.path('rejects.ndjson')];
    await importCsv(db.bucket('rows'), whole(csv(['a'], 2)), { key: 'id', checkpoint: 'c', rejects: source });
    const text = await readFile(source, 'utf8');
    const again = { key: 'raw', checkpoint: 'c', rejects: source };
    const error = await rejected('INVALID_OPTION', importNdjson(db.bucket('rows'), source, again));
    expect(error.message).to.contain('is the file that is imported');
    expect(await readFile(source, 'utf8')).to.equal(text);
  });
});
