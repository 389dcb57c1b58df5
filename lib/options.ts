/** The options of the public calls, and the one way in which they are checked. */
import { z } from 'zod';
import { StoreError } from './errors.js';

/** Bytes in: a string means its UTF-8 encoding. Bytes out are always Buffers. */
export type Bytes = string | Uint8Array;

/** One key and its value. Keys sort as unsigned bytes, shorter first where one is a prefix. */
export type Entry = [key: Buffer, value: Buffer];

/**
 * How a store is opened, or made.
 *
 * @example
 * ```ts
 * const archive = await open('archive.db', { pageSize: 16384, cacheBytes: 256 * 1024 * 1024 });
 * await archive.close();
 * ```
 */
export interface OpenOptions {
  /** Takes a shared lock and refuses writes with READ_ONLY. Default: false. */
  readonly readOnly?: boolean;
  /** Makes the store if there is none; false: STORE_NOT_FOUND. Default: true. */
  readonly create?: boolean;
  /** Bytes of a page, fixed when the file is made; ignored when it is there. Default: 4096. */
  readonly pageSize?: 4096 | 8192 | 16384 | 32768 | 65536;
  /** Upper bound, in bytes, of clean pages kept in memory. Default: 64 MiB. At least 64 pages are kept. */
  readonly cacheBytes?: number;
  /**
   * 'commit': a commit resolves only after it is on the disk. 'none': it resolves at once and reaches
   * the disk with a later checkpoint; after a crash the store is consistent, though not current.
   * Default: 'commit'.
   */
  readonly durability?: 'commit' | 'none';
}

/** Which keys a range covers, in which direction, and how many entries at the most. */
export interface RangeOptions {
  /** Keys after this one. */
  readonly gt?: Bytes;
  /** Keys from this one on. */
  readonly gte?: Bytes;
  /** Keys before this one. */
  readonly lt?: Bytes;
  /** Keys up to and including this one. */
  readonly lte?: Bytes;
  /** Keys that begin with these bytes; goes together with the bounds. */
  readonly prefix?: Bytes;
  /** From the last key to the first. Default: false. */
  readonly reverse?: boolean;
  /** The most entries. Default: all. */
  readonly limit?: number;
}

const bytes = z.union([z.string(), z.instanceof(Uint8Array)], { error: 'must be a string or a Uint8Array' });
const positive = z.number().int().positive();

export const pathSchema = z.object({
  path: z
    .string()
    .min(1)
    .refine((path) => !path.includes('\0'), 'must not contain a null character'),
});

export const openSchema = z.strictObject({
  readOnly: z.boolean().optional(),
  create: z.boolean().optional(),
  pageSize: z
    .union([z.literal(4096), z.literal(8192), z.literal(16384), z.literal(32768), z.literal(65536)])
    .optional(),
  cacheBytes: positive.optional(),
  durability: z.enum(['commit', 'none']).optional(),
});

export const waitSchema = z.strictObject({
  signal: z.instanceof(AbortSignal).optional(),
  waitMilliseconds: z.number().nonnegative().optional(),
});

export const rangeSchema = z.strictObject({
  gt: bytes.optional(),
  gte: bytes.optional(),
  lt: bytes.optional(),
  lte: bytes.optional(),
  prefix: bytes.optional(),
  reverse: z.boolean().optional(),
  limit: z.number().int().nonnegative().optional(),
});

/** Checks `options` against a schema; raises INVALID_OPTION naming each that is wrong. */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown, call: string): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const problems = result.error.issues.map(
    (issue) => `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`,
  );
  throw new StoreError('INVALID_OPTION', `${call}: ${problems.join('; ')}`, { cause: result.error });
}
