// Which format a file has, by its name.

import { Option } from 'commander';
import { usageFailure } from './failure.js';

export type Format = 'csv' | 'ndjson';

/** What is typed of a format. */
export interface FormatFlags {
  readonly format?: string;
  readonly delimiter?: string;
}

/** A format, and its delimiter where that is told too. */
export interface FileFormat {
  readonly format: Format;
  readonly delimiter: string | undefined;
}

const FORMAT_OF_ENDING: Readonly<Record<string, Format>> = {
  csv: 'csv',
  tsv: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
};

/** The option that names a format, for commands that read or write one. */
export function formatOption(otherwise: string): Option {
  return new Option('--format <format>', `csv or ndjson; ${otherwise}`).choices(['csv', 'ndjson']);
}

/** The format that was asked for, or else the one that the file's name tells. */
export function fileFormat(file: string, flags: FormatFlags): FileFormat {
  const ending = /\.([a-z]+)(?:\.gz)?$/i.exec(file)?.[1].toLowerCase() ?? '';
  const format = isFormat(flags.format) ? flags.format : FORMAT_OF_ENDING[ending];
  if (format === undefined) {
    const what = file === '-' ? 'what is piped' : `the name ${JSON.stringify(file)}`;
    throw usageFailure(`${what} does not tell the format: add --format csv or --format ndjson`);
  }
  return { format, delimiter: flags.delimiter ?? (ending === 'tsv' ? '\t' : undefined) };
}

/** Refuses options that mean nothing to NDJSON. */
export function refuseCsvOptions(flags: {
  delimiter?: string;
  columns?: unknown;
  header?: boolean;
  maxQuotedLines?: number;
}): void {
  const given = [
    flags.delimiter !== undefined && '--delimiter',
    flags.columns !== undefined && '--columns',
    flags.header === false && '--no-header',
    flags.maxQuotedLines !== undefined && '--max-quoted-lines',
  ].filter((option) => option !== false);
  if (given.length > 0) throw usageFailure(`${given.join(' and ')} can only go with --format csv`);
}

function isFormat(text: string | undefined): text is Format {
  return text === 'csv' || text === 'ndjson';
}
