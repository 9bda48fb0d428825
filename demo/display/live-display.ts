import { Listr, type ListrTask } from 'listr2';
import { allEnded, type Display, inSeconds, type Say, type Step } from './display.ts';

/** How many of the last lines of a step stand below its title. */
const LINES = 6;

/** Spinners and the last lines of each step, for a terminal. */
export function liveDisplay(write: (text: string) => void): Display {
  const show = (tasks: ListrTask[]): Promise<unknown> =>
    new Listr(tasks, {
      concurrent: true,
      exitOnError: false,
      registerSignalListeners: false, // it would end the process, servers and all, before they could be ended in order
      rendererOptions: { collapseErrors: false, showErrorMessage: true },
      fallbackRendererCondition: false,
    }).run();

  const task = (title: string, run: (say: Say) => Promise<unknown>): { readonly shown: ListrTask; failed: unknown } => {
    const made: { shown: ListrTask; failed: unknown } = {
      failed: undefined,
      shown: {
        title,
        rendererOptions: { outputBar: LINES, persistentOutput: true },
        async task(_, wrapper) {
          const startedAt = Date.now();
          try {
            const result = await run((line) => {
              wrapper.output = line;
            });
            const told = typeof result === 'string' ? `: ${result}` : '';
            wrapper.title = `${title}${told} (${inSeconds(Date.now() - startedAt)})`;
          } catch (error) {
            made.failed = error ?? new Error(`${title} failed`);
            throw error;
          }
        },
      },
    };
    return made;
  };

  const run = async (steps: readonly Step[]): Promise<void> => {
    const tasks = steps.map((step) => task(step.title, step.run));
    await show(tasks.map(({ shown }) => shown));
    await allEnded(tasks.map(({ failed }) => (failed === undefined ? Promise.resolve() : Promise.reject(failed))));
  };

  return {
    async step<T>(title: string, work: (say: Say) => Promise<T>): Promise<T> {
      const results: T[] = [];
      await run([
        {
          title,
          async run(say) {
            const result = await work(say);
            results.push(result);
            return typeof result === 'string' ? result : undefined;
          },
        },
      ]);
      const [result] = results;
      if (results.length === 0) throw new Error(`${title} ended without a result`);
      return result as T; // T may be undefined, so it cannot be told from a missing one by its value
    },
    together: run,
    print: (...lines) => write(lines.map((text) => `${text}\n`).join('')),
  };
}
