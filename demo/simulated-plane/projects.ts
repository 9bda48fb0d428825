/** Projects, members, activities and the key's own user over the API. */
import { answer, type Handler, NOT_FOUND, written } from './answer.ts';
import { addProject } from './changes.ts';
import { paginate } from './paging.ts';
import { projectView, render } from './render.ts';
import { userById } from './world.ts';

export const readMe: Handler = ({ user }) => answer(200, user);

export const listProjects: Handler = ({ world, workspace, user, query }) =>
  paginate(
    world.tables.projects
      .filter((project) => project.workspaceId === workspace.id)
      .map((project) => render(world, projectView(world, project, user, true), query)),
    query,
  );

export const createProject: Handler = ({ world, workspace, user, body }) => {
  const { name, identifier } = body;
  if (typeof name !== 'string' || name === '') return answer(400, { name: ['This field is required.'] });
  if (typeof identifier !== 'string' || identifier === '')
    return answer(400, { identifier: ['This field is required.'] });
  const taken = world.tables.projects.some(
    (project) => project.workspaceId === workspace.id && (project.name === name || project.identifier === identifier),
  );
  if (taken) return answer(409, { name: 'The project name is already taken' });
  return written(201, projectView(world, addProject(world, workspace, user, { name, identifier }), user, false));
};

export const readProject: Handler = ({ world, project, user, query }) =>
  answer(200, render(world, projectView(world, project, user, false), query));

/** A plain list, by display name (317). */
export const listMembers: Handler = ({ world, project }) =>
  answer(
    200,
    world.tables.projectMembers
      .filter((member) => member.projectId === project.id)
      .map((member) => userById(world, member.userId))
      .toSorted((left, right) => (left.display_name < right.display_name ? -1 : 1)),
  );

/** Oldest first unless asked otherwise; an unknown item has none (13e). */
export const listActivities: Handler = ({ world, params, query }) => {
  const rows = world.tables.activities.filter((activity) => activity.issue === params['item']);
  const oldestFirst = rows.toSorted((left, right) => (left.created_at < right.created_at ? -1 : 1));
  const ordered = query.get('order_by') === '-created_at' ? oldestFirst.toReversed() : oldestFirst;
  return paginate(
    ordered.map((activity) => render(world, activity, query)),
    query,
  );
};

export const readActivity: Handler = ({ world, params, query }) => {
  const row = world.tables.activities.find(({ id, issue }) => id === params['activity'] && issue === params['item']);
  return row === undefined ? NOT_FOUND : answer(200, render(world, row, query));
};
