import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { condition, defineSignal, setHandler, upsertSearchAttributes } from '@temporalio/workflow';

const D2dPhase = defineSearchAttributeKey('D2dPhase', SearchAttributeType.KEYWORD);

/** A window that says what it is told to (`null`: nothing yet), and runs until it is told `end`. */
export async function postDeployMonitor(first: string | null): Promise<void> {
  let over = false;
  const say = (phase: string | null): void => {
    if (phase === 'end') over = true;
    else if (phase !== null) upsertSearchAttributes([{ key: D2dPhase, value: phase }]);
  };
  say(first);
  setHandler(defineSignal<[string]>('say'), say);
  await condition(() => over);
}
