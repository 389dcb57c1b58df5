// `btree-store export`: the rows of a bucket as CSV or NDJSON.

import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Duplex, type Readable, Transform } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Command } from 'commander';
import type { Range } from '../index.js';
import { delimiter, nameList } from './arguments.js';
import { inCommandTerms } from './command-terms.js';
import { CommandFailure, tell, usageFailure } from './failure.js';
import { type FileFormat, fileFormat, formatOption, refuseCsvOptions } from './format.js';
import { catchInterrupt } from './interrupt.js';
import { writeTo } from './output.js';
import { addOutputOptions, type OutputFlags, withOutput } from './output-file.js';
import { ProgressBar } from './progress-bar.js';
import { addKeyOptions, addRangeOptions, type RangeFlags, rangeOf } from './range-options.js';
import { existingBucket, withReadStore } from './store-access.js';

interface ExportFlags extends RangeFlags, OutputFlags {
  readonly format?: string;
  readonly delimiter?: string;
  readonly columns?: string[];
  readonly header: boolean;
}

const LINE_FEED = 0x0a;

const EXAMPLES = `
What an import brought in comes out as the same rows, in the order of their keys. Values must be JSON objects.
A file whose name ends in .gz is written as gzip. A file gets its name once it is whole; one that is there already is
left alone, with exit status 1, unless --force says that it may be written over. A name in --columns that none of the
rows has fails with exit status 1, and leaves no file: a row without it has an empty cell, but a slip has all of them.

Examples:
  $ btree-store export shop.db orders --format csv > orders.csv
  $ btree-store export shop.db cities --prefix FR -o france.ndjson
  $ btree-store export shop.db orders --gte 2024 --lt 2025 --columns id,total --delimiter tab -o orders.tsv.gz`;

export function addExport(program: Command): void {
  const command = program
    .command('export')
    .summary('write the rows of a bucket as CSV or NDJSON')
    .description('Writes the rows of a bucket as CSV or NDJSON, in the order of their keys.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket')
    .addOption(formatOption('by default told by the name of the output'))
    .option('--columns <names>', 'the columns of CSV, in order; by default those of the first row', nameList)
    .option('--delimiter <character>', "between the cells of CSV, 'tab' for a tab (default: ',')", delimiter)
    .option('--no-header', 'write no row with the names of the columns');
  addKeyOptions(addRangeOptions(addOutputOptions(command)))
    .addHelpText('after', EXAMPLES)
    .action(runExport);
}

async function runExport(store: string, bucket: string, flags: ExportFlags): Promise<void> {
  const format = fileFormat(flags.output, flags);
  if (format.format === 'ndjson') refuseCsvOptions(flags);
  await withReadStore(store, async (db) => {
    const range = existingBucket(db, bucket).range(rangeOf(flags));
    // A store, or its log, that is written over would be lost.
    if (flags.output !== '-' && isFileOf(store, flags.output))
      throw usageFailure('the output is the store itself, or a file of its own: name another file');
    await write(range, encoded(range, format, flags), flags);
  });
}

function encoded(range: Range, { format, delimiter }: FileFormat, flags: ExportFlags): Readable {
  if (format === 'ndjson') return range.toNdjson();
  return range.toCsv({ columns: flags.columns, absentColumns: 'error', header: flags.header, delimiter });
}

async function write(range: Range, rows: Readable, flags: OutputFlags): Promise<void> {
  const { output } = flags;
  const bar = new ProgressBar('exporting');
  const interrupt = catchInterrupt(() => {
    bar.stop();
    tell('stopping; press Ctrl-C again to end at once');
  });
  const toTerminal = output === '-' && process.stdout.isTTY === true;
  const steps: Duplex[] = [];
  // A bar between the rows on the terminal would spoil both.
  if (bar.isWanted && !toTerminal) steps.push(rowFollower(bar, range.count()));
  if (output.endsWith('.gz')) steps.push(createGzip());
  try {
    await withOutput(flags, interrupt.signal, (target, name) =>
      writeTo(target, name, rows, steps, interrupt.signal),
    );
  } catch (error) {
    if (!interrupt.signal.aborted) throw inCommandTerms(error);
    const left = output === '-' ? 'the output is incomplete' : `${output} was not written`;
    throw new CommandFailure(`stopped; ${left}`, interrupt.exitStatus, { cause: error });
  } finally {
    bar.stop();
    interrupt.release();
  }
}

/** Tells the bar of the rows that go by. They are told by their line ends: those within quotes make it too many. */
function rowFollower(bar: ProgressBar, rowsTotal: number): Transform {
  const started = performance.now();
  let lines = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines++;
      const rows = Math.min(lines, rowsTotal);
      const share = rows / Math.max(1, rowsTotal);
      const elapsedMilliseconds = performance.now() - started;
      const remainingMilliseconds = rows > 0 ? (elapsedMilliseconds / share) * (1 - share) : undefined;
      bar.update({ share, rows, elapsedMilliseconds, remainingMilliseconds });
      done(null, chunk);
    },
  });
}

/** Whether the output is the store or its log, by whatever way it is named. */
function isFileOf(store: string, output: string): boolean {
  const own = realpathSync(store);
  const other = settled(output);
  return other === own || other === `${own}.pending`;
}

function settled(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // What is not there yet is known by the folder that it is to be in; of one that is not there nothing is written.
    const folder = dirname(path);
    return existsSync(folder) ? join(realpathSync(folder), basename(path)) : path;
  }
}
