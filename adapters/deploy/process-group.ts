import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a command has started, as far as it can be seen. */
export interface CommandProcesses {
  /** Its process group. */
  readonly leader: number;
  /** `NAME=value` in its environment, which a process that leaves the group takes along. */
  readonly mark: string;
}

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
 * The processes of a group that still run. On Linux the dead that nobody has reaped do not count: in a container whose
 * first process reaps no orphans they would stand there for ever. On other systems only the leader is reported.
 */
function groupMembers(leader: number): number[] {
  if (!signalGroup(leader, 0)) return [];
  if (process.platform !== 'linux') return [leader];
  return pids().filter((pid) => isMember(pid, leader));
}

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);

function isMember(pid: number, leader: number): boolean {
  const stat = readOf(pid, 'stat');
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // a name may hold anything
  return Number(group) === leader && state !== 'Z' && state !== 'X';
}

/** Empty where the process has ended meanwhile, or belongs to somebody else. */
function readOf(pid: number, file: 'stat' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

/** On Linux also what has left the group by a session of its own (`setsid`), unless it has cleared its environment. */
function running({ leader, mark }: CommandProcesses): number[] {
  if (process.platform !== 'linux') return groupMembers(leader);
  const bearers = pids().filter((pid) => readOf(pid, 'environ').split('\0').includes(mark));
  return [...new Set([...groupMembers(leader), ...bearers])];
}

/** The processes of a command that still run when so much time has passed; none as soon as all have ended. */
export async function stillRunning(processes: CommandProcesses, limitMs: number): Promise<readonly number[]> {
  const until = performance.now() + limitMs;
  for (;;) {
    const left = running(processes);
    if (left.length === 0 || performance.now() >= until) return left;
    await sleep(LOOK_MS);
  }
}

async function goneWithin(leader: number, limitMs: number): Promise<boolean> {
  const until = performance.now() + limitMs;
  while (groupMembers(leader).length > 0) {
    if (performance.now() >= until) return false;
    await sleep(LOOK_MS);
  }
  return true;
}

/**
 * Ends a process group: SIGTERM, then SIGKILL for what is left of it after the grace. A process that made a session of its
 * own has left the group and is not reached (POSIX). Answers whether all of the group is gone.
 */
export async function endProcessGroup(leader: number, graceMs: number): Promise<boolean> {
  if (!signalGroup(leader, 'SIGTERM') || (await goneWithin(leader, graceMs))) return true;
  signalGroup(leader, 'SIGKILL');
  return goneWithin(leader, KILLED_MS);
}
