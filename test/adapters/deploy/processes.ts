import { readFileSync } from 'node:fs';

/** Whether a process runs; one that has ended but was not yet reaped by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return process.platform !== 'linux'; // gone since, or a system that does not tell
  }
}

/** A Node program that ignores SIGTERM, starts a child that does the same, and says both pids once both do. */
export const STUBBORN_FAMILY = `
process.on('SIGTERM', () => {});
setInterval(() => {}, 1000);
const child = require('node:child_process').spawn(
  process.execPath,
  ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); process.stdout.write('ready ' + process.ppid + ' ' + process.pid + '\\\\n')"],
  { stdio: 'inherit' },
);
`;
