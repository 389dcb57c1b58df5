// lib/storage/temporary-files.ts: where temporary files lie, and that they go.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import { StoreError } from '../../lib/errors.js';
import { DiskFile } from '../../lib/storage/disk-file.js';
import { removeLeftovers, TemporaryFiles } from '../../lib/storage/temporary-files.js';
import { raised } from '../helpers/errors.js';

describe('temporary files', () => {
  let folder: string;
  let store: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'btree-store-'));
    store = path.join(folder, 'a.db');
  });

  afterEach(() => fs.rmSync(folder, { recursive: true }));

  it('lie beside the store, for its owner alone, until they are removed', async () => {
    const files = new TemporaryFiles(store);
    const one = files.create();
    const other = files.create();
    for (const { path: file } of [one, other]) {
      expect(file).to.match(/\/a\.db\.sort-[0-9a-f]{16}$/);
      expect(fs.statSync(file).mode & 0o777).to.equal(0o600);
    }
    await one.write(Buffer.from('run'), 0, 3, 0);
    const read = Buffer.alloc(3);
    await one.read(read, 0, 3, 0);
    expect(read.toString()).to.equal('run');
    await files.remove(one);
    expect(fs.readdirSync(folder)).to.deep.equal([path.basename(other.path)]);
    await files.remove(other);
    expect(fs.readdirSync(folder)).to.deep.equal([]);
    expect(raised('STORE_CLOSED', () => one.size())).to.be.an.instanceOf(StoreError);
  });

  it('of a store in memory have no name, and are there all the same', async () => {
    const files = new TemporaryFiles(undefined);
    const file = files.create();
    expect(path.dirname(file.path)).to.equal(os.tmpdir());
    expect(fs.existsSync(file.path)).to.equal(false);
    await file.write(Buffer.from('run'), 0, 3, 0);
    expect(file.size()).to.equal(3);
    await files.remove(file);
  });

  it('lose their names when the store is closed, and no other is made', async () => {
    const files = new TemporaryFiles(store);
    const file = files.create();
    files.forsake();
    expect(fs.readdirSync(folder)).to.deep.equal([]);
    // What is under way can still end.
    await file.write(Buffer.from('run'), 0, 3, 0);
    raised('STORE_CLOSED', () => files.create());
    await files.remove(file);
  });

  it('are gone though closing them fails', async () => {
    const files = new TemporaryFiles(store);
    const file = files.create();
    if (!(file instanceof DiskFile)) throw new Error('a file on the disk was expected');
    fs.closeSync(file.descriptor);
    await files.remove(file);
    expect(fs.readdirSync(folder)).to.deep.equal([]);
  });

  it('that cannot be made raise IO_ERROR with the cause', () => {
    const files = new TemporaryFiles(path.join(folder, 'no', 'such', 'folder', 'a.db'));
    const error = raised('IO_ERROR', () => files.create());
    expect(error.cause).to.include({ code: 'ENOENT' });
  });

  it('left by another process are removed, and nothing else', () => {
    const leftovers = ['a.db.sort-0123456789abcdef', 'a.db.sort-ffffffffffffffff'];
    const others = [
      'a.db',
      'a.db.pending',
      'a.db.sort-',
      'a.db.sort-0123456789abcde',
      'a.db.sort-0123456789abcdef0',
      'a.db.sort-0123456789ABCDEF',
      'a.db.sort-0123456789abcdef.bak',
      'b.db.sort-0123456789abcdef',
      'aXdb.sort-0123456789abcdef',
      'xa.db.sort-0123456789abcdef',
    ];
    for (const name of [...leftovers, ...others]) fs.writeFileSync(path.join(folder, name), '');
    removeLeftovers(store);
    expect(fs.readdirSync(folder)).to.have.members(others);
  });

  it('are looked for in vain where the folder is gone', () => {
    removeLeftovers(path.join(folder, 'no', 'a.db'));
  });
});
