// Puts another method in the place of one of the library's, for a while: how defects are planted.

/** Replaces a method; returns what puts the original back. */
export function replaceMethod<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  method: T[K],
): () => void {
  const original = prototype[name];
  prototype[name] = method;
  return () => {
    prototype[name] = original;
  };
}
