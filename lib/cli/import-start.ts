// What is typed of an import, as the options of the library, and the import begun.

import { resolve } from 'node:path';
import {
  type Database,
  type ImportJob,
  importCsv,
  importNdjson,
  type NdjsonImportOptions,
} from '../index.js';
import type { CreateFlags } from './arguments.js';
import type { FileFormat } from './format.js';
import type { InputFlags } from './input-file.js';
import { typedNames } from './key-type.js';
import type { RowSchema } from './row-schema.js';

/** What is typed of an import. */
export interface ImportFlags extends CreateFlags, InputFlags {
  readonly schema?: string;
  readonly sorted?: boolean;
  readonly unsorted?: boolean;
  readonly onDuplicate?: 'replace' | 'keep' | 'error';
  readonly atomic?: boolean;
  readonly rejects?: string;
  readonly rejectsBucket?: string;
  readonly maxRejects?: number;
  readonly commitEvery?: number;
  readonly checkpoint?: string;
  readonly restart?: boolean;
}

/** @param schema What rows must be, where that was said: then the bucket's keys and values have types. */
export function startImport(
  db: Database,
  name: string,
  file: string,
  { format, delimiter }: FileFormat,
  flags: ImportFlags & { readonly key: string[] },
  schema: RowSchema | undefined,
  signal: AbortSignal,
): ImportJob {
  const { columns, header } = flags;
  const typed = schema === undefined ? undefined : typedNames(flags.key);
  const bucket =
    schema === undefined || typed === undefined
      ? db.bucket(name)
      : db.bucket(name, { key: typed.key, value: schema.value });
  const options: NdjsonImportOptions = {
    ...commonOptions(db, file, flags),
    key: typed?.names ?? flags.key,
    // The types of the keys are not among the names any more, and another schema makes other values.
    revision: schema === undefined ? undefined : `${schema.revision} ${flags.key.join(',')}`,
    signal,
  };
  const source = file === '-' ? process.stdin : file;
  if (format === 'ndjson') return importNdjson(bucket, source, options);
  const quotedLinesMax = flags.maxQuotedLines;
  return importCsv(bucket, source, { ...options, delimiter, columns, header, quotedLinesMax });
}

function commonOptions(db: Database, file: string, flags: ImportFlags): Omit<NdjsonImportOptions, 'key'> {
  const { onDuplicate, atomic, maxRejects, commitEvery, rejects, rejectsBucket } = flags;
  return {
    sorted: flags.sorted === true ? true : flags.unsorted === true ? false : 'auto',
    sortBytes: flags.sortBytes,
    onDuplicate,
    atomic,
    rejects: rejectsBucket === undefined ? rejects : db.bucket(rejectsBucket),
    rejectsMax: maxRejects,
    commitEvery: commitEvery === undefined ? undefined : { entries: commitEvery },
    checkpoint: flags.checkpoint ?? (file === '-' ? undefined : `import of ${resolve(file)}`),
    restart: flags.restart,
  };
}
