/** Work items over the API: list, create, read, change, delete, by key, search. */
import { createdRow, updateRows } from './activity-rows.ts';
import { type Answer, answer, type Call, type Handler, NOT_FOUND, SERVER_ERROR, written } from './answer.ts';
import { addWorkItem, announce, removeWorkItem, saveWorkItem } from './changes.ts';
import type { WorkItem } from './model.ts';
import { paginate } from './paging.ts';
import { render } from './render.ts';
import { accepted } from './work-item-input.ts';
import { sortWorkItems } from './work-item-order.ts';
import type { World } from './world.ts';

const EXTERNAL_DUPLICATE = 'Issue with the same external id and external source already exists';

/** Archived items are absent from every read, though writes still reach them (710 to 713). */
const readable = (world: World, projectId: string): WorkItem[] =>
  world.tables.workItems.filter((item) => item.project === projectId && item.archived_at === null);

const writable = ({ world, project, params }: Call): WorkItem | undefined =>
  world.tables.workItems.find((item) => item.project === project.id && item.id === params['item']);

/** What a read shows: the row, or an older version of it where reads lag behind. */
function shown(call: Call, item: WorkItem | undefined): Answer {
  if (item === undefined) return NOT_FOUND;
  const until = call.world.clock() - call.lagMs;
  const stale =
    call.lagMs > 0
      ? call.world.versions.findLast((version) => version.item.id === item.id && version.at <= until)
      : undefined;
  return answer(200, render(call.world, stale?.item ?? item, call.query));
}

export const listWorkItems: Handler = (call) => {
  const { world, project, query } = call;
  const items = readable(world, project.id);
  const externalId = query.get('external_id');
  const externalSource = query.get('external_source');
  if (externalId && externalSource) {
    return shown(
      call,
      items.find((item) => item.external_id === externalId && item.external_source === externalSource),
    );
  }
  const sorted = sortWorkItems(world, items, query.get('order_by') ?? '-created_at');
  if (sorted === null) return SERVER_ERROR;
  return paginate(
    sorted.map((item) => render(world, item, query)),
    query,
  );
};

export const createWorkItem: Handler = (call) => {
  const { world, project, user } = call;
  const duplicate = sameExternal(call, undefined);
  if (duplicate) return answer(409, { error: EXTERNAL_DUPLICATE, id: duplicate.id });
  const input = accepted(call, { nameRequired: true });
  if ('refusal' in input) return input.refusal;
  const item = addWorkItem(world, project, user, { name: '', ...input.values });
  const epoch = Math.floor(world.clock() / 1000);
  announce(world, item, () => [createdRow(world, item, user, epoch)]);
  return written(201, { ...item });
};

export const readWorkItem: Handler = (call) =>
  shown(
    call,
    readable(call.world, call.project.id).find((item) => item.id === call.params['item']),
  );

export const readByKey: Handler = (call) => {
  const number = call.params['number'] ?? '';
  if (!/^\d+$/.test(number)) return SERVER_ERROR;
  return shown(
    call,
    readable(call.world, call.project.id).find((item) => item.sequence_id === Number(number)),
  );
};

export const changeWorkItem: Handler = async (call) => {
  const { world, user, body } = call;
  const row = writable(call);
  if (row === undefined) return NOT_FOUND;
  const loaded = { ...row };
  const duplicate = sameExternal(call, row);
  if (duplicate) return answer(409, { error: EXTERNAL_DUPLICATE, id: row.id });
  const input = accepted(call, { nameRequired: false });
  if ('refusal' in input) return input.refusal;
  const draft = { ...loaded, ...input.values };
  await call.midway();
  saveWorkItem(world, row, draft, loaded, user);
  const epoch = Math.floor(world.clock() / 1000);
  if (!call.jobsLost) announce(world, row, () => updateRows(world, loaded, body, user, epoch));
  return written(200, { ...row, state: draft.state });
};

export const deleteWorkItem: Handler = (call) => {
  const { world, user, project } = call;
  const row = writable(call);
  if (row === undefined) return NOT_FOUND;
  const admin = world.tables.projectMembers.some(
    (member) => member.projectId === project.id && member.userId === user.id && member.role === 20,
  );
  if (!admin && row.created_by !== user.id)
    return answer(403, { error: 'Only admin or creator can delete the work item' });
  removeWorkItem(world, row);
  return written(204, undefined);
};

export const searchWorkItems: Handler = ({ world, workspace, query, user }) => {
  const text = (query.get('search') ?? '').toLowerCase();
  const projectId = query.get('project_id');
  const mine = world.tables.projectMembers.filter(({ userId }) => userId === user.id).map((member) => member.projectId);
  const found = world.tables.workItems.filter(
    (item) =>
      item.workspace === workspace.id &&
      mine.includes(item.project) &&
      item.archived_at === null &&
      (projectId === null || item.project === projectId) &&
      text !== '' &&
      (item.name.toLowerCase().includes(text) || String(item.sequence_id) === text),
  );
  return answer(200, {
    issues: found.slice(0, Number(query.get('limit') ?? 10)).map((item) => ({
      name: item.name,
      id: item.id,
      sequence_id: item.sequence_id,
      project__identifier: world.tables.projects.find(({ id }) => id === item.project)?.identifier,
      project_id: item.project,
      workspace__slug: workspace.slug,
    })),
  });
};

/** Another item of the project with the external id and source of the request: only where both are given. */
function sameExternal({ world, project, body }: Call, own: WorkItem | undefined): WorkItem | undefined {
  const { external_id: id, external_source: source } = body;
  if (!id || !source || (own?.external_id === id && own?.external_source === source)) return undefined;
  return world.tables.workItems.find(
    (item) => item !== own && item.project === project.id && item.external_id === id && item.external_source === source,
  );
}
