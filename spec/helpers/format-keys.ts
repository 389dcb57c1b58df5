// Keys for the specs of nodes: bytes at both ends of their range, heads that tie, lengths around the head.

import fc from 'fast-check';

const edgeByte = fc.constantFrom(0x00, 0x01, 0x61, 0x62, 0xfe, 0xff);

/** Up to nine bytes of a few values: heads tie, keys begin with one another, and some are empty. */
export const tyingKeys: fc.Arbitrary<Buffer> = fc
  .array(edgeByte, { maxLength: 9 })
  .map((bytes) => Buffer.from(bytes));

/** Any bytes. */
export const anyKeys = (lengthMax: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: lengthMax }).map((bytes) => Buffer.from(bytes));

/** Keys as long as they may be, or nearly, that differ in their last bytes at the most. */
export const longKeys = (lengthMax: number): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.constantFrom(0x00, 0x61, 0xff), fc.integer({ min: lengthMax - 3, max: lengthMax }), tyingKeys)
    .map(([fill, length, end]) =>
      Buffer.concat([Buffer.alloc(length - Math.min(length, end.length), fill), end]).subarray(0, lengthMax),
    );

/** All of these, the tying ones the most. */
export const nodeKeys = (lengthMax: number): fc.Arbitrary<Buffer> =>
  fc.oneof(
    { weight: 6, arbitrary: tyingKeys },
    { weight: 2, arbitrary: anyKeys(24) },
    { weight: 1, arbitrary: longKeys(lengthMax) },
  );

/** Distinct keys in ascending order. */
export function sortedKeys(keys: readonly Buffer[]): Buffer[] {
  const sorted = [...keys].sort(Buffer.compare);
  return sorted.filter((key, index) => index === 0 || !key.equals(sorted[index - 1]));
}
