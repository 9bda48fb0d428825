import { lowerCased } from '../http/headers.ts';
import { ACCEPT_ENCODING } from '../http/read-body.ts';
import { createMask, type Mask, secretsInHeaders } from '../mask.ts';
import { fillPlaceholders, inUrl } from '../placeholders.ts';
import {
  type DeployDriver,
  type DeployOperation,
  DeployOutcomeUnknown,
  type DeployResult,
  HEARTBEAT_MS,
  type JsonTemplate,
  notBegun,
  type WebhookConfig,
} from './driver.ts';
import { duration } from './duration.ts';
import { masked } from './masked.ts';
import { fillJson, valuesOf } from './placeholders.ts';
import {
  linksOf,
  refusalOf,
  shapeOf,
  type Understood,
  understand,
  type WebhookReply,
  wasTaken,
} from './webhook-answer.ts';
import { exchange, wasNotSent, whyNoReply } from './webhook-exchange.ts';
import { type Call, poll } from './webhook-poll.ts';

/**
 * Whether a refusal says that nothing was begun. Of the redirects only those that ask to send the POST elsewhere (RFC 9110, 15.4).
 * Other server errors may come from half-way or from a gateway: a proxy answers 503, too, after it has passed a request on.
 */
const hasNotBegun = ({ status, retryAfter }: WebhookReply): boolean =>
  [307, 308, 501, 505].includes(status) || (status >= 400 && status < 500) || (status === 503 && retryAfter !== null);

/**
 * Whether a redirect says that the deployer has begun, and there is something to poll. 303 says that the POST was performed; many
 * send 302 for that, but a login page of another origin as well.
 */
const leadsToStatus = ({ status, location }: WebhookReply, { url, statusUrl }: WebhookConfig): boolean =>
  (status === 303 && statusUrl !== null) ||
  ((status === 303 || status === 302) && location !== null && sameOrigin(location, url) !== null);

/**
 * Deploys by asking a deployer: one POST, never repeated, then GETs of a status URL until that tells an end. Configured
 * headers go to the configured URLs and, of those that an answer names, only to ones of the same origin.
 *
 * Any 2xx says that the deployer has begun. From then on only an answer that is about this operation ends it; nothing that is
 * not understood, and no time-out, is called a failure (docs/deploy-drivers.md). `secrets`: what is masked wherever an
 * answer repeats it, beside the values of the headers.
 */
export function createWebhookDriver(
  config: WebhookConfig,
  { secrets = [] }: { readonly secrets?: readonly string[] } = {},
): DeployDriver {
  const mask = createMask([...secrets, ...secretsInHeaders(config.headers)]);
  return masked(webhookDriver(config, mask), mask);
}

const webhookDriver = (config: WebhookConfig, mask: Mask): DeployDriver => ({
  async run(operation, run) {
    run.signal.throwIfAborted();
    const timeout = AbortSignal.timeout(config.timeoutMs);
    const call: Call = {
      config,
      shape: shapeOf(config.answer),
      mask,
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
      throw new DeployOutcomeUnknown(
        `timed out after ${duration(config.timeoutMs)}, and nobody knows how the ${operation.kind} ended: ${call.said}`,
        { cause: error, retryable: false },
      );
    } finally {
      clearInterval(beat);
    }
  },
});

async function deploy(call: Call): Promise<DeployResult> {
  const { config, operation, shape } = call;
  const request = requestOf(config, operation);
  if (request.fault !== undefined) return notBegun(`nothing was sent: ${request.fault}`);

  call.said = `the deployer at ${originOf(config.url)} was asked and has not answered`;
  const reply = await post(call, request);
  if ('ok' in reply) return reply;

  const answer = understand(reply, shape, operation, call.mask.text);
  if (request.statusUrl === null && answer.is === 'end') return answer.result;
  call.said = answer.is === 'fault' ? `the deployer ${answer.fault}` : `the deployer says: ${wordsOf(answer)}`;
  if (!wasTaken(reply)) call.said = `the deployer answered ${reply.status}`;
  const links = linksOf(reply, shape);
  if (request.statusUrl === null) return poll(call, namedUrl(call, links.url), request.headers);
  const { text, fault } = fillPlaceholders(request.statusUrl, shape.id === null ? {} : { id: links.id }, inUrl);
  if (text === undefined) throw unknownEnd(call, `its status URL: ${fault}`);
  return poll(call, text, request.headers);
}

function wordsOf(answer: Exclude<Understood, { readonly is: 'fault' }>): string {
  if (answer.is === 'foreign') return answer.why;
  return answer.is === 'end' ? answer.result.detail : answer.detail;
}

interface Filled {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** But for the `{id}` of the run, which the answer to the POST gives. */
  readonly statusUrl: string | null;
}

/** What is sent, with the operation filled in; the status URL as well, so that nothing begins that cannot be followed. */
function requestOf(
  config: WebhookConfig,
  operation: DeployOperation,
): (Filled & { readonly fault?: never }) | { readonly fault: string } {
  const values = valuesOf(operation);
  const url = fillPlaceholders(config.url, values, inUrl);
  const status = fillPlaceholders(config.statusUrl ?? '', values, inUrl);
  const body = config.body === undefined ? { json: ours(operation) } : fillJson(config.body, values);
  const headers: Record<string, string> = {};
  for (const [name, template] of Object.entries(lowerCased(config.headers))) {
    const { text, fault } = fillPlaceholders(template, values);
    if (text === undefined) return { fault: `header ${name}: ${fault}` };
    headers[name] = text;
  }
  if (url.text === undefined) return { fault: `url: ${url.fault}` };
  if (status.text === undefined) return { fault: `statusUrl: ${status.fault}` };
  if (body.fault !== undefined) return { fault: `body: ${body.fault}` };
  return {
    url: url.text,
    headers: {
      accept: 'application/json',
      'accept-encoding': ACCEPT_ENCODING,
      ...headers,
      'd2d-operation-id': operation.operationId,
    },
    body: JSON.stringify(body.json),
    statusUrl: config.statusUrl === null ? null : status.text,
  };
}

const ours = ({ kind, operationId, repo, workItem, version, previousVersion }: DeployOperation): JsonTemplate => ({
  operation: kind,
  operationId,
  repo,
  workItem,
  version,
  ...(kind === 'rollback' ? { previousVersion: previousVersion ?? null } : {}),
});

/** The answer to the POST where the deployer has begun, or the result where it has not. */
async function post(call: Call, { url, headers, body }: Filled): Promise<WebhookReply | DeployResult> {
  const { config, operation, signal } = call;
  const { kind, operationId } = operation;
  const reply = await exchange({
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', 'idempotency-key': operationId, ...headers },
    body,
    signal,
  }).catch((error: unknown) => {
    if (signal.aborted) throw error;
    const why = `the deployer at ${originOf(config.url)}: ${whyNoReply(error)}`;
    if (wasNotSent(error)) return notBegun(`nothing was sent to ${why}`);
    throw new DeployOutcomeUnknown(`nobody knows whether the ${kind} has begun: it was sent to ${why}`, {
      cause: error,
    });
  });
  if ('ok' in reply || wasTaken(reply) || leadsToStatus(reply, config)) return reply;
  const said = `the deployer answered ${reply.status}${refusalOf(reply, call.mask.text)}`;
  if (!hasNotBegun(reply)) throw new DeployOutcomeUnknown(`nobody knows whether the ${kind} has begun: ${said}`);
  return notBegun(said);
}

/** The status URL that an answer names. @throws DeployOutcomeUnknown where it names none that may be asked. */
function namedUrl(call: Call, given: string | null): string {
  if (given === null) throw unknownEnd(call, 'it gave no status URL: configure statusUrl');
  const url = sameOrigin(given, call.config.url);
  if (url !== null) return url;
  throw unknownEnd(
    call,
    `it gave a status URL of another origin (${originOf(given)}), which is refused: configure statusUrl`,
  );
}

const unknownEnd = ({ operation, said }: Call, why: string): DeployOutcomeUnknown =>
  new DeployOutcomeUnknown(`the ${operation.kind} has begun, and nobody knows how it ends: ${said}; ${why}`);

/** A URL as an answer gives it, where it leads to the origin that was asked; otherwise `null`. */
function sameOrigin(given: string, asked: string): string | null {
  if (!URL.canParse(given, asked)) return null;
  const url = new URL(given, asked);
  return url.origin === new URL(asked).origin ? url.href : null;
}

/** All of a URL that may be shown: its path and query may hold a token. */
const originOf = (url: string): string => (URL.canParse(url) ? new URL(url).origin : 'a URL that is not valid');
