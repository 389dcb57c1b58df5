// What a schema of `--schema` finds wrong with a row, as the rejects of an import tell it.

import { StoreError, type ValueIssue } from '../index.js';

/** A place, as names and indexes that lead there, and what is wrong. */
export interface FoundIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The error for a row that has these issues: INVALID_VALUE, as a typed bucket raises it. */
export function invalidRow(found: readonly FoundIssue[]): StoreError {
  const issues = found.map(({ path, message }): ValueIssue => ({ path: pathText(path), message }));
  const problems = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  const message = `the value does not satisfy its schema: ${problems.join('; ')}`;
  return new StoreError('INVALID_VALUE', message, { details: { issues } });
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}
