// The columns of a CSV source: their names, from its header row or from the caller, each of which must name one.

import { StoreError } from '../errors.js';

const NAMES_SHOWN = 10;

/**
 * Column names as given by the caller.
 *
 * @throws INVALID_OPTION where there is none, or one is empty or comes twice.
 */
export function givenColumns(columns: readonly string[]): readonly string[] {
  if (!Array.isArray(columns) || columns.length === 0 || columns.some((name) => typeof name !== 'string')) {
    throw new StoreError('INVALID_OPTION', 'columns: an array with at least one name is needed');
  }
  const problem = columnsProblem(columns);
  if (problem) throw new StoreError('INVALID_OPTION', `columns: ${problem}`, { details: { columns } });
  return Object.freeze([...columns]);
}

/**
 * Column names as a header row has them.
 *
 * @throws SOURCE_INVALID where one is empty or comes twice.
 */
export function headerColumns(cells: readonly string[], line: number): readonly string[] {
  const problem = columnsProblem(cells);
  if (problem) {
    const advice = 'mend it, or leave it out and give the names as `columns`, with `header: false`';
    throw new StoreError('SOURCE_INVALID', `the header on line ${line} has ${problem}; ${advice}`, {
      details: { line, columns: cells },
    });
  }
  return Object.freeze([...cells]);
}

function columnsProblem(names: readonly string[]): string | undefined {
  const empty = names.flatMap((name, index) => (name === '' ? [index + 1] : []));
  if (empty.length > 0) return `no name for column ${shown(empty.map(String))}`;
  const seen = new Set<string>();
  const twice = new Set<string>();
  for (const name of names) (seen.has(name) ? twice : seen).add(name);
  return twice.size > 0 ? `more than one column named ${quotedNames([...twice])}` : undefined;
}

/** Names for a message: quoted, and only so many of them. */
export function quotedNames(names: readonly string[]): string {
  return shown(names.map((name) => JSON.stringify(name)));
}

function shown(names: readonly string[]): string {
  const more = names.length - NAMES_SHOWN;
  return names.slice(0, NAMES_SHOWN).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
