// What `btree-store import` tells at its end, and the exit status that goes with it.

import { type ImportReport, StoreError } from '../index.js';
import { inCommandTerms } from './command-terms.js';
import { EXIT_REJECTED } from './exit-status.js';
import { CommandFailure, tell } from './failure.js';
import type { Interrupt } from './interrupt.js';
import { counted, grouped } from './output.js';

const REJECTS_SHOWN = 5;

/** What of the options bears on what is told. */
export interface ReportFlags {
  readonly rejects?: string;
  readonly rejectsBucket?: string;
  readonly maxRejects?: number;
}

/** An error of the import, in the words of the command line. */
export function importFailed(error: unknown, interrupt: Interrupt): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.code === 'ABORTED' && interrupt.signal.aborted) {
    const rows = Number(error.details.rows);
    const stays = rows === 0 ? 'nothing was imported' : `${counted(rows, 'row')} committed, which stay`;
    return new CommandFailure(`stopped; ${stays}`, interrupt.exitStatus, { cause: error });
  }
  return inCommandTerms(error);
}

/** An import that left rows out without having been told that it may. */
function incomplete(rejected: number): CommandFailure {
  const advice = `mend and import them again, or allow for them with --max-rejects ${rejected}`;
  return new CommandFailure(`exit status ${EXIT_REJECTED}, as rows were rejected: ${advice}`, EXIT_REJECTED);
}

/** Tells what the import did. Raises the failure that gives the exit status, where rows may not be missing. */
export function tellReport(report: ImportReport, bucket: string, flags: ReportFlags): void {
  const { rows, rejected, duplicates, elapsedMilliseconds, earlier } = report;
  const isDone = earlier?.complete === true;
  if (isDone)
    tell(
      `all of it was imported into ${bucket} before (${counted(rows, 'row')}): nothing is left to do; --restart imports it again`,
    );
  else if (earlier !== undefined)
    tell(`went on at line ${grouped(earlier.line)}, after ${counted(earlier.rows, 'row')} of an earlier run`);
  const seconds = elapsedMilliseconds / 1000;
  const taken = rows - (earlier?.rows ?? 0);
  const now = earlier === undefined ? '' : `, ${grouped(taken)} of them in this run,`;
  const parts = [
    `imported ${counted(rows, 'row')} into ${bucket}${now} in ${seconds.toFixed(1)} s (${grouped(taken / seconds)} rows/s)`,
  ];
  if (duplicates > 0) parts.push(`${grouped(duplicates)} of them with a key that was there already`);
  if (rejected > 0) parts.push(`${grouped(rejected)} rejected`);
  if (!isDone) tell(parts.join(', '));
  if (flags.rejects === undefined && flags.rejectsBucket === undefined) tellRejects(report);
  if (rejected > 0 && flags.maxRejects === undefined) throw incomplete(rejected);
}

function tellRejects({ rejects, rejected }: ImportReport): void {
  for (const { line, message } of rejects.slice(0, REJECTS_SHOWN)) tell(`line ${line}: ${message}`);
  if (rejected > REJECTS_SHOWN)
    tell(`and ${grouped(rejected - REJECTS_SHOWN)} more; --rejects FILE keeps them all`);
}
