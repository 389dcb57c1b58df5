// lib/storage/value-scan.ts, by way of ranges over a bucket: every large value as it was put, in few reads.

import { expect } from 'chai';
import fc from 'fast-check';
import { patterned } from '../helpers/bytes.js';
import { openCounted } from '../helpers/counted-store.js';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const keyOf = (index: number): string => String(index).padStart(6, '0');

describe('value scan', () => {
  const stores = useStores();

  it('gives each value as it was put, of whatever length and in whatever order they were written', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(fc.nat(3000), fc.nat(9000), fc.nat(70_000), fc.constantFrom(4064, 4065, 4576, 4577)),
          {
            minLength: 1,
            maxLength: 40,
          },
        ),
        fc.boolean(),
        async (lengths, shuffled) => {
          const db = await stores.openMemory();
          const bucket = db.bucket('b');
          const order = lengths.map((_, index) => index);
          if (shuffled) order.sort((a, b) => ((a * 7919) % 31) - ((b * 7919) % 31));
          for (const index of order) await bucket.put(keyOf(index), patterned(lengths[index], index));
          for (const reverse of [false, true]) {
            const seen: number[] = [];
            const check = (key: Buffer, value: Buffer): void => {
              const index = Number(key.toString());
              expect(value.equals(patterned(lengths[index], index)), `value ${index}`).to.equal(true);
              seen.push(index);
            };
            for (const [key, value] of bucket.range({ reverse })) check(key, value);
            for await (const [key, value] of bucket.range({ reverse })) check(key, value);
            const kept = await bucket.range({ reverse }).toReadable().toArray();
            for (const [key, value] of kept as [Buffer, Buffer][]) check(key, value);
            const once = lengths.map((_, index) => (reverse ? lengths.length - 1 - index : index));
            expect(seen).to.deep.equal([...once, ...once, ...once]);
          }
        },
      ),
      { numRuns: 30 },
    ));

  it('reads many values in few reads, and only what is asked for where they lie apart', async () => {
    const counted = await openCounted(await stores.path());
    const writer = counted.db.bucket('b').bulkWriter({ sorted: true });
    for (let index = 0; index < 2000; index++) {
      if (!writer.add(keyOf(index), patterned(4096, index))) await writer.drained();
    }
    await writer.finish();
    const { file } = counted.store;
    const readSync = file.readSync.bind(file);
    let reads = 0;
    file.readSync = (...given) => {
      reads++;
      return readSync(...given);
    };
    const readsOf = (step: number, reverse = false): number => {
      reads = 0;
      let index = 0;
      for (const [key, value] of counted.db.bucket('b').range({ reverse })) {
        if (index++ % step === 0)
          expect(value.equals(patterned(4096, Number(key.toString())))).to.equal(true);
      }
      return reads;
    };
    readsOf(1);
    expect(readsOf(1)).to.be.below(2000 / 20);
    expect(readsOf(1, true)).to.be.below(2200);
    await counted.db.close();
  });

  it('is not misled by values that change beside it', async () => {
    const db = await stores.open({ cacheBytes: 1 });
    const bucket = db.bucket('b');
    const put = (round: number): Promise<void> =>
      db.write((tx) => {
        for (let index = 0; index < 300; index++)
          tx.bucket('b').put(keyOf(index), patterned(5000 + round, index + round));
      });
    await put(0);
    const iterator = bucket.range()[Symbol.iterator]();
    for (let index = 0; index < 300; index++) {
      if (index % 20 === 0) await put(1 + index);
      const { value } = iterator.next() as IteratorYieldResult<[Buffer, Buffer]>;
      expect(value[1].equals(patterned(5000, index)), `value ${index}`).to.equal(true);
    }
    expect(iterator.next().done).to.equal(true);
  });

  it('tells of a page that does not hold', async () => {
    const counted = await openCounted(await stores.path());
    const { db } = counted;
    await db.write((tx) => {
      for (let index = 0; index < 50; index++)
        tx.bucket('b').put(keyOf(index), Buffer.alloc(6000, `value ${index};`));
    });
    await counted.store.checkpointNow();
    const bytes = Buffer.alloc(counted.store.file.size());
    counted.store.file.readSync(bytes, 0, bytes.length, 0);
    const at = bytes.indexOf('value 30;value 30;');
    counted.store.file.writeSync(Buffer.from([bytes[at] ^ 1]), 0, 1, at);
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const [key] of db.bucket('b').range()) seen.push(key.toString());
    };
    await rejected('PAGE_CORRUPT', read());
    expect(seen).to.deep.equal(Array.from({ length: 30 }, (_, index) => keyOf(index)));
    counted.store.file.writeSync(Buffer.from([bytes[at]]), 0, 1, at);
    await db.close();
  });
});
