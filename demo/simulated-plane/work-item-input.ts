/** What a POST or PATCH of a work item may set, with the serializer's refusals. Unknown keys are ignored without a word (127, 130). */
import { type Answer, answer, type Call } from './answer.ts';
import { defaultState, PRIORITIES } from './changes.ts';
import type { WorkItem } from './model.ts';

type Values = Partial<
  Pick<
    WorkItem,
    | 'name'
    | 'priority'
    | 'description_html'
    | 'state'
    | 'external_id'
    | 'external_source'
    | 'sequence_id'
    | 'completed_at'
    | 'archived_at'
    | 'assignees'
  >
>;

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const TEXTS = ['description_html', 'external_id', 'external_source'] as const;
const DATES = ['completed_at', 'archived_at'] as const;

export function accepted(
  call: Call,
  { nameRequired }: { nameRequired: boolean },
): { values: Values } | { refusal: Answer } {
  const { body } = call;
  const values: Values = {};
  const faults: Record<string, string[]> = {};

  const { name, priority, sequence_id: sequence, assignees } = body;
  if (name === undefined && nameRequired) faults['name'] = ['This field is required.'];
  else if (name === null) faults['name'] = ['This field may not be null.'];
  else if (name === '') faults['name'] = ['This field may not be blank.'];
  else if (typeof name === 'string' && name.length > 255)
    faults['name'] = ['Ensure this field has no more than 255 characters.'];
  else if (name !== undefined) values.name = String(name);

  if (priority !== undefined) {
    if (PRIORITIES.includes(String(priority))) values.priority = String(priority);
    else faults['priority'] = [`"${priority}" is not a valid choice.`];
  }
  for (const key of TEXTS) if (typeof body[key] === 'string') values[key] = body[key];
  for (const key of DATES) {
    const date = body[key];
    if (typeof date === 'string' || date === null) values[key] = date;
  }
  if (typeof sequence === 'number') values.sequence_id = sequence;
  if (Array.isArray(assignees)) values.assignees = assignees.map(String);

  const state = stateOf(call, body['state']);
  if ('fault' in state) faults['state'] = [state.fault];
  if (Object.keys(faults).length > 0) return { refusal: answer(400, faults) };
  if ('foreign' in state) {
    return { refusal: answer(400, { non_field_errors: ['State is not valid please pass a valid state_id'] }) };
  }
  if ('id' in state) values.state = state.id;
  return { values };
}

/** null and "" mean the default state (123, 125). */
function stateOf(
  { world, project }: Call,
  value: unknown,
): { absent: true } | { id: string } | { fault: string } | { foreign: true } {
  if (value === undefined) return { absent: true };
  if (value === null || value === '') return { id: defaultState(world, project.id) };
  if (typeof value !== 'string' || !UUID.test(value)) return { fault: `“${value}” is not a valid UUID.` };
  const plain = value.toLowerCase().replaceAll('-', '');
  const state = world.tables.states.find(({ id }) => id.replaceAll('-', '') === plain);
  if (state === undefined) return { fault: `Invalid pk "${value}" - object does not exist.` };
  return state.project === project.id ? { id: state.id } : { foreign: true };
}
