// Damage whose checksums are right: trees that lead in circles, counts and lengths that are not so, keys out of
// order, references to where nothing is. Each is found by a check; what is read besides is right or raises a
// StoreError, and nothing takes for ever, or memory without bound.

import { expect } from 'chai';
import type { StoreDatabase } from '../../lib/database.js';
import { StoreError } from '../../lib/errors.js';
import { setChildEntries, setChildPage } from '../../lib/format/branch.js';
import { numbered } from '../helpers/bytes.js';
import { everyPageStore } from '../helpers/every-page-store.js';
import { openBytes } from '../helpers/store-bytes.js';
import { KnownStore, Observation } from './observation.js';
import { PageSurgeon, rootsOf } from './page-surgeon.js';

const PAGE_SIZE = 4096;
/** More than all of the store and what a reader keeps; far less than any length that is claimed below. */
const MEMORY_BYTES_MAX = 96 * 1024 * 1024;

/** What damages have to work with. */
interface Patient {
  readonly surgeon: PageSurgeon;
  root(name: string): { page: number; stamp: number };
  /** Changes the catalog's record of a bucket: 32 bytes. */
  changeRecord(name: string, work: (record: Buffer) => unknown): void;
}

type Damage = (patient: Patient) => void;

function setChild(surgeon: PageSurgeon, page: number, slot: number, child: number, stamp?: number): void {
  surgeon.change(page, () =>
    setChildPage(surgeon.memory, surgeon.base(page), slot, child, stamp ?? surgeon.stamp(child)),
  );
}

const damages: Readonly<Record<string, Damage>> = {
  'a branch that is its own child': ({ surgeon, root }) => {
    const page = root('high').page;
    setChild(surgeon, page, 1, page);
  },
  'a branch whose child is its parent': ({ surgeon, root }) => {
    const [top, below] = surgeon.wayDown(root('high').page);
    setChild(surgeon, below, 0, top);
  },
  'a branch over leaves whose child is the root': ({ surgeon, root }) => {
    const way = surgeon.wayDown(root('high').page);
    setChild(surgeon, way[way.length - 2], 0, way[0]);
  },
  'a ring of levels that look right': ({ surgeon, root }) => {
    const way = surgeon.wayDown(root('high').page);
    surgeon.change(way[way.length - 2], (page) => page.writeUInt8(surgeon.level(way[0]) + 1, 19));
    setChild(surgeon, way[way.length - 2], 0, way[0]);
  },
  'two slots with one child': ({ surgeon, root }) => {
    const page = root('high').page;
    setChild(surgeon, page, 1, surgeon.child(page, 0));
  },
  'a tree that goes on in another': ({ surgeon, root }) => {
    const page = root('wide').page;
    setChild(surgeon, page, 0, surgeon.leaves(root('loaded').page)[0]);
  },
  'a child past the end of the file': ({ surgeon, root }) => {
    setChild(surgeon, root('high').page, 1, 1_000_000, 5);
  },
  'a child at the last page that there can be': ({ surgeon, root }) => {
    setChild(surgeon, root('high').page, 1, 0xffff_ffff, 5);
  },
  'no page for a child': ({ surgeon, root }) => setChild(surgeon, root('high').page, 1, 0, 0),
  'a meta page for a child': ({ surgeon, root }) => setChild(surgeon, root('high').page, 1, surgeon.meta),
  'a map for a child': ({ surgeon, root }) => setChild(surgeon, root('high').page, 1, 2),
  'a leaf at the level of a branch': ({ surgeon, root }) => {
    const page = root('high').page;
    setChild(surgeon, page, 0, surgeon.leaves(page)[0]);
  },
  'a branch at another level': ({ surgeon, root }) => {
    const page = root('high').page;
    surgeon.change(page, (bytes) => bytes.writeUInt8(surgeon.level(page) + 3, 19));
  },
  'a branch of the highest level': ({ surgeon, root }) =>
    surgeon.change(root('high').page, (bytes) => bytes.writeUInt8(255, 19)),
  'a count below a child that is too small': ({ surgeon, root }) => {
    const page = root('high').page;
    surgeon.change(page, () => setChildEntries(surgeon.memory, surgeon.base(page), 0, 1, false));
  },
  'a count below a child that is huge': ({ surgeon, root }) => {
    const page = root('high').page;
    surgeon.change(page, () => setChildEntries(surgeon.memory, surgeon.base(page), 0, 2 ** 47 - 1, false));
  },
  'a count of a bucket that is not so': ({ changeRecord }) =>
    changeRecord('wide', (record) => record.writeBigUInt64LE(3n, 8)),
  'a count of a bucket that is huge': ({ changeRecord }) =>
    changeRecord('wide', (record) => record.writeBigUInt64LE(2n ** 64n - 1n, 8)),
  'a count of buckets that is not so': ({ surgeon }) =>
    surgeon.change(surgeon.meta, (bytes) => bytes.writeBigUInt64LE(3n, 80)),
  'a count in a leaf that is too small': ({ surgeon, root }) => {
    const [leaf] = surgeon.leaves(root('wide').page);
    surgeon.change(leaf, (bytes) => bytes.writeUInt16LE(surgeon.count(leaf) - 1, 20));
  },
  'a count in a leaf that is huge': ({ surgeon, root }) =>
    surgeon.change(surgeon.leaves(root('wide').page)[0], (bytes) => bytes.writeUInt16LE(0xffff, 20)),
  'a branch that tells of no large values, though a leaf has some': ({ surgeon, root, changeRecord }) => {
    expect(surgeon.level(root('long').page)).to.equal(0);
    changeRecord('long', (record) => record.writeUInt32LE(0, 24));
  },
  'a bucket without a root that counts entries': ({ changeRecord }) =>
    changeRecord('wide', (record) => record.writeUInt32LE(0, 0)),
  'a root past the end of the file': ({ changeRecord }) =>
    changeRecord('wide', (record) => record.writeUInt32LE(0xffff_fff0, 0)),
  'a root that is a page of a value': ({ surgeon, root, changeRecord }) => {
    const leaf = root('long').page;
    const page = surgeon.page(leaf).readUInt32LE(surgeon.largeRecord(leaf) + 12);
    changeRecord('wide', (record) => {
      record.writeUInt32LE(page, 0);
      record.writeUInt32LE(surgeon.stamp(page), 4);
    });
  },
  'a root that is a map': ({ surgeon, changeRecord }) =>
    changeRecord('wide', (record) => {
      record.writeUInt32LE(3, 0);
      record.writeUInt32LE(surgeon.stamp(3), 4);
    }),
  'a root that is the catalog': ({ root, changeRecord }) =>
    changeRecord('wide', (record) => {
      record.writeUInt32LE(root('').page, 0);
      record.writeUInt32LE(root('').stamp, 4);
    }),
  'a catalog that is a bucket': ({ surgeon, root }) =>
    surgeon.change(surgeon.meta, (bytes) => {
      bytes.writeUInt32LE(root('wide').page, 72);
      bytes.writeUInt32LE(root('wide').stamp, 76);
    }),
  'a checkpoint that is longer than its record': ({ changeRecord }) =>
    changeRecord('wide', (record) => record.writeUInt32LE(0xffff_ffff, 28)),
  'keys in a leaf out of order behind their heads': ({ surgeon, root }) => {
    // The first two are alike but for their last bytes.
    const [leaf] = surgeon.leaves(root('high').page);
    const offsets = 32 + 4 * surgeon.count(leaf);
    surgeon.change(leaf, (bytes) => {
      expect(bytes.readUInt32LE(32), 'heads that tie').to.equal(bytes.readUInt32LE(36));
      const first = bytes.readUInt16LE(offsets);
      bytes.writeUInt16LE(bytes.readUInt16LE(offsets + 2), offsets);
      bytes.writeUInt16LE(first, offsets + 2);
    });
  },
  'heads in a leaf out of order': ({ surgeon, root }) => {
    const leaf = surgeon.leaves(root('wide').page)[1];
    surgeon.change(leaf, (bytes) => bytes.writeUInt32LE(0xffff_ffff, 32));
  },
  'keys that do not belong below their separators': ({ surgeon, root }) => {
    const page = root('wide').page;
    const [first, second] = [surgeon.child(page, 0), surgeon.child(page, 1)];
    const [firstStamp, secondStamp] = [surgeon.childStamp(page, 0), surgeon.childStamp(page, 1)];
    setChild(surgeon, page, 0, second, secondStamp);
    setChild(surgeon, page, 1, first, firstStamp);
  },
  'a key changed within its leaf': ({ surgeon, root }) => {
    const leaf = surgeon.leaves(root('high').page)[2];
    surgeon.change(leaf, (bytes) => bytes.writeUInt8(bytes[PAGE_SIZE - 1] ^ 0x40, PAGE_SIZE - 1));
  },
  'a separator of another place': ({ surgeon, root }) => {
    const page = root('wide').page;
    surgeon.change(page, (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(32 + 4) + 0x100, 32 + 4));
  },
  'a value of the greatest length': ({ surgeon, root }) => {
    const leaf = root('long').page;
    const record = surgeon.largeRecord(leaf);
    surgeon.change(leaf, (bytes) => bytes.writeUIntLE(2 ** 48 - 1, record, 6));
  },
  'a value whose extent has four thousand million pages': ({ surgeon, root }) => {
    const leaf = root('long').page;
    const record = surgeon.largeRecord(leaf);
    const pages = 0xffff_ffff;
    surgeon.change(leaf, (bytes) => {
      const length = bytes.readUIntLE(record, 6);
      const tail = length % 4064 <= 512 ? length % 4064 : 0;
      bytes.writeUIntLE(pages * 4064 + tail, record, 6);
      bytes.writeUInt32LE(pages, record + 16);
    });
  },
  'a value of a gigabyte that is not in the file': ({ surgeon, root }) => {
    const leaf = root('long').page;
    const record = surgeon.largeRecord(leaf);
    const pages = 300_000;
    surgeon.change(leaf, (bytes) => {
      const length = bytes.readUIntLE(record, 6);
      const tail = length % 4064 <= 512 ? length % 4064 : 0;
      bytes.writeUIntLE(pages * 4064 + tail, record, 6);
      bytes.writeUInt32LE(pages, record + 16);
    });
  },
  'a value in the pages of a tree': ({ surgeon, root }) => {
    const leaf = root('long').page;
    const record = surgeon.largeRecord(leaf);
    surgeon.change(leaf, (bytes) => bytes.writeUInt32LE(root('wide').page, record + 12));
  },
  'a value past the end of the file': ({ surgeon, root }) => {
    const leaf = root('long').page;
    const record = surgeon.largeRecord(leaf);
    surgeon.change(leaf, (bytes) => bytes.writeUInt32LE(0xffff_fff0, record + 12));
  },
  'more extents than there can be': ({ surgeon, root }) => {
    const leaf = root('long').page;
    const record = surgeon.largeRecord(leaf);
    surgeon.change(leaf, (bytes) => bytes.writeUInt16LE(0xffff, record + 6));
  },
  'a page in use that the map calls free': ({ surgeon, root }) => {
    const page = root('wide').page;
    surgeon.changeMap((map) => map.writeUInt8(map[32 + (page >>> 3)] | (1 << (page & 7)), 32 + (page >>> 3)));
  },
  'pages of fixed use that the map calls free': ({ surgeon }) =>
    surgeon.changeMap((map) => map.writeUInt8(map[32] | 0b11_1111, 32)),
  'a free page that the map calls used': ({ surgeon }) =>
    surgeon.changeMap((map) => {
      const byte = map.findIndex((bits, at) => at >= 32 && bits !== 0);
      map.writeUInt8(map[byte] & (map[byte] - 1), byte);
    }),
  'a map with nothing but ones': ({ surgeon }) => surgeon.changeMap((map) => map.fill(0xff, 32)),
  'a map with nothing but ones, counted so': ({ surgeon }) =>
    surgeon.changeMap((map) => map.fill(0xff, 32), (PAGE_SIZE - 32) * 8),
  'a count of free pages that is none': ({ surgeon }) =>
    surgeon.change(surgeon.meta, (bytes) => bytes.writeUInt32LE(0, 68)),
  'a count of free pages that is not so': ({ surgeon }) =>
    surgeon.change(surgeon.meta, (bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(68) + 1, 68)),
  'a page count that leaves pages out': ({ surgeon, root }) => {
    surgeon.change(surgeon.meta, (bytes) =>
      bytes.writeUInt32LE(Math.max(...surgeon.leaves(root('high').page)), 64),
    );
  },
};

describe('structural damage', () => {
  let known: KnownStore;
  let makePatient: () => Patient;
  before(async () => {
    const versions = await everyPageStore(PAGE_SIZE);
    known = new KnownStore(versions[versions.length - 1]);
    const root = await rootsOf(known.bytes);
    makePatient = () => {
      const surgeon = new PageSurgeon(known.bytes, PAGE_SIZE);
      return {
        surgeon,
        root,
        changeRecord: (name, work) => changeRecord(surgeon, root('').page, name, work),
      };
    };
  });

  /** The catalog's record of a bucket is known by its root page. */
  function changeRecord(
    surgeon: PageSurgeon,
    catalog: number,
    name: string,
    work: (record: Buffer) => unknown,
  ): void {
    const { page, stamp } = makeRecordProbe(name);
    for (const leaf of surgeon.leaves(catalog)) {
      const bytes = surgeon.page(leaf);
      for (let at = 32; at + 32 <= bytes.length; at += 4) {
        if (bytes.readUInt32LE(at) !== page || bytes.readUInt32LE(at + 4) !== stamp) continue;
        surgeon.change(leaf, () => work(bytes.subarray(at, at + 32)));
        return;
      }
    }
    expect.fail(`no record of ${name} was found`);
  }

  function makeRecordProbe(name: string): { page: number; stamp: number } {
    return makePatient().root(name);
  }

  /** Runs what may fail with a StoreError and with nothing else. */
  async function attempt(work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
    }
  }

  /** Changes the damaged bucket in every way that there is. */
  async function write(db: StoreDatabase, name: string): Promise<void> {
    await attempt(() => db.bucket(name).put(numbered(5), 'changed'));
    await attempt(() => db.bucket(name).put('value 0', 'changed'));
    await attempt(() => db.bucket(name).delete('value 1'));
    await attempt(() => db.bucket(name).delete(numbered(7)));
    await attempt(() => db.write((tx) => tx.bucket(name).deleteRange({ gt: numbered(3) })));
    await attempt(async () => {
      const load = db.bucket(name).bulkWriter();
      load.on('error', () => undefined);
      load.add('zzzz', 'last');
      await load.finish();
    });
    await attempt(() => db.dropBucket(name));
  }

  for (const [what, damage] of Object.entries(damages)) {
    it(`is found: ${what}`, async () => {
      const patient = makePatient();
      damage(patient);
      const { bytes } = patient.surgeon;
      expect(bytes.equals(known.bytes), 'the damage').to.equal(false);
      const before = process.memoryUsage();
      const db = await openBytes(bytes, { readOnly: true });
      const observation = await new Observation(db, known.newest).readAll();
      const report = await db.check();
      expect(report.ok, `wrong: ${observation.wrong.join(', ')}`).to.equal(false);
      await db.close();
      for (const name of ['high', 'wide', 'long']) {
        const opened = await openFileOrNone(bytes);
        if (opened === undefined) continue;
        await write(opened, name);
        await attempt(() => opened.close());
      }
      const after = process.memoryUsage();
      const taken = after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed;
      expect(taken, 'bytes of memory').to.be.below(MEMORY_BYTES_MAX);
    });
  }

  async function openFileOrNone(bytes: Buffer): Promise<StoreDatabase | undefined> {
    let db: StoreDatabase | undefined;
    await attempt(async () => {
      db = await openBytes(bytes);
    });
    return db;
  }

  it('is not found where there is none', async () => {
    const { surgeon } = makePatient();
    for (let page = 0; page < known.pages; page++)
      if (known.isReached(page)) surgeon.change(page, () => undefined);
    surgeon.changeMap(() => undefined);
    expect(surgeon.bytes.equals(known.bytes)).to.equal(true);
    const db = await openBytes(surgeon.bytes);
    expect((await db.check()).problems).to.deep.equal([]);
    await write(db, 'high');
    expect((await db.check()).problems).to.deep.equal([]);
    await db.close();
  });
});
