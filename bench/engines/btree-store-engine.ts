// btree-store.

import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type Bucket, type Database, open } from 'btree-store';
import type { Entries, Tally } from '../data.js';
import type { Engine, OpenSettings, RowSource } from './engine.js';

export class BtreeStoreEngine implements Engine {
  readonly name = 'btree-store';
  private db: Database | undefined;
  private opened: Bucket | undefined;

  private get bucket(): Bucket {
    if (this.opened === undefined) throw new Error('not open');
    return this.opened;
  }

  async open(path: string, { cacheBytes, mayBlock = false }: OpenSettings = {}): Promise<void> {
    this.db = await open(path, { cacheBytes, syncOn: mayBlock ? 'loop' : 'thread' });
    this.opened = this.db.bucket('entries');
  }

  async close(): Promise<void> {
    await this.db?.close();
  }

  async load(entries: Entries, count: number): Promise<void> {
    const writer = this.bucket.bulkWriter({ sorted: true });
    for (let i = 0; i < count; i++) if (!writer.add(entries.key(i), entries.value(i))) await writer.drained();
    await writer.finish();
  }

  async scan(tally: Tally): Promise<void> {
    for (const batch of this.bucket.range().batches()) {
      const { bytes } = batch;
      for (let i = 0; i < batch.length; i++) {
        const start = batch.valueStart(i);
        if (start < 0) tally.add(batch.key(i), batch.value(i));
        else tally.addInPlace(batch.key(i), bytes, start, batch.valueLength(i));
      }
    }
  }

  scanSync(tally: Tally): void {
    for (const [key, value] of this.bucket.range()) tally.add(key, value);
  }

  async scanAwait(tally: Tally): Promise<void> {
    for await (const [key, value] of this.bucket.range()) tally.add(key, value);
  }

  range(from: Uint8Array, length: number, tally: Tally): void {
    for (const [key, value] of this.bucket.range({ gte: from, limit: length })) tally.add(key, value);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.bucket.get(key);
  }

  async writeBatch(entries: Entries, numbers: readonly number[], version: number): Promise<void> {
    await this.db?.write((tx) => {
      const bucket = tx.bucket('entries');
      for (const number of numbers) bucket.put(entries.key(number), entries.value(number, version));
    });
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.bucket.put(key, value);
  }

  async importRows(rows: AsyncIterable<RowSource>): Promise<void> {
    const writer = this.bucket.bulkWriter();
    for await (const batch of rows)
      for (let row = 0; row < batch.length; row++)
        if (!writer.add(batch.key(row), batch.value(row))) await writer.drained();
    await writer.finish();
  }

  exportNdjson(path: string): Promise<void> {
    return pipeline(this.bucket.range().toNdjson(), createWriteStream(path));
  }
}
