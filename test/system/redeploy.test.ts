import { expect, test } from 'vitest';
import { runHere, runInNoTime } from '../client/run-cli.ts';
import { eventually } from '../setup/eventually.ts';
import { HELD_OPEN, TO_DONE } from './item.ts';
import { withSystem } from './with-system.ts';

test('a task that is done is deployed again only once it is reopened', () =>
  withSystem({ window: HELD_OPEN }, async (system, item) => {
    const { repo, workItem } = item;
    const d2d = (...args: string[]) => runHere(system.env(), ...args);
    const versions = () => system.production.operations(repo).map(({ to }) => to);
    const onRecord = async (): Promise<unknown> => JSON.parse((await d2d('status', workItem, '--json')).stdout);
    await system.startWorker();
    await item.start();
    await item.untilShown('Monitoring after Deploy');

    expect(await d2d('reopen', workItem, '--reason', 'too early')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        new RegExp(`monitor/${repo}/${workItem} is open: wait for its end, or end it: d2d close ${workItem}`),
      ),
    });
    await item.close();
    await item.result();

    // The index that knows the versions lags.
    await eventually(async () =>
      expect(await d2d('start', workItem, '--version', 'v2', '--wait')).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('already done: the task was done already, with v2; nothing was deployed'),
        stderr: expect.stringContaining(`${workItem}: nothing was deployed`),
      }),
    );
    const v3 = ['start', workItem, '--version', 'v3'];
    for (const refused of [() => d2d(...v3, '--wait'), () => runInNoTime(system.env(), ...v3)]) {
      expect(await refused()).toMatchObject({
        code: 5,
        stdout: expect.stringContaining(`v3 was not deployed. To deploy it: d2d reopen ${workItem} --reason "…"`),
        stderr: expect.stringContaining(`${workItem}: nothing was deployed`),
      });
    }
    await item.result();
    expect(await onRecord()).toMatchObject({
      deploy: { result: { outcome: 'already_done', otherVersionRequested: true } },
    });
    await eventually(async () =>
      expect((await d2d('status', workItem)).stdout).toContain(`${workItem} · ${repo} · deploy already done`),
    );
    expect((await d2d('start', workItem, '--wait')).code).toBe(0);
    expect(versions()).toEqual(['v2']);

    expect(await d2d('reopen', workItem, '--reason', 'v3 is next', '--by', 'oncall')).toMatchObject({
      code: 0,
      stdout: `${workItem}: reopened by oncall (v3 is next): tasks.stage is deploy\n`,
    });
    expect(item.comments().at(-1)).toContain('reopened by oncall: v3 is next.');
    expect(item.status()).toBe('Done');
    expect(await d2d('reopen', workItem, '--reason', 'again')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('only a done task can be reopened: this one is at stage deploy'),
    });

    await item.start({ version: 'v3' });
    await item.untilShown('Monitoring after Deploy');
    await item.close();
    await item.result();
    expect(versions()).toEqual(['v2', 'v3']);
    expect(item.history()).toEqual([...TO_DONE, ...TO_DONE]);
  }));
