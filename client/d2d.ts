#!/usr/bin/env node
import { userInfo } from 'node:os';
import { packageVersion } from '../adapters/package-version.ts';
import { loadDotEnv } from '../settings.ts';
import { runCli } from './cli.ts';
import { EXIT_INTERRUPTED, FAILURE_EXIT_CODES } from './exit-codes.ts';
import type { Stream } from './output.ts';
import { createWiring } from './wiring.ts';

// The d2d command: everything that belongs to the process is taken here and handed on.

/** How long the connections get to close, ms; the answer is out already. */
const CLOSE_MS = 2_000;

const colourOn = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';

const streamOf = (stream: NodeJS.WriteStream): Stream => ({
  write: (text, over = 0) => void stream.write(`${over === 0 ? '' : `\u001b[${over}A\r\u001b[0J`}${text}`),
  tty: stream.isTTY === true && process.env['TERM'] !== 'dumb',
  colour: colourOn(stream),
  size: () => ({ columns: stream.columns ?? 80, rows: stream.rows ?? 24 }),
});

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env['USER'] ?? 'unknown'; // a container may run as a user that has no name
  }
}

/** How long a command that only looks on gets to say so after Ctrl-C, ms; any other ends then. */
const LAST_WORDS_MS = 500;

const interrupt = new AbortController();
process.on('SIGINT', () => {
  if (interrupt.signal.aborted) process.exit(EXIT_INTERRUPTED); // asked twice
  interrupt.abort();
  setTimeout(() => process.exit(EXIT_INTERRUPTED), LAST_WORDS_MS).unref();
});
// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', (error: NodeJS.ErrnoException) =>
  process.exit(error.code === 'EPIPE' ? 0 : FAILURE_EXIT_CODES.unexpected),
);

const dotEnv = loadDotEnv(process.env);
const wiring = createWiring(process.env, dotEnv);
process.exitCode = await runCli(process.argv.slice(2), {
  terminal: { stdout: streamOf(process.stdout), stderr: streamOf(process.stderr) },
  wiring,
  userName: userName(),
  version: packageVersion(),
  interrupted: interrupt.signal,
  now: Date.now,
});
setTimeout(() => process.exit(), CLOSE_MS).unref();
await wiring.close().catch(() => {}); // nothing that is told depends on it any more
