/**
 * Reads a run from its first record to its last. It has two regions of the sort's memory: the pieces of one
 * are taken while the other's are being read.
 */
import { copyBytes, type PageMemory } from '../format/page-memory.js';
import { RECORD_KEY, RECORD_VALUE_LENGTH, recordBytes, recordValueAt } from './entry-record.js';
import { openPiece, PIECE_HEADER_BYTES, type Run, runCorrupt } from './run-format.js';

export class RunCursor {
  /** The record's offset in the memory; -1 past the last one. */
  at = -1;
  keyLength = 0;
  valueLength = 0;
  /** Whether the value goes on in the next pieces: it is there only by `readLongValue`. */
  isLong = false;
  private readonly run: Run;
  private readonly memory: PageMemory;
  private readonly pieceBytes: number;
  private readonly regionPieces: number;
  private region: number;
  private otherRegion: number;
  /** Pieces of the region that were not taken yet. */
  private piecesHere = 0;
  private piece = -1;
  private piecesTaken = 0;
  private piecesAsked = 0;
  private nextAt = 0;
  private payloadEnd = 0;
  /** Bytes of a long value that are in pieces to come. */
  private valueLeft = 0;
  /** The number of pieces that are in the other region once it resolves. */
  private ahead: Promise<number> = Promise.resolve(0);

  /** `regionBytes`, whole pieces, from `region` on and as many behind them are the cursor's. */
  constructor(run: Run, memory: PageMemory, region: number, regionBytes: number, pieceBytes: number) {
    this.run = run;
    this.memory = memory;
    this.pieceBytes = pieceBytes;
    this.regionPieces = regionBytes / pieceBytes;
    this.otherRegion = region;
    this.region = region + regionBytes;
  }

  /** Begins to read. `nextPiece` comes next. */
  begin(): void {
    this.readAhead();
  }

  /** Moves to the next record; returns false where `nextPiece` must be awaited for it. */
  next(): boolean {
    if (this.nextAt >= this.payloadEnd) return false;
    this.load(this.nextAt);
    return true;
  }

  /** Moves to the first record of the next piece, or past the last one. Raises RUN_CORRUPT, IO_ERROR. */
  async nextPiece(): Promise<void> {
    while (this.valueLeft > 0) await this.nextOfValue();
    if (this.piecesTaken === this.run.pieces) this.at = -1;
    else {
      await this.openNext();
      this.load(this.piece + PIECE_HEADER_BYTES);
    }
  }

  private load(at: number): void {
    const { u32 } = this.memory;
    this.at = at;
    this.keyLength = u32[at >>> 2];
    this.valueLength = u32[(at + RECORD_VALUE_LENGTH) >>> 2];
    const bytes = recordBytes(this.keyLength, this.valueLength);
    this.isLong = bytes > this.pieceBytes - PIECE_HEADER_BYTES;
    this.nextAt = at + bytes;
    if (!this.isLong) return;
    this.valueLeft = this.valueLength - (this.payloadEnd - recordValueAt(at, this.keyLength));
    this.nextAt = this.payloadEnd;
  }

  /** A copy of the key: what is read of a long value takes its place. */
  copyKey(): Buffer {
    const key = this.at + RECORD_KEY;
    return Buffer.from(this.memory.bytes.subarray(key, key + this.keyLength));
  }

  /** The value of a long record, once. After it only `next` and `nextPiece` may be called. */
  async readLongValue(): Promise<Buffer> {
    const value = Buffer.allocUnsafeSlow(this.valueLength);
    const from = recordValueAt(this.at, this.keyLength);
    copyBytes(value, 0, this.memory.bytes, from, this.payloadEnd - from);
    while (this.valueLeft > 0) {
      const done = this.valueLength - this.valueLeft;
      await this.nextOfValue();
      const part = this.piece + PIECE_HEADER_BYTES;
      copyBytes(value, done, this.memory.bytes, part, this.payloadEnd - part);
    }
    return value;
  }

  /** Opens the next piece of a long value. */
  private async nextOfValue(): Promise<void> {
    await this.openNext();
    this.nextAt = this.payloadEnd;
    this.valueLeft -= this.payloadEnd - this.piece - PIECE_HEADER_BYTES;
  }

  private async openNext(): Promise<void> {
    if (this.piecesHere > 0) this.piece += this.pieceBytes;
    else {
      this.piecesHere = await this.ahead;
      [this.region, this.otherRegion] = [this.otherRegion, this.region];
      this.piece = this.region;
      this.readAhead();
    }
    const { memory, piece, pieceBytes, run } = this;
    const payload = openPiece(memory, piece, pieceBytes, this.piecesTaken, run);
    this.piecesTaken++;
    this.piecesHere--;
    this.payloadEnd = piece + PIECE_HEADER_BYTES + payload;
  }

  private readAhead(): void {
    this.ahead = this.read(this.otherRegion);
    // Raised to whoever awaits it; without a handler meanwhile the process would end.
    this.ahead.catch(() => undefined);
  }

  private async read(region: number): Promise<number> {
    const { run, pieceBytes } = this;
    const pieces = Math.min(this.regionPieces, run.pieces - this.piecesAsked);
    if (pieces === 0) return 0;
    const first = this.piecesAsked;
    this.piecesAsked += pieces;
    const bytes = pieces * pieceBytes;
    const position = (run.firstPiece + first) * pieceBytes;
    const read = await run.file.read(this.memory.bytes, region, bytes, position);
    if (read < bytes) throw runCorrupt(run, first + Math.floor(read / pieceBytes), 'the file was cut off');
    return pieces;
  }

  /** Waits for a read under way, so that its memory and file may be given up. */
  async close(): Promise<void> {
    await this.ahead.catch(() => undefined);
  }
}
