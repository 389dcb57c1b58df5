/**
 * The positions that bulk loads save in the same commit as their entries: JSON values by checkpoint name, in the
 * bucket's catalog record.
 */
import { StoreError } from './errors.js';
import type { Transaction } from './transaction.js';

/** The position last saved under a name, or undefined. */
export function readPosition(checkpoint: string | undefined, name: string): unknown {
  const positions = readPositions(checkpoint);
  // A name may be one that every object has.
  return Object.hasOwn(positions, name) ? positions[name] : undefined;
}

/** Raises INVALID_OPTION for a position that cannot be saved. */
export function checkPosition(position: unknown, checkpoint: string | undefined): void {
  if (checkpoint === undefined) {
    throw new StoreError(
      'INVALID_OPTION',
      'a position needs a name to be saved under: give the bulk writer a checkpoint name',
    );
  }
  let json: string | undefined;
  let cause: unknown;
  try {
    json = JSON.stringify(position);
  } catch (error) {
    cause = error;
  }
  if (json !== undefined) return;
  const message = `the position is a ${typeof position} that JSON cannot hold: save a JSON value`;
  throw new StoreError('INVALID_OPTION', message, cause === undefined ? {} : { cause });
}

/** Positions by checkpoint name, as a bucket's catalog record keeps them. */
function readPositions(checkpoint: string | undefined): Record<string, unknown> {
  return checkpoint === undefined ? {} : (JSON.parse(checkpoint) as Record<string, unknown>);
}

/** Saves a position, if there is one, with the transaction; it was checked. */
export function savePosition(
  transaction: Transaction,
  bucket: string,
  name: string | undefined,
  position: unknown,
): void {
  if (name === undefined || position === undefined) return;
  const positions = readPositions(transaction.checkpoint(bucket));
  transaction.setCheckpoint(bucket, JSON.stringify({ ...positions, [name]: position }));
}
