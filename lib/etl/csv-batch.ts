// Rows of CSV: where each cell stands in the block, and cells as text for those who ask. Cells are not made
// into strings before that, as most imports need them only as bytes.

import { grown, RowBatch } from './row-batch.js';

const CELLS_INITIAL = 8192;

/** Rows with one cell for each column. */
export class CsvBatch extends RowBatch {
  /** Names of the columns, in the order of the cells. */
  columns: readonly string[] = [];

  /** @internal Cells of each row. */
  width = 0;
  /** @internal Where the cells begin, quotes excluded: row after row, `width` to a row. */
  cellStarts: Uint32Array<ArrayBuffer> = new Uint32Array(CELLS_INITIAL);
  /**
   * @internal Where they end, times two; plus one if the cell's text or its JSON differs from its bytes: it
   * has doubled quotes, a backslash or control characters.
   */
  cellEnds: Uint32Array<ArrayBuffer> = new Uint32Array(CELLS_INITIAL);

  /** One cell's text. */
  cell(row: number, column: number): string {
    const slot = row * this.width + column;
    const end = this.cellEnds[slot];
    const text = this.bytes.toString('utf8', this.cellStarts[slot], end >>> 1);
    // Only inside quotes may a quote stand, and there it is doubled.
    return (end & 1) === 0 ? text : text.replaceAll('""', '"');
  }

  /** A row's cells as text. */
  cells(row: number): string[] {
    const start = this.starts[row];
    const text = this.bytes.toString('utf8', start, this.ends[row]);
    const cells: string[] = new Array(this.width);
    // As many units as bytes: the row is ASCII, and its cells can be cut from the one string.
    const ascii = text.length === this.ends[row] - start;
    for (let column = 0; column < this.width; column++) {
      const slot = row * this.width + column;
      const end = this.cellEnds[slot];
      if (!ascii || (end & 1) !== 0) cells[column] = this.cell(row, column);
      else cells[column] = text.slice(this.cellStarts[slot] - start, (end >>> 1) - start);
    }
    return cells;
  }

  /** A row as an object with the columns as its own properties. */
  object(row: number): Record<string, string> {
    const cells = this.cells(row);
    return Object.fromEntries(this.columns.map((name, column) => [name, cells[column]]));
  }

  /** @internal Makes room for more cells; returns the batch, whose arrays are others now. */
  growCells(): this {
    this.cellStarts = grown(this.cellStarts);
    this.cellEnds = grown(this.cellEnds);
    return this;
  }

  /** @internal Takes the first row out: it was the header. */
  removeFirstRow(): void {
    for (let row = 1; row < this.length; row++) this.moveRow(row, row - 1);
    this.length--;
  }

  protected override moveRow(from: number, to: number): void {
    super.moveRow(from, to);
    const { width } = this;
    this.cellStarts.copyWithin(to * width, from * width, (from + 1) * width);
    this.cellEnds.copyWithin(to * width, from * width, (from + 1) * width);
  }
}
