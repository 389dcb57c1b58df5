/**
 * A value on its way into a bucket as a stream. Short ones are put as any other; of longer ones the
 * pages go to the file as they come, beside other writers, and one short transaction makes them the
 * key's value in the end.
 */
import type { Reservation } from './storage/reservation.js';
import type { Store } from './storage/store.js';
import { ValueWriter } from './storage/value-writer.js';
import type { StoreWriter } from './store-writer.js';
import type { ValueUpload } from './stream/value-writable.js';

/** Up to so many bytes a value waits in memory, and is put as a whole if it ends by then. */
const GATHERED_BYTES_MAX = 64 * 1024;

export class BucketUpload implements ValueUpload {
  private readonly store: Store;
  private readonly writer: StoreWriter;
  private readonly bucket: string;
  private readonly key: Buffer;
  private gathered: Uint8Array[] = [];
  private gatheredBytes = 0;
  private reservation: Reservation | undefined;
  private pages: ValueWriter | undefined;

  constructor(store: Store, writer: StoreWriter, bucket: string, key: Buffer) {
    this.store = store;
    this.writer = writer;
    this.bucket = bucket;
    this.key = key;
  }

  append(bytes: Uint8Array): void {
    this.store.assertWritable();
    if (this.pages !== undefined) {
      this.pages.append(bytes);
      return;
    }
    this.gathered.push(Uint8Array.prototype.slice.call(bytes));
    this.gatheredBytes += bytes.length;
    if (this.gatheredBytes > GATHERED_BYTES_MAX) this.startPages();
  }

  private startPages(): void {
    this.reservation = this.store.reserve();
    this.pages = new ValueWriter(this.reservation);
    for (const bytes of this.gathered) this.pages.append(bytes);
    this.gathered = [];
  }

  async finish(): Promise<void> {
    const { pages, reservation } = this;
    if (pages === undefined || reservation === undefined) {
      const value = Buffer.concat(this.gathered);
      await this.writer.write((transaction) => transaction.bucket(this.bucket).put(this.key, value));
      return;
    }
    const record = pages.finish();
    const transaction = await this.writer.begin();
    try {
      reservation.adoptInto(transaction.pages);
      transaction.putExtents(this.bucket, this.key, record);
      await transaction.commit();
    } catch (error) {
      await transaction.rollback();
      throw error;
    }
  }

  abort(): void {
    this.reservation?.abandon();
    this.gathered = [];
  }
}
