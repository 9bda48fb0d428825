/**
 * `npm run demo [-- <scenario>]`: a deploy goes to a true Done on real servers, and is shown. See `--help`.
 *
 * Ends with 0 only if everything was as expected; nothing that it starts outlives it.
 */
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { messageOf } from '../adapters/error-message.ts';
import { parseArguments } from './arguments.ts';
import { type Display, inSeconds } from './display/display.ts';
import { liveDisplay } from './display/live-display.ts';
import { plainDisplay } from './display/plain-display.ts';
import { agrees, summaryText } from './display/summary.ts';
import type { DemoOptions } from './options.ts';
import { RUN } from './scenarios/run.ts';
import { keepToLocalServers } from './servers/environment.ts';
import { createReleases } from './stack/releases.ts';
import { startStack } from './stack/stack.ts';

const EXIT = { agreed: 0, failed: 1, SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** How long everything together may take to end, ms; the guardian sees to what is left. */
const END_MS = 20_000;
/** How long a server that is just being started may take to be there, so that it can be ended in order, ms. */
const STARTING_MS = 8_000;

keepToLocalServers(process.env);
const startedAt = Date.now();
const parsed = parseArguments(process.argv.slice(2));
if ('exitCode' in parsed) {
  (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.text);
  process.exit(parsed.exitCode);
}
const { options } = parsed;
const out = options.output === 'json' ? process.stderr : process.stdout;
const write = (text: string): void => void out.write(text);
/** Narrower than this (a terminal may not know its size at all) spinners and lines get in each other's way. */
const NARROWEST = 60;
const live =
  out === process.stdout && out.isTTY === true && (out.columns ?? 0) >= NARROWEST && process.env['TERM'] !== 'dumb';
/** A pipe has no width; most logs are read in this one. */
const columns = live ? out.columns : 120;
const colour = live && (process.env['NO_COLOR'] ?? '') === '';
const display: Display = live ? liveDisplay(write) : plainDisplay(write);

const interrupt = new AbortController();
let exitCode: number = EXIT.failed;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(EXIT[signal]); // asked twice: the guardian ends what runs
    exitCode = EXIT[signal];
    interrupt.abort(new Error(`ended by ${signal}`));
  });
}
for (const stream of [process.stdout, process.stderr])
  stream.on('error', () => interrupt.abort(new Error('nobody reads')));

const releases = createReleases();
let starting: Promise<unknown> = Promise.resolve();
try {
  const ended = await Promise.race([demo(options), aborted(interrupt.signal)]);
  if (!interrupt.signal.aborted) exitCode = ended;
} catch (error) {
  write(`\n${interrupt.signal.aborted ? 'The demo was interrupted' : `The demo failed: ${messageOf(error)}`}\n`);
} finally {
  write('Ending everything that was started …\n');
  const forced = setTimeout(() => process.exit(exitCode), END_MS);
  await Promise.race([starting.catch(() => {}), delay(STARTING_MS)]);
  for (const failure of await releases.run()) write(`could not be ended in order: ${failure}\n`);
  clearTimeout(forced);
  write(`Ended after ${inSeconds(Date.now() - startedAt)}.\n`);
  process.exit(exitCode); // a build tool may still run: nothing waits for it
}

async function demo(wanted: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), `d2d-demo-${wanted.scenario}-`));
  display.print(`deploy-to-done: ${wanted.scenario}. Logs and artefacts: ${folder}`, '');
  const stackStarts = startStack({ options: wanted, folder, display, releases, signal: interrupt.signal });
  starting = stackStarts;
  const stack = await stackStarts;
  const places = [`Temporal UI: ${stack.temporalUi}`, `Plane:       ${stack.tracker.boardUrl}`];
  display.print('', ...places, '');
  const summary = await RUN[wanted.scenario](stack);
  write(`${summaryText(summary, { colour, columns })}\n`);
  const agreed = agrees(summary);
  if (wanted.output === 'json') process.stdout.write(`${JSON.stringify({ ...summary, agreed })}\n`);
  if (wanted.afterwards === 'keep') {
    const file = await environmentFile(folder, stack.env);
    const d2d = `d2d against it: set -a; . ${file}; set +a; npx d2d list`;
    display.print('', 'Everything still runs, to be looked at. Ctrl-C ends it.', ...places, d2d);
    await aborted(interrupt.signal).catch(() => {});
  }
  return agreed ? EXIT.agreed : EXIT.failed;
}

/** The worker's environment for a shell, readable by its owner alone: secrets are in it. */
async function environmentFile(folder: string, env: Readonly<Record<string, string>>): Promise<string> {
  const file = join(folder, 'd2d.env');
  const lines = Object.entries(env)
    .filter(([name]) => name.startsWith('ORCH_') || name.startsWith('TEMPORAL_') || name === 'DATABASE_URL')
    .map(([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'`);
  await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  return file;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
