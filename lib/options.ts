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
   * the disk with a later checkpoint, which begins by itself when 16 MiB of pages have changed, and with
   * `close`; after a crash the store is consistent, as the last checkpoint left it.
   * Default: 'commit'.
   */
  readonly durability?: 'commit' | 'none';
  /**
   * Who waits for the disk at a small commit. 'thread': another thread, while the event loop goes on. 'loop': the event
   * loop itself, where all else in the process stands still for that long, some tenths of a millisecond on a fast
   * disk, far longer on a slow one; without the way to another thread and back a third more single writes are made, one
   * after the other. For programs that have nothing else to do: commands, batch jobs. What is durable, and
   * when, is the same. Loads, checkpoints and commits of more than 1 MiB are synced by a thread either way.
   * Default: 'thread'.
   */
  readonly syncOn?: 'thread' | 'loop';
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
  /**
   * Ends whatever consumes the range with ABORTED, whose cause is the signal's reason, and lets its snapshot go at
   * once. Ends a watch, which completes. Not for what is done in one step, as `deleteRange`.
   */
  readonly signal?: AbortSignal;
}

const bytes = z.union([z.string(), z.instanceof(Uint8Array)], { error: 'must be a string or a Uint8Array' });
const positive = z.number().int().positive();

/** A signal, wherever one may be given. */
export const signalSchema = z.custom<AbortSignal>((signal) => signal instanceof AbortSignal, {
  error: 'must be an AbortSignal',
});

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
    .union([z.literal(4096), z.literal(8192), z.literal(16384), z.literal(32768), z.literal(65536)], {
      error: 'must be 4096, 8192, 16384, 32768 or 65536',
    })
    .optional(),
  cacheBytes: positive.optional(),
  durability: z.enum(['commit', 'none']).optional(),
  syncOn: z.enum(['thread', 'loop']).optional(),
});

export const waitSchema = z.strictObject({
  signal: signalSchema.optional(),
  waitMilliseconds: z.number().nonnegative().optional(),
});

/** Of work that goes on for some time and can be stopped. */
export const workSchema = z.strictObject({ signal: signalSchema.optional() });

export const rangeSchema = z.strictObject({
  gt: bytes.optional(),
  gte: bytes.optional(),
  lt: bytes.optional(),
  lte: bytes.optional(),
  prefix: bytes.optional(),
  reverse: z.boolean().optional(),
  limit: z.number().int().nonnegative().optional(),
  signal: signalSchema.optional(),
});

/** Of what is done in one step, which no signal could stop. */
export const deleteRangeSchema = rangeSchema.omit({ signal: true });

/** Checks `options` against a schema; raises INVALID_OPTION naming each that is wrong, what it is and may be. */
export function parseOptions<T>(schema: z.ZodType<T>, options: unknown, call: string): T {
  const result = schema.safeParse(options, { error: allowed, reportInput: true });
  if (result.success) return result.data;
  const names = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const problems = result.error.issues.map((issue) => problemOf(issue, names));
  throw new StoreError('INVALID_OPTION', `${call}: ${problems.join('; ')}`, { cause: result.error });
}

/** The function that a call is to run. Raises INVALID_OPTION where it is none. */
export function checkRun<Run>(run: Run, call: string, gets: string): Run {
  if (typeof run === 'function') return run;
  const message = `${call}: a function that is given the ${gets} is needed, not ${shown(run)}`;
  throw new StoreError('INVALID_OPTION', message);
}

function problemOf(issue: z.core.$ZodIssue, names: readonly string[]): string {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) => `there is no option ${JSON.stringify(key)}${suggestion(key, names)}`)
      .join('; ');
  }
  const path = issue.path.length > 0 ? issue.path.join('.') : 'what is given as options';
  return `${path} ${issue.message}, and is ${shown(issue.input)}`;
}

/** What an option may be, where its schema does not say so in its own words. */
function allowed(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${TYPE_WORDS[issue.expected] ?? `of type ${issue.expected}`}`;
    case 'too_small':
      // Only what is counted in characters or elements may be empty, and none of our options may.
      if (issue.origin === 'string' || issue.origin === 'array') return 'must not be empty';
      return `must be ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}`;
    case 'too_big':
      return `must be ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}`;
    case 'invalid_value':
      return `must be ${issue.values.map((value) => shown(value)).join(' or ')}`;
    default:
      return 'is not as it must be';
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'a string',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
};
const SHOWN_CHARACTERS_MAX = 60;

/** A value for a message: what it is where that is short, and else of what kind. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > SHOWN_CHARACTERS_MAX ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
    return JSON.stringify(cut);
  }
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'function' ? 'a function' : String(value);
}

function suggestion(name: string, names: readonly string[]): string {
  const most = Math.max(1, Math.floor(name.length / 3));
  const [nearest] = names
    .map((known) => ({ known, distance: editDistance(name.toLowerCase(), known.toLowerCase()) }))
    .filter(({ distance }) => distance <= most)
    .sort((a, b) => a.distance - b.distance);
  return nearest === undefined ? `; there are ${names.join(', ')}` : `: did you mean ${nearest.known}?`;
}

/** Characters to be put in, left out or replaced to make one text of the other. */
function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const replaced = previous[column - 1] + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, previous[column] + 1, current[column - 1] + 1));
    }
    previous = current;
  }
  return previous[to.length];
}
