import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { Applied } from '../../adapters/temporal/sweep-schedule.ts';
import { sameRepo } from '../../decisions/index.ts';
import { oneLine } from '../../decisions/shown-text.ts';
import { versionFault } from '../../decisions/version.ts';
import type { RepositoryInForce, RepositoryRow, SettingRow } from '../../settings.ts';
import type { Check } from '../../world.ts';
import type { D2dClient } from '../client.ts';
import { refused } from '../errors.ts';
import type { WorkItemRef } from '../executions.ts';
import { EXIT_INTERRUPTED, exitCodeOfDeploy, WINDOW_EXIT_CODES } from '../exit-codes.ts';
import { endOf } from '../follow.ts';
import type { Output } from '../output.ts';
import type { Reported } from '../report.ts';
import type { WorkItemView } from '../views.ts';

/** Settings as they take effect here, and all that is wrong with them. Secrets are masked. */
export interface SettingsShown {
  readonly settings: readonly SettingRow[];
  /** What the repositories file says. */
  readonly repositories: readonly RepositoryRow[];
  /** What all of it comes to for each repository; empty where there is a fault. */
  readonly inForce: readonly RepositoryInForce[];
  readonly faults: readonly string[];
  readonly warnings: readonly string[];
}

/** What the commands work with; what is a function is made when it is first needed. */
export interface CommandContext {
  readonly output: () => Output;
  /** Connects. @throws D2dError */
  readonly client: () => Promise<D2dClient>;
  /** The worker's folder of post-deploy logs; `null` where the settings are not known here. */
  readonly artefactsDir: () => string | null;
  readonly settings: () => SettingsShown;
  readonly checks: () => Promise<readonly Check[]>;
  /** Makes the table `tasks` where there is none. @returns the names of what ran. @throws D2dError */
  readonly migrate: () => Promise<readonly string[]>;
  /** Makes the schedule of the sweeps what the settings say. @throws D2dError */
  readonly applySchedule: () => Promise<{
    readonly applied: Applied;
    readonly scheduleId: string;
    readonly everyMs: number;
  }>;
  /** Who asks, where `--by` is left out. */
  readonly userName: string;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly now: () => number;
  /** The exit code, where the command did not fail but has more to say than 0. */
  readonly exit: (code: number) => void;
}

/** Exit code of what was followed to its end; 1 where it ended without an outcome. */
export function exitCodeOf(view: WorkItemView | null): number {
  const end = endOf(view);
  if (end !== null) return exitCodeOfDeploy(end);
  const { status = null } = view?.deploy ?? {};
  if (status !== null && status.outcome !== null) return exitCodeOfDeploy({ ...status, outcome: status.outcome });
  const window = view?.window?.status?.outcome ?? null;
  return window === null ? 1 : WINDOW_EXIT_CODES[window];
}

/** Tells that a signal about the end of a deploy has been sent, and whether it counts already. */
export function tellReported({ output }: CommandContext, reported: Reported, what: string, said: object): void {
  const { repo, workItem, workflowId, runId } = reported.execution;
  const { result, note } = output();
  result(`${workItem}: ${oneLine(what)}`, { repo, workItem, workflowId, runId, ...said, takenUp: reported.takenUp });
  if (!reported.takenUp) note(`${workItem}: no worker has taken it up yet; it is kept and counts when one does`);
}

/** Ctrl-C ends the looking on, not the run. */
export function tellInterrupted({ output, exit }: CommandContext, workItem: string): void {
  output().note(`${workItem}: the run goes on; look at it with d2d status ${workItem}, or d2d watch ${workItem}`);
  exit(EXIT_INTERRUPTED);
}

/** For options that take a text: who, why. */
export function givenText(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') throw new InvalidArgumentError('It must not be empty.');
  return trimmed;
}

/** For options that take a version. */
export function givenVersion(text: string): string {
  const version = givenText(text);
  const fault = versionFault(version);
  if (fault !== null) throw new InvalidArgumentError(fault);
  return version;
}

export const BY = ['--by <name>', 'who asks (default: your user name)'] as const;
export const REPO = ['--repo <name>', 'the repository, where the work item has several'] as const;
export const REASON = ['--reason <text>', 'why, for the record'] as const;
export const WORK_ITEM = ['<workItem>', 'by any of its names: ORCH-61, orch-61, its uuid'] as const;

/** The arguments `[repo] <workItem>`: commander takes no optional one before a required one. */
export const REPO_OR_WORK_ITEM = [
  '<repoOrWorkItem>',
  'the repository, where it must be said; else the work item',
] as const;
export const THEN_WORK_ITEM = ['[workItem]', WORK_ITEM[1]] as const;
export const REPO_AND_WORK_ITEM = '[options] [repo] <workItem>';

/** What `[repo] <workItem>` and `--repo` name. @throws D2dError (`refused`) where they name two repositories. */
export function namedBy(first: string, second: string | undefined, repo?: string): WorkItemRef {
  if (second === undefined) return { workItem: first, repo };
  if (repo === undefined || sameRepo(repo, first)) return { workItem: second, repo: first };
  throw refused(`two repositories are named, ${first} and --repo ${repo}`, 'name one');
}

const MOST = 10_000;

/** A `--limit`. @throws InvalidArgumentError */
export function givenLimit(text: string): number {
  const given = Number(text);
  if (Number.isInteger(given) && given >= 1 && given <= MOST) return given;
  throw new InvalidArgumentError(`It must be an integer within 1..${MOST}.`);
}

/** A limit that shows more than this one. */
export const raised = (limit: number): number => Math.min(MOST, limit * 10);
