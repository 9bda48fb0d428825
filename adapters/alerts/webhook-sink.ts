import { request } from 'undici';
import { visible } from '../../decisions/shown-text.ts';
import { withOwnConnection } from '../http/own-connection.ts';
import { retryAfter } from '../http/retry-after.ts';

export type Severity = 'info' | 'warning' | 'critical';

export interface Alert {
  /** The same for every repetition of one alert. */
  readonly key: string;
  readonly severity: Severity;
  readonly repo: string;
  readonly workItem: string;
  readonly title: string;
  readonly text: string;
  /** Epoch ms. */
  readonly at: number;
}

export interface AlertSink {
  /** Where alerts go, as it may be logged. */
  readonly name: string;
  /** @throws AlertRejected, AlertUnavailable. */
  send(alert: Alert, signal?: AbortSignal): Promise<void>;
}

/** The sink does not want this alert, and will not want it the next time either. */
export class AlertRejected extends Error {
  override readonly name = 'AlertRejected';
}

/** The sink cannot take it just now. */
export class AlertUnavailable extends Error {
  override readonly name = 'AlertUnavailable';
  /** How long the sink asks to be left alone; `null`: it does not say. */
  readonly retryAfterMs: number | null;
  constructor(message: string, retryAfterMs: number | null, options?: ErrorOptions) {
    super(message, options);
    this.retryAfterMs = retryAfterMs;
  }
}

const CALL_MS = 10_000;

/** Longest wait that a sink may ask for, ms: an alert that is later than that is none. */
const MAX_RETRY_AFTER_MS = 300_000;

/** A webhook that takes alerts, Slack's incoming webhooks among them. Of its URL only the origin is ever shown. */
export function createAlertSink(url: string): AlertSink {
  const name = new URL(url).origin;
  return {
    name,
    async send(alert, signal) {
      const { status, retryAfter } = await post(url, name, alert, signal);
      if (status >= 200 && status < 300) return;
      if (status === 429 || status === 408 || status >= 500) {
        throw new AlertUnavailable(`the alert sink ${name} answered ${status}`, retryAfterMs(retryAfter, Date.now()));
      }
      const redirect = status < 400 ? ' (redirects are not followed)' : '';
      throw new AlertRejected(`the alert sink ${name} answered ${status}${redirect}: check ORCH_ALERT_WEBHOOK_URL`);
    },
  };
}

async function post(url: string, name: string, alert: Alert, signal: AbortSignal | undefined) {
  const timeout = AbortSignal.timeout(CALL_MS);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  try {
    return await withOwnConnection({}, either, async (dispatcher) => {
      const { statusCode, headers, body } = await request(url, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': headerValue(alert.key) },
        body: JSON.stringify(payload(alert)),
      });
      await body.dump().catch(() => undefined); // the status has said it all
      return { status: statusCode, retryAfter: headers['retry-after'] };
    });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no code';
    const why = timeout.aborted ? `gave no answer within ${CALL_MS} ms` : `cannot be reached (${code})`;
    throw new AlertUnavailable(`the alert sink ${name} ${why}`, null, { cause: error });
  }
}

/** `text` is what Slack shows; the rest is for programs, which show it to people, too. */
const payload = ({ key, severity, repo, workItem, title, text, at }: Alert) => ({
  text: escapeForSlack(visible(`[${severity}] ${title}\n${text}`)),
  key,
  severity,
  repo: visible(repo),
  workItem: visible(workItem),
  title: visible(title),
  detail: visible(text),
  at: new Date(at).toISOString(),
});

/** Slack reads `<!channel>` and the like as commands; in an alert they are somebody's words. */
const escapeForSlack = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const headerValue = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, '?');

/** `Retry-After` as ms from `now`: seconds or a date. `null` where it says nothing. Never throws. */
export function retryAfterMs(header: string | string[] | undefined, now: number): number | null {
  const ms = retryAfter((Array.isArray(header) ? header[0] : header) ?? null, now);
  return ms === null ? null : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
