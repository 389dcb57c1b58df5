// lib/stream/ndjson-encoder.ts, over a bucket: each value as a line, in place where it stands on one already.

import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { ByteArena } from '../../lib/stream/byte-arena.js';
import { NdjsonEncoder } from '../../lib/stream/ndjson-encoder.js';
import type { LeafBatch } from '../../lib/tree/leaf-batch.js';
import { rejected } from '../helpers/errors.js';
import { useStores } from '../helpers/store.js';

const LARGE = 'x'.repeat(10_000);

describe('ndjson of a range', () => {
  const stores = useStores();

  /** The lines of a bucket of these values, in order. */
  async function linesOf(values: readonly string[], cacheBytes?: number): Promise<string[]> {
    const db = await stores.open({ cacheBytes });
    const bucket = db.bucket('rows');
    await db.write((tx) => {
      for (const [index, value] of values.entries())
        tx.bucket('rows').put(String(index).padStart(6, '0'), value);
    });
    const text = (await buffer(bucket.range().toNdjson({ chunkBytes: 500 }))).toString();
    expect(text.endsWith('\n')).to.equal(true);
    return text.slice(0, -1).split('\n');
  }

  it('has values of each length and each byte at each place as they are, or on one line', async () => {
    const values: string[] = ['{}', `{"a":"${LARGE}"}`, `{\n"a":"${LARGE}"}`];
    for (let length = 0; length < 9; length++)
      for (const text of ['b', 'é', '\u007f', '\u2028', '😀'])
        values.push(`{"a":"${'.'.repeat(length)}${text}"}`, `{${' '.repeat(length)}"${text}":1}`);
    for (const space of ['\n', '\r', '\t', '\r\n', ' '])
      for (let length = 0; length < 9; length++)
        values.push(`{"${'.'.repeat(length)}":${space}1}`, `{${space}"${'.'.repeat(length)}":1${space}}`);
    const expected = values.map((value) =>
      /[\n\r]/.test(value) ? JSON.stringify(JSON.parse(value)) : value,
    );
    expect(await linesOf(values)).to.deep.equal(expected);
  });

  it('takes values from where they lie, of each length, unless there is a control character', async () => {
    const db = await stores.openMemory();
    const values = ['', '\t', 'é', '\u007f'].flatMap((text) =>
      Array.from({ length: 9 }, (_, length) => `{"${'.'.repeat(length)}":${text}1}`),
    );
    await db.write((tx) => {
      for (const [index, value] of values.entries()) tx.bucket('rows').put(`${index + 100}`, value);
    });
    const encoder = new NdjsonEncoder();
    for (const batch of db.bucket('rows').range().batches())
      for (let index = 0; index < batch.length; index++) {
        const arena = new ByteArena();
        const isTaken = encoder.writeInPlace(batch as LeafBatch, index, arena);
        expect(isTaken).to.equal(!values[index].includes('\t'));
        expect(arena.bytes.toString('utf8', 0, arena.length)).to.equal(isTaken ? `${values[index]}\n` : '');
      }
  });

  it('has them all where pages come and go', async () => {
    const values = Array.from(
      { length: 20_000 },
      (_, index) => `{"n":${index},"t":"${'-'.repeat(index % 50)}"}`,
    );
    expect(await linesOf(values, 1)).to.deep.equal(values);
  });

  for (const value of ['', '{', '}', '1', '[{}]', '"{}"', ' {} x', '{\n', 'x{}'])
    it(`refuses ${JSON.stringify(value)}, and tells its key`, async () => {
      const error = await rejected('ROW_REJECTED', linesOf(['{}', value, '{}']));
      expect(error.message).to.include('"000001"');
    });
});
