/** What a transaction did, noted twice as it goes: for the log, and for those who watch its buckets. */
import type { ChangeRecorder } from './change-recorder.js';
import { LogRecordWriter } from './format/log-record.js';
import type { KeyBounds } from './tree/key-bounds.js';

/** Commits of more bytes than this go to the file as pages: the log would only delay that. */
const LOGGED_BYTES_MAX = 1 << 20;

export class TransactionJournal {
  readonly log = new LogRecordWriter(LOGGED_BYTES_MAX);
  private readonly changes: ChangeRecorder | undefined;

  constructor(changes: ChangeRecorder | undefined) {
    this.changes = changes;
  }

  put(bucket: string, key: Uint8Array, value: Uint8Array): void {
    this.log.put(bucket, key, value);
    this.changes?.put(bucket, key, value);
  }

  delete(bucket: string, key: Uint8Array): void {
    this.log.delete(bucket, key);
    this.changes?.delete(bucket, key);
  }

  deleteRange(bucket: string, bounds: KeyBounds): void {
    this.log.deleteRange(bucket, bounds);
    this.changes?.deleteRange(bucket, bounds);
  }

  create(bucket: string): void {
    this.log.create(bucket);
  }

  drop(bucket: string): void {
    this.log.drop(bucket);
    this.changes?.drop(bucket);
  }

  checkpoint(bucket: string, text: string): void {
    this.log.checkpoint(bucket, text);
  }

  /** What the log cannot tell of, pages that were written: the commit is to be a checkpoint. */
  overflow(): void {
    this.log.overflow();
  }

  /** A value whose pages are in the file already was put. */
  putExtents(bucket: string, key: Uint8Array): void {
    this.log.overflow();
    this.changes?.putUnread(bucket, key);
  }

  /** Entries were put past the log, in bulk; `boundsOf`, called only for a bucket that is watched, says where. */
  load(bucket: string, boundsOf: () => KeyBounds): void {
    this.log.overflow();
    this.changes?.load(bucket, boundsOf);
  }
}
