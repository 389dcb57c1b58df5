/** Makes the names in a folder durable: those of files that were made or renamed there. */
import fs from 'node:fs';

/** A new file's name is durable only once its folder is synced. Some systems refuse; theirs is the risk. */
export function syncFolder(path: string): void {
  const slash = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  const folder = slash < 0 ? '.' : path.slice(0, slash + 1);
  try {
    const descriptor = fs.openSync(folder, fs.constants.O_RDONLY);
    fs.fsyncSync(descriptor);
    fs.closeSync(descriptor);
  } catch {
    return;
  }
}
