// lib/etl/reject-bucket.ts: rejects in a bucket, which must not cost anything that is there.

import { writeFile } from 'node:fs/promises';
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
