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
 * `details.issues`, for what it cannot: it would come back as something else.
 *
 * @example
 * ```ts
 * const notes = db.bucket('notes', { value: values.json });
 * await notes.put('monday', { text: 'rain', tags: ['weather'] });
 * notes.get('monday'); // => { text: 'rain', tags: ['weather'] }
 * ```
 */
export const values = {
  /** JSON, what imports and exports read and write. What has a toJSON, as dates have, is written as that gives. */
  json: plain('json'),
  /** MessagePack, which is shorter, and holds dates and byte strings. */
  msgpack: plain('msgpack'),
} as const;
