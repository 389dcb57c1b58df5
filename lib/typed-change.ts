/** What watchers of a typed bucket are told. */
import type { Change, DeleteChange, DeleteRangeChange, DropChange, LoadChange, PutChange } from './change.js';
import type { BucketCodecs } from './codec/bucket-types.js';

/**
 * What a commit changed in a watched range of a typed bucket. The bounds of ranges stay bytes, as they need not be
 * keys: give them to `bucket.bytes.range`.
 */
export type TypedChange<Key, Value> =
  | (Omit<PutChange, 'key' | 'value'> & {
      readonly key: Key;
      /** Undefined where the value came as a stream, which is not kept in memory: read it by its key. */
      readonly value: Value | undefined;
    })
  | (Omit<DeleteChange, 'key'> & { readonly key: Key })
  | DeleteRangeChange
  | DropChange
  | LoadChange;

export function typedChange<Key, Value>(
  change: Change,
  { key, value }: BucketCodecs<Key, Value>,
): TypedChange<Key, Value> {
  if (change.type === 'put') {
    const decoded = change.value === undefined ? undefined : value.decode(change.value);
    return { ...change, key: key.decode(change.key), value: decoded };
  }
  return change.type === 'delete' ? { ...change, key: key.decode(change.key) } : change;
}
