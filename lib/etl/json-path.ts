// Paths into a row of NDJSON, such as `user.id` or `items[0].sku`, which say where a key stands.

import { StoreError } from '../errors.js';
import { JsonCursor } from '../stream/json-cursor.js';

/** A name of an object's member, or an index into an array. */
export type JsonPathStep = string | number;

// A name, an index or a quoted name, each where it may stand; `y` has them follow one another without a gap.
const FIRST_STEP = /([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;
const NEXT_STEP = /\.([^.[\]]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/**
 * The steps of a path: names with dots between, `[0]` for an array's element, `["a.b"]` for a name that has
 * dots or brackets in it.
 *
 * @throws INVALID_OPTION where the path is not one.
 *
 * @example
 * ```ts
 * parseJsonPath('items[0].sku'); // ['items', 0, 'sku']
 * parseJsonPath('["user.id"]'); // ['user.id']
 * ```
 */
export function parseJsonPath(path: string): readonly JsonPathStep[] {
  const steps: JsonPathStep[] = [];
  for (let at = 0; at === 0 || at < path.length; ) {
    const pattern = at === 0 ? FIRST_STEP : NEXT_STEP;
    pattern.lastIndex = at;
    const step = pattern.exec(path);
    const [, name, index, quoted] = step ?? [];
    const value = quoted === undefined ? (name ?? Number(index)) : unquoted(quoted);
    if (!step || value === undefined) {
      const advice = 'write it like user.id, items[0].sku or ["a.b"]';
      throw new StoreError(
        'INVALID_OPTION',
        `key: ${JSON.stringify(path)} is not a path at its character ${at + 1}; ${advice}`,
      );
    }
    steps.push(value);
    at = pattern.lastIndex;
  }
  return steps;
}

/** What stands at the path; undefined where nothing does. Only what the JSON itself has is found. */
export function valueAtPath(value: unknown, steps: readonly JsonPathStep[]): unknown {
  let found = value;
  for (const step of steps) {
    if (typeof found !== 'object' || found === null) return undefined;
    if (Array.isArray(found) !== (typeof step === 'number') || !Object.hasOwn(found, step)) return undefined;
    found = (found as Record<JsonPathStep, unknown>)[step];
  }
  return found;
}

/** What stands at the path, as it is written. The bytes must be JSON; of members of one name the last counts. */
export function textAtPath(json: Uint8Array, steps: readonly JsonPathStep[]): string | undefined {
  let found: Uint8Array | undefined = json;
  for (const step of steps) {
    const cursor = new JsonCursor(found);
    found = undefined;
    while (cursor.next()) {
      const here = cursor.isArray ? cursor.index : cursor.name();
      if (here === step) found = Buffer.from(cursor.value());
    }
    if (found === undefined) return undefined;
  }
  return Buffer.from(found).toString('utf8');
}

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
