import { expect, test } from 'vitest';
import { wrapUpId } from '../../../adapters/temporal/wrap-ups.ts';
import { deployWorkflowId, monitorWorkflowId, wrapUpWorkflowId } from '../../../workflows/messages.ts';

test.each([deployWorkflowId, monitorWorkflowId])('the id is that of the workflows: $name', (idOf) => {
  for (const nth of [1, 2, 12])
    expect(wrapUpId(idOf('team/shop', 'A-1'), 'run', nth)).toBe(wrapUpWorkflowId('team/shop', 'A-1', 'run', nth));
});
