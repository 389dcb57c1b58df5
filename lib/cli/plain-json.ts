// What JSON cannot hold of a value: JSON.stringify would write something else in its place, with no word said.

import type { FoundIssue } from './schema-issues.js';

type Path = readonly (string | number)[];

/** What is wrong with a value that is to be stored as a JSON object; undefined where nothing is. */
export function plainObjectProblem(value: unknown): FoundIssue | undefined {
  if (typeof value === 'object' && value !== null && isPlain(value)) return problemOf(value, [], new Set());
  return { path: [], message: `the schema makes ${kindOf(value)} of the row, and must make a plain object` };
}

/** @param above The objects that the value stands in. */
function problemOf(given: unknown, path: Path, above: Set<object>): FoundIssue | undefined {
  const value = jsonOf(given, path);
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value === 'number' && Number.isFinite(value)) return undefined;
  if (typeof value !== 'object' || !(Array.isArray(value) || isPlain(value)))
    return { path, message: `the schema makes ${kindOf(value)} here, which JSON cannot hold` };
  if (above.has(value)) return { path, message: 'the schema makes an object that stands within itself' };
  above.add(value);
  const problem = Array.isArray(value) ? inArray(value, path, above) : inObject(value, path, above);
  above.delete(value);
  return problem;
}

function inArray(array: readonly unknown[], path: Path, above: Set<object>): FoundIssue | undefined {
  // By index: a hole is an element that is undefined, for JSON null.
  for (let index = 0; index < array.length; index++) {
    const problem = problemOf(array[index], [...path, index], above);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function inObject(object: object, path: Path, above: Set<object>): FoundIssue | undefined {
  for (const [name, member] of Object.entries(object)) {
    // As in JSON, a member that is undefined is none.
    const problem = member === undefined ? undefined : problemOf(member, [...path, name], above);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** What JSON.stringify takes for the value: of an invalid date it would write null. */
function jsonOf(value: unknown, path: Path): unknown {
  if (typeof value !== 'object' || value === null || !('toJSON' in value)) return value;
  if (value instanceof Date && Number.isNaN(value.getTime())) return value;
  return typeof value.toJSON === 'function' ? value.toJSON(String(path.at(-1) ?? '')) : value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return 'an invalid Date';
  if (typeof value !== 'object' || value === null) return `${value === null ? 'null' : typeof value}`;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an object of ${name}` : 'an object of a class';
}
