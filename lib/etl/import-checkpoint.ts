// The checkpoint of an import: the position that an earlier run left in the bucket, and the ones that this run saves
// in the same commits as its rows. Killed at any moment and run again, an import ends as one that was not.

import { stat } from 'node:fs/promises';
import { StoreBucket } from '../bucket.js';
import { StoreError } from '../errors.js';
import type { BulkWriter } from '../stream/bulk-writer.js';
import { notTheSource } from './checksum-trail.js';
import { type EarlierRejects, earlierRejects } from './earlier-rejects.js';
import type { CsvImportOptions } from './import-options.js';
import {
  type ImportPosition,
  knownPosition,
  type RejectFilePosition,
  readImportPosition,
} from './import-position.js';
import type { SourcePosition } from './row-batch.js';
import type { OpenSource, Source } from './source.js';

const COMMIT_BYTES = 64 * 1024 * 1024;

/** What is counted of an import, as its position keeps it. */
export type ImportCounts = Pick<
  ImportPosition,
  'rows' | 'rejected' | 'duplicates' | 'blankLines' | 'rejectFile'
>;

export class ImportCheckpoint {
  /** Where an earlier run stopped, or that it did not. */
  readonly earlier: ImportPosition | undefined;
  /** What the last run under this name left where the rejects go, if they went there too. */
  readonly earlierRejects: EarlierRejects | undefined;
  private readonly commitEntries: number;
  private readonly commitBytes: number;
  private readonly isAtomic: boolean;
  private readonly options: string;
  private readonly name: string | undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly file: ImportPosition['file'];
  private at: SourcePosition;
  private entries = 0;
  private bytes = 0;

  /** @throws SOURCE_INVALID, INVALID_OPTION, CONFLICT where the earlier run cannot be gone on with. */
  static async open(
    bucket: StoreBucket,
    source: Source,
    options: CsvImportOptions,
  ): Promise<ImportCheckpoint | undefined> {
    if (options.checkpoint === undefined) return undefined;
    const file = await fileIdentity(source);
    const saved = bucket.bulkCheckpoint(options.checkpoint);
    const last =
      options.restart === true ? knownPosition(saved) : readImportPosition(saved, options.checkpoint);
    const begun = (earlier: ImportPosition | undefined): ImportCheckpoint =>
      new ImportCheckpoint(bucket, options, file, earlier, last);
    const found = options.restart === true ? undefined : last;
    // Stopped before its first row: there is nothing to go on with.
    const earlier = found?.complete === false && found.byteOffset === 0 ? undefined : found;
    if (earlier === undefined) return begun(undefined);
    const isSame = sameFile(earlier.file, file);
    const asBefore = earlier.options === optionsOf(options);
    if (earlier.complete) {
      // Anything else than the same file in the same way is an import of its own, to begin at the beginning.
      const isDone = isSame && file !== undefined && asBefore;
      return begun(isDone ? earlier : undefined);
    }
    if (!isSame) throw notTheSource(typeof source === 'string' ? source : 'the stream');
    if (!asBefore) throw otherOptions(options.checkpoint);
    return begun(earlier);
  }

  private constructor(
    private readonly bucket: StoreBucket,
    options: CsvImportOptions,
    file: ImportPosition['file'],
    earlier: ImportPosition | undefined,
    last: ImportPosition | undefined,
  ) {
    this.earlier = earlier;
    this.file = file;
    this.options = optionsOf(options);
    this.earlierRejects = earlierRejects(last, this.options, earlier !== undefined);
    this.name = options.checkpoint;
    this.signal = options.signal;
    this.at = { byteOffset: earlier?.byteOffset ?? 0, line: earlier?.line ?? 1 };
    const every = options.commitEvery ?? { bytes: COMMIT_BYTES };
    this.commitEntries = every.entries ?? Number.POSITIVE_INFINITY;
    this.commitBytes = every.bytes ?? Number.POSITIVE_INFINITY;
    this.isAtomic = isAtomic(options);
  }

  /** Whether only checksums can tell later that the source is the same. */
  get needsChecksums(): boolean {
    return this.file === undefined;
  }

  /**
   * Saves which file the rejects go to, before the first of them is written: killed before its first commit and run
   * again, an import is to know the file as its own, and every other as another's.
   */
  async own(rejectFile: RejectFilePosition, source: OpenSource, format: unknown): Promise<void> {
    const { earlier, signal } = this;
    if (earlier?.rejectFile?.mark === rejectFile.mark) return;
    const counts = { rows: 0, rejected: 0, duplicates: 0, blankLines: 0, rejectFile };
    const writer = this.bucket.bulkWriter({ checkpoint: this.name, signal });
    await writer.finish(earlier ? { ...earlier, rejectFile } : this.position(source, format, counts, false));
  }

  /** The writer has taken, or the rejects have, all rows before this place. */
  passed(at: SourcePosition): void {
    this.at = { byteOffset: at.byteOffset, line: at.line };
  }

  /** Whether so much was taken since the last commit that one is due; rows that are being sorted must wait. */
  isDue(writer: BulkWriter): boolean {
    const { entries, bytes, sorted } = writer.report();
    if (this.isAtomic || !sorted) return false;
    if (entries - this.entries < this.commitEntries && bytes - this.bytes < this.commitBytes) return false;
    this.entries = entries;
    this.bytes = bytes;
    return true;
  }

  /** What is to be saved of the place that was passed last. */
  position(source: OpenSource, format: unknown, counts: ImportCounts, complete: boolean): ImportPosition {
    const { at, options, file } = this;
    const prefix = file === undefined ? source.checksumUpTo(at.byteOffset) : undefined;
    return { version: 1, complete, ...at, ...counts, options, format, file, prefix };
  }
}

/**
 * Whether an import that saves its positions must be one commit all the same: where duplicates are errors and rows
 * may have to be sorted, a second run would meet rows of the first that no position tells of.
 */
export function isAtomic(options: CsvImportOptions): boolean {
  return options.atomic === true || (options.onDuplicate === 'error' && options.sorted !== true);
}

async function fileIdentity(source: Source): Promise<ImportPosition['file']> {
  if (typeof source !== 'string') return undefined;
  // What is missing is told when it is opened.
  const found = await stat(source).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  return { bytes: found.size, modifiedMilliseconds: found.mtimeMs };
}

function sameFile(a: ImportPosition['file'], b: ImportPosition['file']): boolean {
  return a?.bytes === b?.bytes && a?.modifiedMilliseconds === b?.modifiedMilliseconds;
}

/** Another of these would make other keys, values or rejects of the rows that are left than of those before. */
function optionsOf(options: CsvImportOptions): string {
  const {
    key,
    onDuplicate = 'replace',
    rowBytesMax,
    delimiter,
    header,
    columns,
    quotedLinesMax,
    revision,
  } = options;
  const rejects = rejectsName(options.rejects);
  return JSON.stringify({
    key,
    onDuplicate,
    rowBytesMax,
    delimiter,
    header,
    columns,
    quotedLinesMax,
    rejects,
    revision,
  });
}

/** Rejects that were taken stand in one place, and those to come are to stand there too; streams have no name. */
function rejectsName(rejects: CsvImportOptions['rejects']): string | { bucket: string } | undefined {
  if (typeof rejects === 'string') return rejects;
  return rejects instanceof StoreBucket ? { bucket: rejects.name } : undefined;
}

function otherOptions(checkpoint: string): StoreError {
  const message =
    'the import was stopped half-way under other options (key, columns, delimiter, bounds of a row, onDuplicate, rejects or revision): give those again, or import from the beginning with `restart: true`';
  return new StoreError('INVALID_OPTION', message, { details: { checkpoint, restart: true } });
}
