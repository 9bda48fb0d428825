import { createCommandDriver } from './command.ts';
import type { DeployDriver, DriverConfig } from './driver.ts';
import { createWebhookDriver } from './webhook.ts';

export interface DriversDeps {
  /** The worker's own environment; of it a command gets only what `inheritedEnvironment` lets through. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The driver that a configuration asks for; `null` for `external`, which is driven by a signal. */
export const createDriverFor =
  ({ environment }: DriversDeps) =>
  (config: DriverConfig): DeployDriver | null => {
    switch (config.driver) {
      case 'command':
        return createCommandDriver(config, { environment });
      case 'webhook':
        return createWebhookDriver(config);
      case 'external':
        return null;
      default:
        return config satisfies never;
    }
  };
