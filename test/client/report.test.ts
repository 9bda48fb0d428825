import type { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import type { Execution } from '../../client/executions.ts';
import { reportFinished } from '../../client/report.ts';
import * as deploy from '../../workflows/deploy-run.ts';

const execution: Execution = {
  workflowId: 'deploy/shop/ORCH-61',
  runId: 'run-1',
  repo: 'shop',
  workItem: 'ORCH-61',
  running: true,
  status: 'RUNNING',
} as Execution;

const IGNORED = 'the signal deployFinished was ignored';

/** A run with so many notes, which ignores whatever is reported. */
function ignoring(notes: number): Client {
  let run = deploy.inPhase(deploy.begin(), 'deploying');
  for (let n = 0; n < notes; n += 1) run = deploy.noted(run, `${IGNORED}: not this one`, n);
  return client(run, (known) => deploy.noted(known, `${IGNORED}: it is about version v8, not v2`, 1_000));
}

function client(begun: deploy.DeployRun, onSignal: (run: deploy.DeployRun) => deploy.DeployRun): Client {
  let run = begun;
  const handle = {
    query: async () => deploy.status(run, { repo: 'shop', workItem: 'ORCH-61' }, 'run-1:deploy'),
    signal: async () => {
      run = onSignal(run);
    },
  };
  return {
    withDeadline: (_: number, ask: () => Promise<unknown>) => ask(),
    workflow: { getHandle: () => handle },
  } as unknown as Client;
}

test.each([0, 99, 100, 101, 250])('a refusal is found among however many notes: after %i', async (notes) => {
  await expect(reportFinished(ignoring(notes), execution, { ok: true, version: 'v8', by: 'ci' })).rejects.toThrow(
    /ORCH-61: the signal deployFinished was ignored: it is about version v8, not v2/,
  );
});

test('of two that report at once each hears what became of its own report', async () => {
  const [counts, late] = [
    { ok: true, by: ' ci ', detail: 'all pods run v2' },
    { ok: false, by: 'oncall' },
  ];
  const both = client(deploy.inPhase(deploy.begin(), 'deploying'), (run) =>
    deploy.noted(deploy.reported(run, { ...counts, by: 'ci' }), `${IGNORED}: the deploy has been reported already`, 1),
  );
  expect(await reportFinished(both, execution, counts)).toMatchObject({ takenUp: true });
  const again = client(deploy.inPhase(deploy.begin(), 'deploying'), (run) =>
    deploy.noted(deploy.reported(run, { ...counts, by: 'ci' }), `${IGNORED}: the deploy has been reported already`, 1),
  );
  await expect(reportFinished(again, execution, late)).rejects.toThrow('the deploy has been reported already');
});
