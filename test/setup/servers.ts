import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { TestProject } from 'vitest/node';
import { SEARCH_ATTRIBUTES } from '../../adapters/temporal/search-attributes.ts';
import { type PostgresServer, startPostgresServer } from '../../demo/servers/postgres-server.ts';
import { provideTemporalCli } from '../../demo/servers/temporal-cli.ts';
import { startTemporalServer, type TemporalServer } from '../../demo/servers/temporal-server.ts';
import { provideTimeSkippingServer } from '../../demo/servers/time-skipping-server.ts';
import { bundleWorkflows } from './bundle.ts';
import { type Made, tried } from './made.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** URL of the superuser on the run's Postgres; tests take a database of their own, see `freshDatabase`. */
    postgresUrl: string;
    /** The run's Temporal dev server, search attributes registered. */
    temporalAddress: string;
    /** The `temporal` command line. */
    temporalCli: string;
    timeSkippingServer: Made;
    workflowBundle: Made;
  }
}

interface Servers {
  readonly postgres: PostgresServer;
  readonly temporal: TemporalServer;
  readonly cli: string;
  readonly timeSkipping: Made;
  readonly bundle: Made;
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { postgres, temporal, cli, timeSkipping, bundle } = await start();
  project.provide('postgresUrl', postgres.url);
  project.provide('temporalAddress', temporal.address);
  project.provide('temporalCli', cli);
  project.provide('timeSkippingServer', timeSkipping);
  project.provide('workflowBundle', bundle);
  return async () => {
    await Promise.all([temporal.stop(), postgres.stop(), bundle.path && rm(dirname(bundle.path), { recursive: true })]);
  };
}

async function start(): Promise<Servers> {
  const provisioning = { env: process.env, say: (line: string) => console.error(line) };
  const startingPostgres = startPostgresServer();
  const startingTemporal = provideTemporalCli(provisioning).then(async (cli) => ({
    cli,
    temporal: await startTemporalServer({ cli, ui: 'off', keywords: SEARCH_ATTRIBUTES }),
  }));
  try {
    const [postgres, { cli, temporal }, timeSkipping, bundle] = await Promise.all([
      startingPostgres,
      startingTemporal,
      tried(provideTimeSkippingServer(provisioning)),
      tried(bundleWorkflows()),
    ]);
    return { postgres, temporal, cli, timeSkipping, bundle };
  } catch (error) {
    // Vitest would wait for minutes for a server that goes on.
    await Promise.allSettled([
      startingPostgres.then((postgres) => postgres.stop()),
      startingTemporal.then(({ temporal }) => temporal.stop()),
    ]);
    throw error;
  }
}
