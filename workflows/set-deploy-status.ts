import { ApplicationFailure, proxyActivities, upsertSearchAttributes } from '@temporalio/workflow';
import type { SetStatusResult, StatusSetters } from '../activities/status-setters.ts';
import type { DeployPhaseStatus } from '../decisions/index.ts';
import { D2dRepo, D2dWorkItem, type SetDeployStatusInput } from './messages.ts';
import { parseSetDeployStatus } from './parse-message.ts';
import { since } from './patches.ts';

/** Bounded, unlike the last write: whoever asks for one status can ask again. */
const setters = proxyActivities<StatusSetters>({
  startToCloseTimeout: '45 seconds',
  scheduleToCloseTimeout: '2 minutes',
  heartbeatTimeout: '10 seconds',
  retry: { maximumInterval: '10 seconds' },
});

const SETTERS = {
  awaiting_deploy: setters.setAwaitingDeploy,
  deploying: setters.setDeploying,
  monitoring: setters.setMonitoring,
} satisfies Record<DeployPhaseStatus, unknown>;

/** One guarded status write by itself, for callers that know only a work item. Whoever calls, the guard decides (FR-2). */
export async function setDeployStatus(payload: SetDeployStatusInput): Promise<SetStatusResult> {
  const input = parseSetDeployStatus(payload, () => since('name-pattern'));
  if (typeof input === 'string') throw ApplicationFailure.nonRetryable(input, 'Refused');
  const { repo, workItem, status, caller, reason } = input;
  upsertSearchAttributes([
    { key: D2dRepo, value: repo },
    { key: D2dWorkItem, value: workItem },
  ]);
  const result = await SETTERS[status]({ repo, workItem, caller, ...(reason === undefined ? {} : { reason }) });
  if (result.workItem !== workItem) upsertSearchAttributes([{ key: D2dWorkItem, value: result.workItem }]);
  return result;
}
