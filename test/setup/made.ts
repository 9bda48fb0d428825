/** What the global set-up could or could not make: only the tests that need it fail, with the reason. */
export type Made = { readonly path: string; readonly fault?: never } | { readonly path: null; readonly fault: string };

export const tried = (making: Promise<string>): Promise<Made> =>
  making.then(
    (path) => ({ path }),
    (error: unknown) => ({ path: null, fault: error instanceof Error ? error.message : String(error) }),
  );

/** @throws the set-up's reason, where it is not there. */
export function made(what: string, { path, fault }: Made): string {
  if (path === null) throw new Error(`${what} is not there: ${fault}`);
  return path;
}
