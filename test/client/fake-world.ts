import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { expect } from 'vitest';
import { eventually } from '../setup/eventually.ts';
import { connectTemporal, type TemporalAccess, unique } from '../setup/temporal.ts';
import { type CliRun, runHere } from './run-cli.ts';

/** A worker with the stand-in workflows, and the command pointed at it by nothing but Temporal's address. */
export interface FakeWorld {
  readonly temporal: TemporalAccess;
  readonly env: Readonly<Record<string, string>>;
  /** A repository of this test file alone. */
  readonly repo: string;
  /** A work item of one test alone. */
  item(): string;
  /** The command, within this process. */
  d2d(...args: string[]): Promise<CliRun>;
  /** A work item whose window is open. */
  watched(): Promise<string>;
  close(): Promise<void>;
}

/** @param workflows the file of the stand-ins, and `taskQueue` where another world has made it. */
export async function fakeWorld(workflows = './fake-workflows.ts', sameAs?: FakeWorld): Promise<FakeWorld> {
  const temporal = await connectTemporal();
  const { taskQueue } = sameAs?.temporal ?? temporal;
  const { nativeConnection: connection, address } = temporal;
  const workflowsPath = fileURLToPath(new URL(workflows, import.meta.url));
  const worker = await Worker.create({ connection, taskQueue, workflowsPath });
  const working = worker.run();
  const env = { TEMPORAL_ADDRESS: address, ORCH_TASK_QUEUE: taskQueue };
  const repo = unique('shop');
  let items = 0;
  const item = (): string => {
    items += 1;
    return `${unique('T').replace('-', '').toUpperCase()}-${items}`;
  };
  const d2d = (...args: string[]): Promise<CliRun> => runHere(env, ...args);
  return {
    temporal,
    env,
    repo,
    item,
    d2d,
    async watched() {
      const workItem = item();
      expect(await d2d('start', repo, workItem, '--version', 'v2', '--approval', 'none')).toMatchObject({ code: 0 });
      await eventually(async () =>
        expect((await d2d('status', workItem, '--json')).stdout).toContain('"phase":"open"'),
      );
      return workItem;
    },
    async close() {
      worker.shutdown();
      await working;
      await temporal.close();
    },
  };
}
