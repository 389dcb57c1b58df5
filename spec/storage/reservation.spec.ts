// lib/storage/reservation.ts: pages for work beside transactions, and whose they are once they were given back.

import { expect } from 'chai';
import { StoreDatabase } from '../../lib/database.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { patterned } from '../helpers/bytes.js';
import { openFileStore } from '../helpers/store-bytes.js';

describe('a reservation', () => {
  it('takes nothing back, when it is abandoned, of what it gave back before and others have since', async () => {
    const { store, recovery } = await openFileStore(new MemoryFile());
    const db = new StoreDatabase(store, recovery);
    const reservation = store.reserve();
    const first = reservation.allocateRun(20, 20);
    const second = reservation.allocateRun(20, 20);
    // The end of what was taken last, and pages that others were taken after.
    reservation.releaseRun(second.page + 5, second.pages - 5);
    reservation.releaseRun(first.page + 5, first.pages - 5);
    const value = patterned(80_000, 1);
    await db.bucket('b').put('taken', value);
    reservation.abandon();
    await db.bucket('b').put('other', patterned(80_000, 2));
    expect(db.bucket('b').get('taken')?.equals(value)).to.equal(true);
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });
});
