import { upsertMemo } from '@temporalio/workflow';
import type { DeployInput } from '../../workflows/messages.ts';
import * as before from './fake-workflows.ts';

// The stand-ins after a change that the histories of the ones before do not fit, and that makes each new deploy throw.

export async function deployToDone(input: DeployInput): Promise<never> {
  throw new Error(`a fault of the code, met by ${input.workItem}`);
}

export function postDeployMonitor(input: DeployInput): ReturnType<typeof before.postDeployMonitor> {
  upsertMemo({ changed: true });
  return before.postDeployMonitor(input);
}
