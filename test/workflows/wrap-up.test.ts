import { Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WRAP_UP_WORKFLOW } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { type RealHarness, startRealHarness } from './harness.ts';
import { plan, shownAs } from './item.ts';

// What a run owes when it has ended is done by its wrap-up, and keeps nobody from the next deploy of the work item.

let harness: RealHarness;
beforeAll(async () => {
  harness = await startRealHarness();
});
afterAll(() => harness.close());

const FAILED = async () => ({ ok: false, detail: 'exit code 3' });
const brief = plan({ window: null, settleMs: 50 });
const AWAY = new Error('the tracker is away');

describe('the tracker is away at the end of a run', () => {
  test('the work item is free at once, and the status from before is put back once the tracker is there again', async () => {
    let away = false;
    const item = harness.add({ plan: brief, deploy: FAILED });
    item.tracker = async () => {
      if (item.count.deploys > 0) away = true;
      if (away) throw AWAY;
    };
    const run = await harness.start(item);
    expect(await harness.resultOf(run)).toMatchObject({ outcome: 'deploy_failed' });
    expect(item.shown.status).toBe('deploying');
    item.tracker = async () => {};
    await run.result(); // with its wrap-up
    expect(item.writes.at(-1)).toMatchObject({ status: 'before' });
    expect(item.comments).toHaveLength(1);
  });

  test('the next deploy of it begins, and what the one before owed is not written any more', async () => {
    const item = harness.add({ plan: brief, deploy: FAILED });
    const inWrapUp = () => Context.current().info.workflowType === WRAP_UP_WORKFLOW;
    item.tracker = async () => {
      if (item.count.deploys === 1 && (inWrapUp() || item.shown.status === 'deploying')) throw AWAY;
    };
    const first = await harness.start(item);
    expect(await harness.resultOf(first)).toMatchObject({ outcome: 'deploy_failed' });

    let finish = (): void => {};
    const deployed = new Promise<void>((resolve) => {
      finish = resolve;
    });
    item.shown = shownAs('awaiting_deploy'); // for the second deploy the tracker is there
    item.deploy = async () => {
      await deployed;
      return { ok: true, detail: 'it worked' };
    };
    const second = await harness.start(item);
    await harness.until(() => item.count.deploys === 2);
    await first.result(); // its wrap-up has met the second deploy
    expect(item.shown.status).toBe('deploying');
    expect(item.writes).not.toContainEqual(expect.objectContaining({ status: 'before' }));
    finish();
    expect(await second.result()).toMatchObject({ outcome: 'done' });
    expect(item.shown.status).toBe('done');
  });
});

test('an operator may give it up: a cancel ends it', async () => {
  const item = harness.add({ plan: brief, deploy: FAILED });
  item.tracker = async () => {
    if (item.count.deploys > 0) throw AWAY;
  };
  const run = await harness.start(item);
  await harness.resultOf(run);
  const wrapUp = harness.wrapUpOf(item, run.firstExecutionRunId);
  await wrapUp.cancel();
  await eventually(async () => expect((await wrapUp.describe()).status.name).toBe('CANCELLED'));
});
