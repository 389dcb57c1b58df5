// `btree-store buckets`: what a store holds.

import type { Command } from 'commander';
import { printLines } from './output.js';
import { withReadStore } from './store-access.js';

const EXAMPLES = `
Prints the name, a tab and the number of entries, a bucket a line; with --json an object a line.

Examples:
  $ btree-store buckets shop.db
  $ btree-store buckets shop.db --json`;

export function addBuckets(program: Command): void {
  program
    .command('buckets')
    .summary('list the buckets of a store')
    .description('Lists the buckets of a store, by name, with how many entries each has.')
    .argument('<store>', 'path of the store')
    .option('--json', 'print JSON, an object a line')
    .addHelpText('after', EXAMPLES)
    .action(runBuckets);
}

async function runBuckets(store: string, flags: { json?: boolean }): Promise<void> {
  await withReadStore(store, async (db) => {
    const line = ({ name, entries }: { name: string; entries: number }): string =>
      flags.json === true ? JSON.stringify({ name, entries }) : `${name}\t${entries}`;
    await printLines(Array.from(db.buckets(), line));
  });
}
