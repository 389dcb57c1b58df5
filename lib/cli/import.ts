// `btree-store import`: rows of CSV or NDJSON into a bucket.

import { type Command, Option } from 'commander';
import type { Database, ImportProgress } from '../index.js';
import { pageSizeOption, positiveNumber, wholeNumber } from './arguments.js';
import { tell, usageFailure } from './failure.js';
import { importFailed, tellReport } from './import-outcome.js';
import { type ImportFlags, startImport } from './import-start.js';
import { addInputOptions, checkedInput, KEY_TYPES_HELP, refuseMissing } from './input-file.js';
import { catchInterrupt } from './interrupt.js';
import { ProgressBar, type WorkProgress } from './progress-bar.js';
import { readRowSchema } from './row-schema.js';
import { withMadeStore } from './store-access.js';

const EXAMPLES = `
The store and the bucket are made if they do not exist. FILE may be gzip, and - is standard input.
Rows that cannot be taken are counted, told, and kept with --rejects. If there are any the exit status is 4, unless
--max-rejects said how many there may be; one more than that stops the import, with status 1. 0 stops at the first.
An import that was stopped goes on where it was when the same command is run again. Of a file that was imported to
its end nothing is left to do; --restart begins at the beginning. Standard input needs --checkpoint for that.
A --rejects FILE with the rejects of another import is left alone, with exit status 1; --restart replaces the import's own.
${KEY_TYPES_HELP}
With --schema a row is checked, and stored as what the schema makes of it; one that it refuses is rejected, with paths.
Cells of CSV are texts to it: z.coerce.number() makes numbers of them. A module (.mjs, .js, .cjs) runs as code of yours,
and has a schema of zod 4, or one of another library with Standard Schema. A .json file is JSON Schema of draft 2020-12,
or as its $schema says: it takes rows as they stand or refuses them, and a keyword that is not known is an error.

Examples:
  $ btree-store import shop.db orders orders.csv --key id
  $ btree-store import shop.db cities cities.csv.gz --key country,city --rejects bad.ndjson
  $ btree-store import log.db visits visits.csv --key user,at:date
  $ btree-store import shop.db orders orders.csv --key id:number --schema order.mjs --rejects bad.ndjson
  $ btree-store import text.db characters UnicodeData.txt --format csv --delimiter ';' --no-header \\
      --columns code,name,category,class,bidi,decomposition,decimal,digit,numeric,mirrored,old,comment,upper,lower,title \\
      --key code
  $ zcat events.gz | btree-store import log.db events - --format ndjson --key user.id,time`;

export function addImport(program: Command): void {
  const command = program
    .command('import')
    .summary('put the rows of a CSV or NDJSON file into a bucket')
    .description(
      'Puts the rows of a CSV or NDJSON file into a bucket: each as JSON, under the key that --key names.',
    )
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket')
    .argument('<file>', 'path of the file, which may be gzip, or - for standard input');
  addInputOptions(command)
    .option(
      '--schema <file>',
      'what rows must be: a module with a schema as its default export, or JSON Schema',
    )
    .addOption(new Option('--sorted', 'fail where a key is out of order').conflicts('unsorted'))
    .option('--unsorted', 'sort all rows; by default those from the first that is out of order on')
    .addOption(
      new Option(
        '--on-duplicate <what>',
        'what stays of two rows with one key (default: replace, the later)',
      ).choices(['replace', 'keep', 'error']),
    )
    .option('--atomic', 'all rows or none')
    .option('--rejects <file>', 'write rows that cannot be taken to this file, as NDJSON')
    .addOption(
      new Option(
        '--rejects-bucket <name>',
        'put them into another bucket of the store, in the same commits',
      ).conflicts('rejects'),
    )
    .option('--max-rejects <count>', 'so many of them are all right: stop at one more', wholeNumber)
    .option(
      '--commit-every <rows>',
      'commit at the first end of a batch (256 KiB of the file) past so many rows (default: past 64 MiB)',
      positiveNumber,
    )
    .option('--checkpoint <name>', 'where to save how far it is (default: under the path of the file)')
    .option('--restart', 'begin at the beginning, however far an earlier run had come')
    .addOption(pageSizeOption())
    .addHelpText('after', EXAMPLES)
    .action(runImport);
}

async function runImport(store: string, bucket: string, file: string, flags: ImportFlags): Promise<void> {
  const { key, format } = checkedInput(file, flags);
  if (flags.rejects === '-') throw usageFailure('--rejects takes the path of a file');
  // Before the store is opened, which would make it.
  await refuseMissing(file);
  const schema = flags.schema === undefined ? undefined : await readRowSchema(flags.schema);
  await withMadeStore(store, { pageSize: flags.pageSize }, async (db) => {
    const bar = new ProgressBar('importing');
    const interrupt = catchInterrupt(() => {
      bar.stop();
      tell('stopping at the next commit; press Ctrl-C again to end at once');
    });
    try {
      const job = startImport(db, bucket, file, format, { ...flags, key }, schema, interrupt.signal);
      job.progress$.subscribe((progress) => bar.update(shareOf(progress)));
      const report = await job.finally(() => bar.stop());
      // Where there was no row, what reads the bucket later is to find it all the same.
      if (report.rows === 0) await makeBucket(db, bucket);
      tellReport(report, bucket, flags);
    } catch (error) {
      throw importFailed(error, interrupt);
    } finally {
      interrupt.release();
    }
  });
}

async function makeBucket(db: Database, name: string): Promise<void> {
  for (const bucket of db.buckets()) if (bucket.name === name) return;
  await db.createBucket(name);
}

function shareOf(progress: ImportProgress): WorkProgress {
  const { phase, rows, rowsCommitted, bytesRead, bytesTotal } = progress;
  if (phase === 'merging')
    return { ...progress, title: phase, share: rowsCommitted === 0 ? undefined : rowsCommitted / rows };
  return { ...progress, share: bytesTotal === undefined ? undefined : bytesRead / Math.max(1, bytesTotal) };
}
