// Writing to standard output, whose reader may leave at any time.

import { type Duplex, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EXIT_FAILED, EXIT_OK } from './exit-status.js';
import { CommandFailure } from './failure.js';

/** Makes it no error that the reader of the output, such as `head`, has enough. */
export function endWhenOutputCloses(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // Nobody is left to write to, and commands that print change nothing that would have to be ended well.
    if (error.code === 'EPIPE') process.exit(EXIT_OK);
  });
  // Where messages cannot be told any more, the work still can be done.
  process.stderr.on('error', () => undefined);
}

/** Writes pieces of text or bytes as fast as they are read. */
export async function print(pieces: AsyncIterable<string | Uint8Array> | Iterable<string>): Promise<void> {
  await writeTo(process.stdout, 'the output', Readable.from(pieces));
}

/** Writes whole lines. */
export async function printLines(lines: Iterable<string>): Promise<void> {
  await print([[...lines].map((line) => `${line}\n`).join('')]);
}

/** Writes a stream to another, through the steps between them. */
export async function writeTo(
  target: Writable,
  name: string,
  source: Readable,
  steps: readonly Duplex[] = [],
  signal?: AbortSignal,
): Promise<void> {
  try {
    await pipeline([source, ...steps, target === process.stdout ? standardOutput() : target], { signal });
  } catch (error) {
    // The system's own errors come from the target: the store's are told by the library.
    if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) throw error;
    const message = `${name} cannot be written (${error.code}): check where it goes, and the disk`;
    throw new CommandFailure(message, EXIT_FAILED, { cause: error });
  }
}

/**
 * Standard output as a stream that may be ended: it is left open itself, since others may have more to say
 * there, and no listener stays behind on it, however often it is written to.
 */
function standardOutput(): Writable {
  return new Writable({
    write: (chunk: Uint8Array, _encoding, done) => {
      process.stdout.write(chunk, done);
    },
  });
}

/** A number with its thousands marked, for people. */
export function grouped(number: number): string {
  return String(Math.round(number)).replaceAll(/\B(?=(?:\d{3})+$)/g, ',');
}

/** So many of something. */
export function counted(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`;
}
