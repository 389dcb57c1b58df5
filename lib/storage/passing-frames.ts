/**
 * The frames that scans filled last, in order: what a scan has read it is done with soon, so its oldest frame serves
 * for the page that it reads next. A part of the page cache, which knows what a frame holds now.
 */
export class PassingFrames {
  private readonly frames: Uint32Array;
  private readonly pages: Uint32Array;
  private readonly framesMin: number;
  private first = 0;
  private count = 0;

  /** @param framesMin As many stay: what a scan or two have read ahead, and have not worked on yet. */
  constructor(framesMin: number, framesBeyond: number) {
    this.framesMin = framesMin;
    this.frames = new Uint32Array(framesMin + framesBeyond);
    this.pages = new Uint32Array(framesMin + framesBeyond);
  }

  /**
   * A frame that a scan has read `page` into. Where there are too many, the oldest is forgotten: it stays until
   * all pages that are not used have their turn.
   */
  add(frame: number, page: number): void {
    if (this.count === this.frames.length) this.dropFirst();
    const at = (this.first + this.count++) % this.frames.length;
    this.frames[at] = frame;
    this.pages[at] = page;
  }

  /** The oldest frame; undefined where there are few, or where it holds another page by now. */
  take(framePage: Uint32Array): number | undefined {
    if (this.count <= this.framesMin) return undefined;
    const frame = this.frames[this.first];
    const page = this.pages[this.first];
    this.dropFirst();
    return framePage[frame] === page ? frame : undefined;
  }

  private dropFirst(): void {
    this.first = (this.first + 1) % this.frames.length;
    this.count--;
  }
}
