// Runs the command line: as its users do, in a process of its own with pipes for its input and output, or within
// this one, which takes a hundredth of the time, for what does not depend on processes and pipes.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { run } from '../../lib/cli/program.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = 'lib/cli/main.ts';

/** What came of a run. */
export interface CliResult {
  /** The exit status; null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

/** Starts the command; the words are its arguments. Paths are to be absolute. */
export function startCli(
  words: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams {
  const command = ['--import', 'tsx', MAIN, ...words];
  return spawn(process.execPath, command, { cwd: ROOT, env: { ...process.env, ...env } });
}

/** Resolves with the exit status, and with what was written to outputs that nobody else reads. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<CliResult> {
  const status = new Promise<number | null>((resolve, reject) => {
    child.once('close', resolve);
    child.once('error', reject);
  });
  const [stdoutBytes, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  return { status: await status, stdoutBytes, stdout: stdoutBytes.toString('utf8'), stderr };
}

/** Runs the command to its end in a process of its own. */
export async function cli(
  words: readonly string[],
  options: { input?: string | Uint8Array; env?: NodeJS.ProcessEnv } = {},
): Promise<CliResult> {
  const child = startCli(words, options.env);
  // Who does not want the input closes it, as is its right.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input);
  return ended(child);
}

/** Runs the command within this process, and takes what it writes. */
export async function cliHere(words: readonly string[]): Promise<CliResult> {
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  const restore = [intercept(process.stdout, out), intercept(process.stderr, err)];
  try {
    const status = await run(words);
    const stdoutBytes = Buffer.concat(out);
    return { status, stdoutBytes, stdout: stdoutBytes.toString(), stderr: Buffer.concat(err).toString() };
  } finally {
    for (const undo of restore) undo();
  }
}

/** Has a stream's writes go to a list; returns what undoes that. */
function intercept(stream: NodeJS.WriteStream, written: Uint8Array[]): () => void {
  const { write, isTTY } = stream;
  stream.write = (chunk: string | Uint8Array, ...more: unknown[]): boolean => {
    written.push(Buffer.from(chunk));
    const done = more.at(-1);
    if (typeof done === 'function') done();
    return true;
  };
  // As with a pipe, also where the specs run on a terminal.
  stream.isTTY = false;
  return () => {
    stream.write = write;
    stream.isTTY = isTTY;
  };
}
