import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import { approveSignal, type DeployStatus, rejectSignal } from '../workflows/messages.ts';
import { refused } from './errors.ts';
import { asking, type Execution } from './executions.ts';
import { type DeployView, deployView } from './views.ts';

export interface Approval {
  readonly by: string;
  readonly reason?: string | undefined;
}

/** What became of an approval or a rejection. */
export interface ApprovalSent {
  readonly execution: Execution;
  readonly decision: 'approved' | 'rejected';
  readonly by: string;
  readonly reason: string | null;
  /** False: no worker has taken it up yet; it is kept and takes effect when one does. */
  readonly takenUp: boolean;
}

/** How long the effect of a signal is waited for, ms. A signal itself cannot answer. */
const EFFECT_MS = 5_000;
const LOOK_EVERY_MS = 150;

/** Why a decision would be ignored, in one sentence; `null`: it would count. */
function refusal({ execution, status, result }: DeployView, workItem: string): string | null {
  if (!execution.running) {
    return `${workItem}: the deploy has ended already (${result?.outcome ?? execution.status.toLowerCase()})`;
  }
  if (status === null) return null;
  const { required, decision, by } = status.approval;
  if (status.outcome !== null) return `${workItem}: the deploy has ended already (${status.outcome})`;
  if (!required) return `${workItem}: this deploy needs no approval`;
  return decision === null ? null : `${workItem}: the deploy was ${decision} by ${by ?? 'unknown'} already`;
}

/**
 * Approves or rejects a deploy and looks whether that has counted.
 * @throws D2dError: `refused` where the run takes no decision any more.
 */
export async function decideApproval(
  temporal: Client,
  execution: Execution,
  decision: 'approved' | 'rejected',
  { by, reason }: Approval,
): Promise<ApprovalSent> {
  const { workItem, workflowId, runId } = execution;
  const before = await deployView(temporal, execution);
  const why = refusal(before, workItem);
  if (why !== null) throw refused(why, `look at it with d2d status ${workItem}`);

  const signal = decision === 'approved' ? approveSignal : rejectSignal;
  const payload = reason === undefined ? { by } : { by, reason };
  await asking(temporal, () => temporal.workflow.getHandle(workflowId, runId).signal(signal, payload));
  const sent = { execution, decision, by, reason: reason ?? null };
  if (before.status === null) return { ...sent, takenUp: false };

  const deadline = Date.now() + EFFECT_MS;
  for (;;) {
    const { status } = await deployView(temporal, execution);
    if (status !== null && status.approval.decision !== null) {
      if (mine(status, decision, by)) return { ...sent, takenUp: true };
      throw refused(
        `${workItem}: the deploy was ${status.approval.decision} by ${status.approval.by ?? 'unknown'} first`,
        `look at it with d2d status ${workItem}`,
      );
    }
    if (status === null || Date.now() > deadline) return { ...sent, takenUp: false };
    await delay(LOOK_EVERY_MS);
  }
}

const mine = ({ approval }: DeployStatus, decision: 'approved' | 'rejected', by: string): boolean =>
  approval.decision === decision && approval.by === by;
