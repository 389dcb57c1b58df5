// `btree-store stat`: figures about a store or one of its buckets.

import type { Command } from 'commander';
import type { Bucket, Database } from '../index.js';
import { shownText } from './key-text.js';
import { printLines } from './output.js';
import { existingBucket, withReadStore } from './store-access.js';

type Figures = Readonly<Record<string, string | number | boolean>>;

const EXAMPLES = `
Of a store: all that the library's stats() tells, how many entries there are, and what opening found: whether the last
run closed the store, and how many commits it had left in STORE.pending. Counts such as hits and pagesRead are of this
command's own run. 'check' counts what only a walk over all pages tells.

Examples:
  $ btree-store stat shop.db
  $ btree-store stat shop.db orders --json`;

export function addStat(program: Command): void {
  program
    .command('stat')
    .summary('print figures about a store or a bucket')
    .description('Prints figures about a store, or about one of its buckets.')
    .argument('<store>', 'path of the store')
    .argument('[bucket]', 'name of a bucket')
    .option('--json', 'print one object of JSON')
    .addHelpText('after', EXAMPLES)
    .action(runStat);
}

async function runStat(store: string, bucket: string | undefined, flags: { json?: boolean }): Promise<void> {
  await withReadStore(store, async (db) => {
    const figures = bucket === undefined ? storeFigures(db) : bucketFigures(existingBucket(db, bucket));
    await printLines(flags.json === true ? [JSON.stringify(figures)] : table(figures));
  });
}

function storeFigures(db: Database): Figures {
  const { cache, ...figures } = db.stats();
  const { clean, commitsReplayed } = db.recovery;
  let entries = 0;
  for (const bucket of db.buckets()) entries += bucket.entries;
  const freeBytes = figures.freePages * figures.pageSize;
  return { path: db.path, ...figures, freeBytes, entries, ...cache, clean, commitsReplayed };
}

function bucketFigures(bucket: Bucket): Figures {
  const figures = { bucket: bucket.name, entries: bucket.range().count() };
  const first = bucket.range().first();
  const last = bucket.range({ reverse: true }).first();
  if (first === undefined || last === undefined) return figures;
  return { ...figures, firstKey: shownText(first[0]), lastKey: shownText(last[0]) };
}

function table(figures: Figures): string[] {
  const names = Object.keys(figures);
  const width = Math.max(...names.map((name) => name.length));
  return names.map((name) => `${name.padEnd(width)}  ${figures[name]}`);
}
