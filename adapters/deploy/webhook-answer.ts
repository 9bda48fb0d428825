import { z } from 'zod';
import type { Body } from '../http/read-body.ts';

/** What a deployer's HTTP server answered. */
export interface WebhookReply {
  readonly status: number;
  readonly contentType: string;
  readonly location: string | null;
  readonly body: Body;
}

const answerSchema = z.object({
  status: z.enum(['succeeded', 'failed', 'running']),
  detail: z.string().nullish(),
  version: z.string().nullish(),
  statusUrl: z.string().nullish(),
});

export interface WebhookAnswer {
  readonly status: 'succeeded' | 'failed' | 'running';
  readonly detail: string | null;
  readonly version: string | null;
  /** Where the deployer says that it tells more. */
  readonly statusUrl: string | null;
}

export type Understood =
  | (WebhookAnswer & { readonly fault?: never })
  | { readonly fault: string; readonly status?: never };

const WANTED = '{"status": "succeeded" | "failed" | "running", "detail"?, "version"?, "statusUrl"?}';

/** Longest piece of an answer that a message repeats, characters. */
const MAX_DETAIL = 1_000;

const isHtml = ({ contentType, body }: WebhookReply): boolean =>
  /\bhtml\b/i.test(contentType) || /^\s*<(!doctype|html|head|body)\b/i.test(body.text ?? '');

/** What a deployer means by its answer, or why it cannot be understood. Never throws. */
export function understand(reply: WebhookReply): Understood {
  const { status, location, body } = reply;
  if (status >= 300 && status < 400) {
    return { fault: `answered ${status}, a redirect, which is not followed: configure the URL that it leads to` };
  }
  if (status < 200 || status > 299) return { fault: `answered ${status}${saying(reply)}` };
  if (body.unreadable !== undefined)
    return { fault: `answered ${status}, but its body cannot be read: ${body.unreadable}` };
  if (!body.complete) return { fault: `answered ${status} with more than ${body.text.length} characters` };

  const parsed = answerSchema.safeParse(jsonOf(body.text));
  if (parsed.success) {
    const { status: state, detail, version, statusUrl } = parsed.data;
    return {
      status: state,
      detail: detail?.slice(0, MAX_DETAIL) ?? null,
      version: version ?? null,
      statusUrl: statusUrl ?? location,
    };
  }
  if (status === 202) return { status: 'running', detail: null, version: null, statusUrl: location };
  if (isHtml(reply)) {
    return { fault: `answered ${status} with an HTML page instead of ${WANTED}: is the URL that of the deployer?` };
  }
  const [issue] = parsed.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? '' : ` (wrong at ${issue.path.join('.')})`;
  return { fault: `answered ${status} without ${WANTED}${where}` };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What an answer that is a failure says in its body. */
function saying(reply: WebhookReply): string {
  if (isHtml(reply)) return ' with an HTML page';
  const { success, data } = z.object({ detail: z.string() }).safeParse(jsonOf(reply.body.text ?? ''));
  const text = (success ? data.detail : (reply.body.text ?? '')).replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return text === '' ? '' : `: ${text.slice(0, 200)}`;
}
