import type { WindowResult } from '../../../workflows/post-deploy-monitor.ts';
import { postDeployMonitor as original } from '../../../workflows/post-deploy-monitor.ts';
import type { MonitorInput } from '../../../workflows/window-state.ts';

// The workflows, but every window continues as new after a few ticks, not at the server's suggestion (4 096 events).

export { deployToDone } from '../../../workflows/deploy-to-done.ts';
export { wrapUp } from '../../../workflows/wrap-up.ts';

export const postDeployMonitor = (input: MonitorInput): Promise<WindowResult> =>
  original({ ...input, continueAfterEvents: 12 });
