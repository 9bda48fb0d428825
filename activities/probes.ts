import { inspect } from 'node:util';
import { Context } from '@temporalio/activity';
import type { HttpProbe, HttpProbeConfig } from '../adapters/http-probe/http-probe.ts';
import { within } from '../adapters/within.ts';
import type { Health } from '../decisions/index.ts';

export interface ProbesDeps {
  readonly repository: (
    name: string,
  ) => { readonly probe: { readonly health: HttpProbeConfig | null; readonly traffic: readonly string[] } } | undefined;
  readonly http: HttpProbe;
  /** The task's stage; `null` where there is no task. */
  readonly stageOf: (workItem: string) => Promise<string | null>;
  readonly log: { warn(fields: object, message: string): void };
  /** The longest that each part of a look is waited for, ms. Default 2 200: a request bounds itself at 2 000. */
  readonly partMs?: number;
}

/** What one look at production saw; plain JSON. */
export interface Look {
  /** When it began, by this worker's clock, epoch ms. */
  readonly at: number;
  readonly health: Health;
  readonly requests: number;
  readonly errors5xx: number;
  /** Absent where it could not be read. */
  readonly stage?: string | null;
  /** Why health is no `pass`, at most 160 characters. */
  readonly detail?: string;
  /** How long the look took. */
  readonly ms: number;
}

const broken = (error: unknown): string =>
  `the probe broke: ${error instanceof Error ? error.message : inspect(error)}`.slice(0, 160);

export function createProbes({ repository, http, stageOf, log, partMs = 2_200 }: ProbesDeps) {
  async function lookAtHealth(repo: string, signal: AbortSignal) {
    try {
      const probe = repository(repo)?.probe;
      if (probe === undefined) return unseen(`repository "${repo}" is not described in the settings`);
      const { health } = probe;
      if (health === null) return unseen('no health probe is configured');
      return await within(partMs, 'the health probe', http.health(health, signal));
    } catch (error) {
      return unseen(broken(error));
    }
  }

  async function countTraffic(repo: string, signal: AbortSignal) {
    let requests = 0;
    let errors5xx = 0;
    try {
      const urls = repository(repo)?.probe.traffic ?? [];
      const answers = await Promise.allSettled(urls.map(async (url) => within(partMs, url, http.traffic(url, signal))));
      for (const answer of answers) {
        if (answer.status === 'rejected') continue; // no answer is no request: what production does, health tells
        requests += answer.value.requests;
        errors5xx += answer.value.errors5xx;
      }
    } catch {
      return { requests: 0, errors5xx: 0 };
    }
    return { requests, errors5xx };
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
    async observe({ repo, workItem }: { readonly repo: string; readonly workItem: string }): Promise<Look> {
      const { cancellationSignal: signal, cancelled } = Context.current();
      const at = Date.now();
      const startedAt = performance.now();
      const [seen, traffic, stage] = await Promise.race([
        Promise.all([lookAtHealth(repo, signal), countTraffic(repo, signal), readStage(workItem)]),
        cancelled,
      ]);
      if (signal.aborted) throw signal.reason; // what an aborted probe saw is no evidence
      return { at, ...seen, ...traffic, ...stage, ms: Math.round(performance.now() - startedAt) };
    },
  };
}

const unseen = (detail: string): { readonly health: Health; readonly detail: string } => ({
  health: 'unknown',
  detail: detail.slice(0, 160),
});

export type Probes = ReturnType<typeof createProbes>;
