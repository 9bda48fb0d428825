import type { DeployOperation, DriverRun } from '../../../adapters/deploy/driver.ts';

export const operation = (change: Partial<DeployOperation> = {}): DeployOperation => ({
  kind: 'deploy',
  operationId: 'run-1:deploy',
  repo: 'org/shop',
  workItem: 'ORCH-61',
  version: 'v2',
  ...change,
});

export interface Entry {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A log that keeps what it is told. */
export function recordingLog() {
  const entries: Entry[] = [];
  const at = (level: Entry['level']) => (fields: object, message: string) => {
    entries.push({ level, fields, message });
  };
  return { entries, info: at('info'), warn: at('warn'), error: at('error') };
}

/** Everything that a driver is run with, and what it said meanwhile. */
export function observedRun(onLine: (line: string) => void = () => {}) {
  const abort = new AbortController();
  const log = recordingLog();
  const beats: string[] = [];
  const calls: string[] = [];
  const run: DriverRun = {
    signal: abort.signal,
    heartbeat: (detail) => beats.push(detail),
    async callSomebody(text) {
      calls.push(text);
    },
    log: {
      ...log,
      info(fields, message) {
        log.info(fields, message);
        if ('line' in fields && typeof fields.line === 'string') onLine(fields.line);
      },
    },
  };
  const lines = (): unknown[] => log.entries.flatMap(({ fields }) => ('line' in fields ? [fields.line] : []));
  return { run, abort, beats, calls, lines, entries: log.entries };
}
