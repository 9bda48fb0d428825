import { access } from 'node:fs/promises';
import { logPath } from '../../activities/artefact-path.ts';
import type { DeployResult, WindowStatus } from '../../workflows/messages.ts';
import type { ProductionState } from '../production/state.ts';
import type { Stack } from '../stack/stack.ts';
import type { StatusChange } from '../stack/tracker.ts';
import { waitFor } from '../stack/wait.ts';
import type { Deployment } from './deployment.ts';
import { looksInHistory } from './looks-in-history.ts';

/** What the authorities say about a deployment that has ended. */
export interface Evidence {
  readonly workItem: string;
  /** Temporal's: how the run ended. */
  readonly result: DeployResult;
  /** Temporal's: what the window saw and did, by its query, which replays the history. */
  readonly window: WindowStatus;
  /** Temporal's: how many looks at production stand in the history of the window. */
  readonly looksInHistory: number;
  /** The database's. */
  readonly stage: string | null;
  /** Plane's: every status that it had, the one it began with first. */
  readonly statuses: readonly string[];
  /** Plane's: what its comments are about, such as `closed`. */
  readonly comments: readonly string[];
  /** Production's. */
  readonly production: ProductionState;
  /** The path of its post-deploy log; `null` where there is none. */
  readonly log: string | null;
}

export async function gatherEvidence(stack: Stack, { item, watch }: Deployment): Promise<Evidence> {
  const result = await watch.resultIfEnded();
  if (result === null) throw new Error(`the run of ${item.key} has not ended`);
  const window = await finalWindow(stack, { item, watch });
  const log = logPath(stack.artefacts, window);
  const written = await access(log).then(
    () => true,
    () => false,
  );
  return {
    workItem: item.key,
    result,
    window,
    looksInHistory: await looksInHistory(stack.temporal, item.key),
    stage: await stack.tasks.stage(item.key),
    statuses: sequence(await settledHistory(stack, { item })),
    comments: (await item.commentIds()).map((id) => id.split(':').at(-1) ?? '').sort(),
    production: await stack.production.state(),
    log: written ? log : null,
  };
}

/** A worker has to answer: one that was just started may be a moment late. */
function finalWindow({ timing, signal }: Stack, { item, watch }: Pick<Deployment, 'item' | 'watch'>) {
  const until = `until a worker tells how the window of ${item.key} has ended`;
  return waitFor(() => watch.look(() => {}), { until, withinMs: timing.patienceMs, signal });
}

/** A real Plane writes its history in the background: it is whole when it ends with what the item shows. */
async function settledHistory({ timing, tracker, signal }: Stack, { item }: Pick<Deployment, 'item'>) {
  return waitFor<readonly StatusChange[]>(
    async () => {
      const [history, status] = [await item.statusHistory(), await item.status()];
      return (history.at(-1)?.to ?? status) === status ? history : null;
    },
    {
      until: `until Plane's history of ${item.key} is whole`,
      withinMs: timing.patienceMs,
      everyMs: tracker.lookEveryMs,
      signal,
    },
  );
}

const sequence = (history: readonly StatusChange[]): readonly string[] => [
  ...history.slice(0, 1).map(({ from }) => from),
  ...history.map(({ to }) => to),
];
