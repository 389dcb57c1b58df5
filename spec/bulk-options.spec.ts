// lib/bulk-options.ts: loads that are atomic, and those that save their position.

import type { Bucket } from 'btree-store';
import { expect } from 'chai';
import { rejected } from './helpers/errors.js';
import { expectBucket, load, modelOf, pairs } from './helpers/loads.js';
import { numberedKeys, putAll } from './helpers/ranges.js';
import { useStores } from './helpers/store.js';

describe('bulk load with', () => {
  const stores = useStores();

  describe('atomic', () => {
    it('publishes nothing before the end', async () => {
      const db = await stores.openMemory();
      await load(db.bucket('b'), [['before', '1']]);
      const { sequence } = db.stats();
      const writer = db.bucket('b').bulkWriter({ atomic: true, commitEvery: { entries: 10 } });
      for (const [key, value] of pairs(0, 40_000)) if (!writer.add(key, value)) await writer.drained();
      expect(db.stats().sequence).to.equal(sequence);
      expect(db.bucket('b').range().count()).to.equal(1);
      const report = await writer.finish();
      expect(report.commits).to.equal(1);
      expect(db.bucket('b').range().count()).to.equal(40_001);
    });

    it('cannot be committed in parts', async () => {
      const db = await stores.openMemory();
      const writer = db.bucket('b').bulkWriter({ atomic: true });
      writer.add('a', '1');
      const error = await rejected('INVALID_OPTION', writer.commit());
      expect(error.message).to.contain('atomic');
      expect([...db.buckets()]).to.deep.equal([]);
      writer.destroy();
    });

    const ends: Array<
      [what: string, end: (writer: ReturnType<Bucket['bulkWriter']>, stop: AbortController) => void]
    > = [
      ['destroy', (writer) => void writer.destroy()],
      ['destroy with an error', (writer) => void writer.destroy(new Error('stop'))],
      ['its signal', (_writer, stop) => stop.abort()],
    ];
    for (const [what, end] of ends) {
      it(`leaves nothing behind when it is ended by ${what}`, async () => {
        const db = await stores.open();
        await putAll(db, 'b', numberedKeys(100, 'a'), () => 'before');
        const { pages, freePages } = db.stats();
        const stop = new AbortController();
        const writer = db.bucket('b').bulkWriter({ atomic: true, signal: stop.signal });
        writer.on('error', () => undefined);
        for (const [key, value] of pairs(0, 40_000)) if (!writer.add(key, value)) await writer.drained();
        end(writer, stop);
        await new Promise((resolve) => writer.once('close', resolve));
        expect(db.bucket('b').range().count()).to.equal(100);
        const after = db.stats();
        expect(after.freePages - freePages).to.equal(after.pages - pages);
      });
    }
  });

  describe('checkpoints', () => {
    it('are saved with the entries they describe, and read back after reopening', async () => {
      let db = await stores.open();
      const positions: unknown[] = [
        { line: 10, file: 'a.csv' },
        7,
        'text',
        null,
        [1, [2]],
        false,
        'x'.repeat(10_000),
      ];
      for (const [i, position] of positions.entries()) {
        const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
        for (const [key, value] of pairs(i * 10, i * 10 + 10)) writer.add(key, value);
        await writer.commit(position);
        writer.add('lost', '1');
        writer.destroy();
        await new Promise((resolve) => writer.once('close', resolve));
        expect(db.bucket('b').bulkCheckpoint('import')).to.deep.equal(position);
        db = await stores.reopen(db);
        expect(db.bucket('b').bulkCheckpoint('import')).to.deep.equal(position);
        expectBucket(db.bucket('b'), modelOf(pairs(0, i * 10 + 10)));
      }
    });

    it('may be many for one bucket, each under its name, whatever that is', async () => {
      const db = await stores.open();
      for (const [name, position] of [
        ['one', 1],
        ['__proto__', 2],
        ['constructor', 3],
        ['toString', 4],
        ['grün', 5],
      ] as const) {
        expect(db.bucket('b').bulkCheckpoint(name), name).to.equal(undefined);
        const writer = db.bucket('b').bulkWriter({ checkpoint: name });
        await writer.commit(position);
        await writer.finish();
        expect(db.bucket('b').bulkCheckpoint(name), name).to.equal(position);
        expect(db.bucket('b').bulkCheckpoint('one')).to.equal(1);
      }
    });

    it('stay when the bucket is written otherwise, and go with it', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
      writer.add('a', '1');
      await writer.commit('here');
      await writer.finish();
      await db.bucket('b').put('b', '1');
      await load(db.bucket('b'), pairs(0, 100));
      await db.bucket('b').delete('a');
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal('here');
      await db.dropBucket('b');
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(undefined);
      await db.createBucket('b');
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(undefined);
    });

    it('are not saved by a load that is rolled back', async () => {
      const db = await stores.open();
      const writer = db.bucket('b').bulkWriter({ checkpoint: 'import', sorted: true });
      writer.add('b', '1');
      await writer.commit(1);
      writer.add('a', '1');
      await rejected('KEY_OUT_OF_ORDER', writer.commit(2));
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(1);
    });

    it('need a name, and a position that JSON can hold', async () => {
      const db = await stores.openMemory();
      const unnamed = db.bucket('b').bulkWriter();
      await rejected('INVALID_OPTION', unnamed.commit(1));
      for (const position of [7n, () => 1, Symbol('x')]) {
        const writer = db.bucket('b').bulkWriter({ checkpoint: 'import' });
        writer.add('a', '1');
        const error = await rejected('INVALID_OPTION', writer.commit(position));
        expect(error.message).to.contain('position');
      }
      expect(db.bucket('b').bulkCheckpoint('import')).to.equal(undefined);
      expect([...db.buckets()]).to.deep.equal([]);
    });
  });
});
