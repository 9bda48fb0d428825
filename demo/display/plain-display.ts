import { messageOf } from '../../adapters/error-message.ts';
import { allEnded, type Display, inSeconds, type Say } from './display.ts';

/** One line for each thing that happens, with the seconds since the start: for logs, pipes and machines. */
export function plainDisplay(write: (text: string) => void): Display {
  const startedAt = Date.now();
  const line = (mark: string, text: string): void =>
    write(`${inSeconds(Date.now() - startedAt).padStart(7)} ${mark} ${text}\n`);

  async function step<T>(title: string, run: (say: Say) => Promise<T>): Promise<T> {
    line('>', title);
    try {
      const result = await run((said) => line('.', said));
      line('+', typeof result === 'string' ? `${title}: ${result}` : title);
      return result;
    } catch (error) {
      line('x', `${title}: ${messageOf(error)}`);
      throw error;
    }
  }

  return {
    step,
    together: (steps) => allEnded(steps.map(({ title, run }) => step(title, run))),
    print: (...lines) => write(lines.map((text) => `${text}\n`).join('')),
  };
}
