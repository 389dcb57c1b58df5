// The public face of the library: re-exports only.

export type { BackupOptions } from './backup.js';
export type { Batch } from './batch.js';
export type { Bucket } from './bucket.js';
export type { BulkOptions } from './bulk-options.js';
export type {
  Change,
  ChangedRange,
  DeleteChange,
  DeleteRangeChange,
  DropChange,
  LoadChange,
  PutChange,
} from './change.js';
export type { BucketTypes } from './codec/bucket-types.js';
export type { KeyCodec, KeyPart } from './codec/key-codec.js';
export { keys } from './codec/keys.js';
export type { ValueIssue } from './codec/schema-value.js';
export type { TupleKeyCodec } from './codec/tuple-key.js';
export type { ValueCodec, ValueFormat, ValueOf, ValueType } from './codec/value-codec.js';
export { values } from './codec/values.js';
export type { CompactOptions, CompactReport } from './compact.js';
export { open } from './database.js';
export type { Database } from './database-face.js';
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  StoreError,
  type StoreErrorOptions,
} from './errors.js';
export { importCsv } from './etl/import-csv.js';
export type { ImportJob } from './etl/import-job.js';
export { importNdjson } from './etl/import-ndjson.js';
export type { CsvImportOptions, ImportOptions, NdjsonImportOptions } from './etl/import-options.js';
export type { EarlierRun, ImportFailureDetails, ImportProgress, ImportReport } from './etl/import-report.js';
export type { Reject, RejectReason } from './etl/reject.js';
export type { RejectSink } from './etl/reject-sink.js';
export type { KeyOption } from './etl/row-key.js';
export { sortCsv, sortNdjson } from './etl/sort-file.js';
export type { CsvSortOptions, SortOptions } from './etl/sort-options.js';
export type { SortedRows, SortProgress } from './etl/sorted-rows.js';
export type { Source } from './etl/source.js';
export type { Bytes, Entry, OpenOptions, RangeOptions } from './options.js';
export type { Range } from './range.js';
export type { ReadableBucket, ValueStreamOptions } from './readable-bucket.js';
export type { BucketInfo, Snapshot } from './snapshot.js';
export type { Stats } from './stats.js';
export type { RecoveryReport } from './storage/store-open.js';
export type { WaitOptions } from './storage/writer-lock.js';
export type { CommitEvent } from './store-writer.js';
export type { BulkPhase, BulkProgress, BulkReport } from './stream/bulk-report.js';
export type { BulkWriter } from './stream/bulk-writer.js';
export type { ExportOptions } from './stream/export-options.js';
export type { TransactionBucket } from './transaction-bucket.js';
export type { BucketReport, CheckProblem, CheckReport } from './tree/check-report.js';
export type { CheckOptions } from './tree/check-store.js';
export type { TypedBucket } from './typed-bucket.js';
export type { TypedBulkWriter } from './typed-bulk-writer.js';
export type { TypedChange } from './typed-change.js';
export type { KeyPrefix, TypedRange, TypedRangeOptions } from './typed-range.js';
export type { TypedReadableBucket } from './typed-reader.js';
export type { TypedTransactionBucket } from './typed-transaction-bucket.js';
export type { WriteTransaction } from './write-transaction.js';
