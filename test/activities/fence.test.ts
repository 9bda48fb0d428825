import { once } from 'node:events';
import { Context } from '@temporalio/activity';
import { ActivityNotFoundError, type Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { describe, expect, test } from 'vitest';
import { createFence, type Fence } from '../../activities/fence.ts';
import { FENCE_MARGIN_MS } from '../../workflows/driver-time-outs.ts';
import { inActivity } from '../adapters/deploy/in-activity.ts';
import { eventually } from '../setup/eventually.ts';

// Whether a running command is ended in time where Temporal does not answer; test/system/outages.test.ts has real outages.

const LIMIT_MS = 400;

/** Runs something with a fence over a Temporal that takes heartbeats as it is told. */
async function withFence(
  heartbeat: (detail: unknown) => Promise<void>,
  run: (fence: Fence) => Promise<void>,
  heartbeatTimeoutMs = LIMIT_MS + FENCE_MARGIN_MS,
): Promise<void> {
  const client = {
    withAbortSignal: (_: AbortSignal, call: () => Promise<unknown>) => call(),
    withDeadline: (_: number, call: () => Promise<unknown>) => call(),
    activity: { heartbeat: (_: Uint8Array, detail: unknown) => heartbeat(detail) },
  } as unknown as Client;
  await inActivity(async () => {
    const fence = createFence(Context.current());
    try {
      await run(fence);
    } finally {
      fence.release();
    }
  }, new MockActivityEnvironment({ heartbeatTimeoutMs }, { client }));
}

const away = async (): Promise<never> => {
  throw new Error('UNAVAILABLE');
};

const closed = (fence: Fence) => once(fence.signal, 'abort');

describe('the fence of a running command', () => {
  test('is open while Temporal answers, and tells it how far the command is', async () => {
    const told: unknown[] = [];
    await withFence(
      async (detail) => void told.push(detail),
      async (fence) => {
        fence.heartbeat('step 2');
        await eventually(() => expect(told).toContain('step 2'));
        expect(fence.signal.aborted).toBe(false);
      },
      60_000,
    );
  });

  test('closes after its time without an answer, with the reason', () =>
    withFence(away, async (fence) => {
      const since = performance.now();
      await closed(fence);
      expect(performance.now() - since).toBeGreaterThan(LIMIT_MS - 20);
      expect(fence.signal.reason).toEqual(new Error('its worker could not reach Temporal for 400 ms'));
    }));

  test('counts from the last heartbeat that arrived, also where the next one gets no answer', async () => {
    let answers = 5;
    let lastSent = 0;
    await withFence(
      async () => {
        answers -= 1;
        if (answers < 0) return new Promise(() => {});
        lastSent = performance.now();
      },
      async (fence) => {
        await closed(fence);
        expect(answers).toBe(-1);
        expect(performance.now() - lastSent).toBeGreaterThan(LIMIT_MS - 20);
      },
    );
  });

  test('holds a result back until Temporal answers again', async () => {
    let asked = 0;
    await withFence(
      async () => {
        asked += 1;
        if (asked <= 10) return away();
      },
      async (fence) => {
        await fence.answered();
        expect(asked).toBeGreaterThan(10);
      },
    );
  });

  test('holds nothing back that Temporal does not want any more', () =>
    withFence(
      async () => {
        throw new ActivityNotFoundError('gone');
      },
      (fence) => fence.answered(),
    ));

  test('is not there where a run of an earlier version has promised nothing', () =>
    withFence(
      away,
      async (fence) => {
        await fence.answered();
        expect(fence.signal.aborted).toBe(false);
      },
      10_000,
    ));
});
