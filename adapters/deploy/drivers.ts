import { type CommandDeps, createCommandDriver } from './command.ts';
import type { DeployDriver, DriverConfig } from './driver.ts';
import { createWebhookDriver } from './webhook.ts';

/** Gives the driver that a configuration asks for; `null` for `external`, which is driven by a signal. */
export const createDriverFor =
  (deps: CommandDeps) =>
  (config: DriverConfig): DeployDriver | null => {
    switch (config.driver) {
      case 'command':
        return createCommandDriver(config, deps);
      case 'webhook':
        return createWebhookDriver(config);
      case 'external':
        return null;
      default:
        return config satisfies never;
    }
  };
