import type { Drift, InDeployPhase, PageRead, Reconcile } from '../activities/reconcile.ts';
import type { SweptProject } from './messages.ts';

/** The sweep before may have missed what was changed while it read: so much is read again, ms. */
const MARGIN_MS = 5 * 60_000;

/** A full pass is made again after a day, ms. */
const FULL_EVERY_MS = 24 * 60 * 60_000;

/** Each may be several questions to Temporal, and all of them must be answered within the time of one activity. */
export const COMPARED_AT_ONCE = 100;

/** The most work items in the deploy phase that the next sweep is told of; where there are more, it reads everything. */
const MOST_KNOWN = 500;

/** The most ids that it is told of, of those that could not be corrected. */
const MOST_FAILING = 2_000;

interface SweepOptions {
  /** When the sweep began, epoch ms. */
  readonly began: number;
  /** Read everything, whatever the sweep before has read. */
  readonly full: boolean;
  /** What the last sweep that could read this project left; `undefined`: there was none. */
  readonly last: SweptProject | undefined;
}

interface SweepSteps extends Pick<Reconcile, 'readPage' | 'findDrifts'> {
  /** Corrects statuses that should not stand. @returns the ids of those that are settled by it, and of those that it could not correct. */
  readonly correct: (drifts: readonly Drift[]) => Promise<Corrected>;
}

export interface Corrected {
  readonly settled: readonly string[];
  readonly failed: readonly string[];
}

const NOTHING: Corrected = { settled: [], failed: [] };

/**
 * Sweeps one project. It reads what was changed since the sweep before, and once a day everything. What was seen in the deploy phase
 * then and has not changed since is compared with its authorities again: these change without the tracker, when a task finishes, is
 * cancelled, or a window ends unseen.
 *
 * Throws what its steps throw.
 */
export async function sweepProject(
  project: string,
  { began, full, last }: SweepOptions,
  { readPage, findDrifts, correct }: SweepSteps,
): Promise<{ readonly looked: number; readonly inDeployPhase: number; readonly project: SweptProject }> {
  const from = full || last === undefined || began - last.fullAt >= FULL_EVERY_MS ? null : last;
  const since = from === null ? null : from.readUpTo - MARGIN_MS;
  const known = new Map(from?.inDeployPhase.map((each) => [each.item.id, each]));
  const before = [...known.keys()];
  const failing = new Set(last?.failing);
  const deferred: ReadonlySet<string> = new Set(failing);
  const isNotDeferred = ({ item }: InDeployPhase): boolean => !deferred.has(item.id);
  const read = new Set<string>();
  let looked = 0;

  const compare = async (items: readonly InDeployPhase[]): Promise<void> => {
    for (let at = 0; at < items.length; at += COMPARED_AT_ONCE) {
      const slice = items.slice(at, at + COMPARED_AT_ONCE);
      const drifts = await findDrifts({ items: slice });
      const { settled, failed } = drifts.length === 0 ? NOTHING : await correct(drifts);
      for (const id of settled) known.delete(id);
      for (const { item } of slice) if (!drifts.some((drift) => drift.item.id === item.id)) failing.delete(item.id);
      for (const id of failed) toTheEnd(failing, id);
    }
  };

  for (let cursor: string | null = null, more = true; more; ) {
    const page: PageRead = await readPage({ project, cursor, since, known: before });
    looked += page.looked;
    for (const id of page.left) known.delete(id);
    const fresh = new Map(page.inDeployPhase.map((each) => [each.item.id, each]));
    for (const id of read) fresh.delete(id); // one that changed meanwhile shows twice
    for (const [id, each] of fresh) {
      known.set(id, each);
      read.add(id);
    }
    await compare([...fresh.values()].filter(isNotDeferred)); // writes come before the reads of the next page
    cursor = page.next;
    more = cursor !== null;
  }
  const unchanged = [...known.values()].filter(({ item }) => !read.has(item.id));
  await compare(unchanged.filter(isNotDeferred));
  await compare([...deferred].flatMap((id) => known.get(id) ?? []));

  const tooMany = known.size > MOST_KNOWN;
  return {
    looked,
    inDeployPhase: read.size + unchanged.length,
    project: {
      readUpTo: began,
      fullAt: tooMany ? 0 : (from?.fullAt ?? began),
      inDeployPhase: tooMany ? [] : [...known.values()],
      failing: [...failing].filter((id) => known.has(id)).slice(-MOST_FAILING),
    },
  };
}

function toTheEnd<T>(set: Set<T>, value: T): void {
  set.delete(value);
  set.add(value);
}
