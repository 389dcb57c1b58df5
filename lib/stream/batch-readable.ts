/**
 * The shared part of every Node Readable over a cursor: pulls batches when the consumer wants more,
 * lets the event loop breathe, and closes the cursor however the stream ends.
 */
import { Readable, type ReadableOptions } from 'node:stream';
import type { LeafBatch } from '../tree/leaf-batch.js';
import { type CursorSource, LazyCursor } from './cursor-source.js';
import { destroyOnAbort } from './stopped-by-signal.js';
import { Stretch } from './stretch.js';

export abstract class BatchReadable extends Readable {
  /** Opened with the first read, so that a stream that nobody reads pins nothing. */
  private readonly cursor: LazyCursor;
  /** Whether more is wanted: asked for by the stream since the last push, or told by that push. */
  private asked = false;
  private pulling = false;
  private readonly stretch = new Stretch();

  constructor(source: CursorSource, options: ReadableOptions) {
    super(options);
    this.cursor = new LazyCursor(source);
    destroyOnAbort(this, source.signal, 'the range');
  }

  /**
   * Takes a batch, or null at the end, and pushes what comes of it; returns whether more is wanted
   * now. At the end it pushes the rest, but not null: that is done here.
   */
  protected abstract takeBatch(batch: LeafBatch | null): boolean;

  override _read(): void {
    this.asked = true;
    // After each push the stream may ask again while the pull that pushed goes on: two of them would share
    // the cursor's one batch, and each would fill the buffer to its mark.
    if (this.pulling) return;
    this.pulling = true;
    this.pull().catch((error: unknown) =>
      this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
  }

  private async pull(): Promise<void> {
    while (this.asked && !this.destroyed) {
      if (this.stretch.isOver) await this.stretch.pause();
      const next = this.cursor.nextBatch(this);
      const batch = next instanceof Promise ? await next : next;
      if (this.destroyed) return;
      this.asked = false;
      if (this.takeBatch(batch)) this.asked = true;
      if (batch !== null) continue;
      // Whoever asks now is not answered: this was all.
      this.push(null);
      return;
    }
    this.pulling = false;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.cursor.close();
    callback(error);
  }
}
