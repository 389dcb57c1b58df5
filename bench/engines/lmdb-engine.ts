// lmdb (lmdb-js): keys and values as bytes; sorted loads appended within one transaction; reads through the buffer that
// the next read uses again, which is the fast path that its documentation names.

import { open, type RootDatabase } from 'lmdb';
import type { Entries, Tally } from '../data.js';
import type { Engine, RowSource } from './engine.js';
import { LineFile } from './line-file.js';

/** Entries of a load that are one transaction: more gains nothing and holds more memory. */
const LOAD_BATCH = 100_000;
const APPEND = { append: true } as never;

export class LmdbEngine implements Engine {
  readonly name = 'lmdb';
  private opened: RootDatabase<Buffer, Buffer> | undefined;

  private get db(): RootDatabase<Buffer, Buffer> {
    if (this.opened === undefined) throw new Error('not open');
    return this.opened;
  }

  async open(path: string): Promise<void> {
    this.opened = open<Buffer, Buffer>({
      path,
      encoding: 'binary',
      keyEncoding: 'binary',
      // One file; and what the first transaction needs is there before it begins.
      noSubdir: true,
      mapSize: 64 * 2 ** 30,
    });
  }

  async close(): Promise<void> {
    await this.db.close();
  }

  async load(entries: Entries, count: number): Promise<void> {
    const { db } = this;
    for (let from = 0; from < count; from += LOAD_BATCH)
      db.transactionSync(() => {
        for (let i = from; i < Math.min(count, from + LOAD_BATCH); i++)
          db.putSync(entries.key(i), entries.value(i), APPEND);
      });
    await db.flushed;
  }

  async scan(tally: Tally): Promise<void> {
    this.scanSync(tally);
  }

  scanSync(tally: Tally): void {
    for (const { key, value } of this.db.getRange({ snapshot: true })) tally.add(key, value);
  }

  async scanAwait(tally: Tally): Promise<void> {
    for await (const { key, value } of this.db.getRange({ snapshot: true })) tally.add(key, value);
  }

  range(from: Uint8Array, length: number, tally: Tally): void {
    for (const { key, value } of this.db.getRange({ start: from as Buffer, limit: length }))
      tally.add(key, value);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.db.getBinaryFast(key as Buffer);
  }

  async writeBatch(entries: Entries, numbers: readonly number[], version: number): Promise<void> {
    const { db } = this;
    db.transactionSync(() => {
      for (const number of numbers) db.putSync(entries.key(number), entries.value(number, version));
    });
    await db.flushed;
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    // The promise of a put tells that it can be read; `flushed` that it is on the disk.
    await this.db.put(key as Buffer, value as Buffer);
    await this.db.flushed;
  }

  async importRows(rows: AsyncIterable<RowSource>): Promise<void> {
    const { db } = this;
    for await (const batch of rows)
      db.transactionSync(() => {
        for (let row = 0; row < batch.length; row++) db.putSync(batch.key(row), batch.value(row));
      });
    await db.flushed;
  }

  async exportNdjson(path: string): Promise<void> {
    const file = new LineFile(path);
    for (const { value } of this.db.getRange({ snapshot: true })) if (!file.add(value)) await file.drained();
    await file.end();
  }
}
