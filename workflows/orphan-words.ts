import type { Orphan } from '../activities/reconcile.ts';

/** What is said of an orphaned status, and what to do about it. */
export const orphanWords = ({ workItem, shown, stage }: Orphan): string =>
  `orphaned: ${workItem} shows ${shown}, but no deploy or window of it is running (task stage: ${stage}): needs a person; deploy it again (d2d start ${workItem}), or change its status in the tracker`;
