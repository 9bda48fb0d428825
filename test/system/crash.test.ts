import { describe, expect, test } from 'vitest';
import { runHere } from '../client/run-cli.ts';
import { eventually } from '../setup/eventually.ts';
import { expectMissedInOutageOnly, HELD_OPEN, PROBES_FOR_EVIDENCE, TEN_TICKS, TO_DONE } from './item.ts';
import { withSystem } from './with-system.ts';

// kill -9 of workers at the worst moments. Every test has a system of its own: most of its time it waits for a time-out.

describe.concurrent('kill -9', () => {
  test('in mid-window: every tick once, those of the outage missed, and the window ends healthy', () =>
    withSystem({ window: TEN_TICKS }, async (system, item) => {
      const worker = await system.startWorker();
      await item.start();
      await item.untilProbed(PROBES_FOR_EVIDENCE);
      const killedAt = Date.now();
      await worker.kill();
      await system.startWorker();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      const window = await item.windowStatus();
      expect(window.outcome).toBe('healthy');
      expectMissedInOutageOnly(window, killedAt);
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('of one of two workers: the other one goes on with its window', () =>
    withSystem({ window: { ...HELD_OPEN, intervalSeconds: TEN_TICKS.intervalSeconds } }, async (system, item) => {
      const workers = await Promise.all([system.startWorker(), system.startWorker()]);
      await item.start();
      await item.untilProbed(2);
      const pid = await item.windowWorkerPid();
      const killedAt = Date.now();
      await workers.find((worker) => worker.pid === pid)?.kill();
      await item.untilProbed(system.production.probes(item.repo) + 3);
      const report = await item.close();
      expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      expect(await item.windowWorkerPid()).not.toBe(pid);
      expect(report.ticks.at(-1)?.at).toBeGreaterThan(killedAt);
      expectMissedInOutageOnly(report, killedAt);
      expect(item.history()).toEqual(TO_DONE);
    }));

  test('while a status write is under way: it lands over Done, and is converged again after it has settled', () =>
    withSystem({ window: HELD_OPEN }, async (system, item) => {
      const { control } = system.plane;
      control.fault({ mode: 'hold', phase: 'before', match: { method: 'PATCH', nth: 3, times: 1 } });
      const worker = await system.startWorker();
      await item.start();
      await control.whenHeld(1); // Monitoring after Deploy
      await worker.kill();
      await system.startWorker();
      await item.untilShown('Monitoring after Deploy'); // written by the next attempt
      control.fault({ mode: 'hold', phase: 'after', match: { method: 'PATCH', times: 1 } });
      // The worker waits for a held answer for 10 s only: what it tries then must not settle the status, either.
      const written = control.whenHeld(2).then(() => {
        control.fault({ mode: 'hold', phase: 'before', match: { method: 'GET' } });
      });
      const closed = item.close();
      await written; // Plane shows Done; the settle begins when the held answer arrives
      expect(item.status()).toBe('Done');
      control.release(1);
      await item.untilShown('Monitoring after Deploy');
      control.clearFaults();
      control.release();
      await closed;
      expect(await item.result()).toMatchObject({ outcome: 'closed_early' });
      expect(item.status()).toBe('Done');
      expect(item.history()).toEqual([...TO_DONE, 'Monitoring after Deploy', 'Done']);
    }));

  test('after Plane has applied a status, before it answered: it is written once', () =>
    withSystem({}, async (system, item) => {
      const { control } = system.plane;
      control.fault({ mode: 'hold', phase: 'after', match: { method: 'PATCH', nth: 4, times: 1 } });
      const worker = await system.startWorker();
      await item.start();
      await control.whenHeld(1); // Done
      await worker.kill();
      control.release();
      await system.startWorker();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history()).toEqual(TO_DONE);
      const patches = control.requests().filter(({ method }) => method === 'PATCH');
      expect(patches).toHaveLength(4);
    }));

  test('during a rollback that is declared idempotent: it is tried again, and happens once', () =>
    withSystem(
      { driver: 'idempotent', window: { ...HELD_OPEN, intervalSeconds: 1, confirmSeconds: 0.2, action: 'rollback' } },
      async (system, item) => {
        const { production } = system;
        const worker = await system.startWorker();
        await item.start();
        await item.untilTick(1);
        production.hold(item.repo);
        production.degrade(item.repo);
        await production.whenHeld(item.repo);
        await worker.kill();
        production.release(item.repo);
        await system.startWorker();
        expect(await item.result()).toMatchObject({ outcome: 'degraded_rolled_back' });
        expect(production.version(item.repo)).toBe('v1');
        const rollbacks = production.operations(item.repo).filter(({ kind }) => kind === 'rollback');
        expect(rollbacks.map(({ to }) => to)).toEqual(['v1', null]);
        expect(new Set(rollbacks.map(({ operationId }) => operationId)).size).toBe(1);
        expect(item.status()).toBe('Done');
      },
    ));

  test('during a deploy that must not run twice: nobody knows, and everybody is told', () =>
    withSystem({}, async (system, item) => {
      const { production, alerts } = system;
      production.hold(item.repo);
      const worker = await system.startWorker();
      const waiting = runHere(system.env(), 'start', item.repo, item.workItem, '--version', 'v2', '--wait');
      await production.whenHeld(item.repo);
      await worker.kill();
      await system.startWorker();
      const { code, stdout } = await waiting;
      expect(stdout).toContain(
        'nobody knows whether it has happened, as its worker was lost or could not reach Temporal: ',
      );
      expect(code).toBe(14);
      expect(await item.result()).toMatchObject({ outcome: 'deploy_unknown' });
      production.release(item.repo);
      await eventually(() => expect(production.operations(item.repo)).toHaveLength(1)); // never a second time
      expect(item.history()).toEqual(['Awaiting Deploy', 'Deploying']);
      expect(await item.stage()).toBe('deploy');
      const title = `${item.workItem}: nobody knows whether the deploy of ${item.repo} has happened`;
      expect(alerts.about(item.workItem).map((alert) => alert.title)).toEqual([title]);
      expect(item.comments().join()).toContain('deploy unknown');
    }));
});
