/** What happened between the recorded exchanges without being recorded: made up for here, by the name of the exchange it precedes. */
import { exchange } from '../../adapters/plane/recordings.ts';
import type { Replay } from './replay.ts';

const UUID = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}/g;
const [AWAITING, DEPLOYING, MONITORING] = ['Awaiting Deploy', 'Deploying', 'Monitoring after Deploy'] as const;
const WORK_ITEMS = '/api/v1/workspaces/acme/projects';

/** The last uuid that a recorded request names. */
function lastId(prefix: string): string {
  const { path, body } = exchange(prefix).request;
  return `${path} ${JSON.stringify(body)}`.match(UUID)?.at(-1) ?? '';
}
const itemId = (prefix: string): string => exchange(prefix).request.path.match(UUID)?.[1] ?? '';

/** Changes an item as the recording's main user, over the API. */
export async function patch({ plane, send }: Replay, key: string, body: object): Promise<number> {
  const { id, projectId } = plane.control.workItem(key);
  return (await send('PATCH', `${WORK_ITEMS}/${projectId}/work-items/${id}/`, body)).status;
}

export function stateId({ plane }: Replay, key: string, name: string): string {
  const { projectId } = plane.control.workItem(key);
  const found = plane.snapshot().states.find((state) => state.name === name && state.project === projectId);
  if (found === undefined) throw new Error(`no state ${name} in the project of ${key}`);
  return found.id;
}

async function webhookTriggers(replay: Replay): Promise<void> {
  const { plane, send } = replay;
  const { id, projectId } = plane.control.workItem('ORCH-3');
  const state = (name: string): { state: string } => ({ state: stateId(replay, 'ORCH-3', name) });
  const human = plane.snapshot().users.find((user) => user.display_name === 'human')?.id;
  const changes: object[] = [
    { priority: 'low' },
    state(AWAITING),
    state(AWAITING),
    { ...state(DEPLOYING), name: 'External item ✓' },
    { state_id: stateId(replay, 'ORCH-3', 'Done') },
    { assignees: [human], priority: 'urgent' },
    ...[AWAITING, DEPLOYING, MONITORING, 'Done', AWAITING].map((name) => state(name)),
  ];
  for (const change of changes) await patch(replay, 'ORCH-3', change);
  const made = await send('POST', `${WORK_ITEMS}/${projectId}/work-items/`, {
    name: 'Made for webhook',
    ...state(AWAITING),
  });
  if (made.status !== 201 || id === '') throw new Error('could not make the seventh work item');
  plane.control.deleteWorkItem('ORCH-7');
  plane.control.settleJobs();
  plane.control.uiSetState('ORCH-3', MONITORING, 'orchestrator');
  plane.control.deleteWorkItem('ORCH-6');
}

/** 58 requests between the first of the window and the last that is let through, evenly. */
async function fillRateLimit({ at, send }: Replay): Promise<void> {
  const [first, last] = [exchange('400'), exchange('401')].map(({ recorded_at }) => Date.parse(recorded_at));
  for (let sent = 1; sent <= 58; sent += 1) {
    at((first ?? 0) + ((last ?? 0) - (first ?? 0)) * (sent / 59));
    await send('GET', '/api/v1/users/me/');
  }
}

export const INTERLUDES: Readonly<Record<string, (replay: Replay) => void | Promise<void>>> = {
  '030-work-items-list': ({ plane: { control } }) => {
    control.addWorkItem({ project: 'ORCH', name: 'Work item 4' });
    control.addWorkItem({ project: 'ORCH', name: 'Work item 5', state: 'Awaiting Deploy' });
    control.addWorkItem({ project: 'ORCH', name: 'Work item 6' });
  },
  '122-patch-state-of-other-project': ({ plane, ids }) => {
    const item = plane.control.addWorkItem({ project: 'ELSE', name: 'Foreign' });
    ids.learn(lastId('122'), item.stateId);
    ids.learn(itemId('138'), item.id);
  },
  '200-item-before-comment': ({ plane: { control }, ids }) => {
    ids.learn(lastId('20c'), control.addUser({ displayName: 'human', workspaces: ['acme'] }).id);
    control.addMember('ORCH', 'human', 20);
    control.addUser({ displayName: 'guest', workspaces: ['acme'] });
    control.addMember('ORCH', 'guest', 5);
    control.addUser({ displayName: 'outsider', workspaces: ['acme'] });
    control.addUser({ displayName: 'stranger', workspaces: ['other'] });
    control.addKey({ token: 'plane_api_HUMANKEY', displayName: 'human' });
    control.addKey({ token: 'plane_api_GUESTKEY', displayName: 'guest' });
    control.addKey({ token: 'plane_api_OUTSIDERKEY', displayName: 'outsider' });
    control.addKey({ token: 'plane_api_EXPIREDKEY', displayName: 'orchestrator', state: 'expired' });
    control.addKey({ token: 'plane_api_INACTIVEKEY', displayName: 'orchestrator', state: 'revoked' });
    control.addKey({ token: 'plane_api_SERVICEKEY', displayName: 'orchestrator', service: true });
  },
  // The recorder had emptied the store of the rate limit.
  '400-rate-limit-first': ({ plane: { control } }) => control.setRateLimit(60),
  '401-rate-limit-last-allowed': fillRateLimit,
  '404-rate-limit-other-key-unaffected': async ({ send }) => {
    const service = { 'X-Api-Key': 'plane_api_SERVICEKEY' };
    for (let sent = 0; sent < 2; sent += 1) await send('GET', '/api/v1/users/me/', undefined, service);
  },
  '532-activities-after-web-app-move': webhookTriggers,
  '610-worker-down-patch': ({ plane: { control } }) => control.holdJobs(),
  '613-worker-back-activities': async (replay) => {
    await patch(replay, 'ORCH-5', { state: stateId(replay, 'ORCH-5', MONITORING) });
    replay.plane.control.resumeJobs();
  },
  '621-broker-down-patch-state': ({ plane: { control } }) =>
    control.fault({ mode: 'applyThenStatus', status: 500, loseJobs: true, match: { method: 'PATCH', times: 1 } }),
  '623-broker-down-comment-create': ({ plane: { control } }) =>
    control.fault({ mode: 'applyThenStatus', status: 500, loseJobs: true, match: { method: 'POST', times: 1 } }),
  '630-cache-down-get': ({ plane: { control } }) => control.fault({ mode: 'status', status: 500, match: { times: 2 } }),
  '640-database-down-get': ({ plane: { control } }) =>
    control.fault({ mode: 'status', status: 500, match: { times: 1 } }),
  '700-work-item-delete': ({ plane: { control }, ids }) => {
    ids.learn(itemId('700'), control.addWorkItem({ project: 'ORCH', name: 'To be deleted' }).id);
  },
  '710-get-archived': ({ plane: { control }, ids }) => {
    const { id, key } = control.addWorkItem({ project: 'ORCH', name: 'To be archived', state: 'In Progress' });
    ids.learn(itemId('710'), id);
    control.archive(key);
  },
  '724-state-delete-unused': ({ plane: { control }, ids }) => {
    ids.learn(lastId('724'), control.addState('ORCH', { name: 'Unused', group: 'backlog' }).id);
  },
};
