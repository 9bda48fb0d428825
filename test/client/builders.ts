import type { TickRecord, WindowOutcome, WindowReport } from '../../activities/window-report.ts';
import type { Execution } from '../../client/executions.ts';
import type { DeployView, WindowView } from '../../client/views.ts';
import type { WindowPolicy } from '../../decisions/index.ts';
import type { DeployStatus, WindowStatus } from '../../workflows/messages.ts';

/** Noon of the tests. */
export const NOON = Date.UTC(2026, 2, 14, 12);

const policy: WindowPolicy = {
  windowMs: 900_000,
  intervalMs: 30_000,
  confirmMs: 5_000,
  failThreshold: 3,
  errorRatioThreshold: 0.05,
  minRequests: 20,
  action: 'alert',
  maxWindowMs: 3_600_000,
  rollbackWatchMs: 300_000,
};

export const tick = (change: Partial<TickRecord> = {}): TickRecord => ({
  tick: 7,
  at: NOON,
  health: 'pass',
  requests: 20,
  errors5xx: 0,
  ...change,
});

export const windowStatus = (change: Partial<WindowStatus> = {}): WindowStatus => ({
  repo: 'shop',
  workItem: 'ORCH-61',
  version: 'v2',
  phase: 'open',
  openedAt: NOON - 210_000,
  endsAt: NOON + 690_000,
  nextLookAt: NOON + 12_000,
  tick: 7,
  plannedTicks: 30,
  skippedTicks: 0,
  assessment: { verdict: 'HEALTHY', trigger: null, longestFailureStreak: 0, errorRatio: 0 },
  coverage: { made: 7, missed: 0, unknown: 0, requests: 140, errors5xx: 0 },
  summary: 'no degradation: longest streak of failed health checks 0 of 3',
  degradedAt: null,
  recovered: null,
  action: null,
  outcome: null,
  policy,
  lastTicks: [tick()],
  messages: [],
  notes: [],
  ...change,
});

export const reportOf = (status: WindowStatus, windowId: string, outcome: WindowOutcome): WindowReport => ({
  windowId,
  repo: status.repo,
  workItem: status.workItem,
  version: status.version,
  requestedBy: null,
  openedAt: status.openedAt,
  endsAt: status.endsAt,
  endedAt: status.openedAt,
  policy,
  selfHosting: false,
  outcome,
  assessment: status.assessment,
  summary: status.summary,
  endedBy: null,
  degradedAt: null,
  recovered: null,
  action: null,
  coverage: status.coverage,
  plannedTicks: status.plannedTicks,
  skippedTicks: status.skippedTicks,
  ticks: status.lastTicks,
  ticksAfterRollback: [],
  messages: status.messages,
  notes: status.notes,
});

export const deployStatus = (change: Partial<DeployStatus> = {}): DeployStatus => ({
  repo: 'shop',
  workItem: 'ORCH-61',
  version: 'v2',
  requestedBy: 'alice',
  operationId: 'run-1:deploy',
  otherVersionRequested: false,
  phase: 'awaiting_approval',
  outcome: null,
  reason: null,
  approval: { required: true, expiresAt: NOON + 600_000, decision: null, by: null, reason: null },
  reported: null,
  resolution: null,
  windowId: null,
  notes: [],
  ...change,
});

export const execution = (change: Partial<Execution> = {}): Execution => ({
  kind: 'deploy',
  repo: 'shop',
  workItem: 'ORCH-61',
  workflowId: 'deploy/shop/ORCH-61',
  runId: '0190-run',
  taskQueue: 'deploy-to-done',
  running: true,
  status: 'RUNNING',
  phase: 'awaiting_approval',
  verdict: null,
  outcome: null,
  version: 'v2',
  startedAt: NOON - 60_000,
  closedAt: null,
  retries: [],
  wrapUps: [],
  ...change,
});

export const deployView = (change: Partial<DeployView> = {}): DeployView => ({
  execution: execution(),
  status: deployStatus(),
  result: null,
  unanswered: null,
  ...change,
});

export const windowView = (change: Partial<WindowView> = {}): WindowView => ({
  execution: execution({ kind: 'window', workflowId: 'monitor/shop/ORCH-61', phase: 'open' }),
  status: windowStatus(),
  unanswered: null,
  ...change,
});
