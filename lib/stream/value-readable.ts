/** One value as a byte stream, in constant memory. */
import { Readable } from 'node:stream';
import { StoreError } from '../errors.js';
import type { TreeRoot } from '../format/catalog-record.js';
import { leafRecord, recordIsLarge, recordValue, recordValueLength, searchLeaf } from '../format/leaf.js';
import type { Pager } from '../storage/pager.js';
import { ValueReader } from '../storage/value-reader.js';
import { findLeaf } from '../tree/descend.js';
import { largeValueExtents } from '../tree/large-value.js';
import { closeWhenForgotten } from './cursor-source.js';
import { Stretch } from './stretch.js';

interface Pinned {
  readonly root: TreeRoot;
  release(): void;
}

export class ValueReadable extends Readable {
  private readonly pager: Pager;
  private readonly pin: () => Pinned;
  private readonly key: Uint8Array;
  private readonly stretch = new Stretch();
  private pinned: Pinned | undefined;
  private reader: ValueReader | undefined;
  /** The part that stands in the leaf: a small value whole, a large one's tail. */
  private tail: Buffer = Buffer.alloc(0);

  /** `pin` fixes the bucket's tree; it is called with the first read. */
  constructor(pager: Pager, pin: () => Pinned, key: Uint8Array) {
    super({ highWaterMark: 256 * 1024 });
    this.pager = pager;
    this.pin = pin;
    this.key = Uint8Array.prototype.slice.call(key);
  }

  override _read(): void {
    if (this.stretch.isOver) void this.stretch.pause().then(() => this.readOn());
    else this.readOn();
  }

  private readOn(): void {
    if (this.destroyed) return;
    try {
      if (this.pinned === undefined) this.start();
      while (this.pushNext());
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Pushes what one read gives, in one chunk; returns whether more is wanted. */
  private pushNext(): boolean {
    const { reader } = this;
    const bytes = reader?.bytesOfNext ?? 0;
    if (reader === undefined || bytes === 0) {
      if (this.tail.length > 0) this.push(this.tail);
      this.push(null);
      return false;
    }
    const chunk = Buffer.allocUnsafeSlow(bytes);
    let length = 0;
    reader.readSome((page, from, to) => {
      length += page.copy(chunk, length, from, to);
    });
    return this.push(chunk);
  }

  private start(): void {
    const { pager, key } = this;
    const pinned = this.pin();
    this.pinned = pinned;
    closeWhenForgotten(this, { close: () => pinned.release() });
    const { root } = pinned;
    const leaf = root.page === 0 ? -1 : findLeaf(pager, root.page, root.stamp, key, key.length);
    const index = leaf < 0 ? -1 : searchLeaf(pager.memory, leaf, pager.pageSize, key, key.length);
    if (index < 0)
      throw new StoreError(
        'KEY_NOT_FOUND',
        `there is no key ${JSON.stringify(Buffer.from(key).toString())} to read: check with has() first`,
      );
    const record = leafRecord(pager.memory, leaf, index);
    const end = recordValue(record) + recordValueLength(pager.memory, record);
    let tailLength = recordValueLength(pager.memory, record);
    if (recordIsLarge(pager.memory, record)) {
      const value = largeValueExtents(pager, leaf, record);
      this.reader = new ValueReader(pager.file, pager.pageSize, value);
      tailLength = value.tailLength;
    }
    this.tail = Buffer.from(pager.memory.bytes.subarray(end - tailLength, end));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.pinned?.release();
    callback(error);
  }
}
