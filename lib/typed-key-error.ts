/**
 * Errors of a bulk load that name keys, with the keys as their type has them: what raises them knows bytes alone.
 */
import { outOfOrderMessage } from './bulk-rules.js';
import type { KeyCodec } from './codec/key-codec.js';
import { StoreError } from './errors.js';
import { duplicateMessage } from './sort/duplicate.js';

const SHOWN_MAX = 200;

/**
 * DUPLICATE_KEY and KEY_OUT_OF_ORDER with another message, all else as it is; any other error itself, as where the
 * bytes are no key of the type.
 */
export function typedKeyError<Raised>(error: Raised, codec: KeyCodec<unknown>): Raised | StoreError {
  if (!(error instanceof StoreError)) return error;
  const message = typedMessage(error, codec);
  if (message === undefined) return error;
  const options = { details: error.details, ...('cause' in error ? { cause: error.cause } : {}) };
  return new StoreError(error.code, message, options);
}

function typedMessage({ code, details }: StoreError, codec: KeyCodec<unknown>): string | undefined {
  const key = shownKey(details.key, codec);
  if (key === undefined) return undefined;
  if (code === 'DUPLICATE_KEY') return duplicateMessage(key);
  const previous = shownKey(details.previous, codec);
  return code === 'KEY_OUT_OF_ORDER' && previous !== undefined ? outOfOrderMessage(previous, key) : undefined;
}

/** A key for people: 123, 2024-03-01T00:00:00.000Z, "a", ["PT",5]; undefined for what is no key of the codec. */
function shownKey(bytes: unknown, codec: KeyCodec<unknown>): string | undefined {
  if (!(bytes instanceof Uint8Array)) return undefined;
  let key: unknown;
  try {
    key = codec.decode(bytes);
  } catch {
    // The message with bytes is better than another error in its place.
    return undefined;
  }
  const shown = shownValue(key);
  return shown.length > SHOWN_MAX ? `${shown.slice(0, SHOWN_MAX)}…` : shown;
}

function shownValue(value: unknown): string {
  if (value instanceof Date) return value.toISOString().replace('T00:00:00.000Z', '');
  if (value instanceof Uint8Array) return `0x${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map(shownValue).join(',')}]`;
  if (typeof value === 'string') return JSON.stringify(value);
  // Of codecs of one's own, which may have keys of any kind.
  return typeof value === 'object' ? (JSON.stringify(value) ?? 'an object') : String(value);
}
