import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  proxyActivities,
  proxyLocalActivities,
  setDefaultSignalHandler,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { PostDeployLog } from '../activities/post-deploy-log.ts';
import type { Probes } from '../activities/probes.ts';
import type { WindowOutcome, WindowReport } from '../activities/window-report.ts';
import { decideAction } from '../decisions/index.ts';
import { callsOnce } from './calls-once.ts';
import { type Convergence, convergeAndSettle } from './converge.ts';
import { messageOf } from './failures.ts';
import { handOver, handsOver } from './hand-over.ts';
import { ignoredWords, isWorthTelling } from './ignored-signals.ts';
import { type LastStatus, tryLastStatus } from './last-status.ts';
import { byTemporalsClock, CLOCK_NOTE, mayDiffer } from './look-time.ts';
import {
  cancelWindowSignal,
  closeWindowUpdate,
  D2dOutcome,
  D2dPhase,
  D2dVerdict,
  driverStuckSignal,
  extendWindowUpdate,
  statusShownSignal,
  windowStatusQuery,
} from './messages.ts';
import {
  isMonitorInput,
  parseDriverStuck,
  parseExtension,
  parseSignalCommand,
  parseUpdateCommand,
} from './parse-message.ts';
import { since } from './patches.ts';
import { rollBack } from './roll-back.ts';
import { createTelling, type Severity } from './tell-people.ts';
import { showDetails } from './ui-details.ts';
import * as messages from './window-messages.ts';
import type { MonitorInput, Rules, WindowState } from './window-state.ts';
import * as win from './window-state.ts';
import * as view from './window-view.ts';
import type { WrapUpInput } from './wrap-up.ts';

/** 3 s in all, one attempt: a running local activity holds messages up, and the loop below is the retry. */
const PROBE = { scheduleToCloseTimeout: '3 seconds', retry: { maximumAttempts: 1 } } as const;
const { observe } = proxyLocalActivities<Probes>(PROBE);

/** Idempotent and quick, so a local activity first: 1 history event in place of 6, and no copy of the report in it. */
const { writePostDeployLog: writeLogAtOnce } = proxyLocalActivities<PostDeployLog>({
  scheduleToCloseTimeout: '3 seconds',
  retry: { maximumAttempts: 1 },
});

/** Where that did not work, in windows of earlier versions. */
const { writePostDeployLog } = proxyActivities<PostDeployLog>({
  startToCloseTimeout: '30 seconds',
  scheduleToCloseTimeout: '10 minutes',
});

/** How a window ended, for the run that waits for it; what was seen tick by tick is in its report. */
export interface WindowResult {
  readonly outcome: WindowOutcome;
  readonly summary: string;
  /** It left production degraded, or rolled back, and there is a state for that. */
  readonly degraded?: true;
}

/**
 * One post-deploy window (ORCH-021): looks at production on a fixed grid of ticks, acts once when it proves degraded, and
 * takes its task's status to the end. Everything that it knows is in its own state (invariant 7).
 */
export async function postDeployMonitor(input: MonitorInput): Promise<WindowResult> {
  if (!isMonitorInput(input)) {
    throw ApplicationFailure.nonRetryable(
      'a window needs a repository, a work item and a policy; deployToDone opens it',
      'Refused',
    );
  }
  const { policy, repo, workItem } = input;
  const { firstExecutionRunId, runId, startTime, parent } = workflowInfo();
  let state = win.open(input, startTime.getTime(), newestRules());
  showDetails(() => view.details(state, input));
  let finalReport: WindowReport | null = null;
  let handedOver = 0;
  // Without an await of its own: what comes in the same task as the wrap-up's start must find the window where a replay finds it.
  const handOn = (owed: WrapUpInput): Promise<unknown> => {
    const handing = handOver(owed, handedOver + 1);
    const count = (made: boolean): void => {
      if (made || !since('wrap-ups-without-gaps')) handedOver += 1;
    };
    handing.then(count, () => {});
    return handing;
  };
  /** What runs beside the loop: a rollback, alerts, comments. */
  let beside = 0;

  const become = (next: WindowState): void => {
    state = next;
  };
  const note = (text: string): void => {
    log.warn(text);
    become(win.noted(state, text, Date.now()));
  };

  const ignore = (signal: string, why: string): void => {
    const text = ignoredWords(signal, why);
    state = win.ignored(state, text, Date.now(), !since('ignored-signals-wake-nobody'));
    if (isWorthTelling(state.ignoredSignals ?? 0)) log.warn(text);
  };

  /** Every look would say it again. */
  const noteClock = (text: string): void => {
    if (!state.notes.some((earlier) => earlier.text.startsWith(CLOCK_NOTE))) note(text);
  };

  setHandler(
    cancelWindowSignal,
    (payload: unknown) => {
      const command = parseSignalCommand(payload);
      if (typeof command === 'string') ignore('cancelWindow', command);
      else if (messages.isOneTooMany(state)) ignore('cancelWindow', 'the window had ended already');
      else become(messages.cancelled(state, 'cancelWindow', command, Date.now()));
    },
    { description: 'Stop watching: {by, reason}. The outcome is cancelled.' },
  );
  setHandler(
    closeWindowUpdate,
    async (command) => {
      become(messages.closedEarly(state, orRefuse(parseUpdateCommand(command)), Date.now()));
      // A cancel of the workflow ends the window too: this waits for its report all the same.
      await CancellationScope.nonCancellable(() => condition(() => finalReport !== null));
      return finalReport ?? view.report(state, input);
    },
    {
      description: 'End now with the verdict so far: {by, reason}. Answers with the report.',
      validator: (command): void => {
        orRefuse(parseUpdateCommand(command));
        refuse(messages.closeRefusal(state));
      },
    },
  );
  setHandler(
    extendWindowUpdate,
    (command) => {
      become(messages.extended(state, orRefuse(parseExtension(command)), Date.now()));
      return { endsAt: state.window.endsAt };
    },
    {
      description: 'Watch longer: {by, reason, minutes}. Answers with the new end.',
      validator: (command): void => {
        refuse(messages.extendRefusal(state, policy, orRefuse(parseExtension(command)).minutes));
      },
    },
  );
  setHandler(windowStatusQuery, () => view.status(state, input));

  // Temporal's own cancel does what cancelWindow does, so it is a message here, not an exception.
  const root = CancellationScope.current();
  let cancelHeard = false;
  root.cancelRequested.catch(() => {
    cancelHeard = true;
    become(messages.cancelled(state, 'cancel', { by: 'temporal', reason: 'the workflow was cancelled' }, Date.now()));
  });

  /** Whether the window has ended, or a cancel is not handled yet: within one workflow task a cancel is handled after a timer. */
  const mayHaveEnded = (): boolean => state.ending !== null || (root.consideredCancelled && !cancelHeard);
  /** Waits for the ending that may have come. @returns whether it counts here */
  const hasEnded = async (patch: 'ending-first' | 'ending-after-clock' = 'ending-first'): Promise<boolean> => {
    if (!since(patch)) return false;
    await condition(() => state.ending !== null);
    return true;
  };

  const inBackground = (what: string, run: () => Promise<unknown>): void => {
    beside += 1;
    run()
      .catch((error) => note(`${what} failed: ${messageOf(error)}`))
      .finally(() => {
        beside -= 1;
      });
  };

  const telling = createTelling(note);
  // By its own run: what a window tells after a reset is no repetition.
  const keyOf = (kind: string): string => `${runId}:${kind}`;
  const alert = (
    kind: string,
    severity: Severity,
    title: string,
    text: string,
    refused?: (text: string) => void,
  ): Promise<boolean> => {
    const message = { key: keyOf(kind), severity, repo, workItem, title, text, at: Date.now() };
    return CancellationScope.nonCancellable(() => telling.alert(message, refused));
  };
  const comment = (kind: string, paragraphs: readonly string[], key = keyOf(kind)): void =>
    void CancellationScope.nonCancellable(() => telling.comment({ repo, workItem, key, paragraphs }));
  const tellPeople = (kind: string, severity: Severity, title: string, text: string): void => {
    void alert(kind, severity, title, text);
    comment(kind, [title, text]);
  };
  /** Alerts that windows of earlier versions did not send. */
  const alertAlso = (kind: string, severity: Severity, title: string, text: string): void => {
    if (since('alerts-of-endings')) void alert(kind, severity, title, text);
  };
  const subject = `${workItem}: ${repo}${input.version === null ? '' : ` ${input.version}`}`;

  let calls = 0;
  const alreadyCalled = callsOnce();
  setHandler(
    driverStuckSignal,
    (payload: unknown) => {
      const stuck = parseDriverStuck(payload);
      if (typeof stuck === 'string') return ignore('driverStuck', stuck);
      const refusal = alreadyCalled(stuck.text);
      if (refusal !== null) return ignore('driverStuck', refusal);
      note(stuck.text);
      calls += 1;
      const kind = `${stuck.kind}-stuck${calls === 1 ? '' : `:${calls}`}`;
      const title = `${subject}: its ${stuck.kind} needs attention`;
      void alert(kind, 'critical', title, stuck.text);
      if (since('calls-on-the-ticket')) comment(kind, [title, stuck.text]);
    },
    { description: 'From the driver of the rollback: something needs a person, {kind, text}.' },
  );

  setHandler(
    statusShownSignal,
    () => {
      state = { ...state, statusShown: true };
    },
    { description: 'From its deploy: the tracker has taken a status of the run.' },
  );

  // Set last: earlier, it would take signals that came with the start, before their own handlers are set.
  setDefaultSignalHandler((name) => ignore(name, 'a window takes cancelWindow'));

  const act = async (): Promise<void> => {
    const action = decideAction({ verdict: 'DEGRADED', configured: policy.action, selfHosting: input.selfHosting });
    if (action === 'NONE') return;
    upsertSearchAttributes([
      { key: D2dVerdict, value: 'DEGRADED' },
      ...(action === 'ROLLBACK' ? [{ key: D2dPhase, value: 'acting' }] : []),
    ]);
    become(win.actionStarted(state, action, Date.now()));
    const summary = state.degraded?.summary ?? '';
    if (action === 'ALERT_ONLY') {
      const title = `${subject} is degraded after its deploy`;
      const refused = (text: string): void => become(win.alertFailed(state, text));
      void alert('degraded', 'critical', title, summary, refused).then((sent) => {
        if (sent) become(win.alertSent(state));
      });
      comment('degraded', [title, summary]);
      return;
    }
    tellPeople('degraded', 'critical', `${subject} is degraded after its deploy and is being rolled back`, summary);
    const { version, rollback } = input;
    const operationId = `${firstExecutionRunId}:rollback`;
    const end = await rollBack(rollback, { repo, workItem, version, operationId });
    const result = mayDiffer(end, win.lastSeenAt(state), state) ? await byTemporalsClock(end, state, noteClock) : end;
    become(
      win.rollbackFinished(state, policy, result, result.unknown === true && since('unknown-rollback-is-watched')),
    );
    if (result.ok) alertAlso('rolled-back', 'info', `${subject} was rolled back`, result.detail);
    else {
      const what = result.unknown
        ? `nobody knows whether ${subject} was rolled back`
        : `${subject} could not be rolled back`;
      tellPeople('rollback', 'critical', what, result.detail);
    }
  };

  const lastStatus = ({ outcome }: WindowReport): LastStatus & { readonly kind: 'converge' } => {
    const own = win.ownStatuses(input, state);
    return {
      kind: 'converge',
      ...{ repo, workItem, caller: 'postDeployMonitor', reason: `window ${outcome}` },
      ...{ guarded: input.guarded, settleMs: input.settleMs, alarmKey: runId },
      degraded: view.restsDegraded(state, input),
      ...(parent === undefined ? {} : { run: parent.runId }),
      ...(own === null ? {} : { own, news: view.news(state, input) }),
    };
  };

  /** With the key of its deploy's run, which may have to write the same comment. */
  const tellOfStatus = (kind: string, paragraphs: readonly string[]): void =>
    comment(kind, paragraphs, `${parent?.runId ?? runId}:${kind}`);

  const alertOfLog = (why: string): void =>
    void alert(
      'log',
      'warning',
      `${subject}: the log of its window was not written`,
      `${why}. Temporal keeps its report: d2d status ${workItem}.`,
    );

  /** What is done within seconds is done here; the rest is handed over. The work item is free then. */
  const leave = async (report: WindowReport, last: LastStatus | null): Promise<void> => {
    const [status, unlogged] = await Promise.all([
      last === null ? null : tryLastStatus(last, note, tellOfStatus),
      writeLogAtOnce(report).then(
        () => null,
        (error) => {
          note(`the log of the window could not be written yet and is retried: ${messageOf(error)}`);
          alertOfLog(messageOf(error));
          return report;
        },
      ),
    ]);
    await handOn({ repo, workItem, status, report: unlogged, ...(await telling.leave()) });
    await condition(() => beside === 0 && allHandlersFinished());
  };

  /** As windows of earlier versions did it, which waited for all of it. */
  const payOff = async (report: WindowReport, last: Convergence | null): Promise<void> => {
    inBackground('the post-deploy log', () =>
      writeLogAtOnce(report)
        .catch(() => writePostDeployLog(report))
        .catch((error) => {
          if (since('alert-of-lost-log')) alertOfLog(messageOf(error));
          throw error;
        }),
    );
    if (last !== null) await convergeAndSettle(last, note);
    await condition(() => beside === 0 && telling.isDone() && allHandlersFinished());
  };

  await CancellationScope.nonCancellable(async () => {
    while (win.isOpen(state)) {
      if (
        mayContinueAsNew(input, state) &&
        beside === 0 &&
        allHandlersFinished() &&
        (telling.isDone() || handsOver())
      ) {
        await handOn({ repo, workItem, status: null, report: null, ...(await telling.leave()) });
        // This run answers an update, and raises an alert, that came meanwhile.
        if (beside === 0 && allHandlersFinished() && telling.isDone())
          await continueAsNew<typeof postDeployMonitor>({ ...input, carried: state });
        continue;
      }
      const { revision } = state;
      const moved = () => state.revision !== revision;
      const wakeAt = win.wakeAt(state, policy);
      if (wakeAt === null) {
        await condition(moved);
        continue;
      }
      const seenAt = win.lastSeenAt(state);
      const looksOver = win.lookAt(state, policy) === null;
      if (!looksOver || seenAt < wakeAt) {
        // Nothing may depend on the workflow's time but how long a timer runs, see `recordLook`.
        const waitMs = Math.max(1, wakeAt - Math.max(Date.now(), seenAt));
        // A message that changed the window: look at the grid again.
        if (await condition(moved, waitMs, { summary: view.timerSummary(state, input) })) continue;
      }

      if (mayHaveEnded() && (await hasEnded())) continue;

      if (looksOver) {
        become(win.ranOut(state, policy, wakeAt));
        continue;
      }
      const summary = view.timerSummary(state, input);
      const expected =
        state.afterRollback === null
          ? { version: input.version }
          : { version: state.rolledBackTo ?? null, rolledBack: true as const };
      const request = { repo, workItem, ...expected, now: Date.now() };
      const look: win.Look = await observe.executeWithOptions({ ...PROBE, summary }, [request]).catch((error) => ({
        health: 'unknown' as const,
        requests: 0,
        errors5xx: 0,
        detail: `the probe broke: ${messageOf(error)}`,
      }));
      if (mayHaveEnded() && (await hasEnded())) continue;
      const { recoveredAt } = state;
      const differs = mayDiffer(look, wakeAt, state);
      const timed = differs ? await byTemporalsClock(look, state, noteClock) : look;
      if (differs && mayHaveEnded() && (await hasEnded('ending-after-clock'))) continue;
      become(win.recordLook(state, policy, wakeAt, timed));
      if (recoveredAt === null && state.recoveredAt !== null) {
        const summary = state.degraded?.summary ?? '';
        if (state.afterRollback === null) alertAlso('recovered', 'info', `${subject} has recovered`, summary);
        else
          alertAlso('recovered-by-rollback', 'info', `${workItem}: ${repo} has recovered after its rollback`, summary);
      }
      if (state.degraded !== null && state.action === null && state.ending?.kind !== 'task_cancelled') {
        inBackground('the action', act);
      }
    }

    const report = view.report(state, input);
    upsertSearchAttributes([
      { key: D2dPhase, value: 'closed' },
      { key: D2dVerdict, value: view.verdictAttribute(state) },
      // At once with the phase: whoever finds the window closed knows how it ended.
      { key: D2dOutcome, value: view.outcomeOnRecord(state) },
    ]);
    finalReport = report;
    if (report.outcome !== 'healthy') comment('closed', view.closingWords(report));
    if (report.outcome === 'no_evidence') {
      const [, ...words] = view.closingWords(report);
      alertAlso('no-evidence', 'warning', `${subject}: nobody knows whether it is healthy`, words.join(' '));
    }
    const lookedAfter = state.ending?.kind === 'ran_out';
    if (lookedAfter && state.afterRollback !== null && report.recovered === false) {
      const what = report.recoveryUnknown
        ? `nobody knows whether ${repo} has recovered after its rollback: too little was seen`
        : `${repo} has not recovered after its rollback`;
      tellPeople('not-recovered', 'critical', `${workItem}: ${what}`, report.summary);
    }
    // A task that was cancelled meanwhile gets no further status write (FR-3, D4).
    const last = state.ending?.kind === 'task_cancelled' ? null : lastStatus(report);
    if (handsOver()) await leave(report, last);
    else await payOff(report, last);
  });
  return {
    outcome: view.outcome(state) ?? 'closed_early',
    summary: view.status(state, input).summary,
    ...(view.restsDegraded(state, input) ? { degraded: true as const } : {}),
  };
}

/** Newest first: a new run records only that id, and a replay finds the id on record. */
function newestRules(): Rules | undefined {
  if (since('window-rules-5')) return 5;
  if (since('window-rules-4')) return 4;
  if (since('window-rules-3')) return 3;
  return since('window-rules-2') ? 2 : undefined;
}

/** Some 65 looks: a replay of them takes half a second of CPU on a slow machine. The server suggests it much later, or by size. */
const CONTINUE_AFTER_EVENTS = 400;

/** In windows of earlier versions. */
const CONTINUE_AFTER_EVENTS_BEFORE_5 = 1_500;

function mayContinueAsNew({ continueAfterEvents }: MonitorInput, state: WindowState): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  const after = win.hasRules(state, 5) ? CONTINUE_AFTER_EVENTS : CONTINUE_AFTER_EVENTS_BEFORE_5;
  return continueAsNewSuggested || historyLength >= (continueAfterEvents ?? after);
}

function refuse(reason: string | null): void {
  if (reason !== null) throw ApplicationFailure.nonRetryable(reason, 'Refused');
}

function orRefuse<T>(parsed: T | string): T {
  if (typeof parsed === 'string') throw ApplicationFailure.nonRetryable(parsed, 'Refused');
  return parsed;
}
