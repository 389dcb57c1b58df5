// Entries as lines: for people a key, a tab and a value; for machines an object of JSON.

import { isUtf8 } from 'node:buffer';
import type { Batch, Range } from '../index.js';
import { escapedText, shownText } from './key-text.js';
import type { KeyType } from './key-type.js';

/** What of an entry is shown, and how. */
export interface LineOptions {
  /** Keys only. */
  readonly keys?: boolean;
  /** Values only. */
  readonly values?: boolean;
  readonly json?: boolean;
  /** Escapes throughout, so that every line can be told apart and read back. */
  readonly escapes?: boolean;
  /** What keys are, if they are no text. */
  readonly keyType?: KeyType;
}

/** The lines of a range, many in a piece. */
export async function* entryLines(range: Range, options: LineOptions): AsyncGenerator<string> {
  const line = lineWriter(options);
  for await (const batch of range.batches()) {
    let lines = '';
    for (let index = 0; index < batch.length; index++) lines += `${line(batch, index)}\n`;
    yield lines;
  }
}

function lineWriter(options: LineOptions): (batch: Batch, index: number) => string {
  const { keys = false, values = false, json = false, escapes = false, keyType } = options;
  if (json) {
    return (batch, index) => {
      const key = values ? {} : jsonKey(batch.key(index), keyType);
      return JSON.stringify(keys ? key : { ...key, ...jsonMember('value', batch.value(index)) });
    };
  }
  const text = escapes ? escapedText : shownText;
  const keyText = keyWriter(text, keyType);
  if (keys) return (batch, index) => keyText(batch.key(index));
  if (values) return (batch, index) => text(batch.value(index));
  return (batch, index) => `${keyText(batch.key(index))}\t${text(batch.value(index))}`;
}

/** A line about a change: what it is, a tab and what else stands there; for machines an object of JSON. */
export function changeLine(
  type: 'put' | 'delete',
  key: Buffer,
  value: Buffer | undefined,
  { json = false, escapes = false, keyType }: LineOptions,
): string {
  const text = escapes ? escapedText : shownText;
  if (!json) {
    const parts = [type, keyWriter(text, keyType)(key)];
    return (value === undefined ? parts : [...parts, text(value)]).join('\t');
  }
  const shown = value === undefined ? {} : jsonMember('value', value);
  return JSON.stringify({ type, ...jsonKey(key, keyType), ...shown });
}

function keyWriter(text: (bytes: Buffer) => string, keyType: KeyType | undefined): (key: Buffer) => string {
  return keyType === undefined ? text : (key) => text(Buffer.from(keyType.text(key)));
}

function jsonKey(bytes: Buffer, keyType: KeyType | undefined): Record<string, unknown> {
  return keyType === undefined ? jsonMember('key', bytes) : { key: keyType.json(bytes) };
}

/** `{ key: 'text' }`, or `{ keyBase64: '…' }` where the bytes are no text. */
function jsonMember(name: string, bytes: Buffer): Record<string, string> {
  return isUtf8(bytes) ? { [name]: bytes.toString('utf8') } : { [`${name}Base64`]: bytes.toString('base64') };
}
