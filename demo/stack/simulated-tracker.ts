import { DEPLOY_STATES, type PlaneSeed } from '../simulated-plane/seed.ts';
import { startSimulatedPlane } from '../simulated-plane/simulated-plane.ts';
import type { DemoTracker } from './tracker.ts';

const PROJECT = 'ORCH';

/** The item of the incident (ORCH-061) is the first one that the demo makes. */
const FIRST_NUMBER = 61;

const seed = (apiKey: string): PlaneSeed => ({
  workspace: 'acme',
  users: [
    { displayName: 'deploy-bot', key: apiKey, role: 20 },
    { displayName: 'human', role: 20 },
  ],
  projects: [
    {
      identifier: PROJECT,
      name: 'Orchestrator',
      states: DEPLOY_STATES,
      workItems: [
        { name: 'Move task logs to object storage' },
        { name: 'Retry webhooks with jitter', state: 'Todo' },
        { name: 'Drop the legacy scheduler', state: 'Done' },
      ],
    },
  ],
});

/** Opens nothing but the simulator of this demo. */
const API_KEY = 'plane_api_demo';

/** A simulated Plane with a board that people can look at. */
export async function startSimulatedTracker({
  requestsPerMinute,
}: {
  readonly requestsPerMinute: number;
}): Promise<DemoTracker> {
  const { url, apiKey, workspace, control, close } = await startSimulatedPlane({ seed: seed(API_KEY) });
  control.setRateLimit(requestsPerMinute);
  let number = FIRST_NUMBER;
  return {
    kind: 'simulated',
    url,
    apiKey,
    workspace,
    project: PROJECT,
    boardUrl: `${url}/`,
    lookEveryMs: 250,
    sendEventsTo: (eventsUrl, secret) => control.setWebhook({ url: eventsUrl, secret }),
    async createWorkItem(name) {
      const { key } = control.addWorkItem({ project: PROJECT, name, number, state: 'In Progress' });
      number += 1;
      return {
        key,
        statusHistory: async () => control.statusHistory(key).map(({ from, to }) => ({ from, to })),
        status: async () => control.workItem(key).state,
        moveByOthers: async (to) => control.uiSetState(key, to),
        commentIds: async () => control.workItem(key).comments.map(({ externalId }) => externalId ?? ''),
      };
    },
    close,
  };
}
