import { Context } from '@temporalio/activity';
import { duration } from '../adapters/deploy/duration.ts';
import { fillProbe } from '../adapters/http-probe/fill-probe.ts';
import type { HealthSeen, HttpProbeConfig } from '../adapters/http-probe/http-probe.ts';
import { NO_VERSION_AFTER } from './probes.ts';

export interface HealthCheckDeps {
  readonly repository: (name: string) =>
    | {
        readonly healthCheck: {
          readonly probe: HttpProbeConfig;
          readonly deadlineMs: number;
          readonly passes: number;
        } | null;
      }
    | undefined;
  readonly http: { health(config: HttpProbeConfig, signal: AbortSignal): Promise<HealthSeen> };
}

export interface HealthCheckResult {
  readonly ok: boolean;
  readonly detail: string;
  /** Looks taken. */
  readonly attempts: number;
  /** Whether any look saw production fail. `unknown`: all that is known is that our own looks broke. */
  readonly seen?: 'fail' | 'unknown';
}

export interface HealthCheckRequest {
  readonly repo: string;
  readonly workItem: string;
  /** The one that was deployed, or rolled back to; `null`: nobody has named one. */
  readonly version: string | null;
  /** After a rollback: where nobody knows which version runs, none is to be proved. */
  readonly rolledBack?: true;
}

/** Between two looks, ms, where the deadline is long enough for twenty of them. */
const POLL_MS = 1_000;

export function createHealthCheck({ repository, http }: HealthCheckDeps) {
  return {
    /**
     * The check right after a deploy: looks until production has passed so many times in a row, or the deadline is over
     * (one look more than that at the most, 2 s). A look that broke on our side neither counts nor ends the row.
     * @throws CancelledFailure where the activity was cancelled.
     */
    async checkHealth({ repo, workItem, version, rolledBack }: HealthCheckRequest): Promise<HealthCheckResult> {
      const known = repository(repo);
      if (known === undefined) {
        const detail = `the health check cannot be made: repository "${repo}" is not described in the settings of the worker that took it`;
        return { ok: false, detail, attempts: 0, seen: 'unknown' };
      }
      if (known.healthCheck === null) return { ok: true, detail: 'no health check is configured', attempts: 0 };
      const { deadlineMs, passes } = known.healthCheck;
      const proof = version !== null || rolledBack !== true;
      const { probe, fault } = fillProbe(known.healthCheck.probe, { workItem, version }, proof);
      if (probe === undefined) {
        const why = rolledBack && version === null ? NO_VERSION_AFTER : fault;
        return { ok: false, detail: `the health check cannot be made: ${why}`, attempts: 0, seen: 'unknown' };
      }

      const context = Context.current();
      const pollMs = Math.min(POLL_MS, deadlineMs / 20);
      const until = performance.now() + deadlineMs;
      let row = 0;
      let seen: 'fail' | 'unknown' = 'unknown';
      let last = 'it passed, but not often enough';
      for (let attempts = 1; ; attempts += 1) {
        const { health, detail } = await http.health(probe, context.cancellationSignal);
        if (context.cancellationSignal.aborted) throw context.cancellationSignal.reason;
        if (health === 'pass') row += 1;
        if (health === 'fail') {
          row = 0;
          seen = 'fail';
        }
        last = detail ?? last;
        context.heartbeat(`look ${attempts}: ${detail ?? health}`);
        if (row >= passes) return { ok: true, detail: `healthy: ${looks(attempts)}`, attempts };
        if (performance.now() + pollMs >= until) {
          const needed = passes === 1 ? '' : ` ${passes} times in a row`;
          const why = `not healthy${needed} within ${duration(deadlineMs)} (${looks(attempts)}): ${last}`;
          return { ok: false, detail: why, attempts, seen };
        }
        await context.sleep(pollMs);
      }
    },
  };
}

const looks = (count: number): string => (count === 1 ? 'at the first look' : `${count} looks`);

export type HealthCheck = ReturnType<typeof createHealthCheck>;
