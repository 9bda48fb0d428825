import { errors } from 'undici';
import { MAX_HEADER_BYTES } from '../http/own-connection.ts';

/** Why no answer came: what production did (`fail`), or what is ours (`unknown`). */
export interface Failure {
  readonly health: 'fail' | 'unknown';
  /** Part of a sentence. */
  readonly why: string;
}

/** Before the status: what the parser rejects of a header comes under this code, too, once it has seen a Content-Length. */
const LENGTH_MISMATCH = 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';

/** What this machine lacks or cannot do, whatever production does. Failures to resolve a name for now begin with `EAI_`. */
const OURS: Readonly<Record<string, string>> = {
  EMFILE: 'this worker has too many files open',
  ENFILE: 'this machine has too many files open',
  ENOBUFS: 'this machine is out of network buffers',
  ENOMEM: 'this machine is out of memory',
  EADDRNOTAVAIL: 'this machine is out of ports',
  ENETUNREACH: 'this machine has no way into that network',
  ENETDOWN: 'the network of this machine is down',
  EACCES: 'this machine may not connect there',
  EPERM: 'this machine may not connect there',
  UND_ERR_INVALID_ARG: 'the request is not valid: check URL and headers',
  UND_ERR_NOT_SUPPORTED: 'the request is not supported: check the headers',
  UND_ERR_ABORTED: 'the probe was aborted',
  ERR_INVALID_CHAR: 'a header is not valid',
  ERR_INVALID_IP_ADDRESS: 'the resolver of this machine gave something that is no address',
  ERR_INVALID_ADDRESS_FAMILY: 'the resolver of this machine gave something that is no address',
  UND_ERR_HEADERS_OVERFLOW: `its headers are longer than the ${MAX_HEADER_BYTES / 1024} KiB that are read here`,
  [LENGTH_MISMATCH]: 'its Content-Length is not one that is understood here',
};

const PRODUCTION: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was reset',
  UND_ERR_SOCKET: 'the connection was closed before the answer was complete',
  ENOTFOUND: 'the name does not exist',
  ETIMEDOUT: 'no connection could be made in time',
  UND_ERR_CONNECT_TIMEOUT: 'no connection could be made in time',
  EHOSTUNREACH: 'the host cannot be reached',
};

/** Codes of HTTP/2 by which Node refuses too many headers, or a server asks for fewer requests, or HTTP/1.1. */
const OUR_STREAM = /NGHTTP2_(FRAME_SIZE_ERROR|ENHANCE_YOUR_CALM|HTTP_1_1_REQUIRED)$/;

const TLS = /CERT|^ERR_TLS|^ERR_SSL|^EPROTO$|^HOSTNAME_MISMATCH$|^CRL_/;

/** The codes of an error and of all that caused it; several addresses of a host that were tried each have their own. */
function codesOf(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error) || depth > 4) return [];
  const inner = error instanceof AggregateError ? error.errors : [error.cause];
  const deeper = inner.flatMap((each: unknown) => codesOf(each, depth + 1));
  return deeper.length > 0 || !('code' in error) || typeof error.code !== 'string' ? deeper : [error.code];
}

/** What the parser says of an answer that curl, too, takes for none (measured: curl 7.88, undici 7.30). */
const NOT_HTTP = /expected HTTP|HTTP version|status|(character in|empty|overflow.*) content-length/i;

/**
 * What the parser stopped at, where curl stops there, too: a size of a chunk without a digit (what follows the digits curl skips), a
 * header line that ends before a colon, a NUL in a header.
 */
const STOPPED_AT: readonly (readonly [message: RegExp, at: RegExp])[] = [
  [/character in chunk size/i, /^[^\s;]/],
  [/header token/i, /^[\r\n\0]/],
  [/header value char/i, /^\0/],
];

const isNoHttp = (error: unknown, rejected: string): boolean => {
  // The types of the error leave its data out.
  const at = error instanceof errors.HTTPParserError && 'data' in error ? String(error.data) : '';
  return NOT_HTTP.test(rejected) || STOPPED_AT.some(([message, stop]) => message.test(rejected) && stop.test(at));
};

/** Why the HTTP parser rejected an answer; `null`: it was something else. */
function rejection(error: unknown): string | null {
  if (error instanceof errors.HTTPParserError) return /\((.+)\)$/.exec(error.message)?.[1] ?? error.message;
  // An interim answer that nobody asked for, 100 Continue; servers send it, and curl reads on.
  return error instanceof errors.SocketError && error.message === 'bad response' ? 'unexpected 100 Continue' : null;
}

/**
 * Whose failure it is that a request got no answer (design, `What is a failure`). Where a host has several addresses, one
 * at which production failed decides. An answer that only our parser rejects is ours, and so is an error without a code: a bug
 * here. Never throws.
 */
export function classifyFailure(error: unknown, when: 'before the status' | 'after it' = 'before the status'): Failure {
  const rejected = rejection(error);
  if (rejected !== null) {
    return isNoHttp(error, rejected)
      ? { health: 'fail', why: `the answer is not HTTP (${rejected})` }
      : { health: 'unknown', why: `the HTTP parser of this worker rejects the answer (${rejected})` };
  }
  const codes = codesOf(error);
  if (codes.includes('ERR_HTTP2_STREAM_ERROR')) return ofStream(said(error), when);
  if (when === 'after it' && codes.includes(LENGTH_MISMATCH))
    return { health: 'fail', why: `its body is not as long as its Content-Length says (${LENGTH_MISMATCH})` };
  const theirs = codes.find((code) => !(code in OURS) && !code.startsWith('EAI_'));
  if (theirs !== undefined) {
    const why = PRODUCTION[theirs] ?? (TLS.test(theirs) ? 'TLS failed' : 'the answer cannot be understood');
    return { health: 'fail', why: `${why} (${theirs})` };
  }
  const [ours] = codes;
  if (ours === undefined) return { health: 'unknown', why: `the probe broke: ${said(error)}` };
  return { health: 'unknown', why: `${OURS[ours] ?? 'the name cannot be resolved just now'} (${ours})` };
}

function ofStream(message: string, when: 'before the status' | 'after it'): Failure {
  const code = /NGHTTP2_\w+$/.exec(message)?.[0] ?? message;
  return when === 'before the status' && OUR_STREAM.test(code)
    ? { health: 'unknown', why: `this worker does not read the answer over HTTP/2 (${code})` }
    : { health: 'fail', why: `the HTTP/2 stream was reset (${code})` };
}

const said = (error: unknown): string => (error instanceof Error ? error.message : 'no error was given').slice(0, 80);
