import type { DeployPlan } from '../../activities/deploy-plan.ts';
import type { ShownStatus, TrackerStatus } from '../../activities/status-evidence.ts';
import type { LastDeployed } from '../../activities/tasks.ts';
import type { WindowReport } from '../../activities/window-report.ts';
import type { WindowPolicy } from '../../decisions/index.ts';
import type { Look } from '../../workflows/window-state.ts';

/** A window of ten ticks: long enough for a streak, an end and something after it. */
export const policy = (change: Partial<WindowPolicy> = {}): WindowPolicy => ({
  windowMs: 300_000,
  intervalMs: 30_000,
  confirmMs: 5_000,
  failThreshold: 3,
  errorRatioThreshold: 0.05,
  minRequests: 20,
  action: 'alert',
  maxWindowMs: 3_600_000,
  rollbackWatchMs: 60_000,
  ...change,
});

export const plan = (change: Partial<DeployPlan> = {}): DeployPlan => ({
  repo: 'shop', // each item has a repository of its own, see `item`
  selfHosting: false,
  driver: { kind: 'command', idempotent: false, timeoutMs: 60_000 },
  rollback: { idempotent: false, timeoutMs: 60_000 },
  healthCheck: { deadlineMs: 60_000 },
  approval: { required: false, timeoutMs: 3_600_000 },
  window: policy(),
  guarded: true,
  settleMs: 60_000,
  ...change,
});

export const pass = (requests = 10, errors5xx = 0): Look => ({ health: 'pass', requests, errors5xx });
export const fail = (detail = 'GET /health answered 503'): Look => ({
  health: 'fail',
  requests: 0,
  errors5xx: 0,
  detail,
});
export const unknown = (): Look => ({
  health: 'unknown',
  requests: 0,
  errors5xx: 0,
  detail: 'the resolver did not answer',
});

type Result = { readonly ok: boolean; readonly detail: string };
type RollbackEnd = Result & { readonly unknown?: true; readonly to?: string | null };

/** One work item of a test: what its world does, and what was done to it. */
export interface Item {
  readonly workItem: string;
  plan: DeployPlan;
  /** `null`: there is no task. */
  task: { readonly repo: string; stage: string } | null;
  shown: ShownStatus;
  /** The deploy that took the task to `done` last. */
  lastDeployed: LastDeployed | null;
  /** What the probe sees at its nth look, from 0; the last one stands for all that follow. */
  looks: readonly Look[];
  /** Called before the nth look is answered. */
  onLook: (n: number) => Promise<void>;
  /**
   * Clock of its probes, epoch ms, by that of the server, and by the time at which the probe was asked for. The default is always
   * behind, so each probe counts at the time at which it was due.
   */
  probeClock: (now: number, askedAt: number) => number;
  /** When each of its probes ran, by the server's clock, epoch ms. */
  readonly probedAt: number[];
  deploy: () => Promise<Result>;
  checkHealth: () => Promise<Result & { readonly seen?: 'fail' | 'unknown' }>;
  rollback: () => Promise<RollbackEnd>;
  /** Whether a sweep finds it. */
  swept: boolean;
  /** Called before each read or write of the tracker; throws to let it fail. */
  tracker: (call: 'read' | 'write') => Promise<void>;
  /** Called before its task is read or set; throws to let it fail. */
  database: (call: 'read' | 'set') => Promise<void>;
  /** Called before Temporal is asked for the runs on its repository; throws to let it fail. */
  runs: () => Promise<void>;
  /** Called before each alert is sent; throws to let it fail. */
  sink: () => Promise<void>;
  /** Called before each comment is written; throws to let it fail. */
  commenting: () => Promise<void>;
  /** Called before the post-deploy log is written; throws to let it fail. */
  onLog: () => Promise<void>;

  readonly writes: { status: TrackerStatus | 'cancelled' | 'before'; stage: string | null }[];
  readonly comments: { key: string; paragraphs: readonly string[] }[];
  readonly alerts: { key: string; title: string; text: string }[];
  readonly reports: WindowReport[];
  /** What each look after a rollback was asked for. */
  readonly lookedFor: { version?: string | null; rolledBack?: true }[];
  readonly count: { looks: number; deploys: number; rollbacks: number };
}

export const NAMES: Record<TrackerStatus, string> = {
  awaiting_deploy: 'Awaiting Deploy',
  deploying: 'Deploying',
  monitoring: 'Monitoring after Deploy',
  done: 'Done',
  degraded: 'Degraded',
};

export const shownAs = (status: TrackerStatus): ShownStatus => ({ id: `id-${status}`, name: NAMES[status], status });

export const IN_PROGRESS: ShownStatus = { id: 'id-in-progress', name: 'In Progress', status: null };

const works = async (): Promise<Result> => ({ ok: true, detail: 'it worked' });

/** A `probeClock` by which each probe counts when it ran: for tests about missed ticks or the size of a history. */
export const realClock = (now: number): number => now;

/** The clock of a worker that is 90 s behind: a probe is not earlier than it was asked for all the same, see `observe`. */
export const slowClock = (now: number, askedAt: number): number => Math.max(now - 90_000, askedAt);

export const repoOf = (workItem: string): string => `repo-${workItem}`;

export const item = (workItem: string, change: Partial<Item> = {}): Item => ({
  workItem,
  task: { repo: repoOf(workItem), stage: 'deploy' },
  shown: IN_PROGRESS,
  lastDeployed: null,
  looks: [pass()],
  probedAt: [],
  onLook: async () => {},
  probeClock: () => 0,
  deploy: works,
  checkHealth: works,
  rollback: works,
  swept: false,
  tracker: async () => {},
  database: async () => {},
  runs: async () => {},
  sink: async () => {},
  commenting: async () => {},
  onLog: async () => {},
  writes: [],
  comments: [],
  alerts: [],
  reports: [],
  lookedFor: [],
  count: { looks: 0, deploys: 0, rollbacks: 0 },
  ...change,
  plan: { ...(change.plan ?? plan()), repo: repoOf(workItem) },
  ...(change.task == null ? {} : { task: { ...change.task, repo: repoOf(workItem) } }),
});
