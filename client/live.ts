import { stripVTControlCharacters } from 'node:util';
import { formatChanges } from './format/changes.ts';
import { formatWorkItem } from './format/work-item.ts';
import { paintOf, type Stream } from './output.ts';
import type { WorkItemView } from './views.ts';

/** The countdown moves on between two changes. */
const REDRAW_MS = 1_000;

/**
 * Shows a work item as it changes: redrawn in place on a terminal, a line per change otherwise.
 * @returns the last of what was seen; `null` where that was nothing.
 */
export function showLive(
  views: AsyncIterable<WorkItemView>,
  stream: Stream,
  now: () => number,
): Promise<WorkItemView | null> {
  return stream.tty ? redrawn(views, stream, now) : lineByLine(views, stream, now);
}

async function lineByLine(
  views: AsyncIterable<WorkItemView>,
  stream: Stream,
  now: () => number,
): Promise<WorkItemView | null> {
  let last: WorkItemView | null = null;
  for await (const view of views) {
    for (const line of formatChanges(last, view, now(), paintOf(stream))) stream.write(`${line}\n`);
    last = view;
  }
  return last;
}

async function redrawn(
  views: AsyncIterable<WorkItemView>,
  stream: Stream,
  now: () => number,
): Promise<WorkItemView | null> {
  let last: WorkItemView | null = null;
  let height = 0;
  const draw = (): void => {
    if (last === null) return;
    const lines = fitted(formatWorkItem(last, now(), paintOf(stream)), stream.size());
    stream.write(`${lines.join('\n')}\n`, height);
    height = lines.length;
  };
  const timer = setInterval(draw, REDRAW_MS);
  try {
    for await (const view of views) {
      last = view;
      draw();
    }
  } finally {
    clearInterval(timer);
  }
  return last;
}

/** As many lines as can be drawn over again: none may wrap, and none may have scrolled away. */
export function fitted(text: string, { columns, rows }: { readonly columns: number; readonly rows: number }): string[] {
  const lines = text.split('\n').slice(0, Math.max(1, rows - 1));
  return lines.map((line) => {
    const bare = stripVTControlCharacters(line);
    return bare.length < columns ? line : `${bare.slice(0, Math.max(0, columns - 2))}…`;
  });
}
