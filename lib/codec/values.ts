// The value codecs that need no schema, under the names that callers use.

import { refuseUnheld } from './plain-value.js';
import type { ValueCodec, ValueFormat } from './value-codec.js';
import { writingOf } from './value-writing.js';

function plain(format: ValueFormat): ValueCodec<unknown> {
  const { write, read } = writingOf(format);
  return {
    encode: (value) => {
      refuseUnheld(value, format);
      return write(value);
    },
    decode: read,
    fromRow: (row) => row,
    keepsRows: format === 'json',
  };
}

/**
 * Values of any form, without a schema: what the format can hold. Raises INVALID_VALUE, with the path in
 * `details.issues`, for what it cannot: it would come back as something else. Four things do all the same, as in all
 * JSON: members that are undefined, or whose name is a symbol, are left out; -0 is 0; a prototype of null is none; and
 * in JSON what has a toJSON, such as a date or a Buffer, is what that gives.
 *
 * @example
 * ```ts
 * const notes = db.bucket('notes', { value: values.json });
 * await notes.put('monday', { text: 'rain', tags: ['weather'] });
 * notes.get('monday'); // => { text: 'rain', tags: ['weather'] }
 * ```
 */
export const values = {
  /** JSON, what imports and exports read and write. */
  json: plain('json'),
  /** MessagePack, which is shorter, and holds dates and byte strings. */
  msgpack: plain('msgpack'),
} as const;
