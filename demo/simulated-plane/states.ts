/** States over the API. */
import { type Answer, answer, type Call, type Handler, INVALID_PAYLOAD, NOT_FOUND, written } from './answer.ts';
import { addState } from './changes.ts';
import type { Group, State } from './model.ts';
import { paginate } from './paging.ts';
import { render } from './render.ts';
import { slugify } from './wire.ts';

const GROUPS: readonly Group[] = ['backlog', 'unstarted', 'started', 'completed', 'cancelled'];

const statesOf = ({ world, project }: Call): State[] =>
  world.tables.states
    .filter((state) => state.project === project.id)
    .toSorted((left, right) => left.sequence - right.sequence);

const asked = (call: Call): State | undefined => statesOf(call).find((state) => state.id === call.params['state']);

export const listStates: Handler = (call) =>
  paginate(
    statesOf(call).map((state) => render(call.world, state, call.query)),
    call.query,
  );

export const readState: Handler = (call) => {
  const state = asked(call);
  return state === undefined ? NOT_FOUND : answer(200, render(call.world, state, call.query));
};

/** Creating answers 200, not 201; a name that is there answers 409 with its id (011, 014). */
export const createState: Handler = (call) => {
  const { world, project, user, body } = call;
  const { name, color } = body;
  const group = body['group'] ?? 'backlog';
  const faults: Record<string, string[]> = {};
  if (typeof name !== 'string') faults['name'] = ['This field is required.'];
  if (typeof color !== 'string') faults['color'] = ['This field is required.'];
  const known = GROUPS.find((candidate) => candidate === group);
  if (known === undefined) faults['group'] = [`"${group}" is not a valid choice.`];
  if (typeof name !== 'string' || typeof color !== 'string' || known === undefined) return answer(400, faults);
  const same = statesOf(call).find((state) => state.name === name);
  if (same) return answer(409, { error: 'State with the same name already exists in the project', id: same.id });
  return written(200, addState(world, project, user, { name, color, group: known }, false));
};

export const changeState: Handler = (call) => {
  const state = asked(call);
  if (state === undefined) return NOT_FOUND;
  const { name, color, description } = call.body;
  if (statesOf(call).some((other) => other !== state && other.name === name)) return INVALID_PAYLOAD;
  if (typeof name === 'string') Object.assign(state, { name, slug: slugify(name) });
  if (typeof color === 'string') state.color = color;
  if (typeof description === 'string') state.description = description;
  Object.assign(state, { updated_at: call.world.now(), updated_by: call.user.id });
  return written(200, { ...state });
};

export const deleteState: Handler = (call): Answer => {
  const state = asked(call);
  if (state === undefined) return NOT_FOUND;
  if (state.default) return answer(400, { error: 'Default state cannot be deleted' });
  if (call.world.tables.workItems.some((item) => item.state === state.id)) {
    return answer(400, { error: 'The state is not empty, only empty states can be deleted' });
  }
  call.world.tables.states = call.world.tables.states.filter((other) => other !== state);
  return written(204, undefined);
};
