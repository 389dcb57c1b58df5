// lib/cli/buckets.ts, stat.ts, check.ts, drop.ts, compact.ts, backup.ts: a store as a whole.

import { existsSync } from 'node:fs';
import { open, readFile, stat, writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

async function smallStore(entries = 1000): Promise<string> {
  const db = await stores.open();
  await db.write((tx) => {
    for (let index = 0; index < entries; index++)
      tx.bucket('numbers').put(`${1000 + index}`, `value of ${index}`);
    tx.bucket('one').put('key', 'value');
  });
  await stores.close(db);
  return db.path;
}

describe('btree-store buckets, stat, check, drop, compact and backup', function () {
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
      .and.match(/^buckets +2$/m)
      .and.match(/^entries +1001$/m)
      .and.match(/^clean +true$/m);
    const figures = JSON.parse((await cliHere(['stat', store, '--json'])).stdout) as Record<string, number>;
    const db = await stores.openAt(store, { readOnly: true });
    const { cache, ...stats } = db.stats();
    expect(figures).to.include.keys([...Object.keys(stats), ...Object.keys(cache)]);
    const { pages, freePages, heldPages, fileBytes, sequence } = stats;
    expect(figures).to.include({ pages, freePages, heldPages, fileBytes, sequence });
    await stores.close(db);
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
    // The page is named once a line.
    expect(damaged.stdout).to.not.match(/page (\d+): page \1/);
  });

  it('drop deletes a bucket, and compact gives its room back', async () => {
    const store = await smallStore(20_000);
    const before = (await stat(store)).size;
    const dropped = await cliHere(['drop', store, 'numbers']);
    expect(dropped).to.include({
      status: 0,
      stdout: '',
      stderr: 'btree-store: dropped numbers with 20,000 entries\n',
    });
    const again = await cliHere(['drop', store, 'numbers']);
    expect(again).to.include({ status: 1, stdout: '' });
    expect(again.stderr).to.contain('there is no bucket "numbers"').and.contain('"one"');
    const compacted = await cliHere(['compact', store]);
    expect(compacted).to.include({ status: 0, stdout: '' });
    const after = (await stat(store)).size;
    expect(after).to.be.below(before);
    expect(compacted.stderr).to.match(/^btree-store: freed [\d,]+ bytes of [^\n]*, [\d,]+ pages? moved\n$/);
    expect((await cliHere(['get', store, 'one', 'key'])).stdout).to.equal('value');
    expect((await cliHere(['check', store])).status).to.equal(0);
  });

  it('backup makes a whole copy, never over a file that is there', async () => {
    const store = await smallStore();
    const copy = await stores.path('copy.db');
    const made = await cliHere(['backup', store, copy]);
    expect(made).to.include({ status: 0, stdout: '' });
    expect(made.stderr).to.match(/^btree-store: copied [^\n]* bytes\n$/);
    expect((await cliHere(['buckets', copy])).stdout).to.equal('numbers\t1000\none\t1\n');
    expect((await cliHere(['check', copy])).status).to.equal(0);
    const bytes = await readFile(copy);
    for (const target of [copy, store]) {
      const refused = await cliHere(['backup', store, target]);
      expect(refused).to.include({ status: 1, stdout: '' });
      expect(refused.stderr).to.contain('there is a file at').and.contain(target);
    }
    expect((await readFile(copy)).equals(bytes)).to.equal(true);
  });

  it('compact, drop and backup make no store where there is none', async () => {
    const nowhere = await stores.path('nowhere.db');
    for (const words of [
      ['compact', nowhere],
      ['drop', nowhere, 'x'],
      ['backup', nowhere, `${nowhere}.copy`],
    ]) {
      const result = await cliHere(words);
      expect(result).to.include({ status: 1, stdout: '' });
      expect(result.stderr).to.contain('there is no store at');
      expect(existsSync(nowhere) || existsSync(`${nowhere}.copy`)).to.equal(false);
    }
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
