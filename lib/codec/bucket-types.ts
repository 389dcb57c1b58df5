// The types of a bucket, as callers give them and as codecs.

import { StoreError } from '../errors.js';
import type { KeyCodec } from './key-codec.js';
import { schemaValue } from './schema-value.js';
import { stringKey } from './text-key.js';
import {
  bytesValue,
  type ValueCodec,
  type ValueFormat,
  type ValueOf,
  type ValueType,
} from './value-codec.js';

/**
 * What the keys and values of a bucket are. The store does not keep it: every program that opens the bucket gives it.
 *
 * @example
 * ```ts
 * const types = { key: keys.number, value: z.object({ celsius: z.number() }), format: 'msgpack' } as const;
 * await db.bucket('weather', types).put(-3.5, { celsius: 21 });
 * db.read((snapshot) => snapshot.bucket('weather', types).get(-3.5)); // => { celsius: 21 }
 * ```
 */
export interface BucketTypes<Key, Type extends ValueType> {
  /** One of {@link keys}, or a codec of your own. Default: keys.string. */
  readonly key?: KeyCodec<Key>;
  /**
   * A zod schema, whose output is what the bucket takes and gives, or a codec of your own. What a schema refuses is
   * neither written nor read: INVALID_VALUE. Transforms must go both ways (z.codec). Default: values are bytes.
   */
  readonly value?: Type;
  /**
   * How values that a schema describes are written. 'json' is what imports and exports read and write; 'msgpack' is
   * shorter, and holds dates and byte strings. Default: 'json'.
   */
  readonly format?: ValueFormat;
}

/** The codecs of a bucket. */
export interface BucketCodecs<Key, Value> {
  readonly key: KeyCodec<Key>;
  readonly value: ValueCodec<Value>;
}

// A schema is looked through when it is first used: a bucket may be asked for at each request.
const resolved = new WeakMap<object, BucketCodecs<unknown, unknown>>();

/** @throws INVALID_OPTION where a type is none. */
export function codecsOf<Key, Type extends ValueType>(
  types: BucketTypes<Key, Type>,
): BucketCodecs<Key, ValueOf<Type>> {
  if (typeof types !== 'object' || types === null)
    throw invalid(`the types of a bucket must be an object, not ${String(types)}`);
  let codecs = resolved.get(types);
  if (codecs === undefined) {
    codecs = { key: keyCodec(types.key), value: valueCodec(types.value, types.format) };
    resolved.set(types, codecs);
  }
  // Of the types that the object itself says.
  return codecs as BucketCodecs<unknown, unknown> as BucketCodecs<Key, ValueOf<Type>>;
}

function keyCodec(key: unknown): KeyCodec<unknown> {
  if (key === undefined) return stringKey;
  if (isCodec(key)) return key as KeyCodec<unknown>;
  throw invalid('key: it must be one of keys, as keys.number, or an object with encode and decode');
}

function valueCodec(value: ValueType | undefined, format: ValueFormat | undefined): ValueCodec<unknown> {
  if (format !== undefined && format !== 'json' && format !== 'msgpack')
    throw invalid(`format: must be 'json' or 'msgpack', and is ${String(format)}`);
  if (typeof value === 'object' && value !== null && '_zod' in value) {
    const known = schemaCodecs[format ?? 'json'];
    let codec = known.get(value);
    if (codec === undefined) {
      codec = schemaValue(value, format ?? 'json');
      known.set(value, codec);
    }
    return codec;
  }
  if (format !== undefined) throw invalid('format: it goes with a value that is a zod schema');
  if (value === undefined) return bytesValue;
  if (isCodec(value)) return value;
  throw invalid('value: it must be a schema of zod 4 (zod or zod/mini), or an object with encode and decode');
}

// Types written out at each call are another object each time, though the schema is one.
const schemaCodecs = {
  json: new WeakMap<object, ValueCodec<unknown>>(),
  msgpack: new WeakMap<object, ValueCodec<unknown>>(),
};

function isCodec(given: unknown): given is ValueCodec<unknown> {
  if (typeof given !== 'object' || given === null) return false;
  const { encode, decode } = given as Partial<Record<string, unknown>>;
  return typeof encode === 'function' && typeof decode === 'function';
}

function invalid(message: string): StoreError {
  return new StoreError('INVALID_OPTION', message);
}
