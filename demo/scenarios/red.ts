import type { Summary } from '../display/summary.ts';
import type { Stack } from '../stack/stack.ts';
import { same } from './checks.ts';
import { commonChecks, told } from './common-checks.ts';
import { createDeployment, deploy } from './deployment.ts';
import { gatherEvidence } from './evidence.ts';

/** ORCH-021: the deploy is green, and production degrades minutes later. An alert, or a rollback. */
export async function red(stack: Stack): Promise<Summary> {
  const { display, production, alerts, options } = stack;
  const deployment = await createDeployment(stack, 'v2', 'A cart that leaks connections');
  await deploy(stack, deployment);
  await display.step('Watch production', async (say) => {
    await deployment.watch.until('until tick 2', ({ tick }) => tick >= 2, say);
    await production.degrade();
    say('v2 begins to answer 5xx: its health check had passed');
    const { outcome } = await deployment.watch.untilEnd(say);
    return `the run has ended: ${outcome}`;
  });

  const evidence = await gatherEvidence(stack, deployment);
  const rollsBack = options.action === 'rollback';
  return {
    scenario: rollsBack ? 'red --rollback' : 'red',
    checks: [
      ...commonChecks(evidence, {
        outcome: rollsBack ? 'degraded_rolled_back' : 'degraded_alerted',
        window: rollsBack ? 'degraded_rolled_back' : 'degraded_alerted',
        deployed: ['v2'],
        rolledBackTo: rollsBack ? ['v1'] : [],
        comments: ['closed', 'degraded'],
      }),
      same('runs of the rollback script', rollsBack ? 1 : 0, rollbackRuns(evidence.production.operations)),
      same('production runs', rollsBack ? 'v1' : 'v2', evidence.production.version),
      same('it answers a health check with', rollsBack ? 200 : 503, await healthStatus(production.serviceUrl)),
      same('recovered (Temporal)', rollsBack, evidence.window.recovered),
      same('alerts', 1, alerts.alerts().length),
    ],
    ...told([evidence]),
    notes: alerts.alerts().map(({ title }) => `Alert: ${title}`),
  };
}

export const rollbackRuns = (operations: readonly { readonly kind: string }[]): number =>
  operations.filter(({ kind }) => kind === 'rollback').length;

export const healthStatus = async (serviceUrl: string): Promise<number> =>
  (await fetch(new URL('/health', serviceUrl))).status;
