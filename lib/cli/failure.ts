// How a command fails: one line on standard error that says what to do, and an exit status.

import { CommanderError } from 'commander';
import { type ErrorCode, StoreError } from '../index.js';
import { EXIT_FAILED, EXIT_INTERRUPTED, EXIT_LOCKED, EXIT_OK, EXIT_USAGE } from './exit-status.js';

/** A failure that the command line itself finds. */
export class CommandFailure extends Error {
  constructor(
    message: string,
    readonly exitStatus: number = EXIT_FAILED,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Arguments that do not go together. */
export function usageFailure(message: string, cause?: unknown): CommandFailure {
  const options = cause === undefined ? undefined : { cause };
  return new CommandFailure(`${message}; --help has examples`, EXIT_USAGE, options);
}

const STATUS_OF_CODE: Partial<Record<ErrorCode, number>> = {
  STORE_LOCKED: EXIT_LOCKED,
  INVALID_OPTION: EXIT_USAGE,
  INVALID_BUCKET_NAME: EXIT_USAGE,
  ABORTED: EXIT_INTERRUPTED,
};

/** Tells what went wrong, and returns the exit status. */
export function reportFailure(error: unknown): number {
  // Help and usage errors were printed by the parser.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
  tell(lineOf(error));
  if (process.env.BTREE_STORE_DEBUG === '1') console.error(error);
  if (error instanceof CommandFailure) return error.exitStatus;
  return error instanceof StoreError ? statusOf(error) : EXIT_FAILED;
}

/** The exit status that goes with an error of the library. */
export function statusOf(error: StoreError): number {
  return STATUS_OF_CODE[error.code] ?? EXIT_FAILED;
}

/** Writes a line to standard error. */
export function tell(message: string): void {
  process.stderr.write(`btree-store: ${message}\n`);
}

function lineOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
  const known = error instanceof StoreError || error instanceof CommandFailure;
  return known ? text : `unexpected failure: ${text} (set BTREE_STORE_DEBUG=1 to see where)`;
}
