// `btree-store sort`: the rows of a file in the order of their keys, without a store.

import { createGzip } from 'node:zlib';
import { type Command, Option } from 'commander';
import { type SortedRows, type SortOptions, sortCsv, sortNdjson } from '../index.js';
import { inCommandTerms } from './command-terms.js';
import { CommandFailure, tell } from './failure.js';
import type { FileFormat } from './format.js';
import {
  addInputOptions,
  checkedInput,
  type InputFlags,
  KEY_TYPES_HELP,
  refuseMissing,
} from './input-file.js';
import { catchInterrupt } from './interrupt.js';
import { counted, grouped, writeTo } from './output.js';
import { addOutputOptions, type OutputFlags, withOutput } from './output-file.js';
import { ProgressBar } from './progress-bar.js';

interface SortFlags extends InputFlags, OutputFlags {
  readonly unique?: 'first' | 'last';
}

const BAR_MILLISECONDS = 200;

const EXAMPLES = `
Each row comes out as it stands in the file, the header first, in the order that a bucket has for such keys. Rows with
one key stay in the order of the file, or one of them stays with --unique. The file may be larger than memory: what
does not fit into --sort-bytes goes to temporary files beside the output, which are gone however the command ends.
Line ends become that of the first row; blank lines and a byte order mark go. A row that is malformed or has no key
ends the sort, with exit status 1: nothing is left out.
${KEY_TYPES_HELP}
The output gets its name once it is whole, so FILE itself may be named, with --force. Ending in .gz, it is gzip.

Examples:
  $ btree-store sort orders.csv --key id:number -o sorted.csv
  $ btree-store sort visits.ndjson.gz --key user.id,at:date --unique last -o visits-sorted.ndjson.gz
  $ btree-store sort cities.csv --key country,city -o cities.csv --force`;

export function addSort(program: Command): void {
  const command = program
    .command('sort')
    .summary('sort the rows of a CSV or NDJSON file by key')
    .description('Sorts the rows of a CSV or NDJSON file, which may be larger than memory, by key.')
    .argument('<file>', 'path of the file, which may be gzip, or - for standard input');
  addOutputOptions(addInputOptions(command))
    .addOption(
      new Option('--unique [which]', 'one row for each key: the first (the default), or the last')
        .choices(['first', 'last'])
        .preset('first'),
    )
    .addHelpText('after', EXAMPLES)
    .action(runSort);
}

async function runSort(file: string, flags: SortFlags): Promise<void> {
  const { key, format } = checkedInput(file, flags);
  await refuseMissing(file);
  const started = performance.now();
  const sorted = startSort(file, format, { ...flags, key });
  await write(sorted, flags);
  const { rows, duplicates } = sorted.progress;
  const seconds = (performance.now() - started) / 1000;
  const parts = [
    `sorted ${counted(rows, 'row')} in ${seconds.toFixed(1)} s (${grouped(rows / seconds)} rows/s)`,
  ];
  if (duplicates > 0) parts.push(`${grouped(duplicates)} left out, as another has their key`);
  tell(parts.join(', '));
}

function startSort(
  file: string,
  { format, delimiter }: FileFormat,
  flags: SortFlags & { readonly key: string[] },
): SortedRows {
  const { key, sortBytes, unique, columns, header, output } = flags;
  const temporaryPath = output === '-' ? undefined : output;
  const options: SortOptions = { key, sortBytes, unique, temporaryPath };
  const source = file === '-' ? process.stdin : file;
  if (format === 'ndjson') return sortNdjson(source, options);
  const quotedLinesMax = flags.maxQuotedLines;
  return sortCsv(source, { ...options, delimiter, columns, header, quotedLinesMax });
}

async function write(sorted: SortedRows, flags: SortFlags): Promise<void> {
  const bar = new ProgressBar('sorting');
  const interrupt = catchInterrupt(() => {
    bar.stop();
    tell('stopping; press Ctrl-C again to end at once');
  });
  const timer = bar.isWanted ? followedBy(sorted, bar) : undefined;
  const steps = flags.output.endsWith('.gz') ? [createGzip()] : [];
  try {
    await withOutput(flags, interrupt.signal, (target, name) =>
      writeTo(target, name, sorted, steps, interrupt.signal),
    );
  } catch (error) {
    if (!interrupt.signal.aborted) throw inCommandTerms(error);
    const left = flags.output === '-' ? 'the output is incomplete' : `${flags.output} was not written`;
    throw new CommandFailure(`stopped; ${left}`, interrupt.exitStatus, { cause: error });
  } finally {
    clearInterval(timer);
    bar.stop();
    interrupt.release();
  }
}

/** Tells the bar how far the sort is, for as long as the timer runs. */
function followedBy(sorted: SortedRows, bar: ProgressBar): NodeJS.Timeout {
  const started = performance.now();
  return setInterval(() => {
    const { rows, rowsOut, duplicates, bytesRead, bytesTotal } = sorted.progress;
    const elapsedMilliseconds = performance.now() - started;
    const shown = { rows, elapsedMilliseconds, remainingMilliseconds: undefined };
    if (rowsOut > 0)
      bar.update({ ...shown, title: 'writing', share: rowsOut / Math.max(1, rows - duplicates) });
    else bar.update({ ...shown, share: bytesTotal && bytesRead / bytesTotal });
  }, BAR_MILLISECONDS);
}
