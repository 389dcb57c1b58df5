// Rows on their way into a typed bucket: each becomes a value by the bucket's schema first, and its key is taken from
// that value, or else from the row itself.

import type { BucketCodecs } from '../codec/bucket-types.js';
import type { KeyCodec, KeyPart } from '../codec/key-codec.js';
import type { ValueIssue } from '../codec/schema-value.js';
import { isStackOverflow, TOO_DEEP } from '../codec/stack-overflow.js';
import { StoreError } from '../errors.js';
import type { ByteArena } from '../stream/byte-arena.js';
import type { RowValues } from './import-rows.js';
import type { RejectReason } from './reject.js';
import type { RowBatch } from './row-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';
import { keyProblem, mayBeRounded, type PartValue, partKey } from './typed-row-key.js';

/** A batch whose rows can be had as objects. */
export interface ObjectBatch extends RowBatch {
  object(row: number): object;
}

/** Finds a part of the key in a value or a row; undefined where nothing stands there. */
export type FindPart = (within: unknown, part: number) => unknown;

type WrittenPart = (part: number) => unknown;

const EMPTY = new Uint8Array(0);

export class TypedRows<Batch extends ObjectBatch> implements RowKeyWriter<Batch>, RowValues<Batch> {
  problem = '';
  reason: RejectReason = 'NO_KEY';
  issues: readonly ValueIssue[] | undefined;
  private encoded: Uint8Array = EMPTY;
  private readonly parts: readonly KeyPart<unknown>[] | undefined;

  /**
   * @param names What the parts of the key are called in the source.
   * @param written What stands in a row for a part of the key, with all its digits where it is a number.
   * @param asItStands What an import without types stores of a row.
   * @throws INVALID_OPTION where the bucket's key has another number of parts.
   */
  constructor(
    private readonly codecs: BucketCodecs<unknown, unknown>,
    private readonly names: readonly string[],
    private readonly find: FindPart,
    private readonly written: PartValue<Batch>,
    private readonly asItStands: RowValues<Batch>,
  ) {
    this.parts = partsOf(codecs.key);
    const needed = this.parts?.length ?? 1;
    if (names.length === needed) return;
    const message = `key: the keys of the bucket have ${needed} ${needed === 1 ? 'part' : 'parts'}; key names ${names.length}`;
    throw new StoreError('INVALID_OPTION', message, { details: { key: names } });
  }

  get codec(): KeyCodec<unknown> {
    return this.codecs.key;
  }

  write(batch: Batch, row: number, arena: ByteArena): boolean {
    const given = batch.object(row);
    const { value: codec, key } = this.codecs;
    let value: unknown;
    try {
      value = codec.fromRow === undefined ? given : codec.fromRow(given);
      if (codec.keepsRows !== true) this.encoded = codec.encode(value);
    } catch (error) {
      this.refuse(error);
      return false;
    }
    try {
      const bytes = key.encode(this.keyOf(value, given, (part) => this.written(batch, row, part)));
      arena.append(bytes, 0, bytes.length);
      return true;
    } catch (error) {
      this.problem = keyProblem(error);
      this.reason = 'NO_KEY';
      this.issues = undefined;
      return false;
    }
  }

  /** The value of the row whose key was written last. */
  value(batch: Batch, row: number): Uint8Array {
    return this.codecs.value.keepsRows === true ? this.asItStands.value(batch, row) : this.encoded;
  }

  /** @param written What stands in the row for a part, with all its digits where it is a number. */
  private keyOf(value: unknown, given: object, written: WrittenPart): unknown {
    const { parts, names } = this;
    if (parts === undefined) return this.find(value, 0) ?? this.find(given, 0);
    const keys = parts.map((codec, part) => {
      const inRow = this.find(given, part);
      const text = mayBeRounded(inRow) ? written(part) : inRow;
      const name = names[part];
      const made = this.find(value, part) ?? inRow;
      // A schema that makes keys of texts by rules of its own would make the key of another row of this one.
      const isWrong =
        typeof text === 'string' && (codec.problemOf?.(text) !== undefined || isMistaken(codec, text, made));
      return partKey({ name, codec }, isWrong || made === inRow ? text : exactly(name, made, text, inRow));
    });
    return 'parts' in this.codecs.key ? keys : keys[0];
  }

  private refuse(error: unknown): void {
    if (isStackOverflow(error)) {
      this.problem = `the row does not satisfy its schema: ${TOO_DEEP}`;
      this.reason = 'SCHEMA';
      this.issues = [{ path: '', message: TOO_DEEP }];
      return;
    }
    if (!(error instanceof StoreError) || error.code !== 'INVALID_VALUE') throw error;
    this.problem = error.message;
    this.reason = 'SCHEMA';
    this.issues = error.details.issues as readonly ValueIssue[] | undefined;
  }
}

/** The parts of a key: those of a tuple, the codec itself, or undefined where it takes keys as they are found. */
function partsOf(codec: KeyCodec<unknown>): readonly KeyPart<unknown>[] | undefined {
  if ('parts' in codec && Array.isArray(codec.parts)) return codec.parts;
  return 'from' in codec && 'words' in codec ? [codec as KeyPart<unknown>] : undefined;
}

/**
 * Whether a text that is no key was made one by a conversion of the language's, as z.coerce makes it, and by no rule of
 * the schema's own: of an empty cell 0 or false, of 0x10 the key of 16, of March 1, 2024 a time in the machine's zone.
 */
function isMistaken(codec: KeyPart<unknown>, text: string, made: unknown): boolean {
  if (typeof made === 'string' || codec.from(text) !== undefined) return false;
  if (typeof made === 'number') return Number(text) === made;
  if (typeof made === 'boolean') return Boolean(text) === made;
  if (made instanceof Date) return new Date(text).getTime() === made.getTime();
  return typeof made === 'bigint' && bigintOf(text) === made;
}

function bigintOf(text: string): bigint | undefined {
  try {
    return BigInt(text);
  } catch {
    return undefined;
  }
}

/**
 * What a schema made of a part, where that lost no digit on the way: then it is what was written. A large number of
 * which that cannot be told stays a number, which no key is made of.
 */
function exactly(name: string, made: unknown, written: unknown, inRow: unknown): unknown {
  if (mayBeRounded(made)) return Number(written) === made ? written : made;
  if (!mayBeRounded(inRow)) return made;
  const shown = typeof made === 'object' ? 'an object' : String(made);
  if (shown === written) return written;
  const message = `${name} of the key is ${String(written)}, of which the schema makes ${shown}, as numbers of JSON are rounded: write it as a text`;
  throw new StoreError('INVALID_KEY', message);
}
