import type { WorkflowExecutionDescription } from '@temporalio/client';

type Described = Pick<WorkflowExecutionDescription, 'workflowId' | 'runId' | 'raw'>;

/**
 * The wrap-ups of a deploy or a window: a run that hands over more than once numbers them, and those of a run that a reset has made may
 * have the id of the run before it.
 * @param describe `null`: there is no such workflow
 * @throws what `describe` throws
 */
export async function wrapUpsOf(
  { workflowId, runId, raw }: Described,
  describe: (workflowId: string) => Promise<WorkflowExecutionDescription | null>,
): Promise<WorkflowExecutionDescription[]> {
  async function ofRun(id: string): Promise<WorkflowExecutionDescription[]> {
    const found: WorkflowExecutionDescription[] = [];
    for (let nth = 1; ; nth += 1) {
      const wrapUp = await describe(wrapUpId(workflowId, id, nth));
      if (wrapUp === null) return found;
      found.push(wrapUp);
    }
  }
  const runIds = new Set([runId, raw.workflowExecutionInfo?.firstRunId || runId]);
  return (await Promise.all([...runIds].map(ofRun))).flat();
}

/** As in the design; a test holds it against `workflows/messages.ts`, which an adapter does not import. */
export const wrapUpId = (workflowId: string, runId: string, nth: number): string =>
  `wrap-up/${workflowId.replace(/^[^/]+\//, '')}/${runId}${nth === 1 ? '' : `/${nth}`}`;
