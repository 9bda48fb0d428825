import type { Command } from '@commander-js/extra-typings';
import { oneLine } from '../../decisions/shown-text.ts';
import type { Check } from '../../world.ts';
import { count, type Paint } from '../format/text.ts';
import type { CommandContext } from './context.ts';

const MARK = { ok: 'ok', warning: 'warning', fault: 'FAULT' } as const;

/** `doctor`: the checks of a starting worker, from outside. JSON: `{ok, checks: [{name, level, message}]}`. Exit 1 on a fault. */
export function addDoctor(program: Command, context: CommandContext): void {
  program
    .command('doctor')
    .description('check all that a worker needs: settings, Temporal, search attributes, database, Plane')
    .action(async () => {
      const checks = await context.checks();
      const { result, paint } = context.output();
      const ok = checks.every(({ level }) => level !== 'fault');
      result(formatChecks(checks, paint), { ok, checks });
      context.exit(ok ? 0 : 1);
    });
}

/** One line a check, faults last, and a sentence that sums up. */
export function formatChecks(checks: readonly Check[], paint: Paint): string {
  const colour = { ok: paint.good, warning: paint.warn, fault: paint.bad };
  const of = (level: Check['level']) => checks.filter((check) => check.level === level);
  const lines = [...of('ok'), ...of('warning'), ...of('fault')].map(
    ({ name, level, message }) => `${colour[level](MARK[level].padEnd(7))}  ${name}: ${oneLine(message)}`,
  );
  const faults = of('fault').length;
  const warnings = of('warning').length;
  const sum =
    faults > 0
      ? `${count(faults, 'fault')}: a worker would not start`
      : warnings > 0
        ? `no fault, ${count(warnings, 'warning')}: a worker would start`
        : 'all well';
  return [...lines, sum].join('\n');
}
