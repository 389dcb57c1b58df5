/**
 * Keeps long synchronous work from holding up the event loop: promises that are resolved already run
 * before timers and I/O, so a loop over them alone would let nothing else through.
 */
const STRETCH_MILLISECONDS = 4;

export class Stretch {
  private started = performance.now();

  /** Whether the work has gone on long enough at a stretch. */
  get isOver(): boolean {
    return performance.now() - this.started > STRETCH_MILLISECONDS;
  }

  /** Resolves after the event loop has had its turn. */
  pause(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.started = performance.now();
        resolve();
      });
    });
  }
}
