// How a CSV source is to be read, checked before a byte of it is.

import { StoreError } from '../errors.js';
import { DELIMITER_DEFAULT, delimiterByte } from '../stream/csv-delimiter.js';
import { givenColumns } from './csv-columns.js';
import { resolveRowBytesMax } from './record-splitter.js';
import { SOURCE_START, type SourcePosition } from './row-batch.js';

/** How CSV is read. */
export interface CsvOptions {
  /** One ASCII character, or 'auto' to tell from the first rows whether it is `,` `;` tab or `|`. ',' by default. */
  delimiter?: string;
  /** Whether the first row names the columns. True by default. */
  header?: boolean;
  /** Names of the columns; needed where there is no header, refused where there is one. */
  columns?: readonly string[];
  /** Longest row, in bytes; longer ones become rejects. 16 MiB by default, 256 MiB at most. */
  rowBytesMax?: number;
  /**
   * Lines that one quoted cell may span. Past that the quote counts as one that was never closed: the first line
   * of its row becomes a reject, and reading goes on with the next line. 1000 by default.
   */
  quotedLinesMax?: number;
  /**
   * Where in the source the first chunk stands, for going on after a batch whose `next` it was. Needs
   * `header: false` and the columns and the delimiter of the first reading. The source's start by default.
   */
  position?: SourcePosition;
}

/** Options with nothing left open. */
export interface ResolvedCsvOptions {
  delimiter: string;
  /** Undefined where the header row has them. */
  columns: readonly string[] | undefined;
  rowBytesMax: number;
  quotedLinesMax: number;
  position: SourcePosition;
}

const QUOTED_LINES_MAX_DEFAULT = 1000;

/** @throws INVALID_OPTION, naming the option. */
export function resolveCsvOptions(options: CsvOptions): ResolvedCsvOptions {
  const { delimiter = DELIMITER_DEFAULT, header = true, columns, position = SOURCE_START } = options;
  const resumed = position.byteOffset > 0;
  if (delimiter !== 'auto') delimiterByte(delimiter);
  else if (resumed)
    throw invalid('delimiter', "'auto' cannot tell in the middle of a source; give the delimiter");
  if (header && columns !== undefined) {
    throw invalid(
      'columns',
      'the header row names the columns; leave `columns` out, or pass `header: false`',
    );
  }
  if (header && resumed)
    throw invalid('header', 'there is none in the middle of a source; pass `header: false`');
  if (!header && columns === undefined)
    throw invalid('columns', 'without a header the names of the columns are needed');
  const rowBytesMax = resolveRowBytesMax(options.rowBytesMax);
  const { quotedLinesMax = QUOTED_LINES_MAX_DEFAULT } = options;
  if (!Number.isInteger(quotedLinesMax) || quotedLinesMax < 1)
    throw invalid('quotedLinesMax', `${quotedLinesMax} is not a whole number of lines from 1 on`);
  return { delimiter, columns: columns && givenColumns(columns), rowBytesMax, quotedLinesMax, position };
}

function invalid(option: string, message: string): StoreError {
  return new StoreError('INVALID_OPTION', `${option}: ${message}`, { details: { option } });
}
