import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { PlaneBudgetSpent } from '../../adapters/plane/budget.ts';
import { PlaneRateLimited } from '../../adapters/plane/errors.ts';
import { createPlaneClient } from '../../adapters/plane/plane-client.ts';
import { type PlaneApi, planeApi } from './plane-api.ts';
import { type DemoTracker, type DemoWorkItem, STATES } from './tracker.ts';

export interface RealPlane {
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  readonly project: string;
}

const NAMES = ['ORCH_PLANE_URL', 'ORCH_PLANE_API_KEY', 'ORCH_PLANE_WORKSPACE', 'ORCH_PLANE_PROJECT'] as const;

/**
 * The real Plane that the environment names; `null` where it names none.
 * @throws where only some of the four variables are set: a real Plane was meant, but cannot be reached.
 */
export function realPlane(env: NodeJS.ProcessEnv): RealPlane | null {
  const missing = NAMES.filter((name) => (env[name] ?? '') === '');
  if (missing.length === NAMES.length) return null;
  if (missing.length > 0)
    throw new Error(`for a real Plane ${missing.join(' and ')} must be set too (or none of ${NAMES.join(', ')})`);
  const [url = '', apiKey = '', workspace = '', project = ''] = NAMES.map((name) => env[name]);
  return { url, apiKey, workspace, project };
}

const COLOURS = ['#F59E0B', '#3B82F6', '#8B5CF6'];

/** A key may ask 60 times a minute, and the worker needs most of that. */
const LOOK_EVERY_MS = 6_000;
/** The longest wait for a turn before anything has begun, tries a second apart or more: the demo before may have used them up. */
const TURNS = 60;

/**
 * A real Plane in the place of the simulated one: the states of a deploy and the work items are made by its API.
 * @throws what Plane says: a wrong URL or key, no such project, a project without `Done`.
 */
export async function openRealTracker(plane: RealPlane, say: (line: string) => void): Promise<DemoTracker> {
  const { url, apiKey, workspace } = plane;
  const client = createPlaneClient({ url, apiKey, workspace });
  const project = await inTurn(() => client.project(plane.project), say);
  const api = planeApi(plane, project.id);
  const there = (await inTurn(() => client.states(project.id), say)).map(({ name }) => name);
  if (!there.includes(STATES.done))
    throw new Error(`project ${project.identifier} has no state ${STATES.done}: make one in its settings`);
  const wanted = [STATES.awaitingDeploy, STATES.deploying, STATES.monitoring];
  for (const [index, name] of wanted.entries()) {
    if (there.includes(name)) continue;
    await api.createState({ name, group: 'started', color: COLOURS[index] ?? '#60646C' });
    say(`made the state ${name} in project ${project.identifier}`);
  }
  return {
    kind: 'real',
    url,
    apiKey,
    workspace,
    project: project.identifier,
    boardUrl: `${url.replace(/\/+$/, '')}/${workspace}/projects/${project.id}/issues/`,
    lookEveryMs: LOOK_EVERY_MS,
    sendEventsTo: null, // its webhooks are made in the web app alone
    async createWorkItem(name) {
      const { id, number } = await api.createWorkItem(name);
      return workItem(api, id, `${project.identifier}-${number}`, (state) => client.stateNamed(project.id, state));
    },
    close: () => client.close(),
  };
}

async function inTurn<T>(ask: () => Promise<T>, say: (line: string) => void): Promise<T> {
  for (let turns = 1; ; turns += 1) {
    try {
      return await ask();
    } catch (error) {
      const isBusy = error instanceof PlaneRateLimited || error instanceof PlaneBudgetSpent;
      if (!isBusy || turns === TURNS) throw error;
      if (turns === 1) say('Plane takes no more requests of this key just now: waiting for a turn');
      await delay(error.retryAfterMs);
    }
  }
}

const Row = z.object({
  field: z.string().nullable(),
  old_value: z.string().nullable(),
  new_value: z.string().nullable(),
  created_at: z.string(),
});

/** Its history is Plane's own list of activities, which a background process writes, some time after each change. */
function workItem(
  api: PlaneApi,
  id: string,
  key: string,
  stateNamed: (name: string) => Promise<{ readonly id: string }>,
): DemoWorkItem {
  return {
    key,
    async statusHistory() {
      const rows = (await api.activities(id)).map((row) => Row.parse(row));
      return rows
        .filter(({ field }) => field === 'state' || field === 'state_id') // by the API and in the web app
        .sort((a, b) => Date.parse(a.created_at) - Date.parse(b.created_at))
        .map(({ old_value, new_value }) => ({ from: old_value ?? '', to: new_value ?? '' }))
        .filter(({ from, to }) => from !== to);
    },
    status: () => api.stateName(id),
    moveByOthers: async (to) => api.setState(id, (await stateNamed(to)).id),
    commentIds: async () => (await api.comments(id)).map(({ externalId }) => externalId).reverse(), // newest first
  };
}
