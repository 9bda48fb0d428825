import { bytesOf } from './bounded.ts';
import type { SweptProject } from './messages.ts';

type Projects = Readonly<Record<string, SweptProject>>;

/** The most that the next sweep is told of all projects together, in bytes: more than 2 MB a result cannot have. */
const MOST_BYTES = 1_200_000;

/**
 * What the next sweep is told of all projects. Where that is too much, it reads those anew that had most in the deploy phase; of the
 * largest it may know nothing at all.
 */
export function toldOf(projects: Projects): Projects {
  const all = Object.entries(projects).map(([project, whole]) => {
    const bare = { ...whole, fullAt: 0, inDeployPhase: [] };
    const bytes = bytesOf({ [project]: bare });
    return { project, whole, bare, bytes, more: bytesOf(whole.inDeployPhase) };
  });
  let room = MOST_BYTES;
  const takes = (bytes: number): boolean => {
    const fits = bytes <= room;
    if (fits) room -= bytes;
    return fits;
  };
  const known = all.toSorted((a, b) => a.bytes - b.bytes).filter(({ bytes }) => takes(bytes));
  const whole = new Set(known.toSorted((a, b) => a.more - b.more).filter(({ more }) => takes(more)));
  return Object.fromEntries(known.map((each) => [each.project, whole.has(each) ? each.whole : each.bare]));
}
