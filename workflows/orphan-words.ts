import type { Orphan } from '../activities/reconcile.ts';

/** What is said of an orphaned status, and what to do about it. */
export const orphanWords = ({ workItem, shown, stage }: Orphan): string =>
  `orphaned: ${workItem} shows ${shown}, but no deploy and no window of it runs, and its task stands at ${stage}: needs a person, who deploys it again (d2d start ${workItem}) or moves it in the tracker`;
