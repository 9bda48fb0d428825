import { upsertMemo } from '@temporalio/workflow';
import { deployToDone as deploy } from '../../../workflows/deploy-to-done.ts';
import { healWorkItem as heal } from '../../../workflows/heal-work-item.ts';
import { postDeployMonitor as monitor } from '../../../workflows/post-deploy-monitor.ts';
import { reconcileStatuses as reconcile } from '../../../workflows/reconcile-statuses.ts';
import { reopenTask as reopen } from '../../../workflows/reopen-task.ts';
import { setDeployStatus as setStatus } from '../../../workflows/set-deploy-status.ts';
import { wrapUp as wrap } from '../../../workflows/wrap-up.ts';

// The workflows with one command more at their start: a replay of any history must refuse them.

function changed<Input, Result>(workflow: (input: Input) => Promise<Result>) {
  return (input: Input): Promise<Result> => {
    upsertMemo({ broken: true });
    return workflow(input);
  };
}

export const deployToDone = changed(deploy);
export const healWorkItem = changed(heal);
export const reconcileStatuses = changed(reconcile);
export const postDeployMonitor = changed(monitor);
export const reopenTask = changed(reopen);
export const setDeployStatus = changed(setStatus);
export const wrapUp = changed(wrap);
