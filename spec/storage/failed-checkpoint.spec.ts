// lib/storage/checkpointer.ts: a checkpoint beside commits that fails, and what the one after it must make up for.

import { setTimeout as wait } from 'node:timers/promises';
import { expect } from 'chai';
import type { StoreDatabase } from '../../lib/database.js';
import { numbered, patterned } from '../helpers/bytes.js';
import { CheckpointedFile, NumberedPuts, openWithLog } from '../helpers/checkpointed-file.js';
import { rejected } from '../helpers/errors.js';
import { bytesOf, fileOf, openBytes, openFile } from '../helpers/store-bytes.js';

async function expectEntries(db: StoreDatabase, entries: number): Promise<void> {
  expect((await db.check()).problems).to.deep.equal([]);
  expect(db.bucket('b').range().count()).to.equal(entries);
  for (let i = 0; i < entries; i++)
    expect(db.bucket('b').get(numbered(i))?.equals(patterned(300, i)), numbered(i)).to.equal(true);
}

const ENTRIES = 600;

async function fill(db: StoreDatabase, salt: number): Promise<void> {
  await db.write((tx) => {
    for (let i = 0; i < ENTRIES; i++) tx.bucket('b').put(numbered(i), patterned(300, salt + i));
  });
}

/**
 * Replaces all entries of a store in one commit, so that its first pages come free, and closes it; the checkpoint
 * that the commit makes due has a write fail.
 */
async function closeAfterFailing(failing: number): Promise<{ file: CheckpointedFile; writes: number }> {
  const file = new CheckpointedFile();
  const made = await openFile(file);
  await fill(made, 1);
  await made.close();
  const db = await openFile(file, { durable: false });
  file.writes = 0;
  file.fails = (write) => write === failing;
  await fill(db, 0);
  await wait(5);
  const { writes } = file;
  await db.close();
  return { file, writes };
}

describe('a checkpoint beside commits that fails', () => {
  it('at any of its writes is made up for by the close, also where nothing has changed since', async () => {
    const { writes } = await closeAfterFailing(-1);
    // Pages, a map of free space, its directory, a meta page.
    expect(writes).to.be.at.least(4);
    for (let failing = 0; failing < writes; failing++) {
      const { file } = await closeAfterFailing(failing);
      expect(file.failures).to.equal(1);
      const again = await openBytes(bytesOf(file));
      await expectEntries(again, ENTRIES);
      await again.close();
    }
  });

  it('leaves what was told to the log meanwhile, while the next one is under way', async () => {
    const puts = await NumberedPuts.open();
    const { file, log, db } = puts;
    file.fails = () => true;
    while (file.failures === 0) await puts.put();
    await wait(5);
    file.fails = () => false;
    file.hangs = true;
    const { writes } = file;
    while (file.writes === writes) await puts.put();
    for (let i = 0; i < 5; i++) await puts.put();
    // As a process that is killed now leaves them.
    const again = await openWithLog(fileOf(bytesOf(file)), fileOf(bytesOf(log)));
    await expectEntries(again, puts.entries);
    await again.close();
    file.release();
    await db.close();
  });
});

describe('a checkpoint that fails under a commit', () => {
  it('leaves a store that closes clean, with both meta pages, whichever of its writes it was', async () => {
    let failures = 0;
    for (let failing = 0; failing === failures; failing++) {
      const file = new CheckpointedFile();
      const made = await openFile(file);
      // Twice, so that there is room for the next commit: no page of it is left for the close to cut off.
      await fill(made, 1);
      await fill(made, 0);
      await made.close();
      const db = await openFile(file);
      file.writes = 0;
      file.fails = (write) => write === failing;
      const filled = fill(db, 1);
      await Promise.allSettled([filled]);
      file.fails = () => false;
      if (file.failures > 0) {
        failures++;
        await rejected('DISK_FULL', filled);
        await db.close();
        const again = await openBytes(bytesOf(file));
        expect(again.recovery).to.include({ clean: true, metaPageDamaged: false });
        await expectEntries(again, ENTRIES);
        await again.close();
      } else await db.close();
    }
    // Pages, a map of free space, its directory, a meta page.
    expect(failures).to.be.at.least(4);
  });
});
