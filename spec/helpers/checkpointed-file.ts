// Stores on files in memory whose checkpoints fail, or stop half-way.

import { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import { recover } from '../../lib/recover.js';
import { MemoryFile } from '../../lib/storage/memory-file.js';
import { openOn } from '../../lib/storage/store-open.js';
import { numbered, patterned } from './bytes.js';
import { storeOptions } from './store-bytes.js';

/** A file whose asynchronous writes, which are those of checkpoints, are counted, and fail or never end. */
export class CheckpointedFile extends MemoryFile {
  writes = 0;
  failures = 0;
  fails: (write: number) => boolean = () => false;
  hangs = false;
  private goOn: () => void = () => undefined;

  override async write(source: Buffer, offset: number, length: number, position: number): Promise<void> {
    if (this.fails(this.writes++)) {
      this.failures++;
      throw new StoreError('DISK_FULL', 'no space to write');
    }
    if (this.hangs)
      await new Promise<void>((resolve) => {
        this.goOn = resolve;
      });
    await super.write(source, offset, length, position);
  }

  release(): void {
    this.hangs = false;
    this.goOn();
  }
}

/** Opens a store with a log that some dozens of small commits fill half; a close leaves the log where it is. */
export async function openWithLog(file: MemoryFile, log: MemoryFile): Promise<StoreDatabase> {
  const release = async (): Promise<void> => undefined;
  const opened = await openOn({ file, log, release }, storeOptions({ logHalfBytes: 32 * 1024 }));
  await recover(opened);
  return new StoreDatabase(opened.store, opened.recovery);
}

/** A store with a log, and single puts of numbered keys into its bucket 'b'. */
export class NumberedPuts {
  readonly file = new CheckpointedFile();
  readonly log = new MemoryFile();
  /** Entries of the bucket. */
  entries = 0;
  private opened: StoreDatabase | undefined;

  static async open(): Promise<NumberedPuts> {
    const puts = new NumberedPuts();
    puts.opened = await openWithLog(puts.file, puts.log);
    return puts;
  }

  get db(): StoreDatabase {
    if (this.opened === undefined) throw new Error('the store was not opened');
    return this.opened;
  }

  async put(): Promise<void> {
    await this.db.bucket('b').put(numbered(this.entries), patterned(300, this.entries));
    this.entries++;
  }
}
