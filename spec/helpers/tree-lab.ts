// One tree in a store in memory, with as small a cache as there is, edited below the public face.

import { expect } from 'chai';
import { StoreDatabase } from '../../lib/database.js';
import { nodeLevel } from '../../lib/format/branch.js';
import type { TreeRoot } from '../../lib/format/catalog-record.js';
import type { PageSize } from '../../lib/format/page.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import type { PageTransaction } from '../../lib/storage/page-transaction.js';
import type { Pager } from '../../lib/storage/pager.js';
import type { Store } from '../../lib/storage/store.js';
import type { StoreFile } from '../../lib/storage/store-file.js';
import { Transaction } from '../../lib/transaction.js';
import { bucketRoot, catalogRoot } from '../../lib/tree/catalog.js';
import { deleteEntry } from '../../lib/tree/delete.js';
import { insertEntry } from '../../lib/tree/insert.js';
import { ALL_KEYS, type KeyBounds } from '../../lib/tree/key-bounds.js';
import { newEntry } from '../../lib/tree/new-entry.js';
import { RangeCursor } from '../../lib/tree/range-cursor.js';
import type { WritableTree } from '../../lib/tree/writable-tree.js';
import { openFileStore } from './store-bytes.js';

const NAME = 'tree';

export interface TreeEdits {
  readonly tree: WritableTree;
  readonly pages: PageTransaction;
  /** Returns whether the key was there. */
  put(key: Buffer, value: Buffer): boolean;
  delete(key: Buffer): boolean;
}

export class TreeLab {
  readonly db: StoreDatabase;
  readonly store: Store;

  private constructor(db: StoreDatabase, store: Store) {
    this.db = db;
    this.store = store;
  }

  static async open(pageSize: PageSize = 4096, file: StoreFile = new MemoryFile()): Promise<TreeLab> {
    const { store, recovery } = await openFileStore(file, { pageSize, durable: false });
    return new TreeLab(new StoreDatabase(store, recovery), store);
  }

  get pager(): Pager {
    return this.store.pager;
  }

  /** The tree as of the latest commit. */
  get root(): TreeRoot {
    return bucketRoot(this.store.pager, catalogRoot(this.store.committed), NAME);
  }

  /** Levels of the tree, leaves counted. */
  get depth(): number {
    const { page, stamp } = this.root;
    return page === 0 ? 0 : nodeLevel(this.pager.memory, this.pager.load(page, stamp)) + 1;
  }

  /** Edits the tree in a transaction of its own. */
  edit<T>(run: (edits: TreeEdits) => T): Promise<T> {
    return this.db.write((tx) => {
      if (!(tx instanceof Transaction)) throw new Error('a transaction of another class');
      const { pages } = tx;
      return tx.write(NAME, (tree) =>
        run({
          tree,
          pages,
          put: (key, value) => insertEntry(tree, newEntry(pages, key, value)),
          delete: (key) => deleteEntry(tree, key, key.length),
        }),
      );
    });
  }

  /** Makes the tree what `build` makes of it. */
  build(build: (pages: PageTransaction, root: TreeRoot) => Promise<TreeRoot>): Promise<void> {
    return this.db.write((tx) => {
      if (!(tx instanceof Transaction)) throw new Error('a transaction of another class');
      return tx.build(NAME, (root) => build(tx.pages, root));
    });
  }

  /** All entries within bounds, copied. */
  entries(bounds: KeyBounds = ALL_KEYS, reverse = false): Array<[key: Buffer, value: Buffer]> {
    const entries: Array<[Buffer, Buffer]> = [];
    const cursor = new RangeCursor(this.pager, this.root, { bounds, reverse });
    for (let batch = cursor.nextBatchSync(1000); batch !== null; batch = cursor.nextBatchSync(1000)) {
      for (const [key, value] of batch) entries.push([Buffer.from(key), Buffer.from(value)]);
    }
    return entries;
  }

  async expectWhole(): Promise<void> {
    const report = await this.db.check();
    expect(report.problems).to.deep.equal([]);
    expect(report.entries).to.equal(this.root.entries);
  }

  async close(): Promise<void> {
    await this.expectWhole();
    await this.db.close();
  }
}

/** What a tree should hold. */
export class TreeModel {
  private readonly values = new Map<string, Buffer>();

  put(key: Buffer, value: Buffer): boolean {
    const there = this.values.has(key.toString('latin1'));
    this.values.set(key.toString('latin1'), value);
    return there;
  }

  delete(key: Buffer): boolean {
    return this.values.delete(key.toString('latin1'));
  }

  get(key: Buffer): Buffer | undefined {
    return this.values.get(key.toString('latin1'));
  }

  get size(): number {
    return this.values.size;
  }

  /** In the order of their bytes, which is that of the characters of their keys. */
  entries(): Array<[key: Buffer, value: Buffer]> {
    const keys = [...this.values.keys()].sort((a, b) => (a < b ? -1 : 1));
    return keys.map((key) => [Buffer.from(key, 'latin1'), this.values.get(key) ?? Buffer.alloc(0)]);
  }
}
