import { isCancellation, proxyActivities, workflowInfo } from '@temporalio/workflow';
import type { DeployPlan } from '../activities/deploy-plan.ts';
import type { SetStatus, ShownStatus } from '../activities/status-evidence.ts';
import type { SetStatusResult, StatusSetters } from '../activities/status-setters.ts';
import { isUnhealthy, type OwnStatuses } from '../decisions/index.ts';
import { type Convergence, convergeAndSettle, lastSetters, untilWritten } from './converge.ts';
import type { Ending } from './deploy-endings.ts';
import { isFailure, messageOf } from './failures.ts';
import { type LastStatus, summaryOfPutBack } from './last-status.ts';
import type { DeployInput } from './messages.ts';
import { isDeployPhaseStatus } from './parse-message.ts';
import { createTelling } from './tell-people.ts';

/** On its way no status holds up the work: after so long, which is more than Plane's rate limit asks to wait, the run goes on and says so. */
const setters = (summary: string) =>
  proxyActivities<StatusSetters>({
    summary,
    startToCloseTimeout: '45 seconds',
    scheduleToCloseTimeout: '90 seconds',
    heartbeatTimeout: '10 seconds',
    retry: { maximumInterval: '10 seconds' },
  });

/**
 * What the tracker is shown of one run. What cannot be shown within its time is noted, and the run goes on; only the last
 * one, `converge` or `putBack`, is kept at until it is there.
 * @param plan the run's plan, once there is one
 * @param note takes what did not go as it should
 */
export function mirrorOf(
  { repo: named, workItem }: DeployInput,
  plan: () => DeployPlan | null,
  note: (text: string) => void,
) {
  /** In the keys of what is told: after a reset it is no repetition, whatever the run before had told. */
  const { runId } = workflowInfo();
  const repo = () => plan()?.repo ?? named;
  const request = (reason: string): SetStatus => ({ repo: repo(), workItem, caller: 'deployToDone', reason });
  let acknowledged = false;
  let before: ShownStatus | null = null;
  const own = (): OwnStatuses => ({ acknowledged, before: before?.id ?? null });
  const attempt = async <T>(what: string, write: () => Promise<T>): Promise<T | null> => {
    try {
      return await write();
    } catch (error) {
      if (isCancellation(error)) throw error;
      note(`${what}: ${messageOf(error)}`);
      return null;
    }
  };

  /** Shows a status on the way. */
  const show = async (what: string, write: () => Promise<SetStatusResult>): Promise<void> => {
    const result = await attempt(what, write);
    acknowledged ||= isDeployPhaseStatus(result?.status);
  };

  const telling = createTelling(note);
  const tell = (kind: string, paragraphs: readonly string[]): Promise<boolean> =>
    telling.comment({ repo: repo(), workItem, key: `${runId}:${kind}`, paragraphs });

  const restoring = ({ outcome }: Ending) => ({
    ...request(outcome),
    ...(plan()?.degradedState !== undefined && isUnhealthy(outcome) ? { degraded: true as const } : {}),
    before,
  });

  const convergence = (reason: string, how: Pick<Convergence, 'degraded' | 'redrive'> = {}): Convergence => {
    const { guarded = true, settleMs = 0 } = plan() ?? {};
    return { ...request(reason), ...how, reason, guarded, settleMs, alarmKey: runId };
  };

  return {
    /** Reads what is shown before the run. @returns why nothing could ever be shown; `null`: it can */
    async read(): Promise<string | null> {
      try {
        before = await setters('read the status').readStatus({ repo: repo(), workItem });
        return null;
      } catch (error) {
        if (isCancellation(error)) throw error;
        const text = messageOf(error);
        if (isFailure(error, 'PlaneNotFound') || isFailure(error, 'PlaneForbidden'))
          return `the tracker does not show work item ${workItem}: ${text}`;
        note(`the status could not be read: ${text}`);
        return null;
      }
    },

    /** What is known of the statuses that were shown. */
    own,

    awaitingDeploy: () =>
      show('Awaiting Deploy could not be shown', () =>
        setters('show Awaiting Deploy').setAwaitingDeploy(request('waits for approval')),
      ),

    deploying: () =>
      show('Deploying could not be shown', () => setters('show Deploying').setDeploying(request('the deploy begins'))),

    monitoring: () =>
      show('Monitoring after Deploy could not be shown', () =>
        setters('show Monitoring after Deploy').setMonitoring(request('the window is open')),
      ),

    /** The last status of a run that puts back what was shown before it. */
    before: (end: Ending): LastStatus => ({
      kind: 'put_back',
      request: { ...restoring(end), run: runId },
      guarded: plan()?.guarded !== false,
      alarmKey: runId,
    }),

    /** The last status of a run that shows what the authorities ask for. */
    done: (reason: string, how: Pick<Convergence, 'degraded' | 'redrive'> = {}): LastStatus => ({
      kind: 'converge',
      ...convergence(reason, how),
      run: runId,
      ...(how.redrive === true ? {} : { own: own(), news: `the deploy of ${repo()} is done` }),
    }),

    /** As runs of earlier versions did it, which waited for it. */
    async putBack(end: Ending): Promise<void> {
      const restored = restoring(end);
      const putBackBy = (by: typeof setters) => by(summaryOfPutBack(restored)).restoreStatus(restored);
      const done = await attempt('the status from before the run could not be put back', () => putBackBy(setters));
      if (done !== null || plan()?.guarded === false) return;
      await untilWritten({ ...request(end.outcome), alarmKey: runId }, note, () => putBackBy(lastSetters));
    },

    /** As runs of earlier versions did it, which waited for it. */
    converge: (reason: string, how: Pick<Convergence, 'degraded' | 'redrive'> = {}): Promise<void> =>
      convergeAndSettle(convergence(reason, how), note),

    /** A comment on how the run ends. @param more a paragraph that follows; empty: none */
    comment: (kind: string, { outcome, reason }: Ending, more = '') =>
      tell(kind, [
        `${workItem}: deploy of ${named}: ${outcome.replaceAll('_', ' ')}.`,
        reason,
        ...(more === '' ? [] : [more]),
      ]),

    tell,

    /** @param what the rest of the title, after the work item */
    alert: (kind: string, what: string, text: string): Promise<boolean> =>
      telling.alert({
        key: `${runId}:${kind}`,
        severity: 'critical',
        repo: named,
        workItem,
        title: `${workItem}: ${what}`,
        text,
        at: Date.now(),
      }),

    telling,
  };
}
