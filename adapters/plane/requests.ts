/** Asking Plane: one request, judged and read by a schema; or a whole list, page by page. */
import type { z } from 'zod';
import { type GoodAnswer, judge } from './answers.ts';
import { PlaneUnavailable } from './errors.ts';
import { type PlaneRequest, shownPath, type Transport } from './transport.ts';
import { Page } from './wire.ts';

export interface CallOptions {
  /** Aborting rejects with the signal's own reason; a write on its way may still be applied. */
  readonly signal?: AbortSignal | undefined;
}

export interface Requests {
  /**
   * Requests that the key had left by the last answer, whoever uses it, less our own that are not answered yet; `null` where no answer of
   * the last minute said so.
   */
  left(): number | null;
  /** @throws errors of errors.ts. */
  ask(request: PlaneRequest): Promise<GoodAnswer>;
  /** The part of an answer that we read; an answer of another shape counts as none. @throws PlaneUnavailable */
  read<T>(schema: z.ZodType<T>, answer: GoodAnswer, request: PlaneRequest): T;
  get<T>(schema: z.ZodType<T>, path: string, options: CallOptions): Promise<T>;
  /** All rows of a list; `path` gives the path for a query. */
  list<T>(schema: z.ZodType<T>, path: (query: Record<string, string>) => string, options: CallOptions): Promise<T[]>;
}

/** Plane counts the requests of the last minute (recorded; `API_KEY_RATE_LIMIT` is 60 a minute by default). */
const RATE_WINDOW_MS = 60_000;

const PER_PAGE = '100';
/** 5 000 rows: a server that never says "last page" is not followed for ever. */
const MAX_PAGES = 50;

export function createRequests(transport: Transport, apiKey: string): Requests {
  let last: { readonly left: number; readonly at: number } | null = null;
  let unanswered = 0;

  async function ask(request: PlaneRequest): Promise<GoodAnswer> {
    unanswered += 1;
    const answer = await transport.exchange(request).finally(() => {
      unanswered -= 1;
    });
    const left = answer.status === 429 ? 0 : Number.parseInt(answer.remaining ?? '', 10);
    if (Number.isFinite(left)) last = { left, at: performance.now() };
    return judge(request, answer, apiKey);
  }

  const left = (): number | null =>
    last === null || performance.now() - last.at > RATE_WINDOW_MS ? null : Math.max(0, last.left - unanswered);

  function read<T>(schema: z.ZodType<T>, { status, json }: GoodAnswer, { method, path }: PlaneRequest): T {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const faults = parsed.error.issues
      .map((issue) => `${issue.path.join('.') || 'answer'}: ${issue.message}`)
      .join('; ');
    throw new PlaneUnavailable(`answered ${status} with JSON of another shape than Plane's (${faults}).`, {
      method,
      path: shownPath(path),
      status,
      writeMayHaveApplied: method !== 'GET',
    });
  }

  async function get<T>(schema: z.ZodType<T>, path: string, { signal }: CallOptions): Promise<T> {
    const request: PlaneRequest = { method: 'GET', path, signal };
    return read(schema, await ask(request), request);
  }

  /** `next_cursor` is never null: `next_page_results` ends the list. The page size comes from `per_page` alone, so both are sent. */
  async function list<T>(
    schema: z.ZodType<T>,
    path: (query: Record<string, string>) => string,
    { signal }: CallOptions,
  ): Promise<T[]> {
    const rows: T[] = [];
    let query: Record<string, string> = { per_page: PER_PAGE };
    for (let pages = 0; pages < MAX_PAGES; pages += 1) {
      const request: PlaneRequest = { method: 'GET', path: path(query), signal };
      const page = read(Page, await ask(request), request);
      for (const row of page.results) rows.push(read(schema, { status: 200, json: row }, request));
      if (!page.next_page_results) return rows;
      query = { per_page: PER_PAGE, cursor: page.next_cursor };
    }
    throw new PlaneUnavailable(`more than ${MAX_PAGES} pages of ${PER_PAGE} rows. Is this Plane?`, {
      method: 'GET',
      path: shownPath(path({})),
      status: 200,
      writeMayHaveApplied: false,
    });
  }

  return { left, ask, read, get, list };
}
