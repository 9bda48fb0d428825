import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelWindowSignal, D2dOutcome, deployStatusQuery, windowStatusQuery } from '../../workflows/messages.ts';
import { type Harness, startHarness } from './harness.ts';
import { fail, IN_PROGRESS, type Item, pass, plan, policy, shownAs, unknown } from './item.ts';

// What an item shows in the end where the tracker has a state for work that left production degraded.

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ degradedState: true });
});
afterAll(() => harness.close());

const STATE = 'Degraded';
const withState = (change: Parameters<typeof plan>[0] = {}) => plan({ degradedState: STATE, ...change });
const rollback = { plan: withState({ window: policy({ action: 'rollback' }) }) };
const statuses = (item: Item) => item.writes.map(({ status }) => status);
const comments = (item: Item) => item.comments.flatMap(({ paragraphs }) => paragraphs).join('\n');
const words = (item: Item) => item.reports.at(-1)?.finalStatus;
const onRecord = async (item: Item) => (await harness.window(item).describe()).typedSearchAttributes.get(D2dOutcome);

describe('after a window', () => {
  test.each<[string, Partial<Item>, string, string, string]>([
    ['healthy', {}, 'healthy', 'done', 'Done: production stayed healthy'],
    ['without evidence', { looks: [unknown()] }, 'no_evidence', 'done', 'Done: no degradation was proved'],
    [
      'alerted, not recovered',
      { looks: [fail()] },
      'degraded_alerted',
      'degraded',
      `${STATE}: production had not recovered when the window ended`,
    ],
    [
      'alerted, and recovered by itself',
      { looks: [fail(), fail(), fail(), pass()] },
      'degraded_recovered',
      'done',
      'Done: production has recovered',
    ],
    [
      'rolled back, and recovered by that',
      { ...rollback, looks: [fail(), fail(), fail(), pass()] },
      'degraded_rolled_back',
      'degraded',
      `${STATE}: this version was rolled back`,
    ],
    [
      'rolled back, and still failing',
      { ...rollback, looks: [fail()] },
      'degraded_rolled_back',
      'degraded',
      `${STATE}: this version was rolled back`,
    ],
    [
      'with a failed rollback, although it recovered',
      { ...rollback, looks: [fail(), fail(), fail(), pass()], rollback: async () => ({ ok: false, detail: 'exit 1' }) },
      'rollback_failed',
      'degraded',
      `${STATE}: the rollback failed`,
    ],
  ])('%s', async (_name, change, outcome, status, why) => {
    const item = harness.add({ plan: withState(), ...change });
    await harness.run(item);
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring', status]);
    expect(item.task?.stage).toBe('done');
    expect(await onRecord(item)).toBe(outcome);
    expect(words(item)).toBe(why);
    expect((await harness.window(item).query(windowStatusQuery)).finalStatus).toBe(why);
    if (outcome !== 'healthy') expect(comments(item)).toContain(`Status of the work item: ${why}.`);
  });

  test('cancelled while it is degraded: what was proved counts', async () => {
    const item = harness.add({ plan: withState(), looks: [fail()] });
    item.onLook = async (n) => {
      if (n !== 4) return;
      const { workItem } = item;
      await harness.whileTimeStands(item, () =>
        harness.window(item).signal(cancelWindowSignal, { by: 'oncall', reason: `${workItem} is looked after` }),
      );
    };
    expect(await harness.run(item)).toMatchObject({ outcome: 'degraded_alerted' });
    expect(item.reports).toMatchObject([{ endedBy: { by: 'oncall' } }]);
    expect(statuses(item).at(-1)).toBe('degraded');
  });

  test('the settle reads it back, corrects an old status that has come back, and leaves what a person has chosen', async () => {
    const item = harness.add({ plan: withState(), looks: [fail()] });
    let reads = 0;
    item.tracker = async (call) => {
      if (call !== 'read' || item.shown.status !== 'degraded') return;
      reads += 1;
      item.shown = reads === 1 ? shownAs('monitoring') : shownAs('done');
    };
    await harness.run(item);
    expect(statuses(item).slice(-2)).toEqual(['degraded', 'degraded']);
    expect(item.shown.status).toBe('done');
  });

  test('a cancelled task gets no status, whatever was proved', async () => {
    const item = harness.add({ plan: withState(), looks: [fail()] });
    item.onLook = async (n) => {
      if (n === 5 && item.task !== null) item.task.stage = 'cancelled';
    };
    await harness.run(item);
    expect(statuses(item).at(-1)).toBe('monitoring');
    expect(words(item)).toBeUndefined();
  });

  test('off: Done, without a word of it', async () => {
    const item = harness.add({ looks: [fail()] });
    await harness.run(item);
    expect(await onRecord(item)).toBe('degraded_alerted');
    expect(statuses(item).at(-1)).toBe('done');
    expect(item.reports[0]).not.toHaveProperty('finalStatus');
    expect(comments(item)).not.toContain('Status of the work item');
  });
});

describe('after a deploy that never became healthy', () => {
  const sick = { checkHealth: async () => ({ ok: false, detail: '503 for 60 s' }) };

  test.each<[string, Partial<Item>, string]>([
    ['unhealthy_after_deploy', { plan: withState() }, 'this version did not become healthy, and was not rolled back'],
    ['unhealthy_rolled_back', rollback, 'this version was rolled back'],
    [
      'unhealthy_rollback_failed',
      { ...rollback, rollback: async () => ({ ok: false, detail: 'exit 1' }) },
      'the rollback failed',
    ],
  ])('%s', async (outcome, change, why) => {
    const item = harness.add({ ...sick, ...change });
    expect(await harness.run(item)).toMatchObject({ outcome });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'degraded']);
    expect(item.task?.stage).toBe('deploy');
    expect((await harness.deploy(item).query(deployStatusQuery)).finalStatus).toBe(`${STATE}: ${why}`);
    expect(comments(item)).toContain(`Status of the work item: ${STATE}: ${why}.`);
  });

  test('a person who has moved the item meanwhile is left alone', async () => {
    const item = harness.add({ ...sick, plan: withState() });
    const chosen = { id: 'id-blocked', name: 'Blocked', status: null };
    item.checkHealth = async () => {
      item.shown = chosen;
      return { ok: false, detail: '503 for 60 s' };
    };
    await harness.run(item);
    expect(item.shown).toBe(chosen);
  });

  test('where the tracker was never told of the deploy, it is told of the end', async () => {
    const item = harness.add({ ...sick, plan: withState() });
    item.tracker = async (call) => {
      if (call === 'write' && item.count.deploys === 0) throw new Error('the tracker is away');
    };
    await harness.run(item);
    expect(statuses(item)).toEqual(['degraded']);
  });

  test('another ending puts it back where it was', async () => {
    const item = harness.add({ plan: withState(), shown: shownAs('degraded') });
    item.deploy = async () => ({ ok: false, detail: 'exit code 3' });
    expect(await harness.run(item)).toMatchObject({ outcome: 'deploy_failed' });
    expect(item.shown.id).toBe('id-degraded');
  });
});

describe('the next run', () => {
  /** An item whose deploy has left production degraded. */
  async function degraded(): Promise<Item> {
    const item = harness.add({ plan: withState(), looks: [fail()] });
    await harness.run(item);
    expect(item.shown.status).toBe('degraded');
    item.writes.length = 0;
    return item;
  }

  test('a re-drive deploys nothing and leaves it, and so it leaves what a person has chosen instead', async () => {
    const item = await degraded();
    expect(await harness.run(item)).toMatchObject({ outcome: 'already_done' });
    for (const chosen of [shownAs('done'), IN_PROGRESS]) {
      item.shown = chosen;
      expect(await harness.run(item)).toMatchObject({ outcome: 'already_done' });
      expect(item.shown).toBe(chosen);
    }
    expect(statuses(item)).toEqual([]);
    item.shown = shownAs('deploying');
    await harness.run(item);
    expect(statuses(item)).toEqual(['degraded']);
  });

  test('a new deploy takes it away', async () => {
    const item = await degraded();
    if (item.task !== null) item.task.stage = 'deploy';
    Object.assign(item, { looks: [pass()] });
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'monitoring', 'done']);
  });

  test('a new deploy takes it away where no status could be shown on its way', async () => {
    const item = await degraded();
    if (item.task !== null) item.task.stage = 'deploy';
    Object.assign(item, { looks: [pass()] });
    let closed = false;
    item.onLog = async () => {
      closed = true;
    };
    item.tracker = async (call) => {
      if (call === 'write' && !closed) throw new Error('the tracker is away');
    };
    await harness.run(item);
    expect(statuses(item)).toEqual(['done']);
  });

  test('a new deploy without a window is done, whatever the window before was', async () => {
    const item = await degraded();
    if (item.task !== null) item.task.stage = 'deploy';
    item.plan = { ...item.plan, window: null };
    expect(await harness.run(item)).toMatchObject({ outcome: 'done' });
    expect(statuses(item)).toEqual(['awaiting_deploy', 'deploying', 'done']);
  });
});
