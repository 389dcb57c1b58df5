// Arguments as they are typed, turned into what the library takes.

import { InvalidArgumentError, Option } from 'commander';
import type { OpenOptions } from '../index.js';

/** A whole number from 0. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** A whole number from 1. */
export function positiveNumber(text: string): number {
  const number = wholeNumber(text);
  if (number === 0) throw new InvalidArgumentError('It must be 1 or more.');
  return number;
}

/** A number of bytes from 1, or of KiB, MiB or GiB: 67108864, 64M, 64MiB. */
export function byteCount(text: string): number {
  const match = /^(\d{1,15})\s*(?:([kmg])(?:i?b)?)?$/i.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a number of bytes, such as 64M.');
  const unit = match[2] === undefined ? 0 : 'kmg'.indexOf(match[2].toLowerCase()) + 1;
  return positiveNumber(match[1]) * 1024 ** unit;
}

/** A whole name, with its type if one stands behind it: a path such as ["x,y"].z has quotes of its own. */
const QUOTED = /^"((?:[^"]|"")*)"(:\w+)?$/;

/** Names with commas between; one that has a comma in it stands in double quotes, where two stand for one. */
export function nameList(text: string): string[] {
  const names = text.match(/(?:"(?:[^"]|"")*"|[^",])+/g) ?? [];
  // What was not matched was left out: an empty name, or a quote that is not closed.
  if (names.length === 0 || names.join(',') !== text)
    throw new InvalidArgumentError('It must be one or more names with commas between.');
  return names.map((name) => {
    const [, quoted, type = ''] = QUOTED.exec(name) ?? [];
    return quoted === undefined ? name : quoted.replaceAll('""', '"') + type;
  });
}

/** A delimiter: one character, 'tab' or \t for the one that is hard to type, or 'auto'. */
export function delimiter(text: string): string {
  return text === 'tab' || text === '\\t' ? '\t' : text;
}

type PageSize = NonNullable<OpenOptions['pageSize']>;

const PAGE_SIZES: readonly PageSize[] = [4096, 8192, 16384, 32768, 65536];

/** The option that says how large the pages of a store are, for commands that may make one. */
export function pageSizeOption(): Option {
  const option = new Option(
    '--page-size <bytes>',
    'of a store that is made: 4096 (default) to 65536; longer keys need larger ones',
  );
  return option.argParser((text): PageSize => {
    const size = PAGE_SIZES.find((each) => String(each) === text);
    if (size === undefined) throw new InvalidArgumentError(`It must be one of ${PAGE_SIZES.join(', ')}.`);
    return size;
  });
}

/** What is typed of a store that may have to be made. */
export interface CreateFlags {
  readonly pageSize?: PageSize;
}
