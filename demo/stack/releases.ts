/** What has been started and has to be ended, in the reverse order. */
export interface Releases {
  add(name: string, release: () => Promise<unknown>): void;
  /** Ends everything; a second call waits for the first. Never throws: what could not be ended is returned, one line each. */
  run(): Promise<readonly string[]>;
}

export function createReleases(): Releases {
  const added: { readonly name: string; readonly release: () => Promise<unknown> }[] = [];
  const failures: string[] = [];
  let running: Promise<void> = Promise.resolve();

  async function releaseAll(): Promise<void> {
    for (let entry = added.pop(); entry !== undefined; entry = added.pop()) {
      try {
        await entry.release();
      } catch (error) {
        failures.push(`${entry.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }

  return {
    add: (name, release) => void added.push({ name, release }),
    async run() {
      running = running.then(releaseAll);
      await running;
      return failures;
    },
  };
}
