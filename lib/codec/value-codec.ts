// What turns values of one type into bytes and back: codecs, and the values' description that callers give instead.

import type { z } from 'zod';
import { StoreError } from '../errors.js';

/**
 * Values of one type as bytes.
 *
 * @example
 * ```ts
 * import type { ValueCodec } from 'btree-store';
 *
 * const text: ValueCodec<string> = {
 *   encode: (value) => Buffer.from(value),
 *   decode: (bytes) => Buffer.from(bytes).toString(),
 * };
 * const notes = db.bucket('notes', { value: text });
 * await notes.put('monday', 'rain');
 * notes.get('monday')?.length; // 4
 * text.decode(text.encode('rain')); // 'rain'
 * ```
 */
export interface ValueCodec<Value> {
  /** The bytes of a value. Raises what is wrong with it. */
  encode(value: Value): Uint8Array;
  /** The value of which these are the bytes; they are valid during the call alone. */
  decode(bytes: Uint8Array): Value;
  /** The value that a row of an import stands for; absent where rows are taken as they are. */
  fromRow?(row: unknown): Value;
  /** Whether `fromRow` only checks a row: then an import stores the row as it stands, and not what `encode` makes of it. */
  readonly keepsRows?: boolean;
}

/** A zod schema, or a codec. */
export type ValueType = z.core.$ZodType | ValueCodec<unknown>;

/** What a bucket whose values are described so gives and takes: of a schema its output. */
export type ValueOf<Type extends ValueType> = Type extends z.core.$ZodType
  ? z.output<Type>
  : Type extends ValueCodec<infer Value>
    ? Value
    : never;

/** How values that a schema describes are written down. */
export type ValueFormat = 'json' | 'msgpack';

/** Values as they are: bytes in, Buffers out. Where no type is given. */
export const bytesValue: ValueCodec<Buffer> = {
  encode(value) {
    if (value instanceof Uint8Array) return value;
    throw new StoreError(
      'INVALID_VALUE',
      `a value must be a Uint8Array, not ${typeof value}: give the bucket a value type`,
    );
  },
  decode: (bytes) => Buffer.from(bytes),
};
