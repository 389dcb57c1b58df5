// Finds where quoted text of CSV ends, and notes what a scanner must know of it.

import {
  endOfPlain,
  IS_CARRIAGE_RETURN,
  IS_LINE_FEED,
  IS_QUOTE,
  NO_DELIMITER,
  QUOTE,
  QUOTED_KINDS,
} from './csv-bytes.js';
import { LINE_FEED } from './line-end.js';

/** The block ends before what is looked for. */
export const INCOMPLETE = -1;
/** The quoted text has more lines than it may have. */
export const TOO_MANY_LINES = -3;

export class QuotedText {
  /** Line ends inside the quotes of the record so far. */
  breaks = 0;
  /** Of the text looked at last: 1 if its content or its JSON is not its bytes. */
  altered = 0;
  /** Of text that was not closed: where it was given up, and the line on which it opens; a line of 0: there is none. */
  openEnd = 0;
  openLine = 0;

  constructor(private readonly linesMax: number) {}

  /**
   * Where the text that begins at `from` is closed, or INCOMPLETE, or TOO_MANY_LINES. At `end` there must be a line
   * feed; `line` is that on which the record begins.
   */
  close(bytes: Uint8Array, view: DataView, from: number, end: number, line: number): number {
    let at = from;
    const breaksBefore = this.breaks;
    this.altered = 0;
    this.openLine = 0;
    for (;;) {
      at = endOfPlain(view, at, NO_DELIMITER);
      const kind = QUOTED_KINDS[bytes[at]];
      if (kind === IS_QUOTE) {
        if (bytes[at + 1] !== QUOTE) return at;
        at++;
      } else if (kind === IS_LINE_FEED || (kind === IS_CARRIAGE_RETURN && bytes[at + 1] !== LINE_FEED)) {
        const ended = at === end;
        if (ended || ++this.breaks === breaksBefore + this.linesMax) {
          this.openEnd = at;
          this.openLine = line + breaksBefore;
          return ended ? INCOMPLETE : TOO_MANY_LINES;
        }
      }
      this.altered = 1;
      at++;
    }
  }
}
