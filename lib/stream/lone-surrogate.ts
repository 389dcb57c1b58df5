// Half of a surrogate pair: JavaScript's strings and JSON's escapes may have one, UTF-8 cannot. Encoding would
// put U+FFFD in its place and say nothing.

// With the flag u, a surrogate that has its other half beside it does not match.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

/** Whether the text cannot be encoded as UTF-8 without loss. */
export function hasLoneSurrogate(text: string): boolean {
  return LONE_SURROGATE.test(text);
}
