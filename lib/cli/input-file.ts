// A file of rows that a command reads: the options that say how, and what is wrong with them.

import { access } from 'node:fs/promises';
import type { Command } from 'commander';
import { byteCount, delimiter, nameList, positiveNumber } from './arguments.js';
import { CommandFailure, usageFailure } from './failure.js';
import { type FileFormat, type FormatFlags, fileFormat, formatOption, refuseCsvOptions } from './format.js';
import { KEY_TEXTS_HELP } from './key-type.js';

/** What is typed of a file of rows, and of the order they are put in. */
export interface InputFlags extends FormatFlags {
  readonly key?: string[];
  readonly columns?: string[];
  readonly header: boolean;
  readonly maxQuotedLines?: number;
  readonly sortBytes?: number;
}

/** Says what `--key` may have behind its names. */
export const KEY_TYPES_HELP = `Keys are text, unless their type stands behind them, as in --key id:number: then they sort as numbers do. There are
string, number, bigint (whole numbers of any size), date (2024-03-01, or with a time) and boolean.
${KEY_TEXTS_HELP}`;

export function addInputOptions(command: Command): Command {
  return command
    .option(
      '--key <names>',
      'columns, or JSON paths such as user.id, that make the key, each with its :type if it is no text; needed',
      nameList,
    )
    .addOption(formatOption('by default told by the name of the file'))
    .option(
      '--delimiter <character>',
      "between cells: one character, 'tab', or 'auto' (default: ',')",
      delimiter,
    )
    .option('--no-header', 'the first row is no header; needs --columns')
    .option('--columns <names>', 'names of the columns where there is no header', nameList)
    .option(
      '--max-quoted-lines <count>',
      'lines that a quoted cell may span; past that its quote counts as not closed (default: 1000)',
      positiveNumber,
    )
    .option('--sort-bytes <bytes>', 'memory to sort in (default: 64 MiB); more goes to files', byteCount);
}

/** The key and the format that were asked for. Raises what does not go together. */
export function checkedInput(file: string, flags: InputFlags): { key: string[]; format: FileFormat } {
  // Not a required option of the parser: it would be missed before a mistyped name is told.
  const { key } = flags;
  if (key === undefined)
    throw usageFailure('--key is needed: name the columns, or the JSON paths, that make the key');
  const format = fileFormat(file, flags);
  if (format.format === 'ndjson') refuseCsvOptions(flags);
  else refuseUnclearHeader(flags);
  return { key, format };
}

function refuseUnclearHeader(flags: InputFlags): void {
  if (flags.columns !== undefined && flags.header)
    throw usageFailure(
      '--columns names the columns of a file without a header: add --no-header, or leave it out',
    );
  if (flags.columns === undefined && !flags.header)
    throw usageFailure('--no-header leaves the columns without names: add --columns');
}

/** Raises where there is no such file. Standard input is always there. */
export async function refuseMissing(file: string): Promise<void> {
  if (file === '-') return;
  try {
    await access(file);
  } catch (cause) {
    throw new CommandFailure(`${file} cannot be opened: there is no such file; check the path`, undefined, {
      cause,
    });
  }
}
