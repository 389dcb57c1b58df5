// Where an import stands, as it is saved with its rows: enough to go on there, and to tell whether the source and
// the options are the same.

import { z } from 'zod';
import { StoreError } from '../errors.js';

const count = z.number().int().nonnegative();

/** How far a file of rejects is, and what tells it from another of its name. */
const rejectFileSchema = z.strictObject({
  bytes: count,
  /** CRC32C of so many bytes. */
  checksum: count,
  /** Of this very file, also while it is empty: one that takes its place has another. */
  mark: z.string(),
});

export type RejectFilePosition = Readonly<z.infer<typeof rejectFileSchema>>;

const positionSchema = z.strictObject({
  version: z.literal(1),
  /** Whether all of the source is in. */
  complete: z.boolean(),
  /** Where the next row begins, in the source as it is after decompression. */
  byteOffset: count,
  line: z.number().int().positive(),
  rows: count,
  rejected: count,
  duplicates: count,
  blankLines: count,
  /** The file of rejects, where there is one. */
  rejectFile: rejectFileSchema.optional(),
  /** The options that the rows' keys and values depend on, as JSON. */
  options: z.string(),
  /** What the beginning of the source told: a header, a delimiter. */
  format: z.unknown(),
  /** Of a file. */
  file: z.strictObject({ bytes: count, modifiedMilliseconds: z.number() }).optional(),
  /** Of any other source. */
  prefix: z.strictObject({ bytes: count, checksum: count }).optional(),
});

export type ImportPosition = z.infer<typeof positionSchema>;

/** What is saved, if it is an import's. */
export function knownPosition(saved: unknown): ImportPosition | undefined {
  return positionSchema.safeParse(saved).data;
}

/** @throws CONFLICT where what is saved is something else's. */
export function readImportPosition(saved: unknown, name: string): ImportPosition | undefined {
  if (saved === undefined) return undefined;
  const position = knownPosition(saved);
  if (position !== undefined) return position;
  const message = `the checkpoint ${JSON.stringify(name)} of the bucket holds the position of something other than an import: choose another name`;
  throw new StoreError('CONFLICT', message, { details: { checkpoint: name } });
}
