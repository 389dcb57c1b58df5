// lib/storage/pending-log.ts: which records a log is found to have, where some of them are left of an earlier run.

import { expect } from 'chai';
import { crc32c } from '../../lib/format/checksum.js';
import { LogRecordWriter } from '../../lib/format/log-record.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { PendingLog } from '../../lib/storage/pending-log.js';
import { raised } from '../helpers/errors.js';

const STORE_ID = Buffer.alloc(16, 7);
const HALF_BYTES = 8192;
const FIRST_HALF = 4096;
const RECORD_BYTES_MAX = 4096;

function recordOf(generation: number, sequence: number): Buffer {
  const writer = new LogRecordWriter(RECORD_BYTES_MAX);
  writer.put('b', Buffer.from(`key ${sequence}`), Buffer.alloc(100, sequence));
  const record = writer.finish(generation, sequence, sequence - 1, STORE_ID);
  if (record === undefined) throw new Error('the record does not fit');
  return record;
}

/** A log of these records, each generation in its half from the beginning. */
async function logOf(
  records: ReadonlyArray<readonly [generation: number, sequence: number]>,
): Promise<MemoryFile> {
  const file = new MemoryFile('log');
  const log = new PendingLog(file, STORE_ID, HALF_BYTES);
  await log.begin(1);
  let last = -1;
  for (const [generation, sequence] of records) {
    if (generation !== last) log.switchTo(generation);
    last = generation;
    log.append(recordOf(generation, sequence));
    await log.sync('thread');
  }
  return file;
}

function sequencesOf(file: MemoryFile, generation: number, sequence: number): number[] {
  return new PendingLog(file, STORE_ID, HALF_BYTES)
    .read(generation, sequence)
    .map((record) => record.sequence);
}

/** Harms the first record of the odd half. */
function tearFirst(file: MemoryFile): void {
  file.writeSync(Buffer.from('garbage!'), 0, 8, FIRST_HALF + HALF_BYTES + 40);
}

describe('pending log', () => {
  for (const [version, advice] of [
    [1, /once with the release that wrote it/],
    [3, /with a newer release/],
  ] as const)
    it(`of version ${version} is refused, with what to do`, async () => {
      const file = await logOf([[2, 5]]);
      const header = Buffer.alloc(32);
      file.readSync(header, 0, header.length, 0);
      header.writeUInt32LE(version, 8);
      header.writeUInt32LE(crc32c(header.subarray(0, 28)), 28);
      file.writeSync(header, 0, header.length, 0);
      const error = raised('UNSUPPORTED_VERSION', () =>
        new PendingLog(file, STORE_ID, HALF_BYTES).checkStore(false),
      );
      expect(error.details).to.deep.equal({ version });
      expect(error.message).to.match(advice);
    });

  it('goes on from the checkpoint, over both halves', async () => {
    const file = await logOf([
      [2, 5],
      [2, 6],
      [3, 7],
      [3, 8],
    ]);
    expect(sequencesOf(file, 2, 4)).to.deep.equal([5, 6, 7, 8]);
    expect(sequencesOf(file, 2, 6)).to.deep.equal([7, 8]);
    expect(sequencesOf(file, 3, 8)).to.deep.equal([]);
  });

  it('raises where a record is damaged that one after it shows to have been synced', async () => {
    const file = await logOf([
      [3, 7],
      [3, 8],
    ]);
    tearFirst(file);
    const error = raised('LOG_CORRUPT', () => sequencesOf(file, 3, 6));
    expect(error.message).to.include('between the commits 6 and 8');
  });

  it('takes a torn record for the end where those after it are of commits that the store has', async () => {
    // A checkpoint was under way when the process was killed. Recovery made it again, under the number that records
    // beside the first had; then a first commit was cut short where the first of those stands.
    const file = await logOf([
      [3, 7],
      [3, 8],
      [3, 9],
    ]);
    tearFirst(file);
    expect(sequencesOf(file, 3, 9)).to.deep.equal([]);
  });
});
