import { stateNamed } from '../adapters/deploy/webhook-answer.ts';
import { quote } from './faults.ts';
import type { Described } from './repository-file.ts';

/** What is wrong with how the answers of a deployer are read. */
export function checkAnswer(
  { entry, place }: Described,
  part: 'deploy' | 'rollback',
  fault: (message: string) => void,
): void {
  const driver = entry[part];
  if (driver?.driver !== 'webhook') return;
  // `{id}` in the status URL and the place of the id need each other.
  const fills = /\{id\}|%7Bid%7D/i.test(driver.statusUrl ?? '');
  if (fills && driver.answer?.id === undefined)
    fault(
      `${place([part, 'statusUrl'])} holds {id}: say in answer.id where the answer to the POST has it, such as /id`,
    );
  if (!fills && driver.answer?.id !== undefined)
    fault(`${place([part, 'answer', 'id'])} has no effect: put {id} into statusUrl`);

  const { words } = driver.answer ?? {};
  if (words === undefined) return;
  const states = Object.values(words);
  if (!states.includes('succeeded') || !states.includes('failed'))
    fault(
      `${place([part, 'answer', 'words'])} must have a word for succeeded and one for failed: no other answer ends a deploy`,
    );
  for (const [word, state] of Object.entries(words)) {
    const meant = stateNamed(word, words);
    if (meant !== state && meant !== null)
      fault(
        `${place([part, 'answer', 'words', word])} must not be ${state}, as ${quote(word)} is ${meant} in another spelling`,
      );
  }
}
