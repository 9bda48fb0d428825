/** Finding a state by its name. Names are unique in a project, but only case-sensitively, and users rename them. */
import { PlaneAmbiguousState, PlaneUnknownState } from './errors.ts';

export interface PlaneState {
  readonly id: string;
  readonly name: string;
  /** `backlog`, `unstarted`, `started`, `completed` or `cancelled`. */
  readonly group: string;
}

export type StateMatch = { found: PlaneState } | { ambiguous: readonly PlaneState[] } | { missing: true };

/** Exact after trimming; else the only one that differs in case alone. */
export function matchState(states: readonly PlaneState[], name: string): StateMatch {
  const wanted = name.trim();
  const exact = states.filter((state) => state.name.trim() === wanted);
  const candidates = exact.length > 0 ? exact : states.filter((state) => fold(state.name) === fold(wanted));
  const [first, ...others] = candidates;
  if (first === undefined) return { missing: true };
  return others.length === 0 ? { found: first } : { ambiguous: candidates };
}

const fold = (name: string): string => name.trim().toLowerCase();

/** @throws PlaneAmbiguousState | PlaneUnknownState unless exactly one state answers to the name. */
export function onlyState(match: StateMatch, name: string, states: readonly PlaneState[], path: string): PlaneState {
  if ('found' in match) return match.found;
  const failure = { method: 'GET', path, status: null, writeMayHaveApplied: false };
  if ('ambiguous' in match) {
    throw new PlaneAmbiguousState(
      `${match.ambiguous.length} states answer to ${JSON.stringify(name)}: ${listed(match.ambiguous)}. Use the exact name of one, or rename the others.`,
      failure,
    );
  }
  throw new PlaneUnknownState(
    `the project has no state ${JSON.stringify(name)}. It has ${listed(states) || 'none'}. Create it, or set the name that is there.`,
    failure,
  );
}

const listed = (states: readonly PlaneState[]): string => states.map(({ name }) => JSON.stringify(name)).join(', ');
