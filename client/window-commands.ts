import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@temporalio/client';
import type { WindowReport } from '../activities/window-report.ts';
import {
  type Command,
  cancelWindowSignal,
  closeWindowUpdate,
  extendWindowUpdate,
  type WindowStatus,
} from '../workflows/messages.ts';
import { D2dError, refused } from './errors.ts';
import { asking, type Execution } from './executions.ts';
import { isGone, temporalError } from './temporal-errors.ts';
import { type WindowView, windowView } from './views.ts';

/** What became of a cancel. */
export interface WindowCancelled {
  readonly execution: Execution;
  readonly by: string;
  readonly reason: string;
  /** The window as it stood then; `null`: no worker has taken the cancel up yet, it is kept and takes effect when one does. */
  readonly status: WindowStatus | null;
}

export interface WindowExtended {
  readonly execution: Execution;
  readonly by: string;
  readonly reason: string;
  readonly minutes: number;
  readonly endsAt: number;
}

export interface WindowClosed {
  readonly execution: Execution;
  readonly report: WindowReport;
}

/** How long the effect of the signal is waited for, ms; a look at production may hold it up for 3 s. */
const EFFECT_MS = 6_000;
const LOOK_EVERY_MS = 150;
/** How long a worker may take to take an update up, ms. */
const UPDATE_MS = 10_000;
/** How long the report is waited for, ms: a rollback that runs is waited for by the window. */
const REPORT_MS = 120_000;

function over({ workItem }: Execution, outcome: string | null): D2dError {
  return refused(
    `${workItem}: the window has ended already${outcome === null ? '' : ` (${outcome})`}`,
    `look at it with d2d status ${workItem}`,
  );
}

/** @throws D2dError (`refused`) where the window takes no message any more. */
async function openWindow(temporal: Client, execution: Execution): Promise<WindowView> {
  if (!execution.running && execution.status !== 'COMPLETED') throw over(execution, execution.status.toLowerCase());
  const view = await windowView(temporal, execution);
  const { status } = view;
  if (status !== null && status.outcome !== null && status.phase !== 'acting') throw over(execution, status.outcome);
  if (!execution.running || execution.phase === 'closed') throw over(execution, null);
  return view;
}

/** Stops a window by its signal, and looks whether that has taken effect. @throws D2dError */
export async function cancelWindow(temporal: Client, execution: Execution, command: Command): Promise<WindowCancelled> {
  const sent = { execution, by: command.by, reason: command.reason };
  const before = await openWindow(temporal, execution);
  await asking(temporal, () => send(temporal, execution, command));
  if (before.status === null) return { ...sent, status: null };
  const deadline = Date.now() + EFFECT_MS;
  for (;;) {
    const { status } = await windowView(temporal, execution);
    if (status === null || status.outcome !== null) return { ...sent, status };
    if (Date.now() > deadline) return { ...sent, status: null };
    await delay(LOOK_EVERY_MS);
  }
}

async function send(temporal: Client, execution: Execution, command: Command): Promise<void> {
  try {
    await temporal.workflow.getHandle(execution.workflowId).signal(cancelWindowSignal, command);
  } catch (error) {
    if (isGone(error)) throw over(execution, null);
    throw error;
  }
}

/** Makes a window last longer. @throws D2dError: `refused` with the window's own reason. */
export async function extendWindow(
  temporal: Client,
  execution: Execution,
  command: Command & { readonly minutes: number },
): Promise<WindowExtended> {
  await openWindow(temporal, execution);
  const handle = temporal.workflow.getHandle(execution.workflowId);
  const { endsAt } = await updating(temporal, execution, UPDATE_MS, () =>
    handle.executeUpdate(extendWindowUpdate, { args: [command], updateId: randomUUID() }),
  );
  return { execution, ...command, endsAt };
}

/** Ends a window now, with the verdict so far. @throws D2dError: `refused` with the window's own reason. */
export async function closeWindow(temporal: Client, execution: Execution, command: Command): Promise<WindowClosed> {
  await openWindow(temporal, execution);
  const handle = temporal.workflow.getHandle(execution.workflowId);
  const accepted = await updating(temporal, execution, UPDATE_MS, () =>
    handle.startUpdate(closeWindowUpdate, { args: [command], updateId: randomUUID(), waitForStage: 'ACCEPTED' }),
  );
  try {
    return { execution, report: await updating(temporal, execution, REPORT_MS, () => accepted.result()) };
  } catch (error) {
    if (!(error instanceof D2dError) || error.kind !== 'unreachable') throw error;
    throw new D2dError(
      'unreachable',
      `${execution.workItem}: the window has taken the close up, but has not ended yet: a rollback that has begun is waited for`,
      `look at it with d2d watch ${execution.workItem}`,
      error,
    );
  }
}

async function updating<T>(
  temporal: Client,
  execution: Execution,
  withinMs: number,
  update: () => Promise<T>,
): Promise<T> {
  try {
    return await temporal.withDeadline(Date.now() + withinMs, update);
  } catch (error) {
    if (isGone(error)) throw over(execution, null);
    const told = temporalError(error);
    const hint = told.hint ?? `look at it with d2d status ${execution.workItem}`;
    throw new D2dError(told.kind, `${execution.workItem}: ${told.message}`, hint, error);
  }
}
