import { leavesOf } from './leaves.ts';
import { didYouMean } from './nearest.ts';
import type { Described } from './repository-file.ts';

const OF_A_DEPLOY = ['version', 'workItem', 'operationId', 'repo', 'id'] as const;
const OF_A_ROLLBACK = [...OF_A_DEPLOY, 'previousVersion'] as const;

/** What is filled in where. */
const FILLED: Readonly<Record<'deploy' | 'rollback' | 'health' | 'traffic', readonly string[]>> = {
  deploy: OF_A_DEPLOY,
  rollback: OF_A_ROLLBACK,
  health: ['version', 'workItem'],
  traffic: ['version', 'workItem'],
};

/** A placeholder that is not filled in would reach the deployer, or production, as it stands. */
export function checkPlaceholders(
  { entry, place }: Described,
  fault: (message: string) => void,
  warn: (message: string) => void,
): void {
  for (const part of ['deploy', 'rollback', 'health', 'traffic'] as const) {
    const filled = FILLED[part];
    for (const { path, value: text } of leavesOf(entry[part], [part])) {
      if (typeof text !== 'string') continue;
      for (const [placeholder, name = ''] of text.replaceAll(/%7B(\w+)%7D/gi, '{$1}').matchAll(/\{(\w+)\}/g)) {
        if (filled.includes(name)) continue;
        const meant = didYouMean(name, filled);
        if (OF_A_ROLLBACK.some((known) => known === name))
          fault(
            `${place(path)} must not hold ${placeholder}, which ${name === 'previousVersion' ? 'only a rollback has' : 'only a deploy and a rollback have'}`,
          );
        else if (meant !== '') warn(`${place(path)} holds ${placeholder}, which is not filled in${meant}`);
      }
    }
  }
}
