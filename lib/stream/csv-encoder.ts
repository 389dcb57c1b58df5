// Stored values as CSV (RFC 4180): each value a JSON object, a row each, a member a cell. Cells are quoted only
// where they must be, so that an exported import has the bytes it came from.

import { isUtf8 } from 'node:buffer';
import { StoreError } from '../errors.js';
import type { ByteArena } from './byte-arena.js';
import { CsvCellWriter } from './csv-cell-writer.js';
import { DELIMITER_DEFAULT, delimiterByte } from './csv-delimiter.js';
import { JsonCursor } from './json-cursor.js';
import { hasLoneSurrogate } from './lone-surrogate.js';

/** How values become CSV. */
export interface CsvExportOptions {
  /**
   * The columns, in order; by default the members of the first value, as they are written there. A value with a
   * member that is none of them is refused with ROW_REJECTED: nothing is left out in silence.
   */
  columns?: readonly string[];
  /**
   * What to do with one of `columns` that none of the values has: 'empty' leaves its cells empty, 'error' fails with
   * INVALID_OPTION after the last row, naming it. Where there is no value at all, nothing is missed. 'empty' by default.
   */
  absentColumns?: 'empty' | 'error';
  /** One ASCII character, other than a quote or a line end. ',' by default. */
  delimiter?: string;
  /** Whether the names of the columns come first, as a row. True by default. */
  header?: boolean;
}

const KEY_SHOWN = 64;
const MISSING = -1;

/**
 * Encodes values one by one. A string becomes its text; a number, a boolean, an object or an array its JSON as
 * it is written; null, or a column that the value lacks, an empty cell. Where a member comes twice the last one
 * counts, as everywhere in JSON. Rows end with a line feed.
 *
 * @throws INVALID_OPTION where `columns` or `delimiter` is unsound.
 *
 * @example
 * ```ts
 * const chunk = new ByteArena();
 * const encoder = new CsvEncoder({ delimiter: ';' });
 * encoder.write(Buffer.from('7'), Buffer.from('{"id":"7","note":"a;b"}'), chunk);
 * encoder.end(chunk);
 * chunk.bytes.toString('utf8', 0, chunk.length); // 'id;note\n7;"a;b"\n'
 * ```
 */
export class CsvEncoder {
  private readonly cursor = new JsonCursor(Buffer.from('{}'));
  private readonly cells: CsvCellWriter;
  private readonly indexes = new Map<string, number>();
  private columns: readonly string[] | undefined;
  /** The names as they usually stand in a value: `"id"`. */
  private namesJson: readonly Buffer[] = [];
  /** Where each column's value stands in the one being written; MISSING where it lacks the column. */
  private starts = new Int32Array(0);
  private ends = new Int32Array(0);
  /** Whether it is a string with escapes: 1 if so. */
  private escaped = new Uint8Array(0);
  /** Whether a value had the column: 1 if so. */
  private found = new Uint8Array(0);
  private hasRows = false;
  private headerDue: boolean;
  /** Whether the caller chose the columns: then other members are left out because they were not asked for. */
  private readonly selects: boolean;
  private readonly refusesAbsent: boolean;

  constructor(options: CsvExportOptions = {}) {
    const { columns, delimiter = DELIMITER_DEFAULT, header = true, absentColumns } = options;
    this.cells = new CsvCellWriter(delimiterByte(delimiter));
    this.headerDue = header;
    this.selects = columns !== undefined;
    this.refusesAbsent = absentColumns === 'error';
    if (columns) this.setColumns(checkedColumns(columns));
  }

  /**
   * Appends the row of one value; before the first one, the header.
   *
   * @throws ROW_REJECTED where the value is not a JSON object, or where it has a member that the first value lacked and no columns were chosen, and
   * appends nothing then.
   */
  write(key: Uint8Array, value: Uint8Array, arena: ByteArena): void {
    if (!isUtf8(value)) throw rejected(key, 'is not UTF-8 text');
    try {
      if (!this.columns) this.setColumns(this.membersOf(key, value));
      this.findCells(key, value);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw rejected(key, `is not a JSON object: ${error.message}`, { cause: error });
    }
    this.hasRows = true;
    this.writeHeader(arena);
    this.writeCells(value, arena);
  }

  /**
   * Appends what is to follow the last row: the header, where there was no row but the columns are known.
   *
   * @throws INVALID_OPTION where columns that none of the values has are refused.
   */
  end(arena: ByteArena): void {
    if (this.refusesAbsent && this.hasRows) this.refuseAbsent();
    this.writeHeader(arena);
  }

  private refuseAbsent(): void {
    const absent = (this.columns ?? []).filter((_, column) => this.found[column] === 0);
    if (absent.length === 0) return;
    const names = absent.map((name) => JSON.stringify(name)).join(', ');
    const message = `columns: none of the rows has ${names}: check how it is written, or leave it out`;
    throw new StoreError('INVALID_OPTION', message, { details: { option: 'columns', absent } });
  }

  private setColumns(columns: readonly string[]): void {
    this.columns = columns;
    this.namesJson = columns.map((name) => Buffer.from(JSON.stringify(name)));
    this.starts = new Int32Array(columns.length);
    this.ends = new Int32Array(columns.length);
    this.escaped = new Uint8Array(columns.length);
    this.found = new Uint8Array(columns.length);
    columns.forEach((name, index) => {
      this.indexes.set(name, index);
    });
  }

  /** Names of the members, in the order in which they are written. */
  private membersOf(key: Uint8Array, value: Uint8Array): readonly string[] {
    const { cursor } = this;
    const names = new Set<string>();
    this.startWalk(value);
    while (cursor.next()) names.add(cursor.name());
    if (names.size === 0)
      throw rejected(key, 'has no members to take the columns from; give them as `columns`');
    const unsound = [...names].find((name) => !isColumnName(name));
    if (unsound === undefined) return [...names];
    throw rejected(key, `has a member named ${JSON.stringify(unsound)}, which cannot be a column`);
  }

  private startWalk(value: Uint8Array): void {
    this.cursor.reset(value);
    if (this.cursor.isArray) throw new SyntaxError('it is an array');
  }

  /** Finds where the value of each column stands. */
  private findCells(key: Uint8Array, value: Uint8Array): void {
    const { cursor, namesJson, starts, ends, escaped } = this;
    starts.fill(MISSING);
    this.startWalk(value);
    // Most values have the columns in order: then a name need not be decoded and looked up.
    for (let member = 0; cursor.next(namesJson[member]); member++) {
      const column = cursor.isUsual ? member : this.columnIndex(key);
      if (column === MISSING) continue;
      this.found[column] = 1;
      const quote = cursor.isString() ? 1 : 0;
      starts[column] = cursor.valueStart + quote;
      ends[column] = cursor.valueEnd - quote;
      escaped[column] = cursor.isEscaped ? 1 : 0;
      if (cursor.isEscaped) this.checkText(key);
      else if (quote === 0 && cursor.isNull()) starts[column] = MISSING;
    }
  }

  private columnIndex(key: Uint8Array): number {
    const name = this.cursor.name();
    const index = this.indexes.get(name);
    if (index !== undefined) return index;
    if (this.selects) return MISSING;
    const problem = `has ${JSON.stringify(name)}, which is none of the columns; give them all as \`columns\``;
    throw rejected(key, problem, { column: name });
  }

  private checkText(key: Uint8Array): void {
    if (!hasLoneSurrogate(JSON.parse(this.cursor.value()) as string)) return;
    const column = this.cursor.name();
    throw rejected(
      key,
      `has half of a surrogate pair in ${JSON.stringify(column)}, which no UTF-8 can hold`,
      { column },
    );
  }

  private writeHeader(arena: ByteArena): void {
    const { cells, columns } = this;
    if (!this.headerDue || !columns) return;
    this.headerDue = false;
    for (const name of columns) cells.text(name, arena);
    cells.endRow(arena);
  }

  private writeCells(value: Uint8Array, arena: ByteArena): void {
    const { cells, starts, ends, escaped } = this;
    for (let column = 0; column < starts.length; column++) {
      const start = starts[column];
      if (start === MISSING) cells.empty(arena);
      else if (escaped[column] === 0) cells.bytes(value, start, ends[column], arena);
      else cells.text(unescaped(value, start, ends[column]), arena);
    }
    cells.endRow(arena);
  }
}

function unescaped(value: Uint8Array, start: number, end: number): string {
  const content = Buffer.from(value.buffer, value.byteOffset + start, end - start).toString('utf8');
  return JSON.parse(`"${content}"`) as string;
}

function isColumnName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && !hasLoneSurrogate(name);
}

function checkedColumns(columns: readonly string[]): readonly string[] {
  const names = [...columns];
  if (names.length > 0 && names.every(isColumnName) && new Set(names).size === names.length) return names;
  const message = 'columns: one or more different names are needed, none of them empty';
  throw new StoreError('INVALID_OPTION', message, { details: { columns } });
}

function rejected(
  key: Uint8Array,
  problem: string,
  facts: { cause?: unknown; column?: string } = {},
): StoreError {
  const { cause, column } = facts;
  const text = Buffer.from(key).toString('utf8');
  const shown = JSON.stringify(text.length > KEY_SHOWN ? `${text.slice(0, KEY_SHOWN)}…` : text);
  const details = { key: Buffer.from(key), ...(column === undefined ? {} : { column }) };
  return new StoreError('ROW_REJECTED', `the value of key ${shown} ${problem}`, {
    ...(cause ? { cause } : {}),
    details,
  });
}
