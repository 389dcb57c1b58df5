// lib/storage/file-lock.ts, through `open`: one writer or many readers, in one process and between processes.

import fs from 'node:fs/promises';
import { open } from 'btree-store';
import { expect } from 'chai';
import { Child } from '../helpers/child.js';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

describe('the lock of a store', () => {
  const stores = useStores();
  const children: Child[] = [];

  afterEach('no other process is left', async () => {
    for (const child of children.splice(0)) await child.kill();
  });

  async function holder(file: string, mode: 'read' | 'write'): Promise<Child> {
    const child = new Child('./child-holder.ts', [file, mode]);
    children.push(child);
    expect(await child.line()).to.equal('open');
    return child;
  }

  async function madeStore(): Promise<string> {
    const db = await stores.open();
    await db.bucket('b').put('a', '1');
    await stores.close(db);
    return db.path;
  }

  describe('in one process', () => {
    it('refuses a second writer with STORE_LOCKED and this process’s id', async () => {
      const db = await stores.open();
      for (const options of [{}, { create: false }, { durability: 'none' }] as const) {
        const error = await rejected('STORE_LOCKED', open(db.path, options));
        expect(error.details).to.deep.equal({ path: db.path, pid: process.pid });
        expect(error.message).to.contain(String(process.pid)).and.contain(db.path);
      }
      await db.bucket('b').put('a', '1');
    });

    it('refuses a reader beside a writer, and tells whose', async () => {
      const db = await stores.open();
      const error = await rejected('STORE_LOCKED', open(db.path, { readOnly: true }));
      expect(error.details.pid).to.equal(process.pid);
      await db.bucket('b').put('a', '1');
    });

    it('refuses a writer beside a reader', async () => {
      const file = await madeStore();
      await stores.openAt(file, { readOnly: true });
      await rejected('STORE_LOCKED', open(file));
    });

    it('takes many readers at once', async () => {
      const file = await madeStore();
      const readers = await Promise.all([1, 2, 3].map(() => stores.openAt(file, { readOnly: true })));
      for (const reader of readers) expect(reader.bucket('b').get('a')?.toString()).to.equal('1');
      await stores.close(readers[0]);
      await rejected('STORE_LOCKED', open(file));
      expect(readers[1].bucket('b').get('a')?.toString()).to.equal('1');
    });

    it('is free again after close, and after an opening that failed', async () => {
      const file = await stores.path();
      await fs.writeFile(file, 'something else than a store');
      await rejected('NOT_A_STORE', open(file));
      await fs.rm(file);
      let db = await stores.openAt(file);
      await rejected('STORE_LOCKED', open(file));
      db = await stores.reopen(db);
      db = await stores.reopen(db, { readOnly: true });
      await stores.reopen(db);
    });

    it('holds one of several openings at once', async () => {
      const file = await stores.path();
      const results = await Promise.allSettled([1, 2, 3, 4].map(() => stores.openAt(file)));
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.length).to.equal(3);
      for (const { reason } of refused) expect(reason).to.include({ code: 'STORE_LOCKED' });
    });

    it('is of the file, whatever it is called', async () => {
      const db = await stores.open();
      const alias = await stores.path('alias.db');
      await fs.symlink(db.path, alias);
      await rejected('STORE_LOCKED', open(alias));
    });
  });

  describe('between processes', () => {
    it('refuses everyone beside a writer, tells its process id, and is free at once when that is killed', async () => {
      const file = await madeStore();
      const child = await holder(file, 'write');
      for (const options of [{}, { readOnly: true }]) {
        const error = await rejected('STORE_LOCKED', open(file, options));
        expect(error.details).to.deep.equal({ path: file, pid: child.pid });
        expect(error.message).to.contain(String(child.pid));
      }
      await child.kill();
      // The killed writer's note is still there; who holds the store now is a reader that leaves none.
      const reader = await stores.openAt(file, { readOnly: true });
      const error = await rejected('STORE_LOCKED', open(file));
      expect(error.details).to.deep.equal({ path: file });
      expect(error.message).to.not.contain(String(child.pid));
      await stores.close(reader);
      const db = await stores.openAt(file);
      expect(db.recovery.clean).to.equal(false);
      expect(db.bucket('b').get('a')?.toString()).to.equal('1');
    });

    it('takes a reader beside a reader, but no writer, and is free when both have closed', async () => {
      const file = await madeStore();
      const child = await holder(file, 'read');
      const reader = await stores.openAt(file, { readOnly: true });
      expect(reader.bucket('b').get('a')?.toString()).to.equal('1');
      await rejected('STORE_LOCKED', open(file));
      await stores.close(reader);
      await rejected('STORE_LOCKED', open(file));
      await child.stop();
      const db = await stores.openAt(file);
      expect(db.recovery.clean).to.equal(true);
    });
  });
});
