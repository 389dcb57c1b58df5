// `btree-store delete`: one entry.

import type { Command } from 'commander';
import { keyNotFound } from './get.js';
import { addKeyOptions, type KeyFlags, keyOf } from './range-options.js';
import { existingBucket, withStore } from './store-access.js';

const EXAMPLES = `
Examples:
  $ btree-store delete shop.db orders 1001`;

export function addDelete(program: Command): void {
  const command = program
    .command('delete')
    .summary('delete a key and its value')
    .description('Deletes a key and its value. Exit status 1 if the key is not there.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket')
    .argument('<key>', 'the key');
  addKeyOptions(command).addHelpText('after', EXAMPLES).action(runDelete);
}

async function runDelete(store: string, bucket: string, key: string, flags: KeyFlags): Promise<void> {
  await withStore(store, { create: false }, async (db) => {
    if (!(await existingBucket(db, bucket).delete(keyOf(key, flags)))) throw keyNotFound(key, bucket);
  });
}
