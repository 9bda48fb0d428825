/** Answers on the wire: Plane's headers, its compression, and the ways in which an ordered fault damages one. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { UNKNOWN_ROUTE } from './answer.ts';
import type { Outcome } from './pipeline.ts';
import { toJson } from './wire.ts';

const ALWAYS = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};
/** Bodies from this size on are compressed where the client asks for it, and vary by that (052 and 054). */
const COMPRESSIBLE_BYTES = 200;

export interface WireAnswer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export function onTheWire({ answer, headers }: Outcome, acceptEncoding: string): WireAnswer {
  const vary = headers['vary'] ?? 'Cookie, origin';
  if (answer.status === 301) {
    const { 'x-frame-options': _views, ...others } = ALWAYS;
    return {
      status: 301,
      headers: { 'content-type': 'text/html; charset=utf-8', ...headers, vary, ...others },
      body: Buffer.alloc(0),
    };
  }
  if (answer.body === undefined) {
    return {
      status: answer.status,
      headers: { ...headers, vary, 'content-length': '0', ...ALWAYS },
      body: Buffer.alloc(0),
    };
  }
  // Written by Django itself and not by the API's renderer, hence with a space.
  const plain = Buffer.from(answer === UNKNOWN_ROUTE ? '{"error": "Page not found."}' : toJson(answer.body));
  const compressible = plain.length >= COMPRESSIBLE_BYTES;
  const zipped = compressible && /\bgzip\b/.test(acceptEncoding);
  const body = zipped ? gzipSync(plain) : plain;
  return {
    status: answer.status,
    headers: {
      'content-type': 'application/json',
      ...headers,
      vary: compressible ? `Accept-Encoding, ${vary}` : vary,
      'content-length': String(body.length),
      ...(zipped ? { 'content-encoding': 'gzip' } : {}),
      ...ALWAYS,
    },
    body,
  };
}

/** An answer that a fault orders: an object as JSON, a text as a page. */
export function ordered(status: number, body: unknown, headers: Readonly<Record<string, string>>): WireAnswer {
  const page = typeof body === 'string';
  const bytes = Buffer.from(page ? body : toJson(body ?? { error: 'Something went wrong please try again later' }));
  const type = page ? 'text/html; charset=utf-8' : 'application/json';
  return {
    status,
    headers: {
      'content-type': type,
      vary: 'Cookie, origin',
      'content-length': String(bytes.length),
      ...ALWAYS,
      ...headers,
    },
    body: bytes,
  };
}

export const WEB_APP_PAGE =
  '<!DOCTYPE html><html lang="en"><head><title>Plane</title></head><body><div id="app"></div></body></html>';

export function send(response: ServerResponse, { status, headers, body }: WireAnswer): void {
  response.writeHead(status, headers);
  if (body.length > 0) response.write(body);
  response.end();
}

export function sendHalf(response: ServerResponse, { status, headers, body }: WireAnswer): void {
  response.writeHead(status, headers);
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}

/** One byte at a time, until the client has had enough. */
export function trickle(response: ServerResponse, { status, headers, body }: WireAnswer, everyMs: number): void {
  response.writeHead(status, headers);
  let sent = 0;
  const timer = setInterval(() => {
    if (response.destroyed || sent >= body.length) {
      clearInterval(timer);
      response.end();
      return;
    }
    sent += 1;
    response.write(body.subarray(sent - 1, sent));
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}
