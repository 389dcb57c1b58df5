// The options that say which entries a command is about.

import type { Command } from 'commander';
import type { RangeOptions } from '../index.js';
import { wholeNumber } from './arguments.js';
import { unescapedBytes } from './key-text.js';
import { addKeyType, type KeyType } from './key-type.js';

/** What is typed of how keys are typed. */
export interface KeyFlags {
  readonly escapes?: boolean;
  readonly keyType?: KeyType;
}

/** What is typed of a range. */
export interface RangeFlags extends KeyFlags {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly prefix?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Adds the options to a command. */
export function addRangeOptions(command: Command): Command {
  return addBoundOptions(command)
    .option('--reverse', 'from the last key to the first')
    .option('--limit <count>', 'so many entries at most', wholeNumber);
}

/** Adds those that say between which keys. */
export function addBoundOptions(command: Command): Command {
  return command
    .option('--gte <key>', 'keys from this one on')
    .option('--gt <key>', 'keys after this one')
    .option('--lte <key>', 'keys up to and including this one')
    .option('--lt <key>', 'keys before this one')
    .option('--prefix <key>', 'keys that begin so');
}

/** Adds the options that say how keys are typed. */
export function addKeyOptions(command: Command, escapesHelp = ESCAPES_HELP): Command {
  return addKeyType(command).option(ESCAPES_OPTION, escapesHelp);
}

const ESCAPES_OPTION = '--escapes';
const ESCAPES_HELP = 'read \\xHH, \\n, \\r, \\t and \\\\ in keys that are given';

export function rangeOf(flags: RangeFlags): RangeOptions {
  const { gt, gte, lt, lte, reverse, limit, keyType } = flags;
  const key = (text: string | undefined) => (text === undefined ? undefined : keyOf(text, flags));
  const prefix =
    keyType !== undefined && flags.prefix !== undefined
      ? keyType.prefixBytes(typedText(flags.prefix, flags))
      : key(flags.prefix);
  return { gt: key(gt), gte: key(gte), lt: key(lt), lte: key(lte), prefix, reverse, limit };
}

/** The text of a key of types, which with escapes may hold any character. */
function typedText(text: string, { escapes }: KeyFlags): string {
  return escapes === true ? unescapedBytes(text).toString('utf8') : text;
}

/** A key as it is typed. */
export function keyOf(text: string, { escapes, keyType }: KeyFlags): string | Uint8Array {
  if (keyType !== undefined) return keyType.bytes(typedText(text, { escapes }));
  return escapes === true ? unescapedBytes(text) : text;
}
