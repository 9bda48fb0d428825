import { expect, test } from 'vitest';
import { PlaneAmbiguousState, PlaneUnknownState } from '../../../adapters/plane/errors.ts';
import { matchState } from '../../../adapters/plane/states.ts';
import { failure, simulated } from './support.ts';

const states = (...names: string[]) => names.map((name, index) => ({ id: `id-${index}`, name, group: 'started' }));

test.each([
  { there: ['Done', 'done'], name: 'Done', found: 'id-0' },
  { there: ['Done', 'done'], name: 'done', found: 'id-1' },
  { there: ['  Done '], name: 'Done', found: 'id-0' },
  { there: ['Done'], name: ' dONE ', found: 'id-0' },
  { there: ['Todo', 'Deploying'], name: 'deploying', found: 'id-1' },
])('$name among $there is $found', ({ there, name, found }) => {
  expect(matchState(states(...there), name)).toMatchObject({ found: { id: found } });
});

test.each([
  { there: ['Done', 'done'], name: 'DONE', outcome: 'ambiguous' },
  { there: ['Done', 'Done '], name: 'Done', outcome: 'ambiguous' },
  { there: ['Done'], name: 'Doing', outcome: 'missing' },
  { there: [], name: 'Done', outcome: 'missing' },
])('$name among $there is $outcome', ({ there, name, outcome }) => {
  expect(matchState(states(...there), name)).toHaveProperty(outcome);
});

test('a state that was made or renamed meanwhile is found by one refresh; an unknown one costs no second read of a fresh list', async () => {
  const { plane, client, asked } = await simulated();
  const { projectId } = plane.control.workItem('ORCH-61');
  const unknown = await failure(client.stateNamed(projectId, 'Live'));
  expect(unknown).toBeInstanceOf(PlaneUnknownState);
  expect(unknown.message).toContain('It has "Backlog", "Todo", "In Progress", "Done"');
  expect(asked()).toEqual(['GET states']);
  plane.control.renameState('ORCH', 'Deploying', 'Live');
  expect(await client.stateNamed(projectId, 'live')).toMatchObject({ name: 'Live' });
  expect(asked()).toEqual(['GET states', 'GET states']);
});

test('a name that several states answer to is an error that lists them', async () => {
  const { plane, client } = await simulated();
  plane.control.addState('ORCH', { name: 'DEPLOYING', group: 'started' });
  const error = await failure(client.stateNamed(plane.control.workItem('ORCH-61').projectId, 'deploying'));
  expect(error).toBeInstanceOf(PlaneAmbiguousState);
  expect(error.message).toContain('"Deploying", "DEPLOYING"');
});
