import { chmod, cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { bundleOptions } from '../adapters/temporal/workflow-source.ts';

// What the compiler leaves to do, see `npm run build`. Any of it missing fails the build.

const dist = fileURLToPath(new URL('../', import.meta.url));
const sources = join(dist, '..');

/** The compiler takes only TypeScript along. */
const MIGRATIONS = join('adapters', 'postgres', 'migrations');
await cp(join(sources, MIGRATIONS), join(dist, MIGRATIONS), { recursive: true });

await chmod(join(dist, 'client', 'd2d.js'), 0o755);

// Made once here, not at each start of a worker; it also proves that no workflow imports what it may not. Last of all: its age
// tells the tests whether the build is up to date.
const { code } = await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('WARN') });
await writeFile(join(dist, 'workflow-bundle.js'), code);
