// `btree-store watch`: what other processes change in a bucket, as far as the file shows it.

import { type BigIntStats, promises as fs } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { StoreError } from '../index.js';
import { positiveNumber } from './arguments.js';
import { changeLine, type LineOptions } from './entry-lines.js';
import { CommandFailure, tell } from './failure.js';
import { catchInterrupt } from './interrupt.js';
import { counted, grouped, print } from './output.js';
import { addBoundOptions, addKeyOptions, type RangeFlags, rangeOf } from './range-options.js';
import { SeenRange } from './seen-range.js';

interface WatchFlags extends RangeFlags, LineOptions {
  readonly every: number;
  readonly count?: number;
  readonly for?: number;
}

const EVERY_MILLISECONDS = 500;
const WAIT_TOLD_MILLISECONDS = 1000;

const EXAMPLES = `
Prints what has changed since the last look, a line an entry, in the order of the keys: 'put', a tab, the key, a tab and
the value, or 'delete', a tab and the key; keys and values as 'scan' prints them. What stands there at first is not
printed. Of an entry that changed twice between two looks the last change is printed, and nothing of one that is as it
was: this shows states of the bucket, not each commit, which the library's watch() shows within the writing process.

A process that writes has the store for itself, so its commits are seen once it has closed it, as other commands do at
their end; meanwhile 'watch' waits. It looks only where the files changed, reads the whole range then, and has the
store open for that long: a command that would write meanwhile ends with status 3, to be tried again. A narrow range is
read faster. A checksum of each value in the range is kept in the system's folder for temporary files.

Examples:
  $ btree-store watch shop.db orders
  $ btree-store watch shop.db orders --prefix 2024 --every 5000 --json
  $ btree-store watch shop.db orders --count 1 --for 60`;

export function addWatch(program: Command): void {
  const command = program
    .command('watch')
    .summary('print what other processes change in a bucket')
    .description('Prints what other processes change in a bucket, until Ctrl-C.')
    .argument('<store>', 'path of the store')
    .argument('<bucket>', 'name of the bucket');
  addKeyOptions(
    addBoundOptions(command),
    'print everything with escapes, and read them in keys that are given',
  )
    .option('--keys', 'print no values')
    .option('--json', 'print JSON, an object a line')
    .option('--every <milliseconds>', 'how often to look', positiveNumber, EVERY_MILLISECONDS)
    .option('--count <changes>', 'end after so many changes', positiveNumber)
    .option('--for <seconds>', 'end after so many seconds', secondsNumber)
    .addHelpText('after', EXAMPLES)
    .action(runWatch);
}

function secondsNumber(text: string): number {
  if (!/^\d{1,6}(?:\.\d{1,3})?$/.test(text))
    throw new InvalidArgumentError('It must be a number of seconds.');
  return Number(text);
}

async function runWatch(store: string, bucket: string, flags: WatchFlags): Promise<void> {
  const range = rangeOf(flags);
  const interrupt = catchInterrupt(() => undefined);
  const seen = await SeenRange.open(store, bucket, range);
  const signals = [interrupt.signal];
  if (flags.for !== undefined) signals.push(AbortSignal.timeout(flags.for * 1000));
  const watch = new Watch(store, bucket, flags, seen, AbortSignal.any(signals));
  try {
    await watch.run();
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
  } finally {
    interrupt.release();
    await seen.close();
  }
  if (!interrupt.signal.aborted) return;
  throw new CommandFailure(`stopped; ${counted(watch.printed, 'change')} printed`, interrupt.exitStatus);
}

class Watch {
  printed = 0;
  private readonly most: number;
  private isWatching = false;
  /** When it was first found locked, of the looks since the last one that saw something. */
  private lockedSince: number | undefined;
  private isWaitTold = false;

  constructor(
    private readonly store: string,
    private readonly bucket: string,
    private readonly flags: WatchFlags,
    private readonly seen: SeenRange,
    /** Ends it. */
    private readonly signal: AbortSignal,
  ) {
    this.most = flags.count ?? Number.POSITIVE_INFINITY;
  }

  async run(): Promise<void> {
    const { signal } = this;
    let before: string | undefined;
    let locked: StoreError | undefined;
    while (!signal.aborted && this.printed < this.most) {
      // Taken before the look: what changes during it makes another one.
      const now = await signature(this.store);
      if (now !== before) {
        locked = await this.look();
        if (locked === undefined) before = now;
      }
      if (this.printed < this.most)
        await sleep(this.flags.every, undefined, { signal }).catch(() => undefined);
    }
    // It has not seen anything at all.
    if (!this.isWatching && locked !== undefined) throw locked;
  }

  /** Prints what has changed. Returns the error that says that it could not be seen yet. */
  private async look(): Promise<StoreError | undefined> {
    let found: number;
    try {
      found = await this.seen.look(this.signal);
    } catch (error) {
      const isLocked = error instanceof StoreError && error.code === 'STORE_LOCKED';
      if (!isLocked && !this.signal.aborted) throw error;
      if (!isLocked) return undefined;
      this.tellWaiting();
      return error;
    }
    this.lockedSince = undefined;
    this.isWaitTold = false;
    if (!this.isWatching)
      tell(`watching ${this.bucket} in ${this.store}: ${grouped(this.seen.count)} entries so far`);
    this.isWatching = true;
    if (found === 0) return undefined;
    // The store is closed again: however slow the reader of the output is, nobody waits for it.
    await print(this.lines(this.most - this.printed));
    this.printed += Math.min(found, this.most - this.printed);
    await this.seen.accept();
    return undefined;
  }

  private async *lines(limit: number): AsyncGenerator<string> {
    for await (const { key, value } of this.seen.changes(limit)) {
      const shown = this.flags.keys === true ? undefined : value;
      yield `${changeLine(value === undefined ? 'delete' : 'put', key, shown, this.flags)}\n`;
    }
  }

  /** Commands that write are done in no time, and not worth a word. */
  private tellWaiting(): void {
    const now = performance.now();
    this.lockedSince ??= now;
    if (this.isWaitTold || now - this.lockedSince < WAIT_TOLD_MILLISECONDS) return;
    this.isWaitTold = true;
    tell(`another process has ${this.store} open: what it changes is seen once it closes it`);
  }
}

/** What is another one once the store was written to: which files there are, how long, and when they changed. */
async function signature(store: string): Promise<string> {
  const files = await Promise.all([store, `${store}.pending`].map(fileState));
  return files.join(' ');
}

async function fileState(path: string): Promise<string> {
  const found: BigIntStats | undefined = await fs.stat(path, { bigint: true }).catch(() => undefined);
  return found === undefined ? '-' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
}
