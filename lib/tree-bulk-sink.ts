/**
 * Where bulk input enters a bucket: ascending entries past its last key are built into pages from the
 * bottom up; all others go through the ordinary insert. Either way in transactions that commit as
 * often as was asked, between which other writers get their turn.
 */
import type { BulkSettings } from './bulk-options.js';
import { StoreError } from './errors.js';
import { duplicateKey } from './sort/duplicate.js';
import type { StoreWriter } from './store-writer.js';
import type { BulkSink } from './stream/bulk-sink.js';
import { Stretch } from './stream/stretch.js';
import type { Transaction } from './transaction.js';
import type { EntryBlock } from './tree/entry-block.js';
import { insertEntry } from './tree/insert.js';
import { contains } from './tree/lookup.js';
import { newEntry } from './tree/new-entry.js';
import { SortedLoad } from './tree/sorted-load.js';

/** Entries put between two looks at the clock. */
const PUTS_PER_LOOK = 64;

export class TreeBulkSink implements BulkSink {
  readonly phase = 'loading';
  entriesCommitted = 0;
  commits = 0;
  duplicates = 0;
  sorted = true;
  private readonly writer: StoreWriter;
  private readonly bucket: string;
  private readonly settings: BulkSettings;
  private transaction: Transaction | undefined;
  private load: SortedLoad | undefined;
  private pendingEntries = 0;
  private pendingBytes = 0;
  private previousKey: Uint8Array | undefined;
  private readonly stretch = new Stretch();

  constructor(writer: StoreWriter, bucket: string, settings: BulkSettings) {
    this.writer = writer;
    this.bucket = bucket;
    this.settings = settings;
  }

  async writeBatch(block: EntryBlock): Promise<void> {
    if (block.isEmpty) return;
    // Where no disk is waited for, promises alone would hold up the event loop for the whole load.
    if (this.stretch.isOver) await this.stretch.pause();
    this.checkOrder(block);
    const transaction = await this.begin(block);
    transaction.record.load(this.bucket, () => block.keyBounds());
    const taken = this.load === undefined ? 0 : await this.appendSorted(transaction, this.load, block);
    if (taken < block.count) await this.putEach(transaction, block, taken);
    this.pendingEntries += block.count;
    this.pendingBytes += block.contentBytes;
    this.previousKey = Uint8Array.prototype.slice.call(block.keyView(block.count - 1));
    if (this.pendingEntries >= this.settings.commitEntries || this.pendingBytes >= this.settings.commitBytes)
      await this.publish();
  }

  async commit(position?: unknown): Promise<void> {
    if (this.settings.atomic) {
      throw new StoreError(
        'INVALID_OPTION',
        'an atomic load has one commit, at its end: call finish, or load without atomic',
      );
    }
    if (position !== undefined) checkPosition(position, this.settings.checkpoint);
    await this.publish(position);
  }

  private async publish(position?: unknown): Promise<void> {
    const { checkpoint } = this.settings;
    if (this.transaction === undefined && position === undefined) return;
    this.transaction ??= await this.takeTurn();
    const { transaction } = this;
    await this.closeLoad(transaction);
    if (position !== undefined && checkpoint !== undefined)
      savePosition(transaction, this.bucket, checkpoint, position);
    this.transaction = undefined;
    await transaction.commit();
    this.commits++;
    this.entriesCommitted += this.pendingEntries;
    this.pendingEntries = 0;
    this.pendingBytes = 0;
  }

  async finish(): Promise<void> {
    await this.publish();
  }

  async stop(): Promise<void> {
    if (!this.settings.atomic) await this.publish();
  }

  async abort(): Promise<void> {
    const { transaction } = this;
    this.transaction = undefined;
    await this.load?.abandon();
    this.load = undefined;
    await transaction?.rollback();
  }

  /** Where the input was declared sorted it must be, before anything of the block is taken. */
  private checkOrder(block: EntryBlock): void {
    if (this.settings.sorted !== true) return;
    const { previousKey } = this;
    if (previousKey !== undefined && block.compareWith(0, previousKey) < 0)
      throw outOfOrder(previousKey, block.keyView(0));
    for (let i = 1; i < block.count; i++) {
      if (block.compare(i - 1, i) > 0) throw outOfOrder(block.keyView(i - 1), block.keyView(i));
    }
  }

  private async begin(block: EntryBlock): Promise<Transaction> {
    if (this.transaction !== undefined) return this.transaction;
    const transaction = await this.takeTurn();
    this.transaction = transaction;
    // A bulk load goes to the file as pages.
    transaction.record.overflow();
    const { pages } = transaction;
    const root = transaction.root(this.bucket);
    if (SortedLoad.canExtend(pages, root, block.keyView(0)))
      this.load = new SortedLoad(pages, root, this.settings.fillFactor);
    return transaction;
  }

  /** Begins a transaction. Once the signal was given, what was added before still gets its turn, if that is free. */
  private async takeTurn(): Promise<Transaction> {
    const { signal } = this.settings;
    if (signal?.aborted !== true) return this.writer.begin({ signal });
    try {
      return await this.writer.begin({ waitMilliseconds: 0 });
    } catch (cause) {
      if (!(cause instanceof StoreError) || cause.code !== 'CONFLICT') throw cause;
      const message =
        'the bulk load was stopped by its signal while another transaction was writing: what it had committed is in the store';
      throw new StoreError('ABORTED', message, { cause });
    }
  }

  /** Takes entries as long as they ascend; returns the index of the first that does not. */
  private async appendSorted(transaction: Transaction, load: SortedLoad, block: EntryBlock): Promise<number> {
    for (let next = 0; ; ) {
      const { end, equal } = await load.append(block, next);
      if (end === block.count) return end;
      // An equal key that replaces is left to the ordinary insert if only that can give the old value up.
      if (!equal || (this.settings.onDuplicate === 'replace' && !load.canReplaceLast)) {
        if (!equal) this.sorted = false;
        await this.closeLoad(transaction);
        return end;
      }
      if (this.noteDuplicate(block, end) === 'replace') {
        load.removeLast();
        next = end;
      } else next = end + 1;
      if (next === block.count) return next;
    }
  }

  /** Hands the tree that was built to the transaction. */
  private async closeLoad(transaction: Transaction): Promise<void> {
    const { load } = this;
    if (load === undefined) return;
    this.load = undefined;
    await transaction.build(this.bucket, () => load.finish());
  }

  private async putEach(transaction: Transaction, block: EntryBlock, from: number): Promise<void> {
    const { pages } = transaction;
    const replaces = this.settings.onDuplicate === 'replace';
    for (let i = from; i < block.count; i++) {
      if (i % PUTS_PER_LOOK === 0 && this.stretch.isOver) await this.stretch.pause();
      const key = block.keyView(i);
      if (!replaces && contains(pages.pager, transaction.root(this.bucket), key, key.length)) {
        this.noteDuplicate(block, i);
        continue;
      }
      const replaced = transaction.write(this.bucket, (tree) =>
        insertEntry(tree, newEntry(pages, key, block.valueView(i))),
      );
      if (replaced) this.duplicates++;
    }
  }

  private noteDuplicate(block: EntryBlock, index: number): 'replace' | 'keep' {
    const { onDuplicate } = this.settings;
    if (onDuplicate === 'error') throw duplicateKey(block.keyView(index));
    this.duplicates++;
    return onDuplicate;
  }
}

function outOfOrder(previous: Uint8Array, next: Uint8Array): StoreError {
  const show = (key: Uint8Array): string => JSON.stringify(Buffer.from(key).toString('utf8'));
  const message = `the key ${show(next)} comes after ${show(previous)} but sorts before it: sort the input, or load with sorted: 'auto'`;
  return new StoreError('KEY_OUT_OF_ORDER', message, {
    details: { previous: Buffer.from(previous), key: Buffer.from(next) },
  });
}

/** The position last saved under a name, or undefined. */
export function readPosition(checkpoint: string | undefined, name: string): unknown {
  const positions = readPositions(checkpoint);
  // A name may be one that every object has.
  return Object.hasOwn(positions, name) ? positions[name] : undefined;
}

/** Raises INVALID_OPTION where a position cannot be saved. */
export function checkPosition(position: unknown, checkpoint: string | undefined): void {
  if (checkpoint === undefined) {
    throw new StoreError(
      'INVALID_OPTION',
      'a position needs a name to be saved under: give the bulk writer a checkpoint name',
    );
  }
  let json: string | undefined;
  let cause: unknown;
  try {
    json = JSON.stringify(position);
  } catch (error) {
    cause = error;
  }
  if (json !== undefined) return;
  const message = `the position is a ${typeof position} that JSON cannot hold: save a JSON value`;
  throw new StoreError('INVALID_OPTION', message, cause === undefined ? {} : { cause });
}

/** Positions by checkpoint name, as a bucket's catalog record keeps them. */
function readPositions(checkpoint: string | undefined): Record<string, unknown> {
  return checkpoint === undefined ? {} : (JSON.parse(checkpoint) as Record<string, unknown>);
}

function savePosition(transaction: Transaction, bucket: string, name: string, position: unknown): void {
  const positions = readPositions(transaction.checkpoint(bucket));
  transaction.setCheckpoint(bucket, JSON.stringify({ ...positions, [name]: position }));
}
