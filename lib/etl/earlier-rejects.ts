// What the last run of an import left where its rejects went: a run that goes on needs it as it was, and one that begins
// anew may replace its own rejects, but nobody else's.

import type { ImportPosition, RejectFilePosition } from './import-position.js';

export interface EarlierRejects {
  /** The file when its position was saved, where there was one. */
  readonly file: RejectFilePosition | undefined;
  /** How many there were when its position was saved. */
  readonly rejected: number;
  /** Whether that run came to the end: one that did not may have written more. */
  readonly complete: boolean;
  /** Whether this run goes on where it stopped, and does not begin anew. */
  readonly goesOn: boolean;
}

/** What `last` tells of the rejects, if they went where they are to go now: to what `options`, as JSON, names. */
export function earlierRejects(
  last: ImportPosition | undefined,
  options: string,
  goesOn: boolean,
): EarlierRejects | undefined {
  if (last === undefined || placeIn(last.options) !== placeIn(options)) return undefined;
  return { file: last.rejectFile, rejected: last.rejected, complete: last.complete, goesOn };
}

function placeIn(options: string): string | undefined {
  const { rejects } = JSON.parse(options) as { rejects?: unknown };
  return JSON.stringify(rejects);
}
