import { messageOf } from '../error-message.ts';
import type { Mask } from '../mask.ts';
import { type DeployDriver, DeployOutcomeUnknown, type DriverLog } from './driver.ts';

/** The longest heartbeat, in characters: one comes every few seconds, and an answer or a line may be of any length. */
const MOST_HEARTBEAT = 1_000;

/** The same driver, none of whose results, errors, heartbeats and log messages shows a secret: all of them outlive the run. */
export const masked = (driver: DeployDriver, { text }: Mask): DeployDriver => ({
  async run(operation, { signal, heartbeat, callSomebody, log }) {
    try {
      const result = await driver.run(operation, {
        signal,
        heartbeat: (detail) => heartbeat(text(detail).slice(0, MOST_HEARTBEAT)),
        callSomebody: (what) => callSomebody(text(what)),
        log: maskedLog(log, text),
      });
      return { ...result, detail: text(result.detail) };
    } catch (error) {
      const message = messageOf(error);
      if (error === signal.reason || text(message) === message) throw error;
      if (!(error instanceof DeployOutcomeUnknown)) throw new Error(text(message)); // without the stack, which repeats it
      const { retryable, cause } = error;
      throw new DeployOutcomeUnknown(text(message), { retryable, cause });
    }
  },
});

const maskedLog = (log: DriverLog, text: Mask['text']): DriverLog => ({
  info: (fields, message) => log.info(fields, text(message)),
  warn: (fields, message) => log.warn(fields, text(message)),
  error: (fields, message) => log.error(fields, text(message)),
});
