// `btree-store compact`: the file as small as it can be.

import type { Command } from 'commander';
import { CommandFailure, tell } from './failure.js';
import { catchInterrupt } from './interrupt.js';
import { counted, grouped } from './output.js';
import { withStore } from './store-access.js';

const EXAMPLES = `
Works in place, in commits: at any moment, also after Ctrl-C or a crash, the store is whole. It needs no room beside
the file. For a compacted copy in another file there is 'backup'.

Examples:
  $ btree-store compact shop.db`;

export function addCompact(program: Command): void {
  program
    .command('compact')
    .summary('give the free space in the file back to the file system')
    .description('Moves pages to the front of the file, and cuts off its end.')
    .argument('<store>', 'path of the store')
    .addHelpText('after', EXAMPLES)
    .action(runCompact);
}

async function runCompact(store: string): Promise<void> {
  await withStore(store, { create: false }, async (db) => {
    const interrupt = catchInterrupt(() =>
      tell('stopping at the next commit; press Ctrl-C again to end at once'),
    );
    try {
      const { bytesFreed, pagesMoved } = await db.compact({ signal: interrupt.signal });
      tell(`freed ${counted(bytesFreed, 'byte')} of ${store}, ${counted(pagesMoved, 'page')} moved`);
    } catch (cause) {
      if (!interrupt.signal.aborted) throw cause;
      const bytes = grouped(db.stats().fileBytes);
      throw new CommandFailure(`stopped; ${store} has ${bytes} bytes, and is whole`, interrupt.exitStatus, {
        cause,
      });
    } finally {
      interrupt.release();
    }
  });
}
