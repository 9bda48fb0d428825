/** Takes what is going on inside a step, a line at a time. */
export type Say = (line: string) => void;

export interface Step {
  readonly title: string;
  /** What it resolves to is shown behind the title, once it has ended. */
  readonly run: (say: Say) => Promise<string | undefined>;
}

/** What a person sees while a demo runs. */
export interface Display {
  /** @throws what the step throws, once that has been shown. */
  step<T>(title: string, run: (say: Say) => Promise<T>): Promise<T>;
  /** Steps side by side. @throws what the first of them throws, when all have ended. */
  together(steps: readonly Step[]): Promise<void>;
  /** Lines between the steps. */
  print(...lines: readonly string[]): void;
}

/** Throws the first failure, when all have ended: what one of them has started can then be ended too. */
export async function allEnded(runs: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(runs)) if (result.status === 'rejected') throw result.reason;
}

export const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
