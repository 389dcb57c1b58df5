// What JSON and MessagePack cannot hold of a value: their writers would put something else in its place, or nothing,
// with no word said.

import { StoreError } from '../errors.js';
import { isStackOverflow, TOO_DEEP } from './stack-overflow.js';
import type { ValueFormat } from './value-codec.js';

/** A place in a value, and what stands there. */
interface Unheld {
  readonly path: readonly (string | number)[];
  readonly what: string;
}

/** @throws INVALID_VALUE where the format cannot hold the value, or a part of it; the place is in `issues`. */
export function refuseUnheld(value: unknown, format: ValueFormat): void {
  const unheld = found(value, format);
  if (unheld === undefined) return;
  const path = pathText(unheld.path);
  const name = format === 'json' ? 'JSON' : 'MessagePack';
  const message = `${unheld.what}, which ${name} cannot hold`;
  const place = path === '' ? '' : `${path}: `;
  throw new StoreError('INVALID_VALUE', `the value cannot be written as ${name}: ${place}${message}`, {
    details: { issues: [{ path, message }] },
  });
}

function found(value: unknown, format: ValueFormat): Unheld | undefined {
  try {
    return unheldIn(value, '', format, new Set());
  } catch (cause) {
    // What else raises is the value's own: a getter, a toJSON.
    const problem = isStackOverflow(cause)
      ? TOO_DEEP
      : cause instanceof Error
        ? cause.message
        : String(cause);
    const message = `the value cannot be written: ${problem}`;
    throw new StoreError('INVALID_VALUE', message, { cause, details: { issues: [{ path: '', message }] } });
  }
}

/** A path as it would be written in a program: `items[0].name`. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`;
    return text === '' ? String(step) : `${text}.${String(step)}`;
  }, '');
}

/**
 * @param step Where in the one around it the value stands.
 * @param above The objects that it stands in. The path to what is found is made on the way back: of most values there is none.
 */
function unheldIn(
  given: unknown,
  step: string | number,
  format: ValueFormat,
  above: Set<object>,
): Unheld | undefined {
  const value = format === 'json' ? jsonOf(given, step) : given;
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string') return format === 'msgpack' ? here(unheldText(value)) : undefined;
  if (typeof value === 'number' && (format === 'msgpack' || Number.isFinite(value))) return undefined;
  if (format === 'msgpack' && (isSoundDate(value) || value instanceof Uint8Array)) return undefined;
  if (typeof value !== 'object' || !(Array.isArray(value) || isPlain(value))) return here(kindOf(value));
  if (above.has(value)) return here('an object that stands within itself');
  above.add(value);
  const unheld = Array.isArray(value) ? inArray(value, format, above) : inObject(value, format, above);
  above.delete(value);
  return unheld;
}

function inArray(array: readonly unknown[], format: ValueFormat, above: Set<object>): Unheld | undefined {
  // By index: a hole is an element that is undefined, for which both formats write null.
  for (let index = 0; index < array.length; index++) {
    const unheld = unheldIn(array[index], index, format, above);
    if (unheld !== undefined) return within(index, unheld);
  }
  return undefined;
}

function inObject(object: object, format: ValueFormat, above: Set<object>): Unheld | undefined {
  for (const [name, member] of Object.entries(object)) {
    // A member that is undefined is none.
    if (member === undefined) continue;
    const wrongName = format === 'msgpack' ? unheldName(name) : undefined;
    if (wrongName !== undefined) return here(wrongName);
    const unheld = unheldIn(member, name, format, above);
    if (unheld !== undefined) return within(name, unheld);
  }
  return undefined;
}

function here(what: string | undefined): Unheld | undefined {
  return what === undefined ? undefined : { path: [], what };
}

function within(step: string | number, { path, what }: Unheld): Unheld {
  return { path: [step, ...path], what };
}

/** UTF-8 has no halves of characters, and readers take a byte order mark for no text. */
function unheldText(text: string): string | undefined {
  if (!text.isWellFormed()) return 'a text with half a surrogate pair';
  return text.startsWith('\ufeff') ? 'a text that begins with a byte order mark' : undefined;
}

function unheldName(name: string): string | undefined {
  if (name === '__proto__') return 'a member called __proto__';
  return unheldText(name) && 'a name of half a surrogate pair or a byte order mark';
}

/** What JSON.stringify takes for the value: of an invalid date it would write null. */
function jsonOf(value: unknown, step: string | number): unknown {
  if (typeof value !== 'object' || value === null || !('toJSON' in value)) return value;
  if (value instanceof Date && !isSoundDate(value)) return value;
  return typeof value.toJSON === 'function' ? value.toJSON(String(step)) : value;
}

function isSoundDate(value: unknown): boolean {
  return value instanceof Date && !Number.isNaN(value.getTime());
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function kindOf(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return 'an invalid Date';
  if (typeof value !== 'object' || value === null) return typeof value;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an object of ${name}` : 'an object of a class';
}
