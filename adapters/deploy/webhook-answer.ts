import { versionFault } from '../../decisions/version.ts';
import { parseJsonExactly } from '../http/json.ts';
import { valueAt } from '../http/json-pointer.ts';
import type { Body } from '../http/read-body.ts';
import type { AnswerShape, DeployOperation, DeployResult, DeployState, WebhookConfig } from './driver.ts';

/** What a deployer's HTTP server answered. */
export interface WebhookReply {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | null;
  readonly retryAfter: string | null;
  readonly body: Body;
}

const DEFAULT_SHAPE: AnswerShape = {
  id: null,
  status: '/status',
  detail: '/detail',
  version: '/version',
  operationId: '/operationId',
  words: { succeeded: 'succeeded', failed: 'failed', running: 'running' },
};

/** A configured shape, with the defaults for what it leaves out. */
export const shapeOf = (given: WebhookConfig['answer'] = {}): AnswerShape => ({
  id: given.id ?? DEFAULT_SHAPE.id,
  status: given.status ?? DEFAULT_SHAPE.status,
  detail: given.detail ?? DEFAULT_SHAPE.detail,
  version: given.version ?? DEFAULT_SHAPE.version,
  operationId: given.operationId ?? DEFAULT_SHAPE.operationId,
  words: given.words ?? DEFAULT_SHAPE.words,
});

/** What a deployer means by an answer. `why`, `fault`: part of a sentence about the deployer, or about its answer. */
export type Understood =
  | { readonly is: 'end'; readonly result: DeployResult }
  | { readonly is: 'running'; readonly detail: string }
  /** It is not about this operation. */
  | { readonly is: 'foreign'; readonly why: string }
  | { readonly is: 'fault'; readonly fault: string };

/** Longest piece of an answer that a message repeats, characters. */
const MAX_DETAIL = 1_000;

const isHtml = ({ contentType, body }: WebhookReply): boolean =>
  /\bhtml\b/i.test(contentType) || /^\s*<(!doctype|html|head|body)\b/i.test(body.text ?? '');

export const wasTaken = ({ status }: WebhookReply): boolean => status >= 200 && status <= 299;

type Mask = (text: string) => string;

/**
 * What a deployer means by an answer about an operation. Never throws.
 * @param mask hides secrets in what is shown, before that is shortened: an answer may repeat the request
 */
export function understand(
  reply: WebhookReply,
  shape: AnswerShape,
  operation: DeployOperation,
  mask: Mask = (text) => text,
): Understood {
  const { status, body } = reply;
  const fault = (why: string): Understood => ({ is: 'fault', fault: `answered ${status}${why}` });
  if (!wasTaken(reply)) return fault(refusalOf(reply, mask));
  if (body.unreadable !== undefined) return fault(`, but its body cannot be read: ${body.unreadable}`);
  if (!body.complete) return fault(` with more than ${body.text.length} characters`);

  const json = parseJsonExactly(body.text);
  const said = valueAt(json, shape.status);
  const state = stateOf(said, shape);
  if (state === null) {
    if (isHtml(reply)) return fault(' with an HTML page: is the URL that of the deployer?');
    const words = Object.keys(shape.words).join(', ');
    const got = json === undefined ? 'no JSON' : said === undefined ? `nothing at ${shape.status}` : shown(said, mask);
    return fault(` with ${got}, where one of these is understood: ${words}`);
  }
  const version = textAt(json, shape.version);
  const detail = mask(textAt(json, shape.detail) ?? '').slice(0, MAX_DETAIL) || null;
  const why =
    unclear(json, shape, mask) ?? contradiction({ version, operationId: textAt(json, shape.operationId) }, operation);
  if (why !== null) return { is: 'foreign', why };
  if (state === 'running') return { is: 'running', detail: detail ?? state };
  const ok = state === 'succeeded';
  return {
    is: 'end',
    result: {
      ok,
      detail: detail ?? (ok ? 'the deployer says that it succeeded' : 'the deployer says that it failed'),
      // It may become an argument of a rollback.
      ...(version === null || versionFault(version) !== null ? {} : { version }),
    },
  };
}

/** What an answer to the POST says about its run: the id, and the URL of its status. */
export function linksOf(
  reply: WebhookReply,
  { id }: AnswerShape,
): { readonly id: string | null; readonly url: string | null } {
  const json = reply.body.complete === true ? parseJsonExactly(reply.body.text) : undefined;
  return { id: id === null ? null : textAt(json, id), url: textAt(json, '/statusUrl') ?? reply.location };
}

/** A list or a map may name another operation, as where a pointer ends a step too early. `null`: there is none. */
function unclear(json: unknown, shape: AnswerShape, mask: Mask): string | null {
  for (const part of ['version', 'operationId'] as const) {
    const value = valueAt(json, shape[part]);
    if (value === undefined || value === null || typeof value === 'string' || typeof value === 'number') continue;
    return `what it has at ${shape[part]} is neither text nor a number: ${shown(value, mask)} (check answer.${part})`;
  }
  return null;
}

/** Why an answer is not about this operation; `null`: nothing in it speaks against that. */
function contradiction(
  { version, operationId }: { readonly version: string | null; readonly operationId: string | null },
  operation: DeployOperation,
): string | null {
  if (operationId !== null && !operationId.includes(operation.operationId)) {
    return `it is about operation ${operationId.slice(0, 200)}, not ${operation.operationId}`;
  }
  if (version === null || operation.version === null) return null;
  const same = version.trim() === operation.version.trim();
  // Of a rollback we know the version that it leaves: an answer about that one is how its deploy ended.
  if (operation.kind === 'rollback')
    return same && operationId === null ? `it is about version ${operation.version}, which is being rolled back` : null;
  return same ? null : `it is about version ${version.slice(0, 200)}, not ${operation.version}`;
}

/** `null` at the place of the status is how some say that there is none yet. */
function stateOf(said: unknown, { words }: AnswerShape): DeployState | null {
  if (said === null) return 'running';
  if (typeof said !== 'string' && typeof said !== 'boolean' && typeof said !== 'number') return null;
  return stateNamed(String(said), words);
}

/** The state that a word names, in any case and without blanks around it; `null`: none. */
export function stateNamed(said: string, words: AnswerShape['words']): DeployState | null {
  const plain = (word: string): string => word.trim().toLowerCase();
  return Object.entries(words).find(([known]) => plain(known) === plain(said))?.[1] ?? null;
}

/** A text or a number; ids are often numbers. */
function textAt(json: unknown, pointer: string): string | null {
  const value = valueAt(json, pointer);
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : null;
}

const shown = (value: unknown, mask: Mask): string => mask(JSON.stringify(value)).slice(0, 80);

/** What follows the status of an answer that is no 2xx: its status says what it is, whatever its body is. */
export function refusalOf(reply: WebhookReply, mask: Mask): string {
  const { status, body } = reply;
  if (status >= 300 && status < 400) return ', a redirect, which is not followed: configure the URL that it leads to';
  if (isHtml(reply)) return ' with an HTML page';
  if (body.unreadable !== undefined) return ` (its body cannot be read: ${body.unreadable})`;
  const words = mask(textAt(parseJsonExactly(body.text), '/detail') ?? body.text)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return words === '' ? '' : `: ${words.slice(0, 200)}`;
}
