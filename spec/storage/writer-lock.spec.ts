// lib/storage/writer-lock.ts: order, and each way in which a wait can end.

import { expect } from 'chai';
import { StoreError } from '../../lib/errors.js';
import { WriterLock } from '../../lib/storage/writer-lock.js';
import { rejected } from '../helpers/errors.js';

const closed = (): StoreError => new StoreError('STORE_CLOSED', 'closed for the spec');

/** Lets every promise that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('writer lock', () => {
  it('is had at once while no one has it', async () => {
    const lock = new WriterLock();
    await lock.acquire();
    lock.release();
    await lock.acquire();
    expect(lock.waiting).to.equal(0);
  });

  it('goes to those who wait in the order in which they came', async () => {
    const lock = new WriterLock();
    const order: number[] = [];
    await lock.acquire();
    const turns = Array.from({ length: 20 }, async (_, turn) => {
      await lock.acquire();
      order.push(turn);
      await settle();
      lock.release();
    });
    expect(lock.waiting).to.equal(20);
    await settle();
    expect(order).to.deep.equal([]);
    lock.release();
    await Promise.all(turns);
    expect(order).to.deep.equal(Array.from({ length: 20 }, (_, turn) => turn));
    expect(lock.waiting).to.equal(0);
  });

  it('has one holder at a time', async () => {
    const lock = new WriterLock();
    let holders = 0;
    const turn = async (): Promise<void> => {
      await lock.acquire();
      expect(++holders).to.equal(1);
      await settle();
      holders--;
      lock.release();
    };
    await Promise.all(Array.from({ length: 30 }, turn));
  });

  it('refuses a signal that has fired already, though it is free', async () => {
    const lock = new WriterLock();
    const reason = new Error('enough');
    const error = await rejected('ABORTED', lock.acquire({ signal: AbortSignal.abort(reason) }));
    expect(error.cause).to.equal(reason);
    await lock.acquire();
  });

  it('lets go of one who waits when its signal fires, and of no one else', async () => {
    const lock = new WriterLock();
    await lock.acquire();
    const controller = new AbortController();
    const first = lock.acquire();
    const second = lock.acquire({ signal: controller.signal });
    const third = lock.acquire();
    const reason = new Error('changed my mind');
    controller.abort(reason);
    expect((await rejected('ABORTED', second)).cause).to.equal(reason);
    expect(lock.waiting).to.equal(2);
    lock.release();
    await first;
    lock.release();
    await third;
  });

  it('does nothing when a signal fires after its wait was over', async () => {
    const lock = new WriterLock();
    const controller = new AbortController();
    await lock.acquire();
    const waited = lock.acquire({ signal: controller.signal });
    const next = lock.acquire();
    lock.release();
    await waited;
    controller.abort();
    await settle();
    expect(lock.waiting).to.equal(1);
    lock.release();
    await next;
  });

  it('gives up after the time that was allowed', async () => {
    const lock = new WriterLock();
    await lock.acquire();
    const before = performance.now();
    const error = await rejected('CONFLICT', lock.acquire({ waitMilliseconds: 30 }));
    expect(performance.now() - before).to.be.above(25);
    expect(error.details.waitMilliseconds).to.equal(30);
    expect(lock.waiting).to.equal(0);
    lock.release();
    await lock.acquire();
  });

  it('is not lost to one whose time ran out as its turn came', async () => {
    const lock = new WriterLock();
    await lock.acquire();
    const waited = lock.acquire({ waitMilliseconds: 0 });
    lock.release();
    await waited;
    await new Promise((resolve) => setTimeout(resolve, 5));
    const next = lock.acquire();
    lock.release();
    await next;
  });

  describe('closed', () => {
    it('while it is free, refuses whoever comes', async () => {
      const lock = new WriterLock();
      await lock.close(closed());
      await rejected('STORE_CLOSED', lock.acquire());
    });

    it('while it is held, waits for the holder and refuses all others', async () => {
      const lock = new WriterLock();
      await lock.acquire();
      const waiting = [lock.acquire(), lock.acquire({ waitMilliseconds: 10_000 })];
      const refused = waiting.map((wait) => rejected('STORE_CLOSED', wait));
      let isDone = false;
      const done = lock.close(closed()).then(() => {
        isDone = true;
      });
      await Promise.all(refused);
      await rejected('STORE_CLOSED', lock.acquire());
      await settle();
      expect(isDone).to.equal(false);
      lock.release();
      await done;
      await rejected('STORE_CLOSED', lock.acquire());
    });
  });
});
