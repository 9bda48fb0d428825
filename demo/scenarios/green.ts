import type { Summary } from '../display/summary.ts';
import type { Stack } from '../stack/stack.ts';
import { same } from './checks.ts';
import { commonChecks, told } from './common-checks.ts';
import { createDeployment, deploy } from './deployment.ts';
import { gatherEvidence } from './evidence.ts';

/** v2 is deployed, watched for a window, and is good: Done. */
export async function green(stack: Stack): Promise<Summary> {
  const deployment = await createDeployment(stack, 'v2', 'A new cart');
  await deploy(stack, deployment);
  await stack.display.step('Watch production', async (say) => {
    const { outcome } = await deployment.watch.untilEnd(say);
    return `the run has ended: ${outcome}`;
  });

  const evidence = await gatherEvidence(stack, deployment);
  const { window } = evidence;
  return {
    scenario: 'green',
    checks: [
      ...commonChecks(evidence, {
        outcome: 'done',
        window: 'healthy',
        deployed: ['v2'],
        rolledBackTo: [],
        comments: [],
      }),
      same('looks at production (Temporal)', window.plannedTicks, evidence.looksInHistory),
      same('production runs', 'v2', evidence.production.version),
      same('alerts', 0, stack.alerts.alerts().length),
    ],
    ...told([evidence]),
    notes: [],
  };
}
