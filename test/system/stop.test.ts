import { describe, expect, test } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { PROBES_FOR_EVIDENCE, TEN_TICKS, TO_DONE, ticksInOrder } from './item.ts';
import { withSystem } from './with-system.ts';

// How a worker ends: in order within its time, at once where it is asked twice, and never not at all.

describe.concurrent('SIGTERM', () => {
  test('in mid-window: the worker drains, and the next one goes on with the window', () =>
    withSystem({ window: TEN_TICKS }, async (system, item) => {
      const worker = await system.startWorker();
      await item.start();
      await item.untilProbed(PROBES_FOR_EVIDENCE);
      worker.signal('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      expect(worker.log().map(({ msg }) => msg)).toEqual(
        expect.arrayContaining([
          'draining: what is running has 2 s to end; a second signal ends it at once',
          'drained',
        ]),
      );
      expect(worker.stderr()).toBe('');
      await system.startWorker();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.history()).toEqual(TO_DONE);
      ticksInOrder(await item.windowStatus());
    }));

  test('in the middle of a deploy: the command is ended with the worker, and the outcome is not guessed', () =>
    withSystem({}, async (system, item) => {
      system.production.hold(item.repo);
      const worker = await system.startWorker();
      await item.start();
      await system.production.whenHeld(item.repo);
      worker.signal('SIGTERM');
      expect(await worker.ended).toEqual({ code: 0, signal: null });
      await system.startWorker();
      expect(await item.result()).toMatchObject({
        outcome: 'deploy_unknown',
        reason: expect.stringContaining('the deploy was stopped half-way: its worker shut down'),
      });
      expect(item.history()).toEqual(['Awaiting Deploy', 'Deploying']);
    }));

  test('a second signal ends it at once', () =>
    withSystem({ env: { ORCH_SHUTDOWN_SECONDS: '3600' } }, async (system, item) => {
      system.production.hold(item.repo);
      const worker = await system.startWorker();
      await item.start();
      await system.production.whenHeld(item.repo);
      worker.signal('SIGTERM');
      await worker.said('draining');
      worker.signal('SIGINT');
      expect(await worker.ended).toEqual({ code: 1, signal: null });
      expect(worker.log().at(-1)).toMatchObject({
        level: 'fatal',
        msg: 'ended at once, what was running is left to its time-outs',
      });
    }));

  test('what does not end in time does not keep the worker: run() fails, and so does the process', () =>
    withSystem({ env: { ORCH_SHUTDOWN_SECONDS: '0.1' } }, async (system, item) => {
      const { control } = system.plane;
      // An answer that does not come to its end: a call to Plane is given up after 15 s, longer than what follows the grace.
      control.fault({ mode: 'trickle', everyMs: 1_000, match: { method: 'PATCH' } });
      const worker = await system.startWorker();
      // At once when the call has begun: it is given up soon, and nothing runs in the pause that follows.
      const asked = eventually(() => {
        expect(control.requests().some(({ method }) => method === 'PATCH')).toBe(true);
        worker.signal('SIGTERM');
      });
      await item.start();
      await asked;
      expect(await worker.ended).toEqual({ code: 1, signal: null });
      expect(worker.stderr()).toMatch(/^The worker has failed: /);
      control.clearFaults();
      await system.startWorker();
      expect(await item.result()).toMatchObject({ outcome: 'done' });
      expect(item.status()).toBe('Done');
    }));
});
