// Runs an import from its first byte to its report, whatever the format.

import type { StoreBucket } from '../bucket.js';
import type { KeyCodec } from '../codec/key-codec.js';
import type { BulkReport } from '../stream/bulk-report.js';
import type { BulkWriter } from '../stream/bulk-writer.js';
import { typedKeyError } from '../typed-key-error.js';
import { ImportCheckpoint, isAtomic } from './import-checkpoint.js';
import { importFailure } from './import-failure.js';
import type { Tell } from './import-job.js';
import { bulkOptions, type CsvImportOptions } from './import-options.js';
import type { ImportPosition } from './import-position.js';
import { ImportMeter } from './import-progress.js';
import type { EarlierRun, ImportFailureDetails, ImportReport } from './import-report.js';
import { RowLoader, type RowValues } from './import-rows.js';
import { throwIfAborted } from './interruptible.js';
import { refuseSourceAsRejects } from './reject-file-owner.js';
import { RejectLog } from './reject-log.js';
import type { RowBatch, SourcePosition } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';
import { type OpenSource, openSource, type Source } from './source.js';

/** The rows of a source whose beginning was read, and how keys and values are made of them. */
export interface OpenRows<Batch extends RowBatch> {
  readonly batches: AsyncIterable<Batch>;
  readonly keys: RowKeyWriter<Batch>;
  readonly values: RowValues<Batch>;
  /** What the beginning told, for one who opens the source in the middle. */
  readonly format: unknown;
  /** Lets go of the source. */
  close(): Promise<unknown>;
}

/** Where in a source its first chunk stands, and what the source's beginning had told. */
export interface FormatStart {
  readonly position: SourcePosition;
  readonly format: unknown;
}

/** Reads as much of a source as is needed before its first row. */
export type OpenFormat<Batch extends RowBatch> = (
  chunks: OpenSource,
  start: FormatStart | undefined,
) => Promise<OpenRows<Batch>>;

/** Runs an import; `options` were checked. */
export async function runImport<Batch extends RowBatch>(
  bucket: StoreBucket,
  source: Source,
  options: CsvImportOptions,
  openFormat: OpenFormat<Batch>,
  tell: Tell,
): Promise<ImportReport> {
  await refuseSourceAsRejects(source, options.rejects);
  const checkpoint = await ImportCheckpoint.open(bucket, source, options);
  const earlier = checkpoint?.earlier;
  const opened = openSource(source, {
    signal: options.signal,
    start: earlier?.byteOffset,
    known: earlier?.prefix,
    keepsChecksums: checkpoint?.needsChecksums,
  });
  const run = new ImportRun(bucket, opened, options, checkpoint, tell);
  return earlier?.complete === true ? run.report(undefined) : run.run(openFormat);
}

class ImportRun {
  private readonly meter: ImportMeter;
  private writer: BulkWriter | undefined;
  private rejects: RejectLog | undefined;
  private format: unknown;
  private keyCodec: KeyCodec<unknown> | undefined;
  private blankLines: number;
  /** What was taken is more than the last position tells of. */
  private isWithinBatch = false;
  private readonly earlier: ImportPosition | undefined;

  constructor(
    private readonly bucket: StoreBucket,
    private readonly source: OpenSource,
    private readonly options: CsvImportOptions,
    private readonly checkpoint: ImportCheckpoint | undefined,
    tell: Tell,
  ) {
    this.earlier = checkpoint?.earlier;
    this.meter = new ImportMeter(source, tell, this.earlier?.rows);
    this.blankLines = this.earlier?.blankLines ?? 0;
  }

  async run<Batch extends RowBatch>(openFormat: OpenFormat<Batch>): Promise<ImportReport> {
    try {
      const { earlier } = this;
      const rows = await openFormat(this.source, earlier && { position: earlier, format: earlier.format });
      this.format = rows.format;
      this.keyCodec = rows.keys.codec;
      try {
        return await this.load(rows);
      } finally {
        await rows.close();
      }
    } catch (error) {
      const cause = await this.stop(error);
      const told = this.keyCodec === undefined ? cause : typedKeyError(cause, this.keyCodec);
      throw importFailure(told, this.failureDetails(), this.options.signal);
    }
  }

  private async load<Batch extends RowBatch>(rows: OpenRows<Batch>): Promise<ImportReport> {
    const { checkpoint } = this;
    const rejects = await RejectLog.open(
      this.options,
      this.bucket,
      checkpoint?.earlierRejects,
      this.earlier?.rejected ?? 0,
    );
    this.rejects = rejects;
    const { position } = rejects;
    if (position !== undefined) await checkpoint?.own(position, this.source, this.format);
    await rejects.begin();
    const writer = this.bucket.bulkWriterWith(this.writerOptions(), rejects.companion);
    this.writer = writer;
    // What makes the writer fail comes back from `drained` and `finish`; the event alone would end the process.
    writer.on('error', () => undefined);
    // With a checkpoint, all that was taken is committed with its position when the signal comes.
    const signal = this.checkpoint === undefined ? this.options.signal : undefined;
    const loader = new RowLoader(rows.keys, rows.values, writer, rejects, signal, this.earlier?.rows);
    writer.progress$.subscribe((load) => this.meter.tell(loader.rows, rejects.count, load));
    for await (const batch of rows.batches) {
      this.blankLines += batch.blankLines;
      this.isWithinBatch = true;
      await loader.load(batch);
      this.isWithinBatch = false;
      await this.passed(batch, writer, rejects);
      this.meter.tell(loader.rows, rejects.count, writer.report());
    }
    const last = this.checkpoint === undefined ? undefined : await this.position(writer, rejects, true);
    // Before the last rows are committed: no row may be gone from the source and be in neither place.
    await rejects.close();
    const report = await writer.finish(last);
    this.meter.tell(loader.rows, rejects.count, report, true);
    return this.report(report);
  }

  private writerOptions(): ReturnType<typeof bulkOptions> {
    const options = bulkOptions(this.options);
    if (this.checkpoint === undefined) return options;
    const { checkpoint } = this.options;
    // Every commit must have a position: they are made here, none by the writer itself.
    const commitEvery = { entries: Number.MAX_SAFE_INTEGER };
    return { ...options, commitEvery, atomic: isAtomic(this.options), signal: undefined, checkpoint };
  }

  /** A batch was taken: commits where that is due. */
  private async passed(batch: RowBatch, writer: BulkWriter, rejects: RejectLog): Promise<void> {
    const { checkpoint } = this;
    if (checkpoint === undefined) {
      if (rejects.isFull && this.options.atomic !== true) await writer.commit();
      return;
    }
    checkpoint.passed(batch.next);
    if (checkpoint.isDue(writer) || (rejects.isFull && !isAtomic(this.options)))
      await writer.commit(await this.position(writer, rejects, false));
    throwIfAborted(this.options.signal, 'the rows');
  }

  /** What is to be saved with the next commit; the rejects so far are safe, or in it. */
  private async position(
    writer: BulkWriter,
    rejects: RejectLog,
    complete: boolean,
  ): Promise<{ toJSON(): ImportPosition } | undefined> {
    await rejects.flush();
    const { entries } = writer.report();
    const counts = {
      rows: (this.earlier?.rows ?? 0) + entries,
      duplicates: 0,
      rejected: rejects.count,
      blankLines: this.blankLines,
      rejectFile: rejects.position,
    };
    const position = this.checkpoint?.position(this.source, this.format, counts, complete);
    if (position === undefined) return undefined;
    // Rows are found to be there already when they are put in their places: only then are they all counted.
    return { toJSON: () => ({ ...position, duplicates: this.duplicatesOf(writer.report()) }) };
  }

  private duplicatesOf({ duplicates }: Pick<BulkReport, 'duplicates'>): number {
    return (this.earlier?.duplicates ?? 0) + duplicates;
  }

  /** What was done; without a load where an earlier run had done all. */
  report(bulk: BulkReport | undefined): ImportReport {
    const { earlier, rejects } = this;
    return {
      rows: (earlier?.rows ?? 0) + (bulk?.entries ?? 0),
      rejected: rejects?.count ?? earlier?.rejected ?? 0,
      duplicates: this.duplicatesOf(bulk ?? { duplicates: 0 }),
      blankLines: this.blankLines,
      bytesRead: this.source.bytesRead,
      elapsedMilliseconds: this.meter.elapsedMilliseconds,
      commits: bulk?.commits ?? 0,
      sorted: bulk?.sorted ?? true,
      earlier: earlier && earlierRun(earlier),
      rejects: rejects?.first ?? [],
    };
  }

  /** Ends what was begun, and returns the error to tell: that of a last commit that failed comes first. */
  private async stop(error: unknown): Promise<unknown> {
    const { writer, rejects } = this;
    const isAborted = this.options.signal?.aborted === true;
    let told = error;
    if (this.checkpoint !== undefined && isAborted && writer !== undefined && rejects !== undefined)
      told = (await this.commitTaken(writer, rejects)) ?? error;
    // The first error is the one to tell; the rejects that were written are kept as far as they go.
    await rejects?.close().catch(() => undefined);
    if (writer === undefined) return told;
    // Where the signal was given to it, the writer commits what it has and destroys itself.
    if (!isAborted || this.checkpoint !== undefined) writer.destroy(told instanceof Error ? told : undefined);
    if (!writer.closed) await new Promise((resolve) => writer.once('close', resolve));
    const { errored } = writer;
    return isAborted && errored ? errored : told;
  }

  /** The signal was given: what was taken stays, with its position. Returns what stood against it. */
  private async commitTaken(writer: BulkWriter, rejects: RejectLog): Promise<unknown> {
    if (isAtomic(this.options) || writer.destroyed || this.isWithinBatch) return undefined;
    try {
      await writer.commit(await this.position(writer, rejects, false));
      return undefined;
    } catch (error) {
      return error;
    }
  }

  private failureDetails(): ImportFailureDetails {
    const loaded = this.writer?.report();
    return {
      rows: (this.earlier?.rows ?? 0) + (loaded?.entriesCommitted ?? 0),
      rejected: this.rejects?.count ?? this.earlier?.rejected ?? 0,
      bytesRead: this.source.bytesRead,
      commits: loaded?.commits ?? 0,
    };
  }
}

function earlierRun({ complete, rows, rejected, byteOffset, line }: ImportPosition): EarlierRun {
  return { complete, rows, rejected, byteOffset, line };
}
