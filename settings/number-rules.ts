import { leavesOf } from './leaves.ts';
import type { Described } from './repository-file.ts';

/** A number that is sent to a deployer, or expected of production, must be the one that was written: 1.10 is read as 1.1. */
export function checkNumbers({ entry, place, written }: Described, fault: (message: string) => void): void {
  const bodies = (['deploy', 'rollback'] as const).flatMap((part) => {
    const driver = entry[part];
    return driver?.driver === 'webhook' ? leavesOf(driver.body, [part, 'body']) : [];
  });
  const expected = leavesOf(entry.health?.expectJson, ['health', 'expectJson']);
  for (const { path, value } of [...bodies, ...expected]) {
    if (typeof value !== 'number') continue;
    const text = written(path) ?? String(value);
    if (text !== String(value))
      fault(`${place(path)} must not be ${text}, which is read as ${value}: put it in quotes, or write ${value}`);
    else if (Math.abs(value) > Number.MAX_SAFE_INTEGER)
      fault(`${place(path)} must not be ${text}: beyond 2^53 other numbers are read as the same one`);
  }
}
