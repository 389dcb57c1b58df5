// An import under way, as its caller holds it.

import { defer, type Observable, ReplaySubject } from 'rxjs';
import type { ImportProgress, ImportReport } from './import-report.js';

/** An import that has begun: a promise of its report that tells how far it is. */
export interface ImportJob extends Promise<ImportReport> {
  /**
   * Progress about ten times a second, the latest at once to each who subscribes. It completes with the import,
   * also with one that fails: how it went, the job itself says.
   */
  readonly progress$: Observable<ImportProgress>;
}

/** Takes each report of progress. */
export type Tell = (progress: ImportProgress) => void;

/** Begins work that tells its progress. */
export function startJob(work: (tell: Tell) => Promise<ImportReport>): ImportJob {
  const progress = new ReplaySubject<ImportProgress>(1);
  const run = async (): Promise<ImportReport> => {
    try {
      return await work((latest) => progress.next(latest));
    } finally {
      progress.complete();
    }
  };
  const outcome = run();
  const progress$ = defer(() => {
    // Who watches has the job in view: a failure that only they learn of must not end the process. One that
    // nobody watches does, as every unhandled rejection.
    outcome.catch(() => undefined);
    return progress;
  });
  return Object.assign(outcome, { progress$ });
}
