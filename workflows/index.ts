// Every export is a workflow type.
export { deployToDone } from './deploy-to-done.ts';
export { healWorkItem } from './heal-work-item.ts';
export { postDeployMonitor } from './post-deploy-monitor.ts';
export { reconcileStatuses } from './reconcile-statuses.ts';
export { reopenTask } from './reopen-task.ts';
export { setDeployStatus } from './set-deploy-status.ts';
export { wrapUp } from './wrap-up.ts';
