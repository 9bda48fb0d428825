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

/** `1, 2, 3, 3+, 7`: a plus marks a look that confirmed a failure. */
export const shownTicks = (ticks: readonly SeenTick[]): string =>
  ticks.length === 0
    ? 'none'
    : ticks.map(({ tick, confirming }) => `${tick}${confirming === true ? '+' : ''}`).join(', ');
