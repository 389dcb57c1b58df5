/** Whether the options of a range are right, seen at a glance. */
import type { RangeOptions } from './options.js';

/**
 * False where the schema must be asked, which tells what is wrong: for a range over a few entries that would
 * cost more than the entries do. What is taken here the schema takes too.
 */
export function areRangeOptions(options: RangeOptions): boolean {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return false;
  for (const name in options) {
    if (!mayBe(name, options[name as keyof RangeOptions])) return false;
  }
  return true;
}

function mayBe(name: string, value: unknown): boolean {
  switch (name) {
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte':
    case 'prefix':
      return value === undefined || typeof value === 'string' || value instanceof Uint8Array;
    case 'reverse':
      return value === undefined || typeof value === 'boolean';
    case 'limit':
      return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0);
    default:
      return false;
  }
}
