import { setTimeout as sleep } from 'node:timers/promises';
import { retryAfter } from '../http/retry-after.ts';
import type { Mask } from '../mask.ts';
import type { AnswerShape, DeployOperation, DeployResult, DriverRun, WebhookConfig } from './driver.ts';
import { duration } from './duration.ts';
import { type Understood, understand, type WebhookReply, wasTaken } from './webhook-answer.ts';
import { exchange, whyNoReply } from './webhook-exchange.ts';

/** Time-out of one request to the status URL, ms. */
const POLL_TIMEOUT_MS = 15_000;

/** A refusal that lasts so long, ms, is reported: with one more request, within a minute. */
const REFUSED_MS = 40_000;

/** One operation that a deployer is asked for. */
export interface Call {
  readonly config: WebhookConfig;
  readonly shape: AnswerShape;
  readonly mask: Mask;
  readonly operation: DeployOperation;
  readonly run: DriverRun;
  readonly timeout: AbortSignal;
  /** The caller's or the time-out's. */
  readonly signal: AbortSignal;
  /** How far it is. */
  said: string;
}

/** Whether a status URL would refuse for ever, until somebody changes the URL, the headers or the deployer. */
const refuses = ({ status }: WebhookReply): boolean =>
  status >= 300 && status < 500 && ![408, 409, 425, 429].includes(status);

/**
 * Asks for the status until it tells the end of this operation. A URL that refuses is asked on, so that it heals, and somebody is
 * called once.
 * @throws where the signal aborts.
 */
export async function poll(call: Call, url: string, headers: Readonly<Record<string, string>>): Promise<DeployResult> {
  const { config, operation, run, signal } = call;
  const fields = { work_item: operation.workItem, repo: operation.repo, operation_id: operation.operationId };
  let refusedSince: number | null = null;
  let called = false;
  for (let waitMs = config.pollMs; ; ) {
    await sleep(waitMs, undefined, { signal });
    const { answer, reply } = await look(call, url, headers);
    if (answer.is === 'end') return answer.result;
    const said =
      answer.is === 'fault'
        ? `the deployer's status URL cannot be read, it is asked again: it ${answer.fault}`
        : answer.is === 'foreign'
          ? `the deployer's answer is not the end of this ${operation.kind}, it is asked again: ${answer.why}`
          : `the deployer says: ${answer.detail}`;
    if (said !== call.said) run.log[answer.is === 'running' ? 'info' : 'warn'](fields, said);
    call.said = said;

    waitMs = pauseMs(reply, config);
    const now = performance.now();
    if (reply !== null && wasTaken(reply)) refusedSince = null;
    if (called || reply === null || !refuses(reply)) continue;
    refusedSince ??= now;
    if (now + waitMs < refusedSince + REFUSED_MS) continue;
    called = true;
    run.callSomebody(said).catch(() => {
      called = false;
    });
  }
}

/** Until the next look, ms: what the deployer asks for, where that is longer. A timer of more than 24 days would fire at once. */
function pauseMs(reply: WebhookReply | null, { pollMs, timeoutMs }: WebhookConfig): number {
  const paused = reply !== null && (reply.status === 429 || reply.status === 503);
  const asked = paused ? (retryAfter(reply.retryAfter, Date.now()) ?? 0) : 0;
  return Math.max(pollMs, Math.min(asked, timeoutMs));
}

interface Look {
  readonly answer: Understood;
  /** `null`: there was none. */
  readonly reply: WebhookReply | null;
}

async function look(call: Call, url: string, headers: Readonly<Record<string, string>>): Promise<Look> {
  const within = AbortSignal.timeout(POLL_TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([call.signal, within]);
    const reply = await exchange({ method: 'GET', url, headers, signal });
    return { answer: understand(reply, call.shape, call.operation, call.mask.text), reply };
  } catch (error) {
    if (call.signal.aborted) throw error;
    const why = within.aborted ? `gave no answer within ${duration(POLL_TIMEOUT_MS)}` : `failed: ${whyNoReply(error)}`;
    return { answer: { is: 'fault', fault: why }, reply: null };
  }
}
