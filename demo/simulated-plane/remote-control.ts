/** The control object of a simulated Plane that runs in another process on this machine. */

import type { Control } from './control.ts';
import { COMMAND_NAMES } from './control-http.ts';

/** The same calls as on the object itself, each answered by a promise. A regular expression in a fault is sent as its source. */
export type RemoteControl = {
  [Name in keyof Control]: (...args: Parameters<Control[Name]>) => Promise<Awaited<ReturnType<Control[Name]>>>;
};

/** @throws Error with the simulator's own words where it refuses a command. */
export function remoteControl(url: string): RemoteControl {
  const call = async (name: string, args: unknown[]): Promise<unknown> => {
    const response = await fetch(new URL(`/__sim/${name}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(args, (_key, value: unknown) => (value instanceof RegExp ? value.source : value)),
    });
    const answer: unknown = await response.json();
    if (typeof answer === 'object' && answer !== null && 'result' in answer) return answer.result;
    throw new Error(`simulated Plane: ${JSON.stringify(answer)}`);
  };
  const methods = Object.fromEntries(COMMAND_NAMES.map((name) => [name, (...args: unknown[]) => call(name, args)]));
  return methods as RemoteControl; // the names are those of Control (checked where the table stands), the answers its results as JSON
}
