import { closedGate, type Gate } from '../gate.ts';
import { type RunningRelease, startRelease } from './running-release.ts';
import type { Operation, OperationKind, ProductionState } from './state.ts';

/** The service in production: which release of it runs, and every operation that was asked of it. */
export interface Service {
  state(): ProductionState;
  deploy(version: string, operationId: string): Promise<void>;
  rollback(operationId: string): Promise<void>;
  /** The release that runs now answers 5xx from now on; another one is not affected. */
  degrade(): Promise<void>;
  /** The next answer to a health check is held for good. */
  holdNextHealth(): Promise<void>;
  /** Rollbacks wait, before they change anything, until `releaseRollbacks`. */
  holdRollbacks(): void;
  releaseRollbacks(): void;
  stop(): Promise<void>;
}

/** @throws where the first release cannot be started. */
export async function startService(port: number, firstVersion: string): Promise<Service> {
  const counts = { healthRequests: 0, heldHealthAnswers: 0, heldRollbacks: 0 };
  const operations: Operation[] = [];
  const start = (version: string): Promise<RunningRelease> =>
    startRelease(port, version, (report) => {
      if (report === 'asked for health') counts.healthRequests += 1;
      if (report === 'holds an answer') counts.heldHealthAnswers += 1;
    });
  let release = await start(firstVersion);
  let previous: string | null = null;
  let gate: Gate | null = null;
  let queue: Promise<unknown> = Promise.resolve();

  /** The process of one release is replaced by that of another, as a restart of a service does. */
  async function change(to: string): Promise<void> {
    const from = release.version;
    await release.stop();
    release = await start(to);
    previous = from;
  }

  /** One after the other, and each operation once: one that is asked for again finds that it has happened. */
  function operate(kind: OperationKind, operationId: string, target: () => string): Promise<void> {
    const operation: Operation = { kind, operationId, from: null, to: null, effect: 'pending' };
    operations.push(operation);
    const run = queue.then(async () => {
      if (kind === 'rollback' && gate !== null) {
        counts.heldRollbacks += 1;
        await gate.passed;
      }
      if (operations.some((other) => other.operationId === operationId && other.effect === 'switched')) {
        operation.effect = 'had happened already';
        return;
      }
      operation.effect = 'failed';
      operation.from = release.version;
      operation.to = target();
      await change(operation.to);
      operation.effect = 'switched';
    });
    queue = run.catch(() => {});
    return run;
  }

  return {
    state: () => ({
      version: release.version,
      pid: release.pid,
      previous,
      ...counts,
      operations: operations.map((operation) => ({ ...operation })),
    }),
    deploy: (version, operationId) => operate('deploy', operationId, () => version),
    rollback: (operationId) =>
      operate('rollback', operationId, () => {
        if (previous === null) throw new Error(`there is no release before ${release.version} to go back to`);
        return previous;
      }),
    degrade: () => release.tell('degrade'),
    holdNextHealth: () => release.tell('hold the next health answer'),
    holdRollbacks() {
      gate ??= closedGate();
    },
    releaseRollbacks() {
      gate?.open();
      gate = null;
    },
    stop: () => release.stop(),
  };
}
