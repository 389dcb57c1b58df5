// The stream that a sort of rows is: nothing happens before it is read, and it has let go of all when it is closed.

import { Readable } from 'node:stream';
import { StoreError } from '../errors.js';
import { ExternalSort } from '../sort/external-sort.js';
import { sortShape } from '../sort/sort-shape.js';
import { TemporaryFiles } from '../storage/temporary-files.js';
import { Stretch } from '../stream/stretch.js';
import { throwIfAborted } from './interruptible.js';
import type { RowBatch } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';
import { RowSorter } from './row-sorter.js';
import type { SortOptions } from './sort-options.js';
import { type OpenSource, openSource, type Source } from './source.js';

const SORT_BYTES = 64 * 1024 * 1024;

/** How far a sort is. */
export interface SortProgress {
  /** Rows read so far. */
  readonly rows: number;
  /** Rows handed out so far; 0 until all are read. */
  readonly rowsOut: number;
  /** Rows that were dropped, as another has the same key and `unique` was given. */
  readonly duplicates: number;
  /** Bytes of the source read so far, as they are stored, be they compressed. */
  readonly bytesRead: number;
  /** Bytes of the source in all, as they are stored; undefined where that is not known, as for streams. */
  readonly bytesTotal: number | undefined;
}

/** The rows of a source whose beginning was read. */
export interface RowsToSort<Batch extends RowBatch> {
  readonly batches: AsyncIterable<Batch>;
  readonly keys: RowKeyWriter<Batch>;
  /** What comes first, its line end included. */
  readonly header: Buffer | undefined;
  /** Lets go of the source. */
  close(): Promise<unknown>;
}

/**
 * Sorted rows as bytes, what {@link sortCsv} and {@link sortNdjson} return.
 *
 * @example
 * ```ts
 * import { text } from 'node:stream/consumers';
 * import { sortCsv } from 'btree-store';
 *
 * const sorted = sortCsv('cities.csv.gz', { key: 'country', unique: 'first' });
 * const lines = (await text(sorted)).trimEnd().split('\n');
 * lines.length - 1 === sorted.progress.rows - sorted.progress.duplicates; // true
 * ```
 */
export class SortedRows extends Readable {
  private readonly source: OpenSource;
  private readonly ended = new AbortController();
  private readonly stretch = new Stretch();
  private running: Promise<void> | undefined;
  private sorter: RowSorter<RowBatch> | undefined;
  private sort: ExternalSort | undefined;
  /** Has the rows that wait go on. */
  private wake: (() => void) | undefined;

  /** @internal */
  constructor(
    source: Source,
    private readonly options: SortOptions,
    private readonly openRows: (chunks: OpenSource) => Promise<RowsToSort<RowBatch>>,
  ) {
    super();
    const { signal } = options;
    const either = signal === undefined ? this.ended.signal : AbortSignal.any([signal, this.ended.signal]);
    this.source = openSource(source, { signal: either });
    // Also while nobody reads, and so nothing else would notice.
    const stop = (): void => {
      const message = 'the sort was stopped by its signal: what it had handed out is not all';
      this.destroy(new StoreError('ABORTED', message, { cause: signal?.reason }));
    };
    signal?.addEventListener('abort', stop, { once: true, signal: this.ended.signal });
  }

  /** How far the sort is. */
  get progress(): SortProgress {
    const { bytesRead, bytesTotal } = this.source;
    const { rows = 0, rowsOut = 0 } = this.sorter ?? {};
    return { rows, rowsOut, duplicates: this.sort?.duplicates ?? 0, bytesRead, bytesTotal };
  }

  override _read(): void {
    this.wake?.();
    this.running ??= this.run().then(
      () => {
        this.push(null);
      },
      (error: Error) => {
        this.destroy(error);
      },
    );
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.ended.abort(error);
    this.wake?.();
    const { running = Promise.resolve() } = this;
    void running.then(() => done(error));
  }

  private async run(): Promise<void> {
    const { sortBytes = SORT_BYTES, unique, temporaryPath } = this.options;
    const sort = new ExternalSort({
      shape: sortShape(sortBytes),
      onDuplicate: unique === 'last' ? 'replace' : 'keep',
      files: new TemporaryFiles(temporaryPath, true),
      pause: () => this.takeTurns(),
    });
    this.sort = sort;
    try {
      const header = await this.readRows(sort);
      await this.sorter?.give(header, (rows) => this.give(rows));
    } finally {
      await sort.discard();
    }
  }

  /** Sorts all rows of the source; returns its header. */
  private async readRows(sort: ExternalSort): Promise<Buffer | undefined> {
    const { batches, keys, header, close } = await this.openRows(this.source);
    try {
      const sorter = new RowSorter(keys, sort, this.options.unique === undefined);
      this.sorter = sorter;
      for await (const batch of batches) await sorter.take(batch);
    } finally {
      await close();
    }
    return header;
  }

  /** Resolves when there is room for more. */
  private async give(rows: Buffer): Promise<void> {
    this.throwIfEnded();
    if (this.push(rows)) return;
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    this.wake = undefined;
    this.throwIfEnded();
  }

  /** Lets others have their turn where it is time to. */
  private async takeTurns(): Promise<void> {
    this.throwIfEnded();
    if (this.stretch.isOver) await this.stretch.pause();
  }

  private throwIfEnded(): void {
    throwIfAborted(this.ended.signal, 'the rows');
  }
}
