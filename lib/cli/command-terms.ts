// Errors of the library in the words of the command line: what they call an option is typed in another way here.

import { type ErrorCode, StoreError } from '../index.js';
import { EXIT_FAILED } from './exit-status.js';
import { CommandFailure, statusOf } from './failure.js';

/** What to do about errors whose message speaks of the library's options. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  KEY_OUT_OF_ORDER: 'here: leave out --sorted',
  DUPLICATE_KEY: 'here: --on-duplicate replace or keep',
};

/** Options that messages name in code: \`columns\`, \`header: false\`. */
const TYPED_AS: Readonly<Record<string, string>> = {
  columns: '--columns',
  'header: false': '--no-header',
  'restart: true': '--restart',
};

/** The error with what to type; others as they are. */
export function inCommandTerms(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  const advice = adviceOn(error);
  if (advice === undefined) return error;
  // A column that no row has is found only after the last one: no usage that could have been told as wrong before.
  const status = Array.isArray(error.details.absent) ? EXIT_FAILED : statusOf(error);
  return new CommandFailure(`${error.message} (${advice})`, status, { cause: error });
}

function adviceOn({ code, details, message }: StoreError): string | undefined {
  if (typeof details.delimiter === 'string') return `here: ${delimiterWords(details.delimiter)}`;
  if (details.restart === true) return 'here: --restart';
  if (details.option === 'rejects') return 'here: --rejects';
  const named = [...message.matchAll(/`([^`]+)`/g)].flatMap(([, name]) => TYPED_AS[name] ?? []);
  if (named.length > 0) return `here: ${[...new Set(named)].join(' and ')}`;
  return details.option === 'columns' ? 'here: --columns' : ADVICE[code];
}

function delimiterWords(delimiter: string): string {
  return `--delimiter ${delimiter === '\t' ? 'tab' : `'${delimiter}'`}`;
}
