// `btree-store scan`: entries of a bucket, to look at or to pipe on.

import { type Command, Option } from 'commander';
import { entryLines, type LineOptions } from './entry-lines.js';
import { print } from './output.js';
import { addKeyOptions, addRangeOptions, type RangeFlags, rangeOf } from './range-options.js';
import { existingBucket, withReadStore } from './store-access.js';

const EXAMPLES = `
Prints the key, a tab and the value, an entry a line. Text is printed as it is. A key or value that is no plain
text, as it has control characters or bytes that are not UTF-8, is printed with escapes: \\n \\r \\t \\\\ and \\xHH
for a byte. With --escapes all are, and the keys given are read so. With --json each line is an object with
"key" and "value", or "keyBase64" and "valueBase64" where the bytes are not UTF-8.
Keys of types, as an import makes them with --key day:date,id:number, are given and printed as such with
--key-type date,number: dates and the like as text, parts with commas between.

Examples:
  $ btree-store scan shop.db orders --gte 1000 --lt 2000
  $ btree-store scan shop.db cities --prefix FR --keys
  $ btree-store scan shop.db cities --prefix 'FR\\x00\\x00P' --escapes
  $ btree-store scan log.db days --key-type date,number --gte 2024-03-01,1 --keys
  $ btree-store scan shop.db orders --reverse --limit 10 --json`;

export function addScan(program: Command): void {
  const command = program
    .command('scan')
    .summary('print entries of a bucket')
    .description('Prints the entries of a bucket, in the order of their keys.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket');
  addKeyOptions(
    addRangeOptions(command),
    'print everything with escapes, and read them in keys that are given',
  )
    .addOption(new Option('--keys', 'print keys only').conflicts('values'))
    .option('--values', 'print values only')
    .option('--json', 'print JSON, an object a line')
    .addHelpText('after', EXAMPLES)
    .action(runScan);
}

async function runScan(store: string, bucket: string, flags: RangeFlags & LineOptions): Promise<void> {
  await withReadStore(store, (db) =>
    print(entryLines(existingBucket(db, bucket).range(rangeOf(flags)), flags)),
  );
}
