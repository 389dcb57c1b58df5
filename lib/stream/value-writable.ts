/** A value written as a byte stream, in constant memory. */
import { Writable } from 'node:stream';
import { Stretch } from './stretch.js';

/** What takes the bytes: nothing of them is visible before `finish` resolves. */
export interface ValueUpload {
  append(bytes: Uint8Array): void;
  finish(): Promise<void>;
  /** Gives up what was taken. Safe at any time, also twice and after `finish`. */
  abort(): void;
}

type Done = (error?: Error | null) => void;

export class ValueWritable extends Writable {
  private readonly upload: ValueUpload;
  private readonly stretch = new Stretch();

  constructor(upload: ValueUpload) {
    super({ highWaterMark: 256 * 1024 });
    this.upload = upload;
  }

  override _write(chunk: Buffer, _encoding: string, callback: Done): void {
    try {
      this.upload.append(chunk);
      if (this.stretch.isOver) this.stretch.pause().then(() => callback(), callback);
      else callback();
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
    }
  }

  override _final(callback: Done): void {
    this.upload.finish().then(() => callback(), callback);
  }

  override _destroy(error: Error | null, callback: Done): void {
    this.upload.abort();
    callback(error);
  }
}
