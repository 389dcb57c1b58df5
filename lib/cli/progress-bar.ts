// A line on a terminal's standard error that tells how far long work is. Nothing is shown where standard error
// goes elsewhere, nor of work that is done within a second.

import type { SingleBar } from 'cli-progress';
import { grouped } from './output.js';

const SHOWN_AFTER_MILLISECONDS = 1000;
const BAR_CHARACTERS = 24;
const COLUMNS_DEFAULT = 80;
/** Room at the line's end for the ^C that terminals print: past the edge it would move the line. */
const COLUMNS_SPARE = 3;

/** How far work is. */
export interface WorkProgress {
  /** What is being done, if it is another thing than the bar's title says. */
  readonly title?: string;
  /** From 0 to 1; undefined where the end is not known. */
  readonly share: number | undefined;
  readonly rows: number;
  readonly elapsedMilliseconds: number;
  /** Where it is not that of all the rows. */
  readonly rowsPerSecond?: number;
  readonly remainingMilliseconds: number | undefined;
}

/** Where a bar can be shown, if it is a terminal. */
export type Terminal = NodeJS.WritableStream & { isTTY?: boolean; columns?: number };

export class ProgressBar {
  private bar: SingleBar | undefined;
  private stopped = false;

  /** @param title What is being done, in a word. */
  constructor(
    private readonly title: string,
    private readonly terminal: Terminal = process.stderr,
  ) {}

  /** Whether it is worth telling progress at all. */
  get isWanted(): boolean {
    return this.terminal.isTTY === true;
  }

  update(progress: WorkProgress): void {
    if (!this.isWanted || this.stopped) return;
    if (this.bar) this.bar.update(progress.share ?? 0, { progress });
    else if (progress.elapsedMilliseconds >= SHOWN_AFTER_MILLISECONDS) void this.start(progress);
  }

  /** Takes the line away. */
  stop(): void {
    this.stopped = true;
    this.bar?.stop();
    this.bar = undefined;
  }

  private async start(progress: WorkProgress): Promise<void> {
    // Loaded only when it is needed: most runs are over before.
    const { default: cliProgress } = await import('cli-progress');
    if (this.bar || this.stopped) return;
    this.bar = new cliProgress.SingleBar({
      format: (_options, _params, payload: { progress: WorkProgress }) => this.line(payload.progress),
      stream: this.terminal,
      clearOnComplete: true,
      // The line is cut to the terminal's width here, and the cursor stays: so nothing has to be put right
      // again if the process is killed.
      linewrap: true,
    });
    this.bar.start(1, progress.share ?? 0, { progress });
  }

  private line({
    title = this.title,
    share,
    rows,
    elapsedMilliseconds,
    rowsPerSecond = (rows / elapsedMilliseconds) * 1000,
    remainingMilliseconds,
  }: WorkProgress): string {
    const time =
      remainingMilliseconds === undefined
        ? clock(elapsedMilliseconds)
        : `${clock(remainingMilliseconds)} left`;
    // In the order in which they matter: on a narrow terminal the last ones are left out.
    const parts = [
      `${title} ${share === undefined ? '' : bar(share)}${grouped(rows)} rows`,
      time,
      `${grouped(rowsPerSecond)} rows/s`,
    ];
    const columns = (this.terminal.columns || COLUMNS_DEFAULT) - COLUMNS_SPARE;
    while (parts.length > 1 && parts.join(', ').length > columns) parts.pop();
    return parts.join(', ').slice(0, columns);
  }
}

function bar(share: number): string {
  const done = Math.round(Math.min(1, share) * BAR_CHARACTERS);
  const percent = String(Math.floor(Math.min(1, share) * 100)).padStart(3);
  return `[${'='.repeat(done)}${' '.repeat(BAR_CHARACTERS - done)}] ${percent}%  `;
}

/** Hours, if any, minutes and seconds. */
function clock(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0'));
  return seconds < 3600 ? parts.join(':') : `${Math.floor(seconds / 3600)}:${parts.join(':')}`;
}
