import { expect, test } from 'vitest';
import { createTracker } from '../../../adapters/plane/tracker.ts';
import { failure, simulated } from './support.ts';

const NAMES = {
  awaiting_deploy: ' awaiting deploy ',
  deploying: 'Deploying',
  monitoring: 'Monitoring after Deploy',
  done: 'Done',
};

async function tracked(project = 'ORCH') {
  const { plane, client, asked } = await simulated();
  const item = plane.control.workItem('ORCH-61');
  const tracker = createTracker({ client, names: NAMES, projectOf: (repo) => (repo === 'orch' ? project : repo) });
  return {
    control: plane.control,
    client,
    item,
    tracker,
    methods: () => asked().map((line) => line.split(' ', 1).join('')),
  };
}

test.each([
  { state: 'Awaiting Deploy', status: 'awaiting_deploy' },
  { state: 'Deploying', status: 'deploying' },
  { state: 'Monitoring after Deploy', status: 'monitoring' },
  { state: 'Done', status: 'done' },
  { state: 'In Progress', status: null },
  { state: 'Cancelled', status: null },
])('shown: $state is $status', async ({ state, status }) => {
  const { control, tracker } = await tracked();
  control.uiSetState('ORCH-61', state);
  const { stateId: id } = control.workItem('ORCH-61');
  expect(await tracker.shown('orch', 'ORCH-61')).toEqual({ id, name: state, status });
});

test('a state for degraded work is one of ours where it is named, and none where it is not', async () => {
  const { control, client, tracker } = await tracked();
  control.addState('ORCH', { name: 'Needs Attention', group: 'started' });
  control.uiSetState('ORCH-61', 'Needs Attention');
  expect(await tracker.shown('orch', 'ORCH-61')).toMatchObject({ name: 'Needs Attention', status: null });
  await expect(tracker.write('orch', 'ORCH-61', 'degraded')).rejects.toThrow('no state of the tracker is set');

  const names = { ...NAMES, degraded: 'needs attention' };
  const naming = createTracker({ client, names, projectOf: () => 'ORCH' });
  expect(await naming.shown('orch', 'ORCH-61')).toMatchObject({ name: 'Needs Attention', status: 'degraded' });
  control.uiSetState('ORCH-61', 'Done');
  await naming.write('orch', 'ORCH-61', 'degraded');
  expect(control.workItem('ORCH-61').state).toBe('Needs Attention');
});

test('what is shown is asked every time, the place of the item and the states once', async () => {
  const { control, tracker, methods } = await tracked();
  await tracker.shown('orch', 'ORCH-61');
  expect(methods()).toEqual(['GET', 'GET']);
  control.uiSetState('ORCH-61', 'Done');
  expect(await tracker.shown('orch', 'ORCH-61')).toMatchObject({ status: 'done' });
  expect(methods()).toEqual(['GET', 'GET', 'GET']);
  await tracker.write('orch', 'ORCH-61', 'deploying');
  expect(methods()).toEqual(['GET', 'GET', 'GET', 'PATCH']);
  expect(control.workItem('ORCH-61').state).toBe('Deploying');
});

test('write: one PATCH, also where the status stands there already; by a status or by the id of any state', async () => {
  const { control, item, tracker, methods } = await tracked();
  await tracker.write('orch', 'ORCH-61', 'awaiting_deploy');
  control.clearRequests();
  await tracker.write('orch', 'ORCH-61', 'awaiting_deploy');
  expect(methods()).toEqual(['PATCH']);
  await tracker.write('orch', 'ORCH-61', { id: item.stateId });
  expect(methods()).toEqual(['PATCH', 'PATCH']);
  expect(control.workItem('ORCH-61').state).toBe(item.state);
});

test('stateId: of the project that the item is in', async () => {
  const { control, tracker } = await tracked();
  control.uiSetState('ORCH-61', 'Deploying');
  expect(await tracker.stateId('orch', 'ORCH-61', 'deploying')).toBe(control.workItem('ORCH-61').stateId);
  expect(await tracker.stateId('orch', 'OPS-1', 'deploying')).not.toBe(control.workItem('ORCH-61').stateId);
});

test('a work item by its uuid, in the project of its repository; where that has a uuid, 3 requests for a change', async () => {
  const byName = await tracked();
  await byName.tracker.write('orch', byName.item.id, 'done');
  expect(byName.control.workItem('ORCH-61').state).toBe('Done');

  const { item, tracker, methods } = await tracked(byName.item.projectId); // the simulator's ids are the same each time
  expect(item.projectId).toBe(byName.item.projectId);
  await tracker.shown('orch', item.id);
  await tracker.write('orch', item.id, 'done');
  expect(methods()).toEqual(['GET', 'GET', 'PATCH']);
});

test('two work items at the same time do not mix their places', async () => {
  const { control, tracker } = await tracked();
  await Promise.all([tracker.write('orch', 'ORCH-61', 'done'), tracker.write('OPS', 'OPS-1', 'deploying')]);
  expect([control.workItem('ORCH-61').state, control.workItem('OPS-1').state]).toEqual(['Done', 'Deploying']);
});

test('a state that was made after the states were read is asked for: it may be one of ours, or the project’s own', async () => {
  const { control, tracker } = await tracked();
  await tracker.shown('orch', 'ORCH-61');
  const { id } = control.addState('ORCH', { name: 'Parked', group: 'started' });
  control.uiSetState('ORCH-61', 'Parked');
  expect(await tracker.shown('orch', 'ORCH-61')).toEqual({ id, name: 'Parked', status: null });
});

test('a state that is renamed keeps its id: it still is ours, long after its old name is forgotten', async () => {
  const { control, tracker } = await tracked();
  await tracker.shown('orch', 'ORCH-61');
  const done = await tracker.stateId('orch', 'ORCH-61', 'done');
  for (const name of ['Deploying', 'Done']) control.renameState('ORCH', name, `${name} (old)`);
  control.addState('ORCH', { name: 'Parked', group: 'started' });
  control.uiSetState('ORCH-61', 'Parked');
  expect(await tracker.shown('orch', 'ORCH-61')).toMatchObject({ status: null }); // the states have been asked for anew
  await tracker.write('orch', 'ORCH-61', 'deploying');
  expect(await tracker.shown('orch', 'ORCH-61')).toMatchObject({ name: 'Deploying (old)', status: 'deploying' });
  control.addState('ORCH', { name: 'Done', group: 'completed' }); // who makes it anew means the new one
  control.addState('ORCH', { name: 'Parked again', group: 'started' });
  control.uiSetState('ORCH-61', 'Parked again');
  await tracker.shown('orch', 'ORCH-61'); // and the states are asked for anew
  await tracker.write('orch', 'ORCH-61', 'done');
  expect(control.workItem('ORCH-61').stateId).not.toBe(done);
});

test('comment: once for an external id', async () => {
  const { control, tracker } = await tracked();
  await tracker.comment('orch', 'ORCH-61', '<p>watched</p>', 'ORCH-61:end');
  await tracker.comment('orch', 'ORCH-61', '<p>watched</p>', 'ORCH-61:end');
  expect(control.workItem('ORCH-61').comments).toMatchObject([{ html: '<p>watched</p>', externalId: 'ORCH-61:end' }]);
});

test('what the client throws is thrown on', async () => {
  const { control, tracker } = await tracked();
  expect(await failure(tracker.shown('orch', 'ORCH-999'))).toMatchObject({ name: 'PlaneNotFound' });
  control.renameState('ORCH', 'Deploying', 'Rolling out');
  expect(await failure(tracker.write('orch', 'ORCH-61', 'deploying'))).toMatchObject({ name: 'PlaneUnknownState' });
});
