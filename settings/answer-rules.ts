import { stateNamed } from '../adapters/deploy/webhook-answer.ts';
import { quote } from './faults.ts';
import type { Described } from './repository-file.ts';

/** A status URL that does not tell one deploy from another. */
const isAboutAny = (url: string): boolean => !/(\{|%7B)(id|operationId|version|previousVersion)(\}|%7D)/i.test(url);

/** Whether its answers say whose they are. That of a rollback names a version that tells nothing: the one before. */
const saysWhose = (
  part: 'deploy' | 'rollback',
  answer: { readonly version?: unknown; readonly operationId?: unknown } | undefined,
): boolean => answer?.operationId !== undefined || (part === 'deploy' && answer?.version !== undefined);

/** What is wrong with how the answers of a deployer are read. */
export function checkAnswer(
  { entry, place }: Described,
  part: 'deploy' | 'rollback',
  fault: (message: string) => void,
  warn: (message: string) => void,
): void {
  const driver = entry[part];
  if (driver?.driver !== 'webhook') return;
  const places = part === 'deploy' ? 'answer.operationId or answer.version' : 'answer.operationId';
  if (driver.statusUrl !== undefined && isAboutAny(driver.statusUrl) && !saysWhose(part, driver.answer))
    warn(
      `${place([part, 'statusUrl'])} is the same for every ${part}: the result of the one before can be mistaken for this one's. ` +
        `Put {operationId}, {version} or {id} into it, or say in ${places} where the answers name it`,
    );
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
