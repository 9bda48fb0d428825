import type { Command } from '@commander-js/extra-typings';
import { formatReconcile, reconcileLine } from '../format/reconcile.ts';
import type { CommandContext } from './context.ts';

/** `reconcile [--dry-run]`: a sweep now. JSON: as `ReconcileResult` in workflows/messages.ts. Exit 1 where something could not be healed. */
export function addReconcile(program: Command, context: CommandContext): void {
  program
    .command('reconcile')
    .description('correct the deploy-phase statuses that should not stand, now; reads every work item')
    .option('--dry-run', 'show what would be corrected, and write nothing')
    .action(async ({ dryRun }) => {
      const client = await context.client();
      const { result, note, paint } = context.output();
      const swept = await client.reconcile(
        { dryRun: dryRun === true },
        { signal: context.interrupted, onWaiting: note },
      );
      const table = formatReconcile(swept.healings, paint);
      result(`${table}${table === '' ? '' : '\n'}${reconcileLine(swept)}`, swept);
      context.exit(swept.failed > 0 || swept.unread.length > 0 ? 1 : 0);
    });
}
