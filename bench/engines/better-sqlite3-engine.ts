// better-sqlite3: one table without row ids, a write-ahead log that is synced with each commit, prepared statements,
// rows as arrays.

import Sqlite, { type Database, type Statement } from 'better-sqlite3';
import type { Entries, Tally } from '../data.js';
import type { Engine, OpenSettings, RowSource } from './engine.js';
import { LineFile } from './line-file.js';

type Row = [key: Buffer, value: Buffer];
const LOAD_BATCH = 100_000;

interface Statements {
  readonly put: Statement;
  readonly get: Statement<[Uint8Array], Buffer>;
  readonly range: Statement<[Uint8Array, number], Row>;
}

export class BetterSqliteEngine implements Engine {
  readonly name = 'better-sqlite3';
  private opened: Database | undefined;
  private prepared: Statements | undefined;

  private get db(): Database {
    if (this.opened === undefined) throw new Error('not open');
    return this.opened;
  }

  private get statements(): Statements {
    if (this.prepared === undefined) throw new Error('not open');
    return this.prepared;
  }

  async open(path: string, { cacheBytes }: OpenSettings = {}): Promise<void> {
    const db = new Sqlite(path);
    this.opened = db;
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    db.pragma(`cache_size = -${Math.round((cacheBytes ?? 64 * 2 ** 20) / 1024)}`);
    if (cacheBytes === undefined) db.pragma(`mmap_size = ${64 * 2 ** 30}`);
    db.exec('CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID');
    this.prepared = {
      put: db.prepare('INSERT OR REPLACE INTO entries VALUES (?, ?)'),
      get: db.prepare<[Uint8Array], Buffer>('SELECT value FROM entries WHERE key = ?').pluck(),
      range: db
        .prepare<[Uint8Array, number], Row>(
          'SELECT key, value FROM entries WHERE key >= ? ORDER BY key LIMIT ?',
        )
        .raw(),
    };
  }

  async close(): Promise<void> {
    this.db.close();
  }

  private transaction(work: () => void): void {
    this.db.transaction(work)();
  }

  async load(entries: Entries, count: number): Promise<void> {
    for (let from = 0; from < count; from += LOAD_BATCH)
      this.transaction(() => {
        for (let i = from; i < Math.min(count, from + LOAD_BATCH); i++)
          this.statements.put.run(entries.key(i), entries.value(i));
      });
    this.db.pragma('wal_checkpoint(TRUNCATE)');
  }

  async scan(tally: Tally): Promise<void> {
    this.scanSync(tally);
  }

  private all(): IterableIterator<Row> {
    return this.db.prepare<[], Row>('SELECT key, value FROM entries ORDER BY key').raw().iterate();
  }

  scanSync(tally: Tally): void {
    for (const [key, value] of this.all()) tally.add(key, value);
  }

  async scanAwait(tally: Tally): Promise<void> {
    for await (const [key, value] of this.all()) tally.add(key, value);
  }

  range(from: Uint8Array, length: number, tally: Tally): void {
    for (const [key, value] of this.statements.range.all(from, length)) tally.add(key, value);
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.statements.get.get(key);
  }

  async writeBatch(entries: Entries, numbers: readonly number[], version: number): Promise<void> {
    this.transaction(() => {
      for (const number of numbers)
        this.statements.put.run(entries.key(number), entries.value(number, version));
    });
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.statements.put.run(key, value);
  }

  async importRows(rows: AsyncIterable<RowSource>): Promise<void> {
    this.db.exec('BEGIN');
    for await (const batch of rows)
      for (let row = 0; row < batch.length; row++) this.statements.put.run(batch.key(row), batch.value(row));
    this.db.exec('COMMIT');
    this.db.pragma('wal_checkpoint(TRUNCATE)');
  }

  async exportNdjson(path: string): Promise<void> {
    const file = new LineFile(path);
    for (const [, value] of this.all()) if (!file.add(value)) await file.drained();
    await file.end();
  }
}
