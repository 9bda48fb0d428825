import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a group that was killed may still be seen, ms: a killed process ends at once, unless its disk does not answer. */
const KILLED_MS = 2_000;
const LOOK_MS = 50;

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

/**
 * Whether any process of a group still runs. On Linux the dead that nobody has reaped do not count: in a container whose
 * first process reaps no orphans they would stand there for ever.
 */
function groupRuns(leader: number): boolean {
  if (!signalGroup(leader, 0)) return false;
  if (process.platform !== 'linux') return true;
  return readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && isMember(entry, leader));
}

function isMember(pid: string, leader: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // a name may hold anything
    return Number(group) === leader && state !== 'Z' && state !== 'X';
  } catch {
    return false; // it has ended meanwhile
  }
}

async function goneWithin(leader: number, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (groupRuns(leader)) {
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
