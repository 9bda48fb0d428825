import { expect, test } from 'vitest';
import { createWorkflowTaskSlots } from '../../../adapters/temporal/task-slots.ts';

const asked = (isSticky: boolean) => ({
  ...{ slotType: 'workflow' as const, taskQueue: 'queue', workerIdentity: 'worker', workerBuildId: '', isSticky },
});
const never = new AbortController().signal;

test('replays take no slot from the workflows in the cache, and the one that waits longest comes first', async () => {
  const slots = createWorkflowTaskSlots(2, 1);
  const first = await slots.reserveSlot(asked(false), never);
  const second = await slots.reserveSlot(asked(false), never);
  expect(slots.tryReserveSlot(asked(false))).toBeNull();

  const came: string[] = [];
  const waiting = ['third', 'fourth'].map(async (name) => {
    const permit = await slots.reserveSlot(asked(false), never);
    came.push(name);
    return permit;
  });
  expect(slots.tryReserveSlot(asked(true))).not.toBeNull();
  expect(slots.tryReserveSlot(asked(true))).toBeNull();

  slots.releaseSlot({ permit: first });
  const third = await waiting[0];
  expect(came).toEqual(['third']);
  slots.releaseSlot({ permit: second });
  await waiting[1];
  expect(came).toEqual(['third', 'fourth']);
  slots.releaseSlot({ permit: third ?? {} });
  expect(slots.tryReserveSlot(asked(false)), 'the one that was released').not.toBeNull();
  expect(slots.tryReserveSlot(asked(false))).toBeNull();
});

test('a slot that is not needed any more is waited for by nobody', async () => {
  const slots = createWorkflowTaskSlots(1, 1);
  const only = await slots.reserveSlot(asked(false), never);
  const given = new AbortController();
  const waiting = slots.reserveSlot(asked(false), given.signal);
  given.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  slots.releaseSlot({ permit: only });
  await expect(slots.reserveSlot(asked(false), given.signal), 'given up before').rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(slots.tryReserveSlot(asked(false))).not.toBeNull();
});
