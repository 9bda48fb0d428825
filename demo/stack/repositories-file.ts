import { stringify } from 'yaml';
import { program } from '../program.ts';
import type { Timing } from './timing.ts';

/** The repository that the demo deploys. */
export const REPO = 'shop';

/** Also there, neither deployed nor watched here: the orchestrator itself. */
export const SELF_HOSTING_REPO = 'orchestrator';

export interface RepositoriesFileInput {
  readonly planeProject: string;
  readonly serviceUrl: string;
  readonly controlUrl: string;
  readonly action: 'alert' | 'rollback';
  /** Whether a rollback whose worker was lost is tried again. */
  readonly rollback: 'once' | 'idempotent';
  readonly timing: Timing;
}

/** The repositories file of the demo, as a user would write it. */
export function repositoriesFile(input: RepositoriesFileInput): string {
  const { planeProject, serviceUrl, controlUrl, action, rollback, timing } = input;
  const driver = (kind: 'deploy' | 'rollback') => ({
    driver: 'command',
    command: [process.execPath, ...program('demo/production/switch-release'), kind, controlUrl],
    timeoutSeconds: 60,
  });
  return stringify({
    repositories: {
      [REPO]: {
        plane: { project: planeProject },
        deploy: driver('deploy'),
        rollback: { ...driver('rollback'), ...(rollback === 'idempotent' ? { idempotent: true } : {}) },
        health: { url: `${serviceUrl}/health`, expectStatus: 200, expectJson: { '/status': 'ok' }, timeoutSeconds: 1 },
        healthCheck: { deadlineSeconds: 20, passes: 2 },
        traffic: [`${serviceUrl}/`, `${serviceUrl}/cart`],
        window: { ...timing.window, action },
      },
    },
  });
}
