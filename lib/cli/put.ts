// `btree-store put`: one value, from the command line or from standard input.

import { pipeline } from 'node:stream/promises';
import type { Command } from 'commander';
import { type CreateFlags, pageSizeOption } from './arguments.js';
import { addKeyOptions, type KeyFlags, keyOf } from './range-options.js';
import { withStore } from './store-access.js';

const EXAMPLES = `
Without VALUE, or with -, the value is what comes from standard input, byte for byte and however long; it is
stored once all of it has come. The store and the bucket are made if they do not exist. A key or value that begins with a dash goes behind --.

Examples:
  $ btree-store put shop.db users ada '{"born":1815}'
  $ btree-store put shop.db pictures logo < logo.png`;

export function addPut(program: Command): void {
  const command = program
    .command('put')
    .summary('set the value of a key')
    .description('Sets the value of a key, and replaces the one it had.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'the key')
    .argument('[value]', 'the value, or - for standard input', '-');
  addKeyOptions(command).addOption(pageSizeOption()).addHelpText('after', EXAMPLES).action(runPut);
}

async function runPut(
  store: string,
  bucket: string,
  key: string,
  value: string,
  flags: CreateFlags & KeyFlags,
): Promise<void> {
  await withStore(store, { pageSize: flags.pageSize }, async (db) => {
    const entries = db.bucket(bucket);
    const wanted = keyOf(key, flags);
    if (value === '-') await pipeline(process.stdin, entries.createValueWriteStream(wanted));
    else await entries.put(wanted, value);
  });
}
