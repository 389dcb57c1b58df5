// `btree-store drop`: a bucket with all that it holds.

import type { Command } from 'commander';
import { tell } from './failure.js';
import { grouped } from './output.js';
import { existingBucket, withStore } from './store-access.js';

const EXAMPLES = `
There is no way back. The room becomes free within the file; 'compact' gives it back to the file system.

Examples:
  $ btree-store drop shop.db orders`;

export function addDrop(program: Command): void {
  program
    .command('drop')
    .summary('delete a bucket and all its entries')
    .description('Deletes a bucket and all its entries. Exit status 1 if there is no such bucket.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket')
    .addHelpText('after', EXAMPLES)
    .action(runDrop);
}

async function runDrop(store: string, bucket: string): Promise<void> {
  await withStore(store, { create: false }, async (db) => {
    const entries = existingBucket(db, bucket).range().count();
    await db.dropBucket(bucket);
    tell(`dropped ${bucket} with ${grouped(entries)} ${entries === 1 ? 'entry' : 'entries'}`);
  });
}
