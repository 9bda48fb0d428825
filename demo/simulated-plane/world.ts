/** The state of one simulated Plane, its clock and its ids: what handlers, control and board share. */
import { createJobs, type Jobs } from './jobs.ts';
import { emptyTables, type Project, type State, type Tables, type User, type WorkItem } from './model.ts';
import { seededRandom, uuidFrom } from './random.ts';
import type { Webhook } from './webhooks.ts';
import { timestamp } from './wire.ts';

export interface World {
  tables: Tables;
  readonly jobs: Jobs;
  /** Epoch ms of the clock that was given. */
  clock(): number;
  /** The time as Plane writes it; never twice the same, so that rows made within one millisecond keep their order. */
  now(): string;
  uuid(): string;
  random(): number;
  /** Where events go; `null`: nowhere. */
  webhook: Webhook | null;
  readonly webhookId: string;
  /** Work items as they were, oldest first: what a lagging read replica still shows. */
  readonly versions: { at: number; item: WorkItem }[];
}

export interface WorldOptions {
  readonly clock: () => number;
  /** Seed of ids and of probabilities of faults. */
  readonly randomSeed: number;
  /** How long after an answer the background worker does its part, ms. */
  readonly jobDelayMs: number;
}

export function createWorld({ clock, randomSeed, jobDelayMs }: WorldOptions): World {
  const random = seededRandom(randomSeed);
  let lastMicros = 0;
  return {
    tables: emptyTables(),
    jobs: createJobs(jobDelayMs),
    clock,
    now() {
      lastMicros = Math.max(Math.floor(clock() * 1000), lastMicros + 1);
      return timestamp(lastMicros);
    },
    uuid: () => uuidFrom(random),
    random,
    webhook: null,
    webhookId: '84cf8f32-6837-48bb-be67-1a45afcbea7d',
    versions: [],
  };
}

/** A row that the caller has made sure of: its absence is a bug of the simulator, or a name that a test misspelt. */
export function need<T>(row: T | undefined, what: string): T {
  if (row === undefined) throw new Error(`simulated Plane: there is no ${what}`);
  return row;
}

export const userById = (world: World, id: string): User =>
  need(
    world.tables.users.find((user) => user.id === id),
    `user ${id}`,
  );

export const stateById = (world: World, id: string): State =>
  need(
    world.tables.states.find((state) => state.id === id),
    `state ${id}`,
  );

export const projectByIdentifier = (world: World, identifier: string): Project =>
  need(
    world.tables.projects.find((project) => project.identifier === identifier),
    `project ${identifier}`,
  );

export function stateByName(world: World, projectId: string, name: string): State {
  const states = world.tables.states.filter((state) => state.project === projectId);
  return need(
    states.find((state) => state.name === name),
    `state ${JSON.stringify(name)}, only ${states.map((state) => state.name).join(', ')}`,
  );
}

/** A work item by its key, such as ORCH-61; archived ones too. */
export function workItemByKey(world: World, key: string): WorkItem {
  const [identifier = '', number = ''] = key.split('-');
  const project = world.tables.projects.find((candidate) => candidate.identifier === identifier);
  return need(
    world.tables.workItems.find((item) => item.project === project?.id && item.sequence_id === Number(number)),
    `work item ${key}`,
  );
}

export function keyOf(world: World, item: WorkItem): string {
  const project = world.tables.projects.find((candidate) => candidate.id === item.project);
  return `${project?.identifier ?? '?'}-${item.sequence_id}`;
}
