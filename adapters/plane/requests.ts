/** Asking Plane: one request, judged and read by a schema; or a whole list, page by page. */
import type { z } from 'zod';
import { type GoodAnswer, judge } from './answers.ts';
import type { Budget } from './budget.ts';
import { PlaneRateLimited, PlaneUnavailable } from './errors.ts';
import type { Said } from './rate-account.ts';
import { type PlaneAnswer, type PlaneRequest, shownPath, type Transport } from './transport.ts';
import { Page } from './wire.ts';

export interface CallOptions {
  /** Aborting rejects with the signal's own reason; a write on its way may still be applied. */
  readonly signal?: AbortSignal | undefined;
}

export interface Requests {
  /** Waits for its turn. @throws errors of errors.ts, and PlaneBudgetSpent. */
  ask(request: PlaneRequest): Promise<GoodAnswer>;
  /** The part of an answer that we read; an answer of another shape counts as none. @throws PlaneUnavailable */
  read<T>(schema: z.ZodType<T>, answer: GoodAnswer, request: PlaneRequest): T;
  get<T>(schema: z.ZodType<T>, path: string, options: CallOptions): Promise<T>;
  /** All rows of a list; `path` gives the path for a query. */
  list<T>(schema: z.ZodType<T>, path: (query: Record<string, string>) => string, options: CallOptions): Promise<T[]>;
}

/** A limit of a day, in seconds: no longer one is believed. */
const MOST_WINDOW_S = 86_401;

const PER_PAGE = '100';
/** 5 000 rows: a server that never says "last page" is not followed for ever. */
const MAX_PAGES = 50;

/** What an answer says of the rate limit; `null`: nothing. Both of its times have whole seconds. */
function limitSaidBy({ remaining, resetAt, date }: PlaneAnswer): Said | null {
  const left = Number.parseInt(remaining ?? '', 10);
  if (!Number.isFinite(left)) return null;
  const seconds = Number.parseInt(resetAt ?? '', 10) - Date.parse(date ?? '') / 1_000 + 1;
  return { remaining: left, windowMs: seconds > 0 && seconds <= MOST_WINDOW_S ? seconds * 1_000 : null };
}

export function createRequests(transport: Transport, apiKey: string, budget: Budget): Requests {
  async function ask(request: PlaneRequest): Promise<GoodAnswer> {
    const sent = await budget.begin(request.signal);
    const answer = await transport.exchange(request).catch((error: unknown) => {
      sent.uncounted();
      throw error;
    });
    const said = limitSaidBy(answer);
    try {
      const good = judge(request, answer, apiKey);
      sent.counted(said);
      return good;
    } catch (error) {
      if (error instanceof PlaneRateLimited) sent.refused(error.retryAfterMs);
      else if (said !== null) sent.counted(said);
      else sent.uncounted();
      throw error;
    }
  }

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

  return { ask, read, get, list };
}
