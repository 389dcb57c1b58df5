// Stores for specs: each in a folder of its own or in memory, and none let go of unchecked. After every test
// the whole file is walked, no reader may be left, and the folder goes.

import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Database, type OpenOptions, open, StoreError } from 'btree-store';
import { StoreDatabase } from '../../lib/database.js';
import type { PageSize } from '../../lib/format/page.js';
import { recover } from '../../lib/recover.js';
import { openStore } from '../../lib/storage/store-open.js';

/** How long a test's last transaction may take to end once the test is over. */
const LAST_WRITER_MILLISECONDS = 5000;

/** The stores of one suite. Made by `useStores`, which also clears up after each test. */
export class Stores {
  private readonly opened = new Set<Database>();
  private readonly damaged = new Set<Database>();
  private folder: string | undefined;
  private files = 0;

  /** A path in this test's folder, which is made with the first one. */
  async path(name = `store-${this.files++}.db`): Promise<string> {
    this.folder ??= await fs.mkdtemp(path.join(os.tmpdir(), 'btree-store-'));
    return path.join(this.folder, name);
  }

  /** Opens a store in a file of its own. */
  async open(options?: OpenOptions): Promise<Database> {
    return this.openAt(await this.path(), options);
  }

  /** Opens the store in this file. */
  async openAt(file: string, options?: OpenOptions): Promise<Database> {
    const db = await open(file, options);
    this.opened.add(db);
    return db;
  }

  /**
   * Opens a store whose every bound is as low as can be, so that pages are evicted and spilled and checkpoints
   * begin after little work. Such a file is for this call alone: its log has another size.
   */
  async openTight(file: string, pageSize: PageSize = 4096): Promise<Database> {
    const options = { readOnly: false, create: true, durable: true, pageSize };
    const bounds = { cacheBytesMax: 1, dirtyBytesMax: 1, logHalfBytes: 64 * 1024 };
    const opened = await openStore(file, { ...options, ...bounds });
    await recover(opened);
    const db = new StoreDatabase(opened.store, opened.recovery);
    this.opened.add(db);
    return db;
  }

  async openMemory(options?: OpenOptions): Promise<Database> {
    return this.openAt(':memory:', options);
  }

  /** A store in a file or in memory, for tables that go over both. */
  async openIn(place: 'file' | 'memory', options?: OpenOptions): Promise<Database> {
    return place === 'file' ? this.open(options) : this.openMemory(options);
  }

  /** Checks the store and closes it, as the end of the test would. */
  async close(db: Database): Promise<void> {
    this.opened.delete(db);
    await closeChecked(db, this.damaged.has(db));
  }

  /** Closes the store and opens its file again. */
  async reopen(db: Database, options?: OpenOptions): Promise<Database> {
    await this.close(db);
    return this.openAt(db.path, options);
  }

  /** For a test that closes the store itself: there is nothing to check any more. */
  forget(db: Database): void {
    this.opened.delete(db);
  }

  /** For a test that damages the file: its check must find something then. */
  expectDamage(db: Database): void {
    this.damaged.add(db);
  }

  /** For properties: closes what a failed run left open, unchecked, so that the next run begins afresh. */
  async abandon(): Promise<void> {
    for (const db of this.opened) db.close().catch(() => undefined);
    this.opened.clear();
  }

  async clearUp(): Promise<void> {
    const failures: unknown[] = [];
    for (const db of this.opened) {
      await this.close(db).catch((error: unknown) => failures.push(error));
    }
    this.opened.clear();
    if (this.folder !== undefined) await fs.rm(this.folder, { recursive: true, force: true });
    this.folder = undefined;
    if (failures.length === 1) throw failures[0];
    if (failures.length > 1) throw new AggregateError(failures, 'several stores were not left in order');
  }
}

/** Gives a suite its stores. Call inside `describe`. */
export function useStores(): Stores {
  const stores = new Stores();
  afterEach('every store is whole, and no reader is left', () => stores.clearUp());
  return stores;
}

async function closeChecked(db: Database, damaged: boolean): Promise<void> {
  try {
    await assertNoWriter(db);
    const report = await db.check();
    if (report.ok === damaged) {
      throw new Error(
        damaged
          ? `the damage to ${db.path} was not found by its check`
          : `${db.path} is not whole: ${JSON.stringify(report.problems, null, 2)}`,
      );
    }
    const { snapshots } = db.stats();
    if (snapshots > 0) throw new Error(`${snapshots} readers of ${db.path} were never released`);
  } catch (error) {
    // A store with an open transaction waits for it: then it is left to the end of the process.
    void db.close();
    throw error;
  }
  await db.close();
}

/** A transaction that was left open would hold up the check for ever. */
async function assertNoWriter(db: Database): Promise<void> {
  try {
    const transaction = await db.begin({ waitMilliseconds: LAST_WRITER_MILLISECONDS });
    await transaction.rollback();
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'READ_ONLY') throw error;
  }
}
