// Keys of types on the command line: how they are typed, and how they are shown.

import { type Command, InvalidArgumentError, Option } from 'commander';
import { type KeyCodec, type KeyPart, keys } from '../index.js';
import { nameList } from './arguments.js';
import { usageFailure } from './failure.js';

const TYPES: Readonly<Record<string, KeyPart<unknown>>> = {
  string: keys.string,
  number: keys.number,
  bigint: keys.bigint,
  date: keys.date,
  boolean: keys.boolean,
};
const FORM = `one of ${Object.keys(TYPES).join(', ')}, or several with commas between`;

/** The types of a bucket's keys, in the order of their parts. */
export class KeyType {
  private readonly parts: readonly KeyPart<unknown>[];

  constructor(names: readonly string[]) {
    this.parts = names.map((name) => {
      const part = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
      if (part === undefined) throw new InvalidArgumentError(`It must be ${FORM}.`);
      return part;
    });
  }

  /** The bytes of a key that was typed. */
  bytes(text: string): Uint8Array {
    const values = this.values(text);
    if (values.length !== this.parts.length) {
      const parts = `${this.parts.length} parts with commas between`;
      throw usageFailure(`the key ${JSON.stringify(text)} must have ${parts}`);
    }
    const [part] = this.parts;
    return this.parts.length === 1 ? part.encode(values[0]) : keys.tuple(...this.parts).encode(values);
  }

  /** The bytes that keys begin with whose text, or whose first parts, were typed. */
  prefixBytes(text: string): Uint8Array {
    const [part] = this.parts;
    const codec = this.parts.length === 1 ? part : keys.tuple(...this.parts);
    if (codec.encodePrefix === undefined)
      throw usageFailure(`--prefix: ${part.words} has none; give --gte and --lt`);
    const values = this.values(text);
    return codec.encodePrefix(this.parts.length === 1 ? values[0] : values);
  }

  /** A key for people: its parts with commas between, as it would be typed. */
  text(bytes: Uint8Array): string {
    const texts = this.decoded(bytes).map(valueText);
    return texts.length === 1 ? texts[0] : texts.map(quotedWhereNeeded).join(',');
  }

  /** A key for JSON: its value, or an array of its parts. */
  json(bytes: Uint8Array): unknown {
    const values = this.decoded(bytes).map((value) => (typeof value === 'bigint' ? String(value) : value));
    return this.parts.length === 1 ? values[0] : values;
  }

  private decoded(bytes: Uint8Array): readonly unknown[] {
    const [part] = this.parts;
    return this.parts.length === 1 ? [part.decode(bytes)] : keys.tuple(...this.parts).decode(bytes);
  }

  private values(text: string): unknown[] {
    const texts = this.parts.length === 1 ? [text] : pieces(text);
    if (texts.length > this.parts.length)
      throw usageFailure(`the key ${JSON.stringify(text)} has more than ${this.parts.length} parts`);
    return texts.map((piece, index) => {
      const part = this.parts[index];
      const value = piece === '' && part === keys.string ? '' : part.from(piece);
      if (value === undefined) throw usageFailure(wrongKey(part, piece));
      return value;
    });
  }
}

/** What texts of types stand for. */
export const KEY_TEXTS_HELP = `Dates are in UTC where they have no zone; one that does not exist (2024-02-30) is refused, and so is a number of more
digits than a number holds (1234567890123456789): say bigint for those.`;

/** A key of several names, each with its type behind it if it is no text, as an import takes it. */
export function typedNames(texts: readonly string[]): { names: string[]; key: KeyCodec<unknown> } {
  const found = texts.map((text) => {
    const colon = text.lastIndexOf(':');
    const type = text.slice(colon + 1);
    const isTyped = colon > 0 && Object.hasOwn(TYPES, type);
    return isTyped ? { name: text.slice(0, colon), part: TYPES[type] } : { name: text, part: keys.string };
  });
  const parts = found.map(({ part }) => part as KeyPart<unknown>);
  const key = parts.length === 1 ? parts[0] : (keys.tuple(...parts) as KeyCodec<unknown>);
  return { names: found.map(({ name }) => name), key };
}

export function addKeyType(command: Command): Command {
  const option = new Option(
    '--key-type <types>',
    `the types of the bucket's keys, if they are no text: ${FORM}; dates without a zone are in UTC`,
  );
  return command.addOption(option.argParser((text) => new KeyType(nameList(text))));
}

function pieces(text: string): string[] {
  try {
    return nameList(text);
  } catch {
    throw usageFailure(`the key ${JSON.stringify(text)} must be its parts with commas between`);
  }
}

function wrongKey(part: KeyPart<unknown>, text: string): string {
  const problem = part.problemOf?.(text);
  const message = `a key must be ${part.words}, not ${JSON.stringify(text)}`;
  return problem === undefined ? message : `${message}: ${problem}`;
}

const NEEDS_QUOTES = /[",]/;

function valueText(value: unknown): string {
  return value instanceof Date ? value.toISOString() : String(value);
}

function quotedWhereNeeded(text: string): string {
  return NEEDS_QUOTES.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text;
}
