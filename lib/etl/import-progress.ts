// Tells how far an import is, about ten times a second: between batches of rows, so that no timer outlives it.

import type { BulkProgress } from '../stream/bulk-report.js';
import type { Tell } from './import-job.js';
import type { OpenSource } from './source.js';

const PROGRESS_MILLISECONDS = 100;
/** How much the latest stretch counts: enough to follow a change of pace in a second, too little to flicker. */
const LATEST_WEIGHT = 0.2;

export class ImportMeter {
  private readonly started = performance.now();
  private toldAt = 0;
  private phaseTold: BulkProgress['phase'] | undefined;
  private bytesTold = 0;
  /** Bytes read a millisecond, lately: the first second, when everything is cold, says little of the rest. */
  private pace = 0;

  constructor(
    private readonly source: OpenSource,
    private readonly emit: Tell,
    /** Rows that an earlier run had committed. */
    private readonly rowsBefore = 0,
  ) {}

  get elapsedMilliseconds(): number {
    return performance.now() - this.started;
  }

  /** Tells, unless it told a moment ago and this is not the last time; `load` is how far the rows' load is. */
  tell(rows: number, rejected: number, load: BulkProgress, last = false): void {
    const elapsedMilliseconds = this.elapsedMilliseconds;
    const stretch = elapsedMilliseconds - this.toldAt;
    // A phase, however short, is told.
    if (!last && load.phase === this.phaseTold && stretch < PROGRESS_MILLISECONDS) return;
    this.phaseTold = load.phase;
    const { bytesRead, bytesTotal } = this.source;
    const latest = (bytesRead - this.bytesTold) / Math.max(stretch, 1);
    this.pace = this.toldAt === 0 ? latest : this.pace + (latest - this.pace) * LATEST_WEIGHT;
    this.toldAt = elapsedMilliseconds;
    this.bytesTold = bytesRead;
    const { phase, entriesCommitted } = load;
    const isMerging = phase === 'merging' && !last;
    this.emit({
      phase,
      rows,
      rowsCommitted: this.rowsBefore + entriesCommitted,
      rejected,
      bytesRead,
      bytesTotal,
      elapsedMilliseconds,
      rowsPerSecond: elapsedMilliseconds > 0 ? ((rows - this.rowsBefore) / elapsedMilliseconds) * 1000 : 0,
      remainingMilliseconds: isMerging ? undefined : this.remaining(bytesRead, bytesTotal),
    });
  }

  private remaining(bytesRead: number, bytesTotal: number | undefined): number | undefined {
    if (bytesTotal === undefined || this.pace === 0) return undefined;
    // A file that grows while it is read may have given more than its size told.
    return Math.max(0, bytesTotal - bytesRead) / this.pace;
  }
}
