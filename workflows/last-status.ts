import { isCancellation, proxyActivities } from '@temporalio/workflow';
import type { Ended, StatusSetters } from '../activities/status-setters.ts';
import { type Convergence, lastWord, summaryOf, tellOfChoice } from './converge.ts';
import { isFailure, messageOf } from './failures.ts';

/** The last status of a deploy or a window: what the authorities ask for, or the one from before the run. */
export type LastStatus = LastConverged | LastPutBack;

interface LastConverged extends Convergence {
  readonly kind: 'converge';
  /** It only has to settle. */
  readonly written?: true;
}

interface LastPutBack {
  readonly kind: 'put_back';
  readonly request: Parameters<StatusSetters['restoreStatus']>[0];
  /** Whether the guard is in force: only then is it tried again. */
  readonly guarded: boolean;
  /** Names the run, so that an alarm about it is raised once. */
  readonly alarmKey: string;
}

export const summaryOfPutBack = ({ degraded }: Ended): string =>
  degraded === true ? 'show that it is degraded' : 'put the status back';

/** Long enough for a tracker that is there; one that is away does not hold up the end of a run. */
const SOON = '10 seconds';
/** Where it is not tried again afterwards: more than Plane's rate limit asks to wait. */
const ONLY_NOW = '90 seconds';

const setters = (summary: string, scheduleToCloseTimeout: typeof SOON | typeof ONLY_NOW = SOON) =>
  proxyActivities<StatusSetters>({
    summary,
    startToCloseTimeout: '45 seconds',
    scheduleToCloseTimeout,
    heartbeatTimeout: '10 seconds',
    retry: { maximumInterval: '10 seconds' },
  });

/**
 * Writes the last status, if that is possible now.
 * @param tell takes what people are to hear of it
 * @returns what of it is left to do; `null`: nothing
 */
export async function tryLastStatus(
  status: LastStatus,
  note: (text: string) => void,
  tell: (kind: string, paragraphs: readonly string[]) => void,
): Promise<LastStatus | null> {
  try {
    if (status.kind === 'put_back') {
      const { request, guarded } = status;
      await setters(summaryOfPutBack(request), guarded ? SOON : ONLY_NOW).restoreStatus(request);
      return null;
    }
    tellOfChoice(status, await setters(summaryOf(status)).convergeDone(lastWord(status)), tell);
    return status.guarded ? { ...status, written: true } : null;
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (isFailure(error, 'PlaneNotFound')) {
      note(`mirroring ended: ${messageOf(error)}`);
      return null;
    }
    const retries = status.kind === 'converge' || status.guarded;
    note(`the last status could not be written${retries ? ' yet and is retried' : ''}: ${messageOf(error)}`);
    return retries ? status : null;
  }
}
