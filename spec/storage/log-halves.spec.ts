// lib/storage/pending-log.ts: a checkpoint under way has records in both halves, which make one chain.

import { expect } from 'chai';
import { decodeLogRecord } from '../../lib/format/log-record.js';
import { readMetas } from '../../lib/storage/store-metas.js';
import { NumberedPuts, openWithLog } from '../helpers/checkpointed-file.js';
import { rejected } from '../helpers/errors.js';
import { bytesOf, fileOf } from '../helpers/store-bytes.js';

const HALVES_AT = 4096;
const HALF_BYTES = 32 * 1024;

describe('a log with records in both halves', () => {
  it('is refused where the last one of the first half is damaged: a commit would be passed over', async () => {
    const puts = await NumberedPuts.open();
    const { file, log, db } = puts;
    file.hangs = true;
    const { writes } = file;
    while (file.writes === writes) await puts.put();
    for (let i = 0; i < 3; i++) await puts.put();
    const [store, records] = [bytesOf(file), bytesOf(log)];
    const [newest] = [...readMetas(file).metas].sort((a, b) => b.generation - a.generation);
    // The half that the checkpoint left when it began.
    let at = HALVES_AT + (newest.generation % 2) * HALF_BYTES;
    let last = 0;
    for (;;) {
      const record = decodeLogRecord(records, at, newest.storeId);
      if (record?.generation !== newest.generation) break;
      last = at;
      at += record.length;
    }
    expect(last).to.be.above(HALVES_AT);
    const sound = await openWithLog(fileOf(store), fileOf(records));
    expect(sound.bucket('b').range().count()).to.equal(puts.entries);
    await sound.close();
    records[last + 40] ^= 1;
    await rejected('LOG_CORRUPT', openWithLog(fileOf(store), fileOf(records)));
    file.release();
    await db.close();
  });
});
