import { Decompress } from 'fzstd';

/** Largest window of a frame, bytes: what a content coding may ask for (RFC 9659). fzstd allocates it before it reads on. */
const MAX_WINDOW = 8 * 1024 * 1024;

/** Most that the windows of all frames may take, bytes: each is cleared and copied, however little its frame holds. */
const MAX_WINDOWS = 64 * 1024 * 1024;

/** Why a body is not decoded here, as part of a sentence; it may be right all the same. */
export class NotDecoded extends Error {}

/**
 * Decodes zstd, of which Node's own zlib has a decoder from 22.15 on only.
 * @throws NotDecoded where it would take more memory than is given to it; another error where it is no zstd.
 */
export function zstdDecompress(bytes: Buffer, maxBytes: number): Buffer {
  let windows = 0;
  for (const window of windowsOf(bytes)) {
    windows += window;
    if (window > MAX_WINDOW) throw new NotDecoded(`its zstd window is larger than ${MAX_WINDOW / 1024 / 1024} MiB`);
    if (windows > MAX_WINDOWS) throw new NotDecoded('it has too many zstd frames');
  }
  const pieces: Uint8Array[] = [];
  let size = 0;
  const stream = new Decompress((piece) => {
    size += piece.length;
    if (size > maxBytes) throw new NotDecoded(`it is longer than ${maxBytes} bytes`);
    pieces.push(piece);
  });
  stream.push(bytes, true);
  return Buffer.concat(pieces);
}

/** What each frame declares as its window, bytes (RFC 8878, 3.1.1). Ends at what is no frame, which the decoder then refuses. */
function* windowsOf(bytes: Buffer): Generator<number> {
  const uint = (at: number, size: number): number =>
    bytes.subarray(at, at + size).reduceRight((sum, byte) => sum * 256 + byte, 0);
  let at = 0;
  while (at < bytes.length) {
    const magic = uint(at, 4);
    if (magic >>> 4 === 0x184d2a5) {
      at += 8 + uint(at + 4, 4); // skippable
      continue;
    }
    if (magic !== 0xfd2fb528) return;
    const descriptor = uint(at + 4, 1);
    const single = (descriptor & 0x20) !== 0;
    const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
    const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
    const afterWindow = at + (single ? 5 : 6);
    const base = 2 ** (10 + (uint(at + 5, 1) >> 3));
    yield single ? uint(afterWindow + dictionary, contentSize) : base + (base / 8) * (uint(at + 5, 1) & 7);

    at = afterWindow + dictionary + contentSize;
    for (let last = false; !last && at < bytes.length; ) {
      const block = uint(at, 3);
      last = (block & 1) === 1;
      at += 3 + (((block >> 1) & 3) === 1 ? 1 : block >> 3); // a block that repeats one byte has only that
    }
    if ((descriptor & 4) !== 0) at += 4; // the checksum
  }
}
