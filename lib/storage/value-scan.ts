/**
 * Large values of one scan, one after the other. Values that were written in the order of their keys lie so in the
 * file: where the next one does, as many pages behind it are read with it, up to 256 KiB, and most values then need
 * no call of the system of their own.
 *
 * What was read ahead holds for as long as the scan lasts: its snapshot keeps all pages that its values are in from
 * being written again, and they were all written before it began.
 */
import { PAGE_HEADER_BYTES, pageCorrupt } from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { type ValueExtents, valuePageBytes } from '../format/value-extents.js';
import type { StoreFile } from './store-file.js';
import { READ_BYTES_MAX, verifyValuePage } from './value-reader.js';

/** Longer values gain nothing by what is read with them. */
const VALUE_BYTES_MAX = READ_BYTES_MAX / 4;

export class ValueScan {
  private readonly file: StoreFile;
  private readonly pageSize: number;
  private memory: PageMemory | undefined;
  /** The pages in memory. */
  private first = 0;
  private pages = 0;
  /** The page behind the value that was read last. */
  private next = -1;
  private runPages = 1;

  constructor(file: StoreFile, pageSize: number) {
    this.file = file;
    this.pageSize = pageSize;
  }

  /** Whether it reads such values: in one piece, and not too long. */
  takes({ extents, length }: ValueExtents): boolean {
    return extents.length === 1 && length <= VALUE_BYTES_MAX;
  }

  /** Copies what the value has in its pages to the beginning of `target`. Raises PAGE_CORRUPT. */
  read(value: ValueExtents, target: Buffer): void {
    const [{ page, pages }] = value.extents;
    const isHere = page >= this.first && page + pages <= this.first + this.pages;
    const memory = isHere && this.memory !== undefined ? this.memory : this.fill(page, pages);
    const end = value.length - value.tailLength;
    const payload = valuePageBytes(this.pageSize);
    for (let i = 0, at = 0; i < pages; i++, at += payload) {
      const base = (page + i - this.first) * this.pageSize;
      verifyValuePage(memory, base, this.pageSize, page + i, value.stamp);
      const from = base + PAGE_HEADER_BYTES;
      target.set(memory.bytes.subarray(from, from + Math.min(end - at, payload)), at);
    }
    this.next = page + pages;
  }

  /** Reads these pages, and with them those that the values to come may be in. */
  private fill(page: number, pages: number): PageMemory {
    const { pageSize } = this;
    this.runPages = page === this.next ? Math.min(this.runPages * 2, READ_BYTES_MAX / pageSize) : 1;
    const wanted = Math.max(pages, this.runPages) * pageSize;
    if (this.memory === undefined || this.memory.bytes.length < wanted) this.memory = new PageMemory(wanted);
    // Nothing is here until the read has come back whole.
    this.pages = 0;
    const read = this.file.readSync(this.memory.bytes, 0, wanted, page * pageSize);
    const whole = Math.floor(read / pageSize);
    if (whole < pages) throw pageCorrupt(page + whole, 'the file ends before it');
    this.first = page;
    this.pages = whole;
    return this.memory;
  }
}
