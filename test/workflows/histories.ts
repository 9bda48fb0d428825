import { readdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowHandle } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { dataConverter } from '../../adapters/temporal/workflow-source.ts';

const { History } = temporal.api.history.v1;
type IHistory = temporal.api.history.v1.IHistory;

/** What a workflow's history costs: its events, and its bytes as the server keeps them. Workflow tasks that were lost do not count. */
export function sizeOf({ events = [] }: IHistory): { readonly events: number; readonly bytes: number } {
  const lost = new Set(
    (events ?? []).flatMap(({ eventId, workflowTaskTimedOutEventAttributes: late }) =>
      late == null ? [] : [eventId, late.scheduledEventId, late.startedEventId].map(String),
    ),
  );
  const kept = (events ?? []).filter(({ eventId }) => !lost.has(String(eventId)));
  return { events: kept.length, bytes: History.encode({ events: kept }).finish().length };
}

/** So long a workflow task waits for its worker in `atOtherTimes`, s: no time-out of a sweep, and no window, is longer. */
const LATER_SECONDS = 2 * 3_600;

/**
 * The same history, in which each workflow task but the first began two hours later. A replay of it goes as before where nothing is decided
 * by a workflow's own time, which is that of its task.
 */
export function atOtherTimes(history: IHistory): IHistory {
  const copy = History.decode(History.encode(History.fromObject(history)).finish());
  const started = copy.events.filter((event) => event.workflowTaskStartedEventAttributes != null);
  for (const { eventTime } of started.slice(1))
    if (eventTime?.seconds != null) eventTime.seconds = eventTime.seconds.add(LATER_SECONDS);
  return copy;
}

/** @throws while the last timer of a workflow runs */
export async function expectTimerFired(workflow: WorkflowHandle): Promise<void> {
  const { events } = await workflow.fetchHistory();
  const last = events?.findLast(
    (event) => (event.timerStartedEventAttributes ?? event.timerFiredEventAttributes) != null,
  );
  expect(last?.timerFiredEventAttributes).not.toBeNull();
}

/** @throws until the first activity of that type has ended so */
export async function expectActivityEnded(
  workflow: WorkflowHandle,
  activity: string,
  ending: 'Completed' | 'Failed' = 'Completed',
): Promise<void> {
  const { events } = await workflow.fetchHistory();
  const asked = events?.find((event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity);
  expect(asked).toBeDefined();
  const ends = events?.map((event) => event[`activityTask${ending}EventAttributes`]?.scheduledEventId);
  expect(ends?.map(String)).toContain(String(asked?.eventId));
}

/** @throws until a cancel of an activity is on record */
export async function expectActivityCancelRequested(workflow: WorkflowHandle): Promise<void> {
  const { events } = await workflow.fetchHistory();
  expect(events?.some((event) => event.activityTaskCancelRequestedEventAttributes != null)).toBe(true);
}

const FOLDER = fileURLToPath(new URL('../histories/', import.meta.url));

/** What tells of the machine, and what stands in its place; a replay reads none of it. */
const SCRUBBED: Readonly<Record<string, unknown>> = {
  identity: 'worker',
  stackTrace: '',
};

function scrub(this: unknown, key: string, value: unknown): unknown {
  if (key in SCRUBBED) return SCRUBBED[key];
  // The name of a worker's own queue holds its host.
  return key === 'name' && typeof value === 'string' && value.includes('@') ? 'sticky' : value;
}

/**
 * Writes a history down, one event a line. By the message's own `toObject`: the SDK's `historyToJSON` fails where npm gives
 * `@temporalio/common` and `@temporalio/proto` each a protobufjs of its own ("type must be a Type").
 */
export async function recordHistory(name: string, history: IHistory): Promise<void> {
  const { events } = History.toObject(History.fromObject(history), { enums: String, longs: String, bytes: String });
  if (!Array.isArray(events)) throw new Error(`${name}: a history without events`);
  const lines = events.map((event) => JSON.stringify(event, scrub));
  await writeFile(`${FOLDER}${name}.json`, `{"events":[\n${lines.join(',\n')}\n]}\n`);
}

/** The names of what was recorded. */
export const recordedHistories = async (): Promise<string[]> =>
  (await readdir(FOLDER)).filter((file) => file.endsWith('.json')).map((file) => file.slice(0, -'.json'.length));

export const readRecorded = (name: string): Promise<string> => readFile(`${FOLDER}${name}.json`, 'utf8');

export const parseRecorded = (text: string): IHistory => History.fromObject(JSON.parse(text));

/**
 * Replays histories with a bundle, each under the workflow id that it ran under: the workflows read it.
 * @returns what the replay says against each of them; `null`: nothing.
 */
export async function replay(
  codePath: string,
  histories: readonly { readonly name: string; readonly history: IHistory }[],
): Promise<Record<string, string | null>> {
  const options = { workflowBundle: { codePath }, dataConverter: dataConverter(), replayName: 'replay' };
  const verdicts: Record<string, string | null> = {};
  for (const { name, history } of histories) {
    const workflowId = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowId;
    if (workflowId == null) throw new Error(`${name}: a history that does not say whose it is`);
    for await (const { error } of Worker.runReplayHistories(options, [{ workflowId, history }])) {
      verdicts[name] = error === undefined ? null : error.message;
    }
  }
  return verdicts;
}
