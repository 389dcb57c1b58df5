// Runs an import from its first byte to its report, whatever the format.

import type { Bucket } from '../bucket.js';
import type { BulkReport } from '../stream/bulk-report.js';
import type { BulkWriter } from '../stream/bulk-writer.js';
import { importFailure } from './import-failure.js';
import type { Tell } from './import-job.js';
import { bulkOptions, type ImportOptions } from './import-options.js';
import { ImportMeter } from './import-progress.js';
import type { ImportFailureDetails, ImportReport } from './import-report.js';
import { RowLoader, type RowValues } from './import-rows.js';
import { RejectLog } from './reject-log.js';
import type { RowBatch } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';
import { type OpenSource, openSource, type Source } from './source.js';

/** The rows of a source whose beginning was read, and how keys and values are made of them. */
export interface OpenRows<Batch extends RowBatch> {
  readonly batches: AsyncIterable<Batch>;
  readonly keys: RowKeyWriter<Batch>;
  readonly values: RowValues<Batch>;
  /** Lets go of the source. */
  close(): Promise<unknown>;
}

/** Reads as much of a source as is needed before its first row. */
export type OpenFormat<Batch extends RowBatch> = (chunks: OpenSource) => Promise<OpenRows<Batch>>;

/** Runs an import; `options` were checked. */
export function runImport<Batch extends RowBatch>(
  bucket: Bucket,
  source: Source,
  options: ImportOptions,
  openFormat: OpenFormat<Batch>,
  tell: Tell,
): Promise<ImportReport> {
  return new ImportRun(bucket, openSource(source, { signal: options.signal }), options, tell).run(openFormat);
}

class ImportRun {
  private readonly meter: ImportMeter;
  private writer: BulkWriter | undefined;
  private rejects: RejectLog | undefined;
  private blankLines = 0;

  constructor(
    private readonly bucket: Bucket,
    private readonly source: OpenSource,
    private readonly options: ImportOptions,
    tell: Tell,
  ) {
    this.meter = new ImportMeter(source, tell);
  }

  async run<Batch extends RowBatch>(openFormat: OpenFormat<Batch>): Promise<ImportReport> {
    try {
      const rows = await openFormat(this.source);
      try {
        return await this.load(rows);
      } finally {
        await rows.close();
      }
    } catch (error) {
      const cause = await this.stop(error);
      throw importFailure(cause, this.failureDetails(), this.options.signal);
    }
  }

  private async load<Batch extends RowBatch>(rows: OpenRows<Batch>): Promise<ImportReport> {
    const rejects = await RejectLog.open(this.options);
    this.rejects = rejects;
    const writer = this.bucket.bulkWriter(bulkOptions(this.options));
    this.writer = writer;
    // What makes the writer fail comes back from `drained` and `finish`; the event alone would end the process.
    writer.on('error', () => undefined);
    const loader = new RowLoader(rows.keys, rows.values, writer, rejects, this.options.signal);
    for await (const batch of rows.batches) {
      this.blankLines += batch.blankLines;
      await loader.load(batch);
      this.meter.tell(loader.rows, rejects.count);
    }
    // Before the last rows are committed: no row may be gone from the source and be in neither place.
    await rejects.close();
    const report = await writer.finish();
    this.meter.tell(loader.rows, rejects.count, true);
    return this.report(report, rejects);
  }

  private report(bulk: BulkReport, rejects: RejectLog): ImportReport {
    return {
      rows: bulk.entries,
      rejected: rejects.count,
      duplicates: bulk.duplicates,
      blankLines: this.blankLines,
      bytesRead: this.source.bytesRead,
      elapsedMilliseconds: this.meter.elapsedMilliseconds,
      commits: bulk.commits,
      sorted: bulk.sorted,
      rejects: rejects.first,
    };
  }

  /** Ends what was begun, and returns the error to tell: that of a last commit that failed comes first. */
  private async stop(error: unknown): Promise<unknown> {
    const { writer, rejects } = this;
    // The first error is the one to tell; the rejects that were written are kept as far as they go.
    await rejects?.close().catch(() => undefined);
    if (writer === undefined) return error;
    // Where the signal was given, the writer commits what it has and destroys itself.
    if (this.options.signal?.aborted !== true) writer.destroy(error instanceof Error ? error : undefined);
    if (!writer.closed) await new Promise((resolve) => writer.once('close', resolve));
    const { errored } = writer;
    return this.options.signal?.aborted === true && errored ? errored : error;
  }

  private failureDetails(): ImportFailureDetails {
    const loaded = this.writer?.report();
    return {
      rows: loaded?.entriesCommitted ?? 0,
      rejected: this.rejects?.count ?? 0,
      bytesRead: this.source.bytesRead,
      commits: loaded?.commits ?? 0,
    };
  }
}
