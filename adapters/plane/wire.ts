/** The parts of Plane's JSON that we read. Unknown keys are ignored: other editions add some. */
import { z } from 'zod';

export const Me = z.object({ id: z.string(), display_name: z.string() });

export const Project = z.object({ id: z.string(), identifier: z.string(), name: z.string() });

export const State = z.object({ id: z.string(), name: z.string(), group: z.string() });

/** `state` is an id, or an object where it was expanded, or null. */
export const WorkItem = z.object({
  id: z.string(),
  name: z.string(),
  project: z.string(),
  sequence_id: z.number().int().optional(),
  state: z.union([z.string(), z.object({ id: z.string() }).transform(({ id }) => id)]).nullable(),
});

/** A row of the list, with the fields that a sweep asks for. */
const ListedWorkItem = z.object({
  id: z.string(),
  sequence_id: z.number().int(),
  state: z.string().nullable(),
  updated_at: z.string().transform((text, context) => {
    const at = Date.parse(text);
    if (Number.isFinite(at)) return at;
    context.addIssue({ code: 'custom', message: 'no date' });
    return z.NEVER;
  }),
});

/** What the answer to a PATCH must show: `state` as it is now. */
export const PatchedWorkItem = z.object({ state: z.string().nullable() });

/** A new comment, or with 409 the one that is there. */
export const CommentReference = z.object({ id: z.string() });

export const Page = z.object({
  results: z.array(z.unknown()),
  next_cursor: z.string(),
  next_page_results: z.boolean(),
});

export const WorkItemsPage = z.object({
  results: z.array(ListedWorkItem),
  next_cursor: z.string(),
  next_page_results: z.boolean(),
});
