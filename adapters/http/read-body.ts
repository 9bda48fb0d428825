import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { NotDecoded, zstdDecompress } from './zstd.ts';

/** The codings that `readBody` decodes, as the value of `Accept-Encoding`. */
export const ACCEPT_ENCODING = 'gzip, deflate, br, zstd';

/** A body as it was read. */
export type Body =
  /** `complete: false`: it is longer than the cap, and `text` is its beginning. */
  | { readonly text: string; readonly complete: boolean; readonly unreadable?: never }
  /** Why it could not be decoded, as part of a sentence. `ours`: the coding is not one that we asked for. */
  | { readonly unreadable: string; readonly ours: boolean; readonly text?: never; readonly complete?: never };

/** Codings on top of each other that are decoded; each could multiply the work. */
const MAX_CODINGS = 3;

/**
 * Reads a body up to a cap, which holds for its bytes on the wire and for its text, and decodes it by its `Content-Encoding`
 * (RFC 9110, 8.4). Drops a byte order mark (RFC 8259, 8.1). `AsyncIterable` is what undici's bodies are: leaving the
 * loop early destroys the connection.
 * @throws what the connection throws.
 */
export async function readBody(
  body: AsyncIterable<unknown>,
  headers: Dispatcher.ResponseData['headers'],
  maxBytes: number,
): Promise<Body> {
  // A transfer coding is put on top (RFC 9112, 6.1), though we ask for none; the chunks are taken off already.
  const codings = [headers['content-encoding'] ?? [], headers['transfer-encoding'] ?? []]
    .flat()
    .flatMap((value) => value.toLowerCase().split(','))
    .map((coding) => coding.trim())
    .filter((coding) => !['', 'identity', 'chunked'].includes(coding));
  const raw = await readCapped(body, maxBytes);
  const unknown = codings.find((coding) => !Object.hasOwn(DECODERS, coding));
  if (unknown !== undefined)
    return { unreadable: `its coding "${unknown.slice(0, 40)}" is not one that is read here`, ours: true };
  if (codings.length > MAX_CODINGS) return { unreadable: `it has ${codings.length} codings`, ours: true };
  if (codings.length > 0 && !raw.complete) return { unreadable: `it is longer than ${maxBytes} bytes`, ours: true };
  let bytes: Buffer = raw.bytes;
  for (const coding of codings.toReversed()) {
    if (bytes.length === 0) break; // an answer without a body may name a coding
    try {
      bytes = DECODERS[coding]?.(bytes, maxBytes) ?? bytes;
    } catch (error) {
      if (isTooLong(error)) return { unreadable: `it is longer than ${maxBytes} bytes`, ours: true };
      if (error instanceof NotDecoded) return { unreadable: error.message, ours: true };
      return { unreadable: `it is not the ${coding} that its Content-Encoding names`, ours: false };
    }
  }
  return { text: new TextDecoder(charsetOf(bytes)).decode(bytes), complete: raw.complete };
}

/** UTF-8, as JSON should be (RFC 8259, 8.1), or UTF-16, which some servers send: a byte order mark or a zero byte tells (RFC 4627, 3). */
function charsetOf([first, second]: Buffer): string {
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  return (first === 0xfe && second === 0xff) || (first === 0 && second !== 0 && second !== undefined)
    ? 'utf-16be'
    : 'utf-8';
}

/** Reads the bytes of a body up to a cap, and lets go of the rest. @throws what the connection throws. */
export async function readCapped(body: AsyncIterable<unknown>, maxBytes: number) {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk instanceof Uint8Array ? chunk : String(chunk));
    size += bytes.length;
    if (size > maxBytes) {
      chunks.push(bytes.subarray(0, bytes.length - (size - maxBytes)));
      return { bytes: Buffer.concat(chunks), complete: false };
    }
    chunks.push(bytes);
  }
  return { bytes: Buffer.concat(chunks), complete: true };
}

type Decode = (bytes: Buffer, maxBytes: number) => Buffer;

const gzip: Decode = (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength });

const DECODERS: Readonly<Record<string, Decode>> = {
  gzip,
  'x-gzip': gzip,
  // Some servers send it without the zlib header that RFC 9110 asks for; browsers and curl read both.
  deflate: (bytes, maxOutputLength) =>
    hasZlibHeader(bytes) ? inflateSync(bytes, { maxOutputLength }) : inflateRawSync(bytes, { maxOutputLength }),
  br: (bytes, maxOutputLength) => brotliDecompressSync(bytes, { maxOutputLength }),
  zstd: zstdDecompress,
};

/** RFC 1950, 2.2: method 8 (deflate), and a checksum over the first two bytes. */
const hasZlibHeader = (bytes: Buffer): boolean =>
  ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.length > 1 && bytes.readUInt16BE(0) % 31 === 0;

const isTooLong = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
