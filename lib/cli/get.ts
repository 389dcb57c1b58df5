// `btree-store get`: one value, byte for byte.

import type { Command } from 'commander';
import { CommandFailure } from './failure.js';
import { writeTo } from './output.js';
import { addKeyOptions, type KeyFlags, keyOf } from './range-options.js';
import { existingBucket, withReadStore } from './store-access.js';

const EXAMPLES = `
The bytes are written as they are, with nothing added; on a terminal a line end follows. A key that begins with
a dash goes behind --.

Examples:
  $ btree-store get shop.db orders 1001
  $ btree-store get shop.db pictures logo > logo.png
  $ btree-store get shop.db cities 'FR\\x00\\x00Paris' --escapes`;

export function addGet(program: Command): void {
  const command = program
    .command('get')
    .summary('write the value of a key')
    .description('Writes the value of a key to standard output. Exit status 1 if the key is not there.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'the key');
  addKeyOptions(command).addHelpText('after', EXAMPLES).action(runGet);
}

async function runGet(store: string, bucket: string, key: string, flags: KeyFlags): Promise<void> {
  await withReadStore(store, async (db) => {
    const entries = existingBucket(db, bucket);
    const wanted = keyOf(key, flags);
    if (!entries.has(wanted)) throw keyNotFound(key, bucket);
    await writeTo(process.stdout, 'the output', entries.createValueReadStream(wanted));
    if (process.stdout.isTTY) process.stdout.write('\n');
  });
}

/** For commands that need a key to be there. */
export function keyNotFound(key: string, bucket: string): CommandFailure {
  return new CommandFailure(`there is no key ${JSON.stringify(key)} in the bucket ${JSON.stringify(bucket)}`);
}
