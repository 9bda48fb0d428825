// Every export is a workflow type.
export { deployToDone } from './deploy-to-done.ts';
export { postDeployMonitor } from './post-deploy-monitor.ts';
export { setDeployStatus } from './set-deploy-status.ts';
