/** What a check of the whole file found. */
import { StoreError } from '../errors.js';

/** Something that a check found to be wrong. */
export interface CheckProblem {
  /** The page it was found in, where there is one. */
  readonly page?: number;
  /** In words, for people. */
  readonly what: string;
}

/** What a check found of one bucket's tree. Figures are of the part that could be read. */
export interface BucketReport {
  readonly name: string;
  readonly entries: number;
  /** Pages from the root down to a leaf, both counted; 0 for a bucket without entries. */
  readonly depth: number;
  readonly branchPages: number;
  readonly leafPages: number;
  /** Pages of values that are too long for a leaf. */
  readonly valuePages: number;
  /** How full its leaves are on average, from 0 to 1; 0 where there is none. */
  readonly averageLeafFill: number;
  /** As `averageLeafFill`, of the branches. */
  readonly averageBranchFill: number;
}

/** What a check of the whole file found. */
export interface CheckReport {
  /** Whether nothing was found. */
  readonly ok: boolean;
  /** The first problems found, at most 100; `problemCount` counts all. */
  readonly problems: readonly CheckProblem[];
  readonly problemCount: number;
  readonly buckets: number;
  readonly entries: number;
  /** Every bucket, in the order of the UTF-8 bytes of their names. */
  readonly bucketReports: readonly BucketReport[];
  /** Pages of the file by what they are for; they add up to the file's page count if `ok`. */
  readonly pages: {
    readonly total: number;
    /** Meta pages, maps and directories of free space, both copies. */
    readonly fixed: number;
    readonly branch: number;
    readonly leaf: number;
    readonly value: number;
    readonly free: number;
  };
}

const PROBLEMS_KEPT = 100;

/** Collects what a check finds. */
export class CheckCollector {
  readonly pages = { total: 0, fixed: 0, branch: 0, leaf: 0, value: 0, free: 0 };
  readonly bucketReports: BucketReport[] = [];
  private readonly problems: CheckProblem[] = [];
  private count = 0;
  /** One bit a page: reached by a tree, or of a fixed use. */
  private readonly reached: Uint32Array;
  private readonly pageCount: number;

  constructor(pageCount: number) {
    this.pageCount = pageCount;
    this.reached = new Uint32Array(Math.ceil(pageCount / 32));
    this.pages.total = pageCount;
  }

  problem(what: string, page?: number): void {
    this.count++;
    if (this.problems.length < PROBLEMS_KEPT)
      this.problems.push(page === undefined ? { what } : { page, what });
  }

  /** Notes that a page is used; false, and a problem, if it lies outside the file or is used already. */
  reach(page: number, by: string): boolean {
    if (page >= this.pageCount) {
      this.problem(`${by} refers to page ${page}, the file has ${this.pageCount}`, page);
      return false;
    }
    const bit = 1 << (page & 31);
    if ((this.reached[page >>> 5] & bit) !== 0) {
      this.problem(`the page is reached twice, now by ${by}`, page);
      return false;
    }
    this.reached[page >>> 5] |= bit;
    return true;
  }

  /** As `reach` for consecutive pages; one problem if they do not lie inside the file. */
  reachRun(page: number, pages: number, by: string): void {
    if (page + pages > this.pageCount) {
      this.problem(
        `${by} refers to pages ${page} to ${page + pages - 1}, the file has ${this.pageCount}`,
        page,
      );
      return;
    }
    for (let i = 0; i < pages; i++) this.reach(page + i, by);
  }

  /** Notes an error that a part of the check raised, with the page it names; raises any but a StoreError. */
  raised(error: unknown, page?: number): void {
    if (!(error instanceof StoreError)) throw error;
    const named = error.details.page;
    this.problem(error.message, typeof named === 'number' ? named : page);
  }

  isReached(page: number): boolean {
    return (this.reached[page >>> 5] & (1 << (page & 31))) !== 0;
  }

  report(): CheckReport {
    const { pages, bucketReports, problems, count } = this;
    return {
      ok: count === 0,
      problems,
      problemCount: count,
      buckets: bucketReports.length,
      entries: bucketReports.reduce((sum, { entries }) => sum + entries, 0),
      bucketReports,
      pages: { ...pages },
    };
  }
}
