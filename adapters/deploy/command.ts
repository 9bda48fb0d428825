import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { createMask, type Mask } from '../mask.ts';
import { assertGone, resultOf } from './command-end.ts';
import { commandEnvironment, secretsOfCommand } from './command-environment.ts';
import { type CommandConfig, type DeployDriver, type DeployOperation, HEARTBEAT_MS, notBegun } from './driver.ts';
import { duration } from './duration.ts';
import { createLineReader, createTail } from './lines.ts';
import { masked } from './masked.ts';
import { fillArguments, valuesOf } from './placeholders.ts';
import { type CommandProcesses, endProcessGroup, stillRunning } from './process-group.ts';
import { isFolder, type Place, whyEnded, whyNotRunnable, whyNotStarted } from './program-faults.ts';

export interface CommandDeps {
  /** The worker's own environment; a command gets only the part of it that `commandEnvironment` passes on. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What is masked wherever the command prints it, beside the values that its environment is configured with. */
  readonly secrets?: readonly string[];
  /** From SIGTERM to SIGKILL, ms. Default 5 000. */
  readonly graceMs?: number;
  /** How long output is still read after the command has ended, ms. Default 500. */
  readonly drainMs?: number;
}

/**
 * Deploys by a command: an argument list, no shell, in a process group of its own, which is ended as a whole. A daemon that
 * it leaves behind should not write to the command's output: that is cut off when the worker ends.
 */
export function createCommandDriver(config: CommandConfig, { secrets = [], ...deps }: CommandDeps): DeployDriver {
  const mask = createMask([...secrets, ...secretsOfCommand(deps.environment, config)]);

  const driver: DeployDriver = {
    async run(operation, { signal, heartbeat, log }) {
      const { command, cwd, timeoutMs } = config;
      const fields = fieldsOf(operation);
      const { args, fault } = fillArguments(command, valuesOf(operation));
      if (args === undefined) return notBegun(`the command was not run: ${fault}`);
      if (cwd !== null && !(await isFolder(cwd))) return notBegun(`the command was not run: ${cwd} is no folder`);
      signal.throwIfAborted(); // here: nothing is waited for between this and the stopper

      const child = start(args, cwd, commandEnvironment(deps.environment, config, operation));
      const tail = createTail();
      follow(child, mask, (stream, line) => {
        tail.add(line);
        log.info({ ...fields, stream, line }, 'deploy command output');
      });
      const beat = setInterval(() => heartbeat(tail.last()?.slice(0, 200) ?? 'no output yet'), HEARTBEAT_MS);
      const stop = stopper(signal, timeoutMs);
      try {
        const stopped = await Promise.race([exited(child), stop.stopped]);
        const place = placeOf(args, config, deps.environment);
        if (child.pid === undefined) {
          const { code, shortMessage } = await child;
          return notBegun(`the command was not run: ${await whyNotStarted(place, code, shortMessage)}`);
        }
        const mark = `D2D_OPERATION_ID=${operation.operationId}`;
        const { left, held } = await end(child, { leader: child.pid, mark }, stopped, deps);
        const { exitCode: code, signalCode } = child;
        if (stopped === null && code === 0) {
          if (held) log.warn(fields, 'something that the command started holds its output open: redirect it');
          return { ok: true, detail: tail.last() ?? 'the command ended with code 0' };
        }
        if (stopped === 'aborted') {
          assertGone(left, tail.text());
          throw signal.reason;
        }
        const timedOut = stopped === null ? null : `timed out after ${duration(timeoutMs)}`;
        const why = await whyEnded(place, args.slice(1), code);
        return resultOf({ timedOut, code, signal: signalCode, why, left, lines: tail.text() });
      } finally {
        clearInterval(beat);
        stop.release();
      }
    },
  };
  return masked(driver, mask);
}

const start = ([program = '', ...rest]: readonly string[], cwd: string | null, env: Record<string, string>) =>
  execa(program, rest, {
    ...(cwd === null ? {} : { cwd }),
    env,
    extendEnv: false,
    detached: true, // a session and process group of its own
    cleanup: false,
    stdin: 'ignore',
    buffer: false,
    reject: false,
  });

type Child = ReturnType<typeof start>;
type Stopped = 'aborted' | 'timed out';

function follow(child: Child, mask: Mask, onLine: (stream: 'stdout' | 'stderr', line: string) => void): void {
  for (const stream of ['stdout', 'stderr'] as const) {
    const reader = createLineReader((line) => onLine(stream, line), mask.lines());
    child[stream].on('data', reader.write).once('end', reader.end).on('error', reader.end);
  }
}

/** Not the end of its output: a daemon that was started may hold that open for ever. `child` itself: it did not start. */
const exited = (child: Child): Promise<null> =>
  Promise.race([child, new Promise((resolve) => void child.once('exit', resolve))]).then(() => null);

/**
 * Ends a command that was stopped, and reads the rest of its output.
 * `left`: what of it still runs, in words; `null`: nothing. `held`: something holds its output open.
 */
async function end(
  child: Child,
  processes: CommandProcesses,
  stopped: Stopped | null,
  { graceMs = 5_000, drainMs = 500 }: Omit<CommandDeps, 'secrets'>,
): Promise<{ readonly left: string | null; readonly held: boolean }> {
  if (stopped !== null) await endProcessGroup(processes.leader, graceMs);
  const held = (await Promise.race([child, sleep(drainMs, 'held' as const, { ref: false })])) === 'held';
  if (held) letGo(child.stdout, child.stderr);
  if (stopped === null && child.exitCode === 0) return { left: null, held }; // a daemon may stay behind
  const pids = await stillRunning(processes, drainMs);
  if (pids.length > 1) return { left: `its processes ${pids.join(', ')} still run`, held };
  if (pids.length > 0) return { left: `its process ${pids[0]} still runs`, held };
  return { left: held ? 'something that it started holds its output open' : null, held };
}

/**
 * Why a command cannot be run where this is called; `null`: nothing is known, as of a program whose path `{version}` is a part of.
 * Never throws.
 */
export async function whyCommandFails(config: CommandConfig, environment: NodeJS.ProcessEnv): Promise<string | null> {
  if (/[{}]/.test(config.command[0])) return null;
  return whyNotRunnable(placeOf(config.command, config, environment));
}

/** Where its program is looked for. */
const placeOf = (
  [program = '']: readonly string[],
  { cwd, env }: CommandConfig,
  environment: CommandDeps['environment'],
): Place => ({ program, cwd: cwd ?? process.cwd(), path: env['PATH'] ?? environment['PATH'] ?? '' });

const fieldsOf = ({ kind, operationId, repo, workItem }: DeployOperation) => ({
  work_item: workItem,
  repo,
  operation: kind,
  operation_id: operationId,
});

/** Becomes `aborted` or `timed out`, whichever comes first; `release` ends both waits. */
function stopper(signal: AbortSignal, timeoutMs: number) {
  let stop = (_: Stopped): void => {};
  const stopped = new Promise<Stopped>((resolve) => {
    stop = resolve;
  });
  const onAbort = (): void => stop('aborted');
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => stop('timed out'), timeoutMs);
  return {
    stopped,
    release(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

/** Reads on, and throws away, without keeping this process alive: to close the pipe would end what still writes to it. */
function letGo(...streams: readonly NodeJS.ReadableStream[]): void {
  for (const stream of streams) {
    stream.removeAllListeners('data').resume();
    if (stream instanceof Socket) stream.unref();
  }
}
