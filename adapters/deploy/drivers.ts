import { type CommandDeps, createCommandDriver } from './command.ts';
import type { DeployDriver, DriverConfig } from './driver.ts';
import { createWebhookDriver } from './webhook.ts';

/** Whether a driver can do nothing without a version. */
export function driverNeedsVersion(config: DriverConfig): boolean {
  switch (config.driver) {
    case 'command':
      return config.command.some((argument) => argument.includes('{version}'));
    case 'webhook': {
      const { url, headers, body, statusUrl } = config;
      return JSON.stringify({ url, headers, body, statusUrl }).includes('{version}');
    }
    case 'external':
      return false;
    default:
      return config satisfies never;
  }
}

/** Whether a rollback driver can do nothing without the version before. */
export const fillsPreviousVersion = (config: DriverConfig): boolean =>
  JSON.stringify(config).includes('{previousVersion}');

/** Whether a rollback driver gets the version to restore as an instruction; a command that reads its environment may choose another one. */
export const goesBackTo = (config: DriverConfig): boolean =>
  (config.driver === 'webhook' && config.body === undefined) || fillsPreviousVersion(config);

/** Gives the driver that a configuration asks for; `null` for `external`, which is driven by a signal. */
export const createDriverFor =
  (deps: CommandDeps) =>
  (config: DriverConfig): DeployDriver | null => {
    switch (config.driver) {
      case 'command':
        return createCommandDriver(config, deps);
      case 'webhook':
        return createWebhookDriver(config, deps);
      case 'external':
        return null;
      default:
        return config satisfies never;
    }
  };
