import { execa } from 'execa';
import { monitorWorkflowId } from '../../workflows/messages.ts';
import type { Summary } from '../display/summary.ts';
import { PROGRAM_FOLDER, program } from '../program.ts';
import { REPO } from '../stack/repositories-file.ts';
import type { Stack } from '../stack/stack.ts';
import { pause } from '../stack/wait.ts';
import { type Check, holds, same } from './checks.ts';
import { commonChecks, told } from './common-checks.ts';
import { createDeployment, type Deployment, deploy } from './deployment.ts';
import { type Evidence, gatherEvidence } from './evidence.ts';

const BY = 'oncall';
const REASON = 'false alarm';

/** Two windows are cancelled midway: one by our command line, one by the raw signal that any Temporal client can send. */
export async function cancel(stack: Stack): Promise<Summary> {
  const first = await cancelled(stack, 'v2', 'A new cart', 'd2d cancel', ({ item }) => ({
    file: process.execPath,
    args: [...program('client/d2d'), 'cancel', item.key, '--by', BY, '--reason', REASON],
  }));
  const second = await cancelled(stack, 'v3', 'A newer cart', 'temporal workflow signal', ({ item }) => ({
    file: stack.temporalCli,
    args: [
      ...['workflow', 'signal', '--address', stack.temporalAddress, '--name', 'cancelWindow'],
      ...['--workflow-id', monitorWorkflowId(REPO, item.key), '--input', JSON.stringify({ by: BY, reason: REASON })],
    ],
  }));
  return {
    scenario: 'cancel',
    checks: [...first.checks, ...second.checks, same('alerts', 0, stack.alerts.alerts().length)],
    ...told([first.evidence, second.evidence]),
    notes: [],
  };
}

interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

async function cancelled(
  stack: Stack,
  version: string,
  title: string,
  by: string,
  command: (deployment: Deployment) => Command,
): Promise<{ readonly checks: readonly Check[]; readonly evidence: Evidence }> {
  const { display, production, env, signal, timing } = stack;
  const deployment = await createDeployment(stack, version, title);
  await deploy(stack, deployment);
  const { watch } = deployment;
  const looks = await display.step(`Cancel by ${by}`, async (say) => {
    await watch.until('until tick 2', ({ tick }) => tick >= 2, say);
    const { file, args } = command(deployment);
    const { stdout } = await execa(file, args, {
      env,
      extendEnv: false,
      cwd: PROGRAM_FOLDER,
      cancelSignal: signal,
      timeout: 30_000,
    });
    for (const line of stdout.split('\n')) if (line.trim() !== '') say(`${by}: ${line}`);
    await watch.until('until the window is closed', ({ outcome }) => outcome !== null, say);
    const { healthRequests } = await production.state();
    await watch.untilEnd(say);
    await pause(2 * timing.intervalMs, signal); // two more looks would fall into this time
    return { atCancel: healthRequests, later: (await production.state()).healthRequests };
  });

  const evidence = await gatherEvidence(stack, deployment);
  const { window, workItem } = evidence;
  const messages = window.messages.map(({ name, by, reason }) => `${name} by ${by}: ${reason}`);
  const checks = [
    ...commonChecks(evidence, {
      outcome: 'window_cancelled',
      window: 'cancelled',
      deployed: version === 'v2' ? ['v2'] : ['v2', 'v3'],
      rolledBackTo: [],
      comments: ['closed'],
    }),
    same(`${workItem}: messages (Temporal)`, [`cancelWindow by ${BY}: ${REASON}`], messages),
    holds(
      `${workItem}: cancelled midway`,
      `fewer than ${window.plannedTicks} looks`,
      window.coverage.made,
      window.coverage.made < window.plannedTicks,
    ),
    same(`${workItem}: looks after the cancel (production)`, 0, looks.later - looks.atCancel),
  ];
  return { checks, evidence };
}
