// A range of a bucket as it was when the store could last be read. A store that is closed may be written over by
// others, so what was seen is kept apart from it: a temporary store with a checksum of each value under its key.

import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BulkWriter, type Database, type Entry, open, type Range, type RangeOptions } from '../index.js';
import { existingBucket, withReadStore } from './store-access.js';

const PUT = Buffer.from('+');
const DELETE = Buffer.from('-');
/** The largest pages: they hold keys of any store. */
const PAGE_SIZE = 65536;

/** A change of one entry: the value that was put, or none where it was deleted. */
export interface SeenChange {
  readonly key: Buffer;
  readonly value: Buffer | undefined;
}

export class SeenRange {
  private isFirst = true;

  static async open(store: string, bucket: string, range: RangeOptions): Promise<SeenRange> {
    const folder = mkdtempSync(join(tmpdir(), 'btree-store-watch-'));
    const remove = (): void => rmSync(folder, { recursive: true, force: true });
    // Also where the process ends at once, as when the reader of the output has enough.
    process.once('exit', remove);
    const copy = await open(join(folder, 'seen.db'), { durability: 'none', pageSize: PAGE_SIZE });
    return new SeenRange(store, bucket, range, copy, remove);
  }

  private constructor(
    private readonly store: string,
    private readonly bucket: string,
    private readonly range: RangeOptions,
    private readonly copy: Database,
    private readonly remove: () => void,
  ) {}

  /** Entries that were seen. */
  get count(): number {
    return this.copy.bucket('seen').range().count();
  }

  /**
   * Looks at the store, which is open for as long as that takes; returns how many entries have changed since the last
   * look that was accepted. The first look sees no change, only what there is.
   *
   * @throws STORE_LOCKED while another process has it open to write, CommandFailure where there is no such bucket.
   */
  async look(signal: AbortSignal): Promise<number> {
    const { isFirst } = this;
    const writer = this.copy.bucket(isFirst ? 'seen' : 'changes').bulkWriter({ atomic: true });
    const put = (key: Buffer, value: Buffer): boolean =>
      writer.add(key, isFirst ? checksum(value) : Buffer.concat([PUT, value]));
    try {
      await withReadStore(this.store, async (db) => {
        // Later on, a bucket that is gone is one without entries.
        const bucket = isFirst ? existingBucket(db, this.bucket) : db.bucket(this.bucket);
        await compare(this.copy.bucket('seen').range(), bucket.range(this.range), writer, put, signal);
      });
      await writer.finish();
    } finally {
      writer.destroy();
    }
    this.isFirst = false;
    return this.copy.bucket('changes').range().count();
  }

  /** The first changes of the last look, in the order of their keys; each is valid until the next. */
  async *changes(limit: number): AsyncGenerator<SeenChange> {
    const range = Number.isFinite(limit) ? { limit } : {};
    for await (const [key, change] of this.copy.bucket('changes').range(range))
      yield { key, value: change[0] === DELETE[0] ? undefined : change.subarray(1) };
  }

  /** Takes the changes as seen. */
  async accept(): Promise<void> {
    await this.copy.write(async (tx) => {
      const seen = tx.bucket('seen');
      for await (const { key, value } of this.changes(Number.POSITIVE_INFINITY)) {
        if (value === undefined) seen.delete(key);
        else seen.put(key, checksum(value));
      }
      tx.dropBucket('changes');
    });
  }

  async close(): Promise<void> {
    await this.copy.close();
    this.remove();
    process.off('exit', this.remove);
  }
}

type Step = IteratorResult<Entry>;

/** Walks two ranges together, and has written where the second one differs. */
async function compare(
  seen: Range,
  now: Range,
  writer: BulkWriter,
  put: (key: Buffer, value: Buffer) => boolean,
  signal: AbortSignal,
): Promise<void> {
  const before = seen[Symbol.asyncIterator]();
  const after = now[Symbol.asyncIterator]();
  try {
    let old: Step = await before.next();
    let found: Step = await after.next();
    while (old.done !== true || found.done !== true) {
      signal.throwIfAborted();
      const order = orderOf(old, found);
      let more = true;
      if (old.done !== true && order < 0) more = writer.add(old.value[0], DELETE);
      else if (found.done !== true && !(order === 0 && isSame(old, found))) more = put(...found.value);
      if (!more) await writer.drained();
      if (order <= 0) old = await before.next();
      if (order >= 0) found = await after.next();
    }
  } finally {
    await before.return?.();
    await after.return?.();
  }
}

/** Which of the two has the smaller key; one that has come to its end has the greatest. */
function orderOf(old: Step, found: Step): number {
  if (old.done === true) return 1;
  return found.done === true ? -1 : Buffer.compare(old.value[0], found.value[0]);
}

function isSame(old: Step, found: Step): boolean {
  return old.done !== true && found.done !== true && checksum(found.value[1]).equals(old.value[1]);
}

function checksum(value: Buffer): Buffer {
  return createHash('sha256').update(value).digest();
}
