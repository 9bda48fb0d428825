import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PlaneForbidden, PlaneNotFound, PlaneUnavailable } from '../../adapters/plane/errors.ts';
import { DatabaseUnavailable } from '../../adapters/postgres/querier.ts';
import { D2dError } from '../../client/errors.ts';
import { createResolve, planeLookup } from '../../client/name-sources.ts';
import { bareWorkItem, type PlaneLookup, resolveWorkItem, type TaskLookup } from '../../client/resolve-work-item.ts';

const UUID = '7b2f6f0e-51c3-4a66-9d0f-0a52a7d1c9aa';

/** `tasks` with these ids, and what was asked of it. */
function tasksOf(...ids: string[]): TaskLookup & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    async findNamed(names) {
      asked.push(...names);
      const meant = names.map((name) => name.trim().toUpperCase());
      return ids
        .filter((id) => meant.includes(id.toUpperCase()))
        .map((workItem) => ({ repo: 'shop', workItem, stage: 'deploy' }));
    },
  };
}

const planeKnows = (id: string, key: string | null): PlaneLookup => ({ workItem: async () => ({ id, key }) });

describe('order', () => {
  test.each([
    ['the exact id', 'orch-61', ['orch-61', 'ORCH-61'], 'orch-61'],
    ['the trimmed id', '  orch-61 ', ['orch-61', 'ORCH-61'], 'orch-61'],
    ['the upper-cased identifier', ' orch-61', ['ORCH-61'], 'ORCH-61'],
    ['the identifier with its zeros', 'orch-061', ['ORCH-061', 'ORCH-61'], 'ORCH-061'],
    ['the identifier without them', 'orch-061', ['ORCH-61'], 'ORCH-61'],
    ['the lower-cased uuid', UUID.toUpperCase(), [UUID], UUID],
    ['one that the task spells otherwise', 'ORCH-61', ['Orch-61'], 'Orch-61'],
    ['a name that is no identifier', 'release of march', ['release of march'], 'release of march'],
  ])('%s', async (_, name, known, id) => {
    const { spellings, ...resolved } = await resolveWorkItem(name, { tasks: tasksOf(...known) });
    expect(resolved).toEqual({ workItem: id, task: { repo: 'shop', workItem: id, stage: 'deploy' } });
    expect(spellings[0]).toBe(id);
    expect(spellings).toContain(name.trim()); // a caller may have named it so
  });

  test('then the uuid that Plane has for a key', async () => {
    const tasks = tasksOf(UUID);
    const { workItem } = await resolveWorkItem('orch-61', { tasks, plane: planeKnows(UUID, 'ORCH-61') });
    expect(workItem).toBe(UUID);
    expect(tasks.asked).toEqual(['orch-61', 'ORCH-61', UUID]);
  });

  test('then the key that Plane has for a uuid', async () => {
    const { workItem } = await resolveWorkItem(UUID, { tasks: tasksOf('ORCH-61'), plane: planeKnows(UUID, 'ORCH-61') });
    expect(workItem).toBe('ORCH-61');
  });

  test('else the name itself, upper-cased where it is an identifier', async () => {
    const plane = planeKnows(UUID, 'ORCH-61');
    expect(await resolveWorkItem('orch-61', { tasks: tasksOf(), plane })).toMatchObject({
      workItem: 'ORCH-61',
      task: null,
    });
    expect(await resolveWorkItem(' Release 5 ', { tasks: tasksOf(), plane })).toMatchObject({ workItem: 'Release 5' });
  });
});

test('Plane is asked for keys and uuids only, and in its own spelling', async () => {
  const asked: string[] = [];
  const plane: PlaneLookup = {
    async workItem(ref) {
      asked.push(ref);
      return null;
    },
  };
  for (const name of ['orch-061', UUID, 'release of march']) await resolveWorkItem(name, { tasks: tasksOf(), plane });
  expect(asked).toEqual(['ORCH-61', UUID]);
});

test('an empty name is refused', async () => {
  await expect(resolveWorkItem(' \n', { tasks: tasksOf() })).rejects.toThrow('the work item must be named');
});

test('any name that is not empty means one work item, and is its own likeliest spelling', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      if (name.trim() === '') return;
      const { workItem, spellings } = bareWorkItem(name);
      expect(spellings[0]).toBe(workItem);
      expect(bareWorkItem(workItem).workItem).toBe(workItem);
    }),
  );
});

describe('authorities that are away', () => {
  const gone: TaskLookup = {
    findNamed: () => Promise.reject(new DatabaseUnavailable('Postgres is not available: refused')),
  };

  test('a start does not guess', async () => {
    const resolve = createResolve({ tasks: gone }, () => {});
    await expect(resolve('ORCH-61', 'start')).rejects.toMatchObject({ kind: 'unreachable' });
  });

  test('everything else goes by the name, and says so', async () => {
    const notes: string[] = [];
    const resolve = createResolve({ tasks: gone }, (text) => notes.push(text));
    expect(await resolve('orch-61', 'find')).toMatchObject({ workItem: 'ORCH-61' });
    expect(notes).toEqual(['Postgres is not available: refused; going by the name alone']);
  });

  test('what Plane does not have or show is unknown to it; that it is down is not', async () => {
    const failure = { method: 'GET', path: '/', status: null, writeMayHaveApplied: false };
    const failing = (error: Error) =>
      planeLookup({ workItem: () => Promise.reject(error), project: () => Promise.reject(error) }, 'ORCH');
    expect(await failing(new PlaneNotFound('no', failure)).workItem('ORCH-61')).toBeNull();
    expect(await failing(new PlaneForbidden('no', failure)).workItem(UUID)).toBeNull();
    await expect(failing(new PlaneUnavailable('down', failure)).workItem('ORCH-61')).rejects.toThrow('down');
  });

  test('without any source a name means itself', async () => {
    expect(await createResolve(null, () => {})('orch-61', 'start')).toEqual({
      workItem: 'ORCH-61',
      task: null,
      spellings: ['ORCH-61', 'orch-61'],
    });
    await expect(createResolve(null, () => {})(' ', 'find')).rejects.toBeInstanceOf(D2dError);
  });
});
