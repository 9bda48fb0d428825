/** The board page of the simulated Plane: one column a state, one card a work item. Server-rendered; it reloads itself every 2 s. */
import { escape as escapeHtml } from 'html-escaper';
import { BOARD_STYLE } from './board-style.ts';
import type { Comment, Project, State, WorkItem } from './model.ts';
import { userById, type World } from './world.ts';

const SHOWN_COMMENTS = 2;
const SHOWN_COMMENT_CHARACTERS = 180;

export function boardPage(world: World): string {
  const title = world.tables.workspaces[0]?.name ?? 'Plane';
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2">
<title>${escapeHtml(title)}: simulated Plane</title>
<style>${BOARD_STYLE}</style>
</head>
<body>
<header><h1>${escapeHtml(title)}</h1><span class="tag">simulated Plane</span></header>
${world.tables.projects.map((project) => board(world, project)).join('\n')}
</body>
</html>
`;
}

function board(world: World, project: Project): string {
  const states = world.tables.states
    .filter((state) => state.project === project.id)
    .toSorted((left, right) => left.sequence - right.sequence);
  const items = world.tables.workItems.filter((item) => item.project === project.id && item.archived_at === null);
  return `<section aria-label="${escapeHtml(project.name)}">
<h2><span class="key">${escapeHtml(project.identifier)}</span> ${escapeHtml(project.name)}</h2>
<div class="columns">
${states.map((state) => column(world, project, state, items)).join('\n')}
</div>
</section>`;
}

function column(world: World, project: Project, state: State, items: readonly WorkItem[]): string {
  const cards = items.filter((item) => item.state === state.id);
  const color = /^#[0-9a-f]{3,8}$/i.test(state.color) ? state.color : '#888888';
  return `<div class="column${cards.length === 0 ? ' empty' : ''}" style="--state: ${color}">
<h3><i></i>${escapeHtml(state.name)} <small>${cards.length}</small></h3>
${cards.map((item) => card(world, project, item)).join('\n')}
</div>`;
}

function card(world: World, project: Project, item: WorkItem): string {
  const comments = world.tables.comments.filter((comment) => comment.issue === item.id);
  const moves = world.tables.statusChanges.filter((change) => change.workItemId === item.id).length;
  const facts = [counted(moves, 'move'), counted(comments.length, 'comment')].filter((fact) => fact !== '').join(' · ');
  return `<article>
<p class="meta"><span class="key">${escapeHtml(project.identifier)}-${item.sequence_id}</span>${item.priority === 'none' ? '' : ` <span class="priority ${escapeHtml(item.priority)}">${escapeHtml(item.priority)}</span>`}</p>
<p class="name">${escapeHtml(item.name)}</p>
${facts === '' ? '' : `<p class="facts">${facts}</p>`}
${comments
  .slice(-SHOWN_COMMENTS)
  .map((comment) => quote(world, comment))
  .join('\n')}
</article>`;
}

const counted = (count: number, noun: string): string =>
  count === 0 ? '' : `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A comment's HTML is stored as sent, so only its text is shown. */
function quote(world: World, comment: Comment): string {
  const text = plainText(comment.comment_html);
  const shown = text.length > SHOWN_COMMENT_CHARACTERS ? `${text.slice(0, SHOWN_COMMENT_CHARACTERS)}…` : text;
  return `<blockquote><b>${escapeHtml(userById(world, comment.actor).display_name)}</b> ${escapeHtml(shown)}</blockquote>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
};

const plainText = (html: string): string =>
  html
    .replace(/<\/(?:p|li|div)>|<br\s*\/?>/gi, ' ')
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity)
    .trim();
