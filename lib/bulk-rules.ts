/** What a bulk load asks of its keys: the order that was declared, and what becomes of those that come again. */
import type { BulkSettings } from './bulk-options.js';
import { StoreError } from './errors.js';
import { duplicateKey } from './sort/duplicate.js';
import type { EntryBlock } from './tree/entry-block.js';

export class BulkRules {
  /** Entries whose key was there before. */
  duplicates = 0;
  private readonly settings: BulkSettings;
  private previousKey: Uint8Array | undefined;

  constructor(settings: BulkSettings) {
    this.settings = settings;
  }

  /** Where the input was declared sorted it must be: raises KEY_OUT_OF_ORDER before anything of the block is taken. */
  checkOrder(block: EntryBlock): void {
    if (this.settings.sorted !== true) return;
    const { previousKey } = this;
    if (previousKey !== undefined && block.compareWith(0, previousKey) < 0)
      throw outOfOrder(previousKey, block.keyView(0));
    const at = block.findDisorder();
    if (at < block.count) throw outOfOrder(block.keyView(at - 1), block.keyView(at));
    this.previousKey = Uint8Array.prototype.slice.call(block.keyView(block.count - 1));
  }

  /** What becomes of an entry whose key was there before; raises DUPLICATE_KEY. */
  readonly onDuplicate = (block: EntryBlock, index: number): 'replace' | 'keep' => {
    const { onDuplicate } = this.settings;
    if (onDuplicate === 'error') throw duplicateKey(block.keyView(index));
    this.duplicates++;
    return onDuplicate;
  };
}

function outOfOrder(previous: Uint8Array, next: Uint8Array): StoreError {
  const show = (key: Uint8Array): string => JSON.stringify(Buffer.from(key).toString('utf8'));
  return new StoreError('KEY_OUT_OF_ORDER', outOfOrderMessage(show(previous), show(next)), {
    details: { previous: Buffer.from(previous), key: Buffer.from(next) },
  });
}

/** What is wrong, with the keys as they are to be shown. */
export function outOfOrderMessage(previous: string, next: string): string {
  return `the key ${next} comes after ${previous} but sorts before it: sort the input, or load with sorted: 'auto'`;
}
