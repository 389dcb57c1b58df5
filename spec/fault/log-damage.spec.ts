// Damage to a log: a sample of the bits that `npm run fault:log` flips, and cuts.

import { expect } from 'chai';
import { crc32c } from '../../lib/format/checksum.js';
import { LOG_RECORD_HEADER_BYTES } from '../../lib/format/log-record.js';
import { Violation } from '../crash/oracle.js';
import { fileOf } from '../helpers/store-bytes.js';
import { DamagedLog } from './damaged-log.js';

describe('a damaged log', () => {
  let log: DamagedLog;
  before(async () => {
    log = await DamagedLog.make();
    expect(log.records.length).to.be.at.least(4);
  });

  it('tells what was committed, or raises, whatever bit is another', async () => {
    for (let byte = 0; byte < log.usedBytes; byte += byte < 32 ? 1 : 37) await log.flip(byte, (byte * 5) % 8);
    for (const { from } of log.records)
      for (let byte = from; byte < from + LOG_RECORD_HEADER_BYTES; byte += 3) await log.flip(byte, byte % 8);
    expect(log.images).to.be.above(300);
  });

  it('tells a part of what was committed, or raises, wherever it was cut off', async () => {
    for (let length = 0; length < log.bytes.length; length += 131) await log.cut(length);
    for (const { from, to } of log.records) for (const length of [from, from + 9, to]) await log.cut(length);
  });

  it('is told from one whose records are not checked', async () => {
    const unchecked = await DamagedLog.make((bytes, records) => {
      const mended = Buffer.from(bytes);
      const storeId = mended.subarray(12, 28);
      for (const { from, to } of records) {
        const record = mended.subarray(from, to);
        record.writeUInt32LE(crc32c(record.subarray(4), crc32c(storeId)), 0);
      }
      return fileOf(mended);
    });
    const [{ to }] = unchecked.records;
    let found: unknown;
    try {
      // A bit of a value, ahead of the padding.
      await unchecked.flip(to - 16, 3);
    } catch (error) {
      found = error;
    }
    expect(found).to.be.an.instanceof(Violation);
  });
});
