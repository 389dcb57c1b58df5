/**
 * Sorts entries in bounded memory. What fits is sorted there; what does not goes to temporary files as sorted
 * runs, and those are merged, in several passes where they are too many for one.
 */
import type { StoreFile } from '../storage/store-file.js';
import { EntryBlock } from '../tree/entry-block.js';
import type { OnDuplicate } from './duplicate.js';
import { EntryBuffer } from './entry-buffer.js';
import { BLOCK_BYTES, type BlockLimits, type EntrySource } from './entry-source.js';
import type { Run } from './run-format.js';
import { RunMerge } from './run-merge.js';
import { RunOutput } from './run-output.js';
import type { SortShape } from './sort-shape.js';
import { SortedRecords } from './sorted-records.js';

/** Where runs are kept: the temporary files of a store, or a double of them. */
export interface RunFiles {
  create(): StoreFile;
  remove(file: StoreFile): Promise<void>;
}

export interface SortSettings {
  readonly shape: SortShape;
  readonly onDuplicate: OnDuplicate;
  readonly files: RunFiles;
  /** Called after every short stretch of work: lets others have their turn, and raises what ends the sort. */
  readonly pause: () => Promise<void>;
}

export class ExternalSort {
  /** Entries that were dropped because of another with the same key, since the beginning. */
  duplicates = 0;
  private readonly settings: SortSettings;
  private readonly buffer: EntryBuffer;
  private runs: Run[] = [];
  /** The file that runs are written to now, and how long it is. */
  private file: StoreFile | undefined;
  private filePieces = 0;
  private readonly files = new Set<StoreFile>();
  private block: EntryBlock | undefined;

  constructor(settings: SortSettings) {
    this.settings = settings;
    this.buffer = new EntryBuffer(settings.shape.memoryBytes, 2 * settings.shape.writeBytes);
  }

  get isEmpty(): boolean {
    return this.buffer.isEmpty && this.runs.length === 0;
  }

  /** Takes the entries of a block, which come after all taken before. Raises DUPLICATE_KEY, DISK_FULL, IO_ERROR. */
  async add(block: EntryBlock): Promise<void> {
    const { buffer } = this;
    for (let next = 0; ; ) {
      next = buffer.take(block, next);
      if (next === block.count) break;
      if (buffer.isEmpty) await this.spillAlone(block, next++);
      else await this.spill();
    }
    await this.settings.pause();
  }

  /**
   * Hands all that was taken to `take`, in order, and is empty then. Raises what `add` does, and RUN_CORRUPT;
   * then it is to be discarded.
   */
  async drain(take: (block: EntryBlock) => Promise<void>, limits: () => BlockLimits): Promise<void> {
    const { buffer, settings } = this;
    if (this.runs.length === 0) {
      const order = await buffer.sort(settings.pause);
      await this.handOut(new SortedRecords(buffer.memory, order, settings.onDuplicate), take, limits);
    } else {
      if (!buffer.isEmpty) await this.spill();
      await this.reduceRuns();
      const merge = this.mergeOf(this.runs);
      try {
        await merge.open();
        await this.handOut(merge, take, limits);
      } finally {
        await merge.close();
      }
    }
    await this.discard();
  }

  private async handOut(
    source: EntrySource,
    take: (block: EntryBlock) => Promise<void>,
    limits: () => BlockLimits,
  ): Promise<void> {
    // Kept for the next time: a load may commit often.
    this.block ??= new EntryBlock(BLOCK_BYTES);
    const { block } = this;
    const before = this.duplicates;
    for (;;) {
      await source.fill(block, limits());
      this.duplicates = before + source.duplicates;
      if (block.isEmpty) return;
      await this.settings.pause();
      await take(block);
      block.clear();
    }
  }

  /** Writes what is in memory to a run. */
  private async spill(): Promise<void> {
    const { buffer, settings } = this;
    buffer.expand();
    const order = await buffer.sort(settings.pause);
    const records = new SortedRecords(buffer.memory, order, settings.onDuplicate);
    this.runs.push(await this.writeRun((output) => records.writeTo(output, settings.pause)));
    this.duplicates += records.duplicates;
    buffer.clear();
  }

  /** Writes an entry that is too long for the memory to a run of its own. */
  private async spillAlone(block: EntryBlock, index: number): Promise<void> {
    this.buffer.expand();
    const run = await this.writeRun((output) => output.putLong(block.keyView(index), block.valueView(index)));
    this.runs.push(run);
  }

  private async writeRun(write: (output: RunOutput) => Promise<void>): Promise<Run> {
    this.file ??= this.createFile();
    const output = new RunOutput(this.file, this.filePieces, this.buffer.memory, this.settings.shape);
    try {
      await write(output);
      const run = await output.finish();
      this.filePieces += run.pieces;
      return run;
    } finally {
      await output.abandon();
    }
  }

  private createFile(): StoreFile {
    const file = this.settings.files.create();
    this.files.add(file);
    this.filePieces = 0;
    return file;
  }

  /** Merges runs, neighbours with neighbours, until one pass can merge what is left. */
  private async reduceRuns(): Promise<void> {
    const { fanIn } = this.settings.shape;
    while (this.runs.length > fanIn) {
      // Runs are read of one file and written to another, so that the first can go.
      this.file = undefined;
      const merged: Run[] = [];
      const { runs } = this;
      for (let next = 0; next < runs.length; ) {
        const tooMany = merged.length + runs.length - next - fanIn;
        const end = tooMany > 0 ? next + Math.min(tooMany + 1, fanIn, runs.length - next) : next + 1;
        merged.push(end - next > 1 ? await this.mergeToRun(runs.slice(next, end)) : runs[next]);
        next = end;
      }
      this.runs = merged;
      await this.removeUnused();
    }
  }

  private async mergeToRun(runs: readonly Run[]): Promise<Run> {
    const merge = this.mergeOf(runs);
    try {
      await merge.open();
      return await this.writeRun((output) => merge.writeTo(output, this.settings.pause));
    } finally {
      await merge.close();
      this.duplicates += merge.duplicates;
    }
  }

  private mergeOf(runs: readonly Run[]): RunMerge {
    const { shape, onDuplicate } = this.settings;
    return new RunMerge(runs, this.buffer.memory, shape, onDuplicate);
  }

  private async removeUnused(): Promise<void> {
    for (const file of [...this.files]) {
      if (this.runs.some((run) => run.file === file)) continue;
      this.files.delete(file);
      await this.settings.files.remove(file);
    }
  }

  /** Drops what was taken, and removes its files. Nothing may be under way. */
  async discard(): Promise<void> {
    this.buffer.clear();
    this.runs = [];
    this.file = undefined;
    await this.removeUnused();
  }
}
