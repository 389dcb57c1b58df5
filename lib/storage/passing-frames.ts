/**
 * The frames that scans fill, in the order in which they did: what a scan has read it is done with soon, so its oldest
 * frame serves for the page that it reads next. A part of the page cache, which knows what a frame holds now.
 *
 * They are the same ones for as long as can be: they were taken one behind the other, and one read fills the faster
 * the fewer pieces its frames lie in.
 */
export class PassingFrames {
  private readonly frames: Uint32Array;
  private readonly pages: Uint32Array;
  private readonly framesMin: number;
  /** For each frame of the cache, 1 if it is one of these: in line, or being filled. */
  private readonly isMember: Uint8Array;
  private members = 0;
  private first = 0;
  private count = 0;

  /**
   * @param frameCount Frames of the cache.
   * @param framesMin As many stay: what a scan or two have read ahead, and have not worked on yet.
   * @param framesBeyond As many more are there at the most.
   */
  constructor(frameCount: number, framesMin: number, framesBeyond: number) {
    this.framesMin = framesMin;
    this.frames = new Uint32Array(framesMin + framesBeyond);
    this.pages = new Uint32Array(framesMin + framesBeyond);
    this.isMember = new Uint8Array(frameCount);
  }

  /** A frame that a scan has read `page` into. Where there are enough, one that is none of them does not become one. */
  add(frame: number, page: number): void {
    if (this.isMember[frame] === 0) {
      if (this.members === this.frames.length) return;
      this.isMember[frame] = 1;
      this.members++;
    }
    if (this.count === this.frames.length) this.forget(this.dropFirst());
    const at = (this.first + this.count++) % this.frames.length;
    this.frames[at] = frame;
    this.pages[at] = page;
  }

  /** The oldest frame; undefined where there are few, or where it has gone other ways by now. */
  take(framePage: Uint32Array): number | undefined {
    if (this.count <= this.framesMin) return undefined;
    const page = this.pages[this.first];
    const frame = this.dropFirst();
    // It may stand in line once more, for the page that it holds now.
    return this.isMember[frame] === 1 && framePage[frame] === page ? frame : undefined;
  }

  /** The frame goes other ways: with its page, or while it is being filled. Its place in line is passed over. */
  forget(frame: number): void {
    this.members -= this.isMember[frame];
    this.isMember[frame] = 0;
  }

  private dropFirst(): number {
    const frame = this.frames[this.first];
    this.first = (this.first + 1) % this.frames.length;
    this.count--;
    return frame;
  }
}
