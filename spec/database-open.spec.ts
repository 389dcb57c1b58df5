// lib/database.ts: opening, what is refused, and what is left behind.

import fs from 'node:fs/promises';
import path from 'node:path';
import { type OpenOptions, open } from 'btree-store';
import { expect } from 'chai';
import { numbered, patterned } from './helpers/bytes.js';
import { rejected } from './helpers/errors.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('open', () => {
  const stores = useStores();

  for (const pageSize of [4096, 8192, 16384, 32768, 65536] as const) {
    for (const durability of ['commit', 'none'] as const) {
      it(`makes a store of pages of ${pageSize} with durability ${durability}, and opens it again`, async () => {
        const file = await stores.path();
        let db = await stores.openAt(file, { pageSize, durability });
        expect(db.path).to.equal(file);
        expect(db.stats().pageSize).to.equal(pageSize);
        await putAll(db, 'b', numberedKeys(500), (i) => patterned(100, i));
        await db.bucket('b').put('large', patterned(3 * pageSize, 1));
        // The page size of the file stays, whatever is asked.
        db = await stores.reopen(db, { pageSize: pageSize === 4096 ? 8192 : 4096 });
        expect(db.stats().pageSize).to.equal(pageSize);
        expect(db.bucket('b').range().count()).to.equal(501);
        expect(db.bucket('b').get(numbered(77))).to.deep.equal(patterned(100, 77));
        expect(db.bucket('b').get('large')).to.deep.equal(patterned(3 * pageSize, 1));
        expect(db.recovery.clean).to.equal(true);
      });
    }
  }

  it('has checkpoints of commits that wait for nothing, in a loop that waits for nothing else', async () => {
    const db = await stores.open({ durability: 'none' });
    for (let round = 0; round < 1200 && db.stats().checkpoints < 2; round++)
      await db.write((tx) => {
        for (let i = 0; i < 50; i++) tx.bucket('b').put(numbered(round * 50 + i), patterned(900, i));
      });
    expect(db.stats().checkpoints).to.equal(2);
  });

  it('keeps a store in memory apart from every other', async () => {
    const one = await stores.openMemory();
    const two = await stores.openMemory();
    expect(one.path).to.equal(':memory:');
    await one.bucket('b').put('a', '1');
    expect(two.bucket('b').has('a')).to.equal(false);
    await expectNoFile(':memory:');
  });

  it('tells in recovery that nothing was to be mended', async () => {
    const db = await stores.open();
    expect(db.recovery).to.include({ clean: true, metaPageDamaged: false, pagesReclaimed: 0, sequence: 0 });
    await db.bucket('b').put('a', '1');
    const again = await stores.reopen(db);
    expect(again.recovery).to.include({ clean: true, metaPageDamaged: false, pagesReclaimed: 0 });
    expect(again.recovery.sequence).to.equal(again.stats().sequence).and.be.greaterThan(0);
  });

  it('leaves one file behind, and nothing beside it, once closed', async () => {
    const db = await stores.open();
    await putAll(db, 'b', numberedKeys(1000), (i) => patterned(100, i));
    const folder = path.dirname(db.path);
    await stores.close(db);
    expect(await fs.readdir(folder)).to.deep.equal([path.basename(db.path)]);
  });

  it('takes a path with blanks and letters of every kind', async () => {
    const db = await stores.openAt(await stores.path('lager für ähren \u{1f33e}.db'));
    await db.bucket('b').put('a', '1');
    expect((await stores.reopen(db)).bucket('b').has('a')).to.equal(true);
  });

  it('takes a relative path', async () => {
    const file = path.relative(process.cwd(), await stores.path());
    const db = await stores.openAt(file);
    await db.bucket('b').put('a', '1');
    expect((await stores.reopen(db)).bucket('b').has('a')).to.equal(true);
  });

  describe('where there is no store', () => {
    for (const [what, name, options] of [
      ['create is false', 'none.db', { create: false }],
      ['it is to be read only', 'none.db', { readOnly: true }],
      ['its folder is not there', 'none/none.db', {}],
      ['its folder is a file', 'file/none.db', {}],
    ] as const) {
      it(`rejects with STORE_NOT_FOUND and makes nothing: ${what}`, async () => {
        const file = await stores.path(name);
        const folder = path.dirname(await stores.path('file'));
        await fs.writeFile(path.join(folder, 'file'), '');
        const error = await rejected('STORE_NOT_FOUND', open(file, options));
        expect(error.message).to.contain(file);
        expect(error.details.path).to.equal(file);
        expect(await fs.readdir(folder)).to.deep.equal(['file']);
      });
    }
  });

  describe('where there is something else', () => {
    const contents: Array<[what: string, bytes: Buffer]> = [
      ['a short text', Buffer.from('notes\n')],
      ['a text of some pages', Buffer.from('all work and no play\n'.repeat(2000))],
      ['one byte', Buffer.from('x')],
      ['four bytes', Buffer.from('abc\n')],
      ['thirty-nine bytes', Buffer.from('x'.repeat(39))],
      ['zeros longer than any empty store', Buffer.alloc(2_000_000)],
      ['a picture', patterned(50_000, 9)],
    ];
    for (const [what, bytes] of contents) {
      for (const options of [{}, { create: false }, { readOnly: true }] as const) {
        it(`rejects with NOT_A_STORE and changes nothing: ${what}, ${JSON.stringify(options)}`, async () => {
          const file = await stores.path();
          await fs.writeFile(file, bytes);
          const error = await rejected('NOT_A_STORE', open(file, options));
          expect(error.message).to.contain(file);
          expect(await fs.readFile(file)).to.deep.equal(bytes);
          expect(await fs.readdir(path.dirname(file))).to.deep.equal([path.basename(file)]);
          // It is not locked either.
          await rejected('NOT_A_STORE', open(file, options));
        });
      }
    }

    for (const options of [{}, { create: false }, { readOnly: true }] as const) {
      it(`rejects with NOT_A_STORE: a folder, ${JSON.stringify(options)}`, async () => {
        const folder = path.dirname(await stores.path());
        const error = await rejected('NOT_A_STORE', open(folder, options));
        expect(error.message).to.contain(folder);
        expect(await fs.readdir(folder)).to.deep.equal([]);
      });
    }

    it('rejects with NOT_A_STORE: an empty file that is to be read only', async () => {
      const file = await stores.path();
      await fs.writeFile(file, '');
      await rejected('NOT_A_STORE', open(file, { readOnly: true }));
      expect((await fs.stat(file)).size).to.equal(0);
    });

    it('makes a store of an empty file', async () => {
      const file = await stores.path();
      await fs.writeFile(file, '');
      const db = await stores.openAt(file);
      await db.bucket('b').put('a', '1');
      expect((await stores.reopen(db)).bucket('b').has('a')).to.equal(true);
    });
  });

  describe('options', () => {
    const invalid: Array<[name: string, options: Record<string, unknown>]> = [
      ['pageSize', { pageSize: 1024 }],
      ['pageSize', { pageSize: 4097 }],
      ['pageSize', { pageSize: '4096' }],
      ['pageSize', { pageSize: 131072 }],
      ['cacheBytes', { cacheBytes: 0 }],
      ['cacheBytes', { cacheBytes: -1 }],
      ['cacheBytes', { cacheBytes: 1.5 }],
      ['cacheBytes', { cacheBytes: Number.NaN }],
      ['cacheBytes', { cacheBytes: Number.POSITIVE_INFINITY }],
      ['readOnly', { readOnly: 1 }],
      ['create', { create: 'yes' }],
      ['durability', { durability: 'sync' }],
      ['syncOn', { syncOn: 'worker' }],
      ['readonly', { readonly: true }],
    ];
    for (const [name, options] of invalid) {
      it(`are refused with INVALID_OPTION: ${name} ${Object.values(options)[0]}`, async () => {
        const file = await stores.path();
        for (const place of [file, ':memory:']) {
          const error = await rejected('INVALID_OPTION', open(place, options as OpenOptions));
          expect(error.message).to.contain(name);
        }
        await expectNoFile(file);
      });
    }

    for (const given of [undefined, null, 42, {}, '', 'a\0b', Buffer.from('x')]) {
      it(`are refused with INVALID_OPTION: the path ${JSON.stringify(given)}`, async () => {
        // From a program without types.
        const error = await rejected('INVALID_OPTION', open(given as never));
        expect(error.message).to.contain('path');
      });
    }

    it('are refused with INVALID_OPTION: null in place of options', async () => {
      await rejected('INVALID_OPTION', open(':memory:', null as never));
    });

    it('may be left undefined one by one', async () => {
      const none = { readOnly: undefined, create: undefined, pageSize: undefined };
      const db = await stores.openMemory({
        ...none,
        cacheBytes: undefined,
        durability: undefined,
        syncOn: undefined,
      });
      expect(db.stats().pageSize).to.equal(4096);
    });
  });

  async function expectNoFile(file: string): Promise<void> {
    let found = true;
    await fs.stat(file).catch(() => {
      found = false;
    });
    expect(found, file).to.equal(false);
  }
});
