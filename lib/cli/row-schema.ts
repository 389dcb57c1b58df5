// What `--schema` names: a module whose default export is a schema, or a file of JSON Schema. Rows go into the bucket
// as what a module's schema makes of them; JSON Schema leaves them as they are.

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { type ValueType, values } from '../index.js';
import { usageFailure } from './failure.js';
import { jsonSchemaValue } from './json-schema.js';
import { type FoundIssue, invalidRow } from './schema-issues.js';

/** A schema for rows. */
export interface RowSchema {
  readonly value: ValueType;
  /** Another one where the file has other bytes; what the file imports is not in it. */
  readonly revision: string;
}

/** The part of a Standard Schema (version 1) that is used: what zod 3.24, valibot, arktype and others have. */
interface StandardSchema {
  readonly '~standard': { validate(value: unknown): StandardResult | Promise<StandardResult> };
}

interface StandardResult {
  readonly value?: unknown;
  readonly issues?: readonly { message: string; path?: readonly (PropertyKey | { key: PropertyKey })[] }[];
}

const WANTED = 'a module whose default export is a schema, or a .json file of JSON Schema, is needed';

/** @throws CommandFailure, of wrong usage, that names the file and says what to do. */
export async function readRowSchema(file: string): Promise<RowSchema> {
  const source = await readFile(file).catch((cause: unknown) => {
    throw usageFailure(`--schema ${file} cannot be read: ${messageOf(cause)}; check the path`, cause);
  });
  const value = /\.json$/i.test(file)
    ? await fromJson(file, source.toString('utf8'))
    : await fromModule(file);
  return { value, revision: createHash('sha256').update(source).digest('hex') };
}

async function fromJson(file: string, text: string): Promise<ValueType> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw usageFailure(`--schema ${file} is not JSON: ${messageOf(cause)}; mend it`, cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw usageFailure(`--schema ${file} is no JSON Schema, which is a JSON object: ${WANTED}`);
  try {
    return await jsonSchemaValue(parsed);
  } catch (cause) {
    const advice = 'write what it says in another way, or as a zod schema in a module';
    throw usageFailure(`--schema ${file} cannot be used: ${messageOf(cause)}; ${advice}`, cause);
  }
}

async function fromModule(file: string): Promise<ValueType> {
  let found: { default?: unknown };
  try {
    // biome-ignore lint/plugin: the module is the user's own, none of this project's.
    found = (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown };
  } catch (cause) {
    throw usageFailure(`--schema ${file} cannot be loaded: ${messageOf(cause)}; ${WANTED}`, cause);
  }
  const schema = defaultOf(found);
  if (schema === undefined)
    throw usageFailure(`--schema ${file} has no default export: write 'export default' before its schema`);
  if (isZod(schema)) return schema;
  if (isStandard(schema)) return standardValue(schema, file);
  const advice = 'it must be a schema of zod 4, or of another library that has Standard Schema';
  throw usageFailure(`the default export of --schema ${file} is no schema: ${advice}`);
}

/** Of a module that was compiled to CommonJS, the default export stands within the one that Node.js sees. */
function defaultOf({ default: found }: { default?: unknown }): unknown {
  const isWrapped =
    typeof found === 'object' && found !== null && '__esModule' in found && 'default' in found;
  return isWrapped ? found.default : found;
}

function isZod(schema: unknown): schema is z.core.$ZodType {
  return typeof schema === 'object' && schema !== null && '_zod' in schema;
}

function isStandard(schema: unknown): schema is StandardSchema {
  const isHolder = (typeof schema === 'object' || typeof schema === 'function') && schema !== null;
  if (!isHolder || !('~standard' in schema)) return false;
  const standard = schema['~standard'];
  return typeof standard === 'object' && standard !== null && 'validate' in standard;
}

/** Values as JSON, of rows that a Standard Schema takes. It goes one way only: what is stored is its output. */
function standardValue(schema: StandardSchema, file: string): ValueType {
  return {
    ...values.json,
    keepsRows: false,
    fromRow(row: unknown): unknown {
      const result = validated(schema, row, file);
      if (result instanceof Promise) {
        result.catch(() => undefined);
        throw usageFailure(`--schema ${file} checks rows asynchronously: it must do so at once`);
      }
      if (result.issues === undefined) return objectOf(result.value, file);
      throw invalidRow(issuesOf(result.issues));
    },
  };
}

function validated(schema: StandardSchema, row: unknown, file: string): StandardResult | Promise<unknown> {
  let result: unknown;
  try {
    result = schema['~standard'].validate(row);
  } catch (cause) {
    // Too little stack is about the row.
    if (cause instanceof RangeError) throw cause;
    throw usageFailure(`--schema ${file} failed at a row: ${messageOf(cause)}; mend it`, cause);
  }
  if (typeof result === 'object' && result !== null) return result;
  const advice = 'its validate must return an object with value or issues';
  throw usageFailure(`--schema ${file} gave ${String(result)} for a row: ${advice}`);
}

/** Whatever a schema of the user's gives as issues: they are told as far as they can be. */
function issuesOf(issues: unknown): FoundIssue[] {
  if (!Array.isArray(issues)) return [{ path: [], message: 'its schema refuses it' }];
  return issues.map((issue: unknown) => {
    const { path, message } = (issue ?? {}) as { path?: unknown; message?: unknown };
    const steps = Array.isArray(path) ? path.map(stepOf) : path === undefined ? [] : [stepOf(path)];
    return { path: steps, message: typeof message === 'string' ? message : 'its schema refuses it' };
  });
}

function stepOf(step: unknown): PropertyKey {
  const key: unknown = typeof step === 'object' && step !== null && 'key' in step ? step.key : step;
  if (typeof key === 'number' || typeof key === 'symbol') return key;
  return typeof key === 'object' || typeof key === 'function' ? '?' : String(key);
}

/** Rows are stored as JSON objects: of anything else an export could make no row. */
function objectOf(value: unknown, file: string): object {
  if (Array.isArray(value)) throw invalidRow([{ path: [], message: 'the schema makes an array of the row' }]);
  if (typeof value === 'object' && value !== null) return value;
  throw usageFailure(`--schema ${file} makes ${typeof value} of a row: it must make an object`);
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
