// classic-level (LevelDB): buffers throughout; batches that are synced; scans by `nextv`, a thousand entries a call.

import { ClassicLevel } from 'classic-level';
import type { Entries, Tally } from '../data.js';
import type { Engine, OpenSettings, RowSource } from './engine.js';
import { LineFile } from './line-file.js';

const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const;
/** Entries of a load that are one batch, and of a scan that are one call. */
const BATCH = 1000;

type Put = { type: 'put'; key: Buffer; value: Buffer };

export class ClassicLevelEngine implements Engine {
  readonly name = 'classic-level';
  private opened: ClassicLevel<Buffer, Buffer> | undefined;

  private get db(): ClassicLevel<Buffer, Buffer> {
    if (this.opened === undefined) throw new Error('not open');
    return this.opened;
  }

  async open(path: string, { cacheBytes }: OpenSettings = {}): Promise<void> {
    this.opened = new ClassicLevel<Buffer, Buffer>(path, {
      ...BUFFERS,
      writeBufferSize: 64 * 2 ** 20,
      cacheSize: cacheBytes ?? 64 * 2 ** 20,
    });
    await this.opened.open();
  }

  async close(): Promise<void> {
    await this.db.close();
  }

  async load(entries: Entries, count: number): Promise<void> {
    for (let from = 0; from < count; from += BATCH) {
      const puts: Put[] = [];
      const end = Math.min(count, from + BATCH);
      for (let i = from; i < end; i++)
        puts.push({ type: 'put', key: entries.keyCopy(i), value: entries.valueCopy(i) });
      // Only the last is synced: that makes durable what came before it.
      await this.db.batch(puts, { sync: end === count });
    }
  }

  async scan(tally: Tally): Promise<void> {
    const iterator = this.db.iterator({ fillCache: false, highWaterMarkBytes: 1 << 20 });
    for (;;) {
      const entries = await iterator.nextv(BATCH);
      if (entries.length === 0) break;
      for (const [key, value] of entries) tally.add(key, value);
    }
    await iterator.close();
  }

  scanSync(): void {
    throw new Error('it has no synchronous iterator');
  }

  async scanAwait(tally: Tally): Promise<void> {
    for await (const [key, value] of this.db.iterator({ fillCache: false, highWaterMarkBytes: 1 << 20 }))
      tally.add(key, value);
  }

  async range(from: Uint8Array, length: number, tally: Tally): Promise<void> {
    const iterator = this.db.iterator({ gte: from as Buffer, limit: length });
    for (const [key, value] of await iterator.nextv(length)) tally.add(key, value);
    await iterator.close();
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.db.getSync(key as Buffer);
  }

  async writeBatch(entries: Entries, numbers: readonly number[], version: number): Promise<void> {
    const puts = numbers.map(
      (number): Put => ({
        type: 'put',
        key: entries.keyCopy(number),
        value: entries.valueCopy(number, version),
      }),
    );
    await this.db.batch(puts, { sync: true });
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.db.put(key as Buffer, value as Buffer, { sync: true });
  }

  async importRows(rows: AsyncIterable<RowSource>): Promise<void> {
    for await (const batch of rows) {
      const puts: Put[] = [];
      for (let row = 0; row < batch.length; row++)
        puts.push({ type: 'put', key: Buffer.from(batch.key(row)), value: Buffer.from(batch.value(row)) });
      await this.db.batch(puts, { sync: false });
    }
    await this.db.batch([], { sync: true });
    await this.db.put(Buffer.from('~end'), Buffer.from('synced'), { sync: true });
    await this.db.del(Buffer.from('~end'), { sync: true });
  }

  async exportNdjson(path: string): Promise<void> {
    const file = new LineFile(path);
    const iterator = this.db.iterator({ fillCache: false, highWaterMarkBytes: 1 << 20 });
    for (;;) {
      const entries = await iterator.nextv(BATCH);
      if (entries.length === 0) break;
      for (const [, value] of entries) if (!file.add(value)) await file.drained();
    }
    await iterator.close();
    await file.end();
  }
}
