/** A bulk load of a typed bucket: the same face as a BulkWriter's, before the one that takes bytes. */
import { Writable } from 'node:stream';
import type { Observable } from 'rxjs';
import type { BucketCodecs } from './codec/bucket-types.js';
import { StoreError } from './errors.js';
import type { BulkProgress, BulkReport } from './stream/bulk-report.js';
import type { BulkWriter } from './stream/bulk-writer.js';
import { typedKeyError } from './typed-key-error.js';

type Done = (error?: Error | null) => void;

/**
 * Loads entries into a typed bucket in bulk. Made by `bucket.bulkWriter()` of a typed bucket; a Writable of
 * `[key, value]`, and for loops a synchronous `add` that says when to wait.
 *
 * @example
 * ```ts
 * const words = db.bucket('words', { key: keys.bigint, value: z.string() });
 * const writer = words.bulkWriter({ checkpoint: 'source' });
 * writer.progress$.subscribe(({ entriesCommitted }) => console.error(entriesCommitted));
 * if (!writer.add(1n, 'one')) await writer.drained();
 * await writer.commit({ line: 1 });
 * writer.report().entriesCommitted; // 1
 * await writer.finish();
 * words.bytes.bulkCheckpoint('source'); // => { line: 1 }
 * ```
 */
export class TypedBulkWriter<Key, Value> extends Writable {
  private readonly writer: BulkWriter;
  private readonly codecs: BucketCodecs<Key, Value>;
  private failure: { readonly raised: unknown; readonly told: StoreError } | undefined;

  constructor(writer: BulkWriter, codecs: BucketCodecs<Key, Value>) {
    super({ objectMode: true, highWaterMark: 1024, decodeStrings: false });
    this.writer = writer;
    this.codecs = codecs;
    // Its own calls tell a loop of a failure, and the stream's end whoever pipes into it.
    writer.on('error', (error) => {
      if (this.writableLength > 0 || this.listenerCount('error') > 0) this.destroy(this.told(error));
    });
  }

  /** As {@link BulkWriter.progress$}. */
  get progress$(): Observable<BulkProgress> {
    return this.writer.progress$;
  }

  /**
   * Takes an entry. Returns false when it is time to await `drained()` before going on; the entry is taken all the
   * same. Raises INVALID_KEY, KEY_TOO_LARGE or INVALID_VALUE for an entry that cannot be stored (it is not taken, the
   * load can go on), and whatever made the load fail before.
   */
  add(key: Key, value: Value): boolean {
    const [keyBytes, valueBytes] = [this.codecs.key.encode(key), this.codecs.value.encode(value)];
    try {
      return this.writer.add(keyBytes, valueBytes);
    } catch (error) {
      throw this.told(error);
    }
  }

  /** Resolves when `add` may go on. */
  drained(): Promise<void> {
    return this.inKeys(this.writer.drained());
  }

  /** As {@link BulkWriter.commit}. */
  commit(position?: unknown): Promise<void> {
    return this.inKeys(this.writer.commit(position));
  }

  /** Ends the load: commits what is left and reports. Rejects with what made it fail. */
  finish(): Promise<BulkReport> {
    return this.inKeys(this.writer.finish());
  }

  /** What was taken and committed so far; also after the load failed. */
  report(): BulkReport {
    return this.writer.report();
  }

  private async inKeys<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      throw this.told(error);
    }
  }

  /** An error with keys as their type has them; the same one each time. */
  private told<Raised>(error: Raised): Raised | StoreError {
    if (this.failure?.raised === error) return this.failure.told;
    const told = typedKeyError(error, this.codecs.key);
    // What is told in other words has ended the load: no other will come.
    if (told !== error && told instanceof StoreError) this.failure = { raised: error, told };
    return told;
  }

  override _write(entry: [Key, Value], _encoding: string, callback: Done): void {
    this.takeAll([entry]).then(() => callback(), callback);
  }

  override _writev(chunks: { chunk: [Key, Value] }[], callback: Done): void {
    this.takeAll(chunks.map(({ chunk }) => chunk)).then(() => callback(), callback);
  }

  private async takeAll(entries: readonly [Key, Value][]): Promise<void> {
    for (const entry of entries) {
      if (!Array.isArray(entry) || entry.length !== 2)
        throw new StoreError(
          'INVALID_OPTION',
          'a bulk writer takes [key, value] pairs: map the stream before it',
        );
      if (!this.add(...entry)) await this.drained();
    }
  }

  override _final(callback: Done): void {
    this.finish().then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: Done): void {
    const { writer } = this;
    if (writer.closed) {
      callback(error);
      return;
    }
    writer.once('close', () => callback(error));
    writer.destroy(error ?? undefined);
  }
}
