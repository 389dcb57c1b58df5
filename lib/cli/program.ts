// The command as a whole: its name, version and help, and the commands it has.

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addBackup } from './backup.js';
import { addBuckets } from './buckets.js';
import { addCheck } from './check.js';
import { addCompact } from './compact.js';
import { addDelete } from './delete.js';
import { addDrop } from './drop.js';
import { EXIT_OK, EXIT_STATUS_HELP } from './exit-status.js';
import { addExport } from './export.js';
import { reportFailure } from './failure.js';
import { addGet } from './get.js';
import { addImport } from './import.js';
import { addPut } from './put.js';
import { addScan } from './scan.js';
import { addSort } from './sort.js';
import { addStat } from './stat.js';
import { addWatch } from './watch.js';

const HELP = `
Examples:
  $ btree-store import shop.db orders orders.csv --key id
  $ btree-store scan shop.db orders --gte 1000 --limit 10
  $ btree-store export shop.db orders --format ndjson > orders.ndjson
  $ btree-store help import
${EXIT_STATUS_HELP}

Data goes to standard output, all else to standard error. With BTREE_STORE_DEBUG=1 failures show their stack.`;

/** In the order in which the help lists them. */
const COMMANDS = [
  addImport,
  addExport,
  addSort,
  addScan,
  addWatch,
  addGet,
  addPut,
  addDelete,
  addDrop,
  addBuckets,
  addStat,
  addCheck,
  addCompact,
  addBackup,
];

/** Runs a command line, without the names of the program; resolves to the exit status. */
export async function run(words: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(words, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    return reportFailure(error);
  }
}

function createProgram(): Command {
  const program = new Command('btree-store')
    .description('Ordered key-value stores in single files: import, sort, scan, export.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .exitOverride()
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'btree-store: ')),
    })
    .addHelpText('after', HELP);
  // Commands take over what was set above, so they come last.
  for (const add of COMMANDS) add(program);
  return program;
}

function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
