// Keys of rows whose parts are of types: each part's text or JSON value becomes a key of its type, and their bytes
// sort as the types do.

import { type KeyCodec, type KeyPart, refusal } from '../codec/key-codec.js';
import { partsCodec } from '../codec/keys.js';
import { StoreError } from '../errors.js';
import type { ByteArena } from '../stream/byte-arena.js';
import type { RowBatch } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';

/** One part of a key: what it is called in the source, and its type. */
export interface TypedPart {
  readonly name: string;
  readonly codec: KeyPart<unknown>;
}

/** What stands in a row for a part of its key; undefined where nothing does. */
export type PartValue<Batch extends RowBatch> = (batch: Batch, row: number, part: number) => unknown;

export class TypedKeyWriter<Batch extends RowBatch> implements RowKeyWriter<Batch> {
  problem = '';
  readonly codec: KeyCodec<unknown>;

  constructor(
    private readonly parts: readonly TypedPart[],
    private readonly partValue: PartValue<Batch>,
  ) {
    this.codec = partsCodec(parts.map(({ codec }) => codec));
  }

  write(batch: Batch, row: number, arena: ByteArena): boolean {
    try {
      const values = this.parts.map((part, index) => partKey(part, this.partValue(batch, row, index)));
      const bytes = this.codec.encode(values.length === 1 ? values[0] : values);
      arena.append(bytes, 0, bytes.length);
      return true;
    } catch (error) {
      this.problem = keyProblem(error);
      return false;
    }
  }
}

/** The key that a part's value stands for. Raises INVALID_KEY. */
export function partKey({ name, codec }: TypedPart, value: unknown): unknown {
  const key = codec.from(value);
  if (key !== undefined) return key;
  const shown = value === undefined ? 'is missing' : value === '' ? 'is empty' : refusal(codec, value);
  throw new StoreError('INVALID_KEY', `${name} of the key ${shown}`);
}

/** What is wrong with a key, for its reject. Errors that are not about the key are raised. */
export function keyProblem(error: unknown): string {
  if (error instanceof StoreError && error.code === 'INVALID_KEY') return error.message;
  throw error;
}

/** Whether a value is a number so large that it may not be the one that was written. */
export function mayBeRounded(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}
