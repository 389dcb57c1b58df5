// The content of a store as a short text: equal texts, equal content. What a model says after each step is
// kept in this form only, so that a recovered store can be compared with every step at once.

import type { Database, Snapshot } from 'btree-store';
import { crc32c } from '../../lib/format/checksum.js';

/** Sums over all entries and buckets, so that a model can keep them up to date at the cost of a change. */
export class StateDigest {
  private first = 0;
  private second = 0;
  private count = 0;

  static parse(text: string): StateDigest {
    const digest = new StateDigest();
    const [count, first, second] = text.split(':');
    digest.count = Number(count);
    digest.first = Number.parseInt(first, 16);
    digest.second = Number.parseInt(second, 16);
    return digest;
  }

  add(hash: EntryHash): void {
    this.first = (this.first + hash.first) >>> 0;
    this.second = (this.second + hash.second) >>> 0;
    this.count++;
  }

  remove(hash: EntryHash): void {
    this.first = (this.first - hash.first) >>> 0;
    this.second = (this.second - hash.second) >>> 0;
    this.count--;
  }

  toString(): string {
    return `${this.count}:${this.first.toString(16)}:${this.second.toString(16)}`;
  }
}

export interface EntryHash {
  readonly first: number;
  readonly second: number;
}

export function bucketHash(name: string): EntryHash {
  return hashOf(crc32c(Buffer.from(name)), 0x5bd1_e995, name.length);
}

export function entryHash(bucket: string, key: Uint8Array, value: Uint8Array): EntryHash {
  return entryHashIn(crc32c(Buffer.from(bucket)), key, value);
}

/** The same for many entries of a bucket, whose name's checksum is made once. */
function entryHashIn(bucketSum: number, key: Uint8Array, value: Uint8Array): EntryHash {
  return hashOf(crc32c(key, bucketSum), crc32c(value), key.length * 31 + value.length);
}

function hashOf(a: number, b: number, c: number): EntryHash {
  return {
    first: scramble(Math.imul(a, 0x9e37_79b1) ^ scramble(b ^ Math.imul(c, 0x85eb_ca6b))),
    second: scramble(scramble(a ^ 0x27d4_eb2f) + Math.imul(b, 0xc2b2_ae35) + c),
  };
}

function scramble(value: number): number {
  let mixed = value;
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b_3c6d);
  mixed = Math.imul(mixed ^ (mixed >>> 12), 0x297a_2d39);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** Reads all of it. */
export function digestOf(reader: Database | Snapshot): string {
  const digest = new StateDigest();
  for (const { name, entries } of reader.buckets()) {
    digest.add(bucketHash(name));
    const bucketSum = crc32c(Buffer.from(name));
    let found = 0;
    for (const [key, value] of reader.bucket(name).range()) {
      digest.add(entryHashIn(bucketSum, key, value));
      found++;
    }
    if (found !== entries) throw new Error(`bucket ${name} counts ${entries} entries and has ${found}`);
  }
  return digest.toString();
}
