// lib/etl/reject-bucket.ts: rejects in a bucket, which must not cost anything that is there.

import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { importCsv } from 'btree-store';
import { expect } from 'chai';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

async function sourceWith(text: string): Promise<string> {
  const path = await stores.path(`rows${text.length}.csv`);
  await writeFile(path, text);
  return path;
}

describe('a bucket of rejects', () => {
  it('is refused, and nothing is changed, where it holds something else', async () => {
    const db = await stores.open();
    const users = db.bucket('users');
    await users.put('ada', '1');
    for (const text of ['id,a\n1,2\n', 'id,a\n1,2\nlonely\n'])
      for (const options of [{}, { checkpoint: 'c' }, { checkpoint: 'c', restart: true }]) {
        const job = importCsv(db.bucket('orders'), await sourceWith(text), {
          key: 'id',
          rejects: users,
          ...options,
        });
        const error = await rejected('CONFLICT', job);
        expect(error.message).to.contain('"users"').and.contain('name another bucket');
      }
    expect(users.range().toArray().map(String)).to.deep.equal(['ada,1']);
    expect(db.bucket('orders').range().count()).to.equal(0);
  });

  it('has no rejects that no position tells of, where rows turn out to be unsorted', async () => {
    const db = await stores.open();
    const [rows, rejects] = [db.bucket('rows'), db.bucket('rejects')];
    const ascending = Array.from(
      { length: 40_000 },
      (_, n) => `${String(n + 1).padStart(6, '0')},some text\n`,
    );
    const [half, rest] = [ascending.slice(0, 20_000), ascending.slice(20_000)].map((part) => part.join(''));
    const text = `id,a\nlonely\n${half}000000,late\n${rest}lonely\n`;
    const failing = Readable.from(
      (async function* () {
        for (let from = 0; from < text.length; from += 65_536)
          yield Buffer.from(text.slice(from, from + 65_536));
        for (let time = 0; time < 2000 && rows.range().count() === 0; time += 5)
          await new Promise((resolve) => setTimeout(resolve, 5));
        throw new Error('the line is dead');
      })(),
    );
    const options = { key: 'id', checkpoint: 'import', rejects };
    await rejected('IO_ERROR', importCsv(rows, failing, options));
    expect(rows.range().count()).to.be.above(0);
    expect(rejects.range().count()).to.equal(0);
    const report = await importCsv(rows, Readable.from([Buffer.from(text)]), options);
    expect(report).to.include({ rows: 40_001, rejected: 2 });
    expect([rows.range().count(), rejects.range().count()]).to.deep.equal([40_001, 2]);
  });

  it('is made anew by its own import, and refused to another', async () => {
    const db = await stores.open();
    const into = db.bucket('refused');
    const source = await sourceWith('id,a\n1,2\nlonely\n');
    const options = { key: 'id', rejects: into, checkpoint: 'c' };
    await importCsv(db.bucket('rows'), source, options);
    const left = into.range().toArray().map(String);
    expect(left).to.have.length(1);
    await importCsv(db.bucket('rows'), source, { ...options, restart: true });
    expect(into.range().toArray().map(String)).to.deep.equal(left);
    for (const checkpoint of [undefined, 'other'])
      await rejected('CONFLICT', importCsv(db.bucket('rows'), source, { ...options, checkpoint }));
    await into.put('zoe', 'a user');
    await rejected('CONFLICT', importCsv(db.bucket('rows'), source, { ...options, restart: true }));
    expect(into.range().toArray().map(String)).to.deep.equal([...left, 'zoe,a user']);
    await into.delete('zoe');
    await importCsv(db.bucket('rows'), await sourceWith('id,a\n1,2\n'), { ...options, restart: true });
    expect(into.range().count()).to.equal(0);
  });
});
