import { setTimeout as sleep } from 'node:timers/promises';
import { lowerCased } from '../http/headers.ts';
import { ACCEPT_ENCODING } from '../http/read-body.ts';
import {
  type DeployDriver,
  type DeployOperation,
  DeployOutcomeUnknown,
  type DeployResult,
  type DriverRun,
  HEARTBEAT_MS,
  type WebhookConfig,
} from './driver.ts';
import { duration } from './duration.ts';
import { fillPlaceholders } from './placeholders.ts';
import { understand, type WebhookAnswer } from './webhook-answer.ts';
import { exchange, wasNotSent, whyNoReply } from './webhook-exchange.ts';

/** The longest that one look at the status URL may take, ms. */
const POLL_TIMEOUT_MS = 15_000;

/** Said by what stands before the deployer, which may have passed the request on. */
const FROM_A_GATEWAY: ReadonlySet<number> = new Set([502, 504]);

const failed = (detail: string): DeployResult => ({ ok: false, detail });

/**
 * Deploys by asking a deployer: one POST, never repeated, then GETs of a status URL until that tells an end. Configured
 * headers go to the configured URLs and, of those that an answer names, only to ones of the same origin.
 */
export const createWebhookDriver = (config: WebhookConfig): DeployDriver => ({
  async run(operation, run) {
    run.signal.throwIfAborted();
    const timeout = AbortSignal.timeout(config.timeoutMs);
    const call: Call = {
      config,
      operation,
      run,
      timeout,
      signal: AbortSignal.any([run.signal, timeout]),
      said: 'asked',
    };
    const beat = setInterval(() => run.heartbeat(call.said), HEARTBEAT_MS);
    try {
      return await deploy(call);
    } catch (error) {
      if (run.signal.aborted) throw run.signal.reason;
      if (!timeout.aborted) throw error;
      return failed(`timed out after ${duration(config.timeoutMs)}, and the deployer may still be at it: ${call.said}`);
    } finally {
      clearInterval(beat);
    }
  },
});

interface Call {
  readonly config: WebhookConfig;
  readonly operation: DeployOperation;
  readonly run: DriverRun;
  readonly timeout: AbortSignal;
  /** The caller's or the time-out's. */
  readonly signal: AbortSignal;
  /** How far it is. */
  said: string;
}

async function deploy(call: Call): Promise<DeployResult> {
  const { config, operation } = call;
  const configured =
    config.statusUrl === null ? null : fillPlaceholders(config.statusUrl, operation, encodeURIComponent);
  if (configured?.fault !== undefined) return failed(`nothing was sent: statusUrl: ${configured.fault}`);

  call.said = `the deployer at ${originOf(config.url)} was asked and has not answered`;
  const answer = await post(call);
  if ('ok' in answer) return answer;
  if (answer.status !== 'running') return resultOf(answer);
  call.said = `the deployer says: ${answer.detail ?? 'running'}`;

  const statusUrl = configured?.text ?? sameOrigin(answer.statusUrl, config.url);
  if (statusUrl === null) {
    const why =
      answer.statusUrl === null
        ? 'gave no status URL: configure statusUrl'
        : `gave a status URL of another origin (${originOf(answer.statusUrl)}), which is refused: configure statusUrl`;
    return failed(`the deployer has begun, but nobody will know how it ends: it ${why}`);
  }
  return poll(call, statusUrl);
}

async function post(call: Call): Promise<WebhookAnswer | DeployResult> {
  const { config, operation, signal } = call;
  const { kind, operationId, repo, workItem, version } = operation;
  const reply = await exchange({
    method: 'POST',
    url: config.url,
    headers: { ...headersOf(call), 'content-type': 'application/json', 'idempotency-key': operationId },
    body: JSON.stringify({ operation: kind, operationId, repo, workItem, version }),
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    const why = `the deployer at ${originOf(config.url)}: ${whyNoReply(error)}`;
    if (wasNotSent(error)) return failed(`nothing was sent to ${why}`);
    throw new DeployOutcomeUnknown(`nobody knows whether the ${kind} has begun: it was sent to ${why}`, {
      cause: error,
    });
  });
  if ('ok' in reply) return reply;
  const answer = understand(reply);
  if (answer.fault === undefined) return answer;
  if (FROM_A_GATEWAY.has(reply.status)) {
    throw new DeployOutcomeUnknown(`nobody knows whether the ${kind} has begun: the deployer ${answer.fault}`);
  }
  return failed(`the deployer ${answer.fault}`);
}

async function poll(call: Call, url: string): Promise<DeployResult> {
  const { config, operation, run, signal } = call;
  const fields = { work_item: operation.workItem, repo: operation.repo, operation_id: operation.operationId };
  for (;;) {
    await sleep(config.pollMs, undefined, { signal });
    const answer = await look(call, url);
    if (answer.fault === undefined && answer.status !== 'running') return resultOf(answer);
    const said =
      answer.fault === undefined
        ? `the deployer says: ${answer.detail ?? 'running'}`
        : `the deployer's status URL cannot be read, it is asked again: it ${answer.fault}`;
    if (said !== call.said) run.log[answer.fault === undefined ? 'info' : 'warn'](fields, said);
    call.said = said;
  }
}

async function look(call: Call, url: string) {
  const within = AbortSignal.timeout(POLL_TIMEOUT_MS);
  try {
    const signal = AbortSignal.any([call.signal, within]);
    return understand(await exchange({ method: 'GET', url, headers: headersOf(call), signal }));
  } catch (error) {
    if (call.signal.aborted) throw error;
    return {
      fault: within.aborted ? `gave no answer within ${duration(POLL_TIMEOUT_MS)}` : `failed: ${whyNoReply(error)}`,
    };
  }
}

const headersOf = ({ config, operation }: Call): Record<string, string> => ({
  accept: 'application/json',
  'accept-encoding': ACCEPT_ENCODING,
  ...lowerCased(config.headers),
  'd2d-operation-id': operation.operationId,
});

function resultOf({ status, detail, version }: WebhookAnswer): DeployResult {
  const ok = status === 'succeeded';
  return {
    ok,
    detail: detail ?? (ok ? 'the deployer says that it succeeded' : 'the deployer says that it failed'),
    ...(version === null ? {} : { version }),
  };
}

/** A URL as an answer gives it, where it leads to the origin that was asked; otherwise `null`. */
function sameOrigin(given: string | null, asked: string): string | null {
  if (given === null || !URL.canParse(given, asked)) return null;
  const url = new URL(given, asked);
  return url.origin === new URL(asked).origin ? url.href : null;
}

/** All of a URL that may be shown: its path and query may hold a token. */
const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'a URL that is not valid');
