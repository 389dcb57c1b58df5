// Which delimiters CSV may have, here and in what reads it back: one ASCII character.

import { StoreError } from '../errors.js';

/** The delimiter where none is given. */
export const DELIMITER_DEFAULT = ',';

/**
 * The byte of a delimiter.
 *
 * @throws INVALID_OPTION where it is not one ASCII character, or is a quote or a line end.
 */
export function delimiterByte(delimiter: string): number {
  const sound = typeof delimiter === 'string' && /^[\t\x20-\x7f]$/.test(delimiter) && delimiter !== '"';
  if (!sound) {
    const shown = JSON.stringify(delimiter) ?? String(delimiter);
    throw new StoreError(
      'INVALID_OPTION',
      `delimiter: ${shown} is not one ASCII character other than a quote or a line end`,
    );
  }
  return delimiter.charCodeAt(0);
}
