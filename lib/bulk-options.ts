/** The options of a bulk load. */
import { z } from 'zod';
import { parseOptions, signalSchema } from './options.js';

/** How a bulk load goes about its work. */
export interface BulkOptions {
  /**
   * true: keys must ascend; a key out of order rejects with KEY_OUT_OF_ORDER naming both keys.
   * false: no order is expected, entries go through ordinary transactions. 'auto': true until proven
   * false, without an error. Default: 'auto'.
   */
  readonly sorted?: boolean | 'auto';
  /**
   * What happens with a key that the bucket holds or that comes twice: 'replace' (the last one wins),
   * 'keep' (the first one), 'error' (DUPLICATE_KEY). Default: 'replace'.
   */
  readonly onDuplicate?: 'replace' | 'keep' | 'error';
  /** Publish and sync after so many entries or bytes. Default: 64 MiB of keys and values. */
  readonly commitEvery?: { readonly entries?: number; readonly bytes?: number };
  /** Nothing is visible until the end, and nothing remains if it never comes. Default: false. */
  readonly atomic?: boolean;
  /** How full pages are packed, from 0.3 to 1. Default: 1. */
  readonly fillFactor?: number;
  /** A name under which `commit(position)` saves its position, in the same commit as the entries. */
  readonly checkpoint?: string;
  /**
   * Stops the load at a commit boundary: what was added is committed, unless it is atomic; then it rejects
   * with ABORTED.
   */
  readonly signal?: AbortSignal;
}

const COMMIT_BYTES = 64 * 1024 * 1024;

const FILL = { error: 'must be a number from 0.3 to 1' };

const bulkSchema = z.strictObject({
  sorted: z.union([z.boolean(), z.literal('auto')], { error: "must be true, false or 'auto'" }).optional(),
  onDuplicate: z.enum(['replace', 'keep', 'error']).optional(),
  commitEvery: z
    .strictObject({
      entries: z.number().int().positive().optional(),
      bytes: z.number().int().positive().optional(),
    })
    .optional(),
  atomic: z.boolean().optional(),
  fillFactor: z.number(FILL).min(0.3, FILL).max(1, FILL).optional(),
  checkpoint: z.string().min(1).optional(),
  signal: signalSchema.optional(),
});

/** The options with every default in place. */
export interface BulkSettings {
  readonly sorted: boolean | 'auto';
  readonly onDuplicate: 'replace' | 'keep' | 'error';
  readonly commitEntries: number;
  readonly commitBytes: number;
  readonly atomic: boolean;
  readonly fillFactor: number;
  readonly checkpoint: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Raises INVALID_OPTION naming what is wrong. */
export function bulkSettings(options: BulkOptions): BulkSettings {
  const checked = parseOptions(bulkSchema, options, 'bulkWriter');
  const every = checked.atomic === true ? {} : (checked.commitEvery ?? { bytes: COMMIT_BYTES });
  return {
    sorted: checked.sorted ?? 'auto',
    onDuplicate: checked.onDuplicate ?? 'replace',
    commitEntries: every.entries ?? Number.POSITIVE_INFINITY,
    commitBytes: every.bytes ?? Number.POSITIVE_INFINITY,
    atomic: checked.atomic ?? false,
    fillFactor: checked.fillFactor ?? 1,
    checkpoint: checked.checkpoint,
    signal: checked.signal,
  };
}
