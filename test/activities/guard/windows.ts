import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import {
  condition,
  defineSignal,
  ParentClosePolicy,
  setHandler,
  startChild,
  upsertSearchAttributes,
} from '@temporalio/workflow';

const attribute = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const D2dPhase = attribute('D2dPhase');

/** What a run or a window has on record. */
export type OnRecord = Readonly<Record<string, string>>;

const record = (attributes: OnRecord): void =>
  upsertSearchAttributes(Object.entries(attributes).map(([name, value]) => ({ key: attribute(name), value })));

/** A run of a deploy that has all of this on record, and has opened a window; it ends if it is told to. */
export async function deployToDone(
  attributes: OnRecord,
  window: { readonly workflowId: string; readonly attributes: OnRecord } | null,
): Promise<void> {
  let over = false;
  setHandler(defineSignal('end'), () => {
    over = true;
  });
  if (window !== null)
    await startChild(postDeployMonitor, {
      workflowId: window.workflowId,
      parentClosePolicy: ParentClosePolicy.ABANDON,
      args: [null, window.attributes],
    });
  record(attributes);
  await condition(() => over);
}

/** A window that says what it is told to (`null`: nothing yet), and runs until it is told `end`. */
export async function postDeployMonitor(first: string | null, attributes: OnRecord = {}): Promise<void> {
  let over = false;
  const say = (phase: string | null): void => {
    if (phase === 'end') over = true;
    else if (phase !== null) upsertSearchAttributes([{ key: D2dPhase, value: phase }]);
  };
  if (Object.keys(attributes).length > 0) record(attributes);
  say(first);
  setHandler(defineSignal<[string]>('say'), say);
  await condition(() => over);
}
