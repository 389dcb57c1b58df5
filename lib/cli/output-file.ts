// Where `-o` writes to: standard output, or a file that gets its name once it is whole, so that what stands there is
// never half of something, and what stood there before is not lost to a run that fails.

import { randomBytes } from 'node:crypto';
import { createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { link, open, realpath, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import { CommandFailure } from './failure.js';

/** What is typed of an output. */
export interface OutputFlags {
  readonly output: string;
  readonly force?: boolean;
}

export function addOutputOptions(command: Command): Command {
  return command
    .option('-o, --output <file>', 'where to write, - for standard output', '-')
    .option('--force', 'write over a file that is there already');
}

/**
 * Has `write` write to where the flags say; `name` is for messages.
 *
 * @throws CommandFailure where a file is there already that may not be written over.
 */
export async function withOutput(
  { output, force = false }: OutputFlags,
  signal: AbortSignal,
  write: (target: Writable, name: string) => Promise<void>,
): Promise<void> {
  if (output === '-') return write(process.stdout, 'the output');
  const found = await stat(output).catch(() => undefined);
  // A device or a pipe has no content that could be lost, and no other can take its place.
  if (found !== undefined && !found.isFile()) return write(await openedPipe(output, signal), output);
  if (found !== undefined && !force) throw isThere(output);
  // Of a link, what it leads to is replaced.
  const path = found === undefined ? output : await realpath(output);
  const partial = `${path}.partial-${randomBytes(4).toString('hex')}`;
  const remove = (): void => rmSync(partial, { force: true });
  // Ctrl-C for the second time ends the process at once.
  process.once('exit', remove);
  const target = createWriteStream(partial, { flags: 'wx', flush: true });
  try {
    await write(target, output).finally(() => closed(target));
    if (target.errored !== null) throw target.errored;
    await place(partial, path, force);
  } finally {
    await rm(partial, { force: true }).catch(() => undefined);
    process.off('exit', remove);
  }
}

/**
 * Ends a stream to a file wherever it is, and waits for that: of one whose source failed at once the system is still
 * opening the file, and a name that was removed before would be there afterwards.
 */
async function closed(target: WriteStream): Promise<void> {
  if (target.closed) return;
  // Whoever wrote has told what is wrong.
  target.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => target.once('close', resolve));
  target.destroy();
  await ended;
}

/** A pipe is open only once somebody reads from it, which may never be. */
async function openedPipe(path: string, signal: AbortSignal): Promise<Writable> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new CommandFailure(`${path} was not written`));
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
  });
  const handle = await Promise.race([open(path, 'w'), stopped]);
  return handle.createWriteStream();
}

/** Gives the file its name, which another file may have got meanwhile. */
async function place(partial: string, path: string, force: boolean): Promise<void> {
  if (force) return rename(partial, path);
  try {
    await link(partial, path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw isThere(path);
    // Some file systems have no second names for a file.
    await rename(partial, path);
  }
}

function isThere(path: string): CommandFailure {
  return new CommandFailure(`${path} is there already: name another file, or write over it with --force`);
}
