// Values that a zod schema describes. Written is what `z.encode` makes of the value, the schema's input; read is what
// `z.decode` makes of that, its output. So what was read can be changed and put back, also where the two differ, as
// with a z.codec between a date and its text; and nothing gets in or out unchecked.

import { z } from 'zod';
import { StoreError } from '../errors.js';
import { pathText, refuseUnheld } from './plain-value.js';
import { isStackOverflow, TOO_DEEP } from './stack-overflow.js';
import type { ValueCodec, ValueFormat } from './value-codec.js';
import { type ValueWriting, writingOf } from './value-writing.js';

/** A place and what is wrong there, as a schema tells it. */
export interface ValueIssue {
  /** Names and indexes that lead there, as in `address.city` or `items[0]`; empty for the value as a whole. */
  readonly path: string;
  readonly message: string;
}

/** @throws INVALID_OPTION where the schema describes what the format cannot hold. */
export function schemaValue<Schema extends z.core.$ZodType>(
  schema: Schema,
  format: ValueFormat,
): ValueCodec<z.output<Schema>> {
  const writing = writingOf(format);
  const isSymmetric = looksSymmetric(schema, format, writing);
  // Where input and output are the same, parsing is encoding, and several times as fast.
  const check = isSymmetric
    ? (value: z.output<Schema>) => z.safeParse(schema, value)
    : (value: z.output<Schema>) => z.safeEncode(schema, value);
  return {
    encode: (value) => {
      const encoded = run<unknown>(() => check(value));
      refuseUnheld(encoded, format);
      return writing.write(encoded);
    },
    // What the schema's input is only the schema itself can tell: it looks at whatever was read.
    decode: (bytes) => run(() => z.safeDecode(schema, writing.read(bytes) as z.input<Schema>)),
    fromRow: (row) => run(() => z.safeDecode(schema, row as z.input<Schema>)),
  };
}

function run<Value>(check: () => z.ZodSafeParseResult<Value>): Value {
  let result: z.ZodSafeParseResult<Value>;
  try {
    result = check();
  } catch (cause) {
    if (cause instanceof StoreError) throw cause;
    if (isStackOverflow(cause)) {
      const issues = [{ path: '', message: TOO_DEEP }];
      throw new StoreError('INVALID_VALUE', `the value does not satisfy its schema: ${TOO_DEEP}`, {
        cause,
        details: { issues },
      });
    }
    // A transform that goes one way, or a check that is asynchronous: the schema, not the value, is at fault.
    const problem = cause instanceof Error ? cause.message : String(cause);
    const message = `the schema cannot be used for a bucket: ${problem}; values must go both ways, at once: use z.codec in place of a transform`;
    throw new StoreError('INVALID_OPTION', message, { cause });
  }
  if (result.success) return result.data;
  throw invalidValue(result.error);
}

function invalidValue(error: z.ZodError): StoreError {
  const issues = error.issues.map(({ path, message }): ValueIssue => ({ path: pathText(path), message }));
  const problems = issues.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  return new StoreError('INVALID_VALUE', `the value does not satisfy its schema: ${problems.join('; ')}`, {
    cause: error,
    details: { issues },
  });
}

/**
 * Whether a schema's input is its output, as far as can be seen. Refuses schemas of which no value, or hardly one, could
 * be written; of the others each value is looked at.
 */
function looksSymmetric(schema: z.core.$ZodType, format: ValueFormat, writing: ValueWriting): boolean {
  let isSymmetric = true;
  const look = (type: string, coerces: boolean): void => {
    if (writing.unwritable.has(type) && !coerces) {
      const advice =
        type === 'date'
          ? "use format: 'msgpack', z.coerce.date() or a z.codec"
          : 'use a z.codec to what it can';
      throw unwritable(`a ${type}`, format, advice);
    }
    if (coerces || !SYMMETRIC.has(type)) isSymmetric = false;
  };
  try {
    z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      cycles: 'ref',
      // Called for each schema within; nothing is made of what it makes.
      override: ({ zodSchema }) => {
        const { def } = zodSchema._zod;
        look(def.type, 'coerce' in def && def.coerce === true);
      },
    });
  } catch (error) {
    if (error instanceof StoreError) throw error;
    // What cannot be looked through, as two schemas of one id, can be used all the same: reading checks each value.
    return false;
  }
  return isSymmetric;
}

/** Kinds of schemas that take what they give. */
const SYMMETRIC = new Set([
  ...[
    'string',
    'number',
    'boolean',
    'null',
    'undefined',
    'date',
    'literal',
    'enum',
    'any',
    'unknown',
    'never',
    'custom',
  ],
  ...[
    'object',
    'array',
    'tuple',
    'record',
    'union',
    'intersection',
    'optional',
    'nullable',
    'readonly',
    'lazy',
  ],
]);

function unwritable(what: string, format: ValueFormat, advice: string): StoreError {
  return new StoreError(
    'INVALID_OPTION',
    `value: the schema has ${what}, which ${format} cannot hold: ${advice}`,
  );
}
