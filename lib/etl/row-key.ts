// The key of a row, from one or more of its columns (CSV) or paths (NDJSON). `key-tuple.ts` says how the
// parts of a key become its bytes.

import type { KeyPart } from '../codec/key-codec.js';
import { keys, typeAdvice, typedName } from '../codec/keys.js';
import { StoreError } from '../errors.js';
import type { ByteArena } from '../stream/byte-arena.js';
import { hasLoneSurrogate } from '../stream/lone-surrogate.js';
import type { CsvBatch } from './csv-batch.js';
import { quotedNames } from './csv-columns.js';
import { JsonLine } from './json-line.js';
import { type JsonPathStep, parseJsonPath, textAtPath, valueAtPath } from './json-path.js';
import { appendKeyPart, appendKeySeparator } from './key-tuple.js';
import type { NdjsonBatch } from './ndjson-batch.js';
import type { RowKeyWriter } from './row-key-writer.js';
import { mayBeRounded, TypedKeyWriter, type TypedPart } from './typed-row-key.js';

/** Columns or paths whose values, together, are a row's key; behind each may stand its type, as in `id:number`. */
export type KeyOption = string | readonly string[];

/**
 * Keys of CSV rows: the text of the columns named. An empty cell is no key.
 *
 * @throws INVALID_OPTION where none is named, one twice, or one that does not exist.
 */
export function csvKeyWriter(key: KeyOption, columns: readonly string[]): RowKeyWriter<CsvBatch> {
  const parts = keyParts(key).map((text) =>
    columns.includes(text) ? { name: text, type: undefined } : typedName(text),
  );
  const names = parts.map(({ name }) => name);
  checkColumns(names, columns);
  const indexes = names.map((name) => columns.indexOf(name));
  if (parts.every(({ type }) => type === undefined)) return new CsvKeyWriter(names, indexes);
  return new TypedKeyWriter(typedParts(parts), (batch, row, part) => batch.cell(row, indexes[part]));
}

/** @throws INVALID_OPTION where one of the names is none of the columns. */
export function checkColumns(names: readonly string[], columns: readonly string[]): void {
  const unknown = names.filter((name) => !columns.includes(name));
  if (unknown.length === 0) return;
  const found = `key: there is no column ${quotedNames(unknown)}; the columns are ${quotedNames(columns)}`;
  const mistyped = unknown.map((name) => typeAdvice(name, (before) => columns.includes(before)));
  const about = mistyped.find((each) => each !== undefined);
  if (about !== undefined)
    throw new StoreError('INVALID_OPTION', `${found}; ${about}`, { details: { key: names, columns } });
  const delimiter = otherDelimiter(columns);
  const details = { key: names, columns };
  if (delimiter === undefined) throw new StoreError('INVALID_OPTION', found, { details });
  const advice = `the cells of the header seem to have ${JSON.stringify(delimiter)} between them: give it as the delimiter`;
  throw new StoreError('INVALID_OPTION', `${found}; ${advice}`, { details: { ...details, delimiter } });
}

function typedParts(parts: readonly ReturnType<typeof typedName>[]): TypedPart[] {
  return parts.map(({ name, type }) => ({ name, codec: keys[type ?? 'string'] as KeyPart<unknown> }));
}

/** Writes keys of NDJSON rows. */
export interface NdjsonKeys extends RowKeyWriter<NdjsonBatch> {
  /** What to ask for when rows are read; undefined where keys are made of more than members of theirs, as written. */
  readonly members?: readonly string[];
}

/**
 * Keys of NDJSON rows: what stands at the paths. A string is itself; a number or a boolean is its JSON text
 * as JavaScript writes it, so that 1, 1.0 and 1e0 are one key, except that whole numbers past 2^53, which
 * JavaScript would round, stay as they are written. Nothing, null, an empty string, an object and an array are
 * no key, nor is a string that has no UTF-8, with half of a surrogate pair.
 *
 * @throws INVALID_OPTION where no path is given, one twice, or one is none.
 */
export function ndjsonKeyWriter(key: KeyOption): NdjsonKeys {
  const parts = keyParts(key).map(typedName);
  const paths = parts.map(({ name }) => name);
  const steps = paths.map(parseJsonPath);
  if (parts.every(({ type }) => type === undefined)) return new NdjsonKeyWriter(paths, steps);
  return new TypedKeyWriter(typedParts(parts), (batch, row, part) => {
    const value = exactValue(batch, row, steps[part]);
    if (value !== undefined) return value;
    throw new StoreError(
      'INVALID_KEY',
      `${paths[part]} of the key ${missing(paths[part], batch.object(row))}`,
    );
  });
}

/** What stands at the path; a number so large that JavaScript rounds whole ones, as it is written. */
export function exactValue(batch: NdjsonBatch, row: number, steps: readonly JsonPathStep[]): unknown {
  const value = valueAtPath(batch.object(row), steps);
  return mayBeRounded(value) ? textAtPath(batch.value(row), steps) : value;
}

/** The names of a key's parts. Raises INVALID_OPTION where there is none, or one comes twice. */
export function keyParts(key: KeyOption): readonly string[] {
  const parts = typeof key === 'string' ? [key] : [...key];
  if (
    parts.length > 0 &&
    parts.every((part) => typeof part === 'string') &&
    new Set(parts).size === parts.length
  ) {
    return parts;
  }
  throw new StoreError('INVALID_OPTION', 'key: one or more different columns or paths are needed', {
    details: { key },
  });
}

/** The delimiter that a header has where it was read with another one, and so came out as a single name. */
function otherDelimiter(columns: readonly string[]): string | undefined {
  return columns.length === 1 ? [';', '\t', '|', ','].find((each) => columns[0].includes(each)) : undefined;
}

class CsvKeyWriter implements RowKeyWriter<CsvBatch> {
  problem = '';

  constructor(
    private readonly names: readonly string[],
    private readonly columns: readonly number[],
  ) {}

  write(batch: CsvBatch, row: number, arena: ByteArena): boolean {
    const before = arena.length;
    const parts = this.columns.length;
    for (let part = 0; part < parts; part++) {
      const slot = row * batch.width + this.columns[part];
      const start = batch.cellStarts[slot];
      const end = batch.cellEnds[slot];
      if (start === end >>> 1) {
        arena.length = before;
        this.problem = `column ${JSON.stringify(this.names[part])} of the key is empty`;
        return false;
      }
      if (part > 0) appendKeySeparator(arena);
      if ((end & 1) === 0) arena.append(batch.bytes, start, end >>> 1);
      else appendKeyPart(batch.cell(row, this.columns[part]), parts > 1, arena);
    }
    return true;
  }
}

class NdjsonKeyWriter implements NdjsonKeys {
  problem = '';
  readonly members: readonly string[] | undefined;

  constructor(
    private readonly paths: readonly string[],
    private readonly steps: ReadonlyArray<readonly JsonPathStep[]>,
  ) {
    this.members = ownMembers(steps);
  }

  write(batch: NdjsonBatch, row: number, arena: ByteArena): boolean {
    const before = arena.length;
    const parts = this.steps.length;
    const isSeen = batch.members === this.members;
    for (let part = 0; part < parts; part++) {
      if (part > 0) appendKeySeparator(arena);
      const slot = row * parts + part;
      if (isSeen && batch.memberEnds[slot] > 0) {
        arena.append(batch.bytes, batch.memberStarts[slot], batch.memberEnds[slot]);
        continue;
      }
      const text = this.partText(batch, row, part);
      if (text === undefined) {
        arena.length = before;
        return false;
      }
      appendKeyPart(text, parts > 1, arena);
    }
    return true;
  }

  private partText(batch: NdjsonBatch, row: number, part: number): string | undefined {
    const value = valueAtPath(batch.object(row), this.steps[part]);
    if (typeof value === 'string' && value !== '') {
      if (!hasLoneSurrogate(value)) return value;
      return this.noKey(part, 'has half of a surrogate pair, which has no UTF-8');
    }
    if (typeof value === 'boolean') return String(value);
    if (typeof value === 'number') {
      const rounded = Number.isInteger(value) ? !Number.isSafeInteger(value) : !Number.isFinite(value);
      return rounded ? textAtPath(batch.value(row), this.steps[part]) : JSON.stringify(value);
    }
    if (value === undefined) return this.noKey(part, missing(this.paths[part], batch.object(row)));
    return this.noKey(part, kindOf(value));
  }

  private noKey(part: number, problem: string): undefined {
    this.problem = `${this.paths[part]} of the key ${problem}`;
    return undefined;
  }
}

function ownMembers(steps: ReadonlyArray<readonly JsonPathStep[]>): readonly string[] | undefined {
  const names: string[] = [];
  for (const [name, ...deeper] of steps) {
    if (typeof name !== 'string' || deeper.length > 0 || !JsonLine.canFind(name)) return undefined;
    names.push(name);
  }
  return names;
}

function missing(path: string, object: object): string {
  const advice = typeAdvice(path, (before) => stands(before, object));
  return advice === undefined ? 'is missing' : `is missing; ${advice}`;
}

function stands(path: string, object: object): boolean {
  try {
    return valueAtPath(object, parseJsonPath(path)) !== undefined;
  } catch (error) {
    // What stands before the colon of a path need not be one.
    if (error instanceof StoreError && error.code === 'INVALID_OPTION') return false;
    throw error;
  }
}

function kindOf(value: unknown): string {
  if (value === null) return 'is null';
  if (value === '') return 'is empty';
  return Array.isArray(value) ? 'is an array' : 'is an object';
}
