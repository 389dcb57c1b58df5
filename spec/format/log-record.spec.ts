// lib/format/log-record.ts: what was told comes back in order, and nothing comes back of a record that does not hold.

import { expect } from 'chai';
import fc from 'fast-check';
import {
  decodeLogRecord,
  type LoggedBounds,
  type LogOperations,
  LogRecordWriter,
  replayOperations,
} from '../../lib/format/log-record.js';
import { patterned } from '../helpers/bytes.js';
import { seeded } from '../helpers/seed.js';

type Told = readonly [operation: string, bucket: string, ...arguments: readonly unknown[]];

/** Writes down what is replayed, in a form that compares well. */
class Teller implements LogOperations {
  readonly told: Told[] = [];
  put = (bucket: string, key: Buffer, value: Buffer): unknown =>
    this.told.push(['put', bucket, key.toString('hex'), value.toString('hex')]);
  delete = (bucket: string, key: Buffer): unknown => this.told.push(['delete', bucket, key.toString('hex')]);
  create = (bucket: string): unknown => this.told.push(['create', bucket]);
  drop = (bucket: string): unknown => this.told.push(['drop', bucket]);
  checkpoint = (bucket: string, text: string): unknown => this.told.push(['checkpoint', bucket, text]);
  deleteRange = (bucket: string, bounds: LoggedBounds): unknown =>
    this.told.push(['deleteRange', bucket, shown(bounds)]);
}

const shown = ({ lower, lowerOpen, upper, upperOpen }: LoggedBounds): string =>
  JSON.stringify([
    lower === undefined ? null : Buffer.from(lower).toString('hex'),
    lowerOpen === true,
    upper === undefined ? null : Buffer.from(upper).toString('hex'),
    upperOpen === true,
  ]);

const storeId = patterned(16, 3);
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
const buckets = fc.constantFrom('a', 'b', 'ü', '漢字', 'x'.repeat(1000));
const bounds: fc.Arbitrary<LoggedBounds> = fc.record(
  { lower: bytes, lowerOpen: fc.boolean(), upper: bytes, upperOpen: fc.boolean() },
  { requiredKeys: [] },
);

/** An operation: how the writer is told of it, and what must come back. */
const operations: fc.Arbitrary<{ tell: (writer: LogRecordWriter) => void; told: Told }> = fc.oneof(
  fc.tuple(buckets, bytes, bytes).map(([bucket, key, value]) => ({
    tell: (writer: LogRecordWriter) => writer.put(bucket, key, value),
    told: ['put', bucket, key.toString('hex'), value.toString('hex')] as Told,
  })),
  fc.tuple(buckets, bytes).map(([bucket, key]) => ({
    tell: (writer: LogRecordWriter) => writer.delete(bucket, key),
    told: ['delete', bucket, key.toString('hex')] as Told,
  })),
  fc.tuple(buckets, fc.constantFrom('create' as const, 'drop' as const)).map(([bucket, kind]) => ({
    tell: (writer: LogRecordWriter) => writer[kind](bucket),
    told: [kind, bucket] as Told,
  })),
  fc.tuple(buckets, fc.string({ unit: 'grapheme', maxLength: 30 })).map(([bucket, text]) => ({
    tell: (writer: LogRecordWriter) => writer.checkpoint(bucket, text),
    told: ['checkpoint', bucket, text] as Told,
  })),
  fc.tuple(buckets, bounds).map(([bucket, range]) => ({
    tell: (writer: LogRecordWriter) => writer.deleteRange(bucket, range),
    told: ['deleteRange', bucket, shown(range)] as Told,
  })),
);

function replayed(record: Buffer): Told[] {
  const teller = new Teller();
  replayOperations(record, teller);
  return teller.told;
}

function example(): Buffer {
  const writer = new LogRecordWriter(1 << 20);
  writer.create('orders');
  writer.put('orders', Buffer.from('key'), Buffer.from('value'));
  writer.delete('stock', Buffer.from('pen'));
  writer.checkpoint('stock', '{"source":{"offset":5}}');
  writer.deleteRange('stock', { lower: Buffer.from('a'), lowerOpen: true, upper: Buffer.from('b') });
  writer.drop('stock');
  return Buffer.from(writer.finish(2 ** 40, 2 ** 33 + 1, 2 ** 33, storeId) ?? []);
}

describe('log record', () => {
  it('comes back as it was told, beside others', () => {
    const sequences = fc.oneof(fc.nat(), fc.constantFrom(2 ** 32, 2 ** 48 - 1));
    fc.assert(
      fc.property(
        fc.array(operations, { maxLength: 30 }),
        sequences,
        sequences,
        fc.nat(4),
        (all, one, two, before) => {
          const writer = new LogRecordWriter(1 << 20);
          for (const { tell } of all) tell(writer);
          const record = writer.finish(one, two, one, storeId);
          if (record === undefined) return expect.fail('it overflowed');
          expect(record.length % 8).to.equal(0);
          const at = before * 8;
          const log = Buffer.concat([patterned(at, 1), record, patterned(64, 2)]);
          const found = decodeLogRecord(log, at, storeId);
          if (found === undefined) return expect.fail('it was not found');
          expect([found.generation, found.sequence, found.previous, found.length]).to.deep.equal([
            one,
            two,
            one,
            record.length,
          ]);
          expect(replayed(found.operations)).to.deep.equal(all.map(({ told }) => told));
        },
      ),
      seeded(200),
    );
  });

  it('does not hold with any bit changed', () => {
    const record = example();
    expect(decodeLogRecord(record, 0, storeId)).to.not.equal(undefined);
    for (let bit = 0; bit < record.length * 8; bit++) {
      record[bit >>> 3] ^= 1 << (bit & 7);
      expect(decodeLogRecord(record, 0, storeId), `bit ${bit}`).to.equal(undefined);
      record[bit >>> 3] ^= 1 << (bit & 7);
    }
  });

  it('does not hold when it is cut, or of another store', () => {
    const record = example();
    for (let length = 0; length < record.length; length++)
      expect(decodeLogRecord(record.subarray(0, length), 0, storeId), `${length} bytes`).to.equal(undefined);
    expect(decodeLogRecord(record, 0, patterned(16, 4))).to.equal(undefined);
    expect(decodeLogRecord(Buffer.alloc(4096), 0, storeId)).to.equal(undefined);
  });

  it('is none of operations that are more than it is to hold, or that cannot be told', () => {
    const writer = new LogRecordWriter(200);
    writer.put('b', Buffer.from('k'), patterned(100, 1));
    expect(writer.overflowed).to.equal(false);
    writer.put('b', Buffer.from('l'), patterned(100, 1));
    expect(writer.overflowed).to.equal(true);
    writer.delete('b', Buffer.from('k'));
    expect(writer.finish(1, 2, 1, storeId)).to.equal(undefined);
    const other = new LogRecordWriter(200);
    other.overflow();
    other.create('b');
    expect(other.finish(1, 2, 1, storeId)).to.equal(undefined);
  });

  it('tells by a RangeError of operations that end too early, or are none', () => {
    const { operations: whole } = decodeLogRecord(example(), 0, storeId) ?? expect.fail('no record');
    const complete = replayed(whole);
    let refused = 0;
    for (let length = 1; length < whole.length; length++) {
      try {
        const told = replayed(whole.subarray(0, length));
        expect(told).to.deep.equal(complete.slice(0, told.length));
      } catch (error) {
        expect(error).to.be.an.instanceOf(RangeError);
        refused++;
      }
    }
    expect(refused).to.be.above(50);
    expect(() => replayed(Buffer.from([9]))).to.throw(RangeError);
    const claims = Buffer.from([3, 0xff, 0xff, 0xff, 0xff, 1, 2]);
    expect(() => replayed(claims)).to.throw(RangeError);
  });
});
