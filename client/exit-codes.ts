import type { WindowOutcome } from '../activities/window-report.ts';
import type { DeployOutcome } from '../workflows/messages.ts';
import type { FailureKind } from './errors.ts';

/** Exit code of `start --wait` and `watch`, by how the run ended (the design's table of endings). */
export const OUTCOME_EXIT_CODES = {
  done: 0,
  already_done: 0,
  refused: 2,
  rejected: 10,
  approval_expired: 11,
  deploy_failed: 12,
  unhealthy_after_deploy: 13,
  deploy_unknown: 14,
  task_cancelled: 15,
  cancelled: 16,
  unhealthy_rolled_back: 17,
  unhealthy_rollback_failed: 18,
  degraded_alerted: 20,
  degraded_rolled_back: 21,
  rollback_failed: 22,
  no_evidence: 23,
  window_cancelled: 24,
  closed_early: 24,
  superseded: 24,
  window_lost: 24,
} as const satisfies Record<DeployOutcome, number>;

/** Exit code where the task was done already, and the requested version is not the one that runs. */
const EXIT_OTHER_VERSION = 5;

/** Exit code of `start --wait` and `watch`, by the end of the run. */
export const exitCodeOfDeploy = ({
  outcome,
  otherVersionRequested,
}: {
  readonly outcome: DeployOutcome;
  readonly otherVersionRequested?: boolean;
}): number => (otherVersionRequested === true ? EXIT_OTHER_VERSION : OUTCOME_EXIT_CODES[outcome]);

/** Exit code of `watch` on a window whose run is gone, by how the window ended. */
export const WINDOW_EXIT_CODES = {
  healthy: 0,
  no_evidence: 23,
  degraded_alerted: 20,
  degraded_rolled_back: 21,
  rollback_failed: 22,
  cancelled: 24,
  closed_early: 24,
  superseded: 24,
  task_cancelled: 15,
} as const satisfies Record<WindowOutcome, number>;

/** A degradation that was only alerted about, and over when the window ended: the search attribute of the window says so. */
const RECOVERED = 'degraded_recovered';

/** How a deploy or a window may have ended, as the search attribute `D2dOutcome` has it. */
export type Outcome = DeployOutcome | WindowOutcome | typeof RECOVERED;

export const isOutcome = (name: string): name is Outcome =>
  name in OUTCOME_EXIT_CODES || name in WINDOW_EXIT_CODES || name === RECOVERED;

export const OUTCOMES: readonly Outcome[] = [
  ...Object.keys({ ...OUTCOME_EXIT_CODES, ...WINDOW_EXIT_CODES }),
  RECOVERED,
].filter(isOutcome);

/** Exit code of a command that failed. 78 is `EX_CONFIG` of sysexits.h, the worker's own for the same fault. */
export const FAILURE_EXIT_CODES = {
  unexpected: 1,
  refused: 2,
  unreachable: 3,
  not_found: 4,
  bad_settings: 78,
} as const satisfies Record<FailureKind, number>;

/** Ctrl-C, as shells count it: 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;

export interface ExitCodeRow {
  readonly code: number;
  /** Outcomes of a run that end with it; empty where it is the command that failed. */
  readonly outcomes: readonly DeployOutcome[];
  readonly meaning: string;
}

const row = (code: number, meaning: string): ExitCodeRow => ({
  code,
  outcomes: Object.entries(OUTCOME_EXIT_CODES).flatMap(([outcome, its]) =>
    its === code && isDeployOutcome(outcome) ? [outcome] : [],
  ),
  meaning,
});

const isDeployOutcome = (name: string): name is DeployOutcome => name in OUTCOME_EXIT_CODES;

/** Every exit code of `d2d` with its meaning, as `d2d help exit-codes` and the README show it. */
export const EXIT_CODE_TABLE: readonly ExitCodeRow[] = [
  row(0, 'done: what was asked for has happened; a run ended done, or its task was done already'),
  row(1, 'an unexpected failure, or doctor found a fault; --debug shows the stack'),
  row(2, 'refused or bad usage: nothing was deployed'),
  row(3, 'Temporal, the database or every worker is unreachable'),
  row(4, 'not found: no such deploy, window or work item'),
  row(
    EXIT_OTHER_VERSION,
    'nothing was deployed: the task was done already, and the requested version is not the one that runs',
  ),
  row(10, 'the deploy was rejected'),
  row(11, 'nobody approved the deploy in time'),
  row(12, 'the deploy failed'),
  row(13, 'production was unhealthy right after the deploy'),
  row(14, 'nobody knows whether the deploy has happened; the run waits for d2d resolve'),
  row(15, 'the task was cancelled meanwhile'),
  row(16, 'the run was cancelled before the task was done'),
  row(17, 'production was unhealthy right after the deploy and was rolled back'),
  row(18, 'production was unhealthy right after the deploy, and the rollback failed'),
  row(20, 'production degraded after the deploy; an alert was raised'),
  row(21, 'production degraded after the deploy; it was rolled back'),
  row(22, 'production degraded after the deploy, and the rollback failed'),
  row(23, 'deployed, but the window saw too little to tell'),
  row(24, 'deployed, but the window was cancelled, closed early, superseded or lost'),
  row(78, 'bad settings: every fault is listed'),
  row(EXIT_INTERRUPTED, 'interrupted by Ctrl-C; the run itself goes on'),
];
