// lib/cli/buckets.ts, stat.ts, check.ts: a store as a whole.

import { open, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

async function smallStore(): Promise<string> {
  const db = await stores.open();
  await db.write((tx) => {
    for (let index = 0; index < 1000; index++)
      tx.bucket('numbers').put(`${1000 + index}`, `value of ${index}`);
    tx.bucket('one').put('key', 'value');
  });
  await stores.close(db);
  return db.path;
}

describe('btree-store buckets, stat and check', function () {
  this.timeout(60_000);

  it('buckets prints names and counts', async () => {
    const store = await smallStore();
    expect(await cliHere(['buckets', store])).to.include({
      status: 0,
      stderr: '',
      stdout: 'numbers\t1000\none\t1\n',
    });
    const json = await cliHere(['buckets', store, '--json']);
    expect(json.stdout).to.equal('{"name":"numbers","entries":1000}\n{"name":"one","entries":1}\n');
  });

  it('stat prints figures of the store and of a bucket', async () => {
    const store = await smallStore();
    const whole = await cliHere(['stat', store]);
    expect(whole).to.include({ status: 0, stderr: '' });
    expect(whole.stdout)
      .to.match(/^pageSize +4096$/m)
      .and.match(/^buckets +2$/m);
    const bucket = await cliHere(['stat', store, 'numbers', '--json']);
    expect(JSON.parse(bucket.stdout)).to.deep.equal({
      bucket: 'numbers',
      entries: 1000,
      firstKey: '1000',
      lastKey: '1999',
    });
  });

  it('check finds nothing in a sound store, and tells where a damaged one is so', async () => {
    const store = await smallStore();
    const sound = await cli(['check', store]);
    expect(sound).to.include({ status: 0, stderr: '' });
    expect(sound.stdout).to.match(/^ok: buckets 2, entries 1,001, pages \d+, of which free \d+\n$/);

    const file = await open(store, 'r+');
    const { size } = await file.stat();
    const page = Math.floor(size / 4096) - 1;
    // Somewhere in the middle of the last pages, all of which the two buckets and the catalog need.
    for (let at = page; at > page - 4; at--) await file.write(Buffer.from([0xa5]), 0, 1, at * 4096 + 2000);
    await file.close();
    const damaged = await cliHere(['check', store]);
    expect(damaged.status, damaged.stdout + damaged.stderr).to.equal(1);
    expect(damaged.stdout + damaged.stderr).to.match(/page \d+/);
    expect(damaged.stderr).to.match(/^btree-store: [^\n]*\n$/);
  });

  it('a file that is no store, and none at all, are told in one line', async () => {
    const other = await stores.path('notes.txt');
    await writeFile(other, 'These are notes.\n'.repeat(1000));
    const nowhere = await stores.path('nowhere.db');
    for (const [path, command, says] of [
      [other, 'check', 'is not a btree-store file'],
      [nowhere, 'buckets', 'there is no store at'],
    ]) {
      const result = await cliHere([command, path]);
      expect(result, result.stderr).to.include({ status: 1, stdout: '' });
      expect(result.stderr).to.match(/^btree-store: [^\n]*\n$/);
      expect(result.stderr).to.contain(path).and.contain(says);
    }
    const debugged = await cli(['buckets', nowhere], { env: { BTREE_STORE_DEBUG: '1' } });
    expect(debugged.stderr)
      .to.contain('STORE_NOT_FOUND')
      .and.match(/\n +at /);
  });
});
