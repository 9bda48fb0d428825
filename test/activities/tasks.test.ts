import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTaskActivities, type RunningOnRepository, type TasksDeps } from '../../activities/tasks.ts';
import { createTasks } from '../../adapters/postgres/tasks.ts';
import { type FreshDatabase, freshDatabase } from '../setup/database.ts';
import { unique } from '../setup/temporal.ts';

let fresh: FreshDatabase;
beforeAll(async () => {
  fresh = await freshDatabase();
});
afterAll(() => fresh.close());

function setUp({
  before = async () => {},
  running = [],
  names = (workItem) => [workItem],
  ageMs = 0,
}: {
  /** What somebody else does right before each compare-and-set. */
  before?: (workItem: string) => Promise<unknown>;
  running?: readonly RunningOnRepository[];
  /** What the tracker calls a work item. */
  names?: (workItem: string) => readonly string[] | null;
  /** How long ago the activity began, once it sets a stage. */
  ageMs?: number;
} = {}) {
  const tasks = createTasks(fresh.database);
  const describes: string[] = [];
  const activities = createTaskActivities({
    tasks: {
      ...tasks,
      async compareAndSetStage(workItem, from, to) {
        await before(workItem);
        return tasks.compareAndSetStage(workItem, from, to);
      },
    } satisfies TasksDeps['tasks'],
    namesOf: async (_repo, workItem) => names(workItem),
    runningOn: async () => running,
    lastDeployed: async () => null,
    stopwatch: () => () => ageMs,
    windowActive: async (repo, workItem) => {
      describes.push(`${repo}/${workItem}`);
      return true;
    },
  });
  return { ...activities, describes };
}

async function task(stage: string): Promise<string> {
  const workItem = unique('TASK');
  await fresh.sql('insert into tasks (repo, work_item_id, stage) values ($1, $2, $3)', ['shop', workItem, stage]);
  return workItem;
}

const stageOf = (workItem: string) => createTasks(fresh.database).stageOf(workItem);
const setStage = (workItem: string, stage: string) =>
  fresh.sql('update tasks set stage = $2 where work_item_id = $1', [workItem, stage]);

describe('lookAtTask', () => {
  test('the row as it stands, with its window: looked for by the row’s repository, whatever the caller says', async () => {
    const { lookAtTask, describes } = setUp();
    const workItem = await task(' Deploy ');
    expect(await lookAtTask({ repo: 'liar', workItem })).toEqual({
      repo: 'shop',
      workItem,
      stage: ' Deploy ',
      windowActive: true,
    });
    expect(describes).toEqual([`shop/${workItem}`]);
  });

  test('no task: null, and no window is looked for', async () => {
    const { lookAtTask, describes } = setUp();
    expect(await lookAtTask({ repo: 'shop', workItem: unique('NONE') })).toBe(null);
    expect(describes).toEqual([]);
  });
});

test('createTask makes one at stage deploy, and leaves one that is there as it is', async () => {
  const { createTask } = setUp();
  const workItem = unique('NEW');
  await createTask({ repo: 'shop', workItem });
  expect(await stageOf(workItem)).toBe('deploy');
  await setStage(workItem, 'done');
  await createTask({ repo: 'other', workItem });
  expect(await createTasks(fresh.database).find(workItem)).toEqual({ repo: 'shop', workItem, stage: 'done' });
});

test('createTask makes no second task for one work item, and none for one that the tracker does not know', async () => {
  const key = await task('done');
  const uuid = unique('uuid');
  const alias = setUp({ names: () => [key, uuid] });
  await expect(alias.createTask({ repo: 'shop', workItem: uuid })).rejects.toThrow(
    `${uuid} has a task already, by the name ${key}: start it by that one`,
  );
  const other = unique('NEW');
  const spelled = setUp({ names: () => [other, uuid] });
  await expect(spelled.createTask({ repo: 'shop', workItem: other.toLowerCase() })).rejects.toThrow(
    `${other.toLowerCase()} must be named as ${other} or ${uuid}`,
  );
  await expect(setUp({ names: () => null }).createTask({ repo: 'shop', workItem: other })).rejects.toThrow(
    `the tracker does not know work item ${other}: correct its name, or the project of shop`,
  );
  expect(await createTasks(fresh.database).findNamed([uuid, other])).toEqual([]);
});

test.each([
  ['completeTask', 'deploy'],
  ['reopenTask', 'done'],
] as const)(
  '%s of a worker that stood still for longer than its activity may be silent changes nothing',
  async (set, stage) => {
    const workItem = await task(stage);
    await expect(setUp({ ageMs: 10_001 })[set]({ repo: 'shop', workItem })).rejects.toThrow(
      `setting the stage of ${workItem} took more than 10 s; trying again`,
    );
    expect(await stageOf(workItem)).toBe(stage);
  },
);

describe('reopenTask', () => {
  const reopen = (workItem: string, world: Parameters<typeof setUp>[0] = {}) =>
    setUp(world).reopenTask({ repo: 'shop', workItem });
  const asAttempt = (attempt: number, workItem: string) =>
    new MockActivityEnvironment({ attempt }).run(setUp().reopenTask, { repo: 'shop', workItem });

  test.each(['done', ' DONE '])('a task that is done goes back to deploy, from %j', async (stage) => {
    const workItem = await task(stage);
    expect(await reopen(workItem)).toEqual({ repo: 'shop', stage: 'deploy' });
    expect(await stageOf(workItem)).toBe('deploy');
  });

  test.each(['deploy', 'cancelled', 'In Review'])('a task at %s is refused', async (stage) => {
    const workItem = await task(stage);
    await expect(asAttempt(1, workItem)).rejects.toThrow(
      `only a done task can be reopened: this one is at stage ${stage}`,
    );
    expect(await stageOf(workItem)).toBe(stage);
  });

  test('no task, and the task of another repository, are refused', async () => {
    await expect(reopen(unique('NONE'))).rejects.toThrow('it has no task');
    const workItem = await task('done');
    await expect(setUp().reopenTask({ repo: 'cart', workItem })).rejects.toThrow(
      'belongs to repository shop, not cart',
    );
  });

  test('the second attempt finds what the first one has set', async () => {
    const workItem = await task('deploy');
    expect(await asAttempt(2, workItem)).toEqual({ repo: 'shop', stage: 'deploy' });
  });

  test.each([
    ['postDeployMonitor', 'open', 'd2d close'],
    ['deployToDone', 'checking', 'd2d cancel'],
    ['deployToDone', 'unknown', 'd2d resolve'],
  ])('%s at %s keeps it: the message names the command that ends it', async (type, phase, command) => {
    const workItem = await task('done');
    const running = [{ workflowId: 'the-run', workItem, type, phase }];
    await expect(reopen(workItem, { running })).rejects.toThrow(
      `the-run is ${phase}: wait for its end, or end it: ${command} ${workItem}`,
    );
    expect(await stageOf(workItem)).toBe('done');
  });

  test('a deploy whose window is open names the command that closes it; one whose window is over is to be waited for', async () => {
    const workItem = await task('done');
    const run = { workflowId: 'the-run', workItem, type: 'deployToDone', phase: 'monitoring' };
    const window = { workflowId: 'the-window', workItem, type: 'postDeployMonitor', phase: 'open' };
    await expect(reopen(workItem, { running: [run, window] })).rejects.toThrow(
      `the-run is monitoring: wait for its end, or end it: d2d close ${workItem}`,
    );
    await expect(reopen(workItem, { running: [run, { ...window, phase: 'closed' }] })).rejects.toThrow(
      'the window is over, and the-run still writes or reads back its status: try it again in a minute',
    );
    expect(await stageOf(workItem)).toBe('done');
  });

  test('what only has its status to write, and other work items, do not keep it', async () => {
    const workItem = await task('done');
    const running = [
      { workflowId: 'a', workItem, type: 'deployToDone', phase: 'finished' },
      { workflowId: 'b', workItem, type: 'postDeployMonitor', phase: 'closed' },
      { workflowId: 'c', workItem: 'other', type: 'deployToDone', phase: 'deploying' },
    ];
    expect(await reopen(workItem, { running })).toMatchObject({ stage: 'deploy' });
  });

  test('a task that somebody else changes meanwhile is looked at anew', async () => {
    const workItem = await task('done');
    const before = (id: string) => setStage(id, 'cancelled');
    await expect(reopen(workItem, { before })).rejects.toThrow('was changed by somebody else; trying again');
    expect(await stageOf(workItem)).toBe('cancelled');
  });
});

describe('completeTask', () => {
  test.each(['deploy', ' In Review', ''])('from %j to done', async (stage) => {
    const workItem = await task(stage);
    expect(await setUp().completeTask({ workItem })).toBe('done');
    expect(await stageOf(workItem)).toBe('done');
  });

  test.each([
    { stage: 'done', answer: 'done' },
    { stage: ' DONE ', answer: 'done' },
    { stage: 'Cancelled', answer: 'cancelled' },
  ])('a terminal task stays: $stage', async ({ stage, answer }) => {
    const workItem = await task(stage);
    const before = () => Promise.reject(new Error('nothing may be set'));
    expect(await setUp({ before }).completeTask({ workItem })).toBe(answer);
    expect(await stageOf(workItem)).toBe(stage);
  });

  test('no task: missing', async () => {
    expect(await setUp().completeTask({ workItem: unique('NONE') })).toBe('missing');
  });

  test('cancelled between the look and the set: it stays cancelled', async () => {
    const workItem = await task('deploy');
    const { completeTask } = setUp({ before: (id) => setStage(id, 'cancelled') });
    expect(await completeTask({ workItem })).toBe('cancelled');
    expect(await stageOf(workItem)).toBe('cancelled');
  });

  test('moved on by somebody else: tried again from where it stands now, five times at most', async () => {
    let moves = 0;
    const mover = (most: number) => async (id: string) => {
      if (moves < most) await setStage(id, `moved ${++moves}`);
    };
    const workItem = await task('deploy');
    expect(await setUp({ before: mover(4) }).completeTask({ workItem })).toBe('done');
    expect(moves).toBe(4);

    moves = 0;
    const contested = await task('deploy');
    await expect(setUp({ before: mover(99) }).completeTask({ workItem: contested })).rejects.toThrow(
      `tasks.stage of ${contested} was changed by somebody else 5 times in a row`,
    );
    expect(await stageOf(contested)).toBe('moved 5');
  });
});

test('otherRunsOn: what deploys or watches, of other work items; not what only waits, is watched by its window or is over', async () => {
  const run = (workItem: string, phase: string | null): RunningOnRepository => ({
    workflowId: `deploy/shop/${workItem}`,
    workItem,
    type: 'deployToDone',
    phase,
  });
  const busy = [run('A', 'deploying'), run('B', null), run('C', 'open'), run('D', 'acting')];
  const idle = [
    run('F', 'awaiting_approval'),
    run('G', 'closed'),
    run('H', 'finished'),
    run('E', 'monitoring'),
    run('own', 'deploying'),
  ];
  const { otherRunsOn } = setUp({ running: [...idle, ...busy] });
  expect(await otherRunsOn({ repo: 'shop', workItem: 'own' })).toEqual(busy);
});

test('a write that changes no row, though nobody else has changed it, is for a person', async () => {
  const workItem = await task('deploy');
  await fresh.sql(`create function keep() returns trigger language plpgsql as 'begin return null; end'`);
  await fresh.sql(
    `create trigger keep before update on tasks for each row when (old.work_item_id = '${workItem}') execute function keep()`,
  );
  await expect(setUp().completeTask({ workItem })).rejects.toMatchObject({
    type: 'DatabaseRefused',
    nonRetryable: true,
    message: `the update of tasks.stage of ${workItem} changed no row, although its stage is still deploy: a trigger or row-level security prevents it`,
  });
});
