// lib/cli/get.ts, put.ts, delete.ts: one entry from the command line.

import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { patterned } from '../helpers/bytes.js';
import { cli, cliHere } from '../helpers/cli.js';
import { useStores } from '../helpers/store.js';

const stores = useStores();

describe('btree-store get, put and delete', function () {
  this.timeout(60_000);

  it('put, read and delete a value, and tell by the exit status whether the key was there', async () => {
    const store = await stores.path('shop.db');
    expect(await cliHere(['put', store, 'users', 'ada', '{"born":1815}'])).to.include({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(await cli(['get', store, 'users', 'ada'])).to.include({
      status: 0,
      stdout: '{"born":1815}',
      stderr: '',
    });
    expect(await cliHere(['put', store, 'users', 'ada', '--', '-1'])).to.include({ status: 0 });
    expect(await cliHere(['get', store, 'users', 'ada'])).to.include({ status: 0, stdout: '-1' });
    expect(await cliHere(['delete', store, 'users', 'ada'])).to.include({
      status: 0,
      stdout: '',
      stderr: '',
    });
    for (const command of ['get', 'delete']) {
      const missing = await cliHere([command, store, 'users', 'ada']);
      expect(missing).to.include({ status: 1, stdout: '' });
      expect(missing.stderr).to.equal('btree-store: there is no key "ada" in the bucket "users"\n');
    }
  });

  it('take and give any bytes, of any length, under any key', async () => {
    const store = await stores.path('shop.db');
    const bytes = patterned(1_000_000, 3);
    expect(await cli(['put', store, 'files', 'a\\x00\\xff', '--escapes'], { input: bytes })).to.include({
      status: 0,
    });
    const got = await cli(['get', store, 'files', 'a\\x00\\xff', '--escapes']);
    expect(got.status).to.equal(0);
    expect(got.stdoutBytes.equals(bytes)).to.equal(true);
    expect(await cli(['put', store, 'files', 'empty', '-'])).to.include({ status: 0 });
    const db = await stores.openAt(store);
    expect(Array.from(db.bucket('files').range().keys(), (key) => key.toString('latin1'))).to.deep.equal([
      'a\x00\xff',
      'empty',
    ]);
    expect(db.bucket('files').get('empty')).to.deep.equal(Buffer.alloc(0));
  });

  it('get and delete make no store', async () => {
    const store = await stores.path('nowhere.db');
    for (const command of ['get', 'delete']) {
      const result = await cliHere([command, store, 'users', 'ada']);
      expect(result).to.include({ status: 1, stdout: '' });
      expect(result.stderr).to.match(/^btree-store: [^\n]*nowhere\.db[^\n]*\n$/);
    }
    expect(existsSync(store)).to.equal(false);
  });
});
