import type { WorkflowHandle } from '@temporalio/client';
import { describe, expect, test } from 'vitest';
import { lockKey } from '../../adapters/postgres/work-item-lock.ts';
import type { HeldRequest, Phase } from '../../demo/simulated-plane/faults.ts';
import { monitorWorkflowId } from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { createItem, type Item } from './item.ts';
import { type Side, startRelay } from './relay.ts';
import { withSystem } from './with-system.ts';

// kill -9 of a worker at each await of a status setter: what it waits for is kept from outside, on the wire.

/** How the step of a setter reads in what its session says to Postgres. */
const STATEMENTS = { lock: 'pg_advisory_xact_lock', stage: 'from tasks', commit: 'commit' } as const;

/** Every await, in order. `written`: whether Plane has got the write by then, so that it shows, or will show. */
const AWAITS: readonly (
  | { readonly postgres: keyof typeof STATEMENTS; readonly side: Side; readonly written?: true }
  | { readonly plane: 'GET' | 'PATCH'; readonly phase: Phase; readonly written?: true; readonly named?: 'by uuid' }
)[] = [
  { postgres: 'lock', side: 'request' },
  { postgres: 'lock', side: 'answer' },
  { postgres: 'stage', side: 'request' },
  { postgres: 'stage', side: 'answer' },
  // and then Temporal, for the window: the last one of all, as every window is asked for on one connection
  { plane: 'GET', phase: 'after', named: 'by uuid' }, // which asks for the item's other names
  { plane: 'GET', phase: 'before' },
  { plane: 'GET', phase: 'after' },
  { plane: 'PATCH', phase: 'before', written: true },
  { plane: 'PATCH', phase: 'after', written: true },
  { postgres: 'commit', side: 'request', written: true },
  { postgres: 'commit', side: 'answer', written: true },
];

/** How often its activity was begun. */
async function tries(handle: WorkflowHandle): Promise<number | undefined> {
  const { events } = await handle.fetchHistory();
  const begun = events?.find((event) => event.activityTaskStartedEventAttributes != null);
  return begun?.activityTaskStartedEventAttributes?.attempt ?? undefined;
}

const hostOf = (url: string): string => new URL(url).host;

describe.concurrent('kill -9 of a setter', () => {
  test('at each of its awaits: what has changed meanwhile is what is shown in the end', () =>
    withSystem({ repos: AWAITS.length + 1 }, async (system, atWindow) => {
      const { control } = system.plane;
      const items: Item[] = [];
      for (const _ of AWAITS) items.push(await system.addItem());

      const holds: HeldRequest[] = [];
      const stops = AWAITS.flatMap((at, index) => {
        const { workItem = '', planeId = '' } = items[index] ?? {};
        if ('postgres' in at) return [{ key: String(lockKey(workItem)), said: STATEMENTS[at.postgres], side: at.side }];
        const path = at.plane === 'GET' && at.named === undefined ? workItem : planeId;
        control.fault({ mode: 'hold', phase: at.phase, match: { method: at.plane, path } });
        holds.push({ method: at.plane, phase: at.phase, path });
        return [];
      });
      const isHeld = ({ method, phase, path }: HeldRequest): boolean =>
        control.held().some((held) => held.method === method && held.phase === phase && held.path.includes(path));
      const databaseUrl = system.env()['DATABASE_URL'] ?? '';
      const postgres = await startRelay(hostOf(databaseUrl), (said) => {
        const since = said.slice(said.lastIndexOf('begin;'));
        const stop = stops.find(({ key, said: step }) => since.includes(key) && since.includes(step));
        return stop === undefined ? null : { side: stop.side, name: stop.key };
      });
      const window = monitorWorkflowId(atWindow.repo, atWindow.workItem);
      const temporal = await startRelay(system.temporal.address, (said) =>
        said.includes(window) ? { side: 'request', name: window } : null,
      );
      try {
        const worker = await system.startWorker({
          DATABASE_URL: databaseUrl.replace(hostOf(databaseUrl), postgres.address),
          TEMPORAL_ADDRESS: temporal.address,
          ORCH_DATABASE_LOCK_POOL_SIZE: String(AWAITS.length + 1),
          ORCH_DATABASE_STATEMENT_TIMEOUT_SECONDS: '60', // no statement that is stopped ends by itself
        });
        const named = items.map((item, index) =>
          'named' in (AWAITS[index] ?? {}) ? createItem(system, item.repo, item.planeId, item.planeId) : item,
        );
        const asked = await Promise.all(named.map((item) => item.setStatus('deploying')));
        await eventually(() => expect(holds.filter(isHeld)).toEqual(holds));
        await eventually(() => expect(postgres.stopped().size).toBe(stops.length));
        asked.push(await atWindow.setStatus('deploying'));
        await eventually(() => expect(temporal.stopped().size).toBe(1));
        await worker.kill();

        control.clearFaults();
        control.release(); // Plane goes on with what it has got, though nobody listens any more
        await Promise.all([...items, atWindow].map((item) => item.setStage('done')));
        await system.startWorker();
        await Promise.all(asked.map((handle) => handle.result()));
        expect(await Promise.all(asked.map(tries))).toSatisfy((all: number[]) => all.every((begun) => begun >= 2)); // each was killed in the middle
        expect(items.map((item, index) => [AWAITS[index], item.history()])).toEqual(
          AWAITS.map((at) => [at, at.written === true ? ['Deploying', 'Done'] : ['Done']]),
        );
        expect(atWindow.history()).toEqual(['Done']);
      } finally {
        await Promise.all([postgres.close(), temporal.close()]);
      }
    }));
});
