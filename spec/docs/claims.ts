// What an example claims in its comments, turned into checks that run with it:
//
//      users.has('ada'); // true                    the statement's value, where the comment is a plain literal
//      const { rows } = await job; // => { rows: 3 } what was declared; after => stands any expression
//      // prints ada: 1815                          the lines that console.log prints, in order, if any are told

import { format } from 'node:util';
import { expect } from 'chai';

/** An example with checks in place of its claims. */
export interface ClaimedCode {
  /** As many lines as before. Calls `claim`, which must be in scope. */
  readonly code: string;
  /** Lines, counted from 0, whose claim must have been met at least once. */
  readonly lines: readonly number[];
  /** What is to be printed; undefined where nothing is said of it. */
  readonly prints: readonly string[] | undefined;
}

const LITERAL = /^(?:'[^']*'|-?\d[\d_]*|true|false|undefined|null)$/;
const DECLARED = /^(?:const|let) (\w+|\{[\w, ]+\}|\[[\w, ]+\]) = .*;$/;
const NO_EXPRESSION =
  /^(?:const|let|var|if|else|for|while|do|return|import|export|try|throw|using)\b|^[})\].?:/]/;

/** Raises for a claim that stands beside something other than a statement of one line. */
export function withClaims(code: string): ClaimedCode {
  const claimed: number[] = [];
  const prints: string[] = [];
  const lines = code.split('\n').map((line, index) => {
    const print = /\/\/ prints (.*)$/.exec(line);
    if (print !== null) {
      prints.push(print[1]);
      return line;
    }
    const check = claimOf(line, index);
    if (check !== undefined) claimed.push(index);
    return check ?? line;
  });
  return { code: lines.join('\n'), lines: claimed, prints: prints.length > 0 ? prints : undefined };
}

function claimOf(line: string, index: number): string | undefined {
  const found = /^(\s*)(\S.*?)\s+\/\/ (=> )?(.+)$/.exec(line);
  if (found === null) return undefined;
  const [, indent, statement, arrow, value] = found;
  const isClaim = arrow !== undefined || LITERAL.test(value);
  if (!isClaim) return undefined;
  const declared = DECLARED.exec(statement)?.[1];
  if (declared !== undefined) return `${indent}${statement} claim(${index}, ${declared}, (${value}));`;
  if (statement.endsWith(';') && !NO_EXPRESSION.test(statement))
    return `${indent}claim(${index}, ${statement.slice(0, -1)}, (${value}));`;
  if (arrow === undefined) return undefined;
  throw new Error(`what is claimed of ${JSON.stringify(statement)} cannot be checked: put it in one line`);
}

/** Notes which claims were met, and what was printed, while an example runs. */
export class ClaimRecorder {
  readonly met = new Set<number>();
  readonly printed: string[] = [];
  /** For the example to call: raises where the value is another than was claimed. */
  readonly claim = (line: number, actual: unknown, claimed: unknown): void => {
    expect(actual).to.deep.equal(claimed);
    this.met.add(line);
  };

  /** Runs `work` while what console.log prints is taken down, and what goes to console.error is dropped. */
  async during(work: () => Promise<unknown>): Promise<void> {
    const { log, error } = console;
    console.log = (...words) => {
      this.printed.push(...format(...words).split('\n'));
    };
    console.error = () => undefined;
    try {
      await work();
    } finally {
      Object.assign(console, { log, error });
    }
  }
}
