import { setTimeout as sleep } from 'node:timers/promises';

/** How long a group that was killed may still be seen, ms: a killed process ends at once, unless its disk does not answer. */
const KILLED_MS = 2_000;
const LOOK_MS = 25;

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);

/** Sends a signal to every process of a group; whether there is any. */
function signalGroup(leader: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    process.kill(-leader, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    if (codeOf(error) === 'EPERM') return true; // it runs as somebody else by now
    throw error;
  }
}

async function goneWithin(leader: number, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (signalGroup(leader, 0)) {
    if (performance.now() >= until) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/**
 * Ends a process group: SIGTERM, then SIGKILL for what is left of it after the grace. A process that made a session of its
 * own has left the group and is not reached (POSIX). Answers whether all of it is gone.
 */
export async function endProcessGroup(leader: number, graceMs: number): Promise<boolean> {
  if (!signalGroup(leader, 'SIGTERM') || (await goneWithin(leader, graceMs))) return true;
  signalGroup(leader, 'SIGKILL');
  return goneWithin(leader, KILLED_MS);
}
