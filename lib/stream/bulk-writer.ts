/**
 * The public face of a bulk load: a Writable of [key, value], and for loops a synchronous `add` that
 * says when to wait. It fills blocks and hands them to a sink, one being filled while another is
 * taken.
 */
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import type { Observable } from 'rxjs';
import { StoreError } from '../errors.js';
import { keyBytesMax } from '../format/node.js';
import { PAGE_SIZES } from '../format/page.js';
import type { PageMemory } from '../format/page-memory.js';
import type { Bytes, Entry } from '../options.js';
import { EntryBlock } from '../tree/entry-block.js';
import { BulkMeter } from './bulk-meter.js';
import type { BulkProgress, BulkReport } from './bulk-report.js';
import type { BulkSink } from './bulk-sink.js';

/** Bytes of a block: long enough for long writes, short enough to be taken without a stall. */
const BLOCK_BYTES = 256 * 1024;
/** Keys of so many bytes are right with pages of any size. */
const KEY_BYTES_SURE = keyBytesMax(PAGE_SIZES[0]);
const NO_VALUE = new Uint8Array(0);

type Done = (error?: Error | null) => void;

/** Checks a key or a value before it is taken; raises what is wrong with it. */
export type CheckEntry = (key: Bytes, value: Bytes) => void;

/** When a load commits by itself, and what stops it. */
export interface LoadLimits {
  readonly commitEntries: number;
  readonly commitBytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Loads entries into a bucket in bulk. Made by `bucket.bulkWriter()`. From the first block of entries that goes into
 * the bucket to the next commit no one else writes, and `close` of the store waits: finish it, or destroy it. While
 * entries are being sorted no one waits.
 *
 * @example
 * ```ts
 * const writer = readings.bulkWriter({ sorted: true, commitEvery: { entries: 10_000 } });
 * writer.progress$.subscribe(({ entriesCommitted }) => console.error(entriesCommitted));
 * for (let day = 10; day < 30; day++) {
 *   if (!writer.add(`2024-01-${day}`, 'dry')) await writer.drained();
 * }
 * await writer.commit();
 * writer.report().entriesCommitted; // 20
 * const { entries, commits } = await writer.finish(); // => { entries: 20, commits: 1 }
 * ```
 */
export class BulkWriter extends Writable {
  private readonly sink: BulkSink;
  private readonly check: CheckEntry;
  private readonly limits: LoadLimits;
  private readonly meter = new BulkMeter(() => this.report());
  private filling = new EntryBlock(BLOCK_BYTES);
  private spare: EntryBlock | undefined = new EntryBlock(BLOCK_BYTES);
  /** Blocks on their way, in order; commits are in the same line. */
  private work: Promise<void> = Promise.resolve();
  private waitingForSpare: Done[] = [];
  private failure: Error | undefined;
  private entries = 0;
  private bytes = 0;
  /** What was taken since the last commit that was asked for or is due: a block ends where one is. */
  private entriesToCommit = 0;
  private bytesToCommit = 0;
  private isLoop = false;
  private finished: Promise<BulkReport> | undefined;
  private lastPosition: unknown;

  constructor(sink: BulkSink, check: CheckEntry, limits: LoadLimits) {
    super({ objectMode: true, highWaterMark: 1024, decodeStrings: false });
    this.sink = sink;
    this.check = check;
    this.limits = limits;
    const { signal } = limits;
    const onAbort = (): void => this.stop();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.once('close', () => signal?.removeEventListener('abort', onAbort));
    if (signal?.aborted === true) queueMicrotask(onAbort);
  }

  /**
   * Progress about ten times a second, the latest at once to each who subscribes. Completes with the load, however that ends: a failure is told by
   * `finish` and by the stream's 'error'.
   */
  get progress$(): Observable<BulkProgress> {
    return this.meter.progress$;
  }

  /**
   * Takes an entry. Returns false when it is time to await `drained()` before going on; the entry is
   * taken all the same. Raises INVALID_KEY, KEY_TOO_LARGE or INVALID_OPTION for an entry that cannot be
   * stored (it is not taken, the load can go on), and whatever made the load fail before.
   */
  add(key: Bytes, value: Bytes): boolean {
    this.assertTaking();
    this.check(key, value);
    return this.take(key, value);
  }

  /**
   * As `add`, for an entry that lies as blocks have them: the key at the beginning of `memory`, the value at the next
   * multiple of four behind it.
   *
   * @internal
   */
  addPlaced(memory: PageMemory, keyLength: number, valueLength: number): boolean {
    this.assertTaking();
    // A view of each key would cost as much as its copy.
    if (keyLength > KEY_BYTES_SURE) this.check(memory.bytes.subarray(0, keyLength), NO_VALUE);
    this.makeRoom(keyLength, valueLength);
    this.filling.addAligned(memory, 0, keyLength, valueLength);
    this.countLast();
    return this.spare !== undefined;
  }

  private assertTaking(): void {
    this.serveLoop();
    if (this.failure !== undefined) throw this.failure;
    if (this.writableEnded)
      throw new StoreError(
        'TRANSACTION_CLOSED',
        'the bulk writer has finished: make another one for more entries',
      );
  }

  private take(key: Bytes, value: Bytes): boolean {
    // Three bytes a UTF-16 unit is the most that UTF-8 takes.
    const keyBytes = typeof key === 'string' ? key.length * 3 : key.length;
    const valueBytes = typeof value === 'string' ? value.length * 3 : value.length;
    this.makeRoom(keyBytes, valueBytes);
    this.filling.add(key, value);
    this.countLast();
    return this.spare !== undefined;
  }

  private makeRoom(keyBytes: number, valueBytes: number): void {
    if (!this.filling.hasRoom(keyBytes, valueBytes) || this.filling.isFilled(BLOCK_BYTES)) this.handOver();
  }

  private countLast(): void {
    const { filling, limits } = this;
    const last = filling.count - 1;
    const bytes = filling.keyLengths[last] + filling.valueLengths[last];
    this.entries++;
    this.bytes += bytes;
    this.entriesToCommit++;
    this.bytesToCommit += bytes;
    if (this.entriesToCommit >= limits.commitEntries || this.bytesToCommit >= limits.commitBytes)
      this.endCommit();
  }

  /** Hands over what belongs to a commit; the sink makes it when it is due. */
  private endCommit(): void {
    this.handOver();
    this.entriesToCommit = 0;
    this.bytesToCommit = 0;
  }

  /** A loop learns of a failure from its calls: as an event that nobody listens to it would end the process. */
  private serveLoop(): void {
    if (this.isLoop) return;
    this.isLoop = true;
    this.on('error', () => undefined);
  }

  /** Resolves when `add` may go on; rejects with what made the load fail. */
  drained(): Promise<void> {
    this.serveLoop();
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.spare !== undefined) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.waitingForSpare.push((error) => (error ? reject(error) : resolve()));
    });
  }

  /**
   * Makes all entries so far durable and visible. `position`, a JSON value, is saved with them where the
   * writer has a `checkpoint` name. Rejects with INVALID_OPTION, and ends the load, where the position is no
   * JSON value or has no name, and where the load is atomic; and with whatever makes the load fail.
   */
  async commit(position?: unknown): Promise<void> {
    this.serveLoop();
    this.endCommit();
    await this.enqueue(() => this.meter.during(() => this.sink.commit(position)));
  }

  /**
   * Ends the load: commits what is left, with the position if one is given as for `commit`, and reports.
   * Rejects with what made it fail.
   */
  finish(position?: unknown): Promise<BulkReport> {
    this.serveLoop();
    if (position !== undefined) this.lastPosition = position;
    this.finished ??= new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      this.once('error', reject);
      this.once('close', () => {
        if (this.writableFinished) resolve(this.report());
        else
          reject(
            this.failure ??
              new StoreError(
                'ABORTED',
                'the bulk writer was destroyed: what it had not committed is not in the store',
              ),
          );
      });
      this.end();
    });
    return this.finished;
  }

  override _write(entry: Entry, _encoding: string, callback: Done): void {
    this.takeFromStream([entry], callback);
  }

  override _writev(chunks: { chunk: Entry }[], callback: Done): void {
    this.takeFromStream(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  private takeFromStream(entries: readonly Entry[], callback: Done): void {
    const run = async (): Promise<void> => {
      for (const entry of entries) {
        if (!Array.isArray(entry) || entry.length !== 2) throw notAnEntry(entry);
        if (!this.addChecked(entry)) await this.drained();
      }
    };
    run().then(() => callback(), callback);
  }

  private addChecked(entry: Entry): boolean {
    if (this.failure !== undefined) throw this.failure;
    this.check(entry[0], entry[1]);
    return this.take(entry[0], entry[1]);
  }

  override _final(callback: Done): void {
    this.handOver();
    this.enqueue(() => this.meter.during(() => this.sink.finish(this.lastPosition))).then(() => {
      this.meter.tell(true);
      this.meter.complete();
      callback();
    }, callback);
  }

  override _destroy(error: Error | null, callback: Done): void {
    const reason = error ?? new StoreError('ABORTED', 'the bulk writer was destroyed before it finished');
    if (!this.writableFinished) {
      this.fail(reason);
      this.sink.interrupt?.(reason);
    }
    this.work
      .catch(() => undefined)
      .then(() => (this.writableFinished ? undefined : this.sink.abort(reason)))
      .then(
        () => callback(error),
        (abortError: unknown) => callback(abortError instanceof Error ? abortError : error),
      );
  }

  /** The signal fired: the sink ends with what was taken, what comes is refused. */
  private stop(): void {
    if (this.writableFinished || this.failure !== undefined) return;
    const error = new StoreError(
      'ABORTED',
      'the bulk load was stopped by its signal: what it had committed is in the store',
      {
        cause: this.limits.signal?.reason,
      },
    );
    this.handOver();
    this.enqueue(() => this.meter.during(() => this.sink.stop())).then(
      () => this.destroy(error),
      (commitError: Error) => this.destroy(commitError),
    );
  }

  /** Puts the block being filled in line, and takes the spare one, or a new one if there is none. */
  private handOver(): void {
    if (this.filling.isEmpty) return;
    const block = this.filling;
    this.filling = this.spare ?? new EntryBlock(BLOCK_BYTES);
    this.spare = undefined;
    this.enqueue(async () => {
      await this.sink.writeBatch(block);
      block.clear();
      this.spare = block;
      this.meter.tell();
      this.wake();
    }).catch(() => undefined);
  }

  private enqueue(work: () => Promise<void>): Promise<void> {
    const run = this.work.then(async () => {
      if (this.failure !== undefined) throw this.failure;
      await work();
    });
    this.work = run.catch((error: unknown) =>
      this.fail(error instanceof Error ? error : new Error(String(error))),
    );
    return run;
  }

  private fail(error: Error): void {
    if (this.failure !== undefined) return;
    this.failure = error;
    this.wake();
    // The failure is told by the stream and by `finish`: an error here would end a process that only looks on.
    this.meter.complete();
    if (!this.destroyed) this.destroy(error);
  }

  private wake(): void {
    const waiting = this.waitingForSpare;
    this.waitingForSpare = [];
    for (const done of waiting) done(this.failure);
  }

  /** What was taken and committed so far; also after the load failed. */
  report(): BulkReport {
    const { entries, bytes, sink } = this;
    const { phase, entriesCommitted, commits, duplicates, sorted } = sink;
    const { elapsedMilliseconds } = this.meter;
    const entriesPerSecond = elapsedMilliseconds > 0 ? (entries / elapsedMilliseconds) * 1000 : 0;
    const progress = {
      phase,
      entries,
      bytes,
      entriesCommitted,
      commits,
      elapsedMilliseconds,
      entriesPerSecond,
    };
    return { ...progress, duplicates, sorted };
  }
}

function notAnEntry(found: unknown): StoreError {
  return new StoreError(
    'INVALID_OPTION',
    `a bulk writer takes [key, value] pairs, not ${inspect(found, { depth: 1 }).slice(0, 80)}: map the stream before it`,
  );
}
