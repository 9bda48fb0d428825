/** Comments over the API. The external id is looked for in the whole project, and only before the insert (205, 603). */
import { type Answer, answer, type Call, type Handler, INVALID_PAYLOAD, NOT_FOUND, written } from './answer.ts';
import { addComment, announce } from './changes.ts';
import type { Comment, WorkItem } from './model.ts';
import { paginate } from './paging.ts';
import { commentRead, render } from './render.ts';

const DUPLICATE = 'Work item comment with the same external id and external source already exists';

const itemOf = ({ world, project, params }: Call): WorkItem | undefined =>
  world.tables.workItems.find((item) => item.project === project.id && item.id === params['item']);

const asked = ({ world, project, params }: Call): Comment | undefined =>
  world.tables.comments.find(
    (comment) => comment.project === project.id && comment.issue === params['item'] && comment.id === params['comment'],
  );

/** Newest first; filters and `order_by` are ignored (212, 213). */
export const listComments: Handler = (call) => {
  const comments = call.world.tables.comments.filter((comment) => comment.issue === call.params['item']);
  const newestFirst = comments.toSorted((left, right) => (left.created_at < right.created_at ? 1 : -1));
  return paginate(
    newestFirst.map((comment) => render(call.world, commentRead(comment), call.query)),
    call.query,
  );
};

export const readComment: Handler = (call) => {
  const comment = asked(call);
  return comment === undefined ? NOT_FOUND : answer(200, render(call.world, commentRead(comment), call.query));
};

export const createComment: Handler = async (call) => {
  const { world, user, body } = call;
  const duplicate = sameExternal(call, undefined);
  if (duplicate) return answer(409, { error: DUPLICATE, id: duplicate.id });
  const item = itemOf(call);
  if (item === undefined) return INVALID_PAYLOAD;
  await call.midway();
  const comment = addComment(world, item, user, texts(body));
  if (!call.jobsLost) announce(world, item, null);
  // The answer shows who wrote the row; what is stored does not (201 and 210, 20c).
  return written(201, { ...comment, updated_by: user.id, actor: comment.created_by });
};

export const changeComment: Handler = (call): Answer => {
  const comment = asked(call);
  if (comment === undefined) return NOT_FOUND;
  // The id given is the patched comment's own, not the other one's (217).
  if (sameExternal(call, comment)) return answer(409, { error: DUPLICATE, id: comment.id });
  Object.assign(comment, texts(call.body), { updated_at: call.world.now(), updated_by: call.user.id });
  return written(200, { ...comment });
};

export const deleteComment: Handler = (call): Answer => {
  const comment = asked(call);
  if (comment === undefined) return NOT_FOUND;
  call.world.tables.comments = call.world.tables.comments.filter((other) => other !== comment);
  return written(204, undefined);
};

/** What a request may set; author and time too (20c). */
function texts(body: Readonly<Record<string, unknown>>): Partial<Comment> {
  const keys = ['comment_html', 'access', 'external_source', 'external_id', 'created_by', 'created_at'] as const;
  const given: Partial<Comment> = {};
  for (const key of keys) {
    const value = body[key];
    if (typeof value === 'string') given[key] = value;
  }
  return given;
}

/** Only where both are given (206). */
function sameExternal({ world, project, body }: Call, own: Comment | undefined): Comment | undefined {
  const { external_id: id, external_source: source } = body;
  if (!id || !source || (own?.external_id === id && own?.external_source === source)) return undefined;
  return world.tables.comments.find(
    (comment) =>
      comment !== own &&
      comment.project === project.id &&
      comment.external_id === id &&
      comment.external_source === source,
  );
}
