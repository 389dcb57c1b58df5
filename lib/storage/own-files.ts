/** Which files belong to a store: nothing else may be written under their names. */
import fs from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** The file itself, its log, and what works under way keep beside it. */
const ENDING = /^(\.pending|\.sort-[0-9a-f]{16})?$/;

/** Whether `path`, by whatever way it is named, is one of the files of the store at `store`, there yet or not. */
export function isOwnFile(store: string, path: string): boolean {
  const own = settled(store);
  const other = settled(path);
  return other.startsWith(own) && ENDING.test(other.slice(own.length));
}

/** Without symbolic links, as far as there is anything to follow. */
function settled(path: string): string {
  try {
    return fs.realpathSync(path);
  } catch {
    return besideReal(path);
  }
}

function besideReal(path: string): string {
  try {
    return join(fs.realpathSync(dirname(path)), basename(path));
  } catch {
    return path;
  }
}
