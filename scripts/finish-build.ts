import { chmod, cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { type BuildOptions, build } from 'esbuild';
import { bundleOptions } from '../adapters/temporal/workflow-source.ts';

// What the compiler leaves to do, see `npm run build`. Any of it missing fails the build.

const dist = fileURLToPath(new URL('../', import.meta.url));
const sources = join(dist, '..');

/** The compiler takes only TypeScript along. */
const MIGRATIONS = join('adapters', 'postgres', 'migrations');
await cp(join(sources, MIGRATIONS), join(dist, MIGRATIONS), { recursive: true });

/** Replaces an entry point by one file with the modules that it imports: to load hundreds of them takes longer than they run. */
async function bundle(entry: string, options: BuildOptions): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: entry,
    allowOverwrite: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    logLevel: 'warning',
    ...options,
  });
  await rm(`${entry}.map`); // of the file that the bundle replaces
}

const d2d = join(dist, 'client', 'd2d.js');
await bundle(d2d, {
  // Bundled CommonJS modules need require.
  banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
  // Finds its migrations beside itself, so it stays a file of its own.
  external: ['../adapters/postgres/migrate.js', 'pg-native'],
});
await chmod(d2d, 0o755);

// Without packages: some of them look for files beside their own, which fails only once they need them.
await bundle(join(dist, 'worker.js'), {
  packages: 'external',
  // Finds the workflows beside itself.
  external: ['./adapters/temporal/workflow-source.js'],
});

// Made once here, not at each start of a worker; it also proves that no workflow imports what it may not. Last of all: its age
// tells the tests whether the build is up to date.
const { code } = await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('WARN') });
await writeFile(join(dist, 'workflow-bundle.js'), code);
