import { stat } from 'node:fs/promises';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { createMask } from '../mask.ts';
import { commandEnvironment, secretsOfCommand } from './command-environment.ts';
import {
  type CommandConfig,
  type DeployDriver,
  type DeployOperation,
  DeployOutcomeUnknown,
  type DeployResult,
  HEARTBEAT_MS,
  notBegun,
} from './driver.ts';
import { duration } from './duration.ts';
import { createLineReader, createTail } from './lines.ts';
import { masked } from './masked.ts';
import { fillArguments, valuesOf } from './placeholders.ts';
import { endProcessGroup } from './process-group.ts';
import { whyEnded, whyNotStarted } from './program-faults.ts';

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

const failed = (detail: string): DeployResult => ({ ok: false, detail });

/**
 * Deploys by a command: an argument list, no shell, in a process group of its own, which is ended as a whole. A daemon that
 * it leaves behind should not write to the command's output: that is cut off when the worker ends.
 */
export function createCommandDriver(
  config: CommandConfig,
  { environment, secrets = [], graceMs = 5_000, drainMs = 500 }: CommandDeps,
): DeployDriver {
  const { command, cwd, env, timeoutMs } = config;
  const mask = createMask([...secrets, ...secretsOfCommand(environment, config)]);

  const driver: DeployDriver = {
    async run(operation, { signal, heartbeat, log }) {
      const fields = fieldsOf(operation);
      const { args, fault } = fillArguments(command, valuesOf(operation));
      if (args === undefined) return notBegun(`the command was not run: ${fault}`);
      if (cwd !== null && !(await isFolder(cwd))) return notBegun(`the command was not run: ${cwd} is no folder`);
      signal.throwIfAborted(); // here: nothing is waited for between this and the stopper

      const [program = '', ...rest] = args;
      const place = { program, cwd: cwd ?? process.cwd(), path: env['PATH'] ?? environment['PATH'] ?? '' };
      const child = execa(program, rest, {
        ...(cwd === null ? {} : { cwd }),
        env: commandEnvironment(environment, config, operation),
        extendEnv: false,
        detached: true, // a session and process group of its own
        cleanup: false,
        stdin: 'ignore',
        buffer: false,
        reject: false,
      });
      const tail = createTail();
      const follow = (stream: 'stdout' | 'stderr'): void => {
        const reader = createLineReader((line) => {
          tail.add(line);
          log.info({ ...fields, stream, line }, 'deploy command output');
        }, mask.lines());
        child[stream].on('data', reader.write).once('end', reader.end).on('error', reader.end);
      };
      follow('stdout');
      follow('stderr');

      // Not the end of the output: a daemon that was started may hold that open for ever.
      const exited = new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
      });
      const drained = () => Promise.race([child, sleep(drainMs, 'held' as const, { ref: false })]);
      const beat = setInterval(() => heartbeat(tail.last()?.slice(0, 200) ?? 'no output yet'), HEARTBEAT_MS);
      const stop = stopper(signal, timeoutMs);
      try {
        const end = await Promise.race([exited, child, stop.stopped]);
        if (child.pid === undefined) {
          const { code, shortMessage } = await child;
          return notBegun(`the command was not run: ${await whyNotStarted(place, code, shortMessage)}`);
        }
        if (end === 'aborted' || end === 'timed out') {
          const gone = await endProcessGroup(child.pid, graceMs);
          if (!gone) log.error({ ...fields, pid: child.pid }, 'the process group of the command does not end');
          await drained();
          const timedOut = `timed out after ${duration(timeoutMs)}`;
          if (!gone) {
            const why = end === 'aborted' ? 'it was stopped' : timedOut;
            throw new DeployOutcomeUnknown(
              withLines(`${why}, and its processes do not end: nobody knows what they still do`, tail.text()),
              { retryable: false },
            );
          }
          if (end === 'aborted') throw signal.reason;
          return failed(withLines(`${timedOut}: it was ended with its whole process group`, tail.text()));
        }
        if ((await drained()) === 'held') {
          log.warn(fields, 'something that the command started holds its output open: redirect it');
          letGo(child.stdout, child.stderr);
        }
        if (child.exitCode === 0) return { ok: true, detail: tail.last() ?? 'the command ended with code 0' };
        const how = child.signalCode === null ? `with code ${child.exitCode}` : `by ${child.signalCode}`;
        return failed(withLines(`the command ended ${how}${await whyEnded(place, rest, child.exitCode)}`, tail.text()));
      } finally {
        clearInterval(beat);
        stop.release();
      }
    },
  };
  return masked(driver, mask);
}

const fieldsOf = ({ kind, operationId, repo, workItem }: DeployOperation) => ({
  work_item: workItem,
  repo,
  operation: kind,
  operation_id: operationId,
});

const withLines = (sentence: string, lines: string): string =>
  lines === '' ? `${sentence}; it wrote nothing` : `${sentence}; the last lines:\n${lines}`;

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/** Becomes `aborted` or `timed out`, whichever comes first; `release` ends both waits. */
function stopper(signal: AbortSignal, timeoutMs: number) {
  let stop = (_: 'aborted' | 'timed out'): void => {};
  const stopped = new Promise<'aborted' | 'timed out'>((resolve) => {
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
