// Rejects kept in a file of NDJSON. One with rejects of an earlier run of the same import is gone on with from where that
// stopped, or made anew; anything else is left alone (reject-file-owner.ts).

import type { FileHandle } from 'node:fs/promises';
import { crc32c } from '../format/checksum.js';
import { fileError } from '../storage/store-file.js';
import type { EarlierRejects } from './earlier-rejects.js';
import type { RejectFilePosition } from './import-position.js';
import { type Reject, rejectToNdjson } from './reject.js';
import { openOwnRejects } from './reject-file-owner.js';
import { RejectStream } from './reject-stream.js';

export class RejectFile {
  private constructor(
    private readonly handle: FileHandle,
    private readonly stream: RejectStream,
    private readonly path: string,
    /** Of a file; pipes and terminals have none. */
    private at: RejectFilePosition | undefined,
  ) {}

  /**
   * @param earlier What the last run of this import left in the file.
   * @throws CONFLICT where the file holds the rejects of another import, or one writes to it; INVALID_OPTION where the
   * path cannot be written to, holds something that is not rejects, or less than is to be gone on with.
   */
  static async open(
    path: string,
    earlier: EarlierRejects | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RejectFile> {
    const { handle, position } = await openOwnRejects(path, earlier, signal);
    // On the disk when it is closed, as the rows are when they are committed. Pipes and terminals cannot do that.
    const options = position === undefined ? {} : { flush: true, start: position.bytes };
    return new RejectFile(
      handle,
      new RejectStream(handle.createWriteStream(options), path, true),
      path,
      position,
    );
  }

  /** How far the file is, which a later run must know to tell that it is this import's. */
  get position(): RejectFilePosition | undefined {
    return this.at;
  }

  /** Takes away what is to come again, once it is saved that the file is this import's: whoever is killed between leaves it. */
  async begin(): Promise<void> {
    if (this.at !== undefined) await this.handle.truncate(this.at.bytes);
  }

  write(reject: Reject): void | Promise<void> {
    const line = Buffer.from(rejectToNdjson(reject));
    if (this.at !== undefined) {
      const { bytes, checksum, mark } = this.at;
      this.at = { bytes: bytes + line.length, checksum: crc32c(line, checksum), mark };
    }
    return this.stream.writeChunk(line);
  }

  async flush(): Promise<void> {
    await this.stream.allWritten();
    if (this.at === undefined) return;
    try {
      await this.handle.datasync();
    } catch (cause) {
      throw fileError('sync', this.path, cause);
    }
  }

  close(): Promise<void> {
    return this.stream.close();
  }
}
