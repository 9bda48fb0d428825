import { oneLine } from '../../decisions/shown-text.ts';
import type { Healing, ReconcileResult } from '../../workflows/messages.ts';
import { orphanWords } from '../../workflows/orphan-words.ts';
import { formatTable } from './table.ts';
import { count, type Paint } from './text.ts';

const WANTED = { done: 'Done', monitoring: 'Monitoring', degraded: 'Degraded', cancelled: 'Cancelled' } as const;

/** A row for each status that should not stand; empty where there is none. */
export function formatReconcile(healings: readonly Healing[], paint: Paint): string {
  if (healings.length === 0) return '';
  const colour = {
    healed: paint.good,
    'right again': paint.good,
    'put off': paint.warn,
    failed: paint.bad,
    'would be healed': paint.warn,
  };
  return formatTable(
    ['WORK ITEM', 'REPOSITORY', 'SHOWS', 'SHOULD SHOW', 'RESULT'],
    healings.map(({ workItem, repo, shown, wanted, result, detail }) => [
      oneLine(workItem),
      oneLine(repo),
      oneLine(shown),
      WANTED[wanted],
      `${colour[result](result)}${detail === undefined ? '' : `: ${oneLine(detail)}`}`,
    ]),
    paint,
  );
}

export function reconcileLine({
  looked,
  inDeployPhase,
  drifted,
  healed,
  failed,
  putOff,
  unread,
  healings,
  failing,
  orphaned,
  dryRun,
}: ReconcileResult): string {
  const seen = `${count(looked, 'work item')} looked at, ${inDeployPhase} in a deploy-phase status`;
  const found = drifted === 0 ? 'none has drifted' : `${drifted} drifted`;
  const done =
    drifted === 0 || dryRun ? '' : `, ${healed} healed${putOff === 0 ? '' : `, ${putOff} put off`}, ${failed} failed`;
  const listed = drifted > healings.length ? `; the table has the first ${healings.length}` : '';
  const missing = unread
    .map(({ project, why }) => `; project ${oneLine(project)} could not be read: ${oneLine(why)}`)
    .join('');
  // A worker of an earlier version does not say.
  const frozen = (failing ?? []).map(
    ({ workflowId, why }) => `\n${oneLine(workflowId)}: its workflow task fails: ${oneLine(why)}`,
  );
  const alone = (orphaned ?? []).map((orphan) => `\n${oneLine(orphanWords(orphan))}`);
  return `${seen}, ${found}${done}${listed}${missing}${alone.join('')}${frozen.join('')}`;
}
