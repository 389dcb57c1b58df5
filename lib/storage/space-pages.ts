/** Reads maps and directories of free space from the file, and believes only what its reference names. */
import {
  KIND_SPACE_DIRECTORY,
  KIND_SPACE_MAP,
  PAGE_HEADER_BYTES,
  pageCorrupt,
  pageKind,
  pageStamp,
  verifyPage,
} from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { REFERENCE_FREE, type SpaceGeometry } from '../format/space-page.js';
import type { SpaceReader } from './space.js';
import { countBits } from './space-group.js';
import type { StoreFile } from './store-file.js';

export class SpacePages implements SpaceReader {
  private readonly file: StoreFile;
  private readonly geometry: SpaceGeometry;
  private readonly memory: PageMemory;

  constructor(file: StoreFile, geometry: SpaceGeometry) {
    this.file = file;
    this.geometry = geometry;
    this.memory = new PageMemory(geometry.pageSize);
  }

  readMap(group: number, checksum: number, reference: number): Uint32Array {
    const page = this.geometry.mapPage(group, reference >>> 31);
    const bits = this.read(page, checksum, KIND_SPACE_MAP);
    const free = countBits(bits);
    // What a wrong map calls free would be written over, and cut off at the end of the file.
    if (free !== (reference & REFERENCE_FREE))
      throw pageCorrupt(page, `it calls ${free} pages free, its reference ${reference & REFERENCE_FREE}`);
    return bits;
  }

  readDirectory(run: number, checksum: number, copy: number): Uint32Array {
    return this.read(this.geometry.directoryPage(run, copy), checksum, KIND_SPACE_DIRECTORY);
  }

  private read(page: number, checksum: number, kind: number): Uint32Array {
    const { pageSize } = this.geometry;
    const { memory } = this;
    const read = this.file.readSync(memory.bytes, 0, pageSize, page * pageSize);
    if (read < pageSize) throw pageCorrupt(page, 'the file ends before it');
    verifyPage(memory, 0, pageSize, page, pageStamp(memory, 0));
    if (memory.u32[0] !== checksum) throw pageCorrupt(page, 'it is not the version that its reference names');
    if (pageKind(memory, 0) !== kind)
      throw pageCorrupt(page, `kind ${kind} was expected, it is of kind ${pageKind(memory, 0)}`);
    return memory.u32.slice(PAGE_HEADER_BYTES >>> 2, pageSize >>> 2);
  }
}
