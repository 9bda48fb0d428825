import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { condition, defineQuery, defineSignal, setHandler, upsertSearchAttributes } from '@temporalio/workflow';

const D2dPhase = defineSearchAttributeKey('D2dPhase', SearchAttributeType.KEYWORD);

/** Says the phase that it is told to, and runs until it is ended. */
async function say(first: string): Promise<void> {
  let said = '';
  const become = (phase: string): void => {
    said = phase;
    upsertSearchAttributes([{ key: D2dPhase, value: phase }]);
  };
  become(first); // before the handlers: a signal may be waiting already
  setHandler(defineQuery<string>('said'), () => said);
  setHandler(defineSignal<[string]>('phase'), become);
  await condition(() => false);
}

export const postDeployMonitor = say;
export const deployToDone = say;
export const setDeployStatus = say;
