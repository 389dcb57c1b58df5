// lib/storage/store-open.ts, store-metas.ts and store-image.ts: which commit a file opens at, what is mended, and
// what is never touched.

import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import type { StoreDatabase } from '../../lib/database.js';
import { open } from '../../lib/database.js';
import { PAGE_SIZES, type PageSize } from '../../lib/format/page.js';
import type { Entry } from '../../lib/options.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { patterned } from '../helpers/bytes.js';
import { rejected } from '../helpers/errors.js';
import { seeded } from '../helpers/seed.js';
import { bytesAfter, bytesOf, fileOf, openBytes, openFile } from '../helpers/store-bytes.js';

const SECTOR = 512;

async function put(db: StoreDatabase, salt: number): Promise<void> {
  await db.write((tx) => {
    for (let i = 0; i < 20; i++) tx.bucket('b').put(`key ${i}`, patterned(200 + salt, salt + i));
  });
}

/** Two commits, each after a clean close, in a store with pages of this size. */
function twoCommits(pageSize: PageSize): Promise<Buffer[]> {
  return bytesAfter(
    pageSize,
    (db) => put(db, 1),
    (db) => put(db, 2),
  );
}

const entriesOf = (db: StoreDatabase): Entry[] => db.bucket('b').range().toArray();

async function entriesIn(bytes: Buffer): Promise<Entry[]> {
  const db = await openBytes(bytes);
  const entries = entriesOf(db);
  await db.close();
  return entries;
}

const generationOf = (bytes: Buffer, page: number, pageSize: number): bigint =>
  bytes.readBigUInt64LE(page * pageSize + 88);

/** Which of the two meta pages tells the newer checkpoint. */
const newerPage = (bytes: Buffer, pageSize: number): number =>
  generationOf(bytes, 0, pageSize) > generationOf(bytes, 1, pageSize) ? 0 : 1;

describe('opening a store', () => {
  for (const pageSize of PAGE_SIZES) {
    describe(`with pages of ${pageSize}`, () => {
      let first: Buffer;
      let second: Buffer;
      before(async () => {
        [first, second] = await twoCommits(pageSize);
      });

      it('finds the last commit and the page size by itself', async () => {
        const db = await openBytes(second, { pageSize: 4096 });
        expect(db.stats().pageSize).to.equal(pageSize);
        expect(db.recovery.metaPageDamaged).to.equal(false);
        expect(db.recovery.clean).to.equal(true);
        await db.close();
        expect(await entriesIn(second)).to.not.deep.equal(await entriesIn(first));
      });

      for (const which of ['newer', 'older'] as const) {
        it(`falls back on the other meta page when the ${which} one is torn at any sector`, async () => {
          const newer = newerPage(second, pageSize);
          const page = which === 'newer' ? newer : 1 - newer;
          const last = await entriesIn(second);
          for (const sector of [0, 1, 4, 7]) {
            const torn = Buffer.from(second);
            const at = page * pageSize + sector * SECTOR;
            crypto.randomFillSync(torn, at, SECTOR);
            const file = fileOf(torn);
            let db = await openFile(file);
            expect(db.recovery.metaPageDamaged).to.equal(true);
            expect(db.recovery.clean).to.equal(false);
            // The other one is of the same commit or of the one before.
            const found = entriesOf(db);
            if (which === 'older') expect(found).to.deep.equal(last);
            else expect([last, await entriesIn(first)]).to.deep.include(found);
            // The damaged one is made anew at once.
            expect((await db.check()).problems).to.deep.equal([]);
            await put(db, 3);
            expect((await db.check()).problems).to.deep.equal([]);
            await db.close();
            db = await openFile(file);
            expect(db.recovery.metaPageDamaged).to.equal(false);
            await db.close();
          }
        });
      }

      it('refuses a store of which neither meta page holds, and leaves it as it is', async () => {
        for (const sector of [0, 4]) {
          const torn = Buffer.from(second);
          for (const page of [0, 1]) torn[page * pageSize + sector * SECTOR + 100] ^= 1;
          const file = fileOf(torn);
          const error = await rejected('PAGE_CORRUPT', openFile(file));
          expect(error.details.page).to.be.oneOf([0, 1]);
          expect(bytesOf(file).equals(torn)).to.equal(true);
        }
      });

      it('refuses a file that was cut off at any page, and leaves it as it is', async () => {
        for (let pages = 1; pages < second.length / pageSize; pages++) {
          for (const length of [pages * pageSize, pages * pageSize - pageSize / 2]) {
            const file = fileOf(second.subarray(0, length));
            await rejected('PAGE_CORRUPT', openFile(file));
            expect(bytesOf(file).equals(second.subarray(0, length)), `${length} bytes`).to.equal(true);
          }
        }
      });

      it('refuses to read a file that was cut off, or reads what it has', async () => {
        const whole = await entriesIn(second);
        for (let pages = 2; pages < second.length / pageSize; pages++) {
          const db = await openBytes(second.subarray(0, pages * pageSize), { readOnly: true });
          try {
            expect(entriesOf(db)).to.deep.equal(whole);
          } catch (error) {
            await rejected('PAGE_CORRUPT', Promise.reject(error));
          }
          expect((await db.check()).ok).to.equal(false);
          await db.close();
        }
      });

      it('cuts off what follows the last page, and tells of it', async () => {
        for (const extra of [1, pageSize - 1, pageSize, 3 * pageSize + 5]) {
          const file = fileOf(Buffer.concat([second, patterned(extra, 9)]));
          const db = await openFile(file);
          expect(db.recovery.pagesReclaimed).to.equal(Math.ceil(extra / pageSize));
          expect(file.size()).to.equal(second.length);
          expect((await db.check()).problems).to.deep.equal([]);
          await db.close();
          expect(bytesOf(file).equals(second)).to.equal(true);
        }
      });

      it('changes nothing when it opens read-only, whatever there is', async () => {
        const damaged = Buffer.concat([second, patterned(100, 1)]);
        damaged[newerPage(second, pageSize) * pageSize + 70] ^= 1;
        const file = fileOf(damaged);
        const db = await openFile(file, { readOnly: true });
        expect(db.recovery.metaPageDamaged).to.equal(true);
        expect(entriesOf(db).length).to.equal(20);
        expect((await db.check()).problemCount).to.equal(1);
        await db.close();
        expect(bytesOf(file).equals(damaged)).to.equal(true);
      });
    });
  }

  describe('of which the making was cut short', () => {
    /** Remembers what was written, so that a crash can leave any part of it. */
    class Creation extends MemoryFile {
      readonly writes: Array<{ bytes: Buffer; position: number; synced: number }> = [];
      syncs = 0;

      override async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
        const bytes = Buffer.from(source.subarray(offset, offset + length));
        this.writes.push({ bytes, position, synced: this.syncs });
        await super.write(source, offset, length, position);
      }

      override async sync(): Promise<void> {
        this.syncs++;
      }
    }

    /** What is on the disk if a crash comes after `syncs` syncs and `keeps` says which later sectors got there. */
    function crashed(creation: Creation, syncs: number, keeps: (sector: number) => boolean): Buffer {
      const file = new MemoryFile();
      let sector = 0;
      for (const { bytes, position, synced } of creation.writes) {
        if (synced > syncs) break;
        for (let at = 0; at < bytes.length; at += SECTOR) {
          if (synced < syncs || keeps(sector++)) file.writeSync(bytes, at, SECTOR, position + at);
        }
      }
      return bytesOf(file);
    }

    for (const pageSize of PAGE_SIZES) {
      it(`is made anew, with pages of ${pageSize}`, async () => {
        const creation = new Creation();
        await (await openFile(creation, { pageSize })).close();
        expect(creation.syncs).to.be.at.least(2);
        const kept = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
        await fc.assert(
          fc.asyncProperty(fc.nat(creation.syncs), kept, fc.boolean(), async (syncs, sectors, most) => {
            const keeps = (sector: number): boolean =>
              sectors[sector % sectors.length] || (most && sector % 7 > 0);
            const file = fileOf(crashed(creation, syncs, keeps));
            let db = await openFile(file, { pageSize });
            expect([...db.buckets()]).to.deep.equal([]);
            await put(db, 1);
            await put(db, 2);
            expect((await db.check()).problems).to.deep.equal([]);
            await db.close();
            db = await openFile(file);
            expect(entriesOf(db).length).to.equal(20);
            await db.close();
          }),
          seeded(8),
        );
      });
    }
  });

  describe('never overwrites', () => {
    let folder = '';
    const place = (): string => path.join(folder, 'file');
    beforeEach(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'store-open-spec-'));
    });
    afterEach(() => fs.rmSync(folder, { recursive: true }));

    /** Opens the file in every way; it must be refused and stay as it is, with nothing left beside it. */
    async function expectRefused(bytes: Buffer, code: 'NOT_A_STORE' | 'PAGE_CORRUPT'): Promise<void> {
      fs.writeFileSync(place(), bytes);
      for (const readOnly of [false, true]) {
        for (const create of [true, false]) await rejected(code, open(place(), { readOnly, create }));
      }
      expect(fs.readFileSync(place()).equals(bytes)).to.equal(true);
      expect(fs.readdirSync(folder)).to.deep.equal(['file']);
    }

    const foreign: ReadonlyArray<[what: string, bytes: Buffer]> = [
      ['one byte', Buffer.from('x')],
      ['a text', Buffer.from('hello, this is no store\n'.repeat(300))],
      ['a text behind zeros', Buffer.concat([Buffer.alloc(8192), Buffer.from('data')])],
      ['zeros longer than a new store', Buffer.alloc(6 * 65536 + 1)],
      ['random bytes', crypto.randomBytes(20_000)],
      ['a long file', crypto.randomBytes(1_000_000)],
    ];
    for (const [what, bytes] of foreign) it(what, () => expectRefused(bytes, 'NOT_A_STORE'));

    for (const pageSize of PAGE_SIZES) {
      it(`a store of ${pageSize}-byte pages whose meta pages are both damaged, however small it is`, async () => {
        const [store] = await bytesAfter(pageSize, (db) => db.bucket('b').put('k', 'v'));
        for (const at of [60, 70, 2050]) {
          const damaged = Buffer.from(store);
          for (const page of [0, 1]) damaged[page * pageSize + at] ^= 0x40;
          await expectRefused(damaged, 'PAGE_CORRUPT');
        }
      });
    }

    it('a file of a store that was cut off within its first page', async () => {
      const [store] = await bytesAfter(4096, (db) => db.bucket('b').put('k', 'v'));
      for (const length of [100, 512, 2048]) await expectRefused(store.subarray(0, length), 'PAGE_CORRUPT');
      await expectRefused(store.subarray(0, 20), 'NOT_A_STORE');
    });

    it('a folder, or anything that is no file', async () => {
      fs.mkdirSync(place());
      await rejected('NOT_A_STORE', open(place()));
      await rejected('NOT_A_STORE', open('/dev/null'));
      expect(fs.readdirSync(folder)).to.deep.equal(['file']);
    });

    it('what is not there, when it is not to make it', async () => {
      await rejected('STORE_NOT_FOUND', open(place(), { create: false }));
      await rejected('STORE_NOT_FOUND', open(place(), { readOnly: true }));
      await rejected('STORE_NOT_FOUND', open(path.join(folder, 'none', 'file')));
      expect(fs.readdirSync(folder)).to.deep.equal([]);
    });

    it('a file beside it that is not its log', async () => {
      fs.writeFileSync(`${place()}.pending`, 'notes that someone keeps');
      await rejected('NOT_A_STORE', open(place()));
      expect(fs.readFileSync(`${place()}.pending`, 'utf8')).to.equal('notes that someone keeps');
    });
  });
});
