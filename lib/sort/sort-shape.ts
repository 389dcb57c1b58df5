/** How a sort divides the memory that it may use. */

export interface SortShape {
  /** All of it: entries and what sorts them, later what is read of the runs; and what is on its way to a run. */
  readonly memoryBytes: number;
  /** A piece of a run, which is read and checked as a whole. A key must fit into one. */
  readonly pieceBytes: number;
  /** Written in one request: whole pieces. */
  readonly writeBytes: number;
  /** Runs that are merged at a time, at the most. */
  readonly fanIn: number;
}

const MEMORY_BYTES_MIN = 256 * 1024;
/** Twice the longest key that any page size allows, so that a key and its lengths always fit. */
const PIECE_BYTES_MIN = 32 * 1024;
const PIECE_BYTES_MAX = 1 << 20;
/** Longer requests gain nothing. */
const REQUEST_BYTES_MAX = 1 << 20;
/** More runs at a time make their reads short and the search among them long. */
const FAN_IN_MAX = 128;

export function sortShape(sortBytes: number): SortShape {
  const memoryBytes = Math.max(MEMORY_BYTES_MIN, sortBytes - (sortBytes % 4096));
  const pieceBytes = powerWithin(memoryBytes / 256, PIECE_BYTES_MIN, PIECE_BYTES_MAX);
  const writeBytes = powerWithin(memoryBytes / 64, pieceBytes, REQUEST_BYTES_MAX);
  const fanIn = Math.floor((memoryBytes - 2 * writeBytes) / (2 * pieceBytes));
  return { memoryBytes, pieceBytes, writeBytes, fanIn: Math.min(fanIn, FAN_IN_MAX) };
}

/** Bytes read of each of `runs` runs in one request; a second request of each is under way meanwhile. */
export function readBytes({ memoryBytes, writeBytes, pieceBytes }: SortShape, runs: number): number {
  const share = Math.min((memoryBytes - 2 * writeBytes) / (2 * runs), REQUEST_BYTES_MAX);
  return Math.max(1, Math.floor(share / pieceBytes)) * pieceBytes;
}

/** The greatest power of two that is not greater than `bytes`, within bounds that are powers of two too. */
function powerWithin(bytes: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, 2 ** Math.floor(Math.log2(bytes))));
}
