// What an import can go into: a bucket, or one with types, whose rows are checked by them.

import { type Bucket, StoreBucket } from '../bucket.js';
import type { BucketCodecs } from '../codec/bucket-types.js';
import { codecsOf } from '../codec/bucket-types.js';
import { StoreError } from '../errors.js';
import type { TypedBucket } from '../typed-bucket.js';

/** A bucket's bytes, and its codecs where it has types. */
export interface ImportTarget {
  readonly bytes: StoreBucket;
  readonly codecs: BucketCodecs<unknown, unknown> | undefined;
}

export function importTarget<Key, Value>(bucket: Bucket | TypedBucket<Key, Value>): ImportTarget {
  if (typeof bucket !== 'object' || bucket === null || !('bytes' in bucket))
    return { bytes: storeBucket(bucket), codecs: undefined };
  const codecs = codecsOf(bucket.types);
  // A row is an object: only a schema, or a codec with `fromRow`, says how bytes are made of it.
  if (codecs.value.fromRow === undefined) {
    const message =
      'the values of the bucket are bytes, and a row is none: give the bucket a schema, or a codec with fromRow';
    throw new StoreError('INVALID_OPTION', message);
  }
  return { bytes: storeBucket(bucket.bytes), codecs };
}

function storeBucket(bucket: Bucket): StoreBucket {
  if (bucket instanceof StoreBucket) return bucket;
  throw new StoreError('INVALID_OPTION', 'bucket: not a bucket; pass what `db.bucket(name)` returns');
}
