import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readBody } from '../../../adapters/http/read-body.ts';

const CAP = 1_000;
const JSON_TEXT = '{"status":"ok","of":"ééé"}';

/** `JSON_TEXT` by `zstd -19`: Node has no encoder of its own before 22.15. */
const ZSTD = Buffer.from('KLUv/QRo6QAAeyJzdGF0dXMiOiJvayIsIm9mIjoiw6nDqcOpIn1tHYPF', 'base64');
/** A million zeros, by the same. */
const ZSTD_BOMB = Buffer.from('KLUv/QRoTAAACAABAPz/ORACAgAQAAIAEAACABAAAgAQAAIAEAACABAAAxIKAMyuyjk=', 'base64');

async function* pieces(bytes: Uint8Array, size = 7): AsyncIterable<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

const read = (bytes: Uint8Array, coding?: string | string[]) =>
  readBody(pieces(bytes), coding === undefined ? {} : { 'content-encoding': coding }, CAP);

const PLAIN = Buffer.from(JSON_TEXT);
const WHOLE = { text: JSON_TEXT, complete: true };

test.each<[string, Buffer, string | string[] | undefined]>([
  ['no coding', PLAIN, undefined],
  ['identity', PLAIN, 'identity'],
  ['a coding that is empty', PLAIN, ''],
  ['gzip', gzipSync(PLAIN), 'gzip'],
  ['x-gzip', gzipSync(PLAIN), 'x-gzip'],
  ['GZip', gzipSync(PLAIN), 'GZip'],
  ['deflate', deflateSync(PLAIN), 'deflate'],
  ['deflate without the header of zlib', deflateRawSync(PLAIN), 'deflate'],
  ['br', brotliCompressSync(PLAIN), 'br'],
  ['zstd', ZSTD, 'zstd'],
  ['two codings, the last one outermost', brotliCompressSync(gzipSync(PLAIN)), 'gzip, br'],
  ['two codings in two headers', brotliCompressSync(gzipSync(PLAIN)), ['gzip', 'br']],
])('%s is decoded', async (_, bytes, coding) => {
  expect(await read(bytes, coding)).toEqual(WHOLE);
});

test.each([
  ['plain', (text: string) => Buffer.from(text), undefined],
  ['gzip', (text: string) => gzipSync(text), 'gzip'],
])('a byte order mark is dropped: %s', async (_, encode, coding) => {
  expect(await read(encode(`\ufeff${JSON_TEXT}`), coding)).toEqual(WHOLE);
});

const LE = Buffer.from(JSON_TEXT, 'utf16le');
const BE = Buffer.from(LE).swap16();

test.each([
  ['little-endian', LE],
  ['big-endian', BE],
  ['little-endian, with a byte order mark', Buffer.concat([Buffer.from([0xff, 0xfe]), LE])],
  ['big-endian, with a byte order mark', Buffer.concat([Buffer.from([0xfe, 0xff]), BE])],
])('UTF-16 is read: %s', async (_, bytes) => {
  expect(await read(bytes)).toEqual(WHOLE);
});

test.each([[[]], [[0]], [[123]], [[0, 0]]])('a body too short to tell is UTF-8: %j', async (bytes) => {
  expect(await read(Buffer.from(bytes))).toEqual({ text: String.fromCharCode(...bytes), complete: true });
});

test('a transfer coding is decoded before the content coding', async () => {
  const transfer = { 'transfer-encoding': 'gzip, chunked' };
  expect(await readBody(pieces(gzipSync(PLAIN)), transfer, CAP)).toEqual(WHOLE);
  const both = { ...transfer, 'content-encoding': 'br' };
  expect(await readBody(pieces(gzipSync(brotliCompressSync(PLAIN))), both, CAP)).toEqual(WHOLE);
  expect(await readBody(pieces(PLAIN), { 'transfer-encoding': 'chunked' }, CAP)).toEqual(WHOLE);
});

test('a body that is empty stays so, whatever its coding', async () => {
  expect(await read(Buffer.alloc(0), 'gzip')).toEqual({ text: '', complete: true });
});

describe('what is not read', () => {
  test('a coding that we did not ask for is ours', async () => {
    expect(await read(PLAIN, 'compress')).toEqual({
      unreadable: 'its coding "compress" is not one that is read here',
      ours: true,
    });
    expect(await read(PLAIN, 'toString')).toMatchObject({ ours: true });
  });

  test('a body without a coding that is too long is cut', async () => {
    const { text, complete } = await read(Buffer.from('x'.repeat(CAP + 1)));
    expect([text, complete]).toEqual(['x'.repeat(CAP), false]);
  });

  test.each([
    ['gzip', gzipSync(Buffer.alloc(1_000_000)), 'gzip'],
    ['br', brotliCompressSync(Buffer.alloc(1_000_000)), 'br'],
    ['deflate', deflateSync(Buffer.alloc(1_000_000)), 'deflate'],
    ['zstd', ZSTD_BOMB, 'zstd'],
    ['gzip in gzip', gzipSync(gzipSync(Buffer.alloc(1_000_000))), 'gzip, gzip'],
    ['more than we read on the wire', Buffer.alloc(CAP + 1), 'gzip'],
  ])('a body that is too long once it is decoded is ours: %s', async (_, bytes, coding) => {
    expect(await read(bytes, coding)).toEqual({ unreadable: 'it is longer than 1000 bytes', ours: true });
  });

  describe('memory that a zstd frame asks for', () => {
    /** `JSON_TEXT` in one raw block of a frame whose header says `window`. */
    const frame = (...window: number[]): Buffer =>
      Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, ...window]), rawBlock(PLAIN)]);
    const rawBlock = (content: Buffer): Buffer => {
      const header = Buffer.alloc(3);
      header.writeUIntLE((content.length << 3) | 1, 0, 3);
      return Buffer.concat([header, content]);
    };
    const MIB_8 = 13 << 3;
    const GIB_1 = 20 << 3;
    const tooLarge = { unreadable: 'its zstd window is larger than 8 MiB', ours: true };

    test.each<[string, Buffer]>([
      ['a window of 1 GiB', frame(0, GIB_1)],
      ['the largest there is', frame(0, 0xff)],
      ['a single segment of 1 GiB', frame(0xa0, 0, 0, 0, 0x40)],
      ['a single segment with 8 bytes for its size', frame(0xe0, 0, 0, 0, 0, 1, 0, 0, 0)],
      ['behind the id of a dictionary', frame(0xa3, 1, 2, 3, 4, 0, 0, 0, 0x40)],
      ['in the second frame', Buffer.concat([frame(0, MIB_8), frame(0, GIB_1)])],
      ['behind a checksum', Buffer.concat([frame(4, MIB_8), Buffer.alloc(4), frame(0, GIB_1)])],
      ['behind a skippable frame', Buffer.concat([Buffer.from('502a4d1802000000ffff', 'hex'), frame(0, GIB_1)])],
      [
        'behind a block that repeats a byte',
        Buffer.concat([frame(0, MIB_8).subarray(0, 6), Buffer.from([0xfb, 0, 0, 120]), frame(0, GIB_1)]),
      ],
    ])('is not allocated: %s', async (_, bytes) => {
      const before = process.memoryUsage().arrayBuffers;
      expect(await read(bytes, 'zstd')).toEqual(tooLarge);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    });

    test('is not allocated again and again: many frames', async () => {
      const empty = frame(0, MIB_8).subarray(0, 6);
      const many = Buffer.concat(Array.from({ length: 100 }, () => Buffer.concat([empty, Buffer.from([1, 0, 0])])));
      expect(await read(many, 'zstd')).toEqual({ unreadable: 'it has too many zstd frames', ours: true });
    });

    test('is given to it where it is what RFC 9659 allows', async () => {
      expect(await read(frame(0, MIB_8), 'zstd')).toEqual(WHOLE);
      const two = await read(Buffer.concat([frame(0, MIB_8), frame(0x20, PLAIN.length)]), 'zstd');
      expect(two).toEqual({ text: JSON_TEXT + JSON_TEXT, complete: true });
    });
  });

  test('too many codings are ours', async () => {
    expect(await read(gzipSync(PLAIN), 'gzip, gzip, gzip, gzip')).toEqual({
      unreadable: 'it has 4 codings',
      ours: true,
    });
  });

  test.each(['gzip', 'deflate', 'br', 'zstd'])(
    'bytes that are not the %s of their header are the server’s',
    async (coding) => {
      expect(await read(PLAIN, coding)).toEqual({
        unreadable: `it is not the ${coding} that its Content-Encoding names`,
        ours: false,
      });
    },
  );

  test('a coding that breaks off half-way is the server’s', async () => {
    expect(await read(gzipSync(PLAIN).subarray(0, 20), 'gzip')).toMatchObject({ ours: false });
    expect(await read(ZSTD.subarray(0, 20), 'zstd')).toMatchObject({ ours: false });
  });
});

test('garbage never throws', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 200 }),
      fc.oneof(fc.constantFrom('gzip', 'deflate', 'br', 'zstd', 'gzip, zstd'), fc.string()),
      async (bytes, coding) => {
        expect(await read(bytes, coding)).toBeTypeOf('object');
      },
    ),
  );
});
