// What opening makes of what an interrupted or damaged store left: nothing acknowledged is lost in silence.

import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'chai';
import { rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

function copyStore(from: string, to: string): void {
  for (const end of ['', '.pending']) fs.copyFileSync(from + end, to + end);
}

function flipByte(file: string, at: number): void {
  const bytes = fs.readFileSync(file);
  bytes[at] ^= 0x40;
  fs.writeFileSync(file, bytes);
}

describe('recovery', () => {
  const stores = useStores();

  it('does again every commit that the log tells of', async () => {
    const db = await stores.open();
    for (let i = 0; i < 20; i++) await db.bucket('b').put(`key ${i}`, `value ${i}`);
    const copy = await stores.path('copy.db');
    copyStore(db.path, copy);
    const reader = await stores.openAt(copy, { readOnly: true });
    expect(reader.bucket('b').range().count()).to.equal(20);
    expect(reader.recovery).to.include({ clean: false, commitsReplayed: 20 });
    await stores.close(reader);
    const again = await stores.openAt(copy);
    expect(again.bucket('b').range().count()).to.equal(20);
    const reopened = await stores.reopen(again);
    expect(reopened.recovery).to.include({ clean: true, commitsReplayed: 0 });
  });

  it('leaves out a last record that is torn', async () => {
    const db = await stores.open();
    for (let i = 0; i < 5; i++) await db.bucket('b').put(`key ${i}`, 'x'.repeat(100));
    const copy = await stores.path('copy.db');
    copyStore(db.path, copy);
    const log = fs.readFileSync(`${copy}.pending`);
    flipByte(`${copy}.pending`, log.lastIndexOf('x'.repeat(100)) + 50);
    const again = await stores.openAt(copy);
    expect(again.bucket('b').range().count()).to.equal(4);
  });

  it('refuses a log with damage before its last record', async () => {
    const db = await stores.open();
    for (let i = 0; i < 20; i++) await db.bucket('b').put(`key ${i}`, `value ${i}`);
    const copy = await stores.path('copy.db');
    copyStore(db.path, copy);
    flipByte(`${copy}.pending`, fs.readFileSync(`${copy}.pending`).indexOf('value 7'));
    await rejected('LOG_CORRUPT', stores.openAt(copy));
    fs.renameSync(`${copy}.pending`, `${copy}.log`);
    expect((await stores.openAt(copy)).bucket('b').range().count()).to.equal(0);
  });

  it('refuses the log of another store', async () => {
    const first = await stores.open();
    const second = await stores.open();
    await first.bucket('b').put('a', 'first');
    await second.bucket('b').put('a', 'second');
    const copy = await stores.path('copy.db');
    copyStore(first.path, copy);
    fs.copyFileSync(`${second.path}.pending`, `${copy}.pending`);
    await rejected('LOG_CORRUPT', stores.openAt(copy));
  });

  for (const page of [0, 1]) {
    it(`loses nothing of a store at rest whose meta page ${page} is damaged`, async () => {
      const db = await stores.open();
      for (let i = 0; i < 200; i++) await db.write((tx) => tx.bucket('b').put(`key ${i}`, `value ${i}`));
      await stores.close(db);
      flipByte(db.path, page * 4096 + 100);
      const again = await stores.openAt(db.path);
      expect(again.recovery.metaPageDamaged).to.equal(true);
      expect(again.bucket('b').range().count()).to.equal(200);
      const mended = await stores.reopen(again);
      expect(mended.recovery.metaPageDamaged).to.equal(false);
    });
  }

  it('is not misled by a change of the working folder', async () => {
    const folder = path.dirname(await stores.path());
    const before = process.cwd();
    for (const name of ['one', 'two']) fs.mkdirSync(path.join(folder, name));
    try {
      process.chdir(path.join(folder, 'one'));
      const one = await stores.openAt('same.db');
      await one.bucket('b').put('a', 'one');
      process.chdir(path.join(folder, 'two'));
      const two = await stores.openAt('same.db');
      await two.bucket('b').put('a', 'two');
      await stores.close(one);
      expect(fs.existsSync(path.join(folder, 'two', 'same.db.pending'))).to.equal(true);
      await stores.close(two);
    } finally {
      process.chdir(before);
    }
    expect(fs.readdirSync(path.join(folder, 'one'))).to.deep.equal(['same.db']);
    expect(fs.readdirSync(path.join(folder, 'two'))).to.deep.equal(['same.db']);
  });
});
