import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { WindowReport } from './window-report.ts';

/** The name of every post-deploy log, in the folder of its window. */
export const LOG_NAME = '16-post-deploy-log.md';

/** Longest name of a folder that most file systems take is 255 bytes. */
const MAX_SEGMENT = 200;

/**
 * Text as the name of one folder. Letters, digits and `. _ -` stay as they are; everything else, a dot at the beginning
 * too, becomes its bytes as `%2F`. Different texts have different names, and none leads out of its folder. Never throws.
 */
export function pathSegment(text: string): string {
  if (text === '') return '%';
  const name = [...text]
    .map((character, index) => (isPlain(character, index) ? character : percent(character)))
    .join('');
  if (name.toLowerCase() === LOG_NAME) return `${percent(name[0] ?? '')}${name.slice(1)}`; // a folder, not the log itself
  if (name.length <= MAX_SEGMENT) return name;
  return `${name.slice(0, 150)}%-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

const isPlain = (character: string, index: number): boolean =>
  /^[A-Za-z0-9_-]$/.test(character) || (character === '.' && index > 0);

const percent = (character: string): string =>
  [...Buffer.from(character, 'utf8')].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');

/**
 * Where a window's log is kept: `<dir>/<repo>/<work item>/<opened>/16-post-deploy-log.md`, with the moment of its opening as
 * `2026-01-02T03-04-05.678Z` (a colon is no part of a name everywhere). The slashes of a repository's name make folders
 * (`org/shop`), those of a work item do not, so that no two windows share a file. Never throws.
 * @param run of a window that was opened by the same start as another one: a reset
 */
export const logPath = (
  dir: string,
  { repo, workItem, openedAt }: Pick<WindowReport, 'repo' | 'workItem' | 'openedAt'>,
  run?: string,
): string =>
  join(
    dir,
    ...repo.split('/').map(pathSegment),
    pathSegment(workItem),
    `${new Date(openedAt).toISOString().replaceAll(':', '-')}${run === undefined ? '' : `_${run}`}`,
    LOG_NAME,
  );
