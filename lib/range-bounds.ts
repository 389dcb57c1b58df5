/** The bounds that callers give, as bytes. */
import { checkText } from './key-bytes.js';
import type { Bytes, RangeOptions } from './options.js';
import { intersectBounds, type KeyBounds, prefixEnd } from './tree/key-bounds.js';

/** The options' bounds as bytes. Of gt and gte, and of lt and lte, the narrower one holds. */
export function boundsOf(options: RangeOptions): KeyBounds {
  // Copied: the caller may change its bytes before the range is consumed. A bound may be longer than
  // a key can be: it is a place in the order, not a key.
  const bytes = (key: Bytes | undefined): Uint8Array | undefined => {
    if (key === undefined) return undefined;
    if (typeof key !== 'string') return Uint8Array.prototype.slice.call(key);
    checkText(key, 'INVALID_KEY', 'a bound');
    return Buffer.from(key, 'utf8');
  };
  const { gt, gte, lt, lte, prefix } = options;
  let bounds: KeyBounds = { lower: bytes(gte), upper: bytes(lte) };
  if (gt !== undefined) bounds = intersectBounds(bounds, { lower: bytes(gt), lowerOpen: true });
  if (lt !== undefined) bounds = intersectBounds(bounds, { upper: bytes(lt), upperOpen: true });
  const start = bytes(prefix);
  if (start === undefined) return bounds;
  return intersectBounds(bounds, { lower: start, upper: prefixEnd(start), upperOpen: true });
}
