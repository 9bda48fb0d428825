/** A look at production: the number of its tick, and the workflow time, which no two looks share. */
export interface SeenTick {
  readonly tick: number;
  readonly at: number;
  readonly confirming?: boolean | undefined;
}

/** Numbers that stand for more than one look of their grid. Pure, as all here. */
export const doubledTicks = (ticks: readonly SeenTick[]): number[] => {
  const { window, afterRollback } = split(ticks);
  return [...doubled(window), ...doubled(afterRollback)];
};

function doubled(ticks: readonly SeenTick[]): number[] {
  const onGrid = ticks.filter(({ confirming }) => confirming !== true).map(({ tick }) => tick);
  return onGrid.filter((tick, index) => onGrid.indexOf(tick) !== index);
}

/** Ticks of the window up to its last one that were neither made nor counted as missed. */
export function unaccountedTicks(ticks: readonly SeenTick[], missed: number): number {
  const numbers = split(ticks).window.map(({ tick }) => tick);
  return Math.max(0, ...numbers) - new Set(numbers).size - missed;
}

/** After a rollback the numbers begin anew. */
function split(ticks: readonly SeenTick[]) {
  const anew = ticks.findIndex(({ tick }, index) => tick < (ticks[index - 1]?.tick ?? 0));
  return anew < 0
    ? { window: ticks, afterRollback: [] }
    : { window: ticks.slice(0, anew), afterRollback: ticks.slice(anew) };
}

/** `1–8, 12, 13, 13+; after the rollback 1–3`: a plus marks a look that confirmed a failure. */
export function shownTicks(ticks: readonly SeenTick[]): string {
  const { window, afterRollback } = split(ticks);
  if (window.length === 0) return 'none';
  return afterRollback.length === 0 ? runs(window) : `${runs(window)}; after the rollback ${runs(afterRollback)}`;
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
