/** Tells how far a bulk load is, about ten times a second. */
import { type Observable, ReplaySubject } from 'rxjs';
import type { BulkReport } from './bulk-report.js';

const PROGRESS_MILLISECONDS = 100;

export class BulkMeter {
  /** Who subscribes late has the latest at once. */
  private readonly progress = new ReplaySubject<BulkReport>(1);
  private readonly started = performance.now();
  private readonly look: () => BulkReport;
  private toldAt = 0;
  private phaseTold: BulkReport['phase'] | undefined;

  /** `look` says how far the load is. */
  constructor(look: () => BulkReport) {
    this.look = look;
  }

  get progress$(): Observable<BulkReport> {
    return this.progress.asObservable();
  }

  get elapsedMilliseconds(): number {
    return performance.now() - this.started;
  }

  /** Tells, unless it told a moment ago and this is not the last time. */
  tell(last = false): void {
    const now = performance.now();
    const report = this.look();
    // A phase, however short, is told.
    if (!last && report.phase === this.phaseTold && now - this.toldAt < PROGRESS_MILLISECONDS) return;
    this.toldAt = now;
    this.phaseTold = report.phase;
    this.progress.next(report);
  }

  /** Tells all through work that nothing else comes out of: a sort and a merge before a commit. */
  async during(work: () => Promise<void>): Promise<void> {
    const timer = setInterval(() => this.tell(), PROGRESS_MILLISECONDS);
    try {
      await work();
    } finally {
      clearInterval(timer);
    }
  }

  complete(): void {
    this.progress.complete();
  }
}
