// JSON Schema for `--schema`: rows are checked by it and stored as they stand. A schema that cannot be enforced to the
// letter (a keyword or format that is not known, a reference that leads nowhere) is refused before any row is read.

import type { Ajv, ErrorObject, Options, ValidateFunction } from 'ajv';
import { type ValueCodec, values } from '../index.js';
import { isDecimalMultiple } from './decimal-multiple.js';
import { type FoundIssue, invalidRow } from './schema-issues.js';

type Validator = new (options: Options) => Ajv;

/**
 * By what `$schema` says, without its scheme and an empty fragment; a schema that does not say is of 2020-12. Loaded
 * only when they are needed: they are more than all else that the command needs.
 */
const DRAFTS: ReadonlyMap<string, () => Promise<Validator>> = new Map([
  ['json-schema.org/draft-07/schema', async () => (await import('ajv')).Ajv],
  ['json-schema.org/draft/2019-09/schema', async () => (await import('ajv/dist/2019.js')).Ajv2019],
  ['json-schema.org/draft/2020-12/schema', async () => (await import('ajv/dist/2020.js')).Ajv2020],
]);
const DRAFT_DEFAULT = 'https://json-schema.org/draft/2020-12/schema';

const OPTIONS: Options = {
  allErrors: true,
  // What would be ignored is refused; what is only a matter of style, as a keyword beside no `type`, is enforced.
  strictSchema: true,
  strictNumbers: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  // Else members that every object inherits, such as toString, would be there in each row.
  ownProperties: true,
  logger: false,
};

/** Names of OpenAPI that would be taken, with nothing checked. */
const FORMATS_UNCHECKED = ['password', 'binary'];

/** Of allowed values in a message: past so many characters they say no more. */
const VALUES_SHOWN = 200;

/**
 * Values as JSON, of rows that the schema takes as they are.
 *
 * Rejects with an error that says why the schema cannot be enforced.
 */
export async function jsonSchemaValue(schema: object): Promise<ValueCodec<unknown>> {
  const validate = await compiled(schema);
  return {
    ...values.json,
    fromRow(row: unknown): unknown {
      if (validate(row)) return row;
      throw invalidRow((validate.errors ?? []).map((error) => issueOf(error, row)));
    },
  };
}

async function compiled(schema: object): Promise<ValidateFunction> {
  const draft = '$schema' in schema ? schema.$schema : DRAFT_DEFAULT;
  const name = typeof draft === 'string' ? draft.replace(/^https?:\/\//, '').replace(/#$/, '') : '';
  const load = DRAFTS.get(name);
  if (load === undefined)
    throw new Error(
      `its $schema is ${JSON.stringify(draft)}, and known are ${[...DRAFTS.keys()].join(', ')}`,
    );
  if ('$async' in schema) throw new Error('$async: rows are checked at once');
  const [Draft, { default: formats }, { str }] = await Promise.all([
    load(),
    import('ajv-formats'),
    import('ajv'),
  ]);
  const ajv = new Draft(OPTIONS);
  formats.default(ajv);
  for (const format of FORMATS_UNCHECKED) delete ajv.formats[format];
  for (const keyword of ['nullable', 'multipleOf']) ajv.removeKeyword(keyword);
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    compile: (step: number) => (value: number) => isDecimalMultiple(value, step),
    error: { message: ({ schemaCode }) => str`must be multiple of ${schemaCode}` },
  });
  refuseProtoMembers(schema);
  const validate = ajv.compile(schema);
  refuseEndless(validate);
  return validate;
}

/** A schema that refers to itself with no step into the row in between refuses no row and takes none. */
function refuseEndless(validate: ValidateFunction): void {
  try {
    for (const trivial of [{}, [], '', 0, true, null]) validate(trivial);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new Error('it refers to itself without end', { cause });
  }
}

/** Members of this name are passed over where rows are checked. */
function refuseProtoMembers(schema: object): void {
  const left: object[] = [schema];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (Object.hasOwn(at, '__proto__')) throw new Error('a member named __proto__ cannot be checked');
    for (const each of Object.values(at)) if (typeof each === 'object' && each !== null) left.push(each);
  }
}

/** Of members that are missing or too many the path leads to them, not to the object that they are about. */
function issueOf(
  { instancePath, keyword, message = keyword, params }: ErrorObject,
  row: unknown,
): FoundIssue {
  const names: readonly unknown[] = [
    params.missingProperty,
    params.additionalProperty,
    params.unevaluatedProperty,
    params.propertyName,
  ];
  const name = names.find((each) => typeof each === 'string');
  const path = [...stepsOf(instancePath, row), ...(typeof name === 'string' ? [name] : [])];
  const allowed = params.allowedValues ?? params.allowedValue;
  if (allowed === undefined) return { path, message };
  const shown = JSON.stringify(allowed);
  const cut = shown.length > VALUES_SHOWN ? `${shown.slice(0, VALUES_SHOWN)}…` : shown;
  return { path, message: `${message}: ${cut}` };
}

/** The steps of a JSON pointer into the row: a step into an array is an index. */
function stepsOf(pointer: string, row: unknown): PropertyKey[] {
  const steps: PropertyKey[] = [];
  let within = row;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(within) ? Number(name) : name);
    within =
      typeof within === 'object' && within !== null ? (within as Record<string, unknown>)[name] : undefined;
  }
  return steps;
}
