// Bytes in chunks of every kind, for specs of what reads streams.

import fc from 'fast-check';

/** The bytes in chunks that end at the given places; the rest is one chunk more. */
export async function* cutAt(bytes: Uint8Array, places: Iterable<number>): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (const place of places) {
    yield bytes.subarray(from, place);
    from = place;
  }
  yield bytes.subarray(from);
}

/** Chunks of so many bytes. */
export function cutEvery(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  return cutAt(
    bytes,
    Array.from({ length: Math.floor(bytes.length / size) }, (_, index) => (index + 1) * size),
  );
}

/** Places to cut so many bytes at, in order, some of them perhaps twice: that makes an empty chunk. */
export function cuts(length: number): fc.Arbitrary<number[]> {
  return fc.array(fc.nat(length), { maxLength: 8 }).map((places) => places.sort((a, b) => a - b));
}
