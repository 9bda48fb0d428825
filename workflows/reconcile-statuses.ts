import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  workflowInfo,
} from '@temporalio/workflow';
import type { Drift, InDeployPhase, Orphan, ReadPage, Reconcile } from '../activities/reconcile.ts';
import { beginning, firstOf } from './bounded.ts';
import { messageOf } from './failures.ts';
import { hasWritten, healWorkItem } from './heal-work-item.ts';
import { inline } from './markdown.ts';
import {
  D2dRepo,
  D2dWorkItem,
  type Healing,
  healWorkflowId,
  lookSignal,
  type ReconcileInput,
  type ReconcileResult,
  type SweptProject,
} from './messages.ts';
import { now } from './now.ts';
import { orphanWords } from './orphan-words.ts';
import { parseReconcileInput } from './parse-message.ts';
import { since } from './patches.ts';
import { COMPARED_AT_ONCE, type Corrected, sweepProject } from './sweep-project.ts';
import { toldOf } from './swept-projects.ts';
import { showDetails } from './ui-details.ts';

/** Reads wait where Plane is away, or where writes need what is left of its rate limit; the next sweep reads what this one could not. */
const { projectsToSweep, readPage, findDrifts, findFailing, findOrphans } = proxyActivities<Reconcile>({
  startToCloseTimeout: '1 minute',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '2 seconds', maximumInterval: '1 minute' },
});

/** Statuses that are corrected side by side: Plane's rate limit is everybody's. */
const AT_ONCE = 4;

/** The most corrections of one sweep in one project: the next one goes on. Each is some events of its history. */
const MOST_CORRECTIONS = 100;

/** So many that failed, which may take minutes each: the project takes none just now. */
const MOST_FAILURES = 10;

/** So long reads a sweep of the schedule one project at the most, ms, and begins no other one then: the next sweep begins with that. */
const LONG_MS = 60 * 60_000;

/** The most projects that were not read, drifts, runs that fail and orphaned statuses that a result lists, and their bytes. */
const MOST_LISTED = 200;
const LISTED_BYTES = 150_000;

const listed = <T>(all: readonly T[]): readonly T[] => firstOf(all.slice(0, MOST_LISTED), LISTED_BYTES);

/** Why something failed: the tracker's words may be of any length. */
const WHY_BYTES = 1_000;

/** The line of a sweep in the log and in its details. */
const LINE_BYTES = 20_000;

/**
 * One sweep: finds the deploy-phase statuses that should not stand, and corrects them (docs/status-protocol.md). Started by a schedule,
 * whose last result says how far the sweep before has come.
 */
export async function reconcileStatuses(payload?: ReconcileInput): Promise<ReconcileResult> {
  const { dryRun, full, taskQueue } = parseReconcileInput(payload);
  const { lastResult, startTime } = workflowInfo();
  const began = startTime.getTime();
  const before = isResult(lastResult) ? lastResult : {};
  const begun = await now(); // its first task may have waited for a worker

  const seen = { looked: 0, inDeployPhase: 0 };
  const healings: Healing[] = [];
  const unread: { project: string; why: string }[] = [];
  const projects: Record<string, SweptProject> = {};
  let beginWith: string | null = null;

  /** Corrects what has drifted in one project. */
  const corrector = () => {
    const begun = { corrections: 0, failures: 0 };
    return async (drifts: readonly Drift[]): Promise<Corrected> => {
      const waiting = [...drifts];
      const came: Healing[] = [];
      const lane = async (): Promise<void> => {
        for (let drift = waiting.shift(); drift !== undefined; drift = waiting.shift()) {
          const { result, ...why } = dryRun ? WOULD_BE : (putOff(begun) ?? (await heal(taskQueue, drift)));
          if (result === 'failed') begun.failures += 1;
          came.push({ ...drift, result, ...why });
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      healings.push(...came);
      const ids = (...results: Healing['result'][]): string[] =>
        came.filter(({ result }) => results.includes(result)).map(({ item }) => item.id);
      return { settled: ids('healed', 'right again'), failed: ids('failed') };
    };
  };

  /** Whoever asks for everything waits for it; the schedule does not, as one sweep at a time runs of it. */
  const isLong = async (since: number): Promise<boolean> => !full && (await now()) - since > LONG_MS;

  const readInTime = (since: number) => async (asked: ReadPage) => {
    if (await isLong(since))
      throw ApplicationFailure.nonRetryable('there was more to read after an hour', 'TakesTooLong');
    return readPage(asked);
  };

  const unreadAs = (project: string, why: string): void => {
    unread.push({ project, why: beginning(why, WHY_BYTES) });
    log.warn(`project ${project} was not read to its end: ${why}`);
    const last = before.projects?.[project];
    if (last !== undefined) projects[project] = last;
  };

  for (const project of startingFrom(before.beginWith ?? null, await projectsToSweep())) {
    if (beginWith === null && (await isLong(begun))) beginWith = project;
    if (beginWith !== null) {
      unreadAs(project, `the sweep had lasted an hour by then, the next one begins with ${beginWith}`);
      continue;
    }
    try {
      const swept = await sweepProject(
        project,
        { began, full, last: before.projects?.[project] },
        { readPage: readInTime(await now()), findDrifts, correct: corrector() },
      );
      seen.looked += swept.looked;
      seen.inDeployPhase += swept.inDeployPhase;
      projects[project] = swept.project;
    } catch (error) {
      if (isCancellation(error)) throw error;
      unreadAs(project, messageOf(error));
    }
  }

  const found = since('orphaned-statuses')
    ? await orphansAmong(readNow(projects, unread)).catch(notKnown('orphaned statuses'))
    : [];
  for (const [project, swept] of Object.entries(projects)) {
    const orphans = found?.filter(({ item }) => item.project === project).map(({ item }) => item.id);
    if (orphans !== undefined && orphans.length > 0) projects[project] = { ...swept, orphans };
  }
  // The second sweep in a row that finds it: what is just being set has no run yet. Whoever asks by hand sees all.
  const known = new Set(Object.values(before.projects ?? {}).flatMap(({ orphans = [] }) => orphans));
  const orphaned = found?.filter(({ item }) => full || known.has(item.id)) ?? null;
  for (const orphan of orphaned ?? []) log.warn(orphanWords(orphan));
  const failing = since('failing-workflow-tasks') ? await findFailing().catch(notKnown('failing workflow tasks')) : [];
  for (const { workflowId, why } of failing ?? []) log.warn(`${workflowId}: its workflow task fails: ${why}`);

  const of = (result: Healing['result']): number => healings.filter((healing) => healing.result === result).length;
  const counts = {
    ...seen,
    drifted: healings.length,
    healed: of('healed'),
    putOff: of('put off'),
    failed: of('failed'),
  };
  const text =
    `sweep${dryRun ? ' (dry run)' : ''}: ${counts.looked} looked at, ${counts.inDeployPhase} in a deploy-phase status, ` +
    `${counts.drifted} drifted, ${counts.healed} healed, ${counts.putOff} put off, ${counts.failed} failed` +
    unread.map(({ project, why }) => `; project ${project} unread: ${why}`).join('') +
    (orphaned ?? []).map((orphan) => `; ${orphanWords(orphan)}`).join('') +
    (failing ?? []).map(({ workflowId, why }) => `; ${workflowId}: its workflow task fails: ${why}`).join('');
  const line = beginning(text, LINE_BYTES);
  showDetails(() => inline(line));
  log.info(line, { sweep: { ...counts, unread: unread.length } });
  return {
    ...{ dryRun, ...counts, unread: listed(unread), failing: failing && listed(failing) },
    orphaned: orphaned && listed(orphaned),
    ...{ healings: listed(healings), projects: toldOf(projects), beginWith },
  };
}

/** What is in the deploy phase in the projects that were read by this sweep. */
const readNow = (
  projects: Readonly<Record<string, SweptProject>>,
  unread: readonly { readonly project: string }[],
): InDeployPhase[] =>
  Object.entries(projects).flatMap(([project, { inDeployPhase }]) =>
    unread.some((each) => each.project === project) ? [] : inDeployPhase,
  );

async function orphansAmong(items: readonly InDeployPhase[]): Promise<Orphan[]> {
  const orphans: Orphan[] = [];
  for (let at = 0; at < items.length; at += COMPARED_AT_ONCE)
    orphans.push(...(await findOrphans({ items: items.slice(at, at + COMPARED_AT_ONCE) })));
  return orphans;
}

const notKnown =
  (what: string) =>
  (error: unknown): null => {
    if (isCancellation(error)) throw error;
    log.warn(`could not check for ${what}: ${messageOf(error)}`);
    return null;
  };

type Came = Pick<Healing, 'result' | 'detail'>;

const WOULD_BE: Came = { result: 'would be healed' };

/** Why no more is corrected now; `null`: one more is begun. */
function putOff(begun: { corrections: number; readonly failures: number }): Came | null {
  if (begun.failures >= MOST_FAILURES)
    return { result: 'put off', detail: 'too many of the project could not be corrected: the next sweep tries again' };
  if (begun.corrections >= MOST_CORRECTIONS)
    return { result: 'put off', detail: 'one sweep corrects no more: the next one goes on' };
  begun.corrections += 1;
  return null;
}

/** By a healing of its own, as for an event: there is one at a time for each work item, and it is found by it afterwards. */
async function heal(taskQueue: string | null, { item, repo, workItem }: Drift): Promise<Came> {
  // Sweeps that an earlier version has started go by an id that all task queues have in common.
  const workflowId = taskQueue === null ? `heal/${item.id}` : healWorkflowId(taskQueue, item.id);
  try {
    const { last } = await executeChild(healWorkItem, {
      workflowId,
      args: [{ ...item, reason: 'sweep', once: true }],
      staticSummary: 'a sweep found a status that should not stand',
      typedSearchAttributes: [
        { key: D2dRepo, value: repo },
        { key: D2dWorkItem, value: workItem },
      ],
    });
    if (last === null) return { result: 'right again' };
    return hasWritten(last) ? { result: 'healed' } : { result: 'put off', detail: 'it is being changed just now' };
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (!(error instanceof WorkflowExecutionAlreadyStartedError))
      return { result: 'failed', detail: beginning(messageOf(error), WHY_BYTES) };
    await getExternalWorkflowHandle(workflowId)
      .signal(lookSignal)
      .catch((gone) => log.info(`the healing that ran has just ended: ${messageOf(gone)}`));
    return { result: 'put off', detail: 'it is being looked at already, and once more now' };
  }
}

type Before = Partial<Pick<ReconcileResult, 'projects' | 'beginWith'>>;

const isResult = (value: unknown): value is Before =>
  typeof value === 'object' &&
  value !== null &&
  'projects' in value &&
  typeof value.projects === 'object' &&
  value.projects !== null;

/** The same items in the same circle, from this one on; as they are where it is not among them. */
function startingFrom(first: string | null, items: readonly string[]): readonly string[] {
  const at = first === null ? -1 : items.indexOf(first);
  return at < 0 ? items : [...items.slice(at), ...items.slice(0, at)];
}
