import { condition, log, proxyActivities, sleep } from '@temporalio/workflow';
import type { PostDeployLog } from '../activities/post-deploy-log.ts';
import type { WindowReport } from '../activities/window-report.ts';
import { detailsOf } from './bounded.ts';
import { convergeAndSettle, lastSetters, type Outside, settle, TEMPORAL, untilWritten } from './converge.ts';
import { withNote } from './kept.ts';
import { type LastStatus, summaryOfPutBack } from './last-status.ts';
import { inline } from './markdown.ts';
import { since } from './patches.ts';
import { createTelling, type Telling, type Untold } from './tell-people.ts';
import { showDetails } from './ui-details.ts';
import { untilItWorks } from './until-it-works.ts';

/** A disk that is full or away is waited for. */
const { writePostDeployLog } = proxyActivities<PostDeployLog>({
  startToCloseTimeout: '30 seconds',
  retry: { maximumInterval: '1 minute' },
});

/** What a deploy or a window still owes when it has ended. */
export interface WrapUpInput extends Untold {
  readonly repo: string;
  readonly workItem: string;
  /** Its last status; `null`: that is written, and settled. */
  readonly status: LastStatus | null;
  /** The report whose log is to be written; `null`: none. */
  readonly report: WindowReport | null;
}

/**
 * Does what a deploy or a window owes when it has ended, for as long as that takes: its last status, what people are to hear, and the
 * log of a window. The run itself is over by then, so that a tracker, a sink or a disk that is away keeps nobody from the next deploy.
 * A cancel gives it up.
 */
export async function wrapUp({ status, alerts, comments, report }: WrapUpInput): Promise<void> {
  let notes: ReturnType<typeof withNote> = [];
  const note = (text: string): void => {
    log.warn(text);
    notes = withNote(notes, text, Date.now());
  };
  showDetails(() => detailsOf(notes.flatMap(({ at, text }) => [`${new Date(at).toISOString()} ${inline(text)}`, ''])));
  const telling = createTelling(note);
  const logIt = (written: WindowReport) =>
    untilItWorks('the log of the window cannot be written', () => writePostDeployLog(written), note);
  await Promise.all([
    status === null ? null : writeStatus(status, note, tellingBeside(status, telling)),
    report === null ? null : logIt(report),
    ...alerts.map((alert) => telling.alert(alert)),
    ...comments.map((comment) => telling.comment(comment)),
  ]);
  await condition(() => telling.isDone());
}

/** Alerts and comments about the status are sent beside it: a sink or a tracker that is away does not delay the status. */
const tellingBeside = (status: LastStatus, telling: Telling): Outside => ({
  ...TEMPORAL,
  async sendAlert(alert) {
    if (!since('alarm-told')) return TEMPORAL.sendAlert(alert);
    telling.alert(alert).catch(() => {}); // a cancel of the wrap-up gives it up
  },
  tell(kind, paragraphs) {
    if (status.kind !== 'converge') return;
    const { repo, workItem, run, alarmKey } = status;
    telling.comment({ repo, workItem, key: `${run ?? alarmKey}:${kind}`, paragraphs }).catch(() => {});
  },
});

/** How long to wait for a newer run, ms: at first not for long, and at last so long that the history stays small for weeks. */
const waitMs = (waits: number): number => Math.min(5_000 * 2 ** waits, 15 * 60_000);

async function writeStatus(status: LastStatus, note: (text: string) => void, outside: Outside): Promise<void> {
  if (status.kind !== 'put_back')
    return status.written ? settle(status, note, outside) : convergeAndSettle(status, note, outside);
  const { request, alarmKey } = status;
  const putBack = () => lastSetters(summaryOfPutBack(request)).restoreStatus(request);
  for (let waits = 0; ; waits += 1) {
    const result = await untilWritten({ ...request, alarmKey }, note, putBack, outside);
    if (result?.waits !== true) return;
    await sleep(waitMs(waits), { summary: 'a newer deploy of the work item runs' });
  }
}
