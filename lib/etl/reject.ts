// A row that was refused: what was wrong with it, where it stands in the source, and its bytes, so that it
// can be mended and imported again. The parsers make rejects, and so does the import for rows that parse.

import { isUtf8 } from 'node:buffer';
import type { ValueIssue } from '../codec/schema-value.js';

/** Why a row was refused; stable, for programs to compare with. */
export type RejectReason =
  /** The row has more or fewer cells than there are columns. */
  | 'COLUMN_COUNT'
  /** A quote stands inside an unquoted cell, or text follows a closing quote. */
  | 'MALFORMED_CSV'
  /** A quote is not closed before the source ends, or not within `quotedLinesMax` lines or `rowBytesMax` bytes. */
  | 'UNTERMINATED_QUOTE'
  /** The row's bytes are not valid UTF-8. */
  | 'INVALID_UTF8'
  /** The row is longer than `rowBytesMax`. */
  | 'ROW_TOO_LARGE'
  /** The line is not JSON. */
  | 'INVALID_JSON'
  /** The line is JSON, but not an object. */
  | 'NOT_AN_OBJECT'
  /** A part of the key is missing, empty, null or an object, or not of its type. */
  | 'NO_KEY'
  /** The key is longer than the store's pages allow. */
  | 'KEY_TOO_LARGE'
  /** The row does not satisfy the schema of the bucket; `issues` says where. */
  | 'SCHEMA';

/**
 * A row that was refused.
 *
 * @example
 * ```ts
 * const { rejects } = await importNdjson(db.bucket('events'), 'events.ndjson', { key: 'event.id' });
 * rejects.map(({ line, reason }) => `line ${line}: ${reason}`); // => ['line 2: NO_KEY']
 * ```
 */
export interface Reject {
  /** Line on which the row begins, counted from 1 as text editors do. */
  readonly line: number;
  /** Where the row's first byte stands in the source, after decompression. */
  readonly byteOffset: number;
  /** Bytes of the row, without its line end; of a row that is malformed or does not end, bytes of its first line. */
  readonly byteLength: number;
  readonly reason: RejectReason;
  /** What was wrong, for people; may change between versions. */
  readonly message: string;
  /** The row as it stands in the source; only its beginning where it is longer than `rowBytesMax`. */
  readonly raw: Buffer;
  /** Where the row does not satisfy the schema of its bucket, and why; of rejects with the reason SCHEMA alone. */
  readonly issues?: readonly ValueIssue[];
}

/** What every line of {@link rejectToNdjson} begins with. */
export const REJECT_LINE_START = '{"line":';

/**
 * A reject as one line of NDJSON, line end included. `raw` holds the row as text, or `rawBase64` its bytes
 * where they are not valid UTF-8.
 *
 * @example
 * ```ts
 * // {"line":3,"byteOffset":17,"byteLength":3,"reason":"COLUMN_COUNT","message":"...","raw":"1,2"}
 * file.write(rejectToNdjson(reject));
 * ```
 */
export function rejectToNdjson(reject: Reject): string {
  const { line, byteOffset, byteLength, reason, message, issues, raw } = reject;
  const text = isUtf8(raw) ? { raw: raw.toString('utf8') } : { rawBase64: raw.toString('base64') };
  return `${JSON.stringify({ line, byteOffset, byteLength, reason, message, issues, ...text })}\n`;
}
