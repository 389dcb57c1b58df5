// `btree-store backup`: a copy of a store in another file.

import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { CommandFailure, tell } from './failure.js';
import { catchInterrupt } from './interrupt.js';
import { counted } from './output.js';
import { withReadStore } from './store-access.js';

const EXAMPLES = `
The copy is compacted. It gets its name once it is whole and on the disk; a file that is there already is left alone,
with exit status 1. The commits that an interrupted run left in STORE.pending are in it too.

Examples:
  $ btree-store backup shop.db shop-copy.db`;

export function addBackup(program: Command): void {
  program
    .command('backup')
    .summary('copy a store to another file')
    .description('Copies a store, as of its latest commit, to another file.')
    .argument('<store>', 'path of the store')
    .argument('<file>', 'path of the copy, where no file may be yet')
    .addHelpText('after', EXAMPLES)
    .action(runBackup);
}

async function runBackup(store: string, file: string): Promise<void> {
  await withReadStore(store, async (db) => {
    const interrupt = catchInterrupt(() => tell('stopping; press Ctrl-C again to end at once'));
    try {
      await db.backup(file, { signal: interrupt.signal });
      tell(`copied ${store} to ${file}, ${counted((await stat(file)).size, 'byte')}`);
    } catch (cause) {
      if (!interrupt.signal.aborted) throw cause;
      throw new CommandFailure('stopped; there is no copy', interrupt.exitStatus, { cause });
    } finally {
      interrupt.release();
    }
  });
}
