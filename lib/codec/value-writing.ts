// JSON and MessagePack: how a plain value becomes bytes, and bytes one.

import { isUtf8 } from 'node:buffer';
import { decode, encode } from '@msgpack/msgpack';
import { StoreError } from '../errors.js';
import type { ValueFormat } from './value-codec.js';

export interface ValueWriting {
  /** @throws INVALID_VALUE */
  write(value: unknown): Uint8Array;
  /** @throws INVALID_VALUE where the bytes are something else. */
  read(bytes: Uint8Array): unknown;
  /** Types of schemas whose values would come back as something else. */
  readonly unwritable: ReadonlySet<string>;
}

const NEVER_WRITABLE = ['bigint', 'map', 'set', 'symbol', 'function', 'promise', 'file'];

const json: ValueWriting = {
  unwritable: new Set([...NEVER_WRITABLE, 'date', 'nan']),
  write: (value) =>
    attempt('be written as JSON', () => {
      const text = JSON.stringify(value);
      if (text === undefined) throw new TypeError(`JSON has no ${typeof value}`);
      return Buffer.from(text);
    }),
  read: (bytes) =>
    attempt('be read as JSON', () => {
      if (!isUtf8(bytes)) throw new TypeError('it is not UTF-8');
      return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as unknown;
    }),
};

const msgpack: ValueWriting = {
  unwritable: new Set(NEVER_WRITABLE),
  // As in JSON, a member that is undefined is none.
  write: (value) => attempt('be written as MessagePack', () => encode(value, { ignoreUndefined: true })),
  // Copied first, as byte strings in what is read are views into it.
  read: (bytes) => attempt('be read as MessagePack', () => decode(Buffer.from(bytes))),
};

export function writingOf(format: ValueFormat): ValueWriting {
  return format === 'msgpack' ? msgpack : json;
}

function attempt<Result>(what: string, work: () => Result): Result {
  try {
    return work();
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError('INVALID_VALUE', `the value cannot ${what}: ${problem}`, { cause });
  }
}
