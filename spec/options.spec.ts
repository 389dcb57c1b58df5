// lib/options.ts: what is said of options that are wrong.

import { importCsv, open } from 'btree-store';
import { expect } from 'chai';
import { raised, rejected } from './helpers/errors.js';
import { useStores } from './helpers/store.js';

/** Options as a program without types may give them. */
const given = (options: unknown): never => options as never;

describe('options that are wrong', () => {
  const stores = useStores();

  const opening: Array<[options: unknown, message: string]> = [
    [{ pageSize: 5000 }, 'open: pageSize must be 4096, 8192, 16384, 32768 or 65536, and is 5000'],
    [{ cacheBytes: -1 }, 'open: cacheBytes must be more than 0, and is -1'],
    [{ cacheBytes: 1.5 }, 'open: cacheBytes must be a whole number, and is 1.5'],
    [{ cacheBytes: '64' }, 'open: cacheBytes must be a number, and is "64"'],
    [{ readOnly: 1 }, 'open: readOnly must be true or false, and is 1'],
    [{ durability: 'some' }, 'open: durability must be "commit" or "none", and is "some"'],
    [{ syncOn: 'disk' }, 'open: syncOn must be "thread" or "loop", and is "disk"'],
    [{ pagesize: 4096 }, 'open: there is no option "pagesize": did you mean pageSize?'],
    [
      { colour: 'red', create: [] },
      'open: create must be true or false, and is an array; there is no option "colour"; there are readOnly, create, pageSize, cacheBytes, durability, syncOn',
    ],
    [7, 'open: what is given as options must be an object, and is 7'],
  ];
  for (const [options, message] of opening) {
    it(`of open are named: ${message}`, async () => {
      expect((await rejected('INVALID_OPTION', open(':memory:', given(options)))).message).to.equal(message);
    });
  }

  it('of a path too', async () => {
    expect((await rejected('INVALID_OPTION', open(''))).message).to.equal(
      'open: path must not be empty, and is ""',
    );
    const long = await rejected('INVALID_OPTION', open(given({})));
    expect(long.message).to.equal('open: path must be a string, and is an object');
  });

  it('of other calls are named in the same way', async () => {
    const db = await stores.openMemory();
    const bucket = db.bucket('b');
    const ranges: Array<[options: unknown, message: string]> = [
      [{ gte: 7 }, 'range: gte must be a string or a Uint8Array, and is 7'],
      [{ limit: -1 }, 'range: limit must be at least 0, and is -1'],
      [{ limit: Number.NaN }, 'range: limit must be a number, and is NaN'],
      [{ revers: true }, 'range: there is no option "revers": did you mean reverse?'],
    ];
    for (const [options, message] of ranges)
      expect(raised('INVALID_OPTION', () => bucket.range(given(options))).message).to.equal(message);
    const loads: Array<[options: unknown, message: string]> = [
      [{ fillFactor: 2 }, 'bulkWriter: fillFactor must be a number from 0.3 to 1, and is 2'],
      [{ fillFactor: 'full' }, 'bulkWriter: fillFactor must be a number from 0.3 to 1, and is "full"'],
      [{ sorted: 'yes' }, `bulkWriter: sorted must be true, false or 'auto', and is "yes"`],
      [{ commitEvery: { bytes: 0 } }, 'bulkWriter: commitEvery.bytes must be more than 0, and is 0'],
      [{ signal: {} }, 'bulkWriter: signal must be an AbortSignal, and is an object'],
    ];
    for (const [options, message] of loads)
      expect(raised('INVALID_OPTION', () => bucket.bulkWriter(given(options))).message).to.equal(message);
    const job = importCsv(bucket, 'nowhere.csv', given({ key: 'id', delimeter: ';' }));
    expect((await rejected('INVALID_OPTION', job)).message).to.equal(
      'importCsv: there is no option "delimeter": did you mean delimiter?',
    );
    const keyless = importCsv(bucket, 'nowhere.csv', given({}));
    expect((await rejected('INVALID_OPTION', keyless)).message).to.equal(
      'importCsv: key must be a column or path, or an array of one or more, and is undefined',
    );
  });

  it('of a function that is none are told', async () => {
    const db = await stores.openMemory();
    const write = await rejected('INVALID_OPTION', db.write(given(undefined)));
    expect(write.message).to.equal(
      'write: a function that is given the transaction is needed, not undefined',
    );
    const read = raised('INVALID_OPTION', () => db.read(given('all')));
    expect(read.message).to.equal('read: a function that is given the snapshot is needed, not "all"');
    expect(db.stats().snapshots).to.equal(0);
    await db.bucket('b').put('a', 'the turn is free');
  });
});
