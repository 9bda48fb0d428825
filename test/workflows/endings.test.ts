import { temporal } from '@temporalio/proto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { workflowBundle } from '../setup/temporal.ts';
import { DEPLOY_ENDINGS, OTHERS, type Play, WINDOW_ENDINGS } from './endings.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { atOtherTimes, recordHistory, replay } from './histories.ts';

// Plays every ending and replays what has just run, as it ran and at other times. With D2D_RECORD_HISTORIES=1 the histories are kept in test/histories/:
// `D2D_RECORD_HISTORIES=1 npx vitest run --project servers test/workflows/endings.test.ts`.

const RECORD = process.env['D2D_RECORD_HISTORIES'] === '1';

let harness: RealHarness;
beforeAll(async () => {
  harness = await startRealHarness();
});
afterAll(() => harness.close());

async function played(name: string, play: Play): Promise<unknown> {
  const { workflowId, runId } = await play(harness);
  const handle = harness.client.workflow.getHandle(workflowId, runId);
  const history = await handle.fetchHistory();
  const late = `${name}, at other times`;
  const histories = [
    { name, history },
    { name: late, history: atOtherTimes(history) },
  ];
  expect(await replay(workflowBundle().codePath, histories)).toEqual({ [name]: null, [late]: null });
  if (RECORD) await recordHistory(name, history);
  const last = history.events?.at(-1)?.workflowExecutionCompletedEventAttributes?.result?.payloads?.[0]?.data;
  return last == null || last.length === 0
    ? temporal.api.enums.v1.EventType[history.events?.at(-1)?.eventType ?? 0]
    : parsed(last);
}

const parsed = (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString());

describe.concurrent('deployToDone', () => {
  test.each(Object.entries(DEPLOY_ENDINGS))('%s', async (outcome, play) => {
    expect(await played(`deployToDone.${outcome}`, play)).toMatchObject({ outcome });
  });
});

describe.concurrent('postDeployMonitor', () => {
  test.each(Object.entries(WINDOW_ENDINGS))('%s', async (outcome, play) => {
    expect(await played(`postDeployMonitor.${outcome}`, play)).toMatchObject({ outcome });
  });
});

describe.concurrent('others', () => {
  test.each([
    ['deployToDone.resolved', { outcome: 'done' }],
    ['setDeployStatus.allowed', { verdict: 'ALLOW' }],
    ['healWorkItem.healed', { looks: 1, corrections: 1 }],
    ['reconcileStatuses.healed', { drifted: 1, healed: 1 }],
    ['postDeployMonitor.continued', { outcome: 'healthy' }],
    ['deployToDone.hands_over', { outcome: 'deploy_failed' }],
    ['postDeployMonitor.hands_over', { outcome: 'degraded_alerted' }],
    ['reopenTask.reopened', { note: null }],
  ])('%s', async (name, result) => {
    const play = OTHERS[name];
    if (play === undefined) throw new Error(`no play ${name}`);
    expect(await played(name, play)).toMatchObject(result);
  });

  test.each([
    ['postDeployMonitor.continues', 'EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW'],
    ['wrapUp.put_back', 'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED'],
    ['wrapUp.settled', 'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED'],
  ])('%s', async (name, end) => {
    const play = OTHERS[name];
    if (play === undefined) throw new Error(`no play ${name}`);
    expect(await played(name, play)).toBe(end);
  });
});
