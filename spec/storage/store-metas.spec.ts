// lib/storage/store-metas.ts: two meta pages of one commit, of which the log continues only the newer.

import { expect } from 'chai';
import { readMetas } from '../../lib/storage/store-metas.js';
import { numbered, patterned } from '../helpers/bytes.js';
import { NumberedPuts, openWithLog } from '../helpers/checkpointed-file.js';
import { bytesOf, fileOf } from '../helpers/store-bytes.js';

describe('the newest meta page', () => {
  /** Kills the process during the first checkpoint after a compaction that came after so many others. */
  async function killedAfterCompaction(checkpoints: number): Promise<number> {
    const puts = await NumberedPuts.open();
    const { file, log, db } = puts;
    await puts.put();
    // Too long for the log, so that each makes a checkpoint.
    for (let i = 0; i < checkpoints; i++)
      await db.write((tx) => tx.bucket('gone').put(numbered(i), patterned(500_000, i)));
    await db.dropBucket('gone');
    expect((await db.compact()).bytesFreed).to.be.above(0);
    const { metas } = readMetas(file);
    expect(metas.map(({ sequence }) => sequence)).to.deep.equal(Array(2).fill(metas[0].sequence));
    file.hangs = true;
    const { writes } = file;
    while (file.writes === writes) await puts.put();
    await puts.put();
    const again = await openWithLog(fileOf(bytesOf(file)), fileOf(bytesOf(log)));
    expect((await again.check()).problems).to.deep.equal([]);
    expect(again.bucket('b').range().count()).to.equal(puts.entries);
    await again.close();
    file.release();
    await db.close();
    return metas[0].generation - metas[1].generation;
  }

  it('is the one of the later checkpoint, in whichever place, where a compaction made both of one commit', async () => {
    const differences = [await killedAfterCompaction(1), await killedAfterCompaction(2)];
    expect(differences.sort()).to.deep.equal([-1, 1]);
  });
});
