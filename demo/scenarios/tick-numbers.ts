import type { WindowRecord } from './window-record.ts';

/** A look at production: the number of its tick, and the workflow time, which no two looks share. */
export interface SeenTick {
  readonly tick: number;
  readonly at: number;
  readonly confirming?: boolean | undefined;
}

type Record = Pick<WindowRecord, 'ticks' | 'ticksAfterRollback' | 'coverage'>;

/** What was seen at some time and is not on record in the end. Pure, as all here. */
export const lostTicks = (seen: readonly SeenTick[], { ticks, ticksAfterRollback }: Record): number[] => {
  const recorded = new Set([...ticks, ...ticksAfterRollback].map(({ at }) => at));
  return seen.filter(({ at }) => !recorded.has(at)).map(({ tick }) => tick);
};

/** Numbers that stand for more than one look of the grid. */
export const doubledTicks = ({ ticks, ticksAfterRollback }: Record): number[] => [
  ...doubled(ticks),
  ...doubled(ticksAfterRollback),
];

function doubled(ticks: readonly SeenTick[]): number[] {
  const onGrid = ticks.filter(({ confirming }) => confirming !== true).map(({ tick }) => tick);
  return onGrid.filter((tick, index) => onGrid.indexOf(tick) !== index);
}

/** Ticks up to the last one that were neither made nor recorded as missed. */
export function unaccountedTicks({ ticks, coverage }: Record): number {
  const numbers = ticks.map(({ tick }) => tick);
  return Math.max(0, ...numbers) - new Set(numbers).size - coverage.missed;
}

/** `1–8, 12, 13, 13+; after the rollback 1–3`: a plus marks a look that confirmed a failure. */
export function shownTicks(ticks: readonly SeenTick[]): string {
  if (ticks.length === 0) return 'none';
  // After a rollback the numbers begin anew.
  const anew = ticks.findIndex(({ tick }, index) => tick < (ticks[index - 1]?.tick ?? 0));
  if (anew < 0) return runs(ticks);
  return `${runs(ticks.slice(0, anew))}; after the rollback ${runs(ticks.slice(anew))}`;
}

function runs(ticks: readonly SeenTick[]): string {
  const shown: string[] = [];
  let first = 0;
  ticks.forEach(({ tick, confirming }, index) => {
    const next = ticks[index + 1];
    if (confirming === true) shown.push(`${tick}+`);
    else if (next?.tick === tick + 1 && next.confirming !== true) first ||= tick;
    else {
      shown.push(first === 0 ? `${tick}` : `${first}–${tick}`);
      first = 0;
    }
  });
  return shown.join(', ');
}
