import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import {
  type DeployFinished,
  type DeployResolution,
  type DeployStatus,
  deployFinishedSignal,
  resolveDeploySignal,
} from '../workflows/messages.ts';
import { refused } from './errors.ts';
import { asking, type Execution } from './executions.ts';
import { news } from './news.ts';
import { type DeployView, deployView } from './views.ts';

/** What became of a signal about how a deploy ended. */
export interface Reported {
  readonly execution: Execution;
  /** False: no worker has taken it up yet; it is kept and takes effect when one does. */
  readonly takenUp: boolean;
}

/** How long the effect of a signal is waited for, ms. A signal itself cannot answer. */
const EFFECT_MS = 5_000;
const LOOK_EVERY_MS = 150;

/**
 * Reports the end of an external deploy (`deployFinished`), and looks whether that has counted.
 * @throws D2dError: `refused` where the run ignores it, with the reason.
 */
export const reportFinished = (temporal: Client, execution: Execution, report: DeployFinished): Promise<Reported> =>
  send(temporal, execution, {
    name: 'deployFinished',
    signal: () =>
      temporal.workflow.getHandle(execution.workflowId, execution.runId).signal(deployFinishedSignal, report),
    refusal: (status) => (status.reported === null ? null : 'its deploy has been reported already'),
    recorded: ({ reported }) => reported,
    own: report,
  });

/**
 * Says how a deploy ended whose outcome is unknown (`resolveDeploy`), and looks whether that has counted.
 * @throws D2dError: `refused` where the deploy is not such a one.
 */
export const resolveDeploy = (
  temporal: Client,
  execution: Execution,
  resolution: DeployResolution,
): Promise<Reported> =>
  send(temporal, execution, {
    name: 'resolveDeploy',
    signal: () =>
      temporal.workflow.getHandle(execution.workflowId, execution.runId).signal(resolveDeploySignal, resolution),
    refusal: ({ phase }) =>
      phase === 'unknown'
        ? null
        : `resolve is only for a deploy whose outcome is unknown: this one is at ${phase.replaceAll('_', ' ')}`,
    recorded: (status) => status.resolution,
    own: resolution,
  });

interface Sending {
  readonly name: string;
  signal(): Promise<void>;
  /** Why it would be ignored; `null`: it would count. */
  refusal(status: DeployStatus): string | null;
  /** The answer that counted; `null`: none yet. */
  recorded(status: DeployStatus): DeployFinished | DeployResolution | null;
  readonly own: DeployFinished | DeployResolution;
}

/** Whether an answer that counted is the one that was sent. Two callers may send at once, and one of them is ignored. */
const isOwn = (recorded: object, own: object): boolean =>
  Object.entries(own).every(([name, value]) => {
    const kept: unknown = recorded[name as keyof typeof recorded];
    // The run trims texts, and cuts long ones.
    return typeof value === 'string' && typeof kept === 'string' ? value.trim().startsWith(kept) : value === kept;
  });

async function send(temporal: Client, execution: Execution, sending: Sending): Promise<Reported> {
  const { workItem } = execution;
  const look = `look at it with d2d status ${workItem}`;
  const before = await deployView(temporal, execution);
  const why = endedAlready(before) ?? (before.status === null ? null : sending.refusal(before.status));
  if (why !== null) throw refused(`${workItem}: ${why}`, look);

  await asking(temporal, () => sending.signal());
  if (before.status === null) return { execution, takenUp: false };
  const { notes } = before.status;
  const deadline = Date.now() + EFFECT_MS;
  for (;;) {
    const { status } = await deployView(temporal, execution);
    const recorded = status === null ? null : sending.recorded(status);
    if (recorded !== null && isOwn(recorded, sending.own)) return { execution, takenUp: true };
    const ignored = news(notes, status?.notes ?? []).find(({ text }) =>
      text.startsWith(`the signal ${sending.name} was ignored`),
    );
    if (ignored !== undefined) throw refused(`${workItem}: ${ignored.text}`, look);
    if (recorded !== null) throw refused(`${workItem}: somebody else has said first how it ended`, look);
    if (status === null || Date.now() > deadline) return { execution, takenUp: false };
    await delay(LOOK_EVERY_MS);
  }
}

const endedAlready = ({ execution, status, result }: DeployView): string | null => {
  if (execution.running && (status?.outcome ?? null) === null) return null;
  return `the deploy has ended already (${result?.outcome ?? status?.outcome ?? execution.status.toLowerCase()})`;
};
