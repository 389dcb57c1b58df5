// lib/stream/: the streams of a range. Backpressure, exports, and an event loop that goes on.

import { type Readable, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bucket, Entry, Range } from 'btree-store';
import { expect } from 'chai';
import { firstValueFrom, tap, toArray } from 'rxjs';
import { expectEntries, numbered } from '../helpers/bytes.js';
import { raised, rejected } from '../helpers/errors.js';
import { filled, numberedKeys, putAll } from '../helpers/ranges.js';
import { useStores } from '../helpers/store.js';

describe('streams of a range', () => {
  const stores = useStores();

  describe('backpressure', () => {
    it('a slow consumer of toReadable holds the reading up', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      const { bucket } = await filled(db, numberedKeys(20_000), 100);
      const stream = bucket.range().toReadable();
      const before = db.stats().pagesRead;
      let taken = 0;
      let most = 0;
      const slow = new Writable({
        objectMode: true,
        highWaterMark: 1,
        write(_entry, _encoding, callback) {
          taken++;
          most = Math.max(most, stream.readableLength);
          if (taken === 100) {
            // A few leaves more than the mark of 256, of 600 leaves in all.
            expect(db.stats().pagesRead - before).to.be.lessThan(200);
          }
          if (taken <= 100) setImmediate(callback);
          else callback();
        },
      });
      await pipeline(stream, slow);
      expect(taken).to.equal(20_000);
      expect(most, 'entries in the buffer').to.be.lessThan(256 + 2 * 40);
    });

    it('a slow consumer of toNdjson holds the reading up', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      await db.write((tx) => {
        for (let i = 0; i < 20_000; i++)
          tx.bucket('b').put(numbered(i), JSON.stringify({ i, s: 'x'.repeat(100) }));
      });
      const chunkBytes = 4096;
      const stream = db.bucket('b').range().toNdjson({ chunkBytes });
      let bytes = 0;
      let most = 0;
      for await (const chunk of stream) {
        bytes += chunk.length;
        most = Math.max(most, stream.readableLength);
        await nextTurn();
      }
      expect(bytes).to.be.greaterThan(20_000 * 100);
      expect(most, 'bytes in the buffer').to.be.lessThan(8 * chunkBytes);
    });

    it('a slow reader of the web stream holds the reading up', async () => {
      const db = await stores.open({ cacheBytes: 1 });
      const { bucket } = await filled(db, numberedKeys(20_000), 100);
      const before = db.stats().pagesRead;
      const reader = bucket.range().toWebStream().getReader();
      await reader.read();
      for (let i = 0; i < 20; i++) await nextTurn();
      expect(db.stats().pagesRead - before).to.be.lessThan(200);
      await reader.cancel();
    });

    it('may be read in every manner at once without losing or repeating anything', async () => {
      for (const place of ['memory', 'file'] as const) {
        const db = await stores.openIn(place, { cacheBytes: 1 });
        const { bucket, model } = await filled(db, numberedKeys(4000), 200);
        const stream = bucket.range().toReadable();
        const seen: Entry[] = [];
        // read() in every turn asks for more while an earlier answer is still under way.
        for (let turn = 0; !stream.readableEnded; turn++) {
          for (let next = stream.read(); next !== null; next = stream.read()) seen.push(next);
          stream.read(0);
          await (turn % 3 === 0 ? nextTurn() : Promise.resolve());
        }
        expectEntries(seen, model.range());
      }
    });
  });

  describe('exports', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => ({
      id: String(i),
      note: i % 7 === 0 ? 'a,"b"' : `note ${i}`,
    }));
    async function rowsOf(): Promise<Bucket> {
      const db = await stores.openMemory();
      await putAll(db, 'b', numberedKeys(rows.length), (i) => JSON.stringify(rows[i]));
      return db.bucket('b');
    }
    const bytesOf = async (stream: Readable) => Buffer.concat(await stream.toArray()).toString('utf8');

    it('toNdjson has a line for each value', async () => {
      const bucket = await rowsOf();
      const expected = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
      expect(await bytesOf(bucket.range().toNdjson())).to.equal(expected);
      expect(await bytesOf(bucket.range().toNdjson({ chunkBytes: 1 }))).to.equal(expected);
    });

    it('hand out no more memory than what is in it needs', async () => {
      const bucket = await rowsOf();
      for (const limit of [1, 100, 600, 3000])
        for (const stream of [bucket.range({ limit }).toNdjson(), bucket.range({ limit }).toCsv()]) {
          const chunks = (await stream.toArray()) as Buffer[];
          expect(chunks.length).to.be.above(0);
          // Small ones are cut from the runtime's pool.
          for (const { buffer, length } of chunks)
            expect(buffer.byteLength).to.be.at.most(Math.max(2 * length, Buffer.poolSize));
        }
    });

    it('toNdjson follows bounds, direction and limit', async () => {
      const bucket = await rowsOf();
      const stream = bucket.range({ gte: numbered(10), reverse: true, limit: 2 }).toNdjson();
      expect(await bytesOf(stream)).to.equal(
        `${JSON.stringify(rows[2999])}\n${JSON.stringify(rows[2998])}\n`,
      );
    });

    it('toCsv has a header and a row for each value', async () => {
      const bucket = await rowsOf();
      const cell = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
      const lines = rows.map((row) => `${row.id},${cell(row.note)}\n`);
      expect(await bytesOf(bucket.range().toCsv())).to.equal(`id,note\n${lines.join('')}`);
      expect(await bytesOf(bucket.range({ limit: 1 }).toCsv({ delimiter: ';', header: false }))).to.equal(
        '0;a,"b"\n'.replace('a,"b"', '"a,""b"""'),
      );
      expect(await bytesOf(bucket.range({ limit: 1 }).toCsv({ columns: ['note', 'id', 'more'] }))).to.equal(
        'note,id,more\n"a,""b""",0,\n',
      );
    });

    it('an empty range has no bytes but the header that was asked for', async () => {
      const bucket = (await stores.openMemory()).bucket('none');
      expect(await bytesOf(bucket.range().toNdjson())).to.equal('');
      expect(await bytesOf(bucket.range().toCsv())).to.equal('');
      expect(await bytesOf(bucket.range().toCsv({ columns: ['a', 'b'] }))).to.equal('a,b\n');
    });

    it('chunks are about as long as was asked', async () => {
      const bucket = await rowsOf();
      const chunks: Buffer[] = [];
      const stream = bucket.range().toNdjson({ chunkBytes: 8192 });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      await finished(stream);
      expect(chunks.length).to.be.greaterThan(5);
      for (const chunk of chunks.slice(0, -1)) expect(chunk.length).to.be.within(8192, 8192 + 4096);
    });

    for (const face of ['toNdjson', 'toCsv'] as const) {
      it(`${face} fails with ROW_REJECTED at a value that is no row, and lets the snapshot go`, async () => {
        const db = await stores.openMemory();
        await db.write((tx) => {
          tx.bucket('b').put('a', '{"x":1}');
          tx.bucket('b').put('bad', 'no row');
        });
        const error = await rejected('ROW_REJECTED', db.bucket('b').range()[face]().toArray());
        expect(error.details.key).to.deep.equal(Buffer.from('bad'));
        expect(db.stats().snapshots).to.equal(0);
      });

      it(`${face} refuses options that are none`, async () => {
        const bucket = (await stores.openMemory()).bucket('b');
        for (const [name, options] of [
          ['chunkBytes', { chunkBytes: 0 }],
          ['chunkBytes', { chunkBytes: 'many' }],
          ['chunkByte', { chunkByte: 5 }],
        ] as const) {
          // Options from a program without types.
          const error = raised('INVALID_OPTION', () => bucket.range()[face](options as object));
          expect(error.message).to.contain(name);
        }
      });
    }
  });

  describe('the event loop', () => {
    /** Keeps the processor busy, as a consumer that computes does. */
    function work(milliseconds: number): void {
      const end = performance.now() + milliseconds;
      while (performance.now() < end);
    }
    // Each loop works for about 150 ms in all, and never waits for anything but the range.
    const loops: Record<string, (range: Range) => Promise<unknown>> = {
      'for await': async (range) => {
        for await (const _ of range) work(0.0075);
      },
      'for await of keys': async (range) => {
        for await (const _ of range.keys()) work(0.0075);
      },
      'for await of batches': async (range) => {
        for await (const _ of range.batches()) work(0.6);
      },
      toReadable: async (range) => {
        for await (const _ of range.toReadable()) work(0.0075);
      },
      toObservable: (range) =>
        firstValueFrom(
          range.toObservable().pipe(
            tap(() => work(0.0075)),
            toArray(),
          ),
        ),
      toNdjson: async (range) => {
        for await (const _ of range.toNdjson({ chunkBytes: 2000 })) work(0.9);
      },
    };
    for (const [loop, run] of Object.entries(loops)) {
      it(`goes on during a long ${loop} over data in memory`, async () => {
        const db = await stores.openMemory();
        await putAll(db, 'b', numberedKeys(20_000), () => '{"a":"some text"}');
        let fired = 0;
        const timer = setInterval(() => fired++, 1);
        await run(db.bucket('b').range());
        clearInterval(timer);
        expect(fired, 'timers while it ran').to.be.greaterThan(5);
      });
    }
  });
});
