import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { Client as PgClient } from 'pg';
import { expect, onTestFinished } from 'vitest';
import { lockKey } from '../../../adapters/postgres/work-item-lock.ts';
import { D2dPhase, deployWorkflowId, monitorWorkflowId } from '../../../workflows/messages.ts';
import { bundleWorkflows } from '../../setup/bundle.ts';
import { type FreshDatabase, freshDatabase } from '../../setup/database.ts';
import { eventually } from '../../setup/eventually.ts';
import { connectTemporal, type TemporalAccess } from '../../setup/temporal.ts';

type OnRecord = Readonly<Record<string, string>>;

/** What a window can be, as far as the guard is concerned. `started`: it runs, and no worker has seen it yet. */
export const WINDOWS = ['none', 'started', 'open', 'acting', 'closed', 'ended'] as const;
export type WindowKind = (typeof WINDOWS)[number];

/** Postgres and Temporal for one test file, with a worker that plays windows. */
export interface GuardServers {
  readonly fresh: FreshDatabase;
  readonly temporal: TemporalAccess;
  /** Makes the window of a work item one of that kind. */
  openWindow(repo: string, workItem: string, kind: WindowKind): Promise<void>;
  /** Tells a window that was opened to say so, and waits until the server shows it. */
  tellWindow(repo: string, workItem: string, phase: 'open' | 'closed' | 'end'): Promise<void>;
  /**
   * Starts a run of a deploy that has this on record, and the window that it has opened; waits until the server shows it.
   * @returns what ends both, or leaves the window to whoever terminates it.
   */
  startDeploy(
    repo: string,
    workItem: string,
    attributes: OnRecord,
    window?: OnRecord | null,
  ): Promise<{ end(window?: 'ended' | 'terminated'): Promise<void> }>;
  setStage(workItem: string, stage: string): Promise<void>;
  /** Takes a work item's lock in a session of somebody else's, until the function is called or the test ends. */
  holdLock(workItem: string): Promise<() => Promise<void>>;
  lockIsFree(workItem: string): Promise<boolean>;
  close(): Promise<void>;
}

export async function guardServers(): Promise<GuardServers> {
  const [fresh, temporal, codePath] = await Promise.all([
    freshDatabase(),
    connectTemporal(),
    bundleWorkflows(fileURLToPath(new URL('./windows.ts', import.meta.url))),
  ]);
  const { client, nativeConnection: connection, taskQueue } = temporal;
  const worker = await Worker.create({ connection, taskQueue, workflowBundle: { codePath } });
  const running = worker.run();
  const handle = (repo: string, workItem: string) => client.workflow.getHandle(monitorWorkflowId(repo, workItem));

  async function untilItShows(repo: string, workItem: string, phase: string): Promise<void> {
    await eventually(async () => {
      const { status, typedSearchAttributes } = await handle(repo, workItem).describe();
      const shows = phase === 'end' ? status.name === 'COMPLETED' : typedSearchAttributes.get(D2dPhase) === phase;
      if (!shows) throw new Error(`the window of ${workItem} does not say ${phase} yet`);
    });
  }

  const servers: GuardServers = {
    fresh,
    temporal,
    async openWindow(repo, workItem, kind) {
      if (kind === 'none') return;
      const phase = kind === 'started' ? null : kind === 'ended' ? 'end' : kind;
      await client.workflow.start('postDeployMonitor', {
        workflowId: monitorWorkflowId(repo, workItem),
        taskQueue: kind === 'started' ? `${taskQueue}-nobody` : taskQueue,
        args: [phase],
      });
      if (phase !== null) await untilItShows(repo, workItem, phase);
    },
    async startDeploy(repo, workItem, attributes, window = null) {
      const windowId = monitorWorkflowId(repo, workItem);
      const deploy = await client.workflow.start('deployToDone', {
        workflowId: deployWorkflowId(repo, workItem),
        taskQueue,
        args: [attributes, window === null ? null : { workflowId: windowId, attributes: window }],
      });
      const shows = async (workflowId: string, wanted: OnRecord): Promise<void> => {
        const { searchAttributes } = await client.workflow.getHandle(workflowId).describe();
        expect(searchAttributes).toMatchObject(
          Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, [value]])),
        );
      };
      await eventually(() => shows(deploy.workflowId, attributes));
      if (window !== null) await eventually(() => shows(windowId, window));
      return {
        async end(how = 'ended') {
          await deploy.signal('end');
          await deploy.result();
          if (window === null) return;
          if (how === 'ended') return servers.tellWindow(repo, workItem, 'end');
          await handle(repo, workItem).terminate('an operator');
        },
      };
    },
    async tellWindow(repo, workItem, phase) {
      await handle(repo, workItem).signal('say', phase);
      await untilItShows(repo, workItem, phase);
    },
    async setStage(workItem, stage) {
      await fresh.sql('update tasks set stage = $2 where work_item_id = $1', [workItem, stage]);
    },
    async holdLock(workItem) {
      const other = new PgClient({ connectionString: fresh.url, application_name: 'somebody else' });
      await other.connect();
      await other.query('begin');
      await other.query('select pg_advisory_xact_lock($1)', [String(lockKey(workItem))]);
      let ended: Promise<void> | undefined;
      const letGo = (): Promise<void> => (ended ??= other.end());
      onTestFinished(letGo);
      return letGo;
    },
    async lockIsFree(workItem) {
      const [row] = await fresh.sql<{ free: boolean }>('select pg_try_advisory_xact_lock($1) as free', [
        String(lockKey(workItem)),
      ]);
      return row?.free === true;
    },
    async close() {
      worker.shutdown();
      await running;
      await Promise.all([temporal.close(), fresh.close(), rm(dirname(codePath), { recursive: true })]);
    },
  };
  return servers;
}
