import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { WindowReport } from '../../activities/window-report.ts';
import {
  approveSignal,
  type Command,
  cancelWindowSignal,
  closeWindowUpdate,
  D2dOutcome,
  D2dPhase,
  D2dRepo,
  D2dVerdict,
  D2dWorkItem,
  type DeployInput,
  type DeployOutcome,
  type DeployResult,
  type DeployStatus,
  deployFinishedSignal,
  deployStatusQuery,
  extendWindowUpdate,
  monitorWorkflowId,
  rejectSignal,
  resolveDeploySignal,
  versionAttribute,
  type WindowStatus,
  windowStatusQuery,
} from '../../workflows/messages.ts';
import { reportOf, windowStatus } from './builders.ts';

// Stand-ins of the two workflows: they answer the same messages, do nothing, and end as the version asks them to.

const isOutcome = (version: string | undefined): version is DeployOutcome =>
  version !== undefined && !version.startsWith('v');

/** A deploy of version `v…` goes on to its window, but for `v-owing`, `v-settling`, `v-unknown`, `v-external` and `v-old`; any other version is the outcome that it ends with. */
export async function deployToDone(input: DeployInput): Promise<DeployResult> {
  const { repo, workItem, version } = input;
  let status: DeployStatus = {
    repo,
    workItem,
    version: version ?? null,
    requestedBy: input.requestedBy ?? null,
    operationId: 'run-1:deploy',
    phase: 'awaiting_approval',
    outcome: null,
    reason: null,
    otherVersionRequested: false,
    approval: { required: true, expiresAt: null, decision: null, by: null, reason: null },
    reported: null,
    resolution: null,
    windowId: null,
    notes: [],
  };
  const become = (change: Partial<DeployStatus>): void => {
    status = { ...status, ...change };
    upsertSearchAttributes([{ key: D2dPhase, value: status.phase }]);
  };
  const finish = (outcome: DeployOutcome, reason: string): DeployResult => {
    become({ phase: 'finished', outcome, reason });
    upsertSearchAttributes([{ key: D2dOutcome, value: outcome }]);
    return { outcome, reason };
  };
  const decide =
    (decision: 'approved' | 'rejected') =>
    ({ by, reason }: { readonly by: string; readonly reason?: string }): void => {
      if (status.approval.decision === null)
        become({ approval: { ...status.approval, decision, by, reason: reason ?? 'unknown' } });
    };
  setHandler(approveSignal, decide('approved'));
  setHandler(rejectSignal, decide('rejected'));
  setHandler(resolveDeploySignal, (resolution) => become({ resolution }));
  setHandler(deployFinishedSignal, (reported) => {
    if (reported.version === undefined || reported.version === version) return become({ reported });
    const text = `the signal deployFinished was ignored: it is about version ${reported.version}, not ${version}`;
    become({ notes: [...status.notes, { at: Date.now(), text }] });
  });
  setHandler(deployStatusQuery, () => status);

  // As runs of a version before there were outcomes in attributes.
  if (version === 'v-old') return { outcome: 'done', reason: '' };
  try {
    if (version === 'v-owing') {
      finish('rejected', 'but the tracker is away');
      await condition(() => false);
    }
    if (version === 'v-settling') {
      become({ phase: 'monitoring', reason: 'but its window is over' });
      await condition(() => false);
    }
    if (version === 'v-unknown' || version === 'v-external') {
      become({ phase: version === 'v-unknown' ? 'unknown' : 'deploying', reason: 'the worker was lost' });
      await condition(() => status.resolution !== null || status.reported !== null);
      return finish(
        status.resolution?.deployed === true || status.reported?.ok === true ? 'done' : 'deploy_failed',
        '',
      );
    }
    if (isOutcome(version)) return finish(version, `the test asked for ${version}`);
    const required = input.approval !== 'none';
    const asked = { ...status.approval, required, expiresAt: required ? Date.now() + 600_000 : null };
    become({ approval: required ? asked : { ...asked, decision: 'approved', reason: 'no approval is required' } });
    await condition(() => status.approval.decision !== null);
    if (status.approval.decision === 'rejected') {
      return finish('rejected', `rejected by ${status.approval.by}: ${status.approval.reason}`);
    }
    become({ phase: 'deploying' });
  } catch (error) {
    if (isCancellation(error)) return finish('cancelled', 'the run was cancelled');
    throw error;
  }
  const windowId = monitorWorkflowId(repo, workItem);
  return CancellationScope.nonCancellable(async () => {
    const window = await startChild(postDeployMonitor, {
      workflowId: windowId,
      args: [input],
      parentClosePolicy: 'ABANDON',
      typedSearchAttributes: [
        { key: D2dRepo, value: repo },
        { key: D2dWorkItem, value: workItem },
        { key: D2dPhase, value: 'open' },
        ...versionAttribute(version),
      ],
    });
    become({ phase: 'monitoring', windowId });
    const { outcome } = await window.result();
    return finish(outcome === 'cancelled' ? 'window_cancelled' : 'closed_early', `the window ended ${outcome}`);
  });
}

/** A window that makes a tick every 300 ms and lasts until somebody ends it. */
export async function postDeployMonitor(
  input: DeployInput,
): Promise<{ readonly outcome: 'cancelled' | 'closed_early' }> {
  const { repo, workItem } = input;
  const now = Date.now();
  let status: WindowStatus = windowStatus({
    repo,
    workItem,
    openedAt: now,
    endsAt: now + 900_000,
    lastTicks: [],
    tick: 0,
  });
  let outcome: 'cancelled' | 'closed_early' | null = null;
  const told = (
    name: 'cancelWindow' | 'closeWindow' | 'extendWindow',
    { by, reason }: Command,
    effect: string,
  ): void => {
    status = { ...status, messages: [...status.messages, { at: Date.now(), name, by, reason, effect }] };
  };
  const end = (how: 'cancelled' | 'closed_early'): void => {
    outcome = how;
    status = { ...status, phase: 'closed', outcome: how };
    upsertSearchAttributes([
      { key: D2dPhase, value: 'closed' },
      { key: D2dVerdict, value: 'HEALTHY' },
      { key: D2dOutcome, value: how },
    ]);
  };
  const mustBeOpen = (): void => {
    if (outcome !== null) throw ApplicationFailure.nonRetryable('the window has ended already', 'Refused');
  };
  setHandler(windowStatusQuery, () => status);
  setHandler(cancelWindowSignal, (command) => {
    told('cancelWindow', command, 'the window was cancelled');
    end('cancelled');
  });
  setHandler(
    extendWindowUpdate,
    (command) => {
      status = { ...status, endsAt: status.endsAt + command.minutes * 60_000 };
      told('extendWindow', command, `extended by ${command.minutes} minutes`);
      return { endsAt: status.endsAt };
    },
    {
      validator: ({ minutes }): void => {
        mustBeOpen();
        if (minutes > 30) {
          throw ApplicationFailure.nonRetryable('the window may last 45 minutes at the most', 'Refused');
        }
      },
    },
  );
  setHandler(
    closeWindowUpdate,
    (command): WindowReport => {
      told('closeWindow', command, 'the window was closed');
      end('closed_early');
      return reportOf(status, workflowInfo().workflowId, 'closed_early');
    },
    { validator: (_command): void => mustBeOpen() },
  );
  CancellationScope.current().cancelRequested.catch(() => end('cancelled'));

  return CancellationScope.nonCancellable(async () => {
    while (!(await condition(() => outcome !== null, 300))) {
      const tick = status.tick + 1;
      const look = { tick, at: Date.now(), health: 'pass', requests: 10, errors5xx: 0 } as const;
      status = { ...status, tick, lastTicks: [...status.lastTicks, look].slice(-10) };
    }
    await condition(() => outcome !== null && allHandlersFinished());
    // As the real one, which settles the status after it has closed.
    await condition(() => false, 1_000);
    return { outcome: outcome ?? 'closed_early' };
  });
}
