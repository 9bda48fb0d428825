/** Plane's "cursor" paging, which is offset paging: `perpage:page:is_prev`, of which only the page counts (recordings 030 to 03c). */
import { type Answer, answer, SERVER_ERROR } from './answer.ts';

const MAX_PER_PAGE = 1000;

/** One page of rows, or the refusal of a bad parameter. */
export function paginate(rows: readonly object[], query: URLSearchParams): Answer {
  const perPageText = query.get('per_page') ?? String(MAX_PER_PAGE);
  if (!/^-?\d+$/.test(perPageText)) return answer(400, { detail: 'Invalid per_page parameter.' });
  const perPage = Number(perPageText);
  if (perPage > MAX_PER_PAGE) return answer(400, { detail: `Invalid per_page value. Cannot exceed ${MAX_PER_PAGE}.` });
  const cursor = /^-?\d+:(-?\d+):-?\d+$/.exec(query.get('cursor') ?? `${perPage}:0:0`);
  if (cursor === null) return answer(400, { detail: 'Invalid cursor parameter.' });
  const page = Number(cursor[1]);
  if (page < 0) return answer(400, { detail: 'Error in parsing' });
  if (perPage <= 0) return SERVER_ERROR;
  const results = rows.slice(page * perPage, (page + 1) * perPage);
  return answer(200, {
    grouped_by: null,
    sub_grouped_by: null,
    total_count: rows.length,
    next_cursor: `${perPage}:${page + 1}:0`,
    prev_cursor: `${perPage}:${page - 1}:1`,
    next_page_results: (page + 1) * perPage < rows.length,
    prev_page_results: page > 0,
    count: results.length,
    total_pages: Math.ceil(rows.length / perPage),
    total_results: rows.length,
    extra_stats: null,
    results,
  });
}
