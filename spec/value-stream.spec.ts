// Values as streams: every length comes back, other writers go on meanwhile, and nothing is left of one
// that did not finish.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

/** Bytes that tell where they are. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >>> 8) * 13 + (i >>> 16)) & 0xff;
  return bytes;
}

function* chunksOf(bytes: Buffer, length: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

describe('value streams', () => {
  const stores = useStores();

  for (const length of [
    0,
    1,
    1000,
    1025,
    4064,
    4096,
    65_535,
    65_536,
    65_537,
    70_000,
    4064 * 33,
    4064 * 33 + 1,
    4064 * 33 + 512,
    1_000_003,
  ]) {
    it(`write and read ${length} bytes, in chunks of any size`, async () => {
      const db = await stores.open();
      const files = db.bucket('files');
      const bytes = pattern(length);
      await pipeline(Readable.from(chunksOf(bytes, 10_007)), files.createValueWriteStream('a'));
      expect(files.get('a')?.equals(bytes)).to.equal(true);
      expect((await buffer(files.createValueReadStream('a'))).equals(bytes)).to.equal(true);
      const again = await stores.reopen(db);
      expect((await buffer(again.bucket('files').createValueReadStream('a'))).equals(bytes)).to.equal(true);
    });
  }

  it('are seen by no one before they finish, and hold up no other writer', async () => {
    const db = await stores.open();
    const files = db.bucket('files');
    const stream = files.createValueWriteStream('a');
    stream.write(pattern(500_000));
    await files.put('b', 'meanwhile');
    expect(files.has('a')).to.equal(false);
    expect((await db.check()).ok).to.equal(true);
    stream.end(pattern(10));
    await new Promise((resolve) => stream.once('close', resolve));
    expect(files.get('a')?.length).to.equal(500_010);
  });

  it('leave nothing behind when they are destroyed', async () => {
    const db = await stores.open();
    const files = db.bucket('files');
    const before = db.stats().pages - db.stats().freePages;
    const stream = files.createValueWriteStream('a');
    stream.on('error', () => undefined);
    stream.write(pattern(500_000));
    await files.put('b', 'meanwhile');
    stream.destroy(new Error('enough'));
    await new Promise((resolve) => stream.once('close', resolve));
    await files.delete('b');
    expect(files.has('a')).to.equal(false);
    // What is in use beside: an empty bucket has no page, its catalog one.
    const again = await stores.reopen(db);
    expect(again.stats().pages - again.stats().freePages).to.be.at.most(before + 1);
  });

  it('replace a value and give its pages back', async () => {
    const db = await stores.open();
    const files = db.bucket('files');
    for (let round = 0; round < 8; round++) {
      await pipeline(
        Readable.from(chunksOf(pattern(400_000 + round), 65_536)),
        files.createValueWriteStream('a'),
      );
    }
    expect(files.get('a')?.equals(pattern(400_007))).to.equal(true);
    expect(db.stats().pages).to.be.below(3.5 * 100);
  });

  it('read what was there at the first read, whatever is written then', async () => {
    const db = await stores.open();
    const files = db.bucket('files');
    await files.put('a', pattern(900_000));
    const stream = files.createValueReadStream('a');
    await new Promise((resolve) => stream.once('readable', resolve));
    await files.delete('a');
    for (let i = 0; i < 5; i++) await files.put(`other ${i}`, Buffer.alloc(900_000, i));
    expect((await buffer(stream)).equals(pattern(900_000))).to.equal(true);
  });

  it('fail with KEY_NOT_FOUND for a key that is not there', async () => {
    const db = await stores.open();
    await rejected('KEY_NOT_FOUND', buffer(db.bucket('files').createValueReadStream('none')));
  });
});
