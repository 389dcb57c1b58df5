// lib/key-bytes.ts: keys, values and bounds that cannot be stored as they are.

import { importNdjson } from 'btree-store';
import { expect } from 'chai';
import { raised, rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

const HALF = 'a\ud83d';

describe('keys and values', () => {
  const stores = useStores();

  it('with half of a surrogate pair are refused everywhere: as U+FFFD two of them would be one', async () => {
    const db = await stores.openMemory();
    const bucket = db.bucket('b');
    const first = await rejected('INVALID_KEY', bucket.put(HALF, 'v'));
    expect(first.message).to.contain('a key has half of a surrogate pair (\\ud83d) as its character 2');
    expect(first.details).to.deep.equal({ at: 1 });
    await rejected('INVALID_KEY', bucket.delete(HALF));
    await rejected('INVALID_KEY', bucket.update(HALF, 'v'));
    raised('INVALID_KEY', () => bucket.get(HALF));
    raised('INVALID_KEY', () => bucket.has(HALF));
    raised('INVALID_KEY', () => bucket.createValueReadStream(HALF));
    raised('INVALID_KEY', () => bucket.createValueWriteStream(HALF));
    for (const bound of ['gt', 'gte', 'lt', 'lte', 'prefix'])
      raised('INVALID_KEY', () => bucket.range({ [bound]: HALF }));
    const value = await rejected('INVALID_OPTION', bucket.put('k', HALF));
    expect(value.message).to.contain('a value has half of a surrogate pair');
    const writer = bucket.bulkWriter();
    raised('INVALID_KEY', () => writer.add(HALF, 'v'));
    raised('INVALID_OPTION', () => writer.add('k', HALF));
    writer.add('\ud83d\ude00', 'a whole pair');
    await writer.finish();
    await db.write((tx) => {
      raised('INVALID_KEY', () => tx.bucket('b').put(HALF, 'v'));
      raised('INVALID_OPTION', () => tx.bucket('b').put('k', HALF));
      raised('INVALID_KEY', () => tx.bucket('b').deleteRange({ gte: HALF }));
    });
    expect(bucket.range().toArray().map(String)).to.deep.equal(['\ud83d\ude00,a whole pair']);
  });

  it('of other types are refused, each by its name', async () => {
    const db = await stores.openMemory();
    const bucket = db.bucket('b');
    for (const [key, shown] of [
      [7, 'a number'],
      [undefined, 'undefined'],
      [null, 'null'],
      [['a'], 'an array'],
      [{}, 'an object'],
      [new Date(), 'an object'],
      [7n, 'a bigint'],
    ] as Array<[never, string]>) {
      const error = await rejected('INVALID_KEY', bucket.put(key, 'v'));
      expect(error.message).to.contain(`not ${shown}:`).and.not.contain('a undefined');
      expect(raised('INVALID_KEY', () => bucket.get(key)).message).to.contain(`not ${shown}:`);
      expect((await rejected('INVALID_OPTION', bucket.put('k', key))).message).to.contain(`not ${shown}:`);
    }
  });

  it('in an import are rejects, as the JSON of a row may have such a half', async () => {
    const db = await stores.openMemory();
    const lines = ['{"id":"a","v":"\\ud83d"}\n{"id":"\\ud83d"}\n'];
    const report = await importNdjson(db.bucket('b'), toBytes(lines), { key: 'id' });
    expect(report).to.include({ rows: 1, rejected: 1 });
  });
});

async function* toBytes(lines: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const line of lines) yield Buffer.from(line);
}
