// Keys and values for specs: told by a few numbers, so that a failure prints short and shrinks well.

import type { Entry } from 'btree-store';
import { expect } from 'chai';
import fc from 'fast-check';

/** Bytes that differ from place to place and from salt to salt, so that no page of them can stand for another. */
export function patterned(length: number, salt: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >>> 8) * 7 + (i >>> 16) * 3 + salt;
  return bytes;
}

/** A key with a number in it, of a fixed length so that keys sort as their numbers. */
export function numbered(index: number, prefix = 'k'): string {
  return prefix + String(index).padStart(8, '0');
}

/** A key as text of which each character is a byte: sorts as the bytes do, and serves as a key of a Map. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

export function fromLatin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Entries in a form that a failed comparison prints well. */
export function readable(entries: Iterable<Entry>): Array<[key: string, value: string]> {
  return Array.from(entries, ([key, value]): [string, string] => [shown(key), shown(value)]);
}

function shown(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  return text.length <= 60 ? text : `${text.slice(0, 40)}… ${text.length} bytes`;
}

/** Compares entries without building a huge difference where they are many. */
export function expectEntries(found: readonly Entry[], expected: readonly Entry[], where = ''): void {
  const length = Math.min(found.length, expected.length);
  for (let i = 0; i < length; i++) {
    const same = found[i][0].equals(expected[i][0]) && found[i][1].equals(expected[i][1]);
    if (!same) expect(readable([found[i]]), `${where} entry ${i}`).to.deep.equal(readable([expected[i]]));
    // The shortened form of long bytes may be the same where the bytes are not.
    expect(same, `${where} entry ${i} with key ${shown(expected[i][0])}`).to.equal(true);
  }
  expect(found.length, `${where} count`).to.equal(expected.length);
}

/** Keys that collide, begin with each other, and reach the limit: with `max` the most bytes of a key. */
export function keys(max: number): fc.Arbitrary<Buffer> {
  const byte = fc.constantFrom(0x00, 0x01, 0x61, 0x62, 0xfe, 0xff);
  const tail = fc.array(byte, { maxLength: 3 }).map((bytes) => Buffer.from(bytes));
  const longPrefix = fc
    .tuple(
      fc.constantFrom(0x00, 0x70, 0xff),
      fc.constantFrom(8, 40, 500, max - 24, max - 4, max - 1, max),
      tail,
    )
    .map(([fill, length, end]) => Buffer.concat([Buffer.alloc(length, fill), end]).subarray(0, max));
  return fc.oneof(
    { weight: 3, arbitrary: tail },
    { weight: 5, arbitrary: fc.nat(200).map((index) => Buffer.from(numbered(index))) },
    { weight: 4, arbitrary: longPrefix },
    {
      weight: 1,
      arbitrary: fc.nat(30).map((index) => Buffer.from(numbered(index, 'p'.repeat(max - 9)))),
    },
  );
}

/** A value by its length and salt. */
export interface ValueShape {
  readonly length: number;
  readonly salt: number;
}

/** Lengths around every edge that a value may have with pages of this size, and one of about a megabyte. */
export function valueLengths(pageSize: number): number[] {
  const payload = pageSize - 32;
  const tail = pageSize >>> 3;
  const edges = [
    pageSize >>> 2,
    payload,
    pageSize,
    payload + tail,
    2 * payload,
    2 * payload + tail,
    3 * payload,
  ];
  const around = edges.flatMap((edge) => [edge - 1, edge, edge + 1]);
  return [0, 1, 2, 3, 4, 5, 100, ...around, 5 * payload + tail - 1, 100_000];
}

export function values(pageSize: number): fc.Arbitrary<ValueShape> {
  const length = fc.oneof(
    { weight: 12, arbitrary: fc.nat(120) },
    { weight: 4, arbitrary: fc.constantFrom(...valueLengths(pageSize)) },
    { weight: 1, arbitrary: fc.nat(5 * pageSize) },
  );
  return fc.record({ length, salt: fc.nat(255) });
}

/** A key by what it is made of: so many bytes of one value, and an end. */
export interface KeyShape {
  readonly fill: number;
  readonly times: number;
  /** As text of which each character is a byte. */
  readonly end: string;
}

/** The key of a shape, cut at `max` bytes. */
export function keyOf({ fill, times, end }: KeyShape, max: number): Buffer {
  return Buffer.concat([Buffer.alloc(times, fill), fromLatin1(end)]).subarray(0, max);
}

/** Shapes of keys that collide, begin with each other, and reach the limit of `max` bytes. */
export function keyShapes(max: number): fc.Arbitrary<KeyShape> {
  const end = fc
    .array(fc.constantFrom('\x00', '\x01', 'a', 'b', '\xfe', '\xff'), { maxLength: 3 })
    .map((parts) => parts.join(''));
  const count = fc.nat(200).map((index) => numbered(index));
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ fill: fc.constant(0), times: fc.constant(0), end }) },
    { weight: 5, arbitrary: fc.record({ fill: fc.constant(0), times: fc.constant(0), end: count }) },
    {
      weight: 4,
      arbitrary: fc.record({
        fill: fc.constantFrom(0x00, 0x70, 0xff),
        times: fc.constantFrom(8, 40, 500, max - 24, max - 4, max - 1, max),
        end,
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ fill: fc.constant(0x70), times: fc.constant(max - 9), end: count }),
    },
  );
}
