// lib/bucket.ts and readable-bucket.ts: single reads and writes, keys and values of every size.

import type { Bytes, Database } from 'btree-store';
import { expect } from 'chai';
import { numbered, patterned, readable, valueLengths } from './helpers/bytes.js';
import { raised, rejected } from './helpers/errors.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

const PAGE_SIZES = [4096, 65536] as const;

describe('bucket', () => {
  const stores = useStores();

  describe('get, has, put, update and delete', () => {
    it('do what they say, and tell whether the key was there', async () => {
      const bucket = (await stores.open()).bucket('b');
      expect(bucket.name).to.equal('b');
      expect(bucket.get('a')).to.equal(undefined);
      expect(bucket.has('a')).to.equal(false);
      expect(await bucket.put('a', '1')).to.equal(undefined);
      expect(bucket.get('a')).to.deep.equal(Buffer.from('1'));
      expect(bucket.has('a')).to.equal(true);
      await bucket.put('a', '2');
      expect(bucket.get('a')?.toString()).to.equal('2');
      expect(await bucket.update('a', '3')).to.equal(true);
      expect(bucket.get('a')?.toString()).to.equal('3');
      expect(await bucket.update('z', '3')).to.equal(false);
      expect(bucket.has('z')).to.equal(false);
      expect(await bucket.delete('a')).to.equal(true);
      expect(await bucket.delete('a')).to.equal(false);
      expect(bucket.get('a')).to.equal(undefined);
    });

    it('make no bucket where nothing is put', async () => {
      const db = await stores.openMemory();
      const bucket = db.bucket('b');
      bucket.get('a');
      await bucket.delete('a');
      await bucket.update('a', '1');
      expect(bucket.range().count()).to.equal(0);
      expect([...db.buckets()]).to.deep.equal([]);
      await bucket.put('a', '1');
      expect([...db.buckets()]).to.deep.equal([{ name: 'b', entries: 1 }]);
    });

    const same: Array<[what: string, bytes: Bytes, text: string]> = [
      ['a string', 'grün \u{1f33e}', 'grün \u{1f33e}'],
      ['a Buffer', Buffer.from('grün'), 'grün'],
      ['a Uint8Array', new Uint8Array([0x61, 0x00, 0xff - 0x9e]), 'a\0a'],
      ['a part of a longer array', new Uint8Array([1, 2, 0x61, 0x62, 3]).subarray(2, 4), 'ab'],
      ['bytes in shared memory', sharedBytes('shared'), 'shared'],
      ['an empty string', '', ''],
      ['an empty array', new Uint8Array(0), ''],
    ];
    for (const [what, bytes, text] of same) {
      it(`take ${what} as its bytes, for key and value`, async () => {
        const bucket = (await stores.openMemory()).bucket('b');
        await bucket.put(bytes, bytes);
        expect(bucket.get(bytes)).to.deep.equal(Buffer.from(text));
        expect(bucket.get(text)).to.deep.equal(Buffer.from(text));
        expect(bucket.get(Buffer.from(text))).to.deep.equal(Buffer.from(text));
        expect(readable(bucket.range().toArray())).to.deep.equal([
          [Buffer.from(text).toString('latin1'), Buffer.from(text).toString('latin1')],
        ]);
        expect(await bucket.update(Buffer.from(text), 'x')).to.equal(true);
        expect(await bucket.delete(new Uint8Array(Buffer.from(text)))).to.equal(true);
      });
    }

    function sharedBytes(text: string): Uint8Array {
      const bytes = new Uint8Array(new SharedArrayBuffer(text.length));
      bytes.set(Buffer.from(text));
      return bytes;
    }

    for (const given of [
      undefined,
      null,
      1,
      true,
      {},
      [1],
      new ArrayBuffer(2),
      new Uint16Array(2),
      Symbol('x'),
    ]) {
      it(`refuse ${String(Object.prototype.toString.call(given))} as key and as value`, async () => {
        const db = await stores.openMemory();
        const bucket = db.bucket('b');
        // From a program without types.
        const bytes = given as never;
        raised('INVALID_KEY', () => bucket.get(bytes));
        raised('INVALID_KEY', () => bucket.has(bytes));
        raised('INVALID_KEY', () => bucket.createValueReadStream(bytes));
        await rejected('INVALID_KEY', bucket.put(bytes, 'x'));
        await rejected('INVALID_KEY', bucket.delete(bytes));
        await rejected('INVALID_KEY', bucket.update(bytes, 'x'));
        const error = await rejected('INVALID_OPTION', bucket.put('a', bytes));
        expect(error.message).to.contain('value');
        await rejected('INVALID_OPTION', bucket.update('a', bytes));
        expect([...db.buckets()]).to.deep.equal([]);
      });
    }

    it('take the bytes before they return, so that the caller may use them again', async () => {
      const bucket = (await stores.open()).bucket('b');
      const key = Buffer.from('key');
      const value = Buffer.from('value');
      const putting = bucket.put(key, value);
      key.fill('x');
      value.fill('x');
      await putting;
      expect(readable(bucket.range().toArray())).to.deep.equal([['key', 'value']]);
      const again = Buffer.from('key');
      const other = Buffer.from('other');
      const updating = bucket.update(again, other);
      again.fill('x');
      other.fill('x');
      expect(await updating).to.equal(true);
      const third = Buffer.from('key');
      const deleting = bucket.delete(third);
      third.fill('x');
      expect(await deleting).to.equal(true);
      expect(bucket.range().count()).to.equal(0);
    });

    it('give copies, which stay and belong to the caller', async () => {
      const db = await stores.openMemory({ cacheBytes: 1 });
      await putAll(db, 'b', numberedKeys(2000), (i) => patterned(60, i));
      const bucket = db.bucket('b');
      const copies = numberedKeys(2000).map((key) => bucket.get(key));
      copies[0]?.fill(0);
      expect(bucket.get(numbered(0))).to.deep.equal(patterned(60, 0));
      await putAll(db, 'b', numberedKeys(2000), () => 'changed');
      copies.slice(1).forEach((copy, i) => {
        expect(copy).to.deep.equal(patterned(60, i + 1));
      });
    });
  });

  describe('keys', () => {
    for (const pageSize of PAGE_SIZES) {
      const most = pageSize / 4;
      it(`have at most a quarter of a page: ${most} bytes of ${pageSize}`, async () => {
        const db = await stores.openMemory({ pageSize });
        const bucket = db.bucket('b');
        await bucket.put(Buffer.alloc(most, 'k'), 'longest');
        expect(bucket.get('k'.repeat(most))?.toString()).to.equal('longest');
        // The bytes count, not the characters.
        await bucket.put('ü'.repeat(most / 2), 'bytes');
        for (const key of [Buffer.alloc(most + 1), 'k'.repeat(most + 1), `${'ü'.repeat(most / 2)}k`]) {
          const error = await rejected('KEY_TOO_LARGE', bucket.put(key, 'x'));
          expect(error.details).to.deep.equal({ bytes: most + 1, bytesMax: most });
          expect(error.message).to.contain(String(most));
          await rejected('KEY_TOO_LARGE', bucket.delete(key));
          await rejected('KEY_TOO_LARGE', bucket.update(key, 'x'));
          raised('KEY_TOO_LARGE', () => bucket.get(key));
          raised('KEY_TOO_LARGE', () => bucket.has(key));
          raised('KEY_TOO_LARGE', () => bucket.createValueReadStream(key));
        }
        expect(bucket.range().count()).to.equal(2);
      });

      it(`of the greatest length share a leaf with values of every size, pages of ${pageSize}`, async () => {
        const db = await stores.openMemory({ pageSize, cacheBytes: 1 });
        const expected = new Map<string, Buffer>();
        await db.write((tx) => {
          for (const [index, length] of valueLengths(pageSize).entries()) {
            for (const fill of ['\0', 'k', '\xff']) {
              const key = Buffer.concat([
                Buffer.alloc(most - 4, fill, 'latin1'),
                Buffer.from(numbered(index).slice(-4)),
              ]);
              tx.bucket('b').put(key, patterned(length, index));
              expected.set(key.toString('latin1'), patterned(length, index));
            }
          }
        });
        for (const [key, value] of expected)
          expect(
            db.bucket('b').get(Buffer.from(key, 'latin1'))?.equals(value),
            String(value.length),
          ).to.equal(true);
      });
    }

    it('sort as unsigned bytes, shorter first where one is a prefix', async () => {
      const bucket = (await stores.openMemory()).bucket('b');
      const keys = [
        '',
        '\0',
        '\0\0',
        '\0a',
        'a',
        'a\0',
        'aa',
        'b',
        '\x7f',
        '\x80',
        '\xff',
        '\xff\0',
        '\xff\xff',
      ];
      for (const key of [...keys].reverse()) await bucket.put(Buffer.from(key, 'latin1'), 'x');
      expect(readable(bucket.range().toArray()).map(([key]) => key)).to.deep.equal(keys);
    });
  });

  describe('values', () => {
    for (const pageSize of PAGE_SIZES) {
      for (const place of ['memory', 'file'] as const) {
        it(`of every size come back the same by every way, pages of ${pageSize} in a ${place}`, async () => {
          let db = await stores.openIn(place, { pageSize, cacheBytes: 1 });
          const lengths = [...valueLengths(pageSize), 1_000_000];
          await db.write((tx) => {
            lengths.forEach((length, i) => {
              tx.bucket('b').put(numbered(i), patterned(length, i));
            });
          });
          const check = async (bucket: ReturnType<Database['bucket']>, shift: number) => {
            for (const [i, length] of lengths.entries()) {
              const expected = patterned(length, i + shift);
              expect(bucket.get(numbered(i))?.equals(expected), `get ${length}`).to.equal(true);
              const chunks = await bucket.createValueReadStream(numbered(i)).toArray();
              expect(Buffer.concat(chunks).equals(expected), `stream ${length}`).to.equal(true);
            }
            let index = 0;
            for (const value of bucket.range().values()) {
              const length = lengths[index];
              expect(value.equals(patterned(length, index++ + shift)), `range ${length}`).to.equal(true);
            }
          };
          await check(db.bucket('b'), 0);
          if (place === 'file') db = await stores.reopen(db, { cacheBytes: 1 });
          await check(db.bucket('b'), 0);
          // Each is replaced by another size, and then by its own again.
          const bucket = db.bucket('b');
          await Promise.all(
            lengths.map((_, i) => bucket.put(numbered(i), patterned(lengths[(i + 7) % lengths.length], 99))),
          );
          for (const [i, length] of lengths.entries())
            expect(await bucket.update(numbered(i), patterned(length, i + 1))).to.equal(true);
          await check(bucket, 1);
          for (const i of lengths.keys()) expect(await bucket.delete(numbered(i))).to.equal(true);
          expect((await db.check()).pages.value).to.equal(0);
        }).timeout(30_000);
      }
    }

    it('as strings are their UTF-8 bytes', async () => {
      const bucket = (await stores.openMemory()).bucket('b');
      const text = 'grüße \u{1f33e} '.repeat(1000);
      await bucket.put('a', text);
      expect(bucket.get('a')?.toString()).to.equal(text);
    });
  });

  describe('a value read as a stream', () => {
    it('fails with KEY_NOT_FOUND where the key is not there', async () => {
      const db = await stores.openMemory();
      await rejected('KEY_NOT_FOUND', db.bucket('none').createValueReadStream('a').toArray());
      await db.bucket('b').put('b', '1');
      const error = await rejected('KEY_NOT_FOUND', db.bucket('b').createValueReadStream('a').toArray());
      expect(error.message).to.contain('"a"');
      expect(db.stats().snapshots).to.equal(0);
    });

    it('sees one commit, that of its first read, and holds it until its end', async () => {
      const db = await stores.open();
      const bucket = db.bucket('b');
      await bucket.put('a', patterned(2_000_000, 1));
      const stream = bucket.createValueReadStream('a');
      await bucket.put('a', patterned(2_000_000, 2));
      expect(db.stats().snapshots).to.equal(0);
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        if (chunks.length === 0) {
          expect(db.stats().snapshots).to.equal(1);
          await bucket.put('a', patterned(2_000_000, 3));
          await bucket.delete('a');
          await bucket.put('b', patterned(2_000_000, 4));
          await bucket.put('c', patterned(2_000_000, 5));
        }
        chunks.push(chunk);
      }
      expect(Buffer.concat(chunks).equals(patterned(2_000_000, 2))).to.equal(true);
      expect(db.stats().snapshots).to.equal(0);
    });

    it('hands out chunks that stay valid, few of them at a time', async () => {
      const db = await stores.open();
      await db.bucket('b').put('a', patterned(5_000_000, 1));
      const stream = db.bucket('b').createValueReadStream('a');
      let most = 0;
      const chunks: Buffer[] = [];
      for await (const chunk of stream) {
        chunks.push(chunk);
        most = Math.max(most, stream.readableLength);
      }
      expect(most).to.be.lessThan(1_000_000);
      expect(Buffer.concat(chunks).equals(patterned(5_000_000, 1))).to.equal(true);
    });

    it('lets its commit go when it is destroyed', async () => {
      const db = await stores.openMemory();
      await db.bucket('b').put('a', patterned(2_000_000, 1));
      const stream = db.bucket('b').createValueReadStream('a');
      for await (const _ of stream) break;
      expect(db.stats().snapshots).to.equal(0);
      const unread = db.bucket('b').createValueReadStream('a');
      unread.destroy();
      expect(db.stats().snapshots).to.equal(0);
    });
  });

  describe('in a read-only store', () => {
    it('reads all and refuses every write with READ_ONLY', async () => {
      const made = await stores.open();
      await made.bucket('b').put('a', '1');
      const db = await stores.reopen(made, { readOnly: true });
      const bucket = db.bucket('b');
      expect(bucket.get('a')?.toString()).to.equal('1');
      expect(bucket.range().count()).to.equal(1);
      await rejected('READ_ONLY', bucket.put('a', '2'));
      await rejected('READ_ONLY', bucket.delete('a'));
      await rejected('READ_ONLY', bucket.delete('none'));
      await rejected('READ_ONLY', bucket.update('a', '2'));
      raised('READ_ONLY', () => bucket.bulkWriter());
      expect(bucket.get('a')?.toString()).to.equal('1');
    });

    it('changes no byte of the file', async () => {
      const made = await stores.open();
      await putAll(made, 'b', numberedKeys(1000), (i) => patterned(60, i));
      const db = await stores.reopen(made, { readOnly: true });
      const before = db.stats();
      for (const _ of db.bucket('b').range());
      expect((await db.check()).ok).to.equal(true);
      expect(db.stats().bytesWritten).to.equal(before.bytesWritten).and.equal(0);
      expect(db.stats().syncs).to.equal(0);
    });
  });
});
