import { type ChildProcess, spawn } from 'node:child_process';

/** What is ended when this process is gone, and how. */
export interface Ward {
  /** Negative: a whole process group. */
  readonly pid: number;
  /** The signal that asks it to stop; SIGKILL follows 3 s later. */
  readonly signal: NodeJS.Signals;
  /** A folder that goes with it. */
  readonly folder?: string | undefined;
}

/**
 * A small process of its own, in a session of its own, which ends the wards as soon as its stdin closes. The kernel closes it
 * however this process dies, kill -9 included, so a server never outlives its demo or its test run by more than seconds.
 */
const GUARDIAN = `
const { rmSync } = require('node:fs');
const wards = new Map();
let rest = '';
const send = (pid, signal) => { try { process.kill(pid, signal); return true; } catch { return false; } };
process.stdin.setEncoding('utf8').on('data', (text) => {
  const lines = (rest + text).split('\\n');
  rest = lines.pop();
  for (const line of lines) {
    const { forget, ward } = JSON.parse(line);
    if (ward) wards.set(ward.pid, ward); else wards.delete(forget);
  }
}).on('close', () => {
  for (const { pid, signal } of wards.values()) send(pid, signal);
  const deadline = Date.now() + 3000;
  const look = () => {
    const late = Date.now() > deadline;
    for (const { pid, folder } of [...wards.values()]) {
      if (send(pid, late ? 'SIGKILL' : 0) && !late) continue;
      if (folder) try { rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); } catch {}
      wards.delete(pid);
    }
    if (wards.size > 0) setTimeout(look, 50);
  };
  look();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
`;

let guardian: ChildProcess | undefined;

function tell(message: { ward: Ward } | { forget: number }): void {
  if (guardian === undefined) {
    guardian = spawn(process.execPath, ['-e', GUARDIAN], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    guardian.on('error', () => {});
    guardian.stdin?.on('error', () => {});
    guardian.unref();
    if (guardian.stdin !== null && 'unref' in guardian.stdin && typeof guardian.stdin.unref === 'function') {
      guardian.stdin.unref();
    }
  }
  guardian.stdin?.write(`${JSON.stringify(message)}\n`);
}

/** From now on the process ends with this one, however this one ends. Never throws. */
export function guard(ward: Ward): void {
  tell({ ward });
}

/** To be called once the process has ended by itself: its pid may belong to somebody else soon. Never throws. */
export function forget(pid: number): void {
  tell({ forget: pid });
}
