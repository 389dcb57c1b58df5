// `btree-store check`: whether a store is whole.

import type { Command } from 'commander';
import type { CheckReport } from '../index.js';
import { CommandFailure } from './failure.js';
import { counted, grouped, printLines } from './output.js';
import { withReadStore } from './store-access.js';

const EXAMPLES = `
Reads the whole file. Exit status 0 if nothing was found, 1 if there are problems, which are printed.

Examples:
  $ btree-store check shop.db
  $ btree-store check shop.db --json`;

export function addCheck(program: Command): void {
  program
    .command('check')
    .summary('check that a store is whole')
    .description(
      'Checks every page of a store: its checksum, the order of its keys, the counts, and that each page is used once or free.',
    )
    .argument('<store>', 'path of the store')
    .option('--json', 'print one object of JSON')
    .addHelpText('after', EXAMPLES)
    .action(runCheck);
}

async function runCheck(store: string, flags: { json?: boolean }): Promise<void> {
  await withReadStore(store, async (db) => {
    const report = await db.check();
    await printLines(flags.json === true ? [JSON.stringify(report)] : reportLines(report));
    if (report.ok) return;
    throw new CommandFailure(
      `${counted(report.problemCount, 'problem')} in ${store}: restore a backup, or export what can be read`,
    );
  });
}

function reportLines({ ok, problems, problemCount, buckets, entries, pages }: CheckReport): string[] {
  if (ok) {
    const parts = [
      `buckets ${grouped(buckets)}`,
      `entries ${grouped(entries)}`,
      `pages ${grouped(pages.total)}`,
    ];
    return [`ok: ${parts.join(', ')}, of which free ${grouped(pages.free)}`];
  }
  // What a page's own check raised names the page already.
  const lines = problems.map(({ page, what }) =>
    page === undefined || what.startsWith(`page ${page} `) ? what : `page ${page}: ${what}`,
  );
  if (problemCount > problems.length) lines.push(`and ${grouped(problemCount - problems.length)} more`);
  return lines;
}
