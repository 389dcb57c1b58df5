/**
 * Writes records, which come in order, as a run at the end of a temporary file. Pieces are laid out side by
 * side and written in long requests, one being filled while the other is on its way.
 */
import crypto from 'node:crypto';
import { copyAligned, type PageMemory } from '../format/page-memory.js';
import type { StoreFile } from '../storage/store-file.js';
import { RECORD_KEY, RECORD_VALUE_LENGTH, recordValueAt } from './entry-record.js';
import { PIECE_HEADER_BYTES, type Run, sealPiece } from './run-format.js';
import type { SortShape } from './sort-shape.js';

export class RunOutput {
  private readonly file: StoreFile;
  private readonly memory: PageMemory;
  private readonly pieceBytes: number;
  private readonly writeBytes: number;
  private readonly firstPiece: number;
  private readonly id = crypto.randomBytes(4).readUInt32LE();
  /** Where pieces are laid out now, and where they were before; trade places with each request. */
  private region: number;
  private otherRegion: number;
  /** The piece being filled, and where in the memory its next record goes. */
  private piece: number;
  private at: number;
  private pieces = 0;
  private piecesWritten = 0;
  private inFlight: Promise<void> = Promise.resolve();
  private firstKey: Uint8Array | undefined;
  private lastKey: Uint8Array | undefined;
  /** The last record, where it is laid out: its bytes stay there until the one after it is put. */
  private lastAt = -1;

  /** The run begins at `firstPiece` of the file. The last two `writeBytes` of the memory are for what is laid out. */
  constructor(file: StoreFile, firstPiece: number, memory: PageMemory, shape: SortShape) {
    this.file = file;
    this.memory = memory;
    this.pieceBytes = shape.pieceBytes;
    this.writeBytes = shape.writeBytes;
    this.firstPiece = firstPiece;
    this.otherRegion = memory.bytes.length - shape.writeBytes;
    this.region = this.otherRegion - shape.writeBytes;
    this.piece = this.region;
    this.at = this.piece + PIECE_HEADER_BYTES;
  }

  /** Whether a record is too long for any piece: it goes in by `putLong`. */
  isLong(recordBytes: number): boolean {
    return recordBytes > this.pieceBytes - PIECE_HEADER_BYTES;
  }

  /** Whether a record goes into the piece being filled; otherwise `nextPiece` must be awaited before `put`. */
  fits(recordBytes: number): boolean {
    return this.at + recordBytes <= this.piece + this.pieceBytes;
  }

  /** Appends the record at `from` of the same memory, which is not long and fits. */
  put(from: number, recordBytes: number): void {
    const { memory, at } = this;
    copyAligned(memory, at, memory, from, recordBytes);
    this.firstKey ??= this.keyAt(at);
    this.lastAt = at;
    this.at = at + recordBytes;
  }

  /** Appends a record of any length: it has pieces of its own. */
  async putLong(key: Uint8Array, value: Uint8Array): Promise<void> {
    if (this.at > this.piece + PIECE_HEADER_BYTES) await this.nextPiece();
    const { bytes, u32 } = this.memory;
    u32[this.at >>> 2] = key.length;
    u32[(this.at + RECORD_VALUE_LENGTH) >>> 2] = value.length;
    bytes.set(key, this.at + RECORD_KEY);
    this.at = recordValueAt(this.at, key.length);
    for (let done = 0; done < value.length; ) {
      const part = Math.min(value.length - done, this.piece + this.pieceBytes - this.at);
      bytes.set(value.subarray(done, done + part), this.at);
      this.at += part;
      done += part;
      await this.nextPiece();
    }
    this.lastKey = Uint8Array.prototype.slice.call(key);
    this.lastAt = -1;
    this.firstKey ??= this.lastKey;
  }

  /** Completes the piece being filled, and waits where that must be written before there is room for another. */
  async nextPiece(): Promise<void> {
    sealPiece(this.memory, this.piece, this.at - this.piece - PIECE_HEADER_BYTES, this.pieces++, this.id);
    this.piece += this.pieceBytes;
    if (this.piece === this.region + this.writeBytes) await this.write();
    this.at = this.piece + PIECE_HEADER_BYTES;
  }

  private async write(): Promise<void> {
    const { file, memory, region, pieceBytes } = this;
    const bytes = this.piece - region;
    if (bytes === 0) return;
    const position = (this.firstPiece + this.piecesWritten) * pieceBytes;
    await this.inFlight;
    this.inFlight = file.write(memory.bytes, region, bytes, position);
    // Raised to whoever awaits next; without a handler meanwhile the process would end.
    this.inFlight.catch(() => undefined);
    this.piecesWritten = this.pieces;
    this.region = this.otherRegion;
    this.otherRegion = region;
    this.piece = this.region;
  }

  /** Writes what is left; there was at least one record. */
  async finish(): Promise<Run> {
    const { firstPiece, id, file } = this;
    if (this.lastAt >= 0) this.lastKey = this.keyAt(this.lastAt);
    if (this.at > this.piece + PIECE_HEADER_BYTES) await this.nextPiece();
    await this.write();
    await this.inFlight;
    const firstKey = this.firstKey ?? NO_KEY;
    return { file, firstPiece, pieces: this.pieces, id, firstKey, lastKey: this.lastKey ?? NO_KEY };
  }

  /** Waits for a request under way, so that its memory and file may be given up. */
  async abandon(): Promise<void> {
    await this.inFlight.catch(() => undefined);
  }

  private keyAt(at: number): Uint8Array {
    const { bytes, u32 } = this.memory;
    return Uint8Array.prototype.slice.call(bytes, at + RECORD_KEY, at + RECORD_KEY + u32[at >>> 2]);
  }
}

const NO_KEY = new Uint8Array(0);
