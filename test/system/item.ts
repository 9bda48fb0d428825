import type { WorkflowHandle } from '@temporalio/client';
import { expect } from 'vitest';
import type { TickRecord, WindowReport } from '../../activities/window-report.ts';
import type { StartInput } from '../../client/client.ts';
import {
  closeWindowUpdate,
  type DeployResult,
  type DeployStatus,
  deployStatusQuery,
  deployWorkflowId,
  monitorWorkflowId,
  SET_STATUS_WORKFLOW,
  type SetDeployStatusInput,
  type WindowStatus,
  windowStatusQuery,
} from '../../workflows/messages.ts';
import { eventually } from '../setup/eventually.ts';
import { unique } from '../setup/temporal.ts';
import type { System } from './harness.ts';

/** One work item of a system: what is done with it, and what the world shows of it. */
export interface Item {
  readonly repo: string;
  readonly workItem: string;
  /** Of Plane; in the paths of the requests about it. */
  readonly planeId: string;
  /** Starts its deploy of v2. */
  start(input?: Partial<StartInput>): Promise<void>;
  /** A caller of its own wants a status of it: `setDeployStatus`. @returns what has been started. */
  setStatus(status: SetDeployStatusInput['status'], caller?: string): Promise<WorkflowHandle>;
  /** Moves its task to a stage, as whoever owns the table does. */
  setStage(stage: string): Promise<void>;
  /** Closes its window with `closeWindow`. @returns the report. */
  close(): Promise<WindowReport>;
  /** How its deploy ends. */
  result(): Promise<DeployResult>;
  deployStatus(): Promise<DeployStatus>;
  windowStatus(): Promise<WindowStatus>;
  /** Waits until its window has made so many ticks. */
  untilTick(tick: number): Promise<void>;
  /** Waits for so many probes of its window. All but the last are on record by then. */
  untilProbed(times: number): Promise<void>;
  /** Waits until Plane shows this status. */
  untilShown(status: string): Promise<void>;
  status(): string;
  /** Every status that Plane has shown since its start, in order. */
  history(): string[];
  comments(): string[];
  stage(): Promise<string | undefined>;
  /** The process that works on its window: the pid is in the identity of a worker. */
  windowWorkerPid(): Promise<number>;
}

/** What Plane shows of a deploy that goes well, and nothing else. */
export const TO_DONE = ['Awaiting Deploy', 'Deploying', 'Monitoring after Deploy', 'Done'];

export function createItem(system: System, repo: string, workItem: string, planeId: string): Item {
  const { client } = system.temporal;
  const { control } = system.plane;
  const deploy = () => client.workflow.getHandle(deployWorkflowId(repo, workItem));
  const window = () => client.workflow.getHandle(monitorWorkflowId(repo, workItem));
  const events = async () => (await window().fetchHistory()).events ?? [];

  const item: Item = {
    repo,
    workItem,
    planeId,
    start: async (input) => void (await system.client.start({ repo, workItem, version: 'v2', ...input })),
    setStatus: (status, caller = 'stale-caller') =>
      client.workflow.start(SET_STATUS_WORKFLOW, {
        taskQueue: system.taskQueue,
        workflowId: unique('set'),
        args: [{ repo, workItem, status, caller }],
      }),
    async setStage(stage) {
      await system.sql('update tasks set stage = $2, updated_at = now() where work_item_id = $1', [workItem, stage]);
    },
    close: () => window().executeUpdate(closeWindowUpdate, { args: [{ by: 'oncall', reason: 'seen enough' }] }),
    result: () => system.client.waitForResult({ workItem, repo }),
    deployStatus: () => deploy().query(deployStatusQuery),
    windowStatus: () => window().query(windowStatusQuery),
    untilTick: (tick) =>
      eventually(async () => {
        expect((await item.windowStatus()).tick).toBeGreaterThanOrEqual(tick);
      }),
    untilProbed: (times) => eventually(() => expect(system.production.probes(repo)).toBeGreaterThanOrEqual(times)),
    untilShown: (status) => eventually(() => expect(item.status()).toBe(status)),
    status: () => control.workItem(workItem).state,
    history: () => control.statusHistory(workItem).map(({ to }) => to),
    comments: () => control.workItem(workItem).comments.map(({ html }) => html),
    async stage() {
      const rows = await system.sql<{ stage: string }>('select stage from tasks where work_item_id = $1', [workItem]);
      return rows[0]?.stage;
    },
    async windowWorkerPid() {
      const started = (await events()).findLast((event) => event.workflowTaskStartedEventAttributes != null);
      return Number.parseInt(started?.workflowTaskStartedEventAttributes?.identity ?? '', 10);
    },
  };
  return item;
}

/** Stays open until a message or a rollback ends it. */
export const HELD_OPEN = { seconds: 600, intervalSeconds: 8 };

/** A window of ten ticks, so far apart that a busy machine misses none. */
export const TEN_TICKS = { seconds: 60, intervalSeconds: 6, minRequests: 10 };

/** Probes that prove a window of ten ticks: half must be on record, and a killed worker loses its last one. */
export const PROBES_FOR_EVIDENCE = 6;

/** As many ticks as the status of a window shows. */
const MOST_TICKS = 10;

/** Numbers of the ticks that a window looked at; it holds that they came in order, and none twice. */
export function ticksInOrder(window: WindowStatus | WindowReport): number[] {
  const numbers = ticksOf(window)
    .filter(({ confirming }) => confirming !== true)
    .map(({ tick }) => tick);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  return numbers;
}

/** Every tick of a window. The report has them all, the status the last ones. */
function ticksOf(window: WindowStatus | WindowReport): readonly TickRecord[] {
  if ('ticks' in window) return window.ticks;
  expect(window.plannedTicks, 'a longer window is not shown whole').toBeLessThanOrEqual(MOST_TICKS);
  return window.lastTicks;
}

/**
 * Holds that the ticks that a window missed are those of an outage; for windows whose interval is far longer than a look
 * can be late on a busy machine.
 * @param killedAt when its worker was killed; the first look after that ends the outage.
 */
export function expectMissedInOutageOnly(window: WindowStatus | WindowReport, killedAt: number): void {
  const { openedAt, plannedTicks, policy, coverage } = window;
  const looked = ticksInOrder(window);
  // One that was closed early has no ticks after its last look.
  const ticks = window.outcome === 'closed_early' ? (looked.at(-1) ?? 0) : plannedTicks;
  expect(looked.length + coverage.missed).toBe(ticks);
  const back = ticksOf(window).find(({ at }) => at > killedAt)?.at ?? Number.POSITIVE_INFINITY;
  for (let tick = 1; tick <= ticks; tick += 1) {
    if (looked.includes(tick)) continue;
    const due = openedAt + tick * policy.intervalMs;
    // The look that was under way at the kill is lost, too.
    expect(due, `tick ${tick}`).toBeGreaterThan(killedAt - policy.intervalMs);
    expect(due, `tick ${tick}`).toBeLessThanOrEqual(back);
  }
}
