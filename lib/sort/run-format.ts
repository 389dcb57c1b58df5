/**
 * The bytes of a sorted run: pieces of one length, side by side in a temporary file. A piece holds whole
 * records; only one that is longer than a piece goes on in the next ones, begins at the beginning of its own
 * and ends at the end of its last. Little-endian, for the process that wrote it alone.
 *
 *      0       4         8         12       16                    16 + payload
 *     ┌───────┬─────────┬─────────┬────────┬─────────────────────┬──────────┐
 *     │ crc32c│ payload │ number  │ run    │ records             │ unused   │  pieceBytes in all
 *     │ u32   │ u32     │ u32     │ u32    │ (entry-record.ts)   │          │
 *     └───────┴─────────┴─────────┴────────┴─────────────────────┴──────────┘
 *
 * The checksum covers all from byte 4 to the payload's end, the piece's number in its run and the number that
 * the run drew included: a piece of another place, or of a file that was here before, is found.
 */
import { StoreError } from '../errors.js';
import { crc32c } from '../format/checksum.js';
import type { PageMemory } from '../format/page-memory.js';
import type { StoreFile } from '../storage/store-file.js';

const PIECE_PAYLOAD = 4;
const PIECE_NUMBER = 8;
const PIECE_RUN = 12;
export const PIECE_HEADER_BYTES = 16;

/** A run that was written. */
export interface Run {
  readonly file: StoreFile;
  /** Its first piece, counted from the beginning of the file. */
  readonly firstPiece: number;
  readonly pieces: number;
  /** The random number that its pieces bear. */
  readonly id: number;
  readonly firstKey: Uint8Array;
  readonly lastKey: Uint8Array;
}

/** Completes the piece at `base` of `memory`, whose payload is there. */
export function sealPiece(
  memory: PageMemory,
  base: number,
  payload: number,
  number: number,
  runId: number,
): void {
  const { bytes, u32 } = memory;
  u32[(base + PIECE_PAYLOAD) >>> 2] = payload;
  u32[(base + PIECE_NUMBER) >>> 2] = number;
  u32[(base + PIECE_RUN) >>> 2] = runId;
  u32[base >>> 2] = crc32c(bytes.subarray(base + PIECE_PAYLOAD, base + PIECE_HEADER_BYTES + payload));
}

/** Checks a piece that was read; returns the length of its payload. Raises RUN_CORRUPT. */
export function openPiece(
  memory: PageMemory,
  base: number,
  pieceBytes: number,
  number: number,
  run: Run,
): number {
  const { bytes, u32 } = memory;
  const payload = u32[(base + PIECE_PAYLOAD) >>> 2];
  if (payload > pieceBytes - PIECE_HEADER_BYTES) throw runCorrupt(run, number, 'its length is out of bounds');
  const checksum = crc32c(bytes.subarray(base + PIECE_PAYLOAD, base + PIECE_HEADER_BYTES + payload));
  if (checksum !== u32[base >>> 2]) throw runCorrupt(run, number, 'its checksum does not hold');
  if (u32[(base + PIECE_NUMBER) >>> 2] !== number || u32[(base + PIECE_RUN) >>> 2] !== run.id)
    throw runCorrupt(run, number, 'it is not the one that was written there');
  return payload;
}

export function runCorrupt(run: Run, number: number, what: string): StoreError {
  const piece = run.firstPiece + number;
  const { path } = run.file;
  const message = `piece ${piece} of the temporary file ${path} was damaged after it was written (${what}): check the disk, then load again`;
  return new StoreError('RUN_CORRUPT', message, { details: { path, piece } });
}
