// The options that say which entries a command is about.

import type { Command } from 'commander';
import type { RangeOptions } from '../index.js';
import { wholeNumber } from './arguments.js';
import { unescapedBytes } from './key-text.js';

/** What is typed of a range. */
export interface RangeFlags {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly escapes?: boolean;
}

/** Adds the options to a command. */
export function addRangeOptions(command: Command): Command {
  return command
    .option('--gte <key>', 'keys from this one on')
    .option('--gt <key>', 'keys after this one')
    .option('--lte <key>', 'keys up to and including this one')
    .option('--lt <key>', 'keys before this one')
    .option('--prefix <key>', 'keys that begin so')
    .option('--reverse', 'from the last key to the first')
    .option('--limit <count>', 'so many entries at most', wholeNumber);
}

export const ESCAPES_OPTION = '--escapes';
export const ESCAPES_HELP = 'read \\xHH, \\n, \\r, \\t and \\\\ in keys that are given';

export function rangeOf(flags: RangeFlags): RangeOptions {
  const { gt, gte, lt, lte, prefix, reverse, limit, escapes } = flags;
  const key = (text: string | undefined) => (text === undefined ? undefined : keyOf(text, escapes));
  return { gt: key(gt), gte: key(gte), lt: key(lt), lte: key(lte), prefix: key(prefix), reverse, limit };
}

/** A key as it is typed. */
export function keyOf(text: string, escapes: boolean | undefined): string | Buffer {
  return escapes === true ? unescapedBytes(text) : text;
}
