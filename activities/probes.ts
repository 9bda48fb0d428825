import { inspect } from 'node:util';
import { Context } from '@temporalio/activity';
import { fillProbe } from '../adapters/http-probe/fill-probe.ts';
import type { HttpProbe, HttpProbeConfig, TrafficSeen } from '../adapters/http-probe/http-probe.ts';
import { MAX_DETAIL } from '../adapters/http-probe/http-probe.ts';
import { fillPlaceholders, inUrl } from '../adapters/placeholders.ts';
import { within } from '../adapters/within.ts';
import type { Health } from '../decisions/index.ts';
import { type WorkerTime, workerTime } from './worker-clock.ts';

export interface ProbesDeps {
  readonly repository: (name: string) =>
    | {
        readonly probe: {
          readonly health: HttpProbeConfig | null;
          readonly traffic: readonly string[];
          /** Whether the looks of a window prove the version, as the health check does. */
          readonly requireVersion?: boolean;
        };
      }
    | undefined;
  readonly http: HttpProbe;
  /** The task's stage; `null` where there is no task. */
  readonly stageOf: (workItem: string) => Promise<string | null>;
  readonly log: { warn(fields: object, message: string): void };
  /** The longest that each part of a look is waited for, ms. Default 2 200: a request bounds itself at 2 000. */
  readonly partMs?: number;
}

export interface LookRequest {
  readonly repo: string;
  readonly workItem: string;
  /** The version that should run: the one that the window watches, or the one that was rolled back to; `null`: nobody knows. */
  readonly version?: string | null;
  readonly rolledBack?: true;
  /** When it was asked for, by Temporal's clock, epoch ms: no look is earlier. */
  readonly now?: number;
}

/** What one look at production saw, and when it began; plain JSON. */
export interface Look extends WorkerTime {
  readonly health: Health;
  readonly requests: number;
  readonly errors5xx: number;
  /** Absent where it could not be read. */
  readonly stage?: string | null;
  /** Why health is no `pass`, and why requests failed or were not counted; at most 160 characters. */
  readonly detail?: string;
  /** How long the look took. */
  readonly ms: number;
}

const NO_HEALTH = 'no health probe is configured';

/** Why a probe with `{version}` cannot be made after a rollback. */
export const NO_VERSION_AFTER = 'nobody knows which version runs after the rollback';

const broken = (error: unknown): string =>
  `the probe broke: ${error instanceof Error ? error.message : inspect(error)}`.slice(0, MAX_DETAIL);

export function createProbes({ repository, http, stageOf, log, partMs = 2_200 }: ProbesDeps) {
  async function lookAtHealth({ repo, workItem, version = null, rolledBack }: LookRequest, signal: AbortSignal) {
    try {
      const described = repository(repo)?.probe;
      if (described === undefined) return unseen(`repository "${repo}" is not described in the settings`);
      const { health, requireVersion = false } = described;
      if (health === null) return unseen(NO_HEALTH);
      const proof = requireVersion && version !== null;
      const { probe, fault } = fillProbe(health, { workItem, version }, proof);
      if (probe === undefined)
        return unseen(`the probe cannot be made: ${rolledBack && version === null ? NO_VERSION_AFTER : fault}`);
      return await within(partMs, 'the health probe', http.health(probe, signal));
    } catch (error) {
      return unseen(broken(error));
    }
  }

  async function countTraffic(request: LookRequest, signal: AbortSignal): Promise<TrafficSeen> {
    const { repo, workItem, version = null, rolledBack } = request;
    const ask = async (template: string): Promise<TrafficSeen> => {
      try {
        const { text: url, fault } = fillPlaceholders(template, { workItem, version }, inUrl);
        if (url === undefined)
          return uncounted(`it cannot be made: ${rolledBack && version === null ? NO_VERSION_AFTER : fault}`);
        return await within(partMs, 'the request', http.traffic(url, signal));
      } catch (error) {
        return uncounted(broken(error));
      }
    };
    try {
      return sumOf(await Promise.all((repository(repo)?.probe.traffic ?? []).map(ask)));
    } catch (error) {
      return uncounted(broken(error));
    }
  }

  async function readStage(workItem: string): Promise<{ readonly stage?: string | null }> {
    try {
      return { stage: await within(partMs, 'the database', stageOf(workItem)) };
    } catch (error) {
      warn({ work_item: workItem, err: error }, 'the stage of a task could not be read during a look at production');
      return {};
    }
  }

  function warn(fields: object, message: string): void {
    try {
      log.warn(fields, message);
    } catch {
      return; // a log that is broken cannot be told so
    }
  }

  return {
    /**
     * One look at production (`probe_signals`): its health, its traffic and the task's stage, side by side, within 3 s in
     * all. A local activity of one attempt: it only reads.
     *
     * Never throws, but for the cancellation of the activity: what is broken is `unknown`, counts nothing, or is absent.
     */
    async observe(request: LookRequest): Promise<Look> {
      const { workItem } = request;
      const { cancellationSignal: signal, cancelled } = Context.current();
      const began = workerTime(request.now ?? Date.now());
      const startedAt = performance.now();
      const [seen, traffic, stage] = await Promise.race([
        Promise.all([lookAtHealth(request, signal), countTraffic(request, signal), readStage(workItem)]),
        cancelled,
      ]);
      if (signal.aborted) throw signal.reason; // what an aborted probe saw is no evidence
      return {
        ...began,
        ...traffic,
        ...seen,
        ...whyOf(seen, traffic),
        ...stage,
        ms: Math.round(performance.now() - startedAt),
      };
    },
  };
}

/** What is said of both; that there is no health probe goes without saying where there is traffic. */
function whyOf(health: { readonly detail?: string }, traffic: TrafficSeen): { readonly detail?: string } {
  const seen = health.detail === NO_HEALTH && traffic.detail !== undefined ? undefined : health.detail;
  const all = [seen, traffic.detail].filter((detail) => detail !== undefined);
  if (all.length === 0) return {};
  const each = Math.floor(MAX_DETAIL / all.length) - 1;
  return { detail: all.map((detail) => (all.length === 1 ? detail : detail.slice(0, each))).join('; ') };
}

const uncounted = (detail: string): TrafficSeen => ({
  requests: 0,
  errors5xx: 0,
  detail: detail.slice(0, MAX_DETAIL),
});

function sumOf(seen: readonly TrafficSeen[]): TrafficSeen {
  const requests = seen.reduce((sum, each) => sum + each.requests, 0);
  const errors5xx = seen.reduce((sum, each) => sum + each.errors5xx, 0);
  const uncounted = seen.length - requests;
  const failed = errors5xx === 0 ? [] : [`${errors5xx} of ${requests} requests failed`];
  const left = uncounted === 0 ? [] : [`${uncounted} of ${seen.length} not counted`];
  const why = seen.find(({ detail }) => detail !== undefined)?.detail;
  if (why === undefined) return { requests, errors5xx };
  return { requests, errors5xx, detail: `traffic: ${[...failed, ...left].join(', ')}: ${why}`.slice(0, MAX_DETAIL) };
}

const unseen = (detail: string): { readonly health: Health; readonly detail: string } => ({
  health: 'unknown',
  detail: detail.slice(0, MAX_DETAIL),
});

export type Probes = ReturnType<typeof createProbes>;
