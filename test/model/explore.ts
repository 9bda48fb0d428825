/** One thing that can happen in a state. */
export interface Step<State> {
  readonly label: string;
  readonly next: State;
}

export interface Explored {
  /** How many states can be reached. */
  readonly states: number;
  /** The shortest way to a state in which nothing can happen any more although it is wrong; `null`: there is none. */
  readonly counterexample: readonly string[] | null;
  /** How many states there are from which no right state of rest can be reached any more. */
  readonly trapped: number;
}

/**
 * Looks at every state that can be reached, breadth first. States are plain JSON; two with the same JSON are one.
 * @param right judges the states in which nothing can happen any more
 */
export function explore<State>(
  initial: State,
  steps: (state: State) => readonly Step<State>[],
  right: (state: State) => boolean,
): Explored {
  const known = new Map<string, number>([[JSON.stringify(initial), 0]]);
  const states = [initial];
  const cameBy: { readonly from: number; readonly label: string }[] = [{ from: 0, label: '' }];
  const before: number[][] = [[]];
  const resting: number[] = [];
  let wrong: number | null = null;

  for (let at = 0; at < states.length; at += 1) {
    const state = states[at] as State;
    const possible = steps(state);
    if (possible.length === 0) {
      if (right(state)) resting.push(at);
      else wrong ??= at;
    }
    for (const { label, next } of possible) {
      const key = JSON.stringify(next);
      let to = known.get(key);
      if (to === undefined) {
        to = states.length;
        known.set(key, to);
        states.push(next);
        cameBy.push({ from: at, label });
        before.push([]);
      }
      before[to]?.push(at);
    }
  }
  return {
    states: states.length,
    counterexample: wayTo(wrong, cameBy),
    trapped: states.length - saved(resting, before),
  };
}

function wayTo(
  state: number | null,
  cameBy: readonly { readonly from: number; readonly label: string }[],
): readonly string[] | null {
  if (state === null) return null;
  const way: string[] = [];
  for (let at = state; at !== 0; at = cameBy[at]?.from ?? 0) way.unshift(cameBy[at]?.label ?? '');
  return way;
}

/** How many states lead to one of these. */
function saved(resting: readonly number[], before: readonly (readonly number[])[]): number {
  const seen = new Set(resting);
  const open = [...resting];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const from of before[at] ?? []) {
      if (seen.has(from)) continue;
      seen.add(from);
      open.push(from);
    }
  }
  return seen.size;
}
