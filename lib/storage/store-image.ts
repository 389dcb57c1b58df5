/** The bytes of an empty store: both meta pages, and the first map of free space with its directory. */
import crypto from 'node:crypto';
import {
  encodeMeta,
  hasMagic,
  META_PAGES,
  META_PROBE_BYTES,
  META_REFERENCES,
  type Meta,
  STORE_ID_BYTES,
} from '../format/meta-page.js';
import {
  initPage,
  KIND_SPACE_DIRECTORY,
  KIND_SPACE_MAP,
  NO_PAGE,
  PAGE_HEADER_BYTES,
  PAGE_SIZES,
  type PageSize,
  sealPage,
} from '../format/page.js';
import { PageMemory } from '../format/page-memory.js';
import { SpaceGeometry } from '../format/space-page.js';

/** Where images differ: the store's id, and what is computed from it. */
const CHECKSUM_END = 4;
const ID_FROM = META_PROBE_BYTES;
const ID_TO = META_PROBE_BYTES + STORE_ID_BYTES;

/**
 * Whether the bytes are what a crash during the writing of an image leaves behind: each is the
 * image's, or zero where the disk never got it. A store that had a commit differs in its meta pages.
 */
export function isUnfinishedImage(bytes: Buffer): boolean {
  return PAGE_SIZES.some((pageSize) => {
    const image = createImage(pageSize);
    if (bytes.length > image.length) return false;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] === 0) continue;
      const inPage = i % pageSize;
      // These are another image's at each making. Only our magic beside them tells that they are one's at all:
      // a byte of some text may well be equal to one of a checksum.
      const varies =
        i < META_PAGES * pageSize && (inPage < CHECKSUM_END || (inPage >= ID_FROM && inPage < ID_TO));
      if (varies ? !hasMagic(bytes, i - inPage) : bytes[i] !== image[i]) return false;
    }
    return true;
  });
}

export function createImage(pageSize: PageSize): Buffer {
  const geometry = new SpaceGeometry(pageSize);
  const pageCount = geometry.fixedEnd(0);
  const memory = new PageMemory(pageCount * pageSize);
  const directories = new Uint32Array(2 * META_REFERENCES);
  const mapPage = geometry.mapPage(0, 0);
  initPage(memory, mapPage * pageSize, KIND_SPACE_MAP, mapPage, 0, 0);
  const directoryPage = geometry.directoryPage(0, 0);
  initPage(memory, directoryPage * pageSize, KIND_SPACE_DIRECTORY, directoryPage, 0, 0);
  memory.u32[(directoryPage * pageSize + PAGE_HEADER_BYTES) >>> 2] = sealPage(
    memory,
    mapPage * pageSize,
    pageSize,
  );
  directories[0] = sealPage(memory, directoryPage * pageSize, pageSize);
  const meta: Meta = {
    pageSize,
    storeId: crypto.randomBytes(STORE_ID_BYTES),
    sequence: 0,
    generation: 0,
    stamp: 0,
    pageCount,
    freePages: 0,
    catalogPage: NO_PAGE,
    catalogStamp: 0,
    buckets: 0,
    directories,
  };
  // Both are written, so that a meta page that does not hold always means damage.
  encodeMeta(memory, 0, 0, meta);
  encodeMeta(memory, pageSize, 1, { ...meta, generation: 1 });
  return memory.bytes;
}
