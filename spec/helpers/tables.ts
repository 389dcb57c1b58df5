// Tables of rows, and the CSV that they are: quoted only where it must be, as exports write it.

import fc from 'fast-check';

/** Column names, and rows with a cell for each. */
export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function csvOf({ columns, rows }: Table, delimiter = ','): string {
  return [columns, ...rows].map((cells) => csvRow(cells, delimiter)).join('');
}

export function csvRow(cells: readonly string[], delimiter = ','): string {
  const quoted = cells.map((cell) =>
    cell.includes(delimiter) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  // The one empty cell of a row would be a blank line, which is no row.
  return `${quoted.length === 1 && quoted[0] === '' ? '""' : quoted.join(delimiter)}\n`;
}

/** A row as it is stored. */
export function jsonOf(columns: readonly string[], cells: readonly string[]): string {
  // Not by way of an object: that would move names that look like integers to the front.
  const members = columns.map((name, index) => `${JSON.stringify(name)}:${JSON.stringify(cells[index])}`);
  return `{${members.join(',')}}`;
}

/** A table of so many orders, in the order of their ids, with all that CSV has to quote. */
export function orders(count: number, from = 0): Table {
  const rows = Array.from({ length: count }, (_, index) => {
    const id = from + index;
    const note = ['plain', 'a comma, here', 'a "quote"', 'two\nlines', 'café ☕', ''][id % 6];
    return [String(id).padStart(7, '0'), `customer ${id % 97}`, ((id * 7919) % 10_000) / 100 + 1, note].map(
      String,
    );
  });
  return { columns: ['id', 'customer', 'total', 'note'], rows };
}

/** The same rows in another order, the same each time. */
export function shuffled({ columns, rows }: Table): Table {
  const mixed = [...rows];
  let state = 12345;
  for (let index = mixed.length - 1; index > 0; index--) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    const other = state % (index + 1);
    [mixed[index], mixed[other]] = [mixed[other], mixed[index]];
  }
  return { columns, rows: mixed };
}

/** Rows by the bytes of their first cell, of several with the same the last one: as a bucket keeps them. */
export function keyed({ columns, rows }: Table): Table {
  const byKey = new Map(rows.map((cells) => [cells[0], cells]));
  const sorted = [...byKey.values()].sort((a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0])));
  return { columns, rows: sorted };
}

/** Tables with anything in their cells, and a first cell that may be a key. */
export function tables(): fc.Arbitrary<Table> {
  const text = fc.string({ unit: 'binary', maxLength: 12 });
  const cell = fc.oneof(
    text,
    fc.constantFrom('', ',', '"', '\r\n', '\n', '\\', '\u0000', '\ufeff', '""', ' '),
  );
  const name = fc.oneof(
    fc.constantFrom('1', '__proto__', 'a,b', '"', 'é'),
    fc.string({ minLength: 1, maxLength: 4 }),
  );
  return fc.uniqueArray(name, { minLength: 1, maxLength: 4 }).chain((columns) => {
    const key = fc.oneof(fc.nat(20).map(String), fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }));
    const others = fc.array(cell, { minLength: columns.length - 1, maxLength: columns.length - 1 });
    const row = fc.tuple(key, others).map(([first, rest]) => [first, ...rest]);
    return fc.record({ columns: fc.constant(columns), rows: fc.array(row, { minLength: 1, maxLength: 30 }) });
  });
}
