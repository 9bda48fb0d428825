/** A text in a query of the visibility index. */
export const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Deploys and windows that run, as a query of the visibility index. */
export const RUNNING = `ExecutionStatus = 'Running' AND WorkflowType IN ('deployToDone', 'postDeployMonitor')`;
