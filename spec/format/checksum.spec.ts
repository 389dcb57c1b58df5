// lib/format/checksum.ts: the published vectors of CRC32C, with the prebuilt binary and without it.

import { execFileSync } from 'node:child_process';
import { expect } from 'chai';
import fc from 'fast-check';
import { crc32c } from '../../lib/format/checksum.js';
import { patterned } from '../helpers/bytes.js';
import { seeded } from '../helpers/seed.js';

const ascending = Buffer.from(Array.from({ length: 32 }, (_, index) => index));
// RFC 3720, B.4, whose last vector is a SCSI Read (10) command.
const command = Buffer.from(
  '01c00000000000000000000000000000' +
    '14000000000004000000001400000018' +
    '28000000000000000200000000000000',
  'hex',
);

const vectors: ReadonlyArray<[name: string, bytes: Buffer, checksum: number]> = [
  ['nothing', Buffer.alloc(0), 0],
  ['the digits', Buffer.from('123456789'), 0xe306_9283],
  ['one letter', Buffer.from('a'), 0xc1d0_4330],
  ['32 zeros', Buffer.alloc(32), 0x8a91_36aa],
  ['32 bytes of all ones', Buffer.alloc(32, 0xff), 0x62a8_ab43],
  ['32 ascending bytes', ascending, 0x46dd_794e],
  ['32 descending bytes', Buffer.from(ascending).reverse(), 0x113f_db5c],
  ['a read command', command, 0xd996_3a56],
];

// Run where the package of the prebuilt binary cannot be loaded: prints the checksums of what it is given.
const withoutBinary = `
  import Module, { createRequire } from 'node:module';
  const load = Module._load;
  let refused = 0;
  Module._load = (request, ...rest) => {
    if (!request.startsWith('@node-rs/')) return load(request, ...rest);
    refused++;
    throw new Error('no prebuilt binary');
  };
  const { crc32c } = await import(process.argv[1]);
  const inputs = JSON.parse(process.argv[2]);
  const checksums = inputs.map(({ hex, seed }) => crc32c(Buffer.from(hex, 'hex'), seed));
  console.log(JSON.stringify({ refused, checksums }));
`;

describe('checksum', () => {
  for (const [name, bytes, checksum] of vectors) {
    it(`of ${name} is as published`, () => expect(crc32c(bytes)).to.equal(checksum));
  }

  it('goes on from the checksum of what came before', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        const whole = crc32c(bytes);
        expect(crc32c(bytes.subarray(cut), crc32c(bytes.subarray(0, cut)))).to.equal(whole);
        expect(whole).to.be.within(0, 0xffff_ffff);
      }),
      seeded(300),
    );
  });

  it('changes with every single bit', () => {
    const bytes = patterned(257, 3);
    const whole = crc32c(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >>> 3] ^= 1 << (bit & 7);
      expect(crc32c(bytes), `bit ${bit}`).to.not.equal(whole);
      bytes[bit >>> 3] ^= 1 << (bit & 7);
    }
  });

  it('is the same in plain JavaScript, where no prebuilt binary loads', () => {
    const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65, 1000, 4092];
    const inputs = lengths.map((length) => ({ bytes: patterned(length, length), seed: 0 }));
    // Seeds with and without the sign bit: the package works with signed numbers.
    for (const seed of [1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff])
      inputs.push({ bytes: patterned(33, 1), seed });
    for (const [, bytes] of vectors) inputs.push({ bytes, seed: 0 });
    const given = JSON.stringify(inputs.map(({ bytes, seed }) => ({ hex: bytes.toString('hex'), seed })));
    const module = new URL('../../lib/format/checksum.ts', import.meta.url).href;
    const flags = ['--import', 'tsx', '--input-type=module', '--eval', withoutBinary];
    const printed = execFileSync(process.execPath, [...flags, module, given], { encoding: 'utf8' });
    const { refused, checksums } = JSON.parse(printed) as { refused: number; checksums: number[] };
    expect(refused).to.be.above(0);
    expect(checksums).to.deep.equal(inputs.map(({ bytes, seed }) => crc32c(bytes, seed)));
  });
});
