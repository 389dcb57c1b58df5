// lib/cli/import.ts: duplicates, checkpoints, rejects in a bucket, and what a failed import leaves behind.

import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

async function entries(store: string, bucket: string): Promise<string[][]> {
  const db = await stores.openAt(store, { create: false });
  const found = Array.from(db.bucket(bucket).range(), (entry) => entry.map(String));
  await stores.close(db);
  return found;
}

describe('options of btree-store import', function () {
  this.timeout(60_000);

  it('--on-duplicate says which of two rows stays, or that none may come', async () => {
    const store = await stores.path('shop.db');
    const file = await stores.path('twice.csv');
    await writeFile(file, 'id,word\n1,one\n2,two\n1,uno\n');
    const run = (bucket: string, ...words: string[]) =>
      cliHere(['import', store, bucket, file, '--key', 'id', ...words]);
    expect(await run('last')).to.include({ status: 0 });
    expect(await run('first', '--on-duplicate', 'keep')).to.include({ status: 0 });
    const refused = await run('error', '--on-duplicate', 'error');
    expect(refused).to.include({ status: 1 });
    expect(refused.stderr).to.contain('"1"').and.contain('here: --on-duplicate replace or keep');
    expect((await entries(store, 'last'))[0][1]).to.contain('uno');
    expect((await entries(store, 'first'))[0][1]).to.contain('one');
    expect(await entries(store, 'error')).to.deep.equal([]);
  });

  it('are named in messages as they are typed', async () => {
    const [store, file] = [await stores.path(), await stores.path('twice.csv')];
    await writeFile(file, 'id,id\n1,2\n');
    const result = await cliHere(['import', store, 'twice', file, '--key', 'id']);
    expect(result.status).to.equal(1);
    expect(result.stderr).to.contain('more than one column').and.contain('(here: --columns and --no-header)');
    const sorted = await cliHere(['sort', file, '--key', 'id']);
    expect(sorted.stderr).to.contain('(here: --columns and --no-header)');
    const [other, rejects] = [await stores.path('other.csv'), await stores.path('bad.ndjson')];
    await writeFile(file, 'id,a\n1\n');
    await writeFile(other, 'id,a\n2\n');
    const words = ['--key', 'id', '--rejects', rejects, '--max-rejects', '1'];
    expect((await cliHere(['import', store, 'rows', file, ...words])).status).to.equal(0);
    const refused = await cliHere(['import', store, 'rows', other, ...words, '--restart']);
    expect(refused.status).to.equal(1);
    expect(refused.stderr).to.contain(rejects).and.contain('(here: --rejects)');
    expect(await cliHere(['import', store, 'rows', file, ...words, '--restart'])).to.include({ status: 0 });
  });

  it('--rejects-bucket keeps rejects in the store, with their lines', async () => {
    const store = await stores.path('shop.db');
    const file = await stores.path('orders.csv');
    await writeFile(file, 'id,word\n1,one\n2\n,three\n');
    const words = ['--key', 'id', '--rejects-bucket', 'bad', '--max-rejects', '2'];
    const result = await cliHere(['import', store, 'words', file, ...words]);
    expect(result, result.stderr).to.include({ status: 0 });
    expect(result.stderr).to.contain('2 rejected').and.not.contain('line 3');
    const bad = (await entries(store, 'bad')).map(([, value]) => JSON.parse(value) as { line: number });
    expect(bad.map(({ line }) => line)).to.deep.equal([3, 4]);
    const both = await cliHere(['import', store, 'words', file, ...words, '--rejects', 'x']);
    expect(both.status).to.equal(2);
  });

  it('--checkpoint has standard input gone on with, --restart begins anew', async () => {
    const store = await stores.path('shop.db');
    const input = `id\n${Array.from({ length: 60_000 }, (_, id) => String(100_000 + id)).join('\n')}\n`;
    const words = ['import', store, 'ids', '-', '--format', 'csv', '--key', 'id', '--checkpoint', 'nightly'];
    const bad = await cli([...words, '--commit-every', '1', '--max-rejects', '0'], {
      input: `${input}a,b\n`,
    });
    expect(bad.status, bad.stderr).to.equal(1);
    const mended = await cli(words, { input: `${input}200000\n` });
    expect(mended.stderr).to.contain('went on at line').and.contain('imported 60,001 rows');
    const file = await stores.path('ids.csv');
    await writeFile(file, input);
    const ofFile = ['import', store, 'ids', file, '--key', 'id'];
    expect((await cliHere(ofFile)).stderr).to.contain('60,000 of them with a key that was there already');
    expect((await cliHere(ofFile)).stderr).to.contain('nothing is left to do');
    expect((await cliHere([...ofFile, '--restart'])).stderr).to.contain('imported 60,000 rows');
  });

  it('that fails before a commit leaves no store that it made', async () => {
    const store = await stores.path('shop.db');
    const file = await stores.path('orders.csv');
    await writeFile(file, 'id,word\n1,one\n0,nought\n');
    const failing: Array<[status: number, ...words: string[]]> = [
      [2, '--key', 'nosuch'],
      [1, '--key', 'id', '--sorted'],
      [2, '--key', 'id', '--delimiter', 'tab'],
      [1, '--key', 'id:date', '--max-rejects', '0'],
    ];
    for (const [status, ...words] of failing) {
      const result = await cliHere(['import', store, 'orders', file, ...words]);
      expect(result.status, result.stderr).to.equal(status);
      expect(await readdir(dirname(store)), words.join(' ')).to.deep.equal(['orders.csv']);
    }
    // A store that was there stays, however empty it is.
    await stores.close(await stores.openAt(store));
    expect((await cliHere(['import', store, 'orders', file, '--key', 'nosuch'])).status).to.equal(2);
    expect(existsSync(store)).to.equal(true);
  });
});
