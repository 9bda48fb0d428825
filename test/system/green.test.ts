import { expect, test } from 'vitest';
import { TO_DONE, ticksInOrder } from './item.ts';
import { withSystem } from './with-system.ts';

test('a deploy goes from Awaiting Deploy to a true Done', () =>
  withSystem({ window: { seconds: 48, intervalSeconds: 6, minRequests: 8 } }, async (system, item) => {
    const worker = await system.startWorker();
    await item.start();
    expect(await item.result()).toMatchObject({ outcome: 'done' });

    expect(item.history()).toEqual(TO_DONE);
    expect(await item.stage()).toBe('done');
    expect(system.production.operations(item.repo)).toEqual([
      { kind: 'deploy', operationId: expect.stringMatching(/:deploy$/), to: 'v2' },
    ]);
    const window = await item.windowStatus();
    expect(window).toMatchObject({ outcome: 'healthy', plannedTicks: 8 });
    ticksInOrder(window);
    expect(item.comments()).toEqual([]);
    expect(system.alerts.about(item.workItem)).toEqual([]);

    const verdicts = worker.log().filter(({ msg }) => msg === 'deploy status guard');
    expect(verdicts.map(({ target, verdict, window_active }) => [target, verdict, window_active])).toEqual([
      ['awaiting_deploy', 'ALLOW', false],
      ['deploying', 'ALLOW', false],
      ['monitoring', 'ALLOW', true], // D3: the task is done by now, and its window is active already
      ['done', 'CONVERGE_DONE', false],
    ]);
    expect(worker.log().filter(({ level }) => ['error', 'fatal'].includes(level))).toEqual([]);

    worker.signal('SIGTERM');
    expect(await worker.ended).toEqual({ code: 0, signal: null });
    expect(worker.stderr()).toBe('');
  }));
